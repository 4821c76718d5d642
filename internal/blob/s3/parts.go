package s3

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/minio/minio-go/v7"

	"packhouse/internal/blob"
)

// parts is a multipart upload of one object. It belongs to one goroutine; one
// part at a time is on its way beside it.
type parts struct {
	store *Store
	name  string // of the object that they become
	id    string // S3's name of the upload; "" until it is begun
	done  []minio.CompletePart
	// more says that the server may have begun others under the same name,
	// because an answer was lost or an earlier process left them.
	more   bool
	flight chan sent // nil: no part is on its way
}

// sent is what became of a part.
type sent struct {
	part minio.CompletePart
	err  error
}

// begin makes the server expect parts.
func (p *parts) begin(ctx context.Context) error {
	if p.id != "" {
		return nil
	}
	tries := 0
	err := p.store.call(ctx, 0, func(ctx context.Context) (err error) {
		tries++
		p.id, err = p.store.client.NewMultipartUpload(ctx, p.store.options.Bucket, p.name, object)
		return err
	})
	p.more = p.more || tries > 1 || err != nil
	return err
}

// object is how all objects are stored: as bytes of no special kind.
var object = minio.PutObjectOptions{ContentType: "application/octet-stream", DisableContentSha256: true}

// send begins to send b as the next part. Whoever calls it has given b away.
// An error may be of the part before.
func (p *parts) send(ctx context.Context, b []byte) error {
	if err := p.begin(ctx); err != nil {
		return err
	}
	if err := p.wait(); err != nil {
		return err
	}
	number := len(p.done) + 1
	if number > maxParts {
		return fmt.Errorf("%w: a blob has at most %d parts of %d bytes; raise part-size", blob.ErrFull, maxParts, p.store.options.PartSize)
	}
	p.flight = make(chan sent, 1)
	go func() {
		part, err := p.put(ctx, number, b)
		p.flight <- sent{part, err}
	}()
	return nil
}

// put sends one part. The server refuses it when its SHA-256 is not the one
// that is signed with it.
func (p *parts) put(ctx context.Context, number int, b []byte) (done minio.CompletePart, err error) {
	sum := sha256.Sum256(b)
	opts := minio.PutObjectPartOptions{Sha256Hex: hex.EncodeToString(sum[:]), DisableContentSha256: true}
	err = p.store.call(ctx, int64(len(b)), func(ctx context.Context) error {
		body := newBody(b)
		defer body.release()
		o, err := p.store.client.PutObjectPart(ctx, p.store.options.Bucket, p.name, p.id, number, body, int64(len(b)), opts)
		done = minio.CompletePart{PartNumber: number, ETag: o.ETag}
		return err
	})
	p.store.recycle(b)
	return done, err
}

// wait waits for the part on its way.
func (p *parts) wait() error {
	if p.flight == nil {
		return nil
	}
	s := <-p.flight
	p.flight = nil
	if s.err == nil {
		p.done = append(p.done, s.part)
	}
	return s.err
}

// complete makes the parts one object of the given size. An answer that says
// that there is no such upload, after one that was lost, may mean that it is
// complete; the object itself tells.
func (p *parts) complete(ctx context.Context, size int64) error {
	return p.store.call(ctx, joined(size), func(ctx context.Context) error {
		_, err := p.store.client.CompleteMultipartUpload(ctx, p.store.options.Bucket, p.name, p.id, p.done, minio.PutObjectOptions{})
		if minio.ToErrorResponse(err).Code != minio.NoSuchUpload {
			return err
		}
		o, failed := p.store.client.StatObject(ctx, p.store.options.Bucket, p.name, minio.StatObjectOptions{})
		if failed == nil && o.Size == size {
			return nil
		}
		return err
	})
}

// abort throws the parts away.
func (p *parts) abort(ctx context.Context) error {
	var errs []error
	if p.id != "" {
		errs = append(errs, p.drop(ctx, p.id))
	}
	if p.more {
		for begun, err := range p.store.multiparts(ctx, p.name) {
			if err != nil {
				errs = append(errs, err)
				break
			}
			if begun.Key == p.name && begun.UploadID != p.id {
				errs = append(errs, p.drop(ctx, begun.UploadID))
			}
		}
	}
	return errors.Join(errs...)
}

func (p *parts) drop(ctx context.Context, id string) error {
	return absent(p.store.call(ctx, 0, func(ctx context.Context) error {
		return p.store.client.AbortMultipartUpload(ctx, p.store.options.Bucket, p.name, id)
	}))
}

// body gives a request its bytes until it is released. The transport may read
// on for a moment after a request that failed; from then on it reads nothing,
// and the bytes can be used again.
type body struct {
	mu    sync.Mutex
	bytes []byte // nil: released
	at    int
}

func newBody(b []byte) *body { return &body{bytes: b} }

var errReleased = errors.New("the request is over")

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bytes == nil {
		return 0, errReleased
	}
	if b.at == len(b.bytes) {
		return 0, io.EOF
	}
	n := copy(p, b.bytes[b.at:])
	b.at += n
	return n, nil
}

func (b *body) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes = nil
}

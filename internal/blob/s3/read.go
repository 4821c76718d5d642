package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"

	"packhouse"
	"packhouse/internal/blob"
)

// Open implements blob.Store. The bytes are on their way when it returns, so a
// reader that reads on is not disturbed by Delete; one that seeks afterwards, or
// whose connection breaks, finds the blob gone. ctx bounds the whole reading.
func (s *Store) Open(ctx context.Context, key blob.Key) (blob.Reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	digest, _, ok := key.Split()
	if !ok {
		return nil, fmt.Errorf("open blob: %w", blob.ErrNotFound)
	}
	r := &reader{store: s, ctx: ctx, key: key, want: digest, hash: sha256.New()}
	body, err := r.get(0)
	if err != nil {
		return nil, fmt.Errorf("open blob: %w", err)
	}
	r.body, r.size = body, body.length
	return r, nil
}

// Stat implements blob.Store.
func (s *Store) Stat(ctx context.Context, key blob.Key) (blob.Info, error) {
	if err := ctx.Err(); err != nil {
		return blob.Info{}, err
	}
	digest, _, ok := key.Split()
	if !ok {
		return blob.Info{}, fmt.Errorf("stat blob: %w", blob.ErrNotFound)
	}
	o, err := s.stat(ctx, s.blobName(key))
	if err != nil {
		return blob.Info{}, fmt.Errorf("stat blob: %w", err)
	}
	return blob.Info{Key: key, Digest: digest, Size: o.Size, ModTime: o.LastModified}, nil
}

func (s *Store) stat(ctx context.Context, name string) (o minio.ObjectInfo, err error) {
	err = s.call(ctx, 0, func(ctx context.Context) (err error) {
		o, err = s.client.StatObject(ctx, s.options.Bucket, name, minio.StatObjectOptions{})
		return err
	})
	return o, err
}

// Delete implements blob.Store. In a bucket with versions it leaves one, which
// the bucket's own rules remove.
func (s *Store) Delete(ctx context.Context, key blob.Key) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, _, ok := key.Split(); !ok {
		return nil
	}
	if err := s.remove(ctx, s.blobName(key)); err != nil {
		return fmt.Errorf("delete blob: %w", err)
	}
	return nil
}

func (s *Store) remove(ctx context.Context, name string) error {
	return absent(s.call(ctx, 0, func(ctx context.Context) error {
		return s.client.RemoveObject(ctx, s.options.Bucket, name, minio.RemoveObjectOptions{})
	}))
}

// reader implements blob.Reader and io.ReaderAt. A connection that breaks is
// replaced by one that goes on where it broke.
type reader struct {
	store *Store
	ctx   context.Context
	key   blob.Key
	want  packhouse.Digest
	size  int64

	at     int64   // where Read goes on
	body   *stream // nil, or the bytes from its own position on
	closed bool
	hash   hash.Hash // of the first hashed bytes
	hashed int64

	blocks blocks
}

// Size implements blob.Reader.
func (r *reader) Size() int64 { return r.size }

// Seek implements io.Seeker. It asks the server for nothing.
func (r *reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 {
		return r.at, errors.New("seek before the start of a blob")
	}
	r.at = offset
	return offset, nil
}

// Read implements io.Reader. The last bytes of a blob that was read in one go
// are given out only if all of them have the digest.
func (r *reader) Read(p []byte) (int, error) {
	if r.closed {
		return 0, fs.ErrClosed
	}
	if len(p) == 0 {
		return 0, nil
	}
	for failures := 0; r.at < r.size; {
		n, err := r.some(p)
		if n > 0 {
			return r.take(p[:n])
		}
		if over := r.ctx.Err(); over != nil {
			return 0, over
		}
		r.drop()
		if failures++; failures == r.store.options.Attempts || errors.Is(err, blob.ErrUnavailable) {
			return 0, fmt.Errorf("read blob: %w", explain(err))
		}
		if err := r.store.pause(r.ctx, failures); err != nil {
			return 0, err
		}
	}
	return 0, io.EOF
}

// some reads what there is at the position. It returns an error without bytes.
func (r *reader) some(p []byte) (int, error) {
	if r.body != nil && r.body.at != r.at {
		r.drop()
	}
	if r.body == nil {
		body, err := r.get(r.at)
		if err != nil {
			return 0, gone(err)
		}
		r.body = body
	}
	n, err := r.body.Read(p[:min(int64(len(p)), r.size-r.at)])
	if n > 0 {
		return n, nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return 0, err
}

// take counts and hashes bytes that were read.
func (r *reader) take(p []byte) (int, error) {
	if r.at == r.hashed {
		r.hash.Write(p)
		r.hashed += int64(len(p))
	}
	if r.hashed == r.size && r.at < r.hashed {
		if got := packhouse.Digest(r.hash.Sum(nil)); got != r.want {
			r.store.log.Error("a blob in the bucket is not what was stored", "key", r.key, "sha256", got.String())
			return 0, fmt.Errorf("read blob %s: they have the SHA-256 %s: %w", r.key, got, blob.ErrAltered)
		}
	}
	r.at += int64(len(p))
	return len(p), nil
}

func (r *reader) drop() {
	if r.body != nil {
		r.body.Close()
		r.body = nil
	}
}

// Close implements io.Closer.
func (r *reader) Close() error {
	r.closed = true
	r.drop()
	return nil
}

// stream is the body of an answer. When nothing comes for the time-out it is
// cut off.
type stream struct {
	body   io.ReadCloser
	at     int64 // position in the blob
	length int64 // of the whole body
	limit  time.Duration
	watch  *time.Timer
	cancel context.CancelFunc
}

// get asks for the blob from a position on.
func (r *reader) get(from int64) (found *stream, err error) {
	s := r.store
	// The stream outlives the attempt, so it has a watch in place of a limit.
	err = s.call(r.ctx, 0, func(context.Context) error {
		ctx, cancel := context.WithCancel(r.ctx)
		watch := time.AfterFunc(s.options.Timeout, cancel)
		body, o, err := s.fetch(ctx, s.blobName(r.key), from, 0)
		if err != nil {
			watch.Stop()
			cancel()
			return err
		}
		found = &stream{body: body, at: from, length: o.Size, limit: s.options.Timeout, watch: watch, cancel: cancel}
		return nil
	})
	return found, err
}

// fetch asks for the bytes of an object from one position to another, both
// included; 0 for the second means the end.
func (s *Store) fetch(ctx context.Context, name string, from, to int64) (io.ReadCloser, minio.ObjectInfo, error) {
	opts := minio.GetObjectOptions{}
	if from > 0 || to > 0 {
		if err := opts.SetRange(from, to); err != nil {
			return nil, minio.ObjectInfo{}, err
		}
	}
	body, o, header, err := s.client.GetObject(ctx, s.options.Bucket, name, opts)
	if err != nil {
		return nil, o, err
	}
	if want := fmt.Sprintf("bytes %d-", from); (from > 0 || to > 0) && !bytes.HasPrefix([]byte(header.Get("Content-Range")), []byte(want)) {
		body.Close()
		return nil, o, fmt.Errorf("asked for bytes from %d on, the server sent %q", from, header.Get("Content-Range"))
	}
	return body, o, nil
}

// Read implements io.Reader.
func (b *stream) Read(p []byte) (int, error) {
	b.watch.Reset(b.limit)
	n, err := b.body.Read(p)
	b.watch.Stop()
	b.at += int64(n)
	return n, err
}

// Close ends the answer, however much of it is left.
func (b *stream) Close() {
	b.watch.Stop()
	b.cancel()
	b.body.Close()
}

// blockSize is what ReadAt asks for at a time: the directory of an archive, or a
// small file in it, in one request.
const blockSize = 256 << 10

// blocks are the last parts of a blob that ReadAt has asked for: of a parser
// that goes through a directory at the end and a file elsewhere.
type blocks struct {
	mu   sync.Mutex
	kept [2]block // the newer first
}

type block struct {
	number int64
	bytes  []byte // nil: none
}

// ReadAt implements io.ReaderAt. It may be called concurrently.
func (r *reader) ReadAt(p []byte, at int64) (n int, err error) {
	for n < len(p) {
		if at >= r.size {
			return n, io.EOF
		}
		b, err := r.block(at / blockSize)
		if err != nil {
			return n, fmt.Errorf("read blob: %w", gone(err))
		}
		k := copy(p[n:], b[at%blockSize:])
		n, at = n+k, at+int64(k)
	}
	return n, nil
}

func (r *reader) block(number int64) (b []byte, err error) {
	r.blocks.mu.Lock()
	defer r.blocks.mu.Unlock()
	kept := &r.blocks.kept
	for i := range kept {
		if kept[i].bytes != nil && kept[i].number == number {
			kept[0], kept[i] = kept[i], kept[0]
			return kept[0].bytes, nil
		}
	}
	from := number * blockSize
	b = make([]byte, min(blockSize, r.size-from))
	err = r.store.call(r.ctx, blockSize, func(ctx context.Context) error {
		// An object of a single byte has no range that is not all of it.
		body, _, err := r.store.fetch(ctx, r.store.blobName(r.key), from, from+int64(len(b))-1)
		if err != nil {
			return err
		}
		defer body.Close()
		_, err = io.ReadFull(body, b)
		return err
	})
	if err != nil {
		return nil, err
	}
	kept[1] = kept[0]
	kept[0] = block{number, b}
	return b, nil
}

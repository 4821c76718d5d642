package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
	"time"

	"packhouse/internal/blob"
)

// upload implements blob.Upload. Bytes gather in a buffer; a full one is sent as
// a part while the next fills. At the most two are in memory.
type upload struct {
	store  *Store
	id     string
	ctx    context.Context // of the requests that Write causes; ends with the upload
	cancel context.CancelFunc

	buffer  []byte
	size    atomic.Int64 // Uploads looks at it
	touched atomic.Int64 // nanoseconds of the last write

	parts  *parts // nil until the first part is sent
	whole  bool   // an earlier process completed the parts; nothing can be added
	err    error  // why it can no longer be committed
	ended  bool
	failed bool // ended by a Commit that failed

	// What may be in the bucket besides parts.
	tail, target bool
}

// Create implements blob.Store. Nothing is in the bucket before the first part
// is full.
func (s *Store) Create(ctx context.Context) (blob.Upload, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("create upload: %w", err)
	}
	u := s.newUpload(ctx, blob.NewID())
	s.acquire(u)
	return u, nil
}

func (s *Store) newUpload(ctx context.Context, id string) *upload {
	u := &upload{store: s, id: id}
	// A request that is over still has to clean up; Append looks at its context.
	u.ctx, u.cancel = context.WithCancel(context.WithoutCancel(ctx))
	u.touched.Store(time.Now().UnixNano())
	return u
}

// ID implements blob.Upload.
func (u *upload) ID() string { return u.id }

// Size implements blob.Upload.
func (u *upload) Size() int64 { return u.size.Load() }

// Write implements io.Writer.
func (u *upload) Write(p []byte) (n int, err error) {
	if u.ended {
		return 0, fmt.Errorf("write upload %s: %w", u.id, fs.ErrClosed)
	}
	if u.err != nil {
		return 0, u.err
	}
	defer func() {
		u.size.Add(int64(n))
		u.touched.Store(time.Now().UnixNano())
		if err != nil {
			u.err = fmt.Errorf("write upload %s: %w", u.id, gone(err))
			err = u.err
		}
	}()
	if u.whole {
		return 0, errors.New("its parts were joined already")
	}
	for len(p) > 0 {
		if len(u.buffer) >= u.store.options.PartSize {
			if err := u.send(); err != nil {
				return n, err
			}
		}
		k := min(len(p), u.store.options.PartSize-len(u.buffer))
		u.buffer = u.store.extend(u.buffer, p[:k])
		p, n = p[k:], n+k
	}
	return n, nil
}

// grown is the size up to which a buffer grows with what is in it, so that small
// blobs take little memory. Beyond it, it has room for a part and is used again.
const grown = 1 << 20

// extend adds p to a buffer.
func (s *Store) extend(b, p []byte) []byte {
	if len(b)+len(p) <= cap(b) || len(b)+len(p) <= grown {
		return append(b, p...)
	}
	large := *s.buffers.Get().(*[]byte)
	return append(append(large[:0], b...), p...)
}

// recycle takes back a buffer that nobody reads any more.
func (s *Store) recycle(b []byte) {
	if cap(b) == s.options.PartSize {
		b = b[:0]
		s.buffers.Put(&b)
	}
}

// send hands the buffer over as the next part.
func (u *upload) send() error {
	if u.parts == nil {
		u.parts = &parts{store: u.store, name: u.store.uploadName(u.id)}
	}
	b := u.buffer
	u.buffer = nil
	return u.parts.send(u.ctx, b)
}

// Abort implements blob.Upload. It asks the bucket for nothing when nothing of
// the upload is there.
func (u *upload) Abort(ctx context.Context) error {
	if u.ended && !u.failed {
		return nil
	}
	u.ended, u.failed = true, false
	defer u.end()
	u.cancel()
	if u.parts != nil {
		_ = u.parts.wait() // its failure is what is being cleaned up
	}
	// The clean-up is not over because the request is.
	if err := u.clear(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("abort upload %s: %w", u.id, err)
	}
	return nil
}

// clear removes everything of the upload that may be in the bucket.
func (u *upload) clear(ctx context.Context) error {
	var errs []error
	if u.parts != nil {
		errs = append(errs, u.parts.abort(ctx))
	}
	if u.target {
		errs = append(errs, u.store.remove(ctx, u.store.uploadName(u.id)))
	}
	if u.tail {
		errs = append(errs, u.store.remove(ctx, u.store.tailName(u.id)))
	}
	return errors.Join(errs...)
}

// Close implements blob.Upload.
func (u *upload) Close() error {
	if u.ended {
		return fmt.Errorf("close upload %s: %w", u.id, fs.ErrClosed)
	}
	u.ended = true
	defer u.end()
	if err := u.keep(); err != nil {
		return fmt.Errorf("close upload %s: %w", u.id, gone(err))
	}
	return nil
}

// keep saves what is not in a part yet.
func (u *upload) keep() error {
	if u.err != nil || u.whole {
		return u.err
	}
	t := tail{bytes: u.buffer}
	if u.parts != nil {
		if err := u.parts.wait(); err != nil {
			return err
		}
		t.parts, t.count = u.parts.id, len(u.parts.done)
	}
	return u.store.saveTail(u.ctx, u.id, u.Size(), t)
}

// end gives up what the upload holds in this process.
func (u *upload) end() {
	u.cancel()
	u.store.recycle(u.buffer)
	u.buffer = nil
	u.store.release(u)
}

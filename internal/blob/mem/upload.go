package mem

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"packhouse"
	"packhouse/internal/blob"
)

// upload implements blob.Upload. The session's fields are guarded by the
// store's lock, because Uploads looks at them.
type upload struct {
	store   *Store
	id      string
	session *session
	ended   bool
	failed  bool // ended by a Commit that failed
}

// ID implements blob.Upload.
func (u *upload) ID() string { return u.id }

// Size implements blob.Upload.
func (u *upload) Size() int64 {
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	return int64(len(u.session.bytes))
}

// Write implements io.Writer.
func (u *upload) Write(p []byte) (int, error) {
	if u.ended {
		return 0, fmt.Errorf("write upload: %w", fs.ErrClosed)
	}
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	u.session.bytes = append(u.session.bytes, p...)
	u.session.modTime = time.Now()
	return len(p), nil
}

// Commit implements blob.Upload.
func (u *upload) Commit(ctx context.Context, digest packhouse.Digest) (blob.Info, error) {
	if u.ended {
		return blob.Info{}, fmt.Errorf("commit upload: %w", fs.ErrClosed)
	}
	u.ended = true
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	if err := ctx.Err(); err != nil {
		u.failed, u.session.open = true, false
		return blob.Info{}, err
	}
	info := blob.Info{
		Key:     blob.NewKey(digest, u.id),
		Digest:  digest,
		Size:    int64(len(u.session.bytes)),
		ModTime: u.session.modTime,
	}
	u.store.blobs[info.Key] = stored{info: info, bytes: u.session.bytes}
	delete(u.store.uploads, u.id)
	return info, nil
}

// Abort implements blob.Upload.
func (u *upload) Abort(context.Context) error {
	if u.ended && !u.failed {
		return nil
	}
	u.ended, u.failed = true, false
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	delete(u.store.uploads, u.id)
	return nil
}

// Close implements blob.Upload.
func (u *upload) Close() error {
	if u.ended {
		return fmt.Errorf("close upload: %w", fs.ErrClosed)
	}
	u.ended = true
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	u.session.open = false
	return nil
}

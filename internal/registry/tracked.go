package registry

import (
	"context"
	"sync"

	"packhouse"
	"packhouse/internal/blob"
)

// tracked is the blob store with a list of the uploads that this process has
// under way: begun, and neither given up nor settled by a transaction. The
// collector leaves them alone, however long they take.
type tracked struct {
	blob.Store
	mu  sync.Mutex
	ids map[string]bool
}

func newTracked(s blob.Store) *tracked { return &tracked{Store: s, ids: map[string]bool{}} }

// Create begins an upload and tracks it from then on.
func (t *tracked) Create(ctx context.Context) (blob.Upload, error) {
	u, err := t.Store.Create(ctx)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ids[u.ID()] = true
	return &trackedUpload{u, t}, nil
}

// Resume continues an upload and tracks it as one that was begun here.
func (t *tracked) Resume(ctx context.Context, id string) (blob.Upload, error) {
	u, err := t.Store.Resume(ctx, id)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ids[id] = true
	return &trackedUpload{u, t}, nil
}

type trackedUpload struct {
	blob.Upload
	list *tracked
}

// Abort ends the tracking with the upload. A committed upload is tracked until
// it is settled.
func (u *trackedUpload) Abort(ctx context.Context) error {
	defer u.list.end(u.ID())
	return u.Upload.Abort(ctx)
}

// Commit keeps tracking what it stored, and nothing when it failed.
func (u *trackedUpload) Commit(ctx context.Context, d packhouse.Digest) (blob.Info, error) {
	info, err := u.Upload.Commit(ctx, d)
	if err != nil {
		u.list.end(u.ID())
	}
	return info, err
}

func (t *tracked) end(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.ids, id)
}

// settle ends the tracking of a key that the database knows or that is gone.
func (t *tracked) settle(key blob.Key) {
	if _, id, ok := key.Split(); ok {
		t.end(id)
	}
}

// underWay reports whether an upload is tracked.
func (t *tracked) underWay(id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ids[id]
}

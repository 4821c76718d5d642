package blobtest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"packhouse"
	"packhouse/internal/blob"
)

// Op is a call that Faulty can make fail.
type Op string

// The calls that a Plan can name.
const (
	Create Op = "create"
	Write  Op = "write"
	Commit Op = "commit"
	Abort  Op = "abort"
	Delete Op = "delete"
)

// Fault is one failure to inject.
type Fault struct {
	Op   Op
	Call int // which call of Op on the whole store fails; the first is 1
	// Written chooses the lie: false for "failed, and nothing was written", true
	// for "failed, but it was written", as when an answer is lost on its way.
	Written bool
	Err     error // what the call returns
}

// Plan lists the faults of a store.
type Plan []Fault

// FaultyStore is a blob.Store that fails by plan. It may be used concurrently.
type FaultyStore struct {
	blob.Store
	plan Plan

	mu     sync.Mutex
	calls  map[Op]int
	struck int
	began  []string
}

// Faulty wraps s so that the calls in plan fail. Calls that the plan does not
// name go through.
func Faulty(s blob.Store, plan Plan) *FaultyStore {
	return &FaultyStore{Store: s, plan: plan, calls: map[Op]int{}}
}

// Struck returns how many faults were injected so far.
func (s *FaultyStore) Struck() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.struck
}

// Began returns the ids of all uploads that were begun in the store below, also
// of those whose Create failed but was written.
func (s *FaultyStore) Began() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.began)
}

// fault counts a call and returns the fault that it meets; Err is nil for none.
func (s *FaultyStore) fault(op Op) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[op]++
	for _, f := range s.plan {
		if f.Op == op && f.Call == s.calls[op] {
			s.struck++
			return f
		}
	}
	return Fault{}
}

// Create implements blob.Store. After "failed, but it was written" the upload
// is there and nobody has it open.
func (s *FaultyStore) Create(ctx context.Context) (blob.Upload, error) {
	f := s.fault(Create)
	if f.Err != nil && !f.Written {
		return nil, f.Err
	}
	u, err := s.Store.Create(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.began = append(s.began, u.ID())
	s.mu.Unlock()
	if f.Err != nil {
		if err := u.Close(); err != nil {
			return nil, fmt.Errorf("leave the upload behind: %w", err)
		}
		return nil, f.Err
	}
	return &faultyUpload{Upload: u, store: s}, nil
}

// Resume implements blob.Store. The upload fails by the plan, too.
func (s *FaultyStore) Resume(ctx context.Context, id string) (blob.Upload, error) {
	u, err := s.Store.Resume(ctx, id)
	if err != nil {
		return nil, err
	}
	return &faultyUpload{Upload: u, store: s}, nil
}

// Delete implements blob.Store.
func (s *FaultyStore) Delete(ctx context.Context, key blob.Key) error {
	f := s.fault(Delete)
	if f.Err != nil && !f.Written {
		return f.Err
	}
	if err := s.Store.Delete(ctx, key); err != nil {
		return err
	}
	return f.Err
}

// faultyUpload is an upload of a FaultyStore.
type faultyUpload struct {
	blob.Upload
	store *FaultyStore
}

// Write implements io.Writer.
func (u *faultyUpload) Write(p []byte) (int, error) {
	f := u.store.fault(Write)
	if f.Err != nil && !f.Written {
		return 0, f.Err
	}
	n, err := u.Upload.Write(p)
	if err != nil {
		return n, err
	}
	return n, f.Err
}

// Commit implements blob.Upload.
func (u *faultyUpload) Commit(ctx context.Context, digest packhouse.Digest) (blob.Info, error) {
	f := u.store.fault(Commit)
	if f.Err != nil && !f.Written {
		return blob.Info{}, f.Err
	}
	info, err := u.Upload.Commit(ctx, digest)
	if err != nil {
		return blob.Info{}, err
	}
	if f.Err != nil {
		return blob.Info{}, f.Err
	}
	return info, nil
}

// Abort implements blob.Upload. After "failed, and nothing was written" the
// bytes are kept and nobody has the upload open, as after a crash.
func (u *faultyUpload) Abort(ctx context.Context) error {
	f := u.store.fault(Abort)
	if f.Err != nil && !f.Written {
		u.Upload.Close() // fails after Commit, which ended the upload as well
		return f.Err
	}
	if err := u.Upload.Abort(ctx); err != nil {
		return err
	}
	return f.Err
}

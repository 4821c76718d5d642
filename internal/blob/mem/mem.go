// Package mem keeps blobs in memory: for tests, and for a demonstration that
// leaves no trace. It keeps the whole contract of package blob except that
// nothing survives the process, and it has no bound on the memory it takes.
package mem

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync"
	"time"

	"packhouse/internal/blob"
)

// Store is a blob.Store in memory. Use New.
type Store struct {
	mu      sync.Mutex
	blobs   map[blob.Key]stored
	uploads map[string]*session
}

// stored is a committed blob. Its bytes are never written again.
type stored struct {
	info  blob.Info
	bytes []byte
}

// session is what is kept of an upload between Create and Commit or Abort.
type session struct {
	bytes   []byte
	modTime time.Time
	open    bool
}

// New returns an empty store.
func New() *Store {
	return &Store{blobs: map[blob.Key]stored{}, uploads: map[string]*session{}}
}

// Create implements blob.Store.
func (s *Store) Create(ctx context.Context) (blob.Upload, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	u := &upload{store: s, id: blob.NewID(), session: &session{modTime: time.Now(), open: true}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uploads[u.id] = u.session
	return u, nil
}

// Resume implements blob.Store.
func (s *Store) Resume(ctx context.Context, id string) (blob.Upload, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, ok := s.uploads[id]
	if !ok {
		return nil, fmt.Errorf("resume upload: %w", blob.ErrNotFound)
	}
	if kept.open {
		return nil, fmt.Errorf("resume upload: %w", blob.ErrBusy)
	}
	kept.open = true
	return &upload{store: s, id: id, session: kept}, nil
}

// Open implements blob.Store.
func (s *Store) Open(ctx context.Context, key blob.Key) (blob.Reader, error) {
	found, err := s.find(ctx, key)
	if err != nil {
		return nil, err
	}
	return &reader{Reader: bytes.NewReader(found.bytes)}, nil
}

// Stat implements blob.Store.
func (s *Store) Stat(ctx context.Context, key blob.Key) (blob.Info, error) {
	found, err := s.find(ctx, key)
	return found.info, err
}

func (s *Store) find(ctx context.Context, key blob.Key) (stored, error) {
	if err := ctx.Err(); err != nil {
		return stored{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.blobs[key]
	if !ok {
		return stored{}, fmt.Errorf("find blob: %w", blob.ErrNotFound)
	}
	return found, nil
}

// Delete implements blob.Store.
func (s *Store) Delete(ctx context.Context, key blob.Key) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.blobs, key)
	return nil
}

// List implements blob.Store. It shows the blobs of the moment it begins.
func (s *Store) List(ctx context.Context, after blob.Key) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		for _, info := range s.infos(after) {
			if err := ctx.Err(); err != nil {
				yield(blob.Info{}, err)
				return
			}
			if !yield(info, nil) {
				return
			}
		}
	}
}

func (s *Store) infos(after blob.Key) []blob.Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	var infos []blob.Info
	for key, b := range s.blobs {
		if key > after {
			infos = append(infos, b.info)
		}
	}
	slices.SortFunc(infos, func(a, b blob.Info) int { return cmp.Compare(a.Key, b.Key) })
	return infos
}

// Uploads implements blob.Store. It shows the uploads of the moment it begins.
func (s *Store) Uploads(ctx context.Context) iter.Seq2[blob.UploadInfo, error] {
	return func(yield func(blob.UploadInfo, error) bool) {
		for _, info := range s.uploadInfos() {
			if err := ctx.Err(); err != nil {
				yield(blob.UploadInfo{}, err)
				return
			}
			if !yield(info, nil) {
				return
			}
		}
	}
}

func (s *Store) uploadInfos() []blob.UploadInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	var infos []blob.UploadInfo
	for id, kept := range s.uploads {
		infos = append(infos, blob.UploadInfo{ID: id, Size: int64(len(kept.bytes)), ModTime: kept.modTime})
	}
	return infos
}

// reader reads a blob's bytes; bytes.Reader has all but Close.
type reader struct {
	*bytes.Reader
}

var _ io.WriterTo = (*reader)(nil) // io.Copy needs no buffer

// Close implements io.Closer. There is nothing to release.
func (*reader) Close() error { return nil }

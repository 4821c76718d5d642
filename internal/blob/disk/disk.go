// Package disk keeps blobs in a folder:
//
//	<root>/uploads/<id>          written so far, not finished
//	<root>/blobs/ab/cd/<key>     committed; abcd are the key's first digits
//
// An upload is one file that moves: it is written below uploads, synced, renamed
// to its key, and the folder that received it is synced. A crash at any moment
// leaves either the upload or the whole blob. The two folders have to be on one
// file system.
//
// A failed sync is final. The kernel may have dropped the very pages it could
// not write and report success the next time, so the store refuses to write
// until it is opened again (https://wiki.postgresql.org/wiki/Fsync_Errors).
// Reads and deletes go on.
//
// One process opens a folder at a time.
package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"packhouse/internal/blob"
)

const (
	uploadsDir = "uploads"
	blobsDir   = "blobs"
)

// Options adjust a Store. The zero value works.
type Options struct {
	// Reserve is the number of bytes of the file system that blobs leave free.
	// What would go below it is refused with blob.ErrFull, so that a database
	// on the same file system still has room to record deletes. 0: none.
	Reserve int64
	// Log receives the failure that stops the store. nil: slog.Default().
	Log *slog.Logger
}

// Store is a blob.Store in a folder. Use New.
type Store struct {
	root   *os.Root
	files  files
	room   room
	fanout fanout
	log    *slog.Logger
	broken atomic.Bool

	mu   sync.Mutex
	open map[string]bool // ids of the uploads that somebody is writing
}

// New opens the store in the folder dir and makes what is missing of it, with
// mode 0700. The caller closes the store.
func New(dir string, opts Options) (*Store, error) {
	if err := makeDurable(dir); err != nil {
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	s, err := newStore(root, rooted{root}, opts)
	if err != nil {
		root.Close()
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	return s, nil
}

// newStore is New with the file system as an argument.
func newStore(root *os.Root, files files, opts Options) (*Store, error) {
	s := &Store{
		root:  root,
		files: files,
		room:  room{reserve: opts.Reserve, free: files.free},
		log:   opts.Log,
		open:  map[string]bool{},
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	for _, name := range []string{uploadsDir, blobsDir} {
		if err := files.mkdir(name); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	// Also when both were there: the process that made them may have died
	// before it could sync.
	return s, s.syncDir(".")
}

// makeDurable makes dir and its missing parents and syncs the folder above each
// one that is new.
func makeDurable(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	above := filepath.Dir(dir)
	if errors.Is(err, fs.ErrNotExist) && above != dir {
		if err := makeDurable(above); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o700)
	}
	if err != nil {
		return err
	}
	f, err := os.Open(above)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Close releases the folder. Uploads should have ended before; readers that are
// open stay usable.
func (s *Store) Close() error { return s.root.Close() }

// writable returns ErrBroken after a failed sync.
func (s *Store) writable() error {
	if s.broken.Load() {
		return blob.ErrBroken
	}
	return nil
}

// sync syncs f. When that fails, the store writes no more.
func (s *Store) sync(f file, name string) error {
	err := f.Sync()
	if err == nil {
		// After somebody else's failure a success proves nothing: the kernel
		// reports lost pages once.
		return s.writable()
	}
	if s.broken.CompareAndSwap(false, true) {
		s.log.Error("blob store stopped writing after a failed sync", "file", name, "error", err)
	}
	return fmt.Errorf("sync %s: %w: %w", name, blob.ErrBroken, err)
}

// syncDir makes the entries of a folder durable.
func (s *Store) syncDir(name string) error {
	dir, err := s.files.openDir(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	return s.sync(dir, name)
}

// acquire marks the upload id as being written. It reports false when it is.
func (s *Store) acquire(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[id] {
		return false
	}
	s.open[id] = true
	return true
}

func (s *Store) release(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, id)
}

// orFull adds blob.ErrFull to an error of the file system that means it.
func orFull(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", blob.ErrFull, err)
	}
	return err
}

// orAbsent adds blob.ErrNotFound to an error of the file system that means it.
func orAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", blob.ErrNotFound, err)
	}
	return err
}

func uploadPath(id string) string { return uploadsDir + "/" + id }

// blobPath returns the folder and the file of a valid key.
func blobPath(key blob.Key) (dir, file string) {
	dir = blobsDir + "/" + string(key[:2]) + "/" + string(key[2:4])
	return dir, dir + "/" + string(key)
}

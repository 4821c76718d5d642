package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"packhouse/internal/blob"
)

// upload implements blob.Upload.
type upload struct {
	store *Store
	id    string
	file  file // nil once the upload has ended
	size  int64
	err   error // why it can no longer be committed
	left  bool  // a failed Commit may have left the file
}

// Create implements blob.Store.
func (s *Store) Create(ctx context.Context) (blob.Upload, error) {
	if err := s.admit(ctx); err != nil {
		return nil, fmt.Errorf("create upload: %w", err)
	}
	if err := s.room.look(); err != nil {
		return nil, fmt.Errorf("create upload: %w", err)
	}
	id := blob.NewID()
	s.acquire(id)
	f, err := s.files.create(uploadPath(id))
	if err != nil {
		s.release(id)
		return nil, fmt.Errorf("create upload: %w", orFull(err))
	}
	return &upload{store: s, id: id, file: f}, nil
}

// Resume implements blob.Store.
func (s *Store) Resume(ctx context.Context, id string) (blob.Upload, error) {
	if err := s.admit(ctx); err != nil {
		return nil, fmt.Errorf("resume upload: %w", err)
	}
	if !blob.ValidID(id) {
		return nil, fmt.Errorf("resume upload: %w", blob.ErrNotFound)
	}
	if !s.acquire(id) {
		return nil, fmt.Errorf("resume upload %s: %w", id, blob.ErrBusy)
	}
	u, err := s.reopen(id)
	if err != nil {
		s.release(id)
		return nil, fmt.Errorf("resume upload: %w", err)
	}
	return u, nil
}

func (s *Store) reopen(id string) (*upload, error) {
	f, err := s.files.reopen(uploadPath(id))
	if err != nil {
		return nil, orAbsent(err)
	}
	stat, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &upload{store: s, id: id, file: f, size: stat.Size()}, nil
}

// admit returns why nothing may be written.
func (s *Store) admit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.writable()
}

// ID implements blob.Upload.
func (u *upload) ID() string { return u.id }

// Size implements blob.Upload.
func (u *upload) Size() int64 { return u.size }

// Write implements io.Writer.
func (u *upload) Write(p []byte) (int, error) {
	n, err := u.write(p)
	u.size += int64(n)
	if err != nil && u.err == nil {
		u.err = fmt.Errorf("an earlier write failed: %w", err)
	}
	return n, err
}

func (u *upload) write(p []byte) (int, error) {
	if u.file == nil {
		return 0, fmt.Errorf("write upload %s: %w", u.id, fs.ErrClosed)
	}
	if err := u.store.writable(); err != nil {
		return 0, fmt.Errorf("write upload %s: %w", u.id, err)
	}
	if err := u.store.room.take(len(p)); err != nil {
		return 0, fmt.Errorf("write upload %s: %w", u.id, err)
	}
	n, err := u.file.Write(p)
	if err != nil {
		return n, fmt.Errorf("write upload %s: %w", u.id, orFull(err))
	}
	return n, nil
}

// Abort implements blob.Upload. It works on a broken store too.
func (u *upload) Abort(context.Context) error {
	if u.file == nil && !u.left {
		return nil
	}
	u.left = false
	defer u.end()
	if err := u.store.discard(uploadPath(u.id)); err != nil {
		return fmt.Errorf("abort upload %s: %w", u.id, err)
	}
	return nil
}

// Close implements blob.Upload.
func (u *upload) Close() error {
	if u.file == nil {
		return fmt.Errorf("close upload %s: %w", u.id, fs.ErrClosed)
	}
	defer u.end()
	if err := u.settle(); err != nil {
		return fmt.Errorf("close upload %s: %w", u.id, err)
	}
	if err := u.store.syncDir(uploadsDir); err != nil {
		return fmt.Errorf("close upload %s: %w", u.id, err)
	}
	return nil
}

// settle syncs the file. When that fails it removes the file: nobody can say
// what is in it, and a later session would take it for whole.
func (u *upload) settle() error {
	if err := u.store.writable(); err != nil {
		return err
	}
	if err := u.store.sync(u.file, uploadPath(u.id)); err != nil {
		return errors.Join(err, u.store.discard(uploadPath(u.id)))
	}
	return nil
}

// end releases the file and the id. The bytes are synced or of no interest by
// then, so an error of closing says nothing more about them.
func (u *upload) end() {
	if u.file == nil {
		return
	}
	u.file.Close()
	u.file = nil
	u.store.release(u.id)
}

// discard removes a file; one that is absent is as good as removed.
func (s *Store) discard(name string) error {
	if err := s.files.remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

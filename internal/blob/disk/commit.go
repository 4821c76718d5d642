package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"packhouse"
	"packhouse/internal/blob"
)

// Commit implements blob.Upload.
func (u *upload) Commit(ctx context.Context, digest packhouse.Digest) (blob.Info, error) {
	if u.file == nil {
		return blob.Info{}, fmt.Errorf("commit upload %s: %w", u.id, fs.ErrClosed)
	}
	defer u.end()
	info, err := u.commit(ctx, digest)
	if err != nil {
		u.left = true
		return blob.Info{}, fmt.Errorf("commit upload %s: %w", u.id, err)
	}
	return info, nil
}

// commit takes the steps in the one order that a power cut cannot harm: the
// bytes are durable before they have a key, and the key is durable before
// anybody is told.
func (u *upload) commit(ctx context.Context, digest packhouse.Digest) (blob.Info, error) {
	if err := ctx.Err(); err != nil {
		return blob.Info{}, err
	}
	if u.err != nil {
		return blob.Info{}, u.err
	}
	if err := u.settle(); err != nil {
		return blob.Info{}, err
	}
	stat, err := u.file.Stat()
	if err != nil {
		return blob.Info{}, err
	}
	key := blob.NewKey(digest, u.id)
	if err := u.store.place(uploadPath(u.id), key); err != nil {
		return blob.Info{}, err
	}
	return blob.Info{Key: key, Digest: digest, Size: stat.Size(), ModTime: stat.ModTime()}, nil
}

// place gives a synced file its key.
func (s *Store) place(from string, key blob.Key) error {
	dir, to := blobPath(key)
	if err := s.fanout.ensure(s, key); err != nil {
		return err
	}
	// Opened before the rename: running out of file descriptors leaves the
	// upload where it was and is no reason to stop the store.
	folder, err := s.files.openDir(dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	if err := s.files.rename(from, to); err != nil {
		return orFull(err)
	}
	if err := s.sync(folder, dir); err != nil {
		return errors.Join(err, s.discard(to))
	}
	return nil
}

// fanout makes the folders below blobs when they are first needed and
// remembers, for the life of the process, which of them are durable. A folder
// that merely exists is not: the process that made it may have died before it
// synced the folder above, and a power cut would then take the folder with all
// that came into it since.
type fanout [256]struct {
	mu      sync.Mutex
	durable bool
	leaves  [256]bool
}

// ensure makes the folder for key and returns once it would survive a power
// cut. Keys that begin alike wait for each other while that takes syncs, which
// is once per folder and process.
func (f *fanout) ensure(s *Store, key blob.Key) error {
	digest, _, _ := key.Split()
	branch, leaf := &f[digest[0]], digest[1]
	branch.mu.Lock()
	defer branch.mu.Unlock()
	if branch.leaves[leaf] {
		return nil
	}
	above := blobsDir + "/" + string(key[:2])
	if !branch.durable {
		if err := s.makeDir(above, blobsDir); err != nil {
			return err
		}
		branch.durable = true
	}
	if err := s.makeDir(above+"/"+string(key[2:4]), above); err != nil {
		return err
	}
	branch.leaves[leaf] = true
	return nil
}

// makeDir makes a folder unless it exists and syncs the one above it.
func (s *Store) makeDir(name, above string) error {
	if err := s.files.mkdir(name); err != nil && !errors.Is(err, fs.ErrExist) {
		return orFull(err)
	}
	return s.syncDir(above)
}

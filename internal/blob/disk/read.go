package disk

import (
	"context"
	"fmt"
	"io/fs"
	"os"

	"packhouse"
	"packhouse/internal/blob"
)

// Open implements blob.Store. The Reader is a blob.Filer.
func (s *Store) Open(ctx context.Context, key blob.Key) (blob.Reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, _, ok := key.Split(); !ok {
		return nil, fmt.Errorf("open blob: %w", blob.ErrNotFound)
	}
	_, name := blobPath(key)
	f, err := s.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open blob: %w", orAbsent(err))
	}
	stat, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open blob: %w", err)
	}
	return &reader{file: f, size: stat.Size()}, nil
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
	_, name := blobPath(key)
	stat, err := s.root.Lstat(name)
	if err != nil {
		return blob.Info{}, fmt.Errorf("stat blob: %w", orAbsent(err))
	}
	return describe(key, digest, stat), nil
}

func describe(key blob.Key, digest packhouse.Digest, stat fs.FileInfo) blob.Info {
	return blob.Info{Key: key, Digest: digest, Size: stat.Size(), ModTime: stat.ModTime()}
}

// Delete implements blob.Store. The folder is not synced: a delete that a power
// cut undoes leaves a blob that nobody refers to, which collection finds again.
// Emptied folders stay, because a commit may be about to use them.
func (s *Store) Delete(ctx context.Context, key blob.Key) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, _, ok := key.Split(); !ok {
		return nil
	}
	_, name := blobPath(key)
	if err := s.discard(name); err != nil {
		return fmt.Errorf("delete blob: %w", err)
	}
	return nil
}

// reader implements blob.Reader and blob.Filer.
type reader struct {
	file *os.File
	size int64
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) { return r.file.Read(p) }

// Seek implements io.Seeker.
func (r *reader) Seek(offset int64, whence int) (int64, error) { return r.file.Seek(offset, whence) }

// Close implements io.Closer.
func (r *reader) Close() error { return r.file.Close() }

// Size implements blob.Reader.
func (r *reader) Size() int64 { return r.size }

// File implements blob.Filer.
func (r *reader) File() *os.File { return r.file }

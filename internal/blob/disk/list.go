package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"syscall"

	"packhouse/internal/blob"
)

// List implements blob.Store. It holds the names of one folder at a time. Files
// that are not named like a blob of their folder are not ours and are passed
// over.
func (s *Store) List(ctx context.Context, after blob.Key) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		for dir, err := range s.leaves(string(after)) {
			if err != nil {
				yield(blob.Info{}, fmt.Errorf("list blobs: %w", err))
				return
			}
			if !s.listLeaf(ctx, dir, after, yield) {
				return
			}
		}
	}
}

// leaves visits the folders "ab/cd" that may hold keys after the given one, in
// order.
func (s *Store) leaves(after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		branches, err := s.names(blobsDir)
		if err != nil {
			yield("", err)
			return
		}
		for _, ab := range branches {
			if !isFanout(ab) || precedes(ab, after) {
				continue
			}
			leaves, err := s.names(blobsDir + "/" + ab)
			if err != nil {
				yield("", err)
				return
			}
			for _, cd := range leaves {
				if !isFanout(cd) || precedes(ab+cd, after) {
					continue
				}
				if !yield(ab+"/"+cd, nil) {
					return
				}
			}
		}
	}
}

// listLeaf visits the blobs of one folder and reports whether to go on.
func (s *Store) listLeaf(ctx context.Context, leaf string, after blob.Key, yield func(blob.Info, error) bool) bool {
	dir := blobsDir + "/" + leaf
	names, err := s.names(dir)
	if err != nil {
		yield(blob.Info{}, fmt.Errorf("list blobs: %w", err))
		return false
	}
	prefix := strings.Replace(leaf, "/", "", 1)
	for _, name := range names {
		key := blob.Key(name)
		digest, _, ok := key.Split()
		if !ok || !strings.HasPrefix(name, prefix) || key <= after {
			continue
		}
		if err := ctx.Err(); err != nil {
			yield(blob.Info{}, err)
			return false
		}
		stat, err := s.root.Lstat(dir + "/" + name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted meanwhile
		}
		if err != nil {
			yield(blob.Info{}, fmt.Errorf("list blobs: %w", err))
			return false
		}
		if stat.Mode().IsRegular() && !yield(describe(key, digest, stat), nil) {
			return false
		}
	}
	return true
}

// Uploads implements blob.Store.
func (s *Store) Uploads(ctx context.Context) iter.Seq2[blob.UploadInfo, error] {
	return func(yield func(blob.UploadInfo, error) bool) {
		names, err := s.names(uploadsDir)
		if err != nil {
			yield(blob.UploadInfo{}, fmt.Errorf("list uploads: %w", err))
			return
		}
		for _, id := range names {
			if err := ctx.Err(); err != nil {
				yield(blob.UploadInfo{}, err)
				return
			}
			if !blob.ValidID(id) {
				continue
			}
			stat, err := s.root.Lstat(uploadPath(id))
			if errors.Is(err, fs.ErrNotExist) {
				continue // ended meanwhile
			}
			if err != nil {
				yield(blob.UploadInfo{}, fmt.Errorf("list uploads: %w", err))
				return
			}
			info := blob.UploadInfo{ID: id, Size: stat.Size(), ModTime: stat.ModTime()}
			if stat.Mode().IsRegular() && !yield(info, nil) {
				return
			}
		}
	}
}

// names returns what is in a folder, sorted; nothing when it is a stray file.
func (s *Store) names(dir string) ([]string, error) {
	f, err := s.root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if errors.Is(err, syscall.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	return names, nil
}

// isFanout reports whether a folder's name is two lower-case hexadecimal digits.
func isFanout(name string) bool {
	return len(name) == 2 && strings.Trim(name, "0123456789abcdef") == ""
}

// precedes reports whether all keys that begin with prefix come before or are
// the key after. A key is ASCII, so prefix+"\xff" follows all of them.
func precedes(prefix, after string) bool { return prefix+"\xff" <= after }

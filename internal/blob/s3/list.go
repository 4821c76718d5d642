package s3

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"packhouse/internal/blob"
)

// List implements blob.Store. It holds one page of names at a time. Objects that
// are not named like a blob are not ours and are passed over.
func (s *Store) List(ctx context.Context, after blob.Key) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		for o, err := range s.objects(ctx, blobsDir, string(after)) {
			if err != nil {
				yield(blob.Info{}, fmt.Errorf("list blobs: %w", err))
				return
			}
			key := blob.Key(strings.TrimPrefix(o.Key, s.name(blobsDir, "")))
			digest, _, ok := key.Split()
			if !ok || key <= after {
				continue
			}
			if !yield(blob.Info{Key: key, Digest: digest, Size: o.Size, ModTime: o.LastModified}, nil) {
				return
			}
		}
	}
}

// objects visits the objects of a folder in the order of their names. A page
// that fails is asked for again.
func (s *Store) objects(ctx context.Context, dir, after string) iter.Seq2[minio.ObjectInfo, error] {
	return func(yield func(minio.ObjectInfo, error) bool) {
		failures := 0
		for last := after; ; {
			at, stopped, err := s.someObjects(ctx, dir, last, func(o minio.ObjectInfo) bool {
				if err := ctx.Err(); err != nil {
					yield(minio.ObjectInfo{}, err)
					return false
				}
				return yield(o, nil)
			})
			if stopped {
				return
			}
			if over := ctx.Err(); over != nil {
				yield(minio.ObjectInfo{}, over)
				return
			}
			if err == nil {
				return
			}
			if at != last {
				failures = 0
			}
			last = at
			if failures++; failures >= s.options.Attempts || !transient(err) {
				yield(minio.ObjectInfo{}, explain(err))
				return
			}
			if err := s.pause(ctx, failures); err != nil {
				yield(minio.ObjectInfo{}, err)
				return
			}
		}
	}
}

// someObjects visits objects until the listing ends or fails. It returns the
// last one seen, and whether visit stopped it.
func (s *Store) someObjects(ctx context.Context, dir, after string, visit func(minio.ObjectInfo) bool) (last string, stopped bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Whoever visits may take all the time they want, the server may not.
	watch := time.AfterFunc(s.options.Timeout, cancel)
	defer watch.Stop()
	opts := minio.ListObjectsOptions{Prefix: s.name(dir, ""), Recursive: true}
	if after != "" {
		opts.StartAfter = s.name(dir, after)
	}
	last = after
	for o := range s.client.ListObjectsIter(ctx, s.options.Bucket, opts) {
		watch.Stop()
		if o.Err != nil {
			return last, false, o.Err
		}
		if !visit(o) {
			return last, true, nil
		}
		last = strings.TrimPrefix(o.Key, s.name(dir, ""))
		watch.Reset(s.options.Timeout)
	}
	// A listing whose context ends says nothing and stops.
	return last, false, ctx.Err()
}

// multiparts visits the uploads in parts of objects whose names begin with a
// prefix, which are not complete.
func (s *Store) multiparts(ctx context.Context, prefix string) iter.Seq2[minio.ObjectMultipartInfo, error] {
	return func(yield func(minio.ObjectMultipartInfo, error) bool) {
		var page minio.ListMultipartUploadsResult
		for {
			err := s.call(ctx, 0, func(ctx context.Context) (err error) {
				next, err := s.client.ListMultipartUploads(ctx, s.options.Bucket, prefix, page.NextKeyMarker, page.NextUploadIDMarker, "", 1000)
				if err == nil {
					page = next
				}
				return err
			})
			if err != nil {
				yield(minio.ObjectMultipartInfo{}, err)
				return
			}
			for _, m := range page.Uploads {
				if !yield(m, nil) {
					return
				}
			}
			if !page.IsTruncated {
				return
			}
		}
	}
}

// partsOf lists the parts that are there of an upload in parts.
func (s *Store) partsOf(ctx context.Context, name, id string) (list []minio.ObjectPart, err error) {
	for marker := 0; ; {
		var page minio.ListObjectPartsResult
		err := s.call(ctx, 0, func(ctx context.Context) (err error) {
			page, err = s.client.ListObjectParts(ctx, s.options.Bucket, name, id, marker, 1000)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, p := range page.ObjectParts {
			p.ETag = strings.Trim(p.ETag, `"`)
			list = append(list, p)
		}
		if !page.IsTruncated || page.NextPartNumberMarker <= marker {
			return list, nil
		}
		marker = page.NextPartNumberMarker
	}
}

// Uploads implements blob.Store. It holds all that it finds: uploads that are
// not finished are few. Those of this process come from memory, because they
// may have nothing in the bucket yet.
func (s *Store) Uploads(ctx context.Context) iter.Seq2[blob.UploadInfo, error] {
	return func(yield func(blob.UploadInfo, error) bool) {
		found, err := s.unfinished(ctx)
		if err != nil {
			yield(blob.UploadInfo{}, fmt.Errorf("list uploads: %w", err))
			return
		}
		maps.Copy(found, s.writing())
		for _, info := range found {
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

// writing are the uploads that this process has open.
func (s *Store) writing() map[string]blob.UploadInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := map[string]blob.UploadInfo{}
	for id, u := range s.open {
		list[id] = blob.UploadInfo{ID: id, Size: u.Size(), ModTime: time.Unix(0, u.touched.Load())}
	}
	return list
}

// unfinished finds what uploads have left in the bucket. The size of a closed
// one is in its tail; of another it is what can be seen.
func (s *Store) unfinished(ctx context.Context) (map[string]blob.UploadInfo, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	found := map[string]blob.UploadInfo{}
	for m, err := range s.multiparts(ctx, s.name("", "")) {
		if err != nil {
			return nil, err
		}
		id, ok := s.ownerOf(m.Key)
		if !ok {
			continue
		}
		list, err := s.partsOf(ctx, m.Key, m.UploadID)
		if errors.Is(err, blob.ErrNotFound) {
			continue // ended meanwhile
		}
		if err != nil {
			return nil, err
		}
		size, at := int64(0), m.Initiated
		for _, p := range list {
			size += p.Size
			at = later(at, p.LastModified)
		}
		note(found, id, size, at)
	}
	for o, err := range s.objects(ctx, uploadsDir, "") {
		if err != nil {
			return nil, err
		}
		id, isTail, ok := s.uploadOf(o.Key)
		if !ok {
			continue
		}
		size := o.Size
		if isTail {
			size, err = s.tailSize(ctx, id)
			if errors.Is(err, blob.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
		}
		note(found, id, size, o.LastModified)
	}
	return found, nil
}

// ownerOf returns the id of the upload that parts belong to: those that arrive,
// or those that are copied to a key.
func (s *Store) ownerOf(name string) (id string, ok bool) {
	if id, isTail, ok := s.uploadOf(name); ok && !isTail {
		return id, true
	}
	_, id, ok = blob.Key(strings.TrimPrefix(name, s.name(blobsDir, ""))).Split()
	return id, ok
}

// note joins what is seen of one upload in several places.
func note(found map[string]blob.UploadInfo, id string, size int64, at time.Time) {
	before := found[id]
	found[id] = blob.UploadInfo{ID: id, Size: max(before.Size, size), ModTime: later(before.ModTime, at)}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

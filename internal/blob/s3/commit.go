package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"

	"packhouse"
	"packhouse/internal/blob"
)

// Commit implements blob.Upload.
func (u *upload) Commit(ctx context.Context, digest packhouse.Digest) (blob.Info, error) {
	if u.ended {
		return blob.Info{}, fmt.Errorf("commit upload %s: %w", u.id, fs.ErrClosed)
	}
	u.ended = true
	defer u.end()
	info, err := u.commit(ctx, digest)
	if err != nil {
		u.failed = true
		return blob.Info{}, fmt.Errorf("commit upload %s: %w", u.id, gone(err))
	}
	// The blob is there; what is left of the upload is found by Uploads.
	if err := u.clear(context.WithoutCancel(ctx)); err != nil {
		u.store.log.Warn("leftovers of an upload not removed", "upload", u.id, "error", err)
	}
	return info, nil
}

// commit stores the blob and looks at it.
func (u *upload) commit(ctx context.Context, digest packhouse.Digest) (blob.Info, error) {
	if err := ctx.Err(); err != nil {
		return blob.Info{}, err
	}
	if u.err != nil {
		return blob.Info{}, u.err
	}
	key := blob.NewKey(digest, u.id)
	if err := u.place(ctx, key, digest); err != nil {
		return blob.Info{}, err
	}
	info, err := u.store.Stat(ctx, key)
	if err == nil && info.Size != u.Size() {
		err = fmt.Errorf("%w: %s was stored with %d bytes instead of %d", blob.ErrUnavailable, key, info.Size, u.Size())
	}
	return info, err
}

// place makes the object with the key, in one request at the end.
func (u *upload) place(ctx context.Context, key blob.Key, digest packhouse.Digest) error {
	s := u.store
	if u.parts == nil && !u.whole {
		return s.put(ctx, s.blobName(key), u.buffer, digest, nil)
	}
	if !u.whole {
		if len(u.buffer) > 0 {
			if err := u.send(); err != nil {
				return err
			}
		}
		if err := u.parts.wait(); err != nil {
			return err
		}
		u.target = true
		if err := u.parts.complete(ctx, u.Size()); err != nil {
			return err
		}
		if u.parts.id = ""; !u.parts.more {
			u.parts = nil
		}
	}
	return s.copy(ctx, s.uploadName(u.id), s.blobName(key), u.Size())
}

// put stores an object. The server refuses bytes that do not have the digest.
func (s *Store) put(ctx context.Context, name string, b []byte, digest packhouse.Digest, about map[string]string) error {
	opts := object
	opts.UserMetadata = about
	return s.call(ctx, int64(len(b)), func(ctx context.Context) error {
		body := newBody(b)
		if b == nil {
			body = newBody([]byte{})
		}
		defer body.release()
		_, err := s.client.PutObject(ctx, s.options.Bucket, name, body, int64(len(b)), "", digest.String(), opts)
		return err
	})
}

var errNoCopy = errors.New("the server did not say that it copied")

// copy has the server copy an object.
func (s *Store) copy(ctx context.Context, from, to string, size int64) error {
	if size > s.options.CopySize {
		return s.copyParts(ctx, from, to, size)
	}
	return s.call(ctx, joined(size), func(ctx context.Context) error {
		bucket := s.options.Bucket
		o, err := s.client.CopyObject(ctx, bucket, from, bucket, to, nil, minio.CopySrcOptions{}, minio.PutObjectOptions{})
		if err == nil && o.ETag == "" {
			return errNoCopy // 200 with an error in the body
		}
		return err
	})
}

// copiers is how many parts a server copies at a time.
const copiers = 4

// copyParts copies a large object in parts: in one it would take minutes, and
// above 5 GiB S3 refuses it.
func (s *Store) copyParts(ctx context.Context, from, to string, size int64) error {
	p := &parts{store: s, name: to}
	defer func() {
		// Uploads finds what this cannot remove.
		if failed := p.abort(context.WithoutCancel(ctx)); failed != nil {
			s.log.Warn("leftovers of a copy not removed", "object", to, "error", failed)
		}
	}()
	if err := p.begin(ctx); err != nil {
		return err
	}
	step := max(min(s.options.CopySize, 64<<20), minPart, size/maxParts+1)
	p.done = make([]minio.CompletePart, (size+step-1)/step)
	group, all := errgroup.WithContext(ctx)
	group.SetLimit(copiers)
	for i := range p.done {
		group.Go(func() error {
			at := int64(i) * step
			return s.call(all, joined(step), func(ctx context.Context) (err error) {
				bucket := s.options.Bucket
				p.done[i], err = s.client.CopyObjectPart(ctx, bucket, from, bucket, to, p.id, i+1, at, min(step, size-at), nil)
				if err == nil && p.done[i].ETag == "" {
					return errNoCopy
				}
				return err
			})
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := p.complete(ctx, size); err != nil {
		return err
	}
	p.id = ""
	return nil
}

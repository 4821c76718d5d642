package s3

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7"

	"packhouse/internal/blob"
)

// tail is what Close saves: the bytes beyond the last whole part, and which
// parts they follow.
type tail struct {
	bytes []byte
	parts string // S3's name of the upload in parts; "" for none
	count int    // of parts
}

// The metadata of a tail. Size is that of the whole upload.
const (
	metaSize  = "Size"
	metaParts = "Parts"
	metaCount = "Count"
)

func (s *Store) saveTail(ctx context.Context, id string, size int64, t tail) error {
	return s.put(ctx, s.tailName(id), t.bytes, sha256.Sum256(t.bytes), map[string]string{
		metaSize: strconv.FormatInt(size, 10), metaParts: t.parts, metaCount: strconv.Itoa(t.count),
	})
}

func (s *Store) loadTail(ctx context.Context, id string) (t tail, err error) {
	err = s.call(ctx, int64(s.options.PartSize), func(ctx context.Context) error {
		body, o, err := s.fetch(ctx, s.tailName(id), 0, 0)
		if err != nil {
			return err
		}
		defer body.Close()
		if o.Size > maxPart {
			return fmt.Errorf("%w: the tail of upload %s has %d bytes", blob.ErrUnavailable, id, o.Size)
		}
		t = tail{bytes: make([]byte, o.Size), parts: o.UserMetadata[metaParts]}
		if _, err := io.ReadFull(body, t.bytes); err != nil {
			return err
		}
		t.count, err = strconv.Atoi(o.UserMetadata[metaCount])
		return err
	})
	return t, err
}

// tailSize returns the size of an upload that was closed.
func (s *Store) tailSize(ctx context.Context, id string) (int64, error) {
	o, err := s.stat(ctx, s.tailName(id))
	if err != nil {
		return 0, err
	}
	size, err := strconv.ParseInt(o.UserMetadata[metaSize], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: the tail of upload %s has no size: %w", blob.ErrUnavailable, id, err)
	}
	return size, nil
}

// Resume implements blob.Store. It also takes up what a process left that ended
// in the middle: whole parts, which can be gone on with, or an object that only
// lacks its key.
func (s *Store) Resume(ctx context.Context, id string) (blob.Upload, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("resume upload: %w", err)
	}
	if !blob.ValidID(id) {
		return nil, fmt.Errorf("resume upload: %w", blob.ErrNotFound)
	}
	u := s.newUpload(ctx, id)
	if !s.acquire(u) {
		u.cancel()
		return nil, fmt.Errorf("resume upload %s: %w", id, blob.ErrBusy)
	}
	err := u.find(ctx)
	if err != nil {
		u.end()
		return nil, fmt.Errorf("resume upload: %w", err)
	}
	return u, nil
}

// find looks for the upload in the places where it can be, the likelier first.
// A tail whose parts somebody has removed is all that is left of one.
func (u *upload) find(ctx context.Context) error {
	for _, look := range []func(context.Context) error{u.findTail, u.findWhole, u.findParts, u.findCopy} {
		if err := look(ctx); !errors.Is(err, blob.ErrNotFound) {
			return err
		}
	}
	if u.tail {
		u.err = fmt.Errorf("upload %s has lost its parts: %w", u.id, blob.ErrUnavailable)
		return nil // so that it can be aborted
	}
	return blob.ErrNotFound
}

// findTail takes up an upload that was closed.
func (u *upload) findTail(ctx context.Context) error {
	t, err := u.store.loadTail(ctx, u.id)
	if err != nil {
		return err
	}
	u.tail = true
	size := int64(len(t.bytes))
	if t.parts != "" {
		list, err := u.store.partsOf(ctx, u.store.uploadName(u.id), t.parts)
		if err != nil {
			return err
		}
		if len(list) < t.count {
			return blob.ErrNotFound
		}
		size += u.takeUp(t.parts, list[:t.count])
		u.parts.more = false
	}
	u.buffer = u.store.extend(nil, t.bytes)
	u.size.Store(size)
	return nil
}

// findWhole takes up an upload whose parts were joined.
func (u *upload) findWhole(ctx context.Context) error {
	o, err := u.store.stat(ctx, u.store.uploadName(u.id))
	if err != nil {
		return err
	}
	u.whole, u.target = true, true
	u.size.Store(o.Size)
	return nil
}

// findParts takes up an upload that was neither closed nor committed, as far as
// whole parts of it are there.
func (u *upload) findParts(ctx context.Context) error {
	for m, err := range u.store.multiparts(ctx, u.store.uploadName(u.id)) {
		if err != nil {
			return err
		}
		if m.Key != u.store.uploadName(u.id) {
			continue
		}
		list, err := u.store.partsOf(ctx, m.Key, m.UploadID)
		if err != nil {
			return err
		}
		u.size.Store(u.takeUp(m.UploadID, list))
		return nil
	}
	return blob.ErrNotFound
}

// findCopy takes up an upload whose copying to a key was cut off. It can only
// be aborted.
func (u *upload) findCopy(ctx context.Context) error {
	for m, err := range u.store.multiparts(ctx, u.store.name(blobsDir, "")) {
		if err != nil {
			return err
		}
		if strings.HasSuffix(m.Key, "."+u.id) {
			u.parts = &parts{store: u.store, name: m.Key, id: m.UploadID, more: true}
			u.err = fmt.Errorf("upload %s cannot be continued: %w", u.id, blob.ErrUnavailable)
			return nil
		}
	}
	return blob.ErrNotFound
}

// takeUp goes on after parts that are there, and returns how many bytes they
// have. A gap ends them.
func (u *upload) takeUp(id string, list []minio.ObjectPart) (size int64) {
	u.parts = &parts{store: u.store, name: u.store.uploadName(u.id), id: id, more: true}
	for i, p := range list {
		if p.PartNumber != i+1 {
			break
		}
		u.parts.done = append(u.parts.done, minio.CompletePart{PartNumber: p.PartNumber, ETag: p.ETag})
		size += p.Size
	}
	return size
}

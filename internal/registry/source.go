package registry

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync/atomic"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/store"
)

// Source is anything that an install can read from: a project, a group, later
// an upstream. Handlers never ask which one they have.
type Source interface {
	// Open finds a file and its bytes. Where several match, the newest wins.
	// The caller closes the Content.
	//
	// packhouse.NotFound: there is none, or none that the caller may read.
	Open(ctx context.Context, ref packhouse.FileRef) (*Content, error)
}

// errNoFile is the same whether a file is absent, hidden or not for this caller.
func errNoFile() error { return packhouse.Errorf(packhouse.NotFound, "404 Package Not Found") }

// Project returns what can be read from one project.
func (r *Registry) Project(id int64) Source { return &project{r, id} }

// Group returns what can be read from all projects that readable accepts.
func (r *Registry) Group(readable func(projectID int64) bool) Source { return &union{r, readable} }

// project is the Source of one project.
type project struct {
	registry *Registry
	id       int64
}

type locateKey struct {
	project int64
	ref     packhouse.FileRef
}

// clone returns a key that shares no memory with the request it came from.
func (k locateKey) clone() locateKey {
	ref := &k.ref
	for _, text := range []*string{&ref.Format, &ref.Package, &ref.Version, &ref.Path} {
		*text = strings.Clone(*text)
	}
	return k
}

func (p *project) Open(ctx context.Context, ref packhouse.FileRef) (*Content, error) {
	r := p.registry
	return r.openFound(ctx, func() (*located, error) {
		return r.located.Get(locateKey{p.id, ref}, packagePlace(ref.Format, ref.Package), func() (*located, error) {
			return r.first(ctx, p.id, ref, func(store.Located) bool { return true })
		})
	})
}

// union is the Source of many projects. It looks the file up by the package's
// name in all of them at once, so its cost does not grow with their number.
type union struct {
	registry *Registry
	readable func(projectID int64) bool
}

func (u *union) Open(ctx context.Context, ref packhouse.FileRef) (*Content, error) {
	return u.registry.openFound(ctx, func() (*located, error) {
		return u.registry.first(ctx, 0, ref, func(l store.Located) bool {
			return u.readable(l.Version.Package.ProjectID)
		})
	})
}

// openFound opens the file that find finds. Between finding and opening it may
// be deleted and its bytes given up; then there may be another one, and find is
// asked again.
func (r *Registry) openFound(ctx context.Context, find func() (*located, error)) (*Content, error) {
	const patience = 10 // deletions in a row that hit just this moment
	for range patience {
		found, err := find()
		if err != nil {
			return nil, err
		}
		c, err := r.open(ctx, found)
		if packhouse.KindOf(err) != packhouse.NotFound {
			return c, err
		}
	}
	return nil, errNoFile()
}

// located is a file that was found, and what a format has made of it.
type located struct {
	store.Located
	derived atomic.Pointer[any]
}

// first finds the newest file that can be downloaded and that accept takes. It
// keeps small contents in memory and returns the place without them.
func (r *Registry) first(ctx context.Context, projectID int64, ref packhouse.FileRef, accept func(store.Located) bool) (*located, error) {
	found := new(located)
	err := r.store.View(ctx, func(tx *store.Tx) (err error) {
		found.Located, err = firstOf(tx.Locate(ctx, projectID, ref), func(l store.Located) bool {
			return l.Version.Status.Downloadable() && accept(l)
		})
		if err == nil && found.Blob.Key == "" && found.Blob.Data == nil {
			found.Blob, err = tx.BlobOf(ctx, found.File.SHA256)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if found.Blob.Data != nil { // a search over many projects leaves them out
		r.contents.Set(found.File.SHA256, found.Blob.Data)
		found.Blob.Data = nil
	}
	return found, nil
}

func firstOf(all iter.Seq2[store.Located, error], accept func(store.Located) bool) (store.Located, error) {
	for l, err := range all {
		if err != nil {
			return store.Located{}, err
		}
		if accept(l) {
			return l, nil
		}
	}
	return store.Located{}, errNoFile()
}

// open gets at the bytes of a file. packhouse.NotFound: they have been given up.
func (r *Registry) open(ctx context.Context, l *located) (*Content, error) {
	c := &Content{located: l, downloads: r.downloads, now: r.now}
	if l.Blob.Key != "" {
		reader, err := r.blobs.Open(ctx, blob.Key(l.Blob.Key))
		if errors.Is(err, blob.ErrNotFound) {
			return nil, errNoFile()
		}
		if err != nil {
			return nil, err
		}
		c.blob = reader
		return c, nil
	}
	if data, ok := r.contents.GetIfPresent(l.File.SHA256); ok {
		c.data = data
		return c, nil
	}
	err := r.store.View(ctx, func(tx *store.Tx) error {
		b, err := tx.BlobOf(ctx, l.File.SHA256)
		c.data = b.Data
		return err
	})
	if err != nil {
		return nil, err
	}
	r.contents.Set(l.File.SHA256, c.data)
	return c, nil
}

// OpenFile opens a live file of a project by its ids, for the packages API.
// packhouse.NotFound: there is none, or its version cannot be downloaded.
func (r *Registry) OpenFile(ctx context.Context, projectID, versionID, fileID int64) (*Content, error) {
	l := new(located)
	err := r.store.View(ctx, func(tx *store.Tx) error {
		v, err := tx.Version(ctx, projectID, versionID)
		if err != nil {
			return err
		}
		f, err := tx.File(ctx, versionID, fileID)
		if err != nil {
			return err
		}
		l.Version, l.File = *v, *f
		l.Blob, err = tx.BlobOf(ctx, f.SHA256)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !l.Version.Status.Downloadable() {
		return nil, errNoFile()
	}
	if l.Blob.Key == "" {
		r.contents.Set(l.File.SHA256, l.Blob.Data)
	}
	return r.open(ctx, l)
}

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

	// Symbol finds a file by its path alone, which begins with SymbolRoot;
	// Open opens it. Where several match, the newest wins.
	//
	// packhouse.NotFound: as Open.
	Symbol(ctx context.Context, format, path string) (packhouse.FileRef, error)

	// Package returns what is live of a package, in all that this source reads
	// from together. A version that is in several of them is listed for each.
	//
	// packhouse.NotFound: nothing is, or nothing that the caller may read.
	Package(ctx context.Context, format, key string) (*Listing, error)

	// Document returns an index document about a package. It calls render when
	// the package has changed since it was rendered for the same variant: all
	// that the document depends on apart from the package, such as its form and
	// the address that it is asked at.
	//
	// packhouse.NotFound: as Package. Errors of render are returned.
	Document(ctx context.Context, format, key, variant string, render func(*Listing) (*Document, error)) (*Document, error)

	// Metadata reads the metadata that the format gave to a listed version; nil
	// for none. packhouse.NotFound: it is not live any more.
	Metadata(ctx context.Context, release *Release) ([]byte, error)

	// Names visits the packages of a format that have something to download, in
	// no particular order; one that is in several projects comes for each.
	Names(ctx context.Context, format string) iter.Seq2[packhouse.Package, error]

	// Catalog is Document for a document that lists names. It is rendered again
	// when a version anywhere was added or removed.
	Catalog(ctx context.Context, format, variant string, render func(iter.Seq2[packhouse.Package, error]) (*Document, error)) (*Document, error)
}

// Nothing is a Source with nothing in it.
type Nothing struct{}

// Open implements Source.
func (Nothing) Open(context.Context, packhouse.FileRef) (*Content, error) { return nil, errNoFile() }

// Package implements Source.
func (Nothing) Package(context.Context, string, string) (*Listing, error) { return nil, errNoFile() }

// Document implements Source.
func (Nothing) Document(context.Context, string, string, string, func(*Listing) (*Document, error)) (*Document, error) {
	return nil, errNoFile()
}

// Metadata implements Source.
func (Nothing) Metadata(context.Context, *Release) ([]byte, error) { return nil, errNoFile() }

// Names implements Source.
func (Nothing) Names(context.Context, string) iter.Seq2[packhouse.Package, error] {
	return func(func(packhouse.Package, error) bool) {}
}

// Catalog implements Source.
func (n Nothing) Catalog(ctx context.Context, format, _ string, render func(iter.Seq2[packhouse.Package, error]) (*Document, error)) (*Document, error) {
	return render(n.Names(ctx, format))
}

// errNoFile is the same whether a file is absent, hidden or not for this caller.
func errNoFile() error { return packhouse.Errorf(packhouse.NotFound, "404 Package Not Found") }

// Project returns what can be read from one project.
func (r *Registry) Project(id int64) Source {
	p := &project{id: id}
	p.view = view{r, p}
	return p
}

// Reader chooses among projects those that somebody may read. It is safe for
// concurrent use.
type Reader interface {
	// Among returns those of the ids that may be read, in their order.
	Among(ids []int64) []int64
	// All returns all projects that may be read.
	All() packhouse.Projects
}

// Group returns what can be read from all projects of a reader.
func (r *Registry) Group(reader Reader) Source {
	u := &union{reader: reader}
	u.view = view{r, u}
	return u
}

// project is the Source of one project.
type project struct {
	view
	id int64
}

func (p *project) homes(context.Context, string, string) ([]int64, error) { return []int64{p.id}, nil }
func (p *project) all() packhouse.Projects                                { return packhouse.ProjectsOf([]int64{p.id}) }

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
	view
	reader Reader
}

// homes finds the projects by the package's name, whatever there is beside it.
func (u *union) homes(ctx context.Context, format, key string) ([]int64, error) {
	r := u.registry
	all, err := r.homes.Get([2]string{format, key}, packagePlace(format, key), func() (ids []int64, err error) {
		err = r.store.View(ctx, func(tx *store.Tx) error {
			ids, err = tx.Homes(ctx, format, key)
			return err
		})
		return ids, err
	})
	if err != nil {
		return nil, err
	}
	return u.reader.Among(all), nil
}

func (u *union) all() packhouse.Projects { return u.reader.All() }

func (u *union) Open(ctx context.Context, ref packhouse.FileRef) (*Content, error) {
	return u.registry.openFound(ctx, func() (*located, error) {
		return u.registry.first(ctx, 0, ref, func(l store.Located) bool {
			return len(u.reader.Among([]int64{l.Version.Package.ProjectID})) > 0
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
	part    packhouse.Part // of an image; the File is then made of it
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
		return c, r.openBlob(ctx, c)
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

// openBlob opens the bytes of a file that is kept in the blob store. Where
// clients are sent there it asks the store for nothing yet.
func (r *Registry) openBlob(ctx context.Context, c *Content) error {
	key := blob.Key(c.located.Blob.Key)
	open := func() (blob.Reader, error) {
		reader, err := r.blobs.Open(ctx, key)
		if errors.Is(err, blob.ErrNotFound) {
			return nil, errNoFile()
		}
		return reader, blob.Explain(err)
	}
	if linker, ok := r.blobs.Store.(blob.Linker); ok && linker.Links() {
		c.linker, c.blob = linker, &lazy{open: open, size: c.located.File.Size}
		return nil
	}
	reader, err := open()
	if err != nil {
		return err
	}
	c.blob = reader
	return nil
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

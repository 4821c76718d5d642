package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/store"
)

// Document is an index document as it is sent: rendered once for each change of
// what it is made of, and kept with its entity tag and its compressed form. It
// is shared and must not be changed.
type Document struct {
	Type string // media type
	Body []byte
	ETag string // strong: quoted, of the body

	once   sync.Once
	zipped []byte
	summed sync.Once
	sums   blob.Sums
}

// NewDocument makes a document.
func NewDocument(mediaType string, body []byte) *Document {
	sum := sha256.Sum256(body)
	return &Document{Type: mediaType, Body: body, ETag: `"` + hex.EncodeToString(sum[:16]) + `"`}
}

// Sums returns all checksums of the body, for formats that serve them beside it.
// They are computed once.
func (d *Document) Sums() blob.Sums {
	d.summed.Do(func() {
		h := blob.NewHasher(blob.MD5 | blob.SHA1 | blob.SHA512)
		_, _ = h.Write(d.Body) // never fails
		d.sums = h.Sums()
	})
	return d.sums
}

// compressible is the size from which compressing is worth a header.
const compressible = 512

// Gzip returns the body compressed, or nil where that gains nothing. It is
// compressed once.
func (d *Document) Gzip() []byte {
	d.once.Do(func() {
		if len(d.Body) < compressible {
			return
		}
		level := gzip.DefaultCompression
		if len(d.Body) > 1<<20 {
			level = gzip.BestSpeed // a reader is waiting
		}
		var b bytes.Buffer
		w, err := gzip.NewWriterLevel(&b, level)
		if err != nil {
			return
		}
		_, err = w.Write(d.Body)
		if w.Close() != nil || err != nil || b.Len() >= len(d.Body) {
			return
		}
		d.zipped = bytes.Clone(b.Bytes())
	})
	return d.zipped
}

// documentKey names a document: of one package, or of all names in a format
// when pkg is "".
type documentKey struct {
	projects    string // the ids of those that it is made of
	format, pkg string
	variant     string
}

// kept is a document with what it was made of.
type kept struct {
	document *Document
	parts    []*Listing // of a document of one package
	as       uint64     // of a document of names: the count of changes
}

func (k *kept) size() int { return 512 + len(k.document.Body)*5/4 }

// members are the projects that a Source reads from.
type members interface {
	// homes are those that have a package of that key, or had one, by id.
	homes(ctx context.Context, format, key string) ([]int64, error)
	// all are all of them.
	all() packhouse.Projects
}

// view answers for some projects what Source promises about packages.
type view struct {
	registry *Registry
	members
}

// parts are the listings that a package is made of, empty ones left out, and the
// projects that they are of.
func (v *view) parts(ctx context.Context, format, key string) (ids []int64, parts []*Listing, err error) {
	homes, err := v.homes(ctx, format, key)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range homes {
		l, err := v.registry.listing(ctx, listingKey{id, format, key})
		if err != nil {
			return nil, nil, err
		}
		if len(l.Releases) > 0 {
			ids, parts = append(ids, id), append(parts, l)
		}
	}
	if len(parts) == 0 {
		return nil, nil, errNoFile()
	}
	return ids, parts, nil
}

// Package implements Source.
func (v *view) Package(ctx context.Context, format, key string) (*Listing, error) {
	_, parts, err := v.parts(ctx, format, key)
	if err != nil {
		return nil, err
	}
	return merge(parts), nil
}

// Document implements Source.
func (v *view) Document(ctx context.Context, format, key, variant string, render func(*Listing) (*Document, error)) (*Document, error) {
	ids, parts, err := v.parts(ctx, format, key)
	if err != nil {
		return nil, err
	}
	at := documentKey{packhouse.ProjectsOf(ids).Key, format, key, variant}
	if k, ok := v.registry.documents.GetIfPresent(at); ok && slices.Equal(k.parts, parts) {
		return k.document, nil
	}
	d, err := render(merge(parts))
	if err != nil {
		return nil, err
	}
	v.registry.documents.Set(at.clone(), &kept{document: d, parts: parts})
	return d, nil
}

// clone returns a key that shares no memory with the request it came from.
func (k documentKey) clone() documentKey {
	return documentKey{k.projects, strings.Clone(k.format), strings.Clone(k.pkg), strings.Clone(k.variant)}
}

// Metadata implements Source.
func (v *view) Metadata(ctx context.Context, release *Release) (metadata []byte, err error) {
	err = v.registry.store.View(ctx, func(tx *store.Tx) error {
		version, err := tx.Version(ctx, release.Version.Package.ProjectID, release.Version.ID)
		if err == nil {
			metadata = version.Metadata
		}
		return err
	})
	return metadata, err
}

// Names implements Source.
func (v *view) Names(ctx context.Context, format string) iter.Seq2[packhouse.Package, error] {
	return func(yield func(packhouse.Package, error) bool) {
		err := v.registry.store.View(ctx, func(tx *store.Tx) error {
			return tx.Names(ctx, format, v.all().IDs, func(p packhouse.Package) error {
				if !yield(p, nil) {
					return errEnough
				}
				return nil
			})
		})
		if err != nil && err != errEnough {
			yield(packhouse.Package{}, err)
		}
	}
}

var errEnough = packhouse.Errorf(packhouse.Internal, "enough")

// Catalog implements Source.
func (v *view) Catalog(ctx context.Context, format, variant string, render func(iter.Seq2[packhouse.Package, error]) (*Document, error)) (*Document, error) {
	at := documentKey{projects: v.all().Key, format: format, variant: variant}
	now := v.registry.named(format).Load()
	if k, ok := v.registry.documents.GetIfPresent(at); ok && k.as == now {
		return k.document, nil
	}
	d, err := render(v.Names(ctx, format))
	if err != nil {
		return nil, err
	}
	v.registry.documents.Set(at.clone(), &kept{document: d, as: now})
	return d, nil
}

package registry

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// Indexer is the part of a format that makes index documents cheap: what of a
// version its documents need. The registry keeps that in memory instead of the
// version's metadata.
type Indexer interface {
	// Entry derives what the format's documents say about a live version, and
	// about how many bytes that takes in memory. It is pure, and is asked once
	// for each change of the version.
	Entry(v *packhouse.Version, files []packhouse.File) (entry any, size int)
}

// Listing is all that is live of a package at one moment. It is shared and must
// not be changed.
type Listing struct {
	Package  packhouse.Package // of several projects: the newest one's
	Releases []*Release        // of every status, oldest first
	Tags     []packhouse.Tag   // by name; of several projects: the newest of each name

	size int
	as   uint64 // count of changes that it has taken in
}

// Release is one version in a Listing.
type Release struct {
	Version packhouse.Version // without its Metadata
	Files   []packhouse.File  // without theirs, oldest first
	Entry   any               // what the format's Indexer made of both

	size int
}

// Release finds a version by its id, or returns nil.
func (l *Listing) Release(id int64) *Release {
	i, ok := slices.BinarySearchFunc(l.Releases, id, (*Release).compare)
	if !ok {
		return nil
	}
	return l.Releases[i]
}

func (r *Release) compare(id int64) int { return cmp.Compare(r.Version.ID, id) }

type listingKey struct {
	project     int64
	format, key string
}

// shelf holds the newest Listing of one package and knows what has changed
// since, so that a package of ten thousand versions costs one version to bring
// up to date.
type shelf struct {
	key     listingKey
	listing atomic.Pointer[Listing]
	changes atomic.Uint64 // counts marks

	loading sync.Mutex // one refresh at a time

	mu    sync.Mutex
	dirty map[int64]bool // versions changed since the listing was made
	tags  bool           // tags changed since
}

// mark notes that the ledger has changed a version.
func (s *shelf) mark(e ledger.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.changes.Add(1)
	switch e := e.(type) {
	case *ledger.Publish:
		s.dirty[e.VersionID] = true
	case *ledger.StatusChange:
		s.dirty[e.VersionID] = true
	case *ledger.MetadataPut:
		s.dirty[e.VersionID] = true
	case *ledger.FileDelete:
		s.dirty[e.VersionID] = true
	case *ledger.VersionDelete:
		s.dirty[e.VersionID], s.tags = true, true
	case *ledger.Restore:
		for _, id := range e.Versions {
			s.dirty[id] = true
		}
		s.tags = true
	case *ledger.TagPut, *ledger.TagRemove:
		s.tags = true
	}
}

// take returns what is dirty and clears it.
func (s *shelf) take() (dirty map[int64]bool, tags bool, as uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	dirty, tags, as = s.dirty, s.tags, s.changes.Load()
	s.dirty, s.tags = map[int64]bool{}, false
	return dirty, tags, as
}

// giveBack makes dirty again what was taken and not brought up to date.
func (s *shelf) giveBack(dirty map[int64]bool, tags bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range dirty {
		s.dirty[id] = true
	}
	s.tags = s.tags || tags
}

// fresh returns the listing if nothing has changed since it was made.
func (s *shelf) fresh() *Listing {
	if l := s.listing.Load(); l != nil && l.as == s.changes.Load() {
		return l
	}
	return nil
}

// listing returns what is live of a package in one project. An unknown package
// has an empty one.
func (r *Registry) listing(ctx context.Context, key listingKey) (*Listing, error) {
	s, ok := r.shelves.GetIfPresent(key)
	if !ok {
		// The shelf is there before it is filled, so that no change is missed.
		s, _ = r.shelves.SetIfAbsent(key, &shelf{key: key, dirty: map[int64]bool{}})
	}
	if l := s.fresh(); l != nil {
		return l, nil
	}
	s.loading.Lock()
	defer s.loading.Unlock()
	if l := s.fresh(); l != nil {
		return l, nil
	}
	dirty, tags, as := s.take()
	l, err := r.refresh(ctx, s, dirty, tags)
	if err != nil {
		s.giveBack(dirty, tags)
		return nil, err
	}
	l.as = as
	s.listing.Store(l)
	r.shelves.Set(key, s) // weighs it again
	return l, nil
}

// refresh makes a listing out of the one before and what has changed since, or
// reads it whole.
func (r *Registry) refresh(ctx context.Context, s *shelf, dirty map[int64]bool, tags bool) (l *Listing, err error) {
	const many = 256 // changes at once for which reading it whole costs less
	old := s.listing.Load()
	err = r.store.View(ctx, func(tx *store.Tx) error {
		if old == nil || old.Package.ID == 0 || len(dirty) > many {
			l, err = r.readListing(ctx, tx, s.key)
			return err
		}
		l = &Listing{Package: old.Package, Releases: slices.Clone(old.Releases), Tags: old.Tags, size: old.size}
		for id := range dirty {
			if err := r.reread(ctx, tx, l, id); err != nil {
				return err
			}
		}
		if tags {
			l.Tags, err = tx.Tags(ctx, l.Package.ID)
		}
		return err
	})
	return l, err
}

func (r *Registry) readListing(ctx context.Context, tx *store.Tx, key listingKey) (*Listing, error) {
	p, err := tx.Package(ctx, key.project, key.format, key.key)
	if err != nil {
		if packhouse.KindOf(err) == packhouse.NotFound {
			return &Listing{}, nil
		}
		return nil, err
	}
	l := &Listing{Package: *p}
	err = tx.Listing(ctx, p.ID, func(v *store.Listed) error {
		l.add(len(l.Releases), r.listed(v))
		return nil
	})
	if err != nil {
		return nil, err
	}
	l.Tags, err = tx.Tags(ctx, p.ID)
	return l, err
}

// reread brings one version of a listing up to date.
func (r *Registry) reread(ctx context.Context, tx *store.Tx, l *Listing, id int64) error {
	at, there := slices.BinarySearchFunc(l.Releases, id, (*Release).compare)
	if there {
		l.size -= l.Releases[at].size
		l.Releases = slices.Delete(l.Releases, at, at+1)
	}
	v, err := tx.ListedVersion(ctx, l.Package.ID, id)
	if err == nil {
		l.add(at, r.listed(v))
		return nil
	}
	if packhouse.KindOf(err) == packhouse.NotFound {
		return nil
	}
	return err
}

func (l *Listing) add(at int, release *Release) {
	l.Releases = slices.Insert(l.Releases, at, release)
	l.size += release.size
}

// Rough sizes in memory, in bytes, of what a listing is made of.
const (
	shelfSize   = 512
	releaseSize = 512
	fileSize    = 512
)

// listed turns what the store has into what documents need.
func (r *Registry) listed(v *store.Listed) *Release {
	release := &Release{size: releaseSize + fileSize*len(v.Files)}
	if indexer := r.options.Indexers[v.Version.Package.Format]; indexer != nil {
		var size int
		release.Entry, size = indexer.Entry(&v.Version, v.Files)
		release.size += size
	}
	release.Version, release.Files = v.Version, v.Files
	release.Version.Metadata = nil
	for i := range release.Files {
		release.Files[i].Metadata = nil
	}
	return release
}

// merge puts the listings of several projects together.
func merge(parts []*Listing) *Listing {
	if len(parts) == 1 {
		return parts[0]
	}
	m := &Listing{}
	tags := map[string]packhouse.Tag{}
	newest := int64(0)
	for _, l := range parts {
		m.Releases = append(m.Releases, l.Releases...)
		if n := len(l.Releases); n > 0 && l.Releases[n-1].Version.ID > newest {
			newest, m.Package = l.Releases[n-1].Version.ID, l.Package
		}
		for _, t := range l.Tags {
			if t.Seq > tags[t.Name].Seq {
				tags[t.Name] = t
			}
		}
	}
	slices.SortFunc(m.Releases, func(a, b *Release) int { return cmp.Compare(a.Version.ID, b.Version.ID) })
	for _, t := range tags {
		m.Tags = append(m.Tags, t)
	}
	slices.SortFunc(m.Tags, func(a, b packhouse.Tag) int { return cmp.Compare(a.Name, b.Name) })
	return m
}

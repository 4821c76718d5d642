// Package registry publishes and resolves packages. It joins the store, which
// knows what exists, with the blob store, which holds the bytes, and keeps the
// order that nothing is listed before its bytes are safe: bytes first, rows
// second, and the commit is the publication.
package registry

import (
	"log/slog"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
	"packhouse/internal/memo"
	"packhouse/internal/policy"
	"packhouse/internal/store"
)

// Options join the rooms that a Registry works with.
type Options struct {
	Store     *store.Store
	Blobs     blob.Store
	Directory *directory.Directory
	Rules     policy.Rules
	Now       func() time.Time // nil means time.Now
	Log       *slog.Logger     // nil means slog.Default

	// Retention is how long what was deleted is kept in the trash.
	Retention time.Duration
	// ImageGrace is how long the manifests and blobs of images stay that nothing
	// needs. 0 means a day.
	ImageGrace time.Duration
	// CacheBytes bounds the small files that are kept in memory.
	CacheBytes int
	// Indexers make what the index documents of a format are made of, by format.
	Indexers map[string]Indexer
	// Alone are the formats that are a Loner.
	Alone map[string]bool
	// IndexBytes bounds what is kept in memory of packages for index documents,
	// and once more the documents themselves. 0 means 32 MiB.
	IndexBytes int
}

// InlineLimit is the size in bytes up to which a file lives in the database
// instead of the blob store. Such a file is made durable by the same sync as
// the row that names it, which is what makes small publishes fast
// (docs/adr/0004-small-files.md).
const InlineLimit = 16 << 10

// Registry publishes and resolves. Its methods may be called concurrently.
type Registry struct {
	options   Options
	store     *store.Store
	blobs     *tracked
	located   *memo.Memo[locateKey, *located]
	contents  memo.Cache[packhouse.Digest, []byte] // small files; a digest never changes its bytes
	shelves   memo.Cache[listingKey, *shelf]
	documents memo.Cache[documentKey, *kept]
	homes     *memo.Memo[[2]string, []int64] // projects by format and package key
	images    *memo.Memo[imageKey, *located]
	names     sync.Map // format: *atomic.Uint64, counts changes of which names there are
	downloads *downloads
	now       func() time.Time
	log       *slog.Logger
}

// New makes a Registry. It follows the store's ledger from now on.
func New(opts Options) *Registry {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if opts.CacheBytes == 0 {
		opts.CacheBytes = 16 << 20
	}
	if opts.ImageGrace == 0 {
		opts.ImageGrace = 24 * time.Hour
	}
	if opts.IndexBytes == 0 {
		opts.IndexBytes = 32 << 20
	}
	r := &Registry{
		options: opts, store: opts.Store, now: opts.Now, log: opts.Log,
		blobs:     newTracked(opts.Blobs),
		located:   memo.New[locateKey, *located](10_000, locateKey.clone),
		homes:     memo.New[[2]string, []int64](10_000, cloneKey),
		images:    memo.New[imageKey, *located](20_000, imageKey.clone),
		downloads: newDownloads(),
		contents: otter.Must(&otter.Options[packhouse.Digest, []byte]{
			MaximumWeight: uint64(opts.CacheBytes),
			Weigher:       func(_ packhouse.Digest, data []byte) uint32 { return uint32(len(data)) + 128 },
		}),
		shelves: otter.Must(&otter.Options[listingKey, *shelf]{
			MaximumWeight: uint64(opts.IndexBytes),
			Weigher:       func(_ listingKey, s *shelf) uint32 { return s.weight() },
		}),
		documents: otter.Must(&otter.Options[documentKey, *kept]{
			MaximumWeight: uint64(opts.IndexBytes),
			Weigher:       func(_ documentKey, k *kept) uint32 { return clamp(k.size()) },
		}),
	}
	opts.Store.Subscribe(r.forget)
	return r
}

// forget drops what the memory holds about packages that changed.
func (r *Registry) forget(entries []ledger.Entry) {
	for _, e := range entries {
		r.forgetImage(e.Event)
		if sited, ok := e.Event.(ledger.Sited); ok {
			site := sited.Where()
			r.located.Touch(packagePlace(site.Format, site.PackageKey))
			if s, ok := r.shelves.GetIfPresent(listingKey{site.ProjectID, site.Format, site.PackageKey}); ok {
				s.mark(sited)
			}
			if publish, ok := sited.(*ledger.Publish); ok && publish.PackageName != "" {
				r.homes.Touch(packagePlace(site.Format, site.PackageKey))
			}
			if renames(sited) {
				r.named(site.Format).Add(1)
			}
		}
	}
}

// renames reports whether an event may add a package to the names that there
// are to download, or take one away.
func renames(e ledger.Event) bool {
	switch e := e.(type) {
	case *ledger.Publish:
		return e.Version != ""
	case *ledger.VersionDelete, *ledger.StatusChange, *ledger.Restore:
		return true
	}
	return false
}

// named counts the changes of the names in a format.
func (r *Registry) named(format string) *atomic.Uint64 {
	count, ok := r.names.Load(format)
	if !ok {
		count, _ = r.names.LoadOrStore(strings.Clone(format), new(atomic.Uint64))
	}
	return count.(*atomic.Uint64)
}

func cloneKey(key [2]string) [2]string {
	return [2]string{strings.Clone(key[0]), strings.Clone(key[1])}
}

func (s *shelf) weight() uint32 {
	size := shelfSize
	if l := s.listing.Load(); l != nil {
		size += l.size
	}
	return clamp(size)
}

func clamp(size int) uint32 { return uint32(min(size, math.MaxUint32)) }

// packagePlace is where everything remembered about a package belongs, whatever
// project it is in.
func packagePlace(format, key string) uint64 {
	return memo.Place([2]string{format, key})
}

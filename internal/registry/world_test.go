package registry_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
	"packhouse/internal/blob/mem"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
	"packhouse/internal/policy"
	"packhouse/internal/registry"
	"packhouse/internal/store"
	"packhouse/internal/store/storetest"
)

// large is more than fits into the database.
const large = registry.InlineLimit + 1

// world is a registry with everything below it. Its collector takes all blobs
// for old: nothing but what it knows of uploads and rows keeps it from them.
type world struct {
	t         *testing.T
	path      string // of the database
	store     *store.Store
	blobs     blob.Store
	directory *directory.Directory
	registry  *registry.Registry
	ahead     atomic.Int64 // how far the registry's clock is ahead, as a time.Duration
}

// newWorld joins a registry to blobs; nil means blobs in memory.
func newWorld(t *testing.T, blobs blob.Store) *world {
	t.Helper()
	if blobs == nil {
		blobs = mem.New()
	}
	path := filepath.Join(t.TempDir(), "db")
	storetest.EmptySQLite(t, path)
	return openWorld(t, path, blobs)
}

// openWorld opens the database at path.
func openWorld(t *testing.T, path string, blobs blob.Store) *world {
	t.Helper()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	w := &world{t: t, path: path, blobs: blobs}
	w.ahead.Store(int64(2 * time.Hour))
	var err error
	if w.store, err = store.OpenSQLite(t.Context(), path, store.Options{Log: quiet}); err != nil {
		t.Fatalf("OpenSQLite = %v, want success", err)
	}
	t.Cleanup(func() { w.store.Close() })
	if w.directory, err = directory.Open(t.Context(), w.store, directory.Options{Sizes: map[string]int64{"generic": 1 << 20, "small": 100}}); err != nil {
		t.Fatalf("Open = %v, want success", err)
	}
	w.keep(0)
	return w
}

// keep has what is deleted stay in the trash for a time.
func (w *world) keep(retention time.Duration) {
	w.registry = registry.New(registry.Options{
		Store: w.store, Blobs: w.blobs, Directory: w.directory, Rules: policy.Standard(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Indexers: map[string]registry.Indexer{"generic": plain{}}, Retention: retention,
		Now: func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) },
	})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%v, want success", err)
	}
}

func (w *world) hosted() *registry.Hosted {
	return w.registry.Hosted(1, "generic", packhouse.Actor{UserID: 7}, ledger.By{})
}

func incoming(path string, content []byte) registry.Incoming {
	return registry.Incoming{Path: path, Size: int64(len(content)), Body: bytes.NewReader(content)}
}

func draft(version string, files ...*registry.Received) registry.Draft {
	return registry.Draft{Package: "tool", PackageKey: "tool", Version: version, VersionKey: version, Files: files}
}

// publish receives a file and publishes it, as a handler does.
func (w *world) publish(version, path string, content []byte) (*registry.Published, error) {
	h := w.hosted()
	f, err := h.Receive(w.t.Context(), incoming(path, content))
	if err != nil {
		return nil, err
	}
	defer f.Release()
	return h.Publish(w.t.Context(), draft(version, f))
}

func (w *world) published(version, path string, content []byte) *registry.Published {
	w.t.Helper()
	out, err := w.publish(version, path, content)
	w.must(err)
	return out
}

func ref(version, path string) packhouse.FileRef {
	return packhouse.FileRef{Format: "generic", Package: "tool", Version: version, Path: path}
}

// read reads a file of project 1 by name.
func (w *world) read(version, path string) ([]byte, error) {
	return contentOf(w.registry.Project(1).Open(w.t.Context(), ref(version, path)))
}

// contentOf reads what was opened, and compares it with its digest.
func contentOf(c *registry.Content, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(c.Reader())
	if err == nil && blobtest.Sum(content) != c.File().SHA256 {
		err = errors.New("the bytes are others than those of the file")
	}
	return content, errors.Join(err, c.Close())
}

func (w *world) wantContent(version, path string, want []byte) {
	w.t.Helper()
	if got, err := w.read(version, path); err != nil || !bytes.Equal(got, want) {
		w.t.Errorf("%s/%s holds %d bytes, %v, want %d bytes", version, path, len(got), err, len(want))
	}
}

func (w *world) wantMissing(version, path string) {
	w.t.Helper()
	if got, err := w.read(version, path); packhouse.KindOf(err) != packhouse.NotFound || err == nil {
		w.t.Errorf("%s/%s holds %d bytes, %v, want NotFound", version, path, len(got), err)
	}
}

func (w *world) wantKind(what string, err error, want packhouse.Kind) {
	w.t.Helper()
	if err == nil || packhouse.KindOf(err) != want {
		w.t.Errorf("%s = %v, want an error of kind %d", what, err, want)
	}
}

// wantBlobs checks how many blobs and unfinished uploads there are.
func (w *world) wantBlobs(what string, blobs, uploads int) {
	w.t.Helper()
	if keys, ids := blobtest.Keys(w.t, w.blobs, ""), blobtest.UploadIDs(w.t, w.blobs); len(keys) != blobs || len(ids) != uploads {
		w.t.Errorf("%s: %d blobs and %d uploads, want %d and %d", what, len(keys), len(ids), blobs, uploads)
	}
}

// refuseDuplicates makes the instance refuse them.
func (w *world) refuseDuplicates() {
	w.t.Helper()
	no := false
	changes := directory.NewChanges(w.directory, w.store)
	_, err := changes.UpdateSettings(w.t.Context(), ledger.By{}, packhouse.Target{Level: packhouse.Instance}, func(s *ledger.Settings) error {
		s.Duplicates = map[string]ledger.Duplicates{"generic": {Allowed: &no}}
		return nil
	})
	w.must(err)
}

// collect does all that the background work does.
func (w *world) collect() registry.Collected {
	w.t.Helper()
	purged, err := w.registry.Purge(w.t.Context())
	w.must(err)
	swept, err := w.registry.Sweep(w.t.Context())
	w.must(err)
	return registry.Collected{Files: purged.Files, Blobs: purged.Blobs, Uploads: swept.Uploads, Orphans: swept.Orphans}
}

// live lists the live files of all versions.
func (w *world) live() (versions []packhouse.Version, files map[int64][]packhouse.File) {
	w.t.Helper()
	files = map[int64][]packhouse.File{}
	w.must(w.store.View(w.t.Context(), func(tx *store.Tx) (err error) {
		filter := store.VersionFilter{ProjectIDs: []int64{1}, Statuses: []packhouse.Status{packhouse.StatusDefault, packhouse.StatusHidden, packhouse.StatusError}}
		if versions, _, err = tx.Versions(w.t.Context(), filter, store.Page{Limit: 1 << 20}); err != nil {
			return err
		}
		for _, v := range versions {
			if files[v.ID], _, err = tx.Files(w.t.Context(), v.ID, store.Page{Limit: 1 << 20}); err != nil {
				return err
			}
		}
		return nil
	}))
	return versions, files
}

// checkQuiet checks, when nothing is under way, that every listed file can be
// read and that nothing is kept that no file needs.
func (w *world) checkQuiet() {
	w.t.Helper()
	w.collect()
	needed := map[packhouse.Digest]bool{}
	versions, files := w.live()
	for _, v := range versions {
		for _, f := range files[v.ID] {
			if _, err := contentOf(w.registry.OpenFile(w.t.Context(), 1, v.ID, f.ID)); err != nil {
				w.t.Errorf("%s/%s is listed but cannot be read: %v", v.Number, f.Path, err)
			}
			if f.Size > registry.InlineLimit {
				needed[f.SHA256] = true
			}
		}
	}
	keys := blobtest.Keys(w.t, w.blobs, "")
	kept := slices.DeleteFunc(slices.Clone(keys), func(k blob.Key) bool {
		d, _, _ := k.Split()
		return needed[d]
	})
	if len(kept) > 0 || len(keys) != len(needed) {
		w.t.Errorf("%d blobs for %d digests, of which nobody needs %v", len(keys), len(needed), kept)
	}
	if ids := blobtest.UploadIDs(w.t, w.blobs); len(ids) > 0 {
		w.t.Errorf("unfinished uploads %v are left", ids)
	}
}

// lastDownload is when a file of a version was last downloaded, as saved.
func (w *world) lastDownload(versionID int64) (at time.Time, err error) {
	err = w.store.View(w.t.Context(), func(tx *store.Tx) (err error) {
		at, err = tx.LastDownload(w.t.Context(), versionID)
		return err
	})
	return at, err
}

// readers may read those projects.
type readers []int64

func (r readers) Among(ids []int64) []int64 {
	return slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return !slices.Contains(r, id) })
}

func (r readers) All() packhouse.Projects { return packhouse.ProjectsOf(r) }

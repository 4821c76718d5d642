package registry_test

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/policy"
	"packhouse/internal/registry"
)

// plain is an Indexer that keeps what it is shown.
type plain struct{}

func (plain) Entry(v *packhouse.Version, files []packhouse.File) (any, int) {
	entry := string(v.Metadata)
	for _, f := range files {
		entry += fmt.Sprintf(" %s=%s", f.Path, f.Metadata)
	}
	return entry, len(entry)
}

// again is a registry that remembers nothing yet, over the same store.
func (w *world) again() *registry.Registry {
	return registry.New(registry.Options{
		Store: w.store, Blobs: w.blobs, Directory: w.directory, Rules: policy.Standard(),
		Indexers: map[string]registry.Indexer{"generic": plain{}},
	})
}

func (w *world) listing(r *registry.Registry) *registry.Listing {
	w.t.Helper()
	l, err := r.Project(1).Package(w.t.Context(), "generic", "tool")
	if packhouse.KindOf(err) == packhouse.NotFound && err != nil {
		return &registry.Listing{}
	}
	w.must(err)
	return l
}

func (w *world) put(project int64, d registry.Draft, metadata string) *registry.Published {
	w.t.Helper()
	h := w.registry.Hosted(project, "generic", packhouse.Actor{UserID: 7}, ledger.By{})
	f, err := h.Receive(w.t.Context(), incoming("file", []byte(metadata)))
	w.must(err)
	defer f.Release()
	f.SetMetadata([]byte(metadata))
	d.Files = append(d.Files, f)
	out, err := h.Publish(w.t.Context(), d)
	w.must(err)
	return out
}

// What is kept up to date change by change is what a fresh look finds.
func TestListingFollows(t *testing.T) {
	w := newWorld(t, nil)
	random := rand.New(rand.NewPCG(1, 2))
	version := func() string { return fmt.Sprintf("%d.0", random.IntN(6)) }
	steps := []func(){
		func() {
			w.put(1, registry.Draft{Package: "Tool", PackageKey: "tool", Version: version(), VersionKey: version()}, `{"n":1}`)
		},
		func() {
			v := version()
			w.put(1, registry.Draft{Package: "Tool", PackageKey: "tool", Version: v, VersionKey: v, Metadata: []byte(`{"m":1}`), Tags: []string{"latest"}}, `{"n":2}`)
		},
		func() {
			w.edit(func(e *registry.Edit, v *packhouse.Version) error { return e.Tag("next", v) }, version())
		},
		func() {
			w.edit(func(e *registry.Edit, _ *packhouse.Version) error { return e.Untag("next") }, version())
		},
		func() {
			w.edit(func(e *registry.Edit, v *packhouse.Version) error {
				return e.SetMetadata(v, fmt.Appendf(nil, `{"r":%d}`, random.IntN(9)))
			}, version())
		},
		func() { w.edit(func(e *registry.Edit, v *packhouse.Version) error { return e.Delete(v) }, version()) },
	}
	unexported := cmpopts.IgnoreUnexported(registry.Listing{}, registry.Release{})
	for range 150 {
		for range random.IntN(3) {
			steps[random.IntN(len(steps))]()
		}
		if diff := cmp.Diff(w.listing(w.again()), w.listing(w.registry), unexported, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("a listing that followed the changes (-want, from a fresh look):\n%s", diff)
		}
	}
}

// edit changes a version, if there is one.
func (w *world) edit(change func(*registry.Edit, *packhouse.Version) error, version string) {
	w.t.Helper()
	err := w.hosted().Edit(w.t.Context(), "tool", func(e *registry.Edit) error {
		v, err := e.Version(version)
		if err != nil {
			return err
		}
		return change(e, v)
	})
	if err != nil && packhouse.KindOf(err) != packhouse.NotFound {
		w.t.Fatalf("Edit = %v, want success or NotFound", err)
	}
}

// Whoever reads a listing after a publish has returned finds the version in it,
// however many others read and publish meanwhile.
func TestListingNeverStale(t *testing.T) {
	w := newWorld(t, nil)
	var workers sync.WaitGroup
	for writer := range 8 {
		workers.Go(func() {
			for n := range 15 {
				v := fmt.Sprintf("%d.%d", writer, n)
				out := w.put(1, registry.Draft{Package: "tool", PackageKey: "tool", Version: v, VersionKey: v, Tags: []string{fmt.Sprint(writer)}}, `1`)
				l := w.listing(w.registry)
				tag := slices.IndexFunc(l.Tags, func(t packhouse.Tag) bool { return t.Name == fmt.Sprint(writer) })
				if l.Release(out.Version.ID) == nil || tag < 0 || l.Tags[tag].VersionID != out.Version.ID {
					t.Errorf("version %s is not in the listing, or not tagged, after its publish", v)
				}
				if n%4 == 3 {
					w.must(w.hosted().DeleteVersion(t.Context(), out.Version.ID))
					if w.listing(w.registry).Release(out.Version.ID) != nil {
						t.Errorf("version %s is in the listing after its deletion", v)
					}
				}
			}
		})
	}
	workers.Wait()
}

// A publish can refuse a version that is there, and look at its files.
func TestAdmit(t *testing.T) {
	w := newWorld(t, nil)
	var asked []string
	d := registry.Draft{Package: "tool", PackageKey: "tool", Version: "1", VersionKey: "1", Admit: func(live bool, files []packhouse.File) error {
		if asked = append(asked, fmt.Sprint(live, len(files))); live {
			return packhouse.Errorf(packhouse.Conflict, "it is there")
		}
		return nil
	}}
	w.put(1, d, `1`)
	f, err := w.hosted().Receive(t.Context(), incoming("other", []byte("x")))
	w.must(err)
	defer f.Release()
	d.Files = []*registry.Received{f}
	_, err = w.hosted().Publish(t.Context(), d)
	w.wantKind("publishing what is there", err, packhouse.Conflict)
	if want := []string{"false 0", "true 1"}; !slices.Equal(asked, want) {
		t.Errorf("Admit was asked about %q, want %q", asked, want)
	}
}

// A document is rendered once for each change of its package, and for each
// variant; of a group it has what the reader may read.
func TestDocument(t *testing.T) {
	w := newWorld(t, nil)
	for project := int64(1); project <= 3; project++ {
		w.put(project, registry.Draft{Package: "tool", PackageKey: "tool", Version: fmt.Sprint(project), VersionKey: fmt.Sprint(project), Tags: []string{"latest"}}, `1`)
	}
	rendered := 0
	render := func(l *registry.Listing) (*registry.Document, error) {
		rendered++
		text := ""
		for _, r := range l.Releases {
			text += r.Version.Number + " "
		}
		for _, tag := range l.Tags {
			text += tag.Name + "=" + l.Release(tag.VersionID).Version.Number
		}
		return registry.NewDocument("text/plain", []byte(text)), nil
	}
	of := func(ids ...int64) registry.Source {
		return w.registry.Group(readers(ids))
	}
	want := func(source registry.Source, variant, text string, times int) {
		t.Helper()
		rendered = 0
		for range 2 {
			d, err := source.Document(t.Context(), "generic", "tool", variant, render)
			if err != nil || string(d.Body) != text {
				t.Fatalf("Document = %v, %v, want %q", d, err, text)
			}
		}
		if rendered != times {
			t.Errorf("%q was rendered %d times, want %d", text, rendered, times)
		}
	}
	want(w.registry.Project(1), "a", "1 latest=1", 1)
	want(w.registry.Project(1), "a", "1 latest=1", 0)
	want(w.registry.Project(1), "b", "1 latest=1", 1)
	want(of(1, 2, 3), "a", "1 2 3 latest=3", 1)
	want(of(1, 2), "a", "1 2 latest=2", 1)
	want(of(1, 2, 3), "a", "1 2 3 latest=3", 0)
	w.put(2, registry.Draft{Package: "tool", PackageKey: "tool", Version: "4", VersionKey: "4"}, `1`)
	want(of(1, 2), "a", "1 2 4 latest=2", 1)
	want(w.registry.Project(1), "a", "1 latest=1", 0)
	_, err := of().Document(t.Context(), "generic", "tool", "a", render)
	w.wantKind("a document of nothing", err, packhouse.NotFound)
	_, err = w.registry.Project(1).Document(t.Context(), "generic", "none", "a", render)
	w.wantKind("a document of an unknown package", err, packhouse.NotFound)
}

// The names are those that can be downloaded, and are listed anew when they change.
func TestCatalog(t *testing.T) {
	w := newWorld(t, nil)
	var rendered atomic.Int64
	var ids []int64
	for project := int64(1); project <= 250; project++ { // more than one query asks for
		w.put(project, registry.Draft{Package: fmt.Sprintf("p%03d", project), PackageKey: fmt.Sprintf("p%03d", project), Version: "1", VersionKey: "1"}, `1`)
		ids = append(ids, project)
	}
	source := w.registry.Group(readers(ids))
	names := func() (list []string) {
		_, err := source.Catalog(t.Context(), "generic", "", func(all iter.Seq2[packhouse.Package, error]) (*registry.Document, error) {
			rendered.Add(1)
			for p, err := range all {
				w.must(err)
				list = append(list, p.Name)
			}
			return registry.NewDocument("text/plain", nil), nil
		})
		w.must(err)
		return list
	}
	if got := names(); len(got) != 250 || !slices.IsSorted(got) {
		t.Errorf("the catalog has %d names, want 250 in order", len(got))
	}
	if names(); rendered.Load() != 1 {
		t.Errorf("the catalog was rendered %d times, want once", rendered.Load())
	}
	w.put(7, registry.Draft{Package: "hidden", PackageKey: "hidden", Version: "1", VersionKey: "1", Status: packhouse.StatusHidden}, `1`)
	if got := names(); len(got) != 250 {
		t.Errorf("with a hidden package the catalog has %d names, want 250", len(got))
	}
	out := w.put(7, registry.Draft{Package: "more", PackageKey: "more", Version: "1", VersionKey: "1"}, `1`)
	if got := names(); len(got) != 251 {
		t.Errorf("after a publish the catalog has %d names, want 251", len(got))
	}
	w.must(w.registry.Hosted(7, "generic", packhouse.Actor{}, ledger.By{}).DeleteVersion(t.Context(), out.Version.ID))
	if got := names(); len(got) != 250 {
		t.Errorf("after a deletion the catalog has %d names, want 250", len(got))
	}
}

// An edit happens as a whole or not at all.
func TestEdit(t *testing.T) {
	w := newWorld(t, nil)
	w.wantKind("editing an unknown package", w.hosted().Edit(t.Context(), "tool", func(*registry.Edit) error { return nil }), packhouse.NotFound)
	for _, v := range []string{"1", "2"} {
		w.put(1, registry.Draft{Package: "tool", PackageKey: "tool", Version: v, VersionKey: v}, `1`)
	}
	before := w.store.Position()
	err := w.hosted().Edit(t.Context(), "tool", func(e *registry.Edit) error {
		v, err := e.Version("1")
		w.must(err)
		w.must(e.Tag("a", v))
		w.must(e.Delete(v))
		_, err = e.Version("1")
		w.wantKind("a version deleted by the same edit", err, packhouse.NotFound)
		return packhouse.Errorf(packhouse.Invalid, "changed my mind")
	})
	w.wantKind("an edit that fails", err, packhouse.Invalid)
	if got := w.store.Position(); got != before || len(w.listing(w.registry).Releases) != 2 {
		t.Errorf("an edit that failed left %d entries and %d versions", got-before, len(w.listing(w.registry).Releases))
	}
	w.must(w.hosted().Edit(t.Context(), "tool", func(e *registry.Edit) error {
		if n, err := e.Versions(); err != nil || n != 2 {
			t.Errorf("Versions = %d, %v, want 2", n, err)
		}
		return e.DeleteAll()
	}))
	if l := w.listing(w.registry); len(l.Releases) != 0 || len(l.Tags) != 0 {
		t.Errorf("after DeleteAll the listing has %d versions and %d tags", len(l.Releases), len(l.Tags))
	}
	w.wantKind("deleting all again", w.hosted().Edit(t.Context(), "tool", (*registry.Edit).DeleteAll), packhouse.NotFound)
}

// counting is an Indexer that counts what it is asked.
type counting struct{ n *atomic.Int64 }

func (c counting) Entry(*packhouse.Version, []packhouse.File) (any, int) {
	c.n.Add(1)
	return nil, 0
}

// Bringing a package up to date costs what has changed of it, however many
// versions it has.
func TestListingCost(t *testing.T) {
	w := newWorld(t, nil)
	var asked atomic.Int64
	r := registry.New(registry.Options{
		Store: w.store, Blobs: w.blobs, Directory: w.directory, Indexers: map[string]registry.Indexer{"generic": counting{&asked}},
	})
	const versions = 300
	for v := range versions {
		w.put(1, registry.Draft{Package: "tool", PackageKey: "tool", Version: fmt.Sprint(v), VersionKey: fmt.Sprint(v)}, `1`)
	}
	for _, step := range []struct {
		what string
		do   func()
		want int64
	}{
		{"the first look", func() {}, versions},
		{"another look", func() {}, 0},
		{"a publish", func() {
			w.put(1, registry.Draft{Package: "tool", PackageKey: "tool", Version: "new", VersionKey: "new"}, `1`)
		}, 1},
		{"a deletion", func() { w.edit(func(e *registry.Edit, v *packhouse.Version) error { return e.Delete(v) }, "7") }, 0},
		{"a tag", func() { w.edit(func(e *registry.Edit, v *packhouse.Version) error { return e.Tag("latest", v) }, "8") }, 0},
	} {
		asked.Store(0)
		step.do()
		w.listing(r)
		if got := asked.Load(); got != step.want {
			t.Errorf("after %s %d versions were looked at, want %d", step.what, got, step.want)
		}
	}
}

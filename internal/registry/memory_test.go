package registry_test

import (
	"encoding/binary"
	"fmt"
	"sync"
	"testing"

	"packhouse"
	"packhouse/internal/blob/blobtest"
	"packhouse/internal/ledger"
)

// numbered makes content that tells its number, small or large.
func numbered(n, size int) []byte {
	content := blobtest.Bytes(size, uint64(n))
	binary.BigEndian.PutUint64(content, uint64(n))
	return content
}

// TestNeverStale: whoever reads after a publish or deletion has returned sees it,
// however many others read the same meanwhile and have it remembered.
func TestNeverStale(t *testing.T) {
	for _, size := range []int{100, large} {
		t.Run(fmt.Sprintf("size=%d", size), func(t *testing.T) {
			t.Parallel()
			testNeverStale(t, newWorld(t, nil), size)
		})
	}
}

func testNeverStale(t *testing.T, w *world, size int) {
	const files, rounds = 3, 25
	stop := make(chan struct{})
	var reading, writing sync.WaitGroup
	for range 4 {
		reading.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := w.read("1.0", fmt.Sprintf("file-%d", i%files)); err != nil && packhouse.KindOf(err) != packhouse.NotFound {
					t.Errorf("read = %v, want success or NotFound", err)
				}
			}
		})
	}
	for file := range files {
		writing.Go(func() { w.hammer(fmt.Sprintf("file-%d", file), size, rounds) })
	}
	writing.Wait()
	close(stop)
	reading.Wait()
}

// hammer publishes a file again and again, deletes it now and then, and reads it
// after each step. Nobody else writes that file.
func (w *world) hammer(path string, size, rounds int) {
	for n := range rounds {
		out, err := w.publish("1.0", path, numbered(n, size))
		if err != nil {
			w.t.Errorf("publish = %v, want success", err)
			return
		}
		if got, err := w.read("1.0", path); err != nil || binary.BigEndian.Uint64(got) != uint64(n) {
			w.t.Errorf("%s after publish %d holds another one, %v", path, n, err)
			return
		}
		if n%3 != 2 {
			continue
		}
		for _, id := range w.idsOf(out.Version.ID, path) {
			if err := w.hosted().DeleteFile(w.t.Context(), out.Version.ID, id); err != nil {
				w.t.Errorf("DeleteFile = %v, want success", err)
			}
		}
		if _, err := w.read("1.0", path); packhouse.KindOf(err) != packhouse.NotFound || err == nil {
			w.t.Errorf("%s after its deletion = %v, want NotFound", path, err)
		}
	}
}

func (w *world) idsOf(version int64, path string) (ids []int64) {
	_, files := w.live()
	for _, f := range files[version] {
		if f.Path == path {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

// A file that was remembered is gone with its version, and back with a new one.
func TestStatusAndVersions(t *testing.T) {
	w := newWorld(t, nil)
	out := w.published("1.0", "file", []byte("one"))
	w.wantContent("1.0", "file", []byte("one"))
	w.status("1.0", packhouse.StatusError)
	w.wantMissing("1.0", "file")
	_, err := w.registry.OpenFile(t.Context(), 1, out.Version.ID, out.Files[0].ID)
	w.wantKind("OpenFile of an errored version", err, packhouse.NotFound)
	w.status("1.0", packhouse.StatusHidden)
	w.wantContent("1.0", "file", []byte("one"))
	w.must(w.hosted().DeleteVersion(t.Context(), out.Version.ID))
	w.wantMissing("1.0", "file")
	w.published("1.0", "file", []byte("two"))
	w.wantContent("1.0", "file", []byte("two"))
	w.wantKind("deleting the old one again", w.hosted().DeleteVersion(t.Context(), out.Version.ID), packhouse.NotFound)
	w.wantContent("1.0", "file", []byte("two"))
}

// status publishes one more file to a version, with a status for all of it.
func (w *world) status(version string, s packhouse.Status) {
	w.t.Helper()
	f, err := w.hosted().Receive(w.t.Context(), incoming("status-"+string(s), []byte("x")))
	w.must(err)
	defer f.Release()
	d := draft(version, f)
	d.Status = s
	_, err = w.hosted().Publish(w.t.Context(), d)
	w.must(err)
}

// A group gives the newest file of the projects that may be read.
func TestGroup(t *testing.T) {
	w := newWorld(t, nil)
	for project := int64(1); project <= 3; project++ {
		h := w.registry.Hosted(project, "generic", packhouse.Actor{}, ledger.By{})
		f, err := h.Receive(t.Context(), incoming("file", fmt.Appendf(nil, "of %d", project)))
		w.must(err)
		_, err = h.Publish(t.Context(), draft("1.0", f))
		w.must(err)
		f.Release()
	}
	for want, readable := range map[string][]int64{"of 3": {1, 2, 3}, "of 2": {1, 2}, "of 1": {1}} {
		source := w.registry.Group(readers(readable))
		if got, err := contentOf(source.Open(t.Context(), ref("1.0", "file"))); err != nil || string(got) != want {
			t.Errorf("group of %v gives %q, %v, want %q", readable, got, err, want)
		}
	}
	_, err := w.registry.Group(readers(nil)).Open(t.Context(), ref("1.0", "file"))
	w.wantKind("group of nothing", err, packhouse.NotFound)
}

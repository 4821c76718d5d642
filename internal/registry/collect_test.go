package registry_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
	"packhouse/internal/blob/disk"
	"packhouse/internal/blob/mem"
	"packhouse/internal/registry"
)

// What a crash leaves behind is swept, what is under way is not.
func TestSweep(t *testing.T) {
	w := newWorld(t, nil)
	w.published("1.0", "file", blobtest.Bytes(large, 1))
	blobtest.MustPut(t, w.blobs, blobtest.Bytes(large, 2)) // received, and the process died
	u, err := w.blobs.Create(t.Context())
	w.must(err)
	w.must(u.Close()) // begun, and the process died
	received, err := w.hosted().Receive(t.Context(), incoming("other", blobtest.Bytes(large, 3)))
	w.must(err)
	w.wantBlobs("before", 3, 1)

	w.ahead.Store(0)
	if done := w.collect(); done != (registry.Collected{}) {
		t.Errorf("collected %+v of what is a moment old, want nothing", done)
	}
	w.ahead.Store(int64(2 * time.Hour))
	if done := w.collect(); done.Uploads != 1 || done.Orphans != 1 {
		t.Errorf("collected %+v, want one upload and one orphan", done)
	}
	w.wantBlobs("with one publish under way", 2, 0)
	_, err = w.hosted().Publish(t.Context(), draft("2.0", received))
	w.must(err)
	received.Release()
	w.wantContent("2.0", "other", blobtest.Bytes(large, 3))
	w.checkQuiet()
}

func TestPurge(t *testing.T) {
	w := newWorld(t, nil)
	large, small := w.published("1.0", "file", blobtest.Bytes(large, 1)), w.published("2.0", "file", []byte("small"))
	w.must(w.hosted().DeleteVersion(t.Context(), large.Version.ID))
	w.must(w.hosted().DeleteFile(t.Context(), small.Version.ID, small.Files[0].ID))
	w.wantMissing("1.0", "file")
	w.wantMissing("2.0", "file")
	w.ahead.Store(-int64(time.Hour))
	if done := w.collect(); done != (registry.Collected{}) {
		t.Errorf("collected %+v before the retention is over, want nothing", done)
	}
	w.wantBlobs("before the retention is over", 1, 0)
	w.ahead.Store(int64(time.Hour))
	if done := w.collect(); done.Files != 2 || done.Blobs != 1 {
		t.Errorf("collected %+v, want two files and one blob", done)
	}
	w.wantBlobs("after it", 0, 0)
}

var seeds = flag.Int("interleavings", 6, "how many random interleavings to try")

// interleaved is a world in which many do something at once.
type interleaved struct{ *world }

// TestInterleavings publishes, deletes, reads and collects at once, by seeds. At
// no time is a listed file unreadable, and in the end nothing is left over.
func TestInterleavings(t *testing.T) {
	for _, place := range []struct {
		name  string
		open  func(t *testing.T) blob.Store
		seeds int
	}{
		{"memory", func(*testing.T) blob.Store { return mem.New() }, *seeds},
		{"disk", func(t *testing.T) blob.Store {
			s, err := disk.New(t.TempDir(), disk.Options{})
			if err != nil {
				t.Fatalf("disk.New = %v, want success", err)
			}
			return s
		}, (*seeds + 3) / 4},
	} {
		for seed := range place.seeds {
			t.Run(fmt.Sprintf("%s/seed=%d", place.name, seed), func(t *testing.T) {
				t.Parallel()
				w := interleaved{newWorld(t, place.open(t))}
				w.refuseDuplicates()
				var working sync.WaitGroup
				for worker := range 6 {
					working.Go(func() { w.work(rand.New(rand.NewPCG(uint64(seed), uint64(worker))), 30) })
				}
				working.Wait()
				w.checkQuiet()
				w.deleteAll()
				w.checkQuiet()
				w.wantBlobs("after everything was deleted", 0, 0)
			})
		}
	}
}

// work does some steps. Few names and few contents make them meet.
func (w interleaved) work(random *rand.Rand, steps int) {
	for range steps {
		version, path := fmt.Sprintf("%d.0", random.IntN(3)), fmt.Sprintf("file-%d", random.IntN(2))
		content := blobtest.Bytes(large+random.IntN(2), uint64(random.IntN(3)))
		switch random.IntN(10) {
		case 0, 1, 2:
			_, err := w.publish(version, path, content)
			w.may(err)
		case 3:
			f, err := w.hosted().Receive(w.t.Context(), incoming(path, content))
			w.may(err)
			if err == nil {
				f.Release()
			}
		case 4, 5:
			w.deleteOne(random)
		case 6:
			_, err := w.registry.Purge(w.t.Context())
			w.may(err)
		case 7:
			_, err := w.registry.Sweep(w.t.Context())
			w.may(err)
		case 8:
			_, err := w.read(version, path)
			w.may(err)
		case 9:
			w.readListed(random)
		}
	}
}

// may reports an error that is no ordinary refusal.
func (w interleaved) may(err error) {
	if kind := packhouse.KindOf(err); err != nil && kind != packhouse.NotFound && kind != packhouse.Conflict {
		w.t.Errorf("%v, want success or a refusal", err)
	}
}

func (w interleaved) deleteOne(random *rand.Rand) {
	versions, files := w.live()
	if len(versions) == 0 {
		return
	}
	v := versions[random.IntN(len(versions))]
	if list := files[v.ID]; len(list) > 0 && random.IntN(2) == 0 {
		w.may(w.hosted().DeleteFile(w.t.Context(), v.ID, list[random.IntN(len(list))].ID))
		return
	}
	w.may(w.hosted().DeleteVersion(w.t.Context(), v.ID))
}

// readListed reads a file that is listed. Only one that was deleted meanwhile may
// be missing.
func (w interleaved) readListed(random *rand.Rand) {
	versions, files := w.live()
	if len(versions) == 0 || len(files[versions[0].ID]) == 0 {
		return
	}
	v := versions[0]
	f := files[v.ID][random.IntN(len(files[v.ID]))]
	_, err := contentOf(w.registry.OpenFile(w.t.Context(), 1, v.ID, f.ID))
	if err == nil {
		return
	}
	_, after := w.live()
	for _, still := range after[v.ID] {
		if still.ID == f.ID {
			w.t.Errorf("file %d of %s is listed and cannot be read: %v", f.ID, v.Number, err)
		}
	}
}

func (w interleaved) deleteAll() {
	versions, _ := w.live()
	var errs []error
	for _, v := range versions {
		errs = append(errs, w.hosted().DeleteVersion(w.t.Context(), v.ID))
	}
	w.must(errors.Join(errs...))
}

package registry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"packhouse/internal/blob/blobtest"
	"packhouse/internal/blob/mem"
)

// TestFaultyBlobs makes every call to the blob store fail in both ways: "failed,
// nothing written" and "failed, but written". A success is one, a failure lists
// nothing, and nothing is left over in the end.
func TestFaultyBlobs(t *testing.T) {
	fault := errors.New("injected fault")
	for _, op := range []blobtest.Op{blobtest.Create, blobtest.Write, blobtest.Commit, blobtest.Abort, blobtest.Delete} {
		for call := 1; call <= 3; call++ {
			for _, written := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s%d/written=%t", op, call, written), func(t *testing.T) {
					t.Parallel()
					s := blobtest.Faulty(mem.New(), blobtest.Plan{{Op: op, Call: call, Written: written, Err: fault}})
					testFaulty(t, newWorld(t, s), s)
				})
			}
		}
	}
}

func testFaulty(t *testing.T, w *world, s *blobtest.FaultyStore) {
	w.refuseDuplicates()
	for i := range 3 {
		version, content := fmt.Sprintf("%d.0", i), blobtest.Bytes(large, uint64(i))
		if _, err := w.publish(version, "file", content); err != nil {
			w.wantMissing(version, "file")
		} else {
			w.wantContent(version, "file", content)
		}
		_, _ = w.publish(version, "file", blobtest.Bytes(large, 9)) // a duplicate, which aborts and deletes
		_, _ = w.publish(version+".1", "file", content)             // the same bytes, which are spare
	}
	versions, _ := w.live()
	if err := w.hosted().DeleteVersion(t.Context(), versions[0].ID); err != nil {
		t.Errorf("DeleteVersion = %v, want success", err)
	}
	// The collector may meet the fault as well. It comes again.
	_, _ = w.registry.Purge(t.Context())
	_, _ = w.registry.Sweep(t.Context())
	w.checkQuiet()
	if s.Struck() > 1 {
		t.Errorf("%d faults struck, want at most one", s.Struck())
	}
}

// cancelled publishes a version and gives up after a moment.
func (w *world) cancelled(t *testing.T, i int) {
	t.Helper()
	version, content := fmt.Sprintf("%d.0", i), blobtest.Bytes(large, uint64(i))
	h := w.hosted()
	f, err := h.Receive(t.Context(), incoming("file", content))
	w.must(err)
	defer f.Release()
	ctx, cancel := context.WithCancel(t.Context())
	timer := time.AfterFunc(time.Duration(i)*20*time.Microsecond, cancel)
	_, err = h.Publish(ctx, draft(version, f))
	timer.Stop()
	cancel()
	switch {
	case err == nil:
		w.wantContent(version, "file", content)
	case errors.Is(err, context.Canceled):
		w.wantMissing(version, "file")
	default:
		t.Errorf("Publish = %v, want success or Canceled", err)
	}
}

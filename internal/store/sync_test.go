package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"packhouse"
	"packhouse/internal/store"
	"packhouse/internal/store/storetest"
)

// TestSyncFailure: after a failed sync nobody knows what the disk holds, so
// nothing is written any more, and what was there is still read.
func TestSyncFailure(t *testing.T) {
	t.Parallel()
	path := filepath.Join(memoryDir(t), "db")
	d := storetest.NewSQLiteDisk(path)
	s := openShaped(t, path, store.Shape{})
	mustPublish(t, s, "before", 1)
	position := s.Position()
	d.Fail("sync", 1, sqlite3.SQLITE_IOERR_FSYNC)
	var working sync.WaitGroup
	for i := range 8 {
		working.Go(func() {
			err := publishVersion(s, fmt.Sprintf("v%d", i), 1)
			if e := packhouse.AsError(err); e.Kind != packhouse.Unavailable || e.Rule != "disk" {
				t.Errorf("publish over a failed sync = %v, want Unavailable by the disk", err)
			}
		})
	}
	working.Wait()
	if err := publishVersion(s, "after", 1); packhouse.KindOf(err) != packhouse.Unavailable {
		t.Errorf("publish after a failed sync = %v, want Unavailable", err)
	}
	if _, syncs, struck := d.Counts(); struck != 1 || syncs != 1 {
		t.Errorf("%d syncs of which %d failed, want one and no other attempt", syncs, struck)
	}
	if err := errors.Join(countFiles(s, "before", 1), countFiles(s, "v0", 0)); err != nil {
		t.Errorf("reading after a failed sync: %v", err)
	}
	if s.Position() != position {
		t.Errorf("Position = %d, want %d", s.Position(), position)
	}
}

package store_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
	"packhouse/internal/store/storetest"
)

// batch runs updates that are all waiting when the writer turns to them, and
// returns their errors.
func batch(t *testing.T, s *store.Store, updates []func(*store.Tx) error) []error {
	t.Helper()
	errs := make([]error, len(updates))
	held, release := make(chan struct{}), make(chan struct{})
	var working sync.WaitGroup
	working.Go(func() {
		if err := s.Update(t.Context(), func(*store.Tx) error { close(held); <-release; return nil }); err != nil && packhouse.KindOf(err) != packhouse.Full {
			t.Errorf("Update that holds the others = %v, want success or a full disk", err)
		}
	})
	<-held
	for i, fn := range updates {
		working.Go(func() { errs[i] = s.Update(t.Context(), fn) })
		for s.Queued() <= i { // they come in order
			time.Sleep(100 * time.Microsecond)
		}
	}
	close(release)
	working.Wait()
	return errs
}

// openShaped opens a copy of the empty database.
func openShaped(t *testing.T, path string, shape store.Shape) *store.Store {
	t.Helper()
	storetest.EmptySQLite(t, path)
	s, err := store.OpenShaped(t.Context(), path, shape, store.Options{Log: quiet})
	if err != nil {
		t.Fatalf("OpenShaped = %v, want success", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v, want success", err)
		}
	})
	return s
}

// publishing makes an update that publishes a version with one file.
func publishing(t *testing.T, version string, size int) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		_, err := tx.Publish(t.Context(), ledger.By{}, versionOf(version, 1, size), refuseAll)
		return err
	}
}

// TestGroupCommit: updates that wait together are synced to disk together.
func TestGroupCommit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(memoryDir(t), "db")
	d := storetest.NewSQLiteDisk(path)
	s := openShaped(t, path, store.Shape{})
	d.Heal()
	var updates []func(*store.Tx) error
	for i := range 100 {
		updates = append(updates, publishing(t, fmt.Sprintf("v%d", i), contentSize))
	}
	for i, err := range batch(t, s, updates) {
		if err != nil {
			t.Errorf("Update %d = %v, want success", i, err)
		}
	}
	if _, syncs, _ := d.Counts(); syncs > 2 {
		t.Errorf("100 updates that waited together took %d syncs, want at most 2", syncs)
	}
}

// TestLostBatch: one update of many fills the disk and SQLite gives up the whole
// transaction. Nobody's work is half done, everybody gets an answer that says
// so, and those that come next succeed.
func TestLostBatch(t *testing.T) {
	t.Parallel()
	s := openShaped(t, filepath.Join(memoryDir(t), "db"), store.Shape{Pragma: "max_page_count(150)"})
	mustPublish(t, s, "before", 1)
	const huge = 8
	var updates []func(*store.Tx) error
	for i := range 20 {
		size := contentSize
		if i == huge {
			size = 1 << 20
		}
		updates = append(updates, publishing(t, fmt.Sprintf("v%d", i), size))
	}
	entries := int64(1)
	for i, err := range batch(t, s, updates) {
		version, files := fmt.Sprintf("v%d", i), 0
		switch {
		case err == nil && i > huge: // it came after the failure, in a transaction of its own
			files, entries = 1, entries+1
		case packhouse.KindOf(err) != packhouse.Full || i > huge:
			t.Errorf("publish of %s = %v, want Full up to the huge one and success after it", version, err)
		}
		if err := countFiles(s, version, files); err != nil {
			t.Errorf("after the batch: %v", err)
		}
	}
	if s.Position() != entries {
		t.Errorf("Position = %d, want %d", s.Position(), entries)
	}
	if err := s.View(t.Context(), func(tx *store.Tx) error { return checkLedger(t.Context(), tx) }); err != nil {
		t.Error(err)
	}
	mustPublish(t, s, "next", 1)
}

// TestLostBatchSwallowed: the update that fills the disk pretends that nothing
// happened and goes on writing, after SQLite has ended the transaction.
func TestLostBatchSwallowed(t *testing.T) {
	t.Parallel()
	s := openShaped(t, filepath.Join(memoryDir(t), "db"), store.Shape{Pragma: "max_page_count(150)"})
	errs := batch(t, s, []func(*store.Tx) error{
		publishing(t, "v0", contentSize),
		func(tx *store.Tx) error {
			_ = publishing(t, "v1", 1<<20)(tx)
			_ = tx.AddJob(t.Context(), "sweep", "", "", tx.Now())
			_ = publishing(t, "v2", contentSize)(tx)
			return nil
		},
		publishing(t, "v0", contentSize),
	})
	if packhouse.KindOf(errs[0]) != packhouse.Full || packhouse.KindOf(errs[1]) != packhouse.Full || errs[2] != nil {
		t.Errorf("Updates = %v, want Full, Full and success", errs)
	}
	for version, files := range map[string]int{"v0": 1, "v1": 0, "v2": 0} {
		if err := countFiles(s, version, files); err != nil {
			t.Error(err)
		}
	}
	err := s.View(t.Context(), func(tx *store.Tx) error {
		due, err := tx.DueJob(t.Context(), time.Now().Add(time.Hour))
		if due {
			t.Error("a job of the failed update is there")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestPanicAfterLoss: an update fills the disk and then panics.
func TestPanicAfterLoss(t *testing.T) {
	t.Parallel()
	s := openShaped(t, filepath.Join(memoryDir(t), "db"), store.Shape{Pragma: "max_page_count(150)"})
	func() {
		defer func() {
			if recover() != "thrown" {
				t.Error("the panic did not reach the caller")
			}
		}()
		_ = s.Update(t.Context(), func(tx *store.Tx) error {
			_ = publishing(t, "v1", 1<<20)(tx)
			panic("thrown")
		})
	}()
	mustPublish(t, s, "next", 1)
}

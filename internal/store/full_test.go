package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
	"packhouse/internal/store/storetest"
)

// TestFullDisk fills the disk below a database and makes room again. Meanwhile
// nothing is torn, and afterwards the store goes on without being opened anew.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	path, free := smallDisk(t)
	s := openShaped(t, path, store.Shape{Checkpoint: 100})
	mustPublish(t, s, "before", 1)
	var refused []string
	for i := 0; len(refused) < 5 && i < 5000; i++ {
		version := fmt.Sprintf("v%d", i)
		err := s.Update(t.Context(), publishing(t, version, 16<<10))
		if err == nil {
			continue
		}
		if e := packhouse.AsError(err); e.Kind != packhouse.Full || e.Fix == "" {
			t.Fatalf("publish on a full disk = %v, want Full with advice", err)
		}
		refused = append(refused, version)
	}
	if len(refused) == 0 {
		t.Fatal("the disk never filled")
	}
	if err := countFiles(s, "before", 1); err != nil {
		t.Errorf("reading on a full disk: %v", err)
	}
	free()
	deleteVersion(t, s, "v0")
	for _, version := range refused {
		if err := countFiles(s, version, 0); err != nil {
			t.Errorf("a refused publish: %v", err)
		}
		mustPublish(t, s, version, 1)
	}
	if err := s.View(t.Context(), func(tx *store.Tx) error {
		entries, err := tx.Entries(t.Context(), 0, 1<<30)
		if int64(len(entries)) != s.Position() {
			t.Errorf("%d entries at position %d", len(entries), s.Position())
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

func deleteVersion(t *testing.T, s *store.Store, number string) {
	t.Helper()
	err := s.Update(t.Context(), func(tx *store.Tx) error {
		list, _, err := tx.Versions(t.Context(), store.VersionFilter{ProjectIDs: []int64{1}, Number: number}, store.Page{Limit: 1})
		if err != nil {
			return err
		}
		_, err = tx.Append(t.Context(), ledger.By{}, &ledger.VersionDelete{VersionID: list[0].ID})
		return err
	})
	if err != nil {
		t.Fatalf("delete %s = %v, want success", number, err)
	}
}

// smallDisk returns a path for a database on a file system of 8 MiB, most of
// which is taken, and a function that makes room. Where this process may not
// mount one, something stands in for it.
func smallDisk(t *testing.T) (path string, free func()) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, "db")
	if !mountSmall(t, dir) {
		d := storetest.NewSQLiteDisk(path)
		d.Room(1000)
		return path, func() { d.Room(1 << 30) }
	}
	hog := filepath.Join(dir, "hog")
	if err := os.WriteFile(hog, make([]byte, 4<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, func() {
		if err := os.Remove(hog); err != nil {
			t.Fatal(err)
		}
	}
}

package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"packhouse/internal/store"
	"packhouse/internal/store/storetest"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, now func() time.Time) *store.Store {
		path := filepath.Join(t.TempDir(), "db")
		storetest.EmptySQLite(t, path)
		s, err := store.OpenSQLite(t.Context(), path, store.Options{Now: now})
		if err != nil {
			t.Fatalf("OpenSQLite = %v, want success", err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Errorf("Close = %v, want success", err)
			}
		})
		return s
	})
}

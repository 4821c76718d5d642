package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"packhouse/internal/store"
	"packhouse/internal/store/storetest"
)

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) *store.Store {
		s, err := store.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "db"), store.Options{Now: now})
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

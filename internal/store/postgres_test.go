package store_test

import (
	"testing"
	"time"

	"packhouse/internal/store"
	"packhouse/internal/store/pgtest"
	"packhouse/internal/store/storetest"
)

func TestPostgres(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, now func() time.Time) *store.Store {
		return openPostgres(t, pgtest.Database(t), store.Options{Now: now})
	})
}

// openPostgres opens a database until the test ends.
func openPostgres(t testing.TB, address string, opts store.Options) *store.Store {
	t.Helper()
	opts.Log = quiet
	s, err := store.OpenPostgres(t.Context(), address, opts)
	if err != nil {
		t.Fatalf("OpenPostgres = %v, want success", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v, want success", err)
		}
	})
	return s
}

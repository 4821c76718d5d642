package storetest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"packhouse/internal/store"
)

var empty struct {
	sync.Once
	database []byte
}

// EmptySQLite writes a new database, in which nothing has happened, to path. It
// is made once in the process and copied from then on, which is quicker.
func EmptySQLite(t testing.TB, path string) {
	t.Helper()
	empty.Do(func() {
		path := filepath.Join(t.TempDir(), "empty")
		s, err := store.OpenSQLite(t.Context(), path, store.Options{})
		if err == nil {
			err = s.Close()
		}
		if err == nil {
			empty.database, err = os.ReadFile(path)
		}
		if err != nil {
			t.Errorf("make an empty database: %v", err)
		}
	})
	if err := os.WriteFile(path, empty.database, 0o600); err != nil {
		t.Fatal(err)
	}
}

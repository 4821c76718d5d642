package disk

import (
	"testing"

	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
)

func TestStore(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store { return open(t, t.TempDir(), Options{}) })
}

func open(t *testing.T, dir string, opts Options) *Store {
	t.Helper()
	s, err := New(dir, opts)
	if err != nil {
		t.Fatalf("New(%q) = %v, want success", dir, err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

package store_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"packhouse/internal/ledger"
	"packhouse/internal/store"
	"packhouse/internal/store/pgtest"
	"packhouse/internal/store/storetest"
)

// stores opens stores quickly: each begins as a copy of one empty database.
type stores struct {
	t     *testing.T
	dir   string
	count atomic.Int64
}

func newStores(t *testing.T) *stores {
	return &stores{t: t, dir: memoryDir(t)}
}

// memoryDir is a temporary folder for a test that asks nothing of a disk; where
// there is one, in memory.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "packhouse-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove %s: %v", dir, err)
		}
	})
	return dir
}

func (s *stores) open(t *rapid.T, now func() time.Time) *store.Store {
	path := filepath.Join(s.dir, fmt.Sprint(s.count.Add(1)))
	storetest.EmptySQLite(s.t, path)
	opened, err := store.OpenSQLite(t.Context(), path, store.Options{Now: now})
	if err != nil {
		t.Fatalf("OpenSQLite = %v, want success", err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Errorf("Close = %v, want success", err)
		}
	})
	return opened
}

func (s *stores) openPostgres(t *rapid.T) *store.Store {
	opened, err := store.OpenPostgres(t.Context(), pgtest.Database(s.t), store.Options{})
	if err != nil {
		t.Fatalf("OpenPostgres = %v, want success", err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Errorf("Close = %v, want success", err)
		}
	})
	return opened
}

// TestReplay writes a random history of every kind of change, the refused ones
// included, and applies its ledger to empty stores, of the other engine too.
//
// It runs fewer histories than rapid would by itself, which are enough to find
// a table forgotten in a moment; -rapid.checks=1000 looks further.
func TestReplay(t *testing.T) {
	t.Parallel()
	if checks := flag.Lookup("rapid.checks").Value; checks.String() == "100" {
		_ = checks.Set("20")
	}
	all := newStores(t)
	rapid.Check(t, func(t *rapid.T) {
		clock := storetest.NewClock()
		h := &history{t: t, store: all.open(t, clock.Now)}
		for range rapid.IntRange(5, 60).Draw(t, "updates") {
			h.update()
			clock.Advance(time.Duration(rapid.IntRange(0, 5000).Draw(t, "nanoseconds")))
		}
		entries := entriesOf(t, h.store)
		again := all.open(t, time.Now)
		replay(t, again, entries)
		wantSame(t, "tables after a replay", dump(t, again), dump(t, h.store))
		elsewhere := all.openPostgres(t)
		replay(t, elsewhere, entries)
		wantSame(t, "tables after a replay in PostgreSQL", dump(t, elsewhere), dump(t, h.store))

		// As it stood on that day: the rows that were true at a position are what
		// a replay up to it gives.
		seq := rapid.IntRange(0, len(entries)).Draw(t, "position")
		then := all.open(t, time.Now)
		replay(t, then, entries[:seq])
		wantSame(t, fmt.Sprintf("rows that were true at %d", seq), asOf(t, h.store, seq), asOf(t, then, seq))
	})
}

func entriesOf(t *rapid.T, s *store.Store) (entries []ledger.Entry) {
	err := s.View(t.Context(), func(tx *store.Tx) (err error) {
		entries, err = tx.Entries(t.Context(), 0, 1<<30)
		return err
	})
	if err != nil {
		t.Fatalf("Entries = %v, want success", err)
	}
	return entries
}

// replay applies entries in batches of random size.
func replay(t *rapid.T, s *store.Store, entries []ledger.Entry) {
	for len(entries) > 0 {
		n := rapid.IntRange(1, len(entries)).Draw(t, "batch")
		if err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.Replay(t.Context(), entries[:n]) }); err != nil {
			t.Fatalf("Replay = %v, want success", err)
		}
		entries = entries[n:]
	}
}

func dump(t *rapid.T, s *store.Store) map[string][]string {
	tables, err := s.Dump(t.Context())
	if err != nil {
		t.Fatalf("Dump = %v, want success", err)
	}
	return tables
}

func asOf(t *rapid.T, s *store.Store, seq int) map[string][]string {
	tables, err := s.AsOf(t.Context(), int64(seq))
	if err != nil {
		t.Fatalf("AsOf(%d) = %v, want success", seq, err)
	}
	return tables
}

func wantSame(t *rapid.T, what string, got, want map[string][]string) {
	for table := range maps.Keys(want) {
		if diff := cmp.Diff(want[table], got[table]); diff != "" {
			t.Fatalf("%s: %s (-want +got):\n%s", what, table, diff)
		}
	}
}

package store_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"packhouse/internal/store"
	"packhouse/internal/store/storetest"
)

func openEmpty(t *testing.T, opts store.Options) (*store.Store, string) {
	t.Helper()
	path := filepath.Join(memoryDir(t), "db")
	storetest.EmptySQLite(t, path)
	opts.Log = quiet
	s, err := store.OpenSQLite(t.Context(), path, opts)
	if err != nil {
		t.Fatalf("OpenSQLite = %v, want success", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v, want success", err)
		}
	})
	return s, path
}

// outside opens the database beside the store, as an administrator's tool does.
func outside(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// TestNoSnapshotLeft: readers that panic, fail or go away leave nothing open that
// would keep the log from being copied, and no connection is lost.
func TestNoSnapshotLeft(t *testing.T) {
	t.Parallel()
	s, path := openEmpty(t, store.Options{Readers: 2})
	mustPublish(t, s, "1.0", 1)
	for i := range 12 {
		ctx, cancel := context.WithCancel(t.Context())
		func() {
			defer func() { _ = recover() }()
			_ = s.View(ctx, func(tx *store.Tx) error {
				if _, err := tx.Entries(ctx, 0, 10); err != nil {
					return err
				}
				switch i % 3 {
				case 0:
					panic("thrown")
				case 1:
					cancel()
				}
				_, err := tx.Entries(ctx, 0, 10)
				return err
			})
		}()
		cancel()
	}
	var busy, length, copied int
	if err := outside(t, path).QueryRow("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &length, &copied); err != nil || busy != 0 {
		t.Errorf("checkpoint beside idle readers: busy %d, %v, want 0", busy, err)
	}
	if err := countFiles(s, "1.0", 1); err != nil {
		t.Error(err)
	}
}

// TestSchemaChange: a later release has added to the schema while this one runs.
func TestSchemaChange(t *testing.T) {
	t.Parallel()
	s, path := openEmpty(t, store.Options{})
	mustPublish(t, s, "1.0", 1)
	if err := countFiles(s, "1.0", 1); err != nil {
		t.Error(err)
	}
	db := outside(t, path)
	for _, q := range []string{
		"ALTER TABLE versions ADD COLUMN note TEXT", "ALTER TABLE files ADD COLUMN note TEXT",
		"CREATE TABLE notes (id INTEGER PRIMARY KEY)", "CREATE INDEX files_by_note ON files (note)",
	} {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	mustPublish(t, s, "2.0", 1)
	for _, version := range []string{"1.0", "2.0"} {
		if err := countFiles(s, version, 1); err != nil {
			t.Error(err)
		}
	}
}

func TestDownloadsAddUp(t *testing.T) {
	t.Parallel()
	s, _ := openEmpty(t, store.Options{})
	at := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	for _, list := range [][]store.Downloads{
		{{FileID: 1, Day: 1, Count: 2, Last: at}, {FileID: 1, Day: 2, Count: 3, Last: at}, {FileID: 2, Day: 1, Count: 10, Last: at}},
		{{FileID: 1, Day: 1, Count: 5, Last: at}},
	} {
		if err := s.Update(t.Context(), func(tx *store.Tx) error { return tx.AddDownloads(t.Context(), list) }); err != nil {
			t.Fatalf("AddDownloads = %v, want success", err)
		}
	}
	err := s.View(t.Context(), func(tx *store.Tx) error {
		for file, want := range map[int64]int64{1: 10, 2: 10, 3: 0} {
			if got, err := tx.Downloads(t.Context(), file); err != nil || got != want {
				t.Errorf("downloads of file %d = %d, %v, want %d", file, got, err, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestConnectionsClosed: a closed store leaves one plain file behind.
func TestConnectionsClosed(t *testing.T) {
	t.Parallel()
	s, path := openEmpty(t, store.Options{})
	mustPublish(t, s, "1.0", 1)
	if err := countFiles(s, "1.0", 1); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatalf("Close = %v, want success", err)
	}
	left, err := filepath.Glob(path + "*")
	if err != nil || len(left) != 1 {
		t.Errorf("a closed store leaves %v, %v, want the database alone", left, err)
	}
}

package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
	"packhouse/internal/store/storetest"
)

// contentSize is how long all files are, in bytes.
const contentSize = 100

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// TestEveryFault lets each write and each sync of a short history fail, one per
// run, by a full disk and by a broken one. What was acknowledged is there
// afterwards, what was refused is not, and nothing is half there.
func TestEveryFault(t *testing.T) {
	t.Parallel()
	for _, fault := range []struct {
		call string
		code int
		heal bool // the store goes on writing afterwards
	}{
		{"write", sqlite3.SQLITE_FULL, true},
		{"write", sqlite3.SQLITE_IOERR_WRITE, false},
		{"sync", sqlite3.SQLITE_IOERR_FSYNC, false},
	} {
		t.Run(fmt.Sprintf("%s %d", fault.call, fault.code), func(t *testing.T) {
			t.Parallel()
			struck := true
			for n := 1; struck; n++ {
				struck = testFault(t, fault.call, n, fault.code, fault.heal)
			}
		})
	}
}

// testFault runs the history with one fault and reports whether it was met.
func testFault(t *testing.T, call string, n, code int, heal bool) bool {
	t.Helper()
	path := filepath.Join(memoryDir(t), "db")
	storetest.EmptySQLite(t, path)
	d := storetest.NewSQLiteDisk(path)
	shape := store.Shape{Checkpoint: 12}
	s, err := store.OpenShaped(t.Context(), path, shape, store.Options{Log: quiet, Readers: 1})
	if err != nil {
		t.Fatalf("open = %v, want success", err)
	}
	mustPublish(t, s, "before", 1)
	d.Fail(call, n, code)
	outcomes := map[string]error{}
	for i := range 2 {
		version := fmt.Sprintf("v%d", i)
		outcomes[version] = publishVersion(s, version, 3)
	}
	_, _, struck := d.Counts()
	d.Heal()
	for version, err := range outcomes {
		if want := map[int]packhouse.Kind{sqlite3.SQLITE_FULL: packhouse.Full}[code]; err != nil && heal && packhouse.KindOf(err) != want {
			t.Errorf("%s %d: publish of %s = %v, want kind %d", call, n, version, err, want)
		}
	}
	if err := errors.Join(countFiles(s, "before", 1), s.View(t.Context(), func(*store.Tx) error { return nil })); err != nil {
		t.Errorf("%s %d: reading after the fault = %v, want success", call, n, err)
	}
	err = publishVersion(s, "after", 2)
	if heal && err != nil || !heal && err != nil && packhouse.KindOf(err) != packhouse.Unavailable {
		t.Errorf("%s %d: publish after the fault = %v, want success or a refusal", call, n, err)
	}
	outcomes["after"] = err
	if err := s.Close(); err != nil {
		t.Errorf("%s %d: Close = %v, want success", call, n, err)
	}
	checkReopened(t, fmt.Sprintf("%s %d", call, n), path, outcomes, heal)
	return struck > 0
}

// checkReopened opens a database anew and compares it with what was answered.
// Where the disk broke, a publish that failed may have happened after all.
func checkReopened(t *testing.T, name, path string, outcomes map[string]error, certain bool) {
	t.Helper()
	s, err := store.OpenSQLite(t.Context(), path, store.Options{Log: quiet, Readers: 1})
	if err != nil {
		t.Fatalf("%s: open again = %v, want success", name, err)
	}
	defer s.Close()
	for version, err := range outcomes {
		files := 3
		if version == "after" {
			files = 2
		}
		whole, none := countFiles(s, version, files), countFiles(s, version, 0)
		if err == nil && whole != nil {
			t.Errorf("%s: %s was acknowledged: %v", name, version, whole)
		}
		if err != nil && none != nil && (certain || whole != nil) {
			t.Errorf("%s: %s was refused with %v: %v", name, version, err, none)
		}
	}
	if err := s.View(t.Context(), func(tx *store.Tx) error { return checkLedger(t.Context(), tx) }); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	mustPublish(t, s, "next", 1)
}

// checkLedger looks for gaps and for files that are not in the ledger.
func checkLedger(ctx context.Context, tx *store.Tx) error {
	entries, err := tx.Entries(ctx, 0, 1<<30)
	if err != nil {
		return err
	}
	for i, e := range entries {
		if e.Seq != int64(i+1) {
			return fmt.Errorf("entry %d follows on %d", e.Seq, i)
		}
	}
	_, total, err := tx.Versions(ctx, store.VersionFilter{ProjectIDs: []int64{1}}, store.Page{Limit: 1})
	if err == nil && total != len(entries) {
		err = fmt.Errorf("%d versions after %d entries", total, len(entries))
	}
	return err
}

// publishVersion publishes a version with a number of files of a hundred bytes.
func publishVersion(s *store.Store, version string, files int) error {
	return s.Update(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Publish(context.Background(), ledger.By{}, versionOf(version, files, contentSize), refuseAll)
		return err
	})
}

func mustPublish(t *testing.T, s *store.Store, version string, files int) {
	t.Helper()
	if err := publishVersion(s, version, files); err != nil {
		t.Fatalf("publish of %s = %v, want success", version, err)
	}
}

func refuseAll(met store.Existing) error {
	return packhouse.Errorf(packhouse.Conflict, "%s is there", met.Path)
}

// versionOf makes a version of "tool" with files of a size that differ from all
// other files.
func versionOf(version string, files, size int) *store.Publication {
	p := &store.Publication{
		ProjectID: 1, Format: "generic", PackageName: "tool", PackageKey: "tool", Version: version, VersionKey: version,
	}
	for i := range files {
		path := fmt.Sprintf("file-%d", i)
		var digest packhouse.Digest
		copy(digest[:], version+"/"+path)
		p.Files = append(p.Files, store.NewFile{Path: path, Size: int64(size), SHA256: digest, Blob: store.Blob{Data: make([]byte, size)}})
	}
	return p
}

// countFiles checks that a version has a number of files, with their bytes.
func countFiles(s *store.Store, version string, want int) error {
	have := 0
	err := s.View(context.Background(), func(tx *store.Tx) error {
		for i := range 3 {
			ref := packhouse.FileRef{Format: "generic", Package: "tool", Version: version, Path: fmt.Sprintf("file-%d", i)}
			for l, err := range tx.Locate(context.Background(), 1, ref) {
				if err != nil {
					return err
				}
				if len(l.Blob.Data) != contentSize {
					return fmt.Errorf("%s has %d bytes, want %d", l.File.Path, len(l.Blob.Data), contentSize)
				}
				have++
			}
		}
		return nil
	})
	if err == nil && have != want {
		err = fmt.Errorf("%s has %d files, want %d", version, have, want)
	}
	return err
}

// TestPowerCut cuts the power at every sync of a history: only what a sync
// confirmed is left. Whatever was acknowledged before is there.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	path := filepath.Join(memoryDir(t), "db")
	d := storetest.NewSQLiteDisk(path)
	d.Remember()
	s, err := store.OpenShaped(t.Context(), path, store.Shape{Checkpoint: 12}, store.Options{Log: quiet})
	if err != nil {
		t.Fatalf("open = %v, want success", err)
	}
	defer s.Close()
	outcomes := map[string]error{}
	for i := range 12 {
		version := fmt.Sprintf("v%d", i)
		mustPublish(t, s, version, 3)
		outcomes[version] = nil
		cut := filepath.Join(memoryDir(t), "db")
		for from, content := range d.PowerCut() {
			if err := os.WriteFile(cut+from[len(path):], content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		checkReopened(t, "cut after "+version, cut, outcomes, true)
	}
}

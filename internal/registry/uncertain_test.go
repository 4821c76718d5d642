package registry_test

import (
	"os"
	"path/filepath"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"packhouse"
	"packhouse/internal/blob/blobtest"
	"packhouse/internal/blob/mem"
	"packhouse/internal/store/storetest"
)

// TestUncertainCommit: the disk does not confirm the commit of a publish. The
// answer is no success; but the rows may be there when the database is opened
// again, so nobody removes the bytes before that.
func TestUncertainCommit(t *testing.T) {
	path, blobs := filepath.Join(t.TempDir(), "db"), mem.New()
	d := storetest.NewSQLiteDisk(path)
	w := openWorld(t, path, blobs)
	content := blobtest.Bytes(large, 1)
	w.published("1.0", "file", blobtest.Bytes(large, 2))
	d.Fail("sync", 1, sqlite3.SQLITE_IOERR_FSYNC)
	_, err := w.publish("2.0", "file", content)
	w.wantKind("Publish over a failed sync", err, packhouse.Unavailable)
	w.wantMissing("2.0", "file")
	w.wantBlobs("after the request", 2, 0)
	for range 2 {
		_, err := w.registry.Sweep(t.Context())
		w.wantKind("Sweep of a store that stopped writing", err, packhouse.Unavailable)
		_, err = w.registry.Purge(t.Context())
		w.wantKind("Purge of a store that stopped writing", err, packhouse.Unavailable)
	}
	w.wantBlobs("after the collector", 2, 0)
	_, err = w.publish("3.0", "file", blobtest.Bytes(large, 3))
	w.wantKind("Publish after a failed sync", err, packhouse.Unavailable)
	w.wantBlobs("after a publish that came too late", 3, 0)

	// The process is killed. What the files hold is what the next one finds: here
	// the disk had written the commit after all.
	again := filepath.Join(t.TempDir(), "db")
	for _, suffix := range []string{"", "-wal"} {
		held, err := os.ReadFile(path + suffix)
		w.must(err)
		w.must(os.WriteFile(again+suffix, held, 0o600))
	}
	reopened := openWorld(t, again, blobs)
	reopened.wantContent("2.0", "file", content)
	reopened.checkQuiet()
	reopened.wantBlobs("after collecting anew", 2, 0)
}

// TestFullDatabase: a publish that the database has no room for certainly did not
// happen, and leaves nothing.
func TestFullDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	d := storetest.NewSQLiteDisk(path)
	w := openWorld(t, path, mem.New())
	d.Fail("write", 1, sqlite3.SQLITE_FULL)
	_, err := w.publish("1.0", "file", blobtest.Bytes(large, 1))
	w.wantKind("Publish", err, packhouse.Full)
	w.wantBlobs("after a refused publish", 0, 0)
	w.published("1.0", "file", blobtest.Bytes(large, 1))
	w.checkQuiet()
}

// TestCancelledPublish: the client goes away. The publish happens or not, and
// either way nothing is left over.
func TestCancelledPublish(t *testing.T) {
	w := newWorld(t, nil)
	for i := range 20 {
		w.cancelled(t, i)
	}
	w.checkQuiet()
}

package storetest

import (
	"context"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

var purgeTests = map[string]func(*testing.T, *fixture){
	"purge/after its time":        testPurgeTime,
	"purge/shared bytes":          testPurgeShared,
	"purge/published again":       testPurgePublishedAgain,
	"purge/in batches":            testPurgeBatches,
	"purge/nothing to do":         testPurgeNothing,
	"purge/bytes in the database": testPurgeInline,
}

// keyed publishes a version of one file whose bytes are in the blob store.
func (f *fixture) keyed(version, content, key string) *store.Published {
	f.t.Helper()
	p := publication(version)
	p.Files = []store.NewFile{keyedFile("file", content, key)}
	return f.published(p)
}

func (f *fixture) deleteVersion(v packhouse.Version) {
	f.t.Helper()
	f.must(f.append(&ledger.VersionDelete{Site: site(v.Key), VersionID: v.ID}))
}

// purge purges what was deleted before the clock's time.
func (f *fixture) purge(limit int) (keys []string, files int) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx *store.Tx) (err error) {
		keys, files, err = tx.Purge(ctx, ledger.By{}, f.clock.Now(), limit)
		return err
	})
	return keys, files
}

func testPurgeTime(t *testing.T, f *fixture) {
	out := f.keyed("1.0", "bytes", "key")
	f.deleteVersion(out.Version)
	keys, files := f.purge(10)
	f.wantEqual("keys at the moment of the deletion", keys, []string(nil))
	f.wantEqual("files at the moment of the deletion", files, 0)
	f.clock.Advance(time.Microsecond)
	keys, files = f.purge(10)
	f.wantEqual("keys after it", keys, []string{"key"})
	f.wantEqual("files after it", files, 1)
	f.view(func(ctx context.Context, tx *store.Tx) error {
		known, err := tx.HasBlobKey(ctx, "key")
		f.wantEqual("HasBlobKey", known, false)
		_, blobErr := tx.BlobOf(ctx, out.Files[0].SHA256)
		f.wantKind("BlobOf", blobErr, packhouse.NotFound)
		return err
	})
	keys, files = f.purge(10)
	f.wantEqual("purged again", len(keys)+files, 0)
}

func testPurgeShared(t *testing.T, f *fixture) {
	one, two := f.keyed("1.0", "same", "key-1"), f.keyed("2.0", "same", "key-2")
	f.wantEqual("spare", two.Spare, []string{"key-2"})
	f.deleteVersion(one.Version)
	f.clock.Advance(time.Hour)
	keys, files := f.purge(10)
	f.wantEqual("files", files, 1)
	f.wantEqual("keys while another file needs the bytes", keys, []string(nil))
	f.wantEqual("the other located", f.locate(1, ref("2.0", "file")), []int64{two.Files[0].ID})
	f.deleteVersion(two.Version)
	keys, _ = f.purge(10)
	f.wantEqual("keys while a deleted file keeps the bytes", keys, []string(nil))
	f.clock.Advance(time.Hour)
	keys, _ = f.purge(10)
	f.wantEqual("keys with the last file", keys, []string{"key-1"})
}

func testPurgePublishedAgain(t *testing.T, f *fixture) {
	f.deleteVersion(f.keyed("1.0", "same", "key-1").Version)
	f.clock.Advance(time.Hour)
	again := f.keyed("1.0", "same", "key-2")
	f.wantEqual("spare while the deleted file keeps the bytes", again.Spare, []string{"key-2"})
	keys, files := f.purge(10)
	f.wantEqual("files", files, 1)
	f.wantEqual("keys", keys, []string(nil))
	f.deleteVersion(again.Version)
	f.clock.Advance(time.Hour)
	f.purge(10)
	third := f.keyed("1.0", "same", "key-3")
	f.wantEqual("spare after the bytes were given up", third.Spare, []string(nil))
}

func testPurgeBatches(t *testing.T, f *fixture) {
	for i, version := range numbered("%d.0", 5) {
		f.deleteVersion(f.keyed(version, version, numbered("key-%d", 5)[i]).Version)
		f.clock.Advance(time.Second)
	}
	var all []string
	for _, want := range []int{2, 2, 1, 0} {
		keys, files := f.purge(2)
		f.wantEqual("files of a batch", files, want)
		all = append(all, keys...)
	}
	f.wantEqual("keys in the order of deletion", all, numbered("key-%d", 5))
}

func testPurgeNothing(t *testing.T, f *fixture) {
	f.keyed("1.0", "bytes", "key")
	before := len(f.entries())
	f.clock.Advance(time.Hour)
	f.purge(10)
	f.wantEqual("entries", len(f.entries()), before)
}

func testPurgeInline(t *testing.T, f *fixture) {
	out := f.published(publication("1.0", "a", "b"))
	f.deleteVersion(out.Version)
	f.clock.Advance(time.Hour)
	keys, files := f.purge(10)
	f.wantEqual("keys", keys, []string(nil))
	f.wantEqual("files", files, 2)
	err := f.View(t.Context(), func(tx *store.Tx) error {
		_, err := tx.BlobOf(t.Context(), out.Files[0].SHA256)
		return err
	})
	f.wantKind("BlobOf", err, packhouse.NotFound)
}

package storetest

import (
	"context"
	"testing"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

var publishTests = map[string]func(*testing.T, *fixture){
	"publish/new":                testPublishNew,
	"publish/existing":           testPublishExisting,
	"publish/duplicate":          testPublishDuplicate,
	"publish/refused":            testPublishRefused,
	"publish/same path twice":    testPublishSamePathTwice,
	"publish/after delete":       testPublishAfterDelete,
	"publish/spare keys":         testPublishSpareKeys,
	"publish/empty file":         testPublishEmptyFile,
	"publish/not UTF-8":          testPublishNotUTF8,
	"publish/metadata not JSON":  testPublishMetadataNotJSON,
	"publish/other spelling":     testPublishOtherSpelling,
	"publish/pipeline and files": testPublishPipeline,
}

func testPublishNew(t *testing.T, f *fixture) {
	p := publication("1.0", "a", "b")
	p.Metadata = []byte(`{ "a": "<b>" }`)
	out, err := f.publish(p, func(met store.Existing) error {
		t.Errorf("judge was asked about %+v, want no question", met)
		return nil
	})
	f.must(err)
	want := packhouse.Version{
		ID: out.Version.ID, Number: "1.0", Key: "1.0", Status: packhouse.StatusDefault, CreatedAt: f.clock.Now(), CreatorID: 7,
		Package:  packhouse.Package{ID: out.Version.Package.ID, ProjectID: 1, Format: "generic", Name: "tool", Key: "tool"},
		Metadata: out.Version.Metadata,
	}
	f.wantEqual("Publish", out.Version, want)
	stored, err := f.version(out.Version.ID)
	f.must(err)
	f.wantEqual("Version", *stored, want)
	f.view(func(ctx context.Context, tx *store.Tx) error {
		list, total, err := tx.Files(ctx, out.Version.ID, store.Page{Limit: 10})
		f.wantEqual("total", total, 2)
		f.wantEqual("Files", list, out.Files)
		return err
	})
	f.wantEqual("first file", out.Files[0], packhouse.File{
		ID: out.Files[0].ID, VersionID: out.Version.ID, Path: "a", Size: 1, SHA256: fileOf("a", "a").SHA256,
		MD5: "md5 of a", CreatedAt: f.clock.Now(),
	})
}

func testPublishExisting(t *testing.T, f *fixture) {
	first := f.published(publication("1.0", "a"))
	f.clock.Advance(1e9)
	more := publication("1.0", "b")
	more.CreatorID, more.Metadata = 8, []byte(`{"later":true}`)
	second, err := f.publish(more, refuse)
	f.must(err)
	f.wantEqual("version of the second publish", second.Version, first.Version)
	other := f.published(publication("2.0", "a"))
	f.wantEqual("package of another version", other.Version.Package, first.Version.Package)
	if other.Version.ID == first.Version.ID {
		t.Errorf("versions 1.0 and 2.0 have the same id %d", other.Version.ID)
	}
}

func testPublishDuplicate(t *testing.T, f *fixture) {
	f.published(publication("1.0", "a", "b"))
	var met []store.Existing
	record := func(e store.Existing) error { met = append(met, e); return nil }
	for copies := 1; copies <= 2; copies++ {
		met = nil
		out, err := f.publish(publication("1.0", "a", "new"+string(rune('0'+copies))), record)
		f.must(err)
		f.wantEqual("questions to the judge", met, []store.Existing{{Path: "a", Copies: copies}})
		f.wantEqual("copy", out.Files[0].Copy, copies)
		f.wantEqual("copy of the new file", out.Files[1].Copy, 0)
	}
}

func testPublishRefused(t *testing.T, f *fixture) {
	f.published(publication("1.0", "b"))
	before, position := len(f.entries()), f.Position()
	p := publication("1.0", "a", "b")
	p.Status, p.Files[0].Blob = packhouse.StatusHidden, store.Blob{Key: "key-a"}
	_, err := f.publish(p, refuse)
	f.wantKind("Publish", err, packhouse.Conflict)
	f.wantEqual("entries", len(f.entries()), before)
	f.wantEqual("Position", f.Position(), position)
	f.wantEqual("files called a", f.locate(1, ref("1.0", "a")), []int64(nil))
	f.view(func(ctx context.Context, tx *store.Tx) error {
		known, err := tx.HasBlobKey(ctx, "key-a")
		f.wantEqual("HasBlobKey", known, false)
		return err
	})
}

func testPublishSamePathTwice(t *testing.T, f *fixture) {
	_, err := f.publish(publication("1.0", "a", "a"), allow)
	f.wantKind("Publish of one path twice at once", err, packhouse.Conflict)
	f.wantEqual("entries", len(f.entries()), 0)
}

func testPublishAfterDelete(t *testing.T, f *fixture) {
	first := f.published(publication("1.0", "a"))
	f.must(f.append(&ledger.VersionDelete{Site: site("1.0"), VersionID: first.Version.ID}))
	second, err := f.publish(publication("1.0", "a"), refuse)
	f.must(err)
	if second.Version.ID <= first.Version.ID || second.Files[0].ID <= first.Files[0].ID {
		t.Errorf("version %d and file %d after deleting %d and %d, want new ids",
			second.Version.ID, second.Files[0].ID, first.Version.ID, first.Files[0].ID)
	}
	f.wantEqual("located", f.locate(1, ref("1.0", "a")), []int64{second.Files[0].ID})
}

func testPublishSpareKeys(t *testing.T, f *fixture) {
	p := publication("1.0")
	p.Files = []store.NewFile{keyedFile("a", "same", "key-1"), keyedFile("b", "other", "key-2"), keyedFile("c", "same", "key-3")}
	f.wantEqual("spare keys", f.published(p).Spare, []string{"key-3"})
	p = publication("2.0")
	p.Files = []store.NewFile{keyedFile("a", "same", "key-4"), fileOf("small", "same"), keyedFile("d", "new", "key-5")}
	f.wantEqual("spare keys", f.published(p).Spare, []string{"key-4"})
	f.view(func(ctx context.Context, tx *store.Tx) error {
		for key, want := range map[string]bool{"key-1": true, "key-2": true, "key-3": false, "key-4": false, "key-5": true} {
			known, err := tx.HasBlobKey(ctx, key)
			if err != nil {
				return err
			}
			f.wantEqual(key, known, want)
		}
		b, err := tx.BlobOf(ctx, fileOf("", "same").SHA256)
		f.wantEqual("BlobOf", b, store.Blob{Key: "key-1"})
		return err
	})
}

func testPublishEmptyFile(t *testing.T, f *fixture) {
	p := publication("1.0")
	p.Files = []store.NewFile{{Path: "empty", SHA256: fileOf("", "").SHA256}}
	f.published(p)
	f.view(func(ctx context.Context, tx *store.Tx) error {
		b, err := tx.BlobOf(ctx, p.Files[0].SHA256)
		f.wantEqual("bytes of an empty file", len(b.Data), 0)
		f.wantEqual("key of an empty file", b.Key, "")
		return err
	})
}

func testPublishNotUTF8(t *testing.T, f *fixture) {
	_, err := f.publish(publication("1.0", "a\xff"), allow)
	f.wantKind("Publish of a path that is not UTF-8", err, packhouse.Invalid)
	for _, path := range []string{"a\ufffd", `a\ufffd`, "<ä&>\u2028"} {
		f.published(publication("1.0", path))
		f.wantEqual("number of files called "+path, len(f.locate(1, ref("1.0", path))), 1)
	}
}

func testPublishMetadataNotJSON(t *testing.T, f *fixture) {
	p := publication("1.0", "a")
	p.Metadata = []byte(`{"a":`)
	_, err := f.publish(p, allow)
	if err == nil {
		t.Error("Publish with broken metadata succeeded, want an error")
	}
	f.wantEqual("entries", len(f.entries()), 0)
}

func testPublishOtherSpelling(t *testing.T, f *fixture) {
	first := f.published(publication("1.0", "a"))
	p := publication("1.0", "b")
	p.PackageName, p.Version = "Tool", "1.0+x"
	f.wantEqual("version under another spelling", f.published(p).Version, first.Version)
}

func testPublishPipeline(t *testing.T, f *fixture) {
	p := publication("1.0", "a")
	p.Pipeline = &packhouse.Pipeline{ID: 4, SHA: "abc", ProjectID: 9}
	out := f.published(p)
	f.wantEqual("pipeline of the version", out.Version.Pipeline, p.Pipeline)
	stored, err := f.version(out.Version.ID)
	f.must(err)
	f.wantEqual("stored pipeline of the version", stored.Pipeline, p.Pipeline)
	f.view(func(ctx context.Context, tx *store.Tx) error {
		file, err := tx.File(ctx, out.Version.ID, out.Files[0].ID)
		f.wantEqual("File", file, &out.Files[0])
		return err
	})
	f.wantEqual("version of a later publish", f.published(publication("1.0", "b")).Version.Pipeline, p.Pipeline)
}

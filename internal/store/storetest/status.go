package storetest

import (
	"context"
	"testing"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

var statusTests = map[string]func(*testing.T, *fixture){
	"status/change keeps the id":     testStatusChange,
	"status/change by a publish":     testStatusByPublish,
	"delete/version":                 testDeleteVersion,
	"delete/file":                    testDeleteFile,
	"delete/what is not there":       testDeleteMissing,
	"delete/other project's version": testVersionOfAnotherProject,
}

func testStatusChange(t *testing.T, f *fixture) {
	out := f.published(publication("1.0", "a"))
	f.clock.Advance(1e9)
	f.must(f.append(&ledger.StatusChange{Site: site("1.0"), VersionID: out.Version.ID, Status: packhouse.StatusHidden}))
	changed, err := f.version(out.Version.ID)
	f.must(err)
	want := out.Version
	want.Status = packhouse.StatusHidden
	f.wantEqual("version after the change", *changed, want)
	f.wantEqual("located", f.locate(1, ref("1.0", "a")), []int64{out.Files[0].ID})
	f.must(f.append(
		&ledger.StatusChange{Site: site("1.0"), VersionID: out.Version.ID, Status: packhouse.StatusError},
		&ledger.StatusChange{Site: site("1.0"), VersionID: out.Version.ID, Status: packhouse.StatusDefault},
	))
	changed, err = f.version(out.Version.ID)
	f.must(err)
	f.wantEqual("version after two changes at once", *changed, out.Version)
}

func testStatusByPublish(t *testing.T, f *fixture) {
	hidden := publication("1.0", "a")
	hidden.Status = packhouse.StatusHidden
	first := f.published(hidden)
	f.wantEqual("status of a new version", first.Version.Status, packhouse.StatusHidden)
	f.wantEqual("entries of a new version", len(f.entries()), 1)
	f.wantEqual("status after a publish without one", f.published(publication("1.0", "b")).Version.Status, packhouse.StatusHidden)
	shown := publication("1.0", "c")
	shown.Status = packhouse.StatusDefault
	second := f.published(shown)
	f.wantEqual("id after a publish with another status", second.Version.ID, first.Version.ID)
	f.wantEqual("its status", second.Version.Status, packhouse.StatusDefault)
	stored, err := f.version(first.Version.ID)
	f.must(err)
	f.wantEqual("stored version", *stored, second.Version)
}

func testDeleteVersion(t *testing.T, f *fixture) {
	doomed, kept := f.published(publication("1.0", "a", "b")), f.published(publication("2.0", "a"))
	f.must(f.append(
		&ledger.TagPut{Site: site("1.0"), PackageID: doomed.Version.Package.ID, VersionID: doomed.Version.ID, Name: "old"},
		&ledger.TagPut{Site: site("2.0"), PackageID: kept.Version.Package.ID, VersionID: kept.Version.ID, Name: "new"},
		&ledger.VersionDelete{Site: site("1.0"), VersionID: doomed.Version.ID},
	))
	_, err := f.version(doomed.Version.ID)
	f.wantKind("Version", err, packhouse.NotFound)
	f.wantEqual("its files by name", f.locate(1, ref("1.0", "a")), []int64(nil))
	f.wantEqual("files of the other", f.locate(1, ref("2.0", "a")), []int64{kept.Files[0].ID})
	f.view(func(ctx context.Context, tx *store.Tx) error {
		list, total, err := tx.Files(ctx, doomed.Version.ID, store.Page{Limit: 9})
		f.wantEqual("its files", len(list)+total, 0)
		_, fileErr := tx.File(ctx, doomed.Version.ID, doomed.Files[0].ID)
		f.wantKind("File", fileErr, packhouse.NotFound)
		return err
	})
	pkg := doomed.Version.Package.ID
	f.wantKind("taking off the tag of the deleted version",
		f.append(&ledger.TagRemove{Site: site(""), PackageID: pkg, Name: "old"}), packhouse.NotFound)
	f.must(f.append(&ledger.TagRemove{Site: site(""), PackageID: pkg, Name: "new"}))
}

func testDeleteFile(t *testing.T, f *fixture) {
	out := f.published(publication("1.0", "a", "b"))
	deletion := &ledger.FileDelete{Site: site("1.0"), VersionID: out.Version.ID, FileID: out.Files[0].ID}
	f.must(f.append(deletion))
	f.wantEqual("located", f.locate(1, ref("1.0", "a")), []int64(nil))
	f.wantEqual("the other located", f.locate(1, ref("1.0", "b")), []int64{out.Files[1].ID})
	f.wantKind("deleting it again", f.append(deletion), packhouse.NotFound)
	again, err := f.publish(publication("1.0", "a"), refuse)
	f.must(err)
	f.wantEqual("copy of the file after the deletion", again.Files[0].Copy, 0)
	if again.Files[0].ID <= out.Files[1].ID {
		t.Errorf("file id %d was given again", again.Files[0].ID)
	}
}

func testDeleteMissing(t *testing.T, f *fixture) {
	out := f.published(publication("1.0", "a"))
	other := f.published(publication("2.0", "a"))
	before := len(f.entries())
	for what, event := range map[string]ledger.Event{
		"deleting no version":           &ledger.VersionDelete{Site: site("9"), VersionID: 999},
		"changing no version":           &ledger.StatusChange{Site: site("9"), VersionID: 999, Status: packhouse.StatusHidden},
		"deleting no file":              &ledger.FileDelete{Site: site("1.0"), VersionID: out.Version.ID, FileID: 999},
		"deleting another's file":       &ledger.FileDelete{Site: site("1.0"), VersionID: out.Version.ID, FileID: other.Files[0].ID},
		"purging a file that is live":   &ledger.Purge{FileIDs: []int64{out.Files[0].ID}},
		"tagging no version":            &ledger.TagPut{Site: site("9"), PackageID: out.Version.Package.ID, VersionID: 999, Name: "x"},
		"tagging another package's":     &ledger.TagPut{Site: site("1.0"), PackageID: 999, VersionID: out.Version.ID, Name: "x"},
		"taking off a tag that is none": &ledger.TagRemove{Site: site(""), PackageID: out.Version.Package.ID, Name: "x"},
	} {
		f.wantKind(what, f.append(event), packhouse.NotFound)
	}
	f.wantEqual("entries", len(f.entries()), before)
}

func testVersionOfAnotherProject(t *testing.T, f *fixture) {
	p := publication("1.0", "a")
	p.ProjectID = 2
	out := f.published(p)
	_, err := f.version(out.Version.ID)
	f.wantKind("Version by the wrong project", err, packhouse.NotFound)
	f.wantEqual("located in the wrong project", f.locate(1, ref("1.0", "a")), []int64(nil))
	f.wantEqual("located in its project", f.locate(2, ref("1.0", "a")), []int64{out.Files[0].ID})
}

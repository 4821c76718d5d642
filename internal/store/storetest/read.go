package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

var readTests = map[string]func(*testing.T, *fixture){
	"locate/newest first":      testLocateNewestFirst,
	"locate/across projects":   testLocateAcross,
	"locate/what it tells":     testLocateDetails,
	"locate/stops early":       testLocateStops,
	"symbols/by their path":    testSymbols,
	"versions/filter":          testVersionsFilter,
	"versions/pages":           testVersionsPages,
	"versions/after an id":     testVersionsAfter,
	"versions/deleted":         testVersionsDeleted,
	"files/pages":              testFilesPages,
	"blobs/unknown digest":     testUnknownDigest,
	"files/of another version": testFileOfAnotherVersion,
}

func testLocateNewestFirst(t *testing.T, f *fixture) {
	var want []int64
	for range 4 {
		want = append([]int64{f.published(publication("1.0", "a")).Files[0].ID}, want...)
	}
	f.published(publication("1.0", "b"))
	f.published(publication("1.1", "a"))
	f.wantEqual("located", f.locate(1, ref("1.0", "a")), want)
	// The newest goes, and the next copy is the newest again.
	v := f.published(publication("1.0", "c")).Version.ID
	f.must(f.append(&ledger.FileDelete{Site: site("1.0"), VersionID: v, FileID: want[0]}))
	want[0] = f.published(publication("1.0", "a")).Files[0].ID
	f.wantEqual("located after a deletion", f.locate(1, ref("1.0", "a")), want)
	f.must(f.append(&ledger.FileDelete{Site: site("1.0"), VersionID: v, FileID: want[2]}))
	want = append([]int64{f.published(publication("1.0", "a")).Files[0].ID}, slices.Delete(want, 2, 3)...)
	f.wantEqual("located after a deletion in the middle", f.locate(1, ref("1.0", "a")), want)
}

func testLocateAcross(t *testing.T, f *fixture) {
	var want []int64
	for _, project := range []int64{3, 1, 2, 1} {
		p := publication("1.0", "a")
		p.ProjectID = project
		want = append([]int64{f.published(p).Files[0].ID}, want...)
	}
	other := publication("1.0", "a")
	other.Format = "npm"
	f.published(other)
	f.wantEqual("located in all projects", f.locate(0, ref("1.0", "a")), want)
	f.wantEqual("located in project 1", f.locate(1, ref("1.0", "a")), []int64{want[0], want[2]})
}

func testLocateDetails(t *testing.T, f *fixture) {
	p := publication("1.0", "a")
	p.Pipeline = &packhouse.Pipeline{ID: 4}
	p.Files = append(p.Files, keyedFile("b", "bytes of b", "key-b"))
	out := f.published(p)
	for project, blobs := range map[int64][]store.Blob{
		1: {{Data: []byte("a")}, {Key: "key-b"}},
		0: {{}, {Key: "key-b"}}, // all projects: bytes are left to BlobOf
	} {
		for i, path := range []string{"a", "b"} {
			f.view(func(ctx context.Context, tx *store.Tx) error {
				for l, err := range tx.Locate(ctx, project, ref("1.0", path)) {
					f.must(err)
					v := out.Version
					v.Pipeline = nil // a file has its own
					f.wantEqual("located version", l.Version, v)
					f.wantEqual("located file", l.File, out.Files[i])
					f.wantEqual("located bytes", l.Blob, blobs[i])
				}
				return nil
			})
		}
	}
}

func testLocateStops(t *testing.T, f *fixture) {
	for range 3 {
		f.published(publication("1.0", "a"))
	}
	f.view(func(ctx context.Context, tx *store.Tx) error {
		for range 20 {
			for range tx.Locate(ctx, 1, ref("1.0", "a")) {
				break
			}
		}
		_, err := tx.Position(ctx)
		return err
	})
}

func testSymbols(t *testing.T, f *fixture) {
	const path = store.SymbolRoot + "a.pdb/1"
	for _, project := range []int64{1, 2} {
		for _, version := range []string{"1.0", "2.0"} {
			p := publication(version, path, "other/"+path)
			p.ProjectID = project
			f.published(p)
		}
	}
	other := publication("1.0", path)
	other.Format = "npm"
	f.published(other)
	find := func(format, path string) (found []string) {
		f.view(func(ctx context.Context, tx *store.Tx) error {
			for s, err := range tx.Symbols(ctx, format, path) {
				f.must(err)
				f.wantEqual("reference", s.Ref, packhouse.FileRef{Format: format, Package: "tool", Version: s.Ref.Version, Path: path})
				f.wantEqual("status", s.Status, packhouse.StatusDefault)
				found = append(found, fmt.Sprint(s.ProjectID, " ", s.Ref.Version))
			}
			return nil
		})
		return found
	}
	f.wantEqual("newest first", find("generic", path), []string{"2 2.0", "2 1.0", "1 2.0", "1 1.0"})
	f.wantEqual("of another format", find("npm", path), []string{"1 1.0"})
	f.wantEqual("of another path", find("generic", path+"0"), []string(nil))
	f.wantEqual("of what is no symbol", find("generic", "other/"+path), []string(nil))
	list := f.locate(2, ref("2.0", path))
	f.must(f.append(&ledger.FileDelete{Site: ledger.Site{ProjectID: 2, Format: "generic", PackageKey: "tool", VersionKey: "2.0"}, VersionID: f.versionOf(2, "2.0", path), FileID: list[0]}))
	f.wantEqual("after one was deleted", find("generic", path), []string{"2 1.0", "1 2.0", "1 1.0"})
}

// versionOf is the id of the version that a file of the package "tool" is in.
func (f *fixture) versionOf(project int64, version, path string) (id int64) {
	f.view(func(ctx context.Context, tx *store.Tx) error {
		for l, err := range tx.Locate(ctx, project, ref(version, path)) {
			f.must(err)
			id = l.Version.ID
		}
		return nil
	})
	return id
}

func testVersionsFilter(t *testing.T, f *fixture) {
	publish := func(format, name, number string, status packhouse.Status) {
		p := publication(number, "a")
		p.Format, p.PackageName, p.PackageKey, p.Status = format, name, name, status
		f.published(p)
	}
	publish("generic", "Tool", "1.0", "")
	publish("generic", "Tool", "2.0", packhouse.StatusHidden)
	publish("generic", "Tool", "3.0", packhouse.StatusError)
	publish("npm", "to_l", "1.0", "")
	publish("npm", "x%y", "1.0", "")
	elsewhere := publication("1.0", "a")
	elsewhere.ProjectID = 2
	f.published(elsewhere)
	hidden, all := []packhouse.Status{packhouse.StatusHidden},
		[]packhouse.Status{packhouse.StatusDefault, packhouse.StatusHidden, packhouse.StatusError}
	for _, test := range []struct {
		name   string
		filter store.VersionFilter
		want   []string
	}{
		{"everything", store.VersionFilter{}, []string{"Tool 1.0", "Tool 3.0", "to_l 1.0", "x%y 1.0"}},
		{"format", store.VersionFilter{Format: "npm"}, []string{"to_l 1.0", "x%y 1.0"}},
		{"part of the name in capitals", store.VersionFilter{Name: "OO"}, []string{"Tool 1.0", "Tool 3.0"}},
		{"underscore is no wildcard", store.VersionFilter{Name: "o_l"}, []string{"to_l 1.0"}},
		{"percent is no wildcard", store.VersionFilter{Name: "t%l"}, nil},
		{"percent", store.VersionFilter{Name: "%"}, []string{"x%y 1.0"}},
		{"backslash", store.VersionFilter{Name: `\`}, nil},
		{"number", store.VersionFilter{Number: "3.0"}, []string{"Tool 3.0"}},
		{"part of a number", store.VersionFilter{Number: "3"}, nil},
		{"hidden", store.VersionFilter{Statuses: hidden}, []string{"Tool 2.0"}},
		{"all statuses", store.VersionFilter{Statuses: all, Format: "generic"}, []string{"Tool 1.0", "Tool 2.0", "Tool 3.0"}},
		{"an empty list of statuses", store.VersionFilter{Statuses: []packhouse.Status{}, Format: "generic"}, []string{"Tool 1.0", "Tool 3.0"}},
	} {
		test.filter.ProjectIDs = []int64{1}
		f.view(func(ctx context.Context, tx *store.Tx) error {
			list, total, err := tx.Versions(ctx, test.filter, store.Page{Limit: 50})
			var got []string
			for _, v := range list {
				got = append(got, v.Package.Name+" "+v.Number)
			}
			f.wantEqual(test.name, got, test.want)
			f.wantEqual(test.name+": total", total, len(test.want))
			return err
		})
	}
}

func testVersionsPages(t *testing.T, f *fixture) {
	numbers := numbered("%d.0", 7)
	for _, number := range numbers {
		f.published(publication(number, "a"))
	}
	for _, descending := range []bool{false, true} {
		var got []string
		for offset := 0; offset < 9; offset += 3 {
			f.view(func(ctx context.Context, tx *store.Tx) error {
				list, total, err := tx.Versions(ctx, store.VersionFilter{ProjectIDs: []int64{1}}, store.Page{Offset: offset, Limit: 3, Descending: descending})
				f.wantEqual("total", total, len(numbers))
				for _, v := range list {
					got = append(got, v.Number)
				}
				return err
			})
		}
		f.wantEqual("numbers on all pages", got, numbers)
		slices.Reverse(numbers)
	}
}

// Pages that begin after an id, over more projects than one query takes.
func testVersionsAfter(t *testing.T, f *fixture) {
	var projects []int64
	numbers := numbered("%d.0", 7)
	for i, number := range numbers {
		p := publication(number, "a")
		p.ProjectID = int64(1 + i%2)
		f.published(p)
	}
	hidden := publication("hidden", "a")
	hidden.Status = packhouse.StatusHidden
	out := f.published(hidden)
	for id := range int64(250) {
		projects = append(projects, id+1)
	}
	for _, descending := range []bool{false, true} {
		var got []string
		for after := int64(0); ; {
			var list []packhouse.Version
			f.view(func(ctx context.Context, tx *store.Tx) (err error) {
				list, err = tx.VersionsAfter(ctx, store.VersionFilter{ProjectIDs: projects}, store.KeysetPage{After: after, Limit: 3, Descending: descending})
				return err
			})
			if len(list) == 0 {
				break
			}
			for _, v := range list {
				got = append(got, v.Number)
			}
			after = list[len(list)-1].ID
		}
		f.wantEqual("numbers on all pages", got, numbers)
		slices.Reverse(numbers)
	}
	f.view(func(ctx context.Context, tx *store.Tx) error {
		counts, err := tx.VersionCounts(ctx, projects)
		f.wantEqual("counts", counts, map[string]int{"generic": 7})
		if err != nil {
			return err
		}
		id, err := tx.VersionOfFile(ctx, out.Files[0].ID)
		f.wantEqual("version of the file", id, out.Version.ID)
		if err != nil {
			return err
		}
		_, err = tx.VersionOfFile(ctx, 999_999)
		f.wantEqual("version of no file", packhouse.KindOf(err), packhouse.NotFound)
		return nil
	})
}

func testVersionsDeleted(t *testing.T, f *fixture) {
	out := f.published(publication("1.0", "a"))
	f.must(f.append(&ledger.VersionDelete{Site: site("1.0"), VersionID: out.Version.ID}))
	f.view(func(ctx context.Context, tx *store.Tx) error {
		list, total, err := tx.Versions(ctx, store.VersionFilter{ProjectIDs: []int64{1}}, store.Page{Limit: 3})
		f.wantEqual("listed", len(list)+total, 0)
		return err
	})
}

func testFilesPages(t *testing.T, f *fixture) {
	paths := numbered("file-%d", 7)
	out := f.published(publication("1.0", paths...))
	f.published(publication("2.0", "other"))
	var got []string
	for offset := 0; offset < 9; offset += 3 {
		f.view(func(ctx context.Context, tx *store.Tx) error {
			list, total, err := tx.Files(ctx, out.Version.ID, store.Page{Offset: offset, Limit: 3})
			f.wantEqual("total", total, len(paths))
			for _, file := range list {
				got = append(got, file.Path)
			}
			return err
		})
	}
	f.wantEqual("paths on all pages", got, paths)
}

func testUnknownDigest(t *testing.T, f *fixture) {
	err := f.View(t.Context(), func(tx *store.Tx) error {
		_, err := tx.BlobOf(t.Context(), fileOf("", "never stored").SHA256)
		return err
	})
	f.wantKind("BlobOf", err, packhouse.NotFound)
}

func testFileOfAnotherVersion(t *testing.T, f *fixture) {
	one, two := f.published(publication("1.0", "a")), f.published(publication("2.0", "a"))
	err := f.View(t.Context(), func(tx *store.Tx) error {
		_, err := tx.File(t.Context(), one.Version.ID, two.Files[0].ID)
		return err
	})
	f.wantKind("File", err, packhouse.NotFound)
}

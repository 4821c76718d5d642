package storetest

import (
	"testing"

	"packhouse"
	"packhouse/internal/ledger"
)

var tagTests = map[string]func(*testing.T, *fixture){
	"tags/put, move, remove":        testTags,
	"tags/same name, other package": testTagsOfTwoPackages,
}

func testTags(t *testing.T, f *fixture) {
	one, two := f.published(publication("1.0", "a")).Version, f.published(publication("2.0", "a")).Version
	put := func(v packhouse.Version) error {
		return f.append(&ledger.TagPut{Site: site(v.Key), PackageID: v.Package.ID, VersionID: v.ID, Name: "latest"})
	}
	remove := func() error {
		return f.append(&ledger.TagRemove{Site: site(""), PackageID: one.Package.ID, Name: "latest"})
	}
	f.wantKind("removing a tag before it is put", remove(), packhouse.NotFound)
	f.must(put(one))
	f.must(put(one))
	f.must(put(two))
	// Closing the version that the tag was on before leaves the tag alone.
	f.must(f.append(&ledger.VersionDelete{Site: site("1.0"), VersionID: one.ID}))
	f.wantKind("putting it on a deleted version", put(one), packhouse.NotFound)
	f.must(remove())
	f.wantKind("removing it again", remove(), packhouse.NotFound)
	f.must(put(two))
	f.must(f.append(&ledger.VersionDelete{Site: site("2.0"), VersionID: two.ID}))
	f.wantKind("removing the tag of a deleted version", remove(), packhouse.NotFound)
}

func testTagsOfTwoPackages(t *testing.T, f *fixture) {
	p := publication("1.0", "a")
	one := f.published(p).Version
	p.PackageName, p.PackageKey = "other", "other"
	two := f.published(p).Version
	for _, v := range []packhouse.Version{one, two} {
		f.must(f.append(&ledger.TagPut{Site: site("1.0"), PackageID: v.Package.ID, VersionID: v.ID, Name: "latest"}))
	}
	f.must(f.append(&ledger.TagRemove{Site: site(""), PackageID: one.Package.ID, Name: "latest"}))
	f.must(f.append(&ledger.TagRemove{Site: site(""), PackageID: two.Package.ID, Name: "latest"}))
}

package nuget

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden documents anew")

// golden compares a document with its file.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != string(got) {
		t.Errorf("%s = %s, want %s (%v)", name, got, want, err)
	}
}

func example(t *testing.T) *entry {
	t.Helper()
	m, err := parseNuspec([]byte(`<package><metadata minClientVersion="2.12"><id>My.Lib</id><version>1.0-RC.1+b</version><title>T &amp; T</title><authors>A, B</authors><description>d &lt;b&gt;</description>` +
		`<tags>t1 t2</tags><projectUrl>https://example.com/</projectUrl><license type="expression">MIT</license><icon>i.png</icon><dependencies><group targetFramework="net6.0"/>` +
		`<group targetFramework=".NETStandard2.0"><dependency id="Other" version="1.0"/><dependency id="Third" version="(,2.0]"/></group></dependencies></metadata></package>`))
	if err != nil {
		t.Fatal(err)
	}
	v, err := parseVersion(m.Version)
	if err != nil {
		t.Fatal(err)
	}
	return &entry{version: v, key: v.key(), manifest: m, listed: true, published: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), size: 3168, hash: "aGFzaA=="}
}

// Documents are what they were when somebody looked at them.
func TestGoldenDocuments(t *testing.T) {
	t.Parallel()
	const base = "https://r.example.com/api/v4/projects/1/packages/nuget"
	e := example(t)
	indented := func(v any) []byte {
		data, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return append(data, '\n')
	}
	golden(t, "page.json", indented(newPage(base, []*entry{e}, true)))
	golden(t, "search.json", indented(hit{newest: e, all: []*entry{e}}.result(base)))
	x := newFeed(base)
	x.feed("Search", []feedEntry{{entry: e, absolute: true}}, 3, base+"/v2/Search()?$skip=1&a=b")
	golden(t, "feed.xml", x.Bytes())
	golden(t, "schema.xml", []byte(feedSchema))
}

// Pages of a large registration begin and end where the index says, in order.
func TestPages(t *testing.T) {
	t.Parallel()
	var all []*entry
	for i := range 130 {
		e := *example(t)
		e.version, _ = parseVersion(fmt.Sprintf("1.%d.0", i))
		e.key = e.version.key()
		all = append(all, &e)
	}
	page := newPage("https://r.example.com", all[64:128], false)
	if page.Lower != "1.64.0" || page.Upper != "1.127.0" || page.Count != 64 || page.Items != nil {
		t.Errorf("page = %+v", page)
	}
	if page.ID != "https://r.example.com/metadata/my.lib/page/1.64.0/1.127.0.json" {
		t.Errorf("address = %s", page.ID)
	}
}

package nuget

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzVersion(f *testing.F) {
	for _, s := range []string{"1.0", "1.02.0.0+abc", "1.0.0.5", "1.0.0-RC.1", "1.0.0-01.a", "1.0.0.", "1"} {
		f.Add(s, "1.0.0-b")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		v, err := parseVersion(a)
		if err != nil {
			return
		}
		again, err := parseVersion(v.key())
		if err != nil || again.key() != v.key() || v.compare(again) != 0 {
			t.Errorf("key of %q is %q, whose key is %q, %v", a, v.key(), again.key(), err)
		}
		w, err := parseVersion(b)
		if err == nil && (v.compare(w) != -w.compare(v) || v.key() == w.key() && v.compare(w) != 0) {
			t.Errorf("compare(%q, %q) = %d, the other way %d", a, b, v.compare(w), w.compare(v))
		}
	})
}

func FuzzNuspec(f *testing.F) {
	f.Add([]byte(`<package><metadata><id>a</id><version>1.0</version><dependencies><group><dependency id="b" version="[1,2)"/></group></dependencies></metadata></package>`))
	f.Add([]byte(`<!DOCTYPE p [<!ENTITY x "y">]><package/>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseNuspec(data)
		if err != nil {
			return
		}
		if bytes.Contains(data, []byte("<!DOCTYPE")) && !bytes.Contains(data, []byte("<!--")) && !bytes.Contains(data, []byte("<![CDATA[")) && !bytes.Contains(data, []byte("<?")) &&
			!bytes.ContainsAny(data, `"'`) {
			t.Errorf("a document type was taken: %q", data)
		}
		key, err := idKey(m.ID)
		if err != nil || strings.ContainsAny(key, "/\\ ") || !utf8.ValidString(m.Description) {
			t.Errorf("parsed %+v", m)
		}
		v, err := parseVersion(m.Version)
		if err != nil {
			t.Errorf("version %q: %v", m.Version, err)
		}
		x := newFeed("http://r")
		x.entry(&feedEntry{entry: &entry{version: v, key: v.key(), manifest: m}}, true)
		if err := checkXML(x.Bytes()); err != nil && x.Len() < maxNuspec {
			t.Errorf("entry %s: %v", x.Bytes(), err)
		}
	})
}

func FuzzRange(f *testing.F) {
	for _, s := range []string{"1.0", "[1.0]", "[1.0, )", "(,2.0]", "1.*", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := rangeOf(s)
		if err != nil {
			return
		}
		if again, err := rangeOf(r); r != "(, )" && (err != nil || again != r) {
			t.Errorf("range of %q is %q, whose range is %q, %v", s, r, again, err)
		}
	})
}

func FuzzPackage(f *testing.F) {
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, spec, err := readPackage(bytes.NewReader(data), int64(len(data)))
		if err == nil && spec == nil {
			t.Error("a package without a nuspec was taken")
		}
	})
}

func FuzzFeed(f *testing.F) {
	f.Add("Packages(Id='a',Version='1.0')", "")
	f.Add("Search()", "searchTerm='a'&$skip=1&$filter=IsLatestVersion")
	f.Fuzz(func(t *testing.T, call, query string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		got, err := parseFeed(call, q)
		if err == nil && (!slices.Contains([]string{"Packages", "FindPackagesById", "Search"}, got.function) || got.top > feedPage || got.skip > maxSkip) {
			t.Errorf("parseFeed(%q, %q) = %+v", call, query, got)
		}
	})
}

package nuget

import (
	"archive/zip"
	"bytes"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"packhouse"
	"packhouse/internal/format"
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
	f.Add([]byte("\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?>\n" + `<package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata minClientVersion="2.12">` +
		`<id>My.Lib</id><version>1.0.0-rc.1+b</version><title>T &amp; T</title><authors>A, B</authors><requireLicenseAcceptance>true</requireLicenseAcceptance>` +
		`<license type="file">LICENSE.txt</license><icon>img\i.png</icon><readme>./R.md</readme><projectUrl>https://example.com/</projectUrl><tags>t1 t2</tags>` +
		`<packageTypes><packageType name="SymbolsPackage"/></packageTypes><dependencies><group targetFramework="net6.0"/>` +
		`<group targetFramework=".NETStandard2.0"><dependency id="Other" version="1.0" exclude="Build"/><dependency id="Third" version="(,2.0]"/></group></dependencies></metadata></package>`))
	f.Add([]byte(`<package><metadata><id>a</id><id>b</id><version>1.0</version></metadata></package>`))
	f.Add([]byte(`<package>` + strings.Repeat("<a>", 40) + `</package>`))
	f.Add([]byte(`<package><metadata><id>a</id><version>1.0</version><description><![CDATA[<b>&]]></description><tags>&#x85;&#9;</tags></metadata></package>`))
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
		if err := format.DecodeXML(x.Bytes(), new(struct{}), nil); err != nil && x.Len() < maxNuspec {
			t.Errorf("entry %s: %v", x.Bytes(), err)
		}
	})
}

func FuzzRange(f *testing.F) {
	for _, s := range []string{"1.0", "[1.0]", "[1.0, )", "(,2.0]", "1.*", "", "[1.0,2.0)", "(1.0-a.1+b, )", "1.0.0-*", "[,]", "(,)", " [ 1 , 2 ] ", "1"} {
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
	for _, names := range [][]string{{"a.nuspec"}, {"a.nuspec", "lib/a.dll", "_rels/.rels"}, {"a.nuspec", "b.nuspec"}, {"a.nuspec", "A.NUSPEC"}, {"../a.nuspec"}, {"a.nuspec", "lib/"}, {"lib/a.nuspec"}} {
		f.Add(archive(names...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		files, spec, err := readPackage(bytes.NewReader(data), int64(len(data)))
		if err == nil && spec == nil {
			t.Error("a package without a nuspec was taken")
		}
		if err != nil {
			if packhouse.KindOf(err) != packhouse.Invalid {
				t.Errorf("refused with %v", err)
			}
			return
		}
		for key := range files {
			if strings.Contains("/"+key+"/", "/../") || key != strings.ToLower(key) {
				t.Errorf("an entry is called %q", key)
			}
		}
		if text, err := readEntry(spec, maxNuspec); err == nil {
			_, _ = parseNuspec(text)
		}
	})
}

// archive is a zip file with entries of those names.
func archive(names ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		if e, err := w.Create(name); err == nil && !strings.HasSuffix(name, "/") {
			_, _ = io.WriteString(e, "<package/>")
		}
	}
	_ = w.Close()
	return b.Bytes()
}

// What is read of a PDB is the same however it comes in, and its checksum does not
// depend on its id.
func FuzzPDB(f *testing.F) {
	root := "BSJB\x01\x00\x01\x00\x00\x00\x00\x00\x0c\x00\x00\x00PDB v1.0\x00\x00\x00\x00\x00\x00"
	f.Add([]byte(root+"\x01\x00\x30\x00\x00\x00\x20\x00\x00\x00#Pdb\x00\x00\x00\x00"+strings.Repeat("i", 40)), 7)
	f.Add([]byte(root+"\x02\x00\x3c\x00\x00\x00\x20\x00\x00\x00#Pdb\x00\x00\x00\x00\x40\x00\x00\x00\x04\x00\x00\x00#~\x00\x00"+strings.Repeat("i", 40)), 1)
	f.Add([]byte(root+"\xff\xff\xff\xff\xff\xff"), 3)
	f.Add([]byte("Microsoft C/C++ MSF 7.00\r\n\x1aDS"), 5)
	f.Fuzz(func(t *testing.T, data []byte, step int) {
		signature, sum, from, err := readPDB(bytes.NewReader(data))
		if err != nil || from < 0 {
			return
		}
		if !signaturePattern.MatchString(signature) || !checksumPattern.MatchString("sha256:"+sum) {
			t.Errorf("key %q, %q", signature, sum)
		}
		inSteps := iotest.OneByteReader(bytes.NewReader(data))
		if step%2 == 0 {
			inSteps = iotest.HalfReader(iotest.DataErrReader(bytes.NewReader(data)))
		}
		if a, b, _, err := readPDB(inSteps); err != nil || a != signature || b != sum {
			t.Errorf("in steps: %q, %q, %v, want %q, %q", a, b, err, signature, sum)
		}
		other := bytes.Clone(data)
		other[from] ^= 1
		a, b, at, err := readPDB(bytes.NewReader(other))
		if err != nil || at != from || a == signature || b != sum {
			t.Errorf("with another id: %q, %q, %v, want %q and not %q", a, b, err, sum, signature)
		}
	})
}

// readPDB reads a PDB to its end; from is where its id is, -1 in what is no portable
// one.
func readPDB(r io.Reader) (signature, sum string, from int64, err error) {
	k, err := newKeyed(r)
	if err != nil || k == nil {
		return "", "", -1, err
	}
	if _, err := io.Copy(io.Discard, k); err != nil {
		return "", "", -1, err
	}
	signature, sum, err = k.key()
	return signature, sum, k.from, err
}

// A form is read as it was sent, whatever its pieces, but for the line before a last
// boundary that lacks its end.
func FuzzForm(f *testing.F) {
	const head = "--b\r\nContent-Disposition: form-data; name=package; filename=p.nupkg\r\n\r\n"
	f.Add([]byte(head+"data\r\n--b--\r\n"), "b")
	f.Add([]byte(head+"data\n--b--"), "b")
	f.Add([]byte(head+strings.Repeat("x", 70<<10)+"\n--b--\r\n"), "b")
	f.Add([]byte("--b\nContent-Disposition: form-data; name=package\n\ndata\n--b--"), "b")
	f.Add([]byte(head), "b")
	f.Fuzz(func(t *testing.T, data []byte, boundary string) {
		if len(boundary) == 0 || len(boundary) > 70 {
			return
		}
		got, err := io.ReadAll(newMended(iotest.HalfReader(bytes.NewReader(data)), boundary))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(got, data) {
			return
		}
		end := "--" + boundary + "--"
		whole := bytes.TrimRight(data, "\r\n")
		if want := strings.TrimSuffix(string(whole), "\n"+end) + "\r\n" + end; string(got) != want {
			t.Errorf("%q was read as %q", data, got)
		}
	})
}

func FuzzFeed(f *testing.F) {
	f.Add("Packages(Id='a',Version='1.0')", "")
	f.Add("Search()", "searchTerm='a'&$skip=1&$filter=IsLatestVersion")
	f.Add("FindPackagesById()", "id='My.Lib'&semVerLevel=2.0.0")
	f.Add("FindPackagesById()", "id='O''Neil'&$top=1&$orderby=Version desc")
	f.Add("Packages()", "$filter=(tolower(Id) eq 'x') and IsLatestVersion&$top=100000&$skip=-1")
	f.Add("Packages(Version='1.0',Id='a')", "")
	f.Add("Packages(Id='a'", "$filter='")
	f.Add("Search()", "$filter=IsLatestVersion&$orderby=Id&searchTerm='My'&targetFramework=''&includePrerelease=false&$skip=0&$top=30&semVerLevel=2.0.0")
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

package nuget_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"packhouse/internal/format/formattest"
)

// hostile is a push that has to be refused.
type hostile struct {
	name string
	body []byte
}

// xmls are nuspecs that are no nuspecs.
func xmls() map[string]string {
	good := spec("Lib", "1.0.0", "")
	head := `<?xml version="1.0"?>`
	bomb := `<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">`
	for i := range 9 {
		bomb += fmt.Sprintf(`<!ENTITY a%d "%s">`, i, strings.Repeat(fmt.Sprintf("&a%d;", i-1), 10))
	}
	body := good[strings.Index(good, "<package"):]
	all := map[string]string{
		"empty": "", "space": "   ", "text": "hello", "open": "<package>", "html": "<html><body/></html>", "no metadata": "<package/>",
		"bomb": head + bomb + "]>" + strings.Replace(body, "A, B", "&a8;", 1), "dtd": head + "<!DOCTYPE package>" + body,
		"external":           head + `<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + strings.Replace(body, "A, B", "&x;", 1),
		"external over http": head + `<!DOCTYPE p [<!ENTITY x SYSTEM "http://127.0.0.1:1/x">]>` + strings.Replace(body, "A, B", "&x;", 1),
		"parameter entity":   head + `<!DOCTYPE p [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x.dtd"> %x;]>` + body,
		"external subset":    head + `<!DOCTYPE p SYSTEM "http://127.0.0.1:1/x.dtd">` + body, "public": head + `<!DOCTYPE p PUBLIC "a" "http://127.0.0.1:1/">` + body,
		"late dtd": body + "<!DOCTYPE p []>", "dtd inside": strings.Replace(body, "<authors>", "<!ENTITY x 'y'><authors>", 1),
		"unknown entity": strings.Replace(body, "A, B", "&nbsp;", 1), "utf-16": "\xff\xfe<\x00p\x00", "utf-16be": "\xfe\xff\x00<\x00p",
		"latin": `<?xml version="1.0" encoding="iso-8859-1"?>` + body, "not utf-8": strings.Replace(body, "A, B", "\xff\xfe", 1),
		"nul": strings.Replace(body, "A, B", "\x00", 1), "control": strings.Replace(body, "A, B", "&#1;", 1),
		"two metadata": strings.Replace(body, "</package>", "<metadata><id>Other</id><version>1.0.0</version></metadata></package>", 1),
		"huge":         strings.Replace(body, "A, B", strings.Repeat("x", 2<<20), 1), "deep": strings.Replace(body, "A, B", strings.Repeat("<a>", 10000)+strings.Repeat("</a>", 10000), 1),
		"two ids": strings.Replace(body, "</metadata>", "<id>Other</id></metadata>", 1), "two versions": strings.Replace(body, "</metadata>", "<version>2.0.0</version></metadata>", 1),
		"no id": strings.Replace(body, "<id>Lib</id>", "", 1), "no version": strings.Replace(body, "<version>1.0.0</version>", "", 1),
		"mismatched": strings.Replace(body, "</authors>", "</author>", 1), "cut": body[:len(body)-20], "attribute twice or broken": strings.Replace(body, "<metadata>", "<metadata a=>", 1),
		"many dependencies": strings.Replace(body, "</metadata>", "<dependencies>"+strings.Repeat(`<dependency id="a" version="1.0"/>`, 3000)+"</dependencies></metadata>", 1),
		"many groups":       strings.Replace(body, "</metadata>", "<dependencies>"+strings.Repeat(`<group targetFramework="a"/>`, 3000)+"</dependencies></metadata>", 1),
	}
	return all
}

var badIDs = []string{
	"", " ", "a b", "../x", "..", ".", "a/b", `a\b`, "a%2fb", "ä", "a\u202eb", "a&lt;b", "a'b", "a&quot;b", "a:b", "a;b", "a|b", "a*b", "a?b", "a#b", "a@b", "a!b", "a$b",
	"a(b", "a)b", "a[b", "a]b", "a{b", "a}b", "a~b", "a`b", "a^b", "a=b", "a,b", "a&amp;b", "ａ", "…", "a\tb", "a\nb", "&#x2e;&#x2e;/x", strings.Repeat("a", 101), strings.Repeat("a", 5000), "....",
	"C:", "~/x", "a&#10;b", "😀", "é", "аpi", "id&#x200b;", "a&#xa0;b", "/etc/passwd", "//host/share", "file:///x", "&lt;script&gt;",
}

var badVersions = []string{
	"", " ", "1", "a", "v1.0", "1.", "1..0", "1.0.0.0.0", "-1.0", "1.0-", "1.0+", "1.0-+", "1.0-a..b", "1.0-.a", "1.0-a.", "1.0+a+b", "1.0 0", "1,0", "1.0/../2.0", "../1.0", `1.0\2`,
	"1.0-ä", "1.0_1", "1.0~1", "1.0:1", "1.0;1", "1.0*", "1.*", "*", "[1.0]", "1.0-a_b", "1.0'", "1.0&quot;", "1.0&lt;", "１.０", "1.0%2e", "1.0%00", "0x1.0", "1e5.0", "NaN", "∞", "1.0-" + strings.Repeat("a", 100),
	strings.Repeat("1", 100) + ".0", "1.0.0.0.0.0", "1.0.a", "1.a.0", "a.0.0", "1.0.0.a", "1.0.0-a b", "1.0\t0", "1.0&#10;2", "1.0.0-😀", "+1.0", ".1.0", "1.0.0--.", "1.0@1", "1.0#1", "1.0!", "1.0?x", "1.0=1", "1.0(1)", "1.0{1}",
}

var badRanges = []string{
	"a", "[", "]", "[]", "[,", "[1.0", "1.0]", "(1.0,2.0", "1.0,2.0", "[1.0,2.0,3.0]", "[1.0;2.0]", "[ä]", "[1.0,&lt;]", "[1.0,']", "&gt;=1.0", "~&gt; 1.0", "^1.0", "1.0 || 2.0", "[1/2]", `[1\2]`, "[1:2]", "{1.0}", "[1.0}",
	"[" + strings.Repeat("1", 300) + "]", "1.0 - 2.0", "latest!", "[1.0|2.0]", "[\u202e1.0]", "[1.0,2.0)x", "x[1.0,2.0)", "[[1.0]]", "((1.0))", "[1.0,,2.0]", "[@]", "[#]", "[1.0%]", "[1.0?]", "[$]",
}

var badEntries = []string{
	"../x", "/x", "a/../../x", "a/./b", "./x", "..", ".", `a\b`, `..\x`, `C:\x`, "C:x", "c:/x", "a//b", "//x", "a\x00b", "a\nb", "a\x7fb", "\xff\xfe", strings.Repeat("a", 2000), "a/..", "a/../b", " /../x", "/", "//",
	"lib/a.dll", "LIB/a.dll", "lib/A.DLL", "Lib.nuspec", "LIB.NUSPEC", "other.nuspec", "OTHER.NuSpec",
}

// archives are zip files that could be read in two ways, or are none.
func archives() map[string][]byte {
	good := nupkg("Lib", "1.0.0")
	all := map[string][]byte{
		"empty": {}, "text": []byte("hello"), "cut": good[:len(good)-5], "prefixed": append([]byte("#!/bin/sh\n"), good...), "suffixed": append(bytes.Clone(good), "tail"...),
		"two": append(bytes.Clone(good), good...), "gzip": []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00"), "end alone": good[len(good)-22:], "no nuspec": zipped(item{"a.txt", "x"}),
		"nuspec in a folder": zipped(item{"x/Lib.nuspec", spec("Lib", "1.0.0", "")}), "bomb": zipped(item{"Lib.nuspec", spec("Lib", "1.0.0", "")}, item{"big", strings.Repeat("\x00", 80<<20)}),
		"no entries": append([]byte("PK\x05\x06"), make([]byte, 18)...),
	}
	for at := range 30 {
		for _, from := range []int{0, len(good) - 22} {
			if from != 0 && at >= 22 || from == 0 && (at < 6 && at >= 4 || at < 14 && at >= 10) {
				continue // behind the end; the version that is needed, and the time, mislead nobody
			}
			// Fields that readers disagree about: signatures, names, sizes, places.
			changed := bytes.Clone(good)
			changed[from+at] ^= 0x55
			all[fmt.Sprintf("byte %d of %d", at, from)] = changed
		}
	}
	lie := bytes.Clone(good)
	binary.LittleEndian.PutUint16(lie[len(lie)-12:], 60000)
	all["many entries"] = lie
	var stored bytes.Buffer
	w := zip.NewWriter(&stored)
	for i := range 3 {
		e, err := w.CreateRaw(&zip.FileHeader{Name: "Lib.nuspec", Method: uint16(12 + i), UncompressedSize64: 1 << 40, CompressedSize64: 4})
		if err == nil {
			_, err = e.Write([]byte("abcd"))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	all["methods"] = stored.Bytes()
	return all
}

func pushes() (all []hostile) {
	add := func(kind string, name any, body []byte) {
		all = append(all, hostile{name: fmt.Sprintf("%s %.60q", kind, name), body: body})
	}
	for name, x := range xmls() {
		add("nuspec", name, form(zipped(item{"Lib.nuspec", x})))
	}
	for _, id := range badIDs {
		add("id", id, form(zipped(item{"Lib.nuspec", spec(id, "1.0.0", "")})))
		add("dependency", id, form(nupkg("Lib", "1.0.0", `<dependencies><dependency id="`+id+`" version="1.0"/></dependencies>`)))
	}
	for _, v := range badVersions {
		add("version", v, form(zipped(item{"Lib.nuspec", spec("Lib", v, "")})))
	}
	for _, r := range badRanges {
		add("range", r, form(nupkg("Lib", "1.0.0", `<dependencies><dependency id="a" version="`+r+`"/></dependencies>`)))
	}
	for _, e := range badEntries {
		add("entry", e, form(zipped(item{"Lib.nuspec", spec("Lib", "1.0.0", "")}, item{"lib/a.dll", "x"}, item{e, "x"})))
	}
	for name, data := range archives() {
		add("archive", name, form(data))
	}
	whole := form(nupkg("Lib", "1.0.0"))
	for name, body := range map[string][]byte{
		"none": nil, "no part": []byte("--" + boundary + "--\r\n"), "cut": whole[:len(whole)/2], "no end": whole[:len(whole)-len(boundary)-6], "other boundary": []byte("--x\r\n\r\nx\r\n--x--"),
		"no package": []byte("--" + boundary + "\r\nContent-Disposition: form-data; name=other\r\n\r\nx\r\n--" + boundary + "--\r\n"),
		"path":       []byte("--" + boundary + "\r\nContent-Disposition: form-data; name=\"package.path\"\r\n\r\n/etc/passwd\r\n--" + boundary + "--\r\n"),
		"long field": []byte("--" + boundary + "\r\nContent-Disposition: form-data; name=other\r\n\r\n" + strings.Repeat("x", 1<<20) + "\r\n--" + boundary + "--\r\n"),
		"many parts": []byte(strings.Repeat("--"+boundary+"\r\nContent-Disposition: form-data; name=o\r\n\r\nx\r\n", 2000) + "--" + boundary + "--\r\n"),
	} {
		add("form", name, body)
	}
	return all
}

// Every bad push gets a clear 4xx, and nothing of it is stored.
func TestHostilePushes(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	all := pushes()
	if len(all) < 300 {
		t.Fatalf("%d inputs, want 300", len(all))
	}
	inParallel(all, func(h hostile) {
		for _, path := range []string{"/", "/symbolpackage/"} {
			a := raw(s.World, at(s.project, path), h.body, root)
			if a.Status != 400 || !bytes.Contains(a.Body, []byte(`"request_id"`)) {
				t.Errorf("%s to %s = %d %s, want 400", h.name, path, a.Status, a.Body)
			}
		}
	})
	if list := s.Packages(s.project, ""); len(list) != 0 {
		t.Errorf("stored %v, want nothing", list)
	}
	if got := s.Stored(); got != (formattest.Stored{}) {
		t.Errorf("stored = %+v, want nothing", got)
	}
}

func inParallel[T any](all []T, do func(T)) {
	var running sync.WaitGroup
	next := make(chan T)
	for range 8 {
		running.Go(func() {
			for one := range next {
				do(one)
			}
		})
	}
	for _, one := range all {
		next <- one
	}
	close(next)
	running.Wait()
}

// Bad addresses: 400 or 404, whatever is asked, and never an error of the server.
func TestHostileAddresses(t *testing.T) {
	t.Parallel()
	s := start(t, "public")
	s.mustPut(t, nupkg("Lib", "1.0.0"))
	var paths []string
	for _, id := range append(badIDs, "NaN", "anything25") {
		id = url.PathEscape(id)
		for _, p := range []string{"/download/%s/index.json", "/download/%s/1.0.0/x.1.0.0.nupkg", "/metadata/%s/index.json", "/metadata/%s/1.0.0.json",
			"/v2/Packages(Id='%s',Version='1.0.0')", "/v2/download/%s/1.0.0", "/metadata/%s/page/1.0.0/1.0.0.json"} {
			paths = append(paths, fmt.Sprintf(p, id))
		}
	}
	for _, v := range badVersions {
		v = url.PathEscape(v)
		for _, p := range []string{"/download/lib/%s/lib.%[1]s.nupkg", "/metadata/lib/%s.json", "/v2/Packages(Id='lib',Version='%s')", "/v2/download/lib/%s", "/metadata/lib/page/%s/1.0.0.json", "/metadata/lib/page/1.0.0/%s.json"} {
			paths = append(paths, fmt.Sprintf(p, v))
		}
	}
	for _, q := range []string{"take=0", "take=-1", "take=x", "take=99999999999999999999", "skip=-1", "skip=x", "skip=1e9", "skip=10001", "q=" + strings.Repeat("x", 2000)} {
		paths = append(paths, "/query?"+q, "/autocomplete?"+q)
	}
	paths = append(paths, "/autocomplete?id=%20", "/v2/Search()?$skip=x", "/v2/Search()?$top=-1", "/v2/Nothing()", "/v2/FindPackagesById()", "/v2/FindPackagesById()?id='a%20b'", "/v2/FindPackagesById()?id='", "/v2/Packages(Id='a')",
		"/v2/Search(Id='a',Version='1.0')", "/v2/Packages()?$filter=Id%20eq%20'%2e%2e/x'", "/v2/Search()?searchTerm='"+strings.Repeat("x", 2000)+"'", "/index.xls", "/v2/Packages(Id='lib',Version='')", "/download/lib/1.0.0/lib.2.0.0.nupkg", "/download/lib/1.0.0/lib.1.0.0.exe")
	inParallel(paths, func(p string) {
		a, err := s.Try("GET", at(s.project, p), nil, root)
		if err != nil || a.Status != 400 && a.Status != 404 && a.Status != 405 {
			t.Errorf("GET %s = %d %s, %v, want 400 or 404", p, a.Status, a.Body, err)
		}
	})
}

// What a nuspec says is shown as text: nothing of it becomes markup or a link that
// runs something.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.mustPut(t, nupkg("Lib", "1.0.0", `<title>]]&gt;&lt;script&gt;</title><tags>"'&lt;/d:Tags&gt;</tags><projectUrl>javascript:alert(1)</projectUrl><iconUrl>file:///etc/passwd</iconUrl><icon>../../etc/passwd</icon>`))
	for _, path := range []string{"/v2/FindPackagesById()?id='Lib'", "/metadata/lib/index.json", "/query?q=lib"} {
		a := s.get(at(s.project, path))
		for _, bad := range []string{"<script>", "javascript:", "/etc/passwd", `"'</d:Tags>`} {
			if a.Status != 200 || strings.Contains(string(a.Body), bad) {
				t.Errorf("GET %s = %d %s with %s", path, a.Status, a.Body, bad)
			}
		}
	}
}

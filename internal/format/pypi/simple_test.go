package pypi_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"hash/crc32"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
)

func crc(s string) uint32 { return crc32.ChecksumIEEE([]byte(s)) }

const (
	typeHTML = "application/vnd.pypi.simple.v1+html"
	typeJSON = "application/vnd.pypi.simple.v1+json"
)

// What every format has to do.
func TestSuite(t *testing.T) {
	t.Parallel()
	content := wheelOf("tool", "1.0")
	const file = "tool-1.0-py3-none-any.whl"
	formattest.Run(t, formattest.Case{
		Format: "pypi",
		Publish: func(w *formattest.World, mount string, header ...string) formattest.Answer {
			if header == nil {
				header = []string{""}
			}
			a, err := try(w, mount, upload("tool", "1.0", file, content), header...)
			if err != nil {
				t.Fatal(err)
			}
			return a
		},
		File: "/files/" + sha256of(content) + "/" + file, Content: content, Group: true,
		Absent: []string{
			"/files/" + sha256of("x") + "/" + file, "/files/" + sha256of(content) + "/tool-2.0-py3-none-any.whl",
			"/simple/other/", "/simple/other", "/other/", "/files/" + sha256of(content) + "/tool-1.0.tar.gz.metadata",
		},
	})
}

// document is a simple page as JSON.
type document struct {
	Meta struct {
		Version string `json:"api-version"`
	}
	Name     string
	Versions []string
	Files    []struct {
		Filename, URL string
		Hashes        map[string]string
		Size          int64
		UploadTime    string            `json:"upload-time"`
		Requires      string            `json:"requires-python"`
		Core          map[string]string `json:"core-metadata"`
	}
	Projects []struct{ Name string }
}

func (s scene) document(t *testing.T, path string) (d document) {
	t.Helper()
	a := s.get(path, "Accept: "+typeJSON)
	if a.Status != 200 || a.Header.Get("Content-Type") != typeJSON {
		t.Fatalf("GET %s = %d %v %s", path, a.Status, a.Header, a.Body)
	}
	if err := json.Unmarshal(a.Body, &d); err != nil {
		t.Fatalf("GET %s: %v in %s", path, err, a.Body)
	}
	return d
}

func (d document) names() (names []string) {
	for _, f := range d.Files {
		names = append(names, f.Filename)
	}
	return names
}

var update = flag.Bool("update", false, "write the golden files anew")

// uploaded is what differs from run to run: the time of an upload.
var uploaded = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z`)

func golden(t *testing.T, w *formattest.World, name string, got []byte) {
	t.Helper()
	text := strings.ReplaceAll(uploaded.ReplaceAllString(string(got), "TIME"), w.URL, "https://registry.example.com")
	file := "testdata/" + name + ".golden"
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s:\n%s\nwant\n%s", name, text, want)
	}
}

// The documents in all forms, and every spelling of their addresses.
func TestDocuments(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, version := range []string{"1.10", "1.9", "1.0rc1"} {
		s.mustPost(t, upload("My.Lib", version, "my_lib-"+version+"-py3-none-any.whl", wheelOf("my_lib", version, "Requires-Python: >=3.8,<4")))
	}
	s.mustPost(t, upload("My.Lib", "1.9", "my_lib-1.9.tar.gz", sdistOf("my_lib", "1.9")))
	for _, form := range []struct{ accept, served, name string }{
		{"", "text/html; charset=utf-8", "html"},
		{typeHTML, typeHTML, "html"},
		{typeJSON, typeJSON, "json"},
	} {
		for _, path := range []string{"/simple/my-lib/", "/simple/my-lib", "/my-lib/", "/my-lib", "/simple/My_Lib/", "/simple/MY..LIB"} {
			a := s.get(at(s.project, path), "Accept: "+form.accept)
			if a.Status != 200 || a.Header.Get("Content-Type") != form.served || !slices.Contains(a.Header.Values("Vary"), "Accept") {
				t.Fatalf("GET %s as %q = %d %v", path, form.accept, a.Status, a.Header)
			}
			golden(t, s.World, "page_"+form.name, a.Body)
			b := s.get(at(s.project, path), "Accept: "+form.accept, "If-None-Match: "+a.Header.Get("Etag"))
			if b.Status != 304 || len(b.Body) != 0 {
				t.Errorf("GET %s with its ETag = %d, want 304", path, b.Status)
			}
		}
		for _, path := range []string{"/simple/", "/simple", "/", ""} {
			a := s.get(at(s.project, path), "Accept: "+form.accept)
			if a.Status != 200 || a.Header.Get("Content-Type") != form.served {
				t.Fatalf("GET %s as %q = %d %v", path, form.accept, a.Status, a.Header)
			}
			golden(t, s.World, "index_"+form.name, a.Body)
		}
	}
	d := s.document(t, at(s.project, "/simple/my-lib/"))
	if want := []string{"1.0rc1", "1.9", "1.10"}; !slices.Equal(d.Versions, want) {
		t.Errorf("versions = %v, want %v", d.Versions, want)
	}
	s.follow(t, d, "")
}

// follow downloads all that a document names and compares digests and sizes.
func (s scene) follow(t *testing.T, d document, header string) {
	t.Helper()
	for _, f := range d.Files {
		path, ok := strings.CutPrefix(f.URL, s.URL)
		a := s.get(path, header)
		if !ok || a.Status != 200 || sha256of(string(a.Body)) != f.Hashes["sha256"] || int64(len(a.Body)) != f.Size {
			t.Errorf("GET %s = %d with %d bytes, want the digest and %d bytes", f.URL, a.Status, len(a.Body), f.Size)
		}
		if f.Core == nil {
			continue
		}
		a = s.get(path+".metadata", header)
		if a.Status != 200 || sha256of(string(a.Body)) != f.Core["sha256"] || a.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("GET %s.metadata = %d %q, want the digest", f.URL, a.Status, a.Body)
		}
	}
}

// Projects with the names of our own path words can be reached.
func TestReservedNames(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, name := range []string{"simple", "files", "authorize"} {
		s.mustPost(t, upload(name, "1.0", name+"-1.0-py3-none-any.whl", wheelOf(name, "1.0")))
		d := s.document(t, at(s.project, "/simple/"+name+"/"))
		if d.Name != name || len(d.Files) != 1 {
			t.Errorf("page of %s = %+v", name, d)
		}
		s.follow(t, d, "")
	}
	if d := s.document(t, at(s.project, "/simple/")); len(d.Projects) != 3 {
		t.Errorf("index = %+v, want three names", d)
	}
}

// A group and the instance show what is in all projects, at their own address;
// of one file name in two projects the newest.
func TestLevels(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	other := scene{s.World, s.group, s.Project("other", s.group, "private")}
	secret := scene{s.World, 0, s.Project("secret", s.Group("hidden", 0, "private"), "private")}
	older, newer := wheelOf("lib", "1.0"), wheelOf("lib", "1.0", "Requires-Python: >=3.9")
	const file = "lib-1.0-py3-none-any.whl"
	s.mustPost(t, upload("lib", "1.0", file, older))
	other.mustPost(t, upload("lib", "1.0", file, newer))
	other.mustPost(t, upload("Lib", "2", "lib-2.tar.gz", sdistOf("lib", "2")))
	secret.mustPost(t, upload("lib", "3", "lib-3.tar.gz", sdistOf("lib", "3")))
	for _, test := range []struct {
		base  string
		files []string
	}{
		{inGroup("acme", ""), []string{file, "lib-2.tar.gz"}},
		{"/api/v4/packages/pypi", []string{file, "lib-2.tar.gz", "lib-3.tar.gz"}},
	} {
		for _, path := range []string{"/simple/lib/", "/lib"} {
			d := s.document(t, test.base+path)
			if !slices.Equal(d.names(), test.files) || d.Files[0].Hashes["sha256"] != sha256of(newer) {
				t.Errorf("GET %s%s = %+v, want %v with the newer wheel", test.base, path, d.Files, test.files)
			}
			if !strings.HasPrefix(d.Files[0].URL, s.URL+test.base+"/files/") {
				t.Errorf("GET %s%s links to %s", test.base, path, d.Files[0].URL)
			}
			s.follow(t, d, "")
		}
		if d := s.document(t, test.base+"/simple"); len(d.Projects) != 1 || d.Projects[0].Name != "lib" {
			t.Errorf("index of %s = %+v, want lib once", test.base, d.Projects)
		}
	}
	token := "Private-Token: " + s.AccessToken("groups", s.group, 20, "read_api")
	a := s.Do("GET", "/api/v4/packages/pypi/simple/lib/", nil, token)
	if a.Status != 200 || strings.Contains(string(a.Body), "lib-3") || !strings.Contains(string(a.Body), "lib-2") {
		t.Errorf("the instance for a token of the group = %d %s", a.Status, a.Body)
	}
}

// What was published or deleted shows in the very next request, everywhere.
func TestFresh(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	pages := []string{at(s.project, "/simple/lib/"), inGroup("acme", "/simple/lib/"), "/api/v4/packages/pypi/simple/lib/"}
	for i := range 20 {
		version := fmt.Sprintf("1.%d", i)
		s.mustPost(t, upload("lib", version, "lib-"+version+".tar.gz", sdistOf("lib", version)))
		for _, page := range pages {
			if d := s.document(t, page); len(d.Files) != i+1 || d.Versions[i] != version {
				t.Fatalf("GET %s after %d publishes = %v", page, i+1, d.Versions)
			}
		}
	}
	for _, p := range s.Packages(s.project, "") {
		s.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d", s.project, p.ID), "", nil)
	}
	for _, page := range pages {
		if a := s.get(page); a.Status != 404 {
			t.Errorf("GET %s after all is deleted = %d, want 404", page, a.Status)
		}
	}
	for _, index := range []string{at(s.project, "/simple/"), inGroup("acme", "/simple/")} {
		if d := s.document(t, index); len(d.Projects) != 0 {
			t.Errorf("GET %s after all is deleted = %+v, want no names", index, d.Projects)
		}
	}
}

// A wheel that was deleted and published anew with other bytes has its own
// metadata, and the old address none.
func TestRepublish(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	const file = "lib-1.0-py3-none-any.whl"
	first := wheelOf("lib", "1.0")
	s.mustPost(t, upload("lib", "1.0", file, first))
	s.mustPost(t, upload("lib", "1.0", "lib-1.0.tar.gz", sdistOf("lib", "1.0")))
	version := s.Packages(s.project, "")[0].ID
	for _, f := range s.Files(s.project, version) {
		if f.FileName == file {
			s.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d/package_files/%d", s.project, version, f.ID), "", nil)
		}
	}
	s.mustPost(t, upload("lib", "1.0", file, wheelOf("lib", "1.0", "Requires-Python: >=3.9")))
	s.follow(t, s.document(t, at(s.project, "/simple/lib/")), "")
	for _, path := range []string{file, file + ".metadata"} {
		if a := s.get(at(s.project, "/files/"+sha256of(first)+"/"+path)); a.Status != 404 {
			t.Errorf("GET %s by the old digest = %d, want 404", path, a.Status)
		}
	}
}

package pypi_test

import (
	"fmt"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
)

const clients = formattest.Clients

// Versions of one new package at once: all succeed, and the page lists all.
func TestParallelVersions(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, a := range formattest.Together(func(i int) formattest.Answer {
		version := fmt.Sprintf("1.%d", i)
		return s.post(at(s.project, ""), upload("lib", version, "lib-"+version+"-py3-none-any.whl", wheelOf("lib", version)))
	}) {
		if a.Status != 201 {
			t.Errorf("POST = %d %s, want 201", a.Status, a.Body)
		}
	}
	d := s.document(t, at(s.project, "/simple/lib/"))
	if len(d.Files) != clients || len(d.Versions) != clients {
		t.Errorf("%d files of %d versions, want %d", len(d.Files), len(d.Versions), clients)
	}
	s.follow(t, d, "")
	if list := s.Packages(s.project, ""); len(list) != clients {
		t.Errorf("%d packages in the API, want %d", len(list), clients)
	}
}

// Wheels into one new version: GitLab's race to make it answers 500 here.
func TestParallelFiles(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	content := wheelOf("lib", "1.0")
	for _, a := range formattest.Together(func(i int) formattest.Answer {
		return s.post(at(s.project, ""), upload("lib", "1.0", fmt.Sprintf("lib-1.0-py3-none-p%d.whl", i), content))
	}) {
		if a.Status != 201 {
			t.Errorf("POST = %d %s, want 201", a.Status, a.Body)
		}
	}
	if list := s.Packages(s.project, ""); len(list) != 1 {
		t.Errorf("%d packages in the API, want 1", len(list))
	}
	if d := s.document(t, at(s.project, "/simple/lib/")); len(d.Files) != clients {
		t.Errorf("%d files, want %d", len(d.Files), clients)
	}
}

// The same file at once, small and large, with names that are one: one is
// accepted and the others are told so.
func TestParallelDuplicates(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for i, filler := range []string{"", strings.Repeat("#", 100_000)} {
		version := fmt.Sprintf("1.%d", i)
		won := 0
		for _, a := range formattest.Together(func(j int) formattest.Answer {
			names := []string{"my.lib", "My_Lib", "my-lib", "MY-LIB"}
			stems := []string{"my_lib", "My_Lib"}
			content := zipped(wheelItems("my_lib-"+version, metadata("my-lib", version), item{fmt.Sprintf("f%d", j), filler}))
			return s.post(at(s.project, ""), upload(names[j%4], version, stems[j%2]+"-"+version+"-py3-none-any.whl", content))
		}) {
			switch {
			case a.Status == 201:
				won++
			case a.Status != 400 || !strings.Contains(string(a.Body), "400 Bad request - Validation failed: File name has already been taken"):
				t.Errorf("POST = %d %s, want 201 or 400", a.Status, a.Body)
			}
		}
		if won != 1 {
			t.Errorf("%d of the same file were accepted, want 1", won)
		}
	}
	d := s.document(t, at(s.project, "/simple/my-lib/"))
	if len(d.Files) != 2 {
		t.Errorf("files = %v, want one of each version", d.names())
	}
	s.follow(t, d, "")
	if got := s.Stored(); got != (formattest.Stored{Blobs: 1}) {
		t.Errorf("stored = %+v, want the one large wheel", got)
	}
}

// The same file again, whatever its bytes: refused, and nothing changes.
func TestDuplicate(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	const file = "lib-1.0-py3-none-any.whl"
	first := wheelOf("lib", "1.0")
	s.mustPost(t, upload("lib", "1.0", file, first))
	for _, parts := range [][]part{
		upload("lib", "1.0", file, first),
		upload("lib", "1.0.0", file, first),
		upload("LIB", "v1", "LIB-1.0-py3-none-any.whl", wheelOf("lib", "1.0", "Requires-Python: >=3.9")),
	} {
		a := s.post(at(s.project, "/"), parts)
		if a.Status != 400 || !strings.Contains(string(a.Body), "already been taken") || !strings.Contains(string(a.Body), "already exist") {
			t.Errorf("POST again = %d %s, want 400 in the clients' words", a.Status, a.Body)
		}
	}
	d := s.document(t, at(s.project, "/simple/lib/"))
	if len(d.Files) != 1 || d.Files[0].Hashes["sha256"] != sha256of(first) {
		t.Errorf("files = %+v, want the first alone", d.Files)
	}
	s.mustPost(t, upload("Lib", "1.0.0", "lib-1.0.tar.gz", sdistOf("lib", "1.0")))
	if list := s.Packages(s.project, ""); len(list) != 1 {
		t.Errorf("%d packages after a file for the same version, want 1", len(list))
	}
}

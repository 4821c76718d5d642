package generic_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// Files of every size come back as they went in, in one package.
func TestPublishAndFetch(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, size := range sizes {
		file, body := fmt.Sprintf("tool/1.0.0/%d.bin", size), content(size, 1)
		if a := s.put(file, body); a.Status != 201 || string(a.Body) != `{"message":"201 Created"}` {
			t.Fatalf("PUT %d bytes = %d %s, want 201", size, a.Status, a.Body)
		}
		s.mustGet(t, file, body)
		a := s.Do("HEAD", s.at(file), nil, root)
		if got := a.Header.Get("Content-Length"); a.Status != 200 || got != fmt.Sprint(size) || len(a.Body) != 0 {
			t.Errorf("HEAD of %d bytes = %d with length %s", size, a.Status, got)
		}
		if got := a.Header.Get("X-Checksum-Sha256"); got != sha256of(body) {
			t.Errorf("checksum of %d bytes = %s, want %s", size, got, sha256of(body))
		}
	}
	list := s.Packages(s.project, "package_type=generic&package_name=tool&package_version=1.0.0")
	if len(list) != 1 || len(s.Files(s.project, list[0].ID)) != len(sizes) {
		t.Fatalf("packages = %+v, want one with %d files", list, len(sizes))
	}
	for i, f := range s.Files(s.project, list[0].ID) {
		if f.Size != int64(sizes[i]) || f.SHA256 != sha256of(content(sizes[i], 1)) || f.PackageID != list[0].ID || f.MD5 != nil {
			t.Errorf("file %d = %+v", i, f)
		}
	}
}

// A second upload makes a second file of the same package, and is what is
// served from then on.
func TestSecondUpload(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, size := range both {
		name := fmt.Sprintf("tool%d", size)
		for seed := range uint64(3) {
			s.mustPut(t, name+"/1.0/f", content(size, seed))
			s.mustGet(t, name+"/1.0/f", content(size, seed))
		}
		list := s.Packages(s.project, "package_name="+name)
		if len(list) != 1 || len(s.Files(s.project, list[0].ID)) != 3 {
			t.Errorf("%s: packages = %+v, want one with three files", name, list)
		}
	}
}

// What was deleted is gone, and the same name makes a new package.
func TestDeleteAndPublishAgain(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, size := range both {
		file := fmt.Sprintf("tool/%d/f", size)
		s.mustPut(t, file, content(size, 1))
		first := s.Packages(s.project, fmt.Sprintf("package_version=%d", size))[0].ID
		s.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d", s.project, first), "", nil)
		if a := s.Do("GET", s.at(file), nil, root); a.Status != 404 {
			t.Errorf("GET after DELETE = %d, want 404", a.Status)
		}
		s.mustPut(t, file, content(size, 2))
		s.mustGet(t, file, content(size, 2))
		if again := s.Packages(s.project, fmt.Sprintf("package_version=%d", size)); len(again) != 1 || again[0].ID == first {
			t.Errorf("packages = %+v, want one that is not %d", again, first)
		}
	}
}

// When the newest of two files of a name is deleted, the one before is served.
func TestDeleteNewestFile(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, size := range both {
		file := fmt.Sprintf("tool/%d/f", size)
		s.mustPut(t, file, content(size, 1))
		s.mustPut(t, file, content(size, 2))
		id := s.Packages(s.project, fmt.Sprintf("package_version=%d", size))[0].ID
		files := s.Files(s.project, id)
		s.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d/package_files/%d", s.project, id, files[1].ID), "", nil)
		s.mustGet(t, file, content(size, 1))
	}
}

// A directory may be written with slashes or with %2F, both ways round.
func TestDirectories(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for i, put := range []string{"dir/sub/app.tar.gz", "dir%2Fsub%2Fapp.tar.gz", "dir/sub%2fapp.tar.gz", ".well-known/a", "a/authorize", "authorize"} {
		version := fmt.Sprint(i)
		s.mustPut(t, "tool/"+version+"/"+put, version)
		plain := strings.NewReplacer("%2F", "/", "%2f", "/").Replace(put)
		s.mustGet(t, "tool/"+version+"/"+plain, version)
		s.mustGet(t, "tool/"+version+"/"+strings.ReplaceAll(plain, "/", "%2F"), version)
		// The manual's download loop pastes the listed name into the URL.
		listed := s.Files(s.project, s.Packages(s.project, "package_version="+version)[0].ID)[0].FileName
		if want := strings.ReplaceAll(plain, "/", "%2F"); listed != want {
			t.Errorf("listed as %q, want %q", listed, want)
		}
		s.mustGet(t, "tool/"+version+"/"+listed, version)
	}
	a := s.Do("GET", s.at("tool/0/dir/sub/app.tar.gz"), nil, root)
	if got := a.Header.Get("Content-Disposition"); !strings.Contains(got, `filename="app.tar.gz"`) {
		t.Errorf("Content-Disposition = %q, want the last part alone", got)
	}
}

// Hidden versions can be fetched and are left out of the list; a later upload
// may show them again; what has an error cannot be fetched.
func TestStatus(t *testing.T) {
	t.Parallel()
	s := start(t, "public")
	for _, size := range both {
		name := fmt.Sprintf("tool%d", size)
		seen := func(want string, public int) {
			t.Helper()
			all := append(s.Packages(s.project, "package_name="+name), s.Packages(s.project, "status=hidden&package_name="+name)...)
			if len(all) != 1 || all[0].Status != want {
				t.Errorf("packages = %+v, want one that is %s", all, want)
			}
			if a := s.Do("GET", s.at(name+"/1.0/f"), nil); a.Status != public {
				t.Errorf("GET of a version that is %s = %d, want %d", want, a.Status, public)
			}
		}
		s.put(name+"/1.0/f?status=hidden", content(size, 1))
		seen("hidden", 200)
		s.put(name+"/1.0/g", "a later upload without a status")
		seen("hidden", 200)
		s.put(name+"/1.0/g?status=default", "a later upload that says default")
		seen("default", 200)
		s.put(name+"/1.0/g?status=hidden", "and back")
		seen("hidden", 200)
		id := s.Packages(s.project, "status=hidden&package_name="+name)[0].ID
		s.fail(t, name, id)
		seen("error", 404)
	}
}

// fail gives a version the status that a broken upload of another format has.
func (s scene) fail(t *testing.T, name string, id int64) {
	t.Helper()
	ctx := context.Background()
	err := s.Store.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Append(ctx, ledger.By{}, &ledger.StatusChange{
			Site:      ledger.Site{ProjectID: s.project, Format: "generic", PackageKey: name, VersionKey: "1.0"},
			VersionID: id, Status: packhouse.StatusError,
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Parameters that say nothing valid are refused, and nothing is stored.
func TestBadParameters(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, query := range []string{
		"status=processing", "status=error", "status=", "status=Default", "status=default%00", "status=default;x", "status=%zz",
		"select=x", "select=", "select=package_files", "status=hidden&select=x", "status=hidden;select=package_file",
	} {
		for _, size := range both {
			if a := s.put("tool/1.0/f?"+query, content(size, 1)); a.Status != 400 {
				t.Errorf("PUT ?%s = %d %s, want 400", query, a.Status, a.Body)
			}
		}
	}
	s.empty(t)
}

// A download moves last_downloaded_at; HEAD does not.
func TestLastDownloaded(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, size := range both {
		file := fmt.Sprintf("tool/%d/f", size)
		s.mustPut(t, file, content(size, 1))
		id := s.Packages(s.project, fmt.Sprintf("package_version=%d", size))[0].ID
		last := func() string {
			t.Helper()
			if err := s.Registry.SaveDownloads(context.Background()); err != nil {
				t.Fatal(err)
			}
			var p struct {
				LastDownloadedAt string `json:"last_downloaded_at"`
			}
			s.API("GET", fmt.Sprintf("/projects/%d/packages/%d", s.project, id), "", &p)
			return p.LastDownloadedAt
		}
		s.Do("HEAD", s.at(file), nil, root)
		if got := last(); got != "" {
			t.Errorf("last_downloaded_at after HEAD = %q, want null", got)
		}
		s.Do("GET", s.at(file), nil, root)
		if got := last(); got == "" {
			t.Error("last_downloaded_at after GET is null")
		}
	}
}

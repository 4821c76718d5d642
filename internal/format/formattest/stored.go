package formattest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Package is a version as the packages API shows it.
type Package struct {
	ID               int64
	Name             string
	Version          string
	PackageType      string `json:"package_type"`
	Status           string
	CreatedAt        string `json:"created_at"`
	LastDownloadedAt string `json:"last_downloaded_at"`
	Pipeline         *struct {
		ID  int64
		SHA string
	}
}

// PackageFile is a file as the packages API shows it.
type PackageFile struct {
	ID        int64
	PackageID int64  `json:"package_id"`
	FileName  string `json:"file_name"`
	Size      int64
	MD5       *string `json:"file_md5"`
	SHA256    string  `json:"file_sha256"`
	Pipelines []struct{ ID int64 }
}

// Packages lists a project's packages. filter is a query such as
// "package_name=tool", or "".
func (w *World) Packages(project int64, filter string) []Package {
	w.t.Helper()
	var all []Package
	for page := 1; ; page++ {
		var part []Package
		w.API("GET", fmt.Sprintf("/projects/%d/packages?per_page=100&page=%d&%s", project, page, filter), "", &part)
		all = append(all, part...)
		if len(part) < 100 {
			return all
		}
	}
}

// Files lists the files of a package.
func (w *World) Files(project, id int64) []PackageFile {
	w.t.Helper()
	var all []PackageFile
	for page := 1; ; page++ {
		var part []PackageFile
		w.API("GET", fmt.Sprintf("/projects/%d/packages/%d/package_files?per_page=100&page=%d", project, id, page), "", &part)
		all = append(all, part...)
		if len(part) < 100 {
			return all
		}
	}
}

// Stored is what lies below the data folder outside the database.
type Stored struct {
	Blobs, Uploads int
}

// Stored counts blobs and unfinished uploads.
func (w *World) Stored() Stored {
	w.t.Helper()
	return Stored{Blobs: w.count("blobs"), Uploads: w.count("uploads")}
}

func (w *World) count(folder string) int {
	w.t.Helper()
	n := 0
	w.walk(filepath.Join(w.Data, "files", folder), func(string) { n++ })
	return n
}

// walk visits the files below a folder. Files that go meanwhile are passed over.
func (w *World) walk(folder string, visit func(name string)) {
	w.t.Helper()
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && d.Type().IsRegular() {
			visit(name)
		}
		return err
	})
	if err != nil {
		w.t.Errorf("walk %s: %v", folder, err)
	}
}

// Age makes all blobs and uploads look as if nothing had happened to them for a
// day, so that Sweep considers them.
func (w *World) Age() {
	w.t.Helper()
	before := time.Now().Add(-24 * time.Hour)
	w.walk(filepath.Join(w.Data, "files"), func(name string) {
		if err := os.Chtimes(name, before, before); err != nil && !errors.Is(err, fs.ErrNotExist) {
			w.t.Errorf("age: %v", err)
		}
	})
}

// Holds reports which files below the data folder have a text in them, the
// folder's own copy of the administrator's token apart.
func (w *World) Holds(text string) (names []string) {
	w.t.Helper()
	w.walk(w.Data, func(name string) {
		data, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			w.t.Errorf("read %s: %v", name, err)
		}
		if bytes.Contains(data, []byte(text)) && filepath.Base(name) != "root-token" {
			names = append(names, name)
		}
	})
	return names
}

// Names lists the files below the data folder, as paths relative to it.
func (w *World) Names() (names []string) {
	w.t.Helper()
	w.walk(w.Data, func(name string) {
		names = append(names, strings.TrimPrefix(name, w.Data))
	})
	return names
}

// Untouched asserts that what was refused left nothing behind: no package in the
// project, no bytes, no file beside those that there were before (see Names), and no
// failure in the log.
func (w *World) Untouched(project int64, before []string) {
	w.t.Helper()
	if list := w.Packages(project, ""); len(list) != 0 {
		w.t.Errorf("packages = %+v, want none", list)
	}
	if got := w.Stored(); got != (Stored{}) {
		w.t.Errorf("stored = %+v, want nothing", got)
	}
	if after := w.Names(); !slices.Equal(after, before) {
		w.t.Errorf("files below the data folder = %v, before %v", after, before)
	}
	if log := w.Logged(); strings.Contains(log, "panic") || strings.Contains(log, "request failed") {
		w.t.Error("the log tells of a panic or a failed request")
	}
}

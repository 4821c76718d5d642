package generic_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"packhouse/internal/blob"
	"packhouse/internal/blob/disk"
	"packhouse/internal/house"
)

// slowStore lets something happen between the moment at which a file was found
// and the moment at which its bytes are opened.
type slowStore struct {
	blob.Store
	before func()
}

// Open implements blob.Store.
func (s *slowStore) Open(ctx context.Context, key blob.Key) (blob.Reader, error) {
	s.before()
	return s.Store.Open(ctx, key)
}

// A download that meets the deletion and collection of the file that it found
// gets the one that is served then. It finds nothing only when there was a moment
// without one.
func TestDownloadMeetsCollection(t *testing.T) {
	t.Parallel()
	slow := &slowStore{before: func() {}}
	s := start(t, "private", func(o *house.Options) {
		d, err := disk.New(filepath.Join(o.Data, "files"), disk.Options{})
		if err != nil {
			t.Fatal(err)
		}
		slow.Store, o.Blobs = d, slow
	})
	older, newer := content(50_000, 1), content(50_000, 2)
	for _, test := range []struct {
		version string
		older   []string
		want    int
	}{{"1.0", nil, 404}, {"2.0", []string{older}, 200}} {
		for _, body := range append(test.older, newer) {
			s.mustPut(t, "tool/"+test.version+"/f", body)
		}
		slow.before = sync.OnceFunc(func() { s.collectNewest(t, test.version) })
		a := s.Do("GET", s.at("tool/"+test.version+"/f"), nil, root)
		if a.Status != test.want || a.Status == 200 && string(a.Body) != older {
			t.Errorf("version %s: GET = %d %.100q, want %d", test.version, a.Status, a.Body, test.want)
		}
	}
}

// collectNewest deletes the newest file of a version and has its bytes removed.
func (s scene) collectNewest(t *testing.T, version string) {
	id := s.Packages(s.project, "package_version="+version)[0].ID
	files := s.Files(s.project, id)
	s.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d/package_files/%d", s.project, id, files[len(files)-1].ID), "", nil)
	if _, err := s.Registry.Purge(context.Background()); err != nil {
		t.Error(err)
	}
}

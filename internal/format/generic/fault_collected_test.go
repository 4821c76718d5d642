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

// A download that meets the deletion and collection of its file finds nothing,
// or what was published in its place. It does not fail.
func TestDownloadMeetsCollection(t *testing.T) {
	slow := &slowStore{before: func() {}}
	s := start(t, "private", func(o *house.Options) {
		d, err := disk.New(filepath.Join(o.Data, "files"), disk.Options{})
		if err != nil {
			t.Fatal(err)
		}
		slow.Store, o.Blobs = d, slow
	})
	for _, test := range []struct {
		name  string
		again bool
		want  int
	}{{"deleted", false, 404}, {"published again", true, 200}} {
		file, body := "tool/1.0/"+filepath.Base(t.Name())+fmt.Sprint(test.want), content(50_000, 1)
		s.mustPut(t, file, body)
		var once sync.Once
		slow.before = func() {
			once.Do(func() {
				s.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d", s.project, s.Packages(s.project, "")[0].ID), "", nil)
				if _, err := s.Registry.Purge(context.Background()); err != nil {
					t.Error(err)
				}
				if test.again {
					s.mustPut(t, file, body)
				}
			})
		}
		a := s.Do("GET", s.at(file), nil, root)
		if a.Status != test.want || a.Status == 200 && string(a.Body) != body {
			t.Errorf("%s: GET = %d %.100s, want %d", test.name, a.Status, a.Body, test.want)
		}
	}
}

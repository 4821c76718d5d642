package verify_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
	"packhouse/internal/verify"
)

var large = strings.Repeat("packhouse ", 10_000)

// look returns the problems of the registry in a data folder, digests left out.
func look(t *testing.T, data string) (problems []string, report verify.Report) {
	t.Helper()
	p, err := house.OpenPair(t.Context(), house.PairOptions{Data: data, Reading: true})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	report, err = verify.Run(t.Context(), p.Store, p.Blobs, verify.Options{
		Now: func() time.Time { return time.Now().Add(24 * time.Hour) }, // nothing is too young to count
		Found: func(p verify.Problem) {
			what, _, _ := strings.Cut(p.What, " ")
			if what == "entry" {
				what = p.What
			}
			problems = append(problems, p.Kind+" "+what)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(problems)
	return problems, report
}

// filled is a data folder with a small, a large and a shared file, and no server.
func filled(t *testing.T) string {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	t.Run("fill", func(t *testing.T) {
		w := formattest.Start(t, func(o *house.Options) { o.Data = data })
		project := w.Project("tools", w.Group("acme", 0, "private"), "private")
		for file, content := range map[string]string{"1.0/small": "hello", "1.0/large": large, "2.0/shared": large, "2.0/other": large + "other"} {
			path := fmt.Sprintf("/api/v4/projects/%d/packages/generic/tool/%s", project, file)
			if a := w.Do("PUT", path, strings.NewReader(content), formattest.Root); a.Status != 201 {
				t.Fatalf("publish %s = %d %s", file, a.Status, a.Body)
			}
		}
	})
	return data
}

// blobOf is the file of the only blob of a size.
func blobOf(t *testing.T, data string, size int) (file string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(data, "files", "blobs"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Size() == int64(size) {
			file = name
		}
		return err
	})
	if err != nil || file == "" {
		t.Fatalf("no blob of %d bytes: %v", size, err)
	}
	return file
}

// Every kind of damage is found, and nothing where there is none.
func TestDamage(t *testing.T) {
	t.Parallel()
	execute := func(q string) func(*testing.T, string) {
		return func(t *testing.T, data string) {
			t.Helper()
			db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "packhouse.db"))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.ExecContext(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
	}
	edit := func(change func(name string) error) func(*testing.T, string) {
		return func(t *testing.T, data string) {
			t.Helper()
			if err := change(blobOf(t, data, len(large))); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		name   string
		damage func(t *testing.T, data string)
		want   []string
	}{
		{"none", func(*testing.T, string) {}, nil},
		{"a lost blob", edit(os.Remove), []string{"missing file"}},
		{"a shorter blob", edit(func(name string) error { return os.Truncate(name, 10) }), []string{"altered file"}},
		{"a flipped byte", edit(func(name string) error { return os.WriteFile(name, []byte("X"+large[1:]), 0o600) }), []string{"altered file"}},
		{"a blob of nobody", edit(func(name string) error {
			return os.Link(name, name[:len(name)-3]+"aaa")
		}), []string{"extra blob"}},
		{"a lost row", execute(`DELETE FROM blobs WHERE key IS NOT NULL AND size = 100000`), []string{"extra blob", "missing file"}},
		{"a row of nobody", execute(`INSERT INTO blobs (sha256, size, data) VALUES (x'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 3, CAST('abc' AS BLOB))`), []string{"extra file"}},
		{"an altered small file", execute(`UPDATE blobs SET data = CAST('jello' AS BLOB) WHERE size = 5`), []string{"altered file"}},
		{"an altered entry", execute(`UPDATE entries SET payload = replace(payload, 'acme', 'emca') WHERE verb = 'namespace.put'`), []string{"altered entry 4"}},
		{"a lost entry", execute(`DELETE FROM entries WHERE seq = 5`), []string{"missing entry 5"}},
		{"a lost end", execute(`DELETE FROM entries WHERE seq = (SELECT max(seq) FROM entries)`), []string{"missing entry 10"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			data := filled(t)
			test.damage(t, data)
			got, report := look(t, data)
			if !slices.Equal(got, test.want) || report.Problems != int64(len(got)) {
				t.Errorf("problems = %q, want %q", got, test.want)
			}
		})
	}
}

// A registry that serves has nothing wrong with it at any moment.
func TestVerifyWhileServing(t *testing.T) {
	t.Parallel()
	w := formattest.Start(t, func(o *house.Options) { o.PurgeEvery = 0 })
	project := w.Project("tools", w.Group("acme", 0, "private"), "private")
	stop := make(chan struct{})
	var workers sync.WaitGroup
	for n := range 2 {
		workers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				path := fmt.Sprintf("/api/v4/projects/%d/packages/generic/tool/%d.%d/f", project, n, i)
				if a, err := w.Try("PUT", path, strings.NewReader(fmt.Sprint(large, n, i)), formattest.Root); err != nil || a.Status != 201 {
					t.Errorf("PUT %s = %d, %v", path, a.Status, err)
				}
				var list []formattest.Package
				a, err := w.Try("GET", fmt.Sprintf("/api/v4/projects/%d/packages?sort=asc&per_page=1", project), nil, formattest.Root)
				if err != nil {
					t.Error(err)
					continue
				}
				w.JSON(a, &list)
				for _, p := range list {
					_, _ = w.Try("DELETE", fmt.Sprintf("/api/v4/projects/%d/packages/%d", project, p.ID), nil, formattest.Root)
				}
				if _, err := w.Registry.Purge(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 5 {
		p, err := house.OpenPair(t.Context(), house.PairOptions{Data: w.Data, Reading: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verify.Run(t.Context(), p.Store, p.Blobs, verify.Options{Found: func(p verify.Problem) { t.Error(p) }}); err != nil {
			t.Error(err)
		}
		p.Close()
	}
	close(stop)
	workers.Wait()
}

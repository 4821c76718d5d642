package carry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/carry"
	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
	"packhouse/internal/verify"
)

// scene is a registry with something of everything in it.
type scene struct {
	*formattest.World
	t       *testing.T
	project int64
	dana    string // her token
}

func start(t *testing.T) *scene {
	t.Helper()
	s := &scene{World: formattest.Start(t, func(o *house.Options) { o.PurgeEvery = 0 }), t: t}
	s.project = s.Project("tools", s.Group("acme", 0, "private"), "private")
	id, token := s.User("dana", `"password":"correct horse battery"`)
	s.dana = "Private-Token: " + token
	s.Member("projects", s.project, id, packhouse.Developer)
	return s
}

func path(project int64, file string) string {
	return fmt.Sprintf("/api/v4/projects/%d/packages/generic/tool/%s", project, file)
}

func (s *scene) publish(file, content string) {
	s.t.Helper()
	if a := s.Do("PUT", path(s.project, file), strings.NewReader(content), s.dana); a.Status != 201 {
		s.t.Fatalf("publish %s = %d %s", file, a.Status, a.Body)
	}
}

// delete deletes all packages of a version and gives up their bytes.
func (s *scene) delete(version string) {
	s.t.Helper()
	for _, p := range s.Packages(s.project, "package_version="+version) {
		if p.Version == version {
			s.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d", s.project, p.ID), "", nil)
		}
	}
	time.Sleep(time.Millisecond) // the clock of the deletion has to be over
	if _, err := s.Registry.Purge(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

func open(t *testing.T, data string, reading bool) *house.Pair {
	t.Helper()
	p, err := house.OpenPair(t.Context(), house.PairOptions{Data: data, Reading: reading})
	if err != nil {
		t.Fatalf("open %s: %v", data, err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// into carries the registry that is in a data folder into another.
func into(t *testing.T, from, to string) carry.Report {
	t.Helper()
	source, destination := open(t, from, true), open(t, to, false)
	report, err := carry.Registry(t.Context(), source.Pair, destination.Pair, carry.Options{})
	if err != nil {
		t.Fatalf("carry: %v", err)
	}
	if err := errors.Join(source.Close(), destination.Close()); err != nil {
		t.Fatal(err)
	}
	return report
}

// sound wants a data folder in which nothing is missing, extra or altered.
func sound(t *testing.T, data string) {
	t.Helper()
	p := open(t, data, true)
	defer p.Close()
	_, err := verify.Run(t.Context(), p.Store, p.Blobs, verify.Options{
		Now:   func() time.Time { return time.Now().Add(24 * time.Hour) }, // nothing is too young to count
		Found: func(p verify.Problem) { t.Error(p) },
	})
	if err != nil {
		t.Fatal(err)
	}
}

var large = strings.Repeat("packhouse ", 10_000)

// What was carried serves as the original does: files, tokens, passwords, counts.
func TestCarried(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish("1.0/small", "hello")
	s.publish("1.0/large", large)
	s.publish("2.0/copy", large)
	s.publish("3.0/gone", large+"gone")
	s.publish("3.0/empty", "")
	s.delete("3.0")
	s.Do("GET", path(s.project, "1.0/small"), nil, s.dana)
	if err := s.Registry.SaveDownloads(t.Context()); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(t.TempDir(), "carried")
	if got := into(t, s.Data, data); got.Files != 2 || len(got.Problems) != 0 || got.Position != s.Store.Position() {
		t.Errorf("carried %+v, want two files and all of the ledger", got)
	}
	sound(t, data)
	again := formattest.Start(t, func(o *house.Options) { o.Data, o.RootToken = data, "" })
	for file, want := range map[string]string{"1.0/small": "hello", "1.0/large": large, "2.0/copy": large} {
		if a := again.Do("GET", path(s.project, file), nil, s.dana); a.Status != 200 || string(a.Body) != want {
			t.Errorf("GET %s = %d with %d bytes", file, a.Status, len(a.Body))
		}
	}
	if a := again.Do("GET", path(s.project, "3.0/gone"), nil, s.dana); a.Status != 404 {
		t.Errorf("the deleted file = %d, want 404", a.Status)
	}
	if _, err := again.Passwords.Verify(t.Context(), "dana", "correct horse battery"); err != nil {
		t.Errorf("the password after the move: %v", err)
	}
	var shown formattest.Package
	again.API("GET", fmt.Sprintf("/projects/%d/packages/1", s.project), "", &shown)
	if shown.LastDownloadedAt == "" {
		t.Errorf("package = %+v, want the download remembered", shown)
	}
}

// A second run carries what is new, and what was purged goes there too.
func TestCarryAgain(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish("1.0/f", large)
	s.publish("2.0/f", large+"2")
	data := filepath.Join(t.TempDir(), "carried")
	into(t, s.Data, data)
	s.publish("3.0/f", large+"3")
	s.delete("2.0")
	if got := into(t, s.Data, data); got.Files != 1 || got.Bytes != int64(len(large))+1 {
		t.Errorf("carried %+v, want the new file alone", got)
	}
	if got := into(t, s.Data, data); got.Files != 0 || got.Position != s.Store.Position() {
		t.Errorf("carried %+v, want nothing", got)
	}
	sound(t, data)
}

// The source may serve, publish, delete and purge all the time.
func TestCarryFromAServer(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i := range 20 {
		s.publish(fmt.Sprintf("0.%d/f", i), fmt.Sprint(large, i))
	}
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				version := fmt.Sprintf("%d.%d", w+1, i)
				a, err := s.Try("PUT", path(s.project, version+"/f"), strings.NewReader(fmt.Sprint(large, version)), s.dana)
				if err != nil || a.Status != 201 {
					t.Errorf("publish %s = %d, %v", version, a.Status, err)
				}
			}
		})
	}
	writers.Go(func() {
		for i := range 20 {
			s.delete(fmt.Sprintf("0.%d", i))
		}
	})
	data := filepath.Join(t.TempDir(), "carried")
	for range 3 {
		before := s.Store.Position()
		if got := into(t, s.Data, data); got.Position < before || len(got.Problems) != 0 {
			t.Errorf("carried up to %d with %v, want at least %d", got.Position, got.Problems, before)
		}
		sound(t, data)
	}
	stop()
	writers.Wait()
}

// cut is a blob store that fails after some writes.
type cut struct {
	blob.Store
	left int
	mu   sync.Mutex
}

func (c *cut) Create(ctx context.Context) (blob.Upload, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left--; c.left < 0 {
		return nil, errors.New("the disk went away")
	}
	return c.Store.Create(ctx)
}

// What was carried before a failure is not carried again.
func TestCarryGoesOn(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i := range 10 {
		s.publish(fmt.Sprintf("1.%d/f", i), fmt.Sprint(large, i))
	}
	data := filepath.Join(t.TempDir(), "carried")
	source, destination := open(t, s.Data, true), open(t, data, false)
	failing := carry.Pair{Store: destination.Store, Blobs: &cut{Store: destination.Blobs, left: 4}}
	if _, err := carry.Registry(t.Context(), source.Pair, failing, carry.Options{}); err == nil || !strings.Contains(err.Error(), "went away") {
		t.Fatalf("carry with a broken disk = %v, want its error", err)
	}
	if err := destination.Close(); err != nil {
		t.Fatal(err)
	}
	if got := into(t, s.Data, data); got.Files != 6 {
		t.Errorf("carried %d files after four, want 6", got.Files)
	}
	sound(t, data)
}

// A destination that holds something else is left alone.
func TestCarryIntoAnother(t *testing.T) {
	t.Parallel()
	s, other := start(t), start(t)
	s.publish("1.0/f", large)
	other.publish("9.0/f", "other")
	data := filepath.Join(t.TempDir(), "carried")
	into(t, other.Data, data)
	for what, from := range map[string]string{"another registry": s.Data, "an older state": data} {
		to := data
		if from == data {
			other.publish("9.1/f", "newer")
			to = filepath.Join(t.TempDir(), "newer")
			into(t, other.Data, to)
		}
		source, destination := open(t, from, true), open(t, to, false)
		if _, err := carry.Registry(t.Context(), source.Pair, destination.Pair, carry.Options{}); !errors.Is(err, carry.ErrOther) {
			t.Errorf("carry %s = %v, want ErrOther", what, err)
		}
		source.Close()
		destination.Close()
		sound(t, to)
	}
}

// What is damaged is named and left out; all else arrives.
func TestCarryDamaged(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish("1.0/good", large)
	s.publish("1.0/altered", large+"altered")
	s.publish("1.0/lost", large+"lost")
	for info, err := range open(t, s.Data, true).Blobs.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(s.Data, "files", "blobs", string(info.Key[:2]), string(info.Key[2:4]), string(info.Key))
		switch info.Size - int64(len(large)) {
		case int64(len("altered")):
			f, err := os.OpenFile(file, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(f, "X"); err != nil {
				t.Fatal(err)
			}
			f.Close()
		case int64(len("lost")):
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	data := filepath.Join(t.TempDir(), "carried")
	got := into(t, s.Data, data)
	if len(got.Problems) != 2 || got.Files != 1 {
		t.Errorf("carried %d files with %v, want one and two problems", got.Files, got.Problems)
	}
}

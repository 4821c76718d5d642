package generic_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"packhouse/internal/format/formattest"
)

// Publishes, deletes and the collector at the same time. Publishers share their
// bytes, so that one deletes what the other has just stored again, and the
// collector finds every blob old enough to look at.
func TestPublishDeleteCollect(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	r := &race{scene: s, t: t, bodies: []string{content(100, 1), content(50_000, 1), content(50_000, 2)}}
	for i, body := range r.bodies {
		s.mustPut(t, fmt.Sprintf("keep/%d/f", i), body)
	}
	stop := make(chan struct{})
	var workers, collectors sync.WaitGroup
	collectors.Go(func() { r.collect(stop) })
	collectors.Go(func() { r.reread(stop) })
	for i := range 8 {
		workers.Go(func() { r.work(i, time.Now().Add(2*time.Second)) })
	}
	workers.Wait()
	close(stop)
	collectors.Wait()
	r.verify()
	t.Logf("%d files published, %d versions deleted, %d rounds of collection", r.published.Load(), r.deleted.Load(), r.rounds.Load())
}

type race struct {
	scene
	t                          *testing.T
	bodies                     []string
	published, deleted, rounds atomic.Int64
	kept                       sync.Map // file: body, acknowledged and not deleted
}

// work publishes files that only it knows, reads them, and deletes some of the
// versions again.
func (r *race) work(worker int, until time.Time) {
	for n := 0; time.Now().Before(until); n++ {
		version := fmt.Sprintf("%d.%d", worker, n)
		for i, body := range r.bodies {
			file := fmt.Sprintf("own/%s/f%d", version, i)
			r.expect(r.try(file, body), 201, "PUT", file)
			r.published.Add(1)
			r.read(file, body)
			r.kept.Store(file, body)
		}
		if n%4 != 0 {
			r.remove("own", version)
		}
	}
}

// remove deletes a version through the packages API.
func (r *race) remove(name, version string) {
	var list []formattest.Package
	a, err := r.Try("GET", fmt.Sprintf("/api/v4/projects/%d/packages?package_name=%s&package_version=%s", r.project, name, version), nil, root)
	if err != nil || a.Status != 200 {
		r.t.Errorf("list = %d %s, %v", a.Status, a.Body, err)
		return
	}
	if err := json.Unmarshal(a.Body, &list); err != nil || len(list) != 1 {
		r.t.Errorf("packages of version %s = %+v, want one", version, list)
		return
	}
	for i := range r.bodies {
		r.kept.Delete(fmt.Sprintf("%s/%s/f%d", name, version, i))
	}
	a, err = r.Try("DELETE", fmt.Sprintf("/api/v4/projects/%d/packages/%d", r.project, list[0].ID), nil, root)
	if err != nil || a.Status != http.StatusNoContent {
		r.t.Errorf("DELETE = %d %s, %v, want 204", a.Status, a.Body, err)
	}
	r.deleted.Add(1)
	file := fmt.Sprintf("%s/%s/f0", name, version)
	a, err = r.Try("GET", r.at(file), nil, root)
	if err != nil || a.Status != 404 {
		r.t.Errorf("GET %s after DELETE = %d, %v, want 404", file, a.Status, err)
	}
}

// read expects a file to be whole.
func (r *race) read(file, body string) {
	a, err := r.Try("GET", r.at(file), nil, root)
	if err != nil || a.Status != 200 || string(a.Body) != body {
		r.t.Errorf("GET %s = %d with %d bytes, %v, want 200 with %d", file, a.Status, len(a.Body), err, len(body))
	}
}

func (r *race) expect(a formattest.Answer, want int, method, file string) {
	if a.Status != want {
		r.t.Errorf("%s %s = %d %s, want %d", method, file, a.Status, a.Body, want)
	}
}

// collect purges and sweeps as fast as it can.
func (r *race) collect(stop <-chan struct{}) {
	for ctx := context.Background(); ; r.rounds.Add(1) {
		select {
		case <-stop:
			return
		default:
		}
		r.Age()
		if _, err := r.Registry.Purge(ctx); err != nil {
			r.t.Errorf("Purge: %v", err)
		}
		if _, err := r.Registry.Sweep(ctx); err != nil {
			r.t.Errorf("Sweep: %v", err)
		}
	}
}

// reread reads what nobody deletes and what has the same bytes as what is
// deleted all the time.
func (r *race) reread(stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
			i := n % len(r.bodies)
			r.read(fmt.Sprintf("keep/%d/f", i), r.bodies[i])
		}
	}
}

// verify reads everything that was acknowledged and not deleted, once the
// collector has had the last word, and looks for bytes that nobody needs.
func (r *race) verify() {
	r.t.Helper()
	r.Age()
	ctx := context.Background()
	if _, err := r.Registry.Purge(ctx); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.Registry.Sweep(ctx); err != nil {
		r.t.Fatal(err)
	}
	n := 0
	r.kept.Range(func(file, body any) bool {
		n++
		r.read(file.(string), body.(string))
		return true
	})
	if n == 0 || r.deleted.Load() == 0 {
		r.t.Errorf("%d files kept, %d versions deleted: the race did not take place", n, r.deleted.Load())
	}
	// Two of the bodies are large; each is stored once, however often published.
	if got := r.Stored(); got != (formattest.Stored{Blobs: 2}) {
		r.t.Errorf("stored = %+v, want two blobs", got)
	}
}

// Publishes into a version that is deleted meanwhile: each lands in the version
// that is there then, or makes a new one; none fails.
func TestPublishIntoDeleted(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	var last [4]string
	var workers sync.WaitGroup
	for i := range last {
		workers.Go(func() {
			for n := range 40 {
				last[i] = strings.Repeat(fmt.Sprintf("%d.%d ", i, n), 1+n%2*5000)
				if a := s.try(fmt.Sprintf("tool/1.0/f%d", i), last[i]); a.Status != 201 {
					t.Errorf("PUT = %d %s, want 201", a.Status, a.Body)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { workers.Wait(); close(done) }()
	for deleted := 0; ; deleted++ {
		select {
		case <-done:
			for i, body := range last { // one more each, after the last DELETE
				s.mustPut(t, fmt.Sprintf("tool/1.0/f%d", i), body)
				s.mustGet(t, fmt.Sprintf("tool/1.0/f%d", i), body)
			}
			if list := s.Packages(s.project, ""); len(list) != 1 {
				t.Errorf("packages = %+v after %d deletes, want one", list, deleted)
			}
			return
		default:
		}
		for _, p := range s.Packages(s.project, "") {
			s.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d", s.project, p.ID), "", nil)
		}
	}
}

// Clients that go away in the middle of a publish disturb nobody else's, though
// many publishes share one transaction.
func TestPublishBesideTheGone(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	var gone sync.WaitGroup
	transport := new(http.Transport)
	defer transport.CloseIdleConnections()
	stop := make(chan struct{})
	for i := range 4 {
		gone.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(200+n%20*200)*time.Microsecond)
				r, err := http.NewRequestWithContext(ctx, "PUT", s.URL+s.at(fmt.Sprintf("gone/%d/%d", i, n)), strings.NewReader(content(both[n%2], 1)))
				if err != nil {
					t.Error(err)
				}
				r.Header.Set("Private-Token", formattest.RootToken)
				if resp, err := transport.RoundTrip(r); err == nil {
					resp.Body.Close()
				}
				cancel()
			}
		})
	}
	for round := range 4 {
		got := tally(formattest.Together(func(i int) formattest.Answer { return s.try(fmt.Sprintf("tool/%d/f%d", round, i), "x") }))
		if got[201] != clients {
			t.Errorf("PUTs beside clients that go away = %v, want all 201", got)
		}
	}
	close(stop)
	gone.Wait()
}

//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"packhouse/bench/load"
	"packhouse/bench/report"
)

// ecosystem is a package format as its clients speak it: to Packhouse, and to
// the peers that speak it as well.
type ecosystem struct {
	name   string
	mounts map[string]string // where it is on peers, by letter
	// publish makes the requests that publish a version below a mount, in the order in
	// which they have to be answered. Its content is random and the number's own.
	publish func(mount, name, version string, n int64) []load.Made
	// fewest publishes with as few requests as it takes; nil if publish does.
	fewest func(mount, name, version string, n int64) []load.Made
	// document is the index document of a package, below a mount of the server with
	// the letter.
	document func(letter, mount, name string) string
	// listing is the document that names every version; nil if document does.
	listing func(letter, mount, name string) string
}

// least is how to publish what is not measured.
func (e *ecosystem) least() func(mount, name, version string, n int64) []load.Made {
	if e.fewest != nil {
		return e.fewest
	}
	return e.publish
}

// mount is where a server speaks the format: Packhouse in the one project.
func (e *ecosystem) mount(s *server) string {
	if s.letter == "P" {
		return e.inProject(s.project)
	}
	return e.mounts[s.letter]
}

func (e *ecosystem) inProject(id int64) string {
	return fmt.Sprintf("/api/v4/projects/%d/packages/%s", id, e.name)
}

func (e *ecosystem) inGroup(id int64) string {
	return fmt.Sprintf("/api/v4/groups/%d/-/packages/%s", id, e.name)
}

// numbered is the n-th version of a package.
func numbered(n int64) string { return fmt.Sprintf("1.0.%d", n) }

// content is the random content of a published file.
func content(n, size int64) []byte {
	data, err := io.ReadAll(load.Body(n, size))
	if err != nil {
		panic(err) // it is in memory
	}
	return data
}

// send has a server answer prepared requests.
func (l *lab) send(ctx context.Context, s *server, spec load.Spec, all iter.Seq[load.Made]) (load.Result, error) {
	spec.Prepared = filepath.Join(l.memory, "requests")
	defer func() { _ = os.Remove(spec.Prepared) }()
	err := load.Write(spec.Prepared, s.Address, func(yield func(load.Made) bool) {
		for made := range all {
			if !yield(s.told(made)) {
				return
			}
		}
	})
	if err != nil {
		return load.Result{}, err
	}
	return l.load(ctx, s, spec)
}

// told adds what the server wants to be told with every request.
func (s *server) told(made load.Made) load.Made {
	header := maps.Clone(s.header)
	if header == nil {
		header = map[string]string{}
	}
	maps.Copy(header, made.Header)
	made.Header, made.Then = header, slices.Clone(made.Then)
	for i := range made.Then {
		made.Then[i] = s.told(made.Then[i])
	}
	return made
}

// fill publishes versions of a package, unless that was done before.
func (e *ecosystem) fill(ctx context.Context, l *lab, s *server, name string, versions int) error {
	key := e.name + " " + name
	if s.published[key] {
		return nil
	}
	progress("publishing %d versions of the %s package %s on %s", versions, e.name, name, s.Name)
	if err := e.put(ctx, l, s, func(yield func(load.Made) bool) {
		for i := range int64(versions) {
			for _, made := range e.least()(e.mount(s), name, numbered(i), l.number+i) {
				if !yield(made) {
					return
				}
			}
		}
	}); err != nil {
		return err
	}
	s.published[key] = true
	return nil
}

// put publishes and measures nothing. Peers are asked for one thing at a time.
func (e *ecosystem) put(ctx context.Context, l *lab, s *server, all iter.Seq[load.Made]) error {
	connections := 1
	if s.letter == "P" {
		connections = 16
	}
	_, err := l.send(ctx, s, load.Spec{
		Kind: load.Repeat, Connections: connections, Requests: 1 << 30, Status: success, Length: -1,
	}, all)
	return err
}

// publishing publishes packages, one version each, on some connections: durably
// on Packhouse and F, in memory on peers.
func (e *ecosystem) publishing(connections int) making {
	return func(ctx context.Context, l *lab, letter string) (sampler, error) {
		if letter == "F" {
			return publish(connections, false)(ctx, l, letter)
		}
		return e.sampling(ctx, l, letter, connections, func(n int64) (name, version string) {
			return fmt.Sprintf("bench-%d", n), "1.0.0"
		})
	}
}

// growing publishes versions of a package that has ten thousand already, and, as
// "p", first versions of packages.
func (e *ecosystem) growing(ctx context.Context, l *lab, letter string) (sampler, error) {
	if letter == "p" {
		return e.publishing(8)(ctx, l, "P")
	}
	s, err := l.reuse(ctx, "P", l.disk)
	if err != nil {
		return nil, err
	}
	if err := e.fill(ctx, l, s, "grown", 10_000); err != nil {
		return nil, err
	}
	return e.sampling(ctx, l, letter, 8, func(n int64) (name, version string) { return "grown", numbered(n) })
}

// sampling measures publishes of the packages that which names.
func (e *ecosystem) sampling(ctx context.Context, l *lab, letter string, connections int, which func(n int64) (name, version string)) (sampler, error) {
	folder := l.disk
	if letter != "P" {
		folder = l.memory
	}
	s, err := l.reuse(ctx, letter, folder)
	if err != nil {
		return nil, err
	}
	each := int64(len(e.publish(e.mount(s), "name", "1.0.0", l.number)))
	most := int64(8000*l.options.time.Seconds())/each + 100 // more than any of them does
	return func(ctx context.Context) (report.Sample, error) {
		if err := l.measureFsync(ctx); err != nil {
			return nil, err
		}
		first := l.number
		result, err := l.send(ctx, s, load.Spec{
			Kind: load.Repeat, Connections: connections, Warmup: warmup, Requests: 50, Status: success, Length: -1,
		}, func(yield func(load.Made) bool) {
			for n := first; n < first+most; n++ {
				name, version := which(n)
				if !yield(inTurn(e.publish(e.mount(s), name, version, n))) {
					return
				}
			}
		})
		if err != nil {
			return nil, err
		}
		for _, n := range []int64{first, l.number - 1} {
			name, version := which(n)
			if err := e.listed(ctx, s, name, version); err != nil {
				return nil, err
			}
		}
		return requestSample(result), nil
	}, nil
}

// inTurn makes one of requests that follow each other.
func inTurn(all []load.Made) load.Made {
	all[0].Then = all[1:]
	return all[0]
}

// success is any status that begins so.
const success = 2

// listed asserts that an acknowledged version is in its index document.
func (e *ecosystem) listed(ctx context.Context, s *server, name, version string) error {
	listing := e.listing
	if listing == nil {
		listing = e.document
	}
	path := listing(s.letter, e.mount(s), name)
	res, err := s.do(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return err
	}
	if res.status != http.StatusOK || !bytes.Contains(res.body, []byte(version)) {
		return fmt.Errorf("%s: GET %s: answer %d without the acknowledged version %s: %.300s", s.Name, path, res.status, version, res.body)
	}
	return nil
}

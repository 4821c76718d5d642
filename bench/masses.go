//go:build linux

package main

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"

	"packhouse/bench/load"
	"packhouse/bench/report"
)

// Many small files in a group of many projects.
const (
	massProjects = 10_000
	massVersions = 10 // in each project
	massFiles    = 10 // in each version
)

// massPath is a file of the package that a project has.
func massPath(mount string, project, version, file int) string {
	return fmt.Sprintf("%s/com/example/own-%d/1.0.%d/own-%d-1.0.%d-f%d.jar", mount, project, version, project, version, file)
}

// massed returns the group of s with a million files, and fills it if it is not there.
func (l *lab) massed(ctx context.Context, s *server) (*crowd, error) {
	if l.masses != nil {
		return l.masses, nil
	}
	c, err := s.gather(ctx, "masses", massProjects)
	if err != nil {
		return nil, err
	}
	progress("publishing %d files", massProjects*massVersions*massFiles)
	const portion = 1000 // projects whose requests are made at once
	for first := 0; first < massProjects; first += portion {
		err := maven.put(ctx, l, s, func(yield func(load.Made) bool) {
			for i := first; i < first+portion; i++ {
				for n := range massVersions * massFiles {
					path := massPath(maven.inProject(c.projects[i]), i, n/massFiles, n%massFiles)
					if !yield(load.Made{Method: http.MethodPut, Path: path, Body: fmt.Appendf(nil, "%d %d", i, n)}) {
						return
					}
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	l.masses = c
	return c, nil
}

// mass asks the group for files at random and, as "p", the projects that have them:
// a group that asked each of its projects would cost ten thousand times as much.
func mass(method string) making {
	return func(ctx context.Context, l *lab, letter string) (sampler, error) {
		s, err := l.reuse(ctx, "P", l.memory)
		if err != nil {
			return nil, err
		}
		c, err := l.massed(ctx, s)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) (report.Sample, error) {
			result, err := l.send(ctx, s, load.Spec{
				Kind: load.Repeat, Connections: 16, Warmup: warmup, Requests: 100, Status: http.StatusOK, Length: -1,
				Request: load.Request{Method: method},
			}, l.massRequests(c, method, letter == "p"))
			return requestSample(result), err
		}, nil
	}
}

// massRequests are more requests than can be answered in a sample.
func (l *lab) massRequests(c *crowd, method string, projects bool) iter.Seq[load.Made] {
	return func(yield func(load.Made) bool) {
		for range int64(100_000 * l.options.time.Seconds()) {
			project, mount := rand.IntN(massProjects), maven.inGroup(c.group)
			if projects {
				mount = maven.inProject(c.projects[project])
			}
			if !yield(load.Made{Method: method, Path: massPath(mount, project, rand.IntN(massVersions), rand.IntN(massFiles))}) {
				return
			}
		}
	}
}

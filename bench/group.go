//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"packhouse/bench/load"
)

// crowd is a group of many projects, each with a package of its own. Ten of them
// have a version of the package "shared" as well.
type crowd struct {
	group    int64
	projects []int64
}

const (
	crowdSize = 1000
	sharers   = 10
)

// crowded returns the group of s, and makes it if it is not there.
func (l *lab) crowded(ctx context.Context, s *server) (*crowd, error) {
	if l.crowd != nil {
		return l.crowd, nil
	}
	c, err := s.gather(ctx, "crowd", crowdSize)
	l.crowd = c
	return c, err
}

// gather makes a group of projects.
func (s *server) gather(ctx context.Context, path string, size int) (*crowd, error) {
	progress("creating a group of %d projects", size)
	c := &crowd{}
	var err error
	if c.group, err = s.create(ctx, "/api/v4/groups", url.Values{"name": {path}, "path": {path}, "visibility": {"private"}}); err != nil {
		return nil, err
	}
	for i := range size {
		name := fmt.Sprintf("project-%d", i)
		id, err := s.create(ctx, "/api/v4/projects", url.Values{"name": {name}, "path": {name}, "visibility": {"private"}, "namespace_id": {fmt.Sprint(c.group)}})
		if err != nil {
			return nil, err
		}
		c.projects = append(c.projects, id)
	}
	return c, nil
}

// create makes a group or a project and returns its id.
func (s *server) create(ctx context.Context, path string, form url.Values) (int64, error) {
	res, err := s.do(ctx, http.MethodPost, path, strings.NewReader(form.Encode()),
		http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
	if err != nil {
		return 0, err
	}
	var made struct {
		ID int64 `json:"id"`
	}
	if err := json.Unmarshal(res.body, &made); err != nil || res.status != http.StatusCreated || made.ID == 0 {
		return 0, fmt.Errorf("POST %s: answer %d: %.300s", path, res.status, res.body)
	}
	return made.ID, nil
}

// crowd has the format's packages in the projects of the crowd.
func (e *ecosystem) crowd(ctx context.Context, l *lab, s *server) (*crowd, error) {
	c, err := l.crowded(ctx, s)
	key := e.name + " crowd"
	if err != nil || s.published[key] {
		return c, err
	}
	progress("publishing %s packages in each project of the group", e.name)
	err = e.put(ctx, l, s, func(yield func(load.Made) bool) {
		for i, id := range c.projects {
			all := e.least()(e.inProject(id), fmt.Sprintf("own-%d", i), "1.0.0", l.number+int64(i))
			if i%(crowdSize/sharers) == 0 {
				version := numbered(int64(i / (crowdSize / sharers)))
				all = append(all, e.least()(e.inProject(id), "shared", version, l.number+int64(crowdSize+i))...)
			}
			for _, made := range all {
				if !yield(made) {
					return
				}
			}
		}
	})
	s.published[key] = err == nil
	return c, err
}

// grouped reads a document of ten versions: at a group, which has them from ten of
// its projects, and, as "p", in the one project that has them all.
func (e *ecosystem) grouped(ctx context.Context, l *lab, letter string) (sampler, error) {
	d := reading{ecosystem: e, versions: sharers}
	if letter == "p" {
		return d.make(ctx, l, "P")
	}
	s, err := l.reuse(ctx, "P", l.memory)
	if err != nil {
		return nil, err
	}
	c, err := e.crowd(ctx, l, s)
	if err != nil {
		return nil, err
	}
	return d.at(ctx, l, letter, s, e.document("P", e.inGroup(c.group), "shared"))
}

// groupIndex reads the list of all packages of the group and, as "p", of a project
// that has as many.
func (e *ecosystem) groupIndex(ctx context.Context, l *lab, letter string) (sampler, error) {
	s, err := l.reuse(ctx, "P", l.memory)
	if err != nil {
		return nil, err
	}
	d := reading{ecosystem: e, file: func(_, _ string) string { return "" }}
	if letter == "p" {
		id, err := e.alone(ctx, l, s)
		if err != nil {
			return nil, err
		}
		return d.at(ctx, l, "P", s, e.inProject(id)+"/simple/")
	}
	c, err := e.crowd(ctx, l, s)
	if err != nil {
		return nil, err
	}
	return d.at(ctx, l, letter, s, e.inGroup(c.group)+"/simple/")
}

// alone makes a project with as many packages as the group has.
func (e *ecosystem) alone(ctx context.Context, l *lab, s *server) (id int64, err error) {
	id, err = s.create(ctx, "/api/v4/projects", url.Values{"name": {"alone-" + e.name}, "path": {"alone-" + e.name}, "visibility": {"private"}})
	if err != nil {
		return 0, err
	}
	return id, e.put(ctx, l, s, func(yield func(load.Made) bool) {
		for i := range int64(crowdSize + 1) {
			for _, made := range e.least()(e.inProject(id), fmt.Sprintf("own-%d", i), "1.0.0", l.number+i) {
				if !yield(made) {
					return
				}
			}
		}
	})
}

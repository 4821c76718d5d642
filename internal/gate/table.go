package gate

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"packhouse"
	"packhouse/internal/format"
)

// table finds the route of a path. It knows where protocols are mounted:
//
//	/api/v4/projects/{id}/packages/{format}/…   a format, project level
//	/api/v4/groups/{id}/-/packages/{format}/…   a format, group level
//	/api/v4/packages/{format}/…                 a format, instance level
//	/api/v4/projects/{id}/…                     the API, project level
//	/api/v4/groups/{id}/…                       the API, group level
//	/api/v4/…                                   the API, instance level
//	/{word}/…                                   what a format mounts at the root
//	/api/v4/{projects,groups}/{id}/{word}/…     what it mounts in the API, and
//	/api/v4/{word}/…                            so at the instance
//	/groups/{path}/…                            the root protocol, group level
//	/{path}/-/… and /{path}                     the root protocol, project level
//	/…                                          the root protocol, instance level
type table struct {
	formats   map[string]*protocol
	mounts    map[string]*protocol // by the word at the root of the host
	inAPI     map[string]*protocol // by the word in the API
	api, root *protocol
}

// protocol is a format.Protocol with its patterns compiled, by level.
type protocol struct {
	name   string
	shape  format.Protocol
	passes bool // takes passes
	images bool // may be apart from the rest, see Options.Images
	routes map[packhouse.Level][]compiled
}

type compiled struct {
	route   format.Route
	pattern format.Pattern
}

// levels are all there are, from broad to narrow.
var levels = [...]packhouse.Level{packhouse.Instance, packhouse.Group, packhouse.Project}

const anyLevel = packhouse.Instance | packhouse.Group | packhouse.Project

func newTable(opts Options) (*table, error) {
	if opts.API == nil {
		return nil, errors.New("gate: there is no API")
	}
	t := &table{formats: map[string]*protocol{}, mounts: map[string]*protocol{}, inAPI: map[string]*protocol{}}
	for _, f := range opts.Formats {
		segment := format.Segment(f)
		if t.formats[segment] != nil {
			return nil, fmt.Errorf("gate: two formats are called %q", segment)
		}
		p, err := compile(f.Name(), f, anyLevel)
		if err != nil {
			return nil, err
		}
		t.formats[segment] = p
		if err := t.mount(f); err != nil {
			return nil, err
		}
	}
	var err error
	if t.api, err = compile("api", opts.API, anyLevel); err != nil {
		return nil, err
	}
	if opts.Root == nil {
		t.root = &protocol{name: "root", shape: opts.API}
		return t, nil
	}
	t.root, err = compile("root", opts.Root, anyLevel)
	return t, err
}

// mount takes in what a format mounts outside of the package registry.
func (t *table) mount(f format.Format) error {
	mounter, ok := f.(format.Mounter)
	if !ok {
		return nil
	}
	for _, m := range mounter.Mounts() {
		words, at := t.mounts, packhouse.Instance|packhouse.Project
		if m.API {
			words, at = t.inAPI, anyLevel
		}
		if words[m.Word] != nil {
			return fmt.Errorf("gate: two formats are mounted at %q", m.Word)
		}
		p, err := compile(f.Name(), m.Protocol, at)
		if err != nil {
			return err
		}
		for _, route := range m.Routes() {
			if !m.API && route.Level == packhouse.Project && route.Within == "" {
				return fmt.Errorf("gate: %s: route %s %s does not say which project it is about", f.Name(), route.Method, route.Path)
			}
		}
		p.passes, p.images = m.Passes, m.Images
		words[m.Word] = p
	}
	return nil
}

// compile checks the routes of a protocol that is mounted at the given levels.
func compile(name string, shape format.Protocol, at packhouse.Level) (*protocol, error) {
	p := &protocol{name: name, shape: shape, routes: map[packhouse.Level][]compiled{}}
	for _, route := range shape.Routes() {
		wrong := func(problem string, args ...any) error {
			return fmt.Errorf("gate: %s: route %s %s %s", name, route.Method, route.Path, fmt.Sprintf(problem, args...))
		}
		pattern, err := format.Compile(route.Path)
		if err != nil {
			return nil, fmt.Errorf("gate: %s: %w", name, err)
		}
		if !route.Action.Valid() || route.Handle == nil || route.Level == 0 || route.Method == "" {
			return nil, wrong("lacks an action, a handler, a level or a method")
		}
		if route.Level&^at != 0 {
			return nil, wrong("is for levels where nobody can ask for it")
		}
		for _, level := range levels {
			if route.Level&level == 0 {
				continue
			}
			if route.Locate == nil && !route.Action.Fits(level) {
				return nil, wrong("has the action %s, which cannot be decided at %s level", route.Action, level)
			}
			p.routes[level] = append(p.routes[level], compiled{route, pattern})
		}
	}
	return p, nil
}

// mounted is a path that has found its protocol and level.
type mounted struct {
	*protocol
	level packhouse.Level
	ref   string      // id or full path of the group or project
	rest  format.Path // below the mount
	depth int         // segments before rest
}

func (t *table) find(path format.Path) mounted {
	s := path.Segments
	at := func(p *protocol, level packhouse.Level, ref string, depth int) mounted {
		return mounted{protocol: p, level: level, ref: ref, depth: depth, rest: format.Path{Segments: s[depth:], Slash: path.Slash}}
	}
	if len(s) > 0 && t.mounts[s[0]] != nil {
		p := t.mounts[s[0]]
		level := packhouse.Instance
		if below := at(p, packhouse.Project, "", 1); below.knows() {
			level = packhouse.Project
		}
		return at(p, level, "", 1)
	}
	if len(s) < 3 || s[0] != "api" || s[1] != "v4" {
		return t.page(s, at)
	}
	switch {
	case s[2] == "projects" && len(s) > 3 && s[3] != "user": // every project is in a namespace, so none is called that
		if len(s) > 5 && s[4] == "packages" && t.formats[s[5]] != nil {
			return at(t.formats[s[5]], packhouse.Project, s[3], 6)
		}
		if len(s) > 4 && t.inAPI[s[4]] != nil {
			return at(t.inAPI[s[4]], packhouse.Project, s[3], 5)
		}
		return at(t.api, packhouse.Project, s[3], 4)
	case s[2] == "groups" && len(s) > 3:
		if len(s) > 6 && s[4] == "-" && s[5] == "packages" && t.formats[s[6]] != nil {
			return at(t.formats[s[6]], packhouse.Group, s[3], 7)
		}
		if len(s) > 4 && t.inAPI[s[4]] != nil {
			return at(t.inAPI[s[4]], packhouse.Group, s[3], 5)
		}
		return at(t.api, packhouse.Group, s[3], 4)
	case s[2] == "packages" && len(s) > 3 && t.formats[s[3]] != nil:
		return at(t.formats[s[3]], packhouse.Instance, "", 4)
	case t.inAPI[s[2]] != nil:
		return at(t.inAPI[s[2]], packhouse.Instance, "", 3)
	}
	return at(t.api, packhouse.Instance, "", 2)
}

// page finds what the root protocol has at a path: at the instance, or where its
// routes have them a group or a project, whose path ends at "-" or with the path.
func (t *table) page(s []string, at func(p *protocol, level packhouse.Level, ref string, depth int) mounted) mounted {
	instance := at(t.root, packhouse.Instance, "", 0)
	if len(s) < 2 || s[0] == "-" || s[0] == "api" || instance.knows() {
		return instance
	}
	end := slices.Index(s, "-")
	if end < 0 {
		end = len(s)
	}
	place := at(t.root, packhouse.Project, strings.Join(s[:end], "/"), end)
	if s[0] == "groups" {
		place = at(t.root, packhouse.Group, strings.Join(s[1:end], "/"), end)
	}
	if !place.knows() {
		return instance
	}
	return place
}

// knows reports whether a route of any method has the path.
func (m mounted) knows() bool {
	var room [4]format.Arg
	for _, r := range m.routes[m.level] {
		if _, ok := r.pattern.Match(m.rest, room[:0]); ok {
			return true
		}
	}
	return false
}

// match finds the route of a method. packhouse.NotFound: no route has the path.
// packhouse.NotAllowed: one has, but not for the method; allow then lists those
// that it has.
func (m mounted) match(method string, args format.Args) (route *format.Route, found format.Args, allow []string, err error) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	routes := m.routes[m.level]
	for i := range routes {
		found, ok := routes[i].pattern.Match(m.rest, args)
		if !ok {
			continue
		}
		if routes[i].route.Method == method {
			return &routes[i].route, found, nil, nil
		}
		if slices.Contains(allow, routes[i].route.Method) {
			continue
		}
		allow = append(allow, routes[i].route.Method)
		if routes[i].route.Method == http.MethodGet {
			allow = append(allow, http.MethodHead)
		}
	}
	if allow != nil {
		return nil, nil, allow, packhouse.Errorf(packhouse.NotAllowed, "405 Not Allowed")
	}
	return nil, nil, nil, errNoRoute()
}

func errNoRoute() error {
	return &packhouse.Error{Kind: packhouse.NotFound, Rule: "route", Message: "404 Not Found"}
}

package gate_test

import (
	"net/http"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
	"packhouse/internal/gate"
)

// A table with a mistake in it does not start, and the error names the place.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	const project = packhouse.Project
	silent := func(http.ResponseWriter, *http.Request, *format.Call) error { return nil }
	locate := func(*http.Request, *format.Call) (packhouse.Target, authz.Action, error) {
		return packhouse.Target{}, 0, nil
	}
	good := format.Route{Level: project, Method: "GET", Path: "/x", Action: authz.ReadPackages, Handle: silent}
	edited := func(edit func(*format.Route)) []format.Route {
		r := good
		edit(&r)
		return []format.Route{good, r}
	}
	for _, test := range []struct {
		name   string
		routes []format.Route
		want   string // part of the error; "" for none
	}{
		{"good", []format.Route{good}, ""},
		{"no routes", nil, ""},
		{"located", edited(func(r *format.Route) { r.Level, r.Locate = packhouse.Instance, locate; r.Action = authz.CreateProject }), ""},
		{"no action", edited(func(r *format.Route) { r.Action = 0 }), "lacks an action"},
		{"unknown action", edited(func(r *format.Route) { r.Action = 200 }), "lacks an action"},
		{"no handler", edited(func(r *format.Route) { r.Handle = nil }), "a handler"},
		{"no level", edited(func(r *format.Route) { r.Level = 0 }), "a level"},
		{"no method", edited(func(r *format.Route) { r.Method = "" }), "a method"},
		{"unknown level", edited(func(r *format.Route) { r.Level |= 8 }), "nobody can ask"},
		{"action for another level", edited(func(r *format.Route) { r.Action = authz.OwnGroup }), "cannot be decided at project level"},
		{"one of two levels", edited(func(r *format.Route) { r.Level |= packhouse.Group; r.Action = authz.PublishPackages }), "cannot be decided at group level"},
		{"no slash", edited(func(r *format.Route) { r.Path = "x" }), "does not begin with a slash"},
		{"no path", edited(func(r *format.Route) { r.Path = "" }), "does not begin with a slash"},
		{"bad parameter", edited(func(r *format.Route) { r.Path = "/{x" }), "bad segment"},
		{"two of many", edited(func(r *format.Route) { r.Path = "/{a...}/{b...}" }), "two parameters of many"},
	} {
		_, err := gate.New(gate.Options{API: &fake{name: "api"}, Formats: []format.Format{&fake{"box", test.routes}}})
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: New = %v, want no error", test.name, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "gate: box")):
			t.Errorf("%s: New = %v, want an error about box that says %q", test.name, err, test.want)
		}
	}
}

// The API and the root are held to the same.
func TestNewRefusesProtocols(t *testing.T) {
	t.Parallel()
	bad := &fake{name: "any", routes: []format.Route{{Level: packhouse.Instance, Method: "GET", Path: "/x"}}}
	wide := (&fake{name: "any"}).on(packhouse.Project, "GET", "/x", authz.AdminInstance, told("x"))
	good := &fake{name: "api"}
	for _, test := range []struct {
		name string
		opts gate.Options
		want string
	}{
		{"no API", gate.Options{}, "there is no API"},
		{"bad API", gate.Options{API: bad}, "gate: api: route GET /x lacks an action"},
		{"bad root", gate.Options{API: good, Root: bad}, "gate: root: route GET /x lacks an action"},
		{"root with an action of another level", gate.Options{API: good, Root: wide}, "gate: root: route GET /x has the action AdminInstance, which cannot be decided at project level"},
		{"one name twice", gate.Options{API: good, Formats: []format.Format{&fake{name: "box"}, &fake{name: "jar"}, &fake{name: "box"}}}, `two formats are called "box"`},
	} {
		if _, err := gate.New(test.opts); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: New = %v, want %q", test.name, err, test.want)
		}
	}
}

package gate_test

import (
	"fmt"
	"strconv"
	"testing"

	"packhouse"
	"packhouse/internal/authz"
)

// mounts are rooms with a format, an API and a root that answer what they were
// told.
func mounts(t *testing.T) *rooms {
	t.Helper()
	r := open(t)
	box := (&fake{name: "box"}).
		on(everywhere, "GET", "/list/", authz.ReadPackages, told("list")).
		on(everywhere, "GET", "/{name}/{file...}", authz.ReadPackages, told("file")).
		on(packhouse.Project, "PUT", "/{name}/{file...}", authz.PublishPackages, told("publish")).
		on(packhouse.Project, "DELETE", "/{name}/{file...}", authz.DeletePackages, told("delete"))
	r.Formats = append(r.Formats, box)
	r.API.(*fake).
		on(packhouse.Group, "GET", "/", authz.ReadGroup, told("group")).
		on(packhouse.Project, "GET", "/", authz.ReadProject, told("project")).
		on(packhouse.Project, "PUT", "/", authz.ManageProject, told("change")).
		on(packhouse.Project, "GET", "/packages", authz.ListPackages, told("packages")).
		on(packhouse.Project, "GET", "/packages/latest", authz.ListPackages, told("latest")).
		on(packhouse.Project, "GET", "/packages/{id}", authz.ListPackages, told("package")).
		on(packhouse.Project, "GET", "/packages/{id}/files", authz.ListPackages, told("files"))
	r.Root = (&fake{name: "root"}).
		on(packhouse.Instance, "GET", "/", authz.Anyone, told("welcome")).
		on(packhouse.Instance, "GET", "/-/health", authz.Anyone, told("health")).
		on(packhouse.Instance, "GET", "/explore/packages", authz.Anyone, told("explore")).
		on(packhouse.Group, "GET", "/", authz.ReadGroup, told("group page")).
		on(packhouse.Project, "GET", "/", authz.ReadProject, told("project page")).
		on(packhouse.Project, "GET", "/-/packages/{id}", authz.ListPackages, told("package page"))
	return r
}

// A route is found at every mount and level, however its project is written.
func TestRoutes(t *testing.T) {
	t.Parallel()
	r := mounts(t)
	g := r.gate(t)
	id := r.tools.ID
	const p, grp = "/api/v4/projects/", "/api/v4/groups/"
	for _, test := range []struct{ target, want string }{
		{"/", `welcome at instance "", mounted at , slash`},
		{"/-/health", `health at instance "", mounted at `},
		{"/-/health/", `health at instance "", mounted at , slash`},
		{"/explore/packages", `explore at instance "", mounted at `},
		{"/groups/acme", `group page at group "acme", mounted at /groups/acme`},
		{"/acme/tools", `project page at project "acme/tools", mounted at /acme/tools`},
		{"/ACME/tools/", `project page at project "acme/tools", mounted at /ACME/tools, slash`},
		{"/acme/tools/-/packages/5", `package page at project "acme/tools", mounted at /acme/tools, id=5`},
		{"/api/v4/version", `version at instance "", mounted at /api/v4`},
		{"/api/v4/version/", `version at instance "", mounted at /api/v4, slash`},
		{grp + "acme", `group at group "acme", mounted at /api/v4/groups/acme`},
		{grp + "ACME/", `group at group "acme", mounted at /api/v4/groups/ACME, slash`},
		{p + "acme%2Ftools", `project at project "acme/tools", mounted at /api/v4/projects/acme%2Ftools`},
		{p + "acme%2ftools", `project at project "acme/tools", mounted at /api/v4/projects/acme%2Ftools`},
		{p + "Acme%2FTOOLS", `project at project "acme/tools", mounted at /api/v4/projects/Acme%2FTOOLS`},
		{p + "%61cme%2Ftool%73", `project at project "acme/tools", mounted at /api/v4/projects/acme%2Ftools`},
		{p + fmt.Sprint(id) + "/packages", fmt.Sprintf(`packages at project "acme/tools", mounted at /api/v4/projects/%d`, id)},
		{p + "acme%2Ftools/packages/5", `package at project "acme/tools", mounted at /api/v4/projects/acme%2Ftools, id=5`},
		{p + "acme%2Ftools/packages/latest", `latest at project "acme/tools", mounted at /api/v4/projects/acme%2Ftools`},
		{p + "acme%2Ftools/packages/5/files", `files at project "acme/tools", mounted at /api/v4/projects/acme%2Ftools, id=5`},
		{p + "acme%2Ftools/packages/jar", `package at project "acme/tools", mounted at /api/v4/projects/acme%2Ftools, id=jar`},
		{p + "acme%2Ftools/packages/box/list/", `list at project "acme/tools", mounted at /api/v4/projects/acme%2Ftools/packages/box, slash`},
		{p + "acme%2Ftools/packages/box/n/f", `file at project "acme/tools", mounted at /api/v4/projects/acme%2Ftools/packages/box, name=n, file=f`},
		{p + "acme%2Ftools/packages/box/n/a%2Fb/c", `file at project "acme/tools", mounted at /api/v4/projects/acme%2Ftools/packages/box, name=n, file=a/b/c`},
		{p + "acme%2Ftools/packages/box/n%2Fm/f", `file at project "acme/tools", mounted at /api/v4/projects/acme%2Ftools/packages/box, name=n/m, file=f`},
		{p + "acme%2Ftools/packages/box/a+b/%2B%25", `file at project "acme/tools", mounted at /api/v4/projects/acme%2Ftools/packages/box, name=a+b, file=+%`},
		{grp + "acme/-/packages/box/n/f", `file at group "acme", mounted at /api/v4/groups/acme/-/packages/box, name=n, file=f`},
		{"/api/v4/packages/box/n/f", `file at instance "", mounted at /api/v4/packages/box, name=n, file=f`},
	} {
		a := ask(g, "GET", test.target, nil)
		if a.Code != 200 || a.Body.String() != test.want {
			t.Errorf("GET %s = %d %s, want %s", test.target, a.Code, a.Body, test.want)
		}
		if a := ask(g, "HEAD", test.target, nil); a.Code != 200 {
			t.Errorf("HEAD %s = %d, want 200", test.target, a.Code)
		}
	}
}

// What has no route is not found, and a method that the route has not got is not
// allowed, in the words of the protocol whose path it is. Nobody is asked for a
// credential first.
func TestNoRoute(t *testing.T) {
	t.Parallel()
	r := mounts(t)
	g := r.gate(t)
	const p = "/api/v4/projects/acme%2Ftools"
	const none, not = "404 Not Found", "405 Not Allowed"
	for _, test := range []struct{ method, target, who, says, allow string }{
		{"GET", "/nothing", "root", none, ""},
		{"GET", "/-", "root", none, ""},
		{"GET", "/api", "root", none, ""},
		{"GET", "/api/v4", "root", none, ""},
		{"GET", "/api/v5/version", "root", none, ""},
		{"GET", "/API/v4/version", "root", "404 Project Not Found", ""},
		{"POST", "/", "root", not, "GET, HEAD"},
		{"GET", "/api/v4/nothing", "api", none, ""},
		{"GET", "/api/v4/projects", "api", none, ""},
		{"GET", "/api/v4/Version", "api", none, ""},
		{"GET", p + "/nothing", "api", none, ""},
		{"GET", p + "/packages/jar/n/f", "api", none, ""},
		{"GET", "/api/v4/groups/acme/packages/box/n/f", "api", none, ""},
		{"GET", "/api/v4/packages/jar/n/f", "api", none, ""},
		{"PATCH", "/api/v4/version", "api", not, "GET, HEAD"},
		{"DELETE", p, "api", not, "GET, HEAD, PUT"},
		{"get", p, "api", not, "GET, HEAD, PUT"},
		{"OPTIONS", p + "/packages/5", "api", not, "GET, HEAD"},
		{"DELETE", p + "/packages/latest", "api", not, "GET, HEAD"}, // two routes have the path
		{"GET", p + "/packages/box/n", "box", none, ""},
		{"GET", p + "/packages/box", "box", none, ""},
		{"POST", p + "/packages/box/n/f", "box", not, "GET, HEAD, PUT, DELETE"},
		{"PUT", "/api/v4/groups/acme/-/packages/box/n/f", "box", not, "GET, HEAD"},
		{"PUT", "/api/v4/packages/box/n/f", "box", not, "GET, HEAD"},
		{"PUT", "/api/v4/packages/box/list/f", "box", not, "GET, HEAD"},
		{"GET", p + "/packages/box/../f", "box", "400 Bad request - the path has a part that is . or ..", ""},
		{"GET", p + "/packages/box/n%2f..%2ff", "box", "400 Bad request - the path has a part that is . or ..", ""},
		{"GET", p + "/packages//box/n/f", "api", "400 Bad request - the path has an empty part", ""},
		{"GET", "//", "root", "400 Bad request - the path has an empty part", ""},
	} {
		a := ask(g, test.method, test.target, nil)
		want, err := strconv.Atoi(test.says[:3])
		must(t, err)
		if a.Code != want || a.Body.String() != test.who+" says "+test.says {
			t.Errorf("%s %s = %d %q, want %d in the words of %s", test.method, test.target, a.Code, a.Body, want, test.who)
		}
		if got := a.Header().Get("Allow"); got != test.allow {
			t.Errorf("%s %s: Allow = %q, want %q", test.method, test.target, got, test.allow)
		}
		if a.Header().Get("Www-Authenticate") != "" || a.Header().Get("X-Request-Id") == "" {
			t.Errorf("%s %s: header %v, want a request id and no challenge", test.method, test.target, a.Header())
		}
	}
}

// Without a root protocol, what is in no API is not found in the API's words.
func TestNoRoot(t *testing.T) {
	t.Parallel()
	g := open(t).gate(t)
	for _, target := range []string{"/", "/-/health", "/api/v4"} {
		if a := ask(g, "GET", target, nil); a.Code != 404 || a.Body.String() != "api says 404 Not Found" {
			t.Errorf("GET %s = %d %s, want 404 in the words of api", target, a.Code, a.Body)
		}
	}
}

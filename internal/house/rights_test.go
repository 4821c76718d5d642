package house_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/api"
	"packhouse/internal/authn"
	"packhouse/internal/authz"
	"packhouse/internal/format"
	"packhouse/internal/format/all"
	"packhouse/internal/format/formattest"
	"packhouse/internal/gate"
)

// The rights matrix: every route of the API and of every format, asked by every
// kind of token and role on projects and groups of every kind, through the real
// gate, directory and authentication; only the handlers are stubs. What must come
// out is worked out here once more, from GitLab's permission tables
// (https://docs.gitlab.com/user/permissions/) and not from authz. A new route
// joins by being there; a new action needs a row in needs.

// need is what an action takes.
type need struct {
	kind   string         // "anyone", "credential", "sight", "reading", "role", "insider", "admin"
	role   packhouse.Role // for "role"
	takes  string         // the tokens that count: p(ersonal, project and group), s(ession), d(eploy), j(ob)
	scope  string         // the access tokens' scopes that do: "any", "user", "read", "api", "pull", "push", "rotate"
	pkg    bool           // about the package registry
	images bool           // about the container registry instead, which is on everywhere
	write  bool           // refused on what is archived
	proto  bool           // of a package protocol: asks strangers for a credential
}

var needs = map[string]need{
	"Anyone":      {kind: "anyone"},
	"SignedIn":    {kind: "credential", takes: "ps", scope: "user"},
	"SelfToken":   {kind: "credential", takes: "p", scope: "any"},
	"OwnAccount":  {kind: "credential", takes: "ps", scope: "api"},
	"RotateToken": {kind: "credential", takes: "p", scope: "rotate"},
	"OwnJob":      {kind: "credential", takes: "j", scope: "any"},

	"ReadPackages":    {kind: "reading", takes: "psdj", scope: "pull", pkg: true, proto: true},
	"PublishPackages": {kind: "role", role: packhouse.Developer, takes: "pdj", scope: "push", pkg: true, write: true, proto: true},
	"DeletePackages":  {kind: "role", role: packhouse.Maintainer, takes: "pdj", scope: "push", pkg: true, write: true, proto: true},
	"ListPackages":    {kind: "reading", takes: "psdj", scope: "pull", pkg: true},
	"RemovePackages":  {kind: "role", role: packhouse.Maintainer, takes: "psj", scope: "push", pkg: true, write: true},

	"ReadTrash":       {kind: "role", role: packhouse.Maintainer, takes: "ps", scope: "read", pkg: true},
	"RestorePackages": {kind: "role", role: packhouse.Maintainer, takes: "ps", scope: "api", pkg: true, write: true},
	"PurgePackages":   {kind: "role", role: packhouse.Owner, takes: "ps", scope: "api", pkg: true, write: true},

	"ListImages":   {kind: "reading", takes: "psj", scope: "images", pkg: true, images: true},
	"UntagImages":  {kind: "role", role: packhouse.Developer, takes: "psj", scope: "api", pkg: true, write: true, images: true},
	"RemoveImages": {kind: "role", role: packhouse.Maintainer, takes: "psj", scope: "api", pkg: true, write: true, images: true},

	"ReadProject":   {kind: "sight", takes: "ps", scope: "read"},
	"ManageProject": {kind: "role", role: packhouse.Maintainer, takes: "ps", scope: "api"},
	"OwnProject":    {kind: "role", role: packhouse.Owner, takes: "ps", scope: "api"},
	"MintJobTokens": {kind: "role", role: packhouse.Maintainer, takes: "ps", scope: "api", write: true},

	"ReadGroup":      {kind: "sight", takes: "ps", scope: "read"},
	"CreateProject":  {kind: "role", role: packhouse.Developer, takes: "ps", scope: "api", write: true},
	"CreateSubgroup": {kind: "role", role: packhouse.Maintainer, takes: "ps", scope: "api", write: true},
	"ManageGroup":    {kind: "role", role: packhouse.Maintainer, takes: "ps", scope: "read"},
	"OwnGroup":       {kind: "role", role: packhouse.Owner, takes: "ps", scope: "api"},
	"CreateGroup":    {kind: "insider", takes: "ps", scope: "api"},
	"AdminInstance":  {kind: "admin", takes: "ps", scope: "api"},
}

// scopes are those of which an access token needs one.
var scopes = map[string]string{
	"user": "api read_api read_user", "read": "api read_api", "api": "api", "rotate": "api self_rotate",
	"images": "api read_api read_registry",
	"pull":   "api read_api read_package_registry write_package_registry", "push": "api write_package_registry",
}

// visitor is a credential as the table knows it.
type visitor struct {
	name, header string
	kind         byte           // p, s, d, j; 0 without one
	role         packhouse.Role // on everything below the group acme
	scope        string
	admin        bool
	external     bool
	bound        bool // a token of the group acme, which reaches nothing above it
}

// site is a project or group as the table knows it.
type site struct {
	level      packhouse.Level
	id         int64
	visibility string
	registry   string
	archived   bool
}

// expected is the status that a request has to be answered with; 204 is let in.
func expected(v visitor, n need, s site) int {
	if n.kind == "anyone" {
		return 204
	}
	if n.images {
		s.registry = "enabled"
	}
	counts := v.kind != 0 && strings.IndexByte(n.takes, v.kind) >= 0
	if v.kind == 'd' && n.pkg && !n.proto && counts {
		counts = strings.Contains(scopes["pull"], v.scope) // a deploy token without package scopes has no business in the REST API
	}
	member := counts && (v.role > packhouse.NoAccess || v.kind == 'd')
	sees := member || s.visibility == "public" || counts && s.visibility == "internal" && !v.external && v.kind != 'd' || counts && v.admin || s.level == packhouse.Instance
	reads := sees && (s.level == packhouse.Instance || s.level == packhouse.Group)
	if s.level == packhouse.Project {
		strong := counts && (v.role >= packhouse.Reporter || v.kind == 'd' || v.admin)
		open := s.visibility == "public" || counts && s.visibility == "internal" && !v.external && v.kind != 'd'
		reads = map[string]bool{"enabled": strong || open, "private": strong, "public": true, "disabled": false}[s.registry]
	} else if s.level == packhouse.Group && !reads {
		reads = n.pkg // something below is open to everybody
	}
	if !counts {
		switch {
		case n.kind == "sight" && sees, n.kind == "reading" && reads:
			return 204
		case n.kind == "sight", n.kind == "reading" && !n.proto:
			return 404
		}
		return 401
	}
	granted := map[string]bool{
		"credential": true, "sight": sees, "reading": reads, "insider": !v.external && !v.bound || v.admin, "admin": v.admin,
		"role": v.role >= n.role || v.admin || v.kind == 'd' && (n.role <= packhouse.Developer),
	}[n.kind]
	if n.kind == "credential" {
		sees, reads = true, true
	}
	visible := sees
	if n.pkg && s.level == packhouse.Project {
		visible = reads || sees && (s.registry != "private" || member || v.admin)
	} else if n.pkg {
		visible = sees || reads
	}
	scoped := v.kind == 'j' || v.kind == 's' || n.scope == "any" || strings.Contains(" "+scopes[n.scope]+" ", " "+v.scope+" ")
	switch {
	case !visible:
		return 404
	case n.pkg && s.registry == "disabled" && s.level == packhouse.Project, n.write && s.archived && n.kind != "credential":
		return 403
	case !granted, !scoped, n.images && n.write && v.kind == 'j': // jobs change images of their own project alone
		return 403
	}
	return 204
}

// stub has the routes of a protocol with handlers that do nothing.
type stub struct{ format.Protocol }

func (s stub) Routes() []format.Route {
	routes := s.Protocol.Routes()
	for i := range routes {
		routes[i].Handle = func(w http.ResponseWriter, _ *http.Request, _ *format.Call) error {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		if locate := routes[i].Locate; locate != nil {
			routes[i].Locate = func(r *http.Request, c *format.Call) (packhouse.Target, authz.Action, error) {
				t, a, err := locate(r, c)
				r.Header.Set("X-Found", fmt.Sprintf("%d %d %s", t.Level, t.ID, a)) // for the test to read
				return t, a, err
			}
		}
	}
	return routes
}

type stubFormat struct {
	format.Format
	stub
}

func (s stubFormat) Routes() []format.Route { return s.stub.Routes() }
func (s stubFormat) WriteError(w http.ResponseWriter, r *http.Request, e *packhouse.Error) {
	s.Format.WriteError(w, r, e)
}

// pathParam is a parameter in a pattern.
var pathParam = regexp.MustCompile(`\{[^}]+\}`)

func TestRights(t *testing.T) {
	t.Parallel()
	w := formattest.Start(t)
	m := newMatrix(t, w)
	a := &api.API{Store: w.Store, Directory: w.Directory, Changes: w.Changes, Issuer: w.Issuer, Registry: w.Registry}
	a.Authn = authn.New(authn.Options{Store: w.Store, Directory: w.Directory, QueryTokens: true})
	opts := gate.Options{API: stub{a}, Authn: a.Authn, Directory: w.Directory, Registry: w.Registry}
	asked := map[packhouse.Level][]asking{}
	add := func(p format.Protocol, mounts map[packhouse.Level]string) {
		for _, r := range p.Routes() {
			for level, mount := range mounts {
				if r.Level&level != 0 {
					asked[level] = append(asked[level], asking{r, mount + pathParam.ReplaceAllString(r.Path, "999")})
				}
			}
		}
	}
	add(a, map[packhouse.Level]string{packhouse.Instance: "/api/v4", packhouse.Group: "/api/v4/groups/%d", packhouse.Project: "/api/v4/projects/%d"})
	for _, f := range all.Formats() {
		a.Formats = append(a.Formats, f.Name())
		opts.Formats = append(opts.Formats, stubFormat{f, stub{f}})
		name := "/packages/" + f.Name()
		add(f, map[packhouse.Level]string{
			packhouse.Instance: "/api/v4" + name, packhouse.Group: "/api/v4/groups/%d/-" + name, packhouse.Project: "/api/v4/projects/%d" + name,
		})
	}
	g, err := gate.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, s := range m.sites {
		for _, ask := range asked[s.level] {
			path := ask.path
			if s.level != packhouse.Instance {
				path = fmt.Sprintf(path, s.id)
			}
			for _, v := range m.visitors {
				m.ask(g, ask.route, path, v, s)
				n++
			}
		}
	}
	t.Logf("%d requests, %d of them checked against the tables", n, m.checked)
	if m.checked < 100_000 {
		t.Errorf("%d requests were checked, want at least 100,000", m.checked)
	}
}

// asking is a route with a path to ask for it.
type asking struct {
	route format.Route
	path  string
}

// matrix is who asks, and where.
type matrix struct {
	t        *testing.T
	visitors []visitor
	sites    []site
	byTarget map[[2]int64]site
	checked  int
}

// ask sends one request and compares.
func (m *matrix) ask(g http.Handler, route format.Route, path string, v visitor, s site) {
	r := httptest.NewRequest(route.Method, path, nil)
	if name, value, ok := strings.Cut(v.header, ": "); ok {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	action := route.Action.String()
	if found := r.Header.Get("X-Found"); found != "" {
		var level packhouse.Level
		var id int64
		if _, err := fmt.Sscan(found, &level, &id, &action); err != nil {
			m.t.Fatal(err)
		}
		at, known := m.byTarget[[2]int64{int64(level), id}]
		if !known || w.Code == http.StatusBadRequest {
			return // a target that the request did not name
		}
		s = at
	}
	n, known := needs[action]
	if !known {
		m.t.Fatalf("the action %s has no row in the table of this test", action)
	}
	m.checked++
	if want := expected(v, n, s); w.Code != want {
		m.t.Errorf("%s %s (%s) by %s on a %s %s, registry %s, archived %v = %d, want %d: %s",
			route.Method, path, action, v.name, s.visibility, s.level, s.registry, s.archived, w.Code, want, w.Body)
	}
}

// newMatrix makes the places and the people.
func newMatrix(t *testing.T, w *formattest.World) *matrix {
	m := &matrix{t: t, byTarget: map[[2]int64]site{}}
	m.put(site{level: packhouse.Instance})
	acme := w.Group("acme", 0, "public")
	for _, visibility := range []string{"private", "internal", "public"} {
		group := w.Group(visibility, acme, visibility)
		m.put(site{level: packhouse.Group, id: group, visibility: visibility})
		for _, registry := range []string{"enabled", "private", "public", "disabled"} {
			for _, archived := range []bool{false, true} {
				id := w.Project(fmt.Sprintf("%s-%v", registry, archived), group, visibility, fmt.Sprintf(`"package_registry_access_level":%q`, registry))
				w.API("POST", fmt.Sprintf("/projects/%d/job_token_scope/groups_allowlist", id), fmt.Sprintf(`{"target_group_id":%d}`, acme), nil)
				if archived {
					w.API("POST", fmt.Sprintf("/projects/%d/archive", id), "", nil)
				}
				m.put(site{packhouse.Project, id, visibility, registry, archived})
			}
		}
	}
	app := w.Project("app", acme, "public")
	m.people(w, acme, app)
	return m
}

func (m *matrix) put(s site) {
	m.sites = append(m.sites, s)
	m.byTarget[[2]int64{int64(s.level), s.id}] = s
}

func (m *matrix) people(w *formattest.World, acme, app int64) {
	add := func(v visitor, header, secret string) {
		v.header = header + ": " + secret
		m.visitors = append(m.visitors, v)
	}
	m.visitors = append(m.visitors, visitor{name: "nobody"})
	add(visitor{name: "an administrator", kind: 'p', scope: "api", admin: true}, "Private-Token", formattest.RootToken)
	_, stranger := w.User("stranger")
	add(visitor{name: "a stranger", kind: 'p', scope: "api"}, "Private-Token", stranger)
	_, external := w.User("external", `"external":true`)
	add(visitor{name: "an external stranger", kind: 'p', scope: "api", external: true}, "Private-Token", external)
	id, external := w.User("external-reporter", `"external":true`)
	w.Member("groups", acme, id, packhouse.Reporter)
	add(visitor{name: "an external Reporter", kind: 'p', scope: "api", external: true, role: packhouse.Reporter}, "Private-Token", external)
	for _, role := range packhouse.Roles {
		user, token := w.User(strings.ToLower(role.String()))
		w.Member("groups", acme, user, role)
		add(visitor{name: "a " + role.String(), kind: 'p', scope: "api", role: role}, "Private-Token", token)
		for _, scope := range []string{"read_api", "read_user", "read_package_registry", "write_package_registry", "self_rotate"} {
			add(visitor{name: "a " + role.String() + " with " + scope, kind: 'p', scope: scope, role: role}, "Private-Token", w.PersonalToken(user, scope))
		}
		for _, scope := range []string{"api", "read_api", "read_package_registry", "write_package_registry"} {
			add(visitor{name: "a group token with " + scope + " as " + role.String(), kind: 'p', scope: scope, role: role, bound: true}, "Private-Token", w.AccessToken("groups", acme, role, scope))
		}
		add(visitor{name: "a job of a " + role.String(), kind: 'j', role: role}, "Job-Token", w.JobToken(app, user))
	}
	for _, scope := range []string{"read_package_registry", "write_package_registry", "read_registry"} {
		add(visitor{name: "a deploy token with " + scope, kind: 'd', scope: scope}, "Deploy-Token", w.DeployToken("groups", acme, scope))
	}
}

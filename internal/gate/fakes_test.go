package gate_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/authn"
	"packhouse/internal/authz"
	"packhouse/internal/blob/mem"
	"packhouse/internal/directory"
	"packhouse/internal/format"
	"packhouse/internal/gate"
	"packhouse/internal/ledger"
	"packhouse/internal/policy"
	"packhouse/internal/registry"
	"packhouse/internal/store"
)

// fake is a protocol whose errors say that they are its own.
type fake struct {
	name   string
	routes []format.Route
}

// Name implements format.Format.
func (f *fake) Name() string { return f.name }

// Naming implements format.Format.
func (f *fake) Naming() format.Naming { return format.Naming{} }

// Routes implements format.Protocol.
func (f *fake) Routes() []format.Route { return f.routes }

// WriteError implements format.Protocol.
func (f *fake) WriteError(w http.ResponseWriter, _ *http.Request, e *packhouse.Error) {
	w.WriteHeader(e.Kind.Status())
	fmt.Fprintf(w, "%s says %s", f.name, e.Message)
}

// on adds a route.
func (f *fake) on(level packhouse.Level, method, path string, action authz.Action, handle handler) *fake {
	f.routes = append(f.routes, format.Route{Level: level, Method: method, Path: path, Action: action, Handle: handle})
	return f
}

type handler = func(http.ResponseWriter, *http.Request, *format.Call) error

const everywhere = packhouse.Instance | packhouse.Group | packhouse.Project

// told answers with what the gate told the handler.
func told(who string) handler {
	return func(w http.ResponseWriter, _ *http.Request, c *format.Call) error {
		fmt.Fprintf(w, "%s at %s %q, mounted at %s", who, c.Target.Level, c.Target.Path, c.Mount())
		for _, name := range []string{"name", "file", "id"} {
			if v := c.Arg(name); v != "" {
				fmt.Fprintf(w, ", %s=%s", name, v)
			}
		}
		if c.Slash {
			fmt.Fprint(w, ", slash")
		}
		return nil
	}
}

// rooms are the real rooms behind a gate, with the public project acme/tools,
// the private project acme/secret and the user dana, who is a Developer of both.
type rooms struct {
	gate.Options
	issuer        authn.Issuer
	changes       *directory.Changes
	tools, secret *ledger.Project
	dana          *ledger.User
}

// noOne is who furnishes the rooms.
var noOne ledger.By

func newUser(name string) ledger.User { return ledger.User{Username: name} }

func open(t *testing.T) *rooms {
	t.Helper()
	ctx := context.Background()
	s, err := store.OpenSQLite(ctx, filepath.Join(t.TempDir(), "db"), store.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	d, err := directory.Open(ctx, s, directory.Options{AnyonePull: true})
	must(t, err)
	r := &rooms{issuer: authn.Issuer{Store: s}, changes: directory.NewChanges(d, s)}
	r.Directory = d
	r.Authn = authn.New(authn.Options{Store: s, Directory: d, QueryTokens: true})
	r.Registry = registry.New(registry.Options{Store: s, Blobs: mem.New(), Directory: d, Rules: policy.Standard()})
	r.API = (&fake{name: "api"}).on(packhouse.Instance, "GET", "/version", authz.Anyone, told("version"))
	r.dana, err = r.changes.CreateUser(ctx, noOne, newUser("dana"))
	must(t, err)
	acme, err := r.changes.CreateGroup(ctx, noOne, ledger.Namespace{Path: "acme", Name: "acme", Visibility: packhouse.VisibilityPublic})
	must(t, err)
	r.tools = r.project(t, acme, "tools", packhouse.VisibilityPublic)
	r.secret = r.project(t, acme, "secret", packhouse.VisibilityPrivate)
	_, err = r.changes.AddMember(ctx, noOne, ledger.Member{
		Target: packhouse.Target{Level: packhouse.Group, ID: acme.ID}, UserID: r.dana.ID, Role: packhouse.Developer,
	})
	must(t, err)
	return r
}

func (r *rooms) project(t *testing.T, in *ledger.Namespace, path string, v packhouse.Visibility) *ledger.Project {
	t.Helper()
	p, err := r.changes.CreateProject(context.Background(), noOne, ledger.Project{NamespaceID: in.ID, Path: path, Name: path, Visibility: v})
	must(t, err)
	return p
}

// token makes a personal token with the scope api.
func (r *rooms) token(t *testing.T, user *ledger.User) string {
	t.Helper()
	_, secret, err := r.issuer.Issue(context.Background(), noOne, ledger.Token{
		Kind: packhouse.PersonalToken, Name: "test", UserID: user.ID, Scopes: packhouse.ScopeAPI,
	}, "")
	must(t, err)
	return secret
}

// gate makes the gate to the rooms.
func (r *rooms) gate(t *testing.T) http.Handler {
	t.Helper()
	g, err := gate.New(r.Options)
	must(t, err)
	return g
}

// answer is how the gate answered, and what it panicked with.
type answer struct {
	*httptest.ResponseRecorder
	panicked any
}

// ask sends a request through a handler. Header fields are given as "Name: value".
func ask(h http.Handler, method, target string, body io.Reader, header ...string) (a answer) {
	r := httptest.NewRequest(method, target, body)
	for _, field := range header {
		switch name, value, ok := strings.Cut(field, ": "); {
		case name == "Host":
			r.Host = value
		case ok:
			r.Header.Add(name, value)
		}
	}
	return carry(h, r)
}

func carry(h http.Handler, r *http.Request) (a answer) {
	a.ResponseRecorder = httptest.NewRecorder()
	defer func() { a.panicked = recover() }()
	h.ServeHTTP(a, r)
	return a
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

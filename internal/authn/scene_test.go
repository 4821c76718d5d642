package authn_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/authn"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// noOne is who makes what a test needs.
var noOne ledger.By

// scene is an Authenticator over a real store, with the group acme, its project
// acme/tools, and the user dana. Its clock stands still.
type scene struct {
	*authn.Authenticator
	authn.Issuer
	t         *testing.T
	path      string // of the database
	directory *directory.Directory
	group     packhouse.Target
	project   packhouse.Target
	dana      *ledger.User
	clock     atomic.Pointer[time.Time]
}

func start(t *testing.T, edit ...func(*authn.Options)) *scene {
	t.Helper()
	ctx := t.Context()
	sc := &scene{t: t, path: filepath.Join(t.TempDir(), "db")}
	sc.set(time.Now())
	s, err := store.OpenSQLite(ctx, sc.path, store.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	sc.directory, err = directory.Open(ctx, s, directory.Options{})
	must(t, err)
	opts := authn.Options{Store: s, Directory: sc.directory, Now: func() time.Time { return *sc.clock.Load() }, QueryTokens: true}
	for _, f := range edit {
		f(&opts)
	}
	sc.Authenticator, sc.Issuer = authn.New(opts), authn.Issuer{Store: s}
	changes := directory.NewChanges(sc.directory, s)
	sc.dana, err = changes.CreateUser(ctx, noOne, ledger.User{Username: "dana", Email: "dana@example.net"})
	must(t, err)
	group, err := changes.CreateGroup(ctx, noOne, ledger.Namespace{Path: "acme", Name: "Acme"})
	must(t, err)
	sc.group = packhouse.Target{Level: packhouse.Group, ID: group.ID, Path: "acme"}
	project, err := changes.CreateProject(ctx, noOne, ledger.Project{NamespaceID: group.ID, Path: "tools", Name: "Tools"})
	must(t, err)
	sc.project = packhouse.Target{Level: packhouse.Project, ID: project.ID, Path: "acme/tools"}
	return sc
}

func (sc *scene) set(now time.Time) { sc.clock.Store(&now) }

var kinds = []packhouse.ActorKind{
	packhouse.PersonalToken, packhouse.ProjectToken, packhouse.GroupToken, packhouse.DeployToken, packhouse.JobToken,
}

// make issues a token of a kind: dana's own, of the project or group, or of a
// job that dana has started.
func (sc *scene) make(kind packhouse.ActorKind, edit ...func(*ledger.Token)) (*ledger.Token, string) {
	sc.t.Helper()
	t := ledger.Token{Kind: kind, Name: "test", Scopes: packhouse.ScopeAPI}
	switch kind {
	case packhouse.PersonalToken:
		t.UserID = sc.dana.ID
	case packhouse.ProjectToken, packhouse.DeployToken:
		t.Target, t.Role = sc.project, packhouse.Maintainer
	case packhouse.GroupToken:
		t.Target, t.Role = sc.group, packhouse.Reporter
	case packhouse.JobToken:
		t.UserID, t.Job = sc.dana.ID, &packhouse.Job{ProjectID: sc.project.ID, ProjectPath: sc.project.Path, Publish: true}
	}
	for _, f := range edit {
		f(&t)
	}
	issue := map[packhouse.ActorKind]func(context.Context, ledger.By, ledger.Token) (*ledger.Token, string, error){
		packhouse.ProjectToken: sc.IssueForBot, packhouse.GroupToken: sc.IssueForBot, packhouse.JobToken: sc.IssueForJob,
	}[kind]
	if issue == nil {
		issue = func(ctx context.Context, by ledger.By, t ledger.Token) (*ledger.Token, string, error) {
			return sc.Issue(ctx, by, t, "")
		}
	}
	made, secret, err := issue(sc.t.Context(), noOne, t)
	must(sc.t, err)
	return made, secret
}

// end revokes a token.
func (sc *scene) end(id int64) {
	sc.t.Helper()
	must(sc.t, sc.Revoke(sc.t.Context(), noOne, id, func(*ledger.Token) error { return nil }))
}

// edit changes a user's record.
func (sc *scene) edit(userID int64, change func(*ledger.User)) {
	sc.t.Helper()
	u := *sc.directory.User(userID)
	change(&u)
	must(sc.t, sc.Store.Update(sc.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Append(sc.t.Context(), noOne, &ledger.UserPut{User: u})
		return err
	}))
}

// ask finds the actor of a GET with the given header fields, "Name: value".
func (sc *scene) ask(target string, fields ...string) (packhouse.Actor, error) {
	return sc.Actor(request(target, fields...))
}

func request(target string, fields ...string) *http.Request {
	r := httptest.NewRequest("GET", target, nil)
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Add(name, value)
	}
	return r
}

func basic(text string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(text))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// user makes a user and returns their id.
func (sc *scene) user(name string, edit ...func(*ledger.User)) int64 {
	sc.t.Helper()
	u := ledger.User{Username: name}
	for _, f := range edit {
		f(&u)
	}
	made, err := directory.NewChanges(sc.directory, sc.Store).CreateUser(sc.t.Context(), noOne, u)
	must(sc.t, err)
	return made.ID
}

// Package formattest runs a whole registry for the tests of a format, with a
// project, people of every role and a token of every kind in it, and holds the
// tests that every format has to pass.
package formattest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/directory"
	"packhouse/internal/format"
	"packhouse/internal/house"
)

// RootToken is the administrator's token in every test registry.
const RootToken = "glpat-rootrootrootrootroot"

// World is a running registry with people in it.
type World struct {
	*house.House
	t   testing.TB
	URL string // of the server, without a trailing slash
	Log *bytes.Buffer
}

// Start runs a registry in a temporary folder until the test ends. edit may
// change its options.
func Start(t testing.TB, edit ...func(*house.Options)) *World {
	t.Helper()
	w := &World{t: t, Log: new(bytes.Buffer)}
	opts := house.Options{
		Data: t.TempDir(), RootToken: RootToken, Root: nothing{}, QueryTokens: true, GitLabVersion: "18.11.2",
		Directory: directory.Options{AnyonePull: true},
		Limits:    map[string]int64{"generic": 5 << 30},
		Log:       slog.New(slog.NewTextHandler(&lockedWriter{w: w.Log}, nil)),
	}
	for _, f := range edit {
		f(&opts)
	}
	h, err := house.Open(context.Background(), opts)
	if err != nil {
		t.Fatalf("open house: %v", err)
	}
	w.House = h
	server := httptest.NewServer(h.Handler)
	w.URL = server.URL
	t.Cleanup(func() {
		server.Close()
		if err := h.Close(); err != nil {
			t.Errorf("close house: %v", err)
		}
	})
	return w
}

// nothing serves nothing outside /api/v4.
type nothing struct{}

func (nothing) Routes() []format.Route { return nil }
func (nothing) WriteError(w http.ResponseWriter, _ *http.Request, e *packhouse.Error) {
	format.GitLabError(w, e)
}

// Answer is an HTTP answer with its body read.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// JSON decodes the answer's body, or fails the test.
func (w *World) JSON(a Answer, into any) {
	w.t.Helper()
	if err := json.Unmarshal(a.Body, into); err != nil {
		w.t.Fatalf("answer %d %s is no JSON: %v", a.Status, a.Body, err)
	}
}

// Do sends a request. Header fields are given as "Name: value".
func (w *World) Do(method, path string, body io.Reader, header ...string) Answer {
	w.t.Helper()
	r, err := http.NewRequest(method, w.URL+path, body)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	for _, field := range header {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatalf("%s %s: read answer: %v", method, path, err)
	}
	return Answer{resp.StatusCode, resp.Header, data}
}

// API sends a management request as the administrator and decodes its answer,
// or fails the test unless it succeeds. body is JSON, or "".
func (w *World) API(method, path, body string, into any) {
	w.t.Helper()
	a := w.Do(method, "/api/v4"+path, strings.NewReader(body), "Private-Token: "+RootToken, "Content-Type: application/json")
	if a.Status/100 != 2 {
		w.t.Fatalf("%s %s: %d %s", method, path, a.Status, a.Body)
	}
	if into != nil {
		w.JSON(a, into)
	}
}

// Group makes a group and returns its id. parent is 0 at the top.
func (w *World) Group(path string, parent int64, visibility string) int64 {
	w.t.Helper()
	var made struct{ ID int64 }
	w.API("POST", "/groups", fmt.Sprintf(`{"name":%q,"path":%q,"parent_id":%d,"visibility":%q}`, path, path, parent, visibility), &made)
	return made.ID
}

// Project makes a project in a group and returns its id. extra are further
// fields of JSON, such as `"package_registry_access_level":"public"`.
func (w *World) Project(path string, group int64, visibility string, extra ...string) int64 {
	w.t.Helper()
	var made struct{ ID int64 }
	fields := append([]string{fmt.Sprintf(`"name":%q,"namespace_id":%d,"visibility":%q`, path, group, visibility)}, extra...)
	w.API("POST", "/projects", "{"+strings.Join(fields, ",")+"}", &made)
	return made.ID
}

// User makes a user and returns their id and a personal token with the scope api.
func (w *World) User(name string, extra ...string) (id int64, token string) {
	w.t.Helper()
	var made struct {
		ID    int64
		Token string
	}
	fields := append([]string{fmt.Sprintf(`"username":%q,"name":%q,"email":"%s@example.net"`, name, name, name)}, extra...)
	w.API("POST", "/users", "{"+strings.Join(fields, ",")+"}", &made)
	return made.ID, w.PersonalToken(made.ID, "api")
}

// PersonalToken makes a token of a user.
func (w *World) PersonalToken(user int64, scopes ...string) string {
	w.t.Helper()
	return w.token(fmt.Sprintf("/users/%d/personal_access_tokens", user), scopes, "")
}

// AccessToken makes a token of a "projects" or "groups" member with a role.
func (w *World) AccessToken(level string, id int64, role packhouse.Role, scopes ...string) string {
	w.t.Helper()
	return w.token(fmt.Sprintf("/%s/%d/access_tokens", level, id), scopes, fmt.Sprintf(`,"access_level":%d`, role))
}

// DeployToken makes a deploy token of one of the "projects" or "groups".
func (w *World) DeployToken(level string, id int64, scopes ...string) string {
	w.t.Helper()
	return w.token(fmt.Sprintf("/%s/%d/deploy_tokens", level, id), scopes, "")
}

func (w *World) token(path string, scopes []string, extra string) string {
	w.t.Helper()
	list, _ := json.Marshal(scopes)
	var made struct{ Token string }
	w.API("POST", path, fmt.Sprintf(`{"name":"test","scopes":%s%s}`, list, extra), &made)
	return made.Token
}

// JobToken makes the token of a job of a project that runs as a user.
func (w *World) JobToken(project, user int64, extra ...string) string {
	w.t.Helper()
	fields := append([]string{fmt.Sprintf(`"project":"%d","user":"%d"`, project, user)}, extra...)
	var made struct{ Token string }
	w.API("POST", "/job_tokens", "{"+strings.Join(fields, ",")+"}", &made)
	return made.Token
}

// Member gives a user a role in one of the "projects" or "groups".
func (w *World) Member(level string, id, user int64, role packhouse.Role) {
	w.t.Helper()
	w.API("POST", fmt.Sprintf("/%s/%d/members", level, id), fmt.Sprintf(`{"user_id":%d,"access_level":%d}`, user, role), nil)
}

// Settings changes the package settings of one of the "projects" or "groups".
func (w *World) Settings(level string, id int64, body string) {
	w.t.Helper()
	w.API("PUT", fmt.Sprintf("/%s/%d/package_settings", level, id), body, nil)
}

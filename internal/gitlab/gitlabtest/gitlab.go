// Package gitlabtest runs a small GitLab for tests: an HTTP server that answers
// what tokens belong to, in GitLab's shapes, or as wrongly as a test wants.
package gitlabtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
)

// GitLab is a running GitLab. Its methods may be called concurrently.
type GitLab struct {
	URL *url.URL

	mu     sync.Mutex
	jobs   map[string]map[string]any // by token
	people map[string][2]any         // by token: the user and the token's record
	asked  int
	stand  http.HandlerFunc
}

// Start runs a GitLab that knows no tokens until the test ends.
func Start(t testing.TB) *GitLab {
	t.Helper()
	g := &GitLab{jobs: map[string]map[string]any{}, people: map[string][2]any{}}
	s := httptest.NewServer(g)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	g.URL = u
	return g
}

// Job adds a job token, or changes what it belongs to: a running job of project
// 20, acme/app, that dana started, with changes.
func (g *GitLab) Job(token string, changes map[string]any) {
	user := map[string]any{"id": 12, "username": "dana", "name": "Dana Ito", "state": "active", "locked": false, "bot": false}
	pipeline := map[string]any{
		"id": 574, "iid": 61, "project_id": 20, "sha": "5f0c1d7e9a41b6cc02d4e7f38a9b10c2d3e4f506", "ref": "v2.3.0", "status": "running",
		"source": "push", "web_url": g.URL.String() + "/acme/app/-/pipelines/574",
	}
	job := map[string]any{
		"id": 9001, "status": "running", "stage": "deploy", "name": "publish", "ref": "v2.3.0", "tag": true, "coverage": nil,
		"started_at": "2026-11-20T17:40:31.870Z", "finished_at": nil, "erased_at": nil, "user": user, "pipeline": pipeline,
		"web_url": g.URL.String() + "/acme/app/-/jobs/9001", "runner": nil, "artifacts": []any{},
	}
	for name, v := range changes {
		switch name {
		case "username":
			user["username"] = v
		case "state":
			user["state"] = v
		case "bot":
			user["bot"] = v
		case "project_id":
			pipeline["project_id"] = v
		default:
			job[name] = v
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.jobs[token] = job
}

// Person adds the access token of a user with scopes.
func (g *GitLab) Person(token, username string, active bool, scopes ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.people[token] = [2]any{
		map[string]any{"id": 12, "username": username, "name": username, "state": "active", "bot": false, "is_admin": true},
		map[string]any{"id": 5, "name": "laptop", "revoked": !active, "active": active, "scopes": scopes, "user_id": 12, "expires_at": "2027-10-01"},
	}
}

// Stand has fn answer in GitLab's place; nil gives the place back.
func (g *GitLab) Stand(fn http.HandlerFunc) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stand = fn
}

// Asked counts the requests that GitLab got.
func (g *GitLab) Asked() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked
}

// ServeHTTP implements http.Handler.
func (g *GitLab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.asked++
	stand := g.stand
	job, isJob := g.jobs[r.Header.Get("Job-Token")]
	person, isPerson := g.people[r.Header.Get("Private-Token")]
	g.mu.Unlock()
	switch {
	case stand != nil:
		stand(w, r)
	case r.URL.Path == "/api/v4/job" && isJob:
		write(w, job)
	case r.URL.Path == "/api/v4/user" && isPerson:
		write(w, person[0])
	case r.URL.Path == "/api/v4/personal_access_tokens/self" && isPerson:
		write(w, person[1])
	default:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"message":"401 Unauthorized"}`)
	}
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that went away is the test's to notice
}

package oidc_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"packhouse/internal/format/formattest"
	"packhouse/internal/oidc/oidctest"
)

// The whole way: a publisher is trusted, a job exchanges its ID token, publishes
// with the job token, and the package tells which run made it.
func TestExchange(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.trust("")
	a := s.exchange(s.idToken(map[string]any{"job_id": "9001"}))
	var made struct {
		AccessToken     string `json:"access_token"`
		IssuedTokenType string `json:"issued_token_type"`
		TokenType       string `json:"token_type"`
		ExpiresIn       int64  `json:"expires_in"`
		ProjectID       int64  `json:"project_id"`
		RuleID          int64  `json:"rule_id"`
	}
	s.JSON(a, &made)
	if a.Status != 200 || !strings.HasPrefix(made.AccessToken, "glcbt-") || made.TokenType != "Bearer" || made.ExpiresIn != 900 ||
		made.ProjectID != s.project || made.RuleID != id || made.IssuedTokenType != "urn:ietf:params:oauth:token-type:access_token" ||
		a.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("exchange = %d %v %s", a.Status, a.Header, a.Body)
	}
	header := "Job-Token: " + made.AccessToken
	if a := s.publish(header, "tool/1.0/f"); a.Status != 201 {
		t.Fatalf("publish = %d %s, want 201", a.Status, a.Body)
	}
	var packages []struct {
		Pipeline struct {
			ID     int64  `json:"id"`
			Ref    string `json:"ref"`
			SHA    string `json:"sha"`
			Source string `json:"source"`
			WebURL string `json:"web_url"`
		}
	}
	s.API("GET", fmt.Sprintf("/projects/%d/packages", s.project), "", &packages)
	p := packages[0].Pipeline
	if p.ID != 574 || p.Ref != "v1.2.3" || p.Source != "push" || p.WebURL != s.issuer.URL+"/acme/lib/-/pipelines/574" {
		t.Errorf("pipeline = %+v", p)
	}
	a = s.Do("GET", "/api/v4/job", nil, header)
	var job struct {
		ID     int64
		Ref    string
		Tag    bool
		WebURL string `json:"web_url"`
	}
	s.JSON(a, &job)
	if job.ID != 9001 || !job.Tag || job.Ref != "v1.2.3" || job.WebURL != s.issuer.URL+"/acme/lib/-/jobs/9001" {
		t.Errorf("GET /job = %s", a.Body)
	}
}

// JSON is as good as a form, and another credential beside it is not looked at.
func TestExchangeAsJSON(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.trust("")
	body, err := json.Marshal(map[string]any{
		"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": s.idToken(nil),
		"subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "project": "acme/tools",
	})
	if err != nil {
		t.Fatal(err)
	}
	a := s.Do("POST", "/api/v4/oidc/token", strings.NewReader(string(body)), "Content-Type: application/json", "Authorization: Bearer of-nobody")
	if a.Status != 200 {
		t.Errorf("exchange = %d %s, want 200", a.Status, a.Body)
	}
}

func TestExchangeMalformed(t *testing.T) {
	t.Parallel()
	s := start(t)
	for body, want := range map[string]string{
		"":                    "invalid_request",
		"grant_type=password": "unsupported_grant_type",
		"grant_type=" + grant: "invalid_request",
		"grant_type=" + grant + "&subject_token=x&subject_token_type=saml2":   "invalid_request",
		"grant_type=" + grant + "&subject_token=x&requested_token_type=saml2": "invalid_request",
	} {
		a := s.Do("POST", "/api/v4/oidc/token", strings.NewReader(body), "Content-Type: application/x-www-form-urlencoded")
		var e struct{ Error string }
		s.JSON(a, &e)
		if a.Status != 400 || e.Error != want {
			t.Errorf("%s = %d %s, want 400 %s", body, a.Status, a.Body, want)
		}
	}
}

const grant = "urn:ietf:params:oauth:grant-type:token-exchange"

// A token of an issuer that nobody trusts is refused without a word, and nobody
// is asked about it.
func TestUntrustedIssuer(t *testing.T) {
	t.Parallel()
	s := start(t)
	other := oidctest.Start(t)
	s.trust("")
	s.refused("another issuer", other.Token(other.Claims("https://pkgs.example.net", nil)), "")
	for what, claims := range map[string]map[string]any{
		"with a slash":  {"iss": s.issuer.URL + "/"},
		"in upper case": {"iss": strings.ToUpper(s.issuer.URL)},
		"a prefix":      {"iss": s.issuer.URL[:len(s.issuer.URL)-1]},
		"none":          {"iss": nil},
		"a number":      {"iss": 1},
	} {
		s.refused(what, s.idToken(claims), "")
	}
	for _, garbage := range []string{"x", "a.b.c", "..", "e30.e30.e30", strings.Repeat("a", 20_000), "glcbt-12345678901234567890"} {
		s.refused(garbage[:1], garbage, "")
	}
	if n := s.issuer.Asked() + other.Asked(); n != 0 {
		t.Errorf("%d requests to issuers, want none", n)
	}
}

// Every claim that is listed has to be equal, and every pattern to match.
func TestClaims(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.trust(`{"claims":{"project_id":"20","ref_protected":"true","runner_id":3},"claim_patterns":{"ref":"v*"}}`)
	const no = "no trusted publisher takes this token"
	for what, claims := range map[string]map[string]any{
		"another project":     {"project_id": "21"},
		"no project":          {"project_id": nil},
		"a list":              {"project_id": []string{"20"}},
		"an object":           {"project_id": map[string]string{"20": "20"}},
		"not protected":       {"ref_protected": "false"},
		"another ref":         {"ref": "main"},
		"no ref":              {"ref": nil},
		"another runner":      {"runner_id": 4},
		"another audience":    {"aud": "https://other.example.net"},
		"no audience":         {"aud": nil},
		"several audiences":   {"aud": []string{"https://pkgs.example.net", "https://other.example.net"}},
		"audience is a part":  {"aud": "https://pkgs.example.net/"},
		"a merge request":     {"pipeline_source": "merge_request_event"},
		"an external request": {"pipeline_source": "external_pull_request_event"},
		"a merge request ref": {"ref_path": "refs/merge-requests/3/head"},
	} {
		s.refused(what, s.idToken(claims), no)
	}
	s.granted(s.idToken(map[string]any{"project_id": 20, "ref_protected": true, "aud": []string{"https://pkgs.example.net"}}))
	if log := s.Logged(); !strings.Contains(log, "ref_protected is") {
		t.Error("the log does not say which claim did not match")
	}
}

// GitHub's tokens are read as well; runs for proposed changes are refused unless
// the publisher names them.
func TestGitHub(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.trust(`{"claims":{"repository_id":"555"}}`)
	for _, event := range []string{"pull_request", "pull_request_target", "issue_comment"} {
		s.refused(event, s.idToken(oidctest.GitHub(map[string]any{"event_name": event})), "no trusted publisher")
	}
	s.refused("ref of a pull request", s.idToken(oidctest.GitHub(map[string]any{"ref": "refs/pull/3/merge"})), "no trusted publisher")
	token := s.granted(s.idToken(oidctest.GitHub(nil)))
	a := s.Do("GET", "/api/v4/job", nil, "Job-Token: "+token)
	for _, want := range []string{`"id":1234567`, `"name":"release"`, `"ref":"v1.2.3"`, `"tag":true`} {
		if !strings.Contains(string(a.Body), want) {
			t.Errorf("GET /job = %s, want %s", a.Body, want)
		}
	}
	s.trust(`{"claims":{"repository_id":"556","event_name":"pull_request"}}`)
	s.granted(s.idToken(oidctest.GitHub(map[string]any{"repository_id": "556", "event_name": "pull_request"})))
}

// An ID token is exchanged once, however many ask at the same time.
func TestReplay(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.trust("")
	token := s.idToken(nil)
	var (
		wait    sync.WaitGroup
		mu      sync.Mutex
		answers = map[int]int{}
	)
	body := "grant_type=" + grant + "&subject_token=" + token
	for range 16 {
		wait.Go(func() {
			a, err := s.Try("POST", "/api/v4/oidc/token", strings.NewReader(body), "Content-Type: application/x-www-form-urlencoded")
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			answers[a.Status]++
		})
	}
	wait.Wait()
	if answers[200] != 1 || answers[401] != 15 {
		t.Errorf("16 exchanges of one token = %v, want one 200 and 15 times 401", answers)
	}
	s.refused("again", token, "exchanged before")
	// Without an id the token itself is what is remembered.
	token = s.idToken(map[string]any{"jti": nil})
	s.granted(token)
	s.refused("again, without an id", token, "exchanged before")
	// The same id at another issuer is another token.
	other := oidctest.Start(t)
	s.trust(fmt.Sprintf(`{"issuer":%q}`, other.URL))
	s.granted(s.idToken(map[string]any{"jti": "one"}))
	s.granted(other.Token(other.Claims("https://pkgs.example.net", map[string]any{"jti": "one"})))
}

// Which publisher takes a token follows from the project, or there has to be one.
func TestWhichPublisher(t *testing.T) {
	t.Parallel()
	s := start(t)
	other := s.Project("other", s.group, "private")
	of := s.trustAt(fmt.Sprintf("/groups/%d", s.group), "")
	s.refused("a group's alone", s.idToken(nil), "name the project")
	rule := func(more ...string) (id, project int64) {
		var made struct {
			RuleID    int64 `json:"rule_id"`
			ProjectID int64 `json:"project_id"`
		}
		s.JSON(s.exchange(s.idToken(nil), more...), &made)
		return made.RuleID, made.ProjectID
	}
	if id, project := rule("project", "acme/other"); id != of || project != other {
		t.Errorf("exchange for acme/other = publisher %d, project %d, want %d, %d", id, project, of, other)
	}
	mine := s.trust("")
	s.refused("two", s.idToken(nil), "more than one trusted publisher")
	if id, _ := rule("project", "acme/tools"); id != mine {
		t.Errorf("exchange for acme/tools = publisher %d, want the project's own, %d", id, mine)
	}
	if id, _ := rule("project", fmt.Sprint(other)); id != of {
		t.Errorf("exchange for acme/other = publisher %d, want the group's, %d", id, of)
	}
	elsewhere := s.Project("elsewhere", s.Group("beta", 0, "private"), "private")
	s.refused("a project of another group", s.idToken(nil), "no trusted publisher", "project", fmt.Sprint(elsewhere))
	s.refused("a project that does not exist", s.idToken(nil), "no trusted publisher", "project", "acme/none")
	s.refused("a project by number that does not exist", s.idToken(nil), "no trusted publisher", "project", "99999")
}

// A job publishes only what its publisher vouches for, and the refusal says so.
func TestNarrowing(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.Member("projects", s.project, s.dana, 40)
	if a := s.publish(formattest.Root, "other/1.0/f"); a.Status != 201 {
		t.Fatalf("publish = %d %s", a.Status, a.Body)
	}
	s.trust(`{"package_types":["generic"],"package_name_pattern":"Tool*"}`)
	header := "Job-Token: " + s.granted(s.idToken(nil))
	if a := s.publish(header, "toolbox/1.0/f"); a.Status != 201 {
		t.Errorf("publish toolbox = %d %s, want 201", a.Status, a.Body)
	}
	a := s.publish(header, "other/1.0/g")
	if a.Status != 403 || !strings.Contains(string(a.Body), `\"release job\"`) || a.Header.Get("X-Registry-Denied") != "trusted-publisher" {
		t.Errorf("publish other = %d %v %s, want 403 that names the publisher", a.Status, a.Header, a.Body)
	}
	var packages []struct {
		ID   int64
		Name string
	}
	s.API("GET", fmt.Sprintf("/projects/%d/packages?sort=asc", s.project), "", &packages)
	if len(packages) != 2 || packages[0].Name != "other" {
		t.Fatalf("packages = %+v, want other and toolbox", packages)
	}
	for i, want := range []int{403, 204} {
		path := fmt.Sprintf("/api/v4/projects/%d/packages/%d", s.project, packages[i].ID)
		if a := s.Do("DELETE", path, nil, header); a.Status != want {
			t.Errorf("DELETE %s = %d %s, want %d", packages[i].Name, a.Status, a.Body, want)
		}
	}
	s.trust(`{"claims":{"project_id":"21"},"access":"read"}`)
	header = "Job-Token: " + s.granted(s.idToken(map[string]any{"project_id": "21"}))
	if a := s.publish(header, "tool/1.0/f"); a.Status != 403 {
		t.Errorf("publish by a job that may read = %d %s, want 403", a.Status, a.Body)
	}
	if a := s.Do("GET", fmt.Sprintf("/api/v4/projects/%d/packages/generic/other/1.0/f", s.project), nil, header); a.Status != 200 {
		t.Errorf("GET by a job that may read = %d %s, want 200", a.Status, a.Body)
	}
}

// A job token ends with its publisher, with any change of it, and with the user
// that it acts as.
func TestTokenEndsWithPublisher(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.trust("")
	path := fmt.Sprintf("/projects/%d/trusted_publishers/%d", s.project, id)
	live := func() string {
		header := "Job-Token: " + s.granted(s.idToken(nil))
		if a := s.Do("GET", "/api/v4/job", nil, header); a.Status != 200 {
			t.Fatalf("GET /job = %d %s, want 200", a.Status, a.Body)
		}
		return header
	}
	dead := func(what, header string, want int) {
		if a := s.Do("GET", "/api/v4/job", nil, header); a.Status != want {
			t.Errorf("%s: GET /job = %d %s, want %d", what, a.Status, a.Body, want)
		}
	}
	header := live()
	s.API("PUT", path, `{"claim_patterns":{"ref":"v*"}}`, nil)
	dead("after a change", header, 401)
	header = live()
	s.API("DELETE", path, "", nil)
	dead("after the removal", header, 401)
	s.refused("after the removal", s.idToken(nil), "")
	s.trust("")
	header = live()
	s.Dismiss("groups", s.group, s.dana)
	if a := s.publish(header, "tool/1.0/f"); a.Status != 404 {
		t.Errorf("publish by a job of somebody who is no member any more = %d %s, want 404", a.Status, a.Body)
	}
}

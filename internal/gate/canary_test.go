package gate_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/format/formattest"
)

// A secret is nowhere to be read afterwards: not in the log, not in an answer,
// not on the disk. That holds for good tokens and for bad ones, in every carrier
// and for every kind of answer.
func TestSecretsAreNotRepeated(t *testing.T) {
	t.Parallel()
	w := formattest.Start(t)
	group := w.Group("acme", 0, "private")
	project := w.Project("tools", group, "private")
	user, personal := w.User("canary")
	w.Member("projects", project, user, packhouse.Developer)
	secrets := map[string]string{
		"personal": personal,
		"project":  w.AccessToken("projects", project, packhouse.Maintainer, "api"),
		"group":    w.AccessToken("groups", group, packhouse.Reporter, "read_api"),
		"deploy":   w.DeployToken("projects", project, "read_package_registry"),
		"job":      w.JobToken(project, user),
		"unknown":  "glpat-canarycanarycanary",
		"misread":  "hunter2-hunter2-hunter2",
		"expired":  w.PersonalToken(user, "api"),
		"revoked":  w.PersonalToken(user, "api"),
		"rotated":  w.PersonalToken(user, "api"),
		"fleet":    w.DeployToken("groups", group, "write_package_registry"),
	}
	made := func(kind, path, body string) {
		t.Helper()
		var answer struct{ Token string }
		w.API("POST", path, body, &answer)
		secrets[kind] = answer.Token
	}
	made("impersonation", fmt.Sprintf("/users/%d/impersonation_tokens", user), `{"name":"as canary","scopes":["api"]}`)
	var own struct{ ID int64 }
	w.JSON(w.Do("GET", "/api/v4/personal_access_tokens/self", nil, "Private-Token: "+secrets["rotated"]), &own)
	made("successor", fmt.Sprintf("/personal_access_tokens/%d/rotate", own.ID), "{}")
	w.Expire(secrets["expired"])
	w.Revoke(secrets["revoked"])
	targets := []struct{ method, target string }{
		{"GET", fmt.Sprintf("/api/v4/projects/%d", project)},
		{"PUT", fmt.Sprintf("/api/v4/projects/%d", project)},
		{"GET", fmt.Sprintf("/api/v4/projects/%d/packages?per_page=0", project)},
		{"GET", fmt.Sprintf("/api/v4/projects/%d/packages?page=2", project)},
		{"GET", fmt.Sprintf("/api/v4/projects/%d/packages/generic/n/1/f", project)},
		{"PUT", fmt.Sprintf("/api/v4/projects/%d/packages/generic/n/1/~", project)},
		{"GET", "/api/v4/user"},
		{"GET", "/api/v4/job"},
		{"POST", "/api/v4/groups"},
		{"POST", "/api/v4/job_tokens"},
		{"X", "/api/v4/version"},
		{"GET", "/none"},
		{"GET", "/api/v4/../x"},
		{"GET", "/%zz"},
		{"GET", "/-/metrics"},
	}
	for kind, secret := range secrets {
		for _, at := range targets {
			for _, c := range carriers(secret) {
				target := at.target
				if c.query != "" {
					sep := map[bool]string{true: "&", false: "?"}[strings.Contains(target, "?")]
					target += sep + c.query
				}
				a := w.Raw(head(w, at.method, target, c.header, "Connection: close"))
				if text := fmt.Sprint(a.Header) + string(a.Body); a.Status == 0 || strings.Contains(text, secret) {
					t.Errorf("%s %s with the %s token as %s%s = %d %s", at.method, at.target, kind, c.header, c.query, a.Status, text)
				}
			}
		}
	}
	log := w.Logged()
	for kind, secret := range secrets {
		if strings.Contains(log, secret) {
			t.Errorf("the log has the %s token", kind)
		}
		if names := w.Holds(secret); len(names) > 0 {
			t.Errorf("the %s token is in %v", kind, names)
		}
	}
	metrics := w.Do("GET", "/-/metrics", nil)
	for kind, secret := range secrets {
		if metrics.Status != 200 || strings.Contains(string(metrics.Body), secret) {
			t.Errorf("the metrics, status %d, have the %s token", metrics.Status, kind)
		}
	}
	if !strings.Contains(log, "actor=canary") || !strings.Contains(log, "status=401") {
		t.Error("the log tells of no tokens; this test proves nothing")
	}
}

type carrier struct{ header, query string }

// carriers are all places in which a token can stand, and some in which it
// should not.
func carriers(secret string) []carrier {
	basic := func(text string) string {
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(text))
	}
	return []carrier{
		{header: "Private-Token: " + secret},
		{header: "Job-Token: " + secret},
		{header: "Deploy-Token: " + secret},
		{header: "X-NuGet-ApiKey: " + secret},
		{header: "Authorization: Bearer " + secret},
		{header: "Authorization: " + secret},
		{header: basic("canary:" + secret)},
		{header: basic("gitlab-ci-token:" + secret)},
		{header: basic(secret + ":x-oauth-basic")},
		{header: basic(secret)},
		{header: "Authorization: Basic " + secret},
		{header: "Cookie: _gitlab_session=" + secret},
		{query: "private_token=" + url.QueryEscape(secret)},
		{query: "job_token=" + url.QueryEscape(secret)},
		{query: "access_token=" + url.QueryEscape(secret)},
		{query: "private_token=" + secret + "&x=%zz"},
		{query: "private_token=" + secret + ";x"},
	}
}

// A token that stands in the path by mistake, because a client has encoded the
// question mark before it, is not logged either.
func TestSecretInThePath(t *testing.T) {
	t.Parallel()
	w := formattest.Start(t)
	const secret = "glpat-canarycanarycanary"
	for _, target := range []string{
		"/api/v4/user%3Fprivate_token=" + secret,
		"/api/v4/..%3Fprivate_token=" + secret,
		"/%3fjob_token=" + secret + "/%zz",
		"/api/v4/packages/npm/-/user/token/" + secret, // npm logout
		"/-/user/token/" + secret,
	} {
		a := w.Raw(head(w, "GET", target, "Connection: close"))
		if a.Status == 0 || strings.Contains(string(a.Body), secret) {
			t.Errorf("GET %s = %d %s", target, a.Status, a.Body)
		}
	}
	if log := w.Logged(); strings.Contains(log, secret) {
		t.Errorf("the log has the token: %s", log)
	}
}

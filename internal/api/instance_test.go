package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
)

func (b *book) application() {
	b.show(root, "GET", "/application/settings", "")
	b.show(root, "PUT", "/application/settings", `{"default_project_visibility":"internal","signup_enabled":false,"container_registry_token_expire_delay":10,"asset_proxy_enabled":true,"gravatar_size":3,"allowed_hosts":["a","b"]}`)
	b.show(root, "GET", "/application/plan_limits?plan_name=default", "")
	b.show(root, "PUT", "/application/plan_limits", `{"plan_name":"default","npm_max_file_size":1000}`)
	b.show(root, "GET", fmt.Sprintf("/groups/%d/packages?sort=desc&per_page=2", b.group), "")
	b.end("application")
}

// set changes one application setting.
func (s *scene) set(name string, value any) {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{name: value})
	if err != nil {
		s.t.Fatal(err)
	}
	s.want(root, "PUT", "/application/settings", string(body), 200, "")
}

func TestApplicationSettingsAreRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, body := range []string{
		`{"default_project_visibility":"secret"}`, `{"restricted_visibility_levels":["none"]}`, `{"max_personal_access_token_lifetime":-1}`,
		`{"personal_access_token_prefix":"a b"}`, `{"signup_enabled":"perhaps"}`, `{"deletion_adjourned_period":"x"}`,
	} {
		s.want(root, "PUT", "/application/settings", body, 400, "")
	}
	s.want(root, "PUT", "/application/plan_limits", `{"npm_max_file_size":-1}`, 400, "")
	s.want(root, "GET", "/application/plan_limits?plan_name=gold", "", 400, "")
}

// What may be a secret is not kept, because nothing here needs it.
func TestSecretSettingsAreNotKept(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, name := range []string{"slack_app_secret", "akismet_api_key", "email_password", "sentry_dsn", "health_check_access_token"} {
		s.set(name, "canary-canary")
	}
	s.want(root, "PUT", "/application/settings", `{"gravatar_enabled":true}`, 200, "")
	if a := s.want(root, "GET", "/application/settings", "", 200, ""); strings.Contains(string(a.Body), "canary") || !strings.Contains(string(a.Body), "gravatar_enabled") {
		t.Errorf("settings = %s, want no secrets and gravatar_enabled", a.Body)
	}
}

func TestVisibilitySettings(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.person("dana", packhouse.NoAccess)
	dana := s.as("dana")
	visibility := func(who, path, body string) string {
		t.Helper()
		var made struct{ Visibility string }
		if err := json.Unmarshal(s.want(who, "POST", path, body, 201, "").Body, &made); err != nil {
			t.Fatal(err)
		}
		return made.Visibility
	}
	s.set("default_project_visibility", "public")
	s.set("default_group_visibility", "internal")
	if got := visibility(dana, "/groups", `{"name":"a","path":"a"}`); got != "internal" {
		t.Errorf("a new group is %s, want internal", got)
	}
	if got := visibility(dana, "/projects", `{"name":"own"}`); got != "public" {
		t.Errorf("a new project is %s, want public", got)
	}
	if got := visibility(root, "/projects", fmt.Sprintf(`{"name":"in","namespace_id":%d}`, s.group)); got != "private" {
		t.Errorf("a new project in a private group is %s, want private", got)
	}
	s.set("restricted_visibility_levels", []string{"public"})
	s.want(dana, "POST", "/groups", `{"name":"b","path":"b","visibility":"public"}`, 400, `{"message":{"visibility_level":["public has been restricted by your GitLab administrator"]}}`)
	s.want(root, "POST", "/groups", `{"name":"b","path":"b","visibility":"public"}`, 201, "")
}

func TestTokenSettings(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.person("dana", packhouse.NoAccess)
	dana := s.as("dana")
	made := func(who, path, body string) (token struct {
		Token, Expires string
		ExpiresAt      string `json:"expires_at"`
	}) {
		t.Helper()
		if err := json.Unmarshal(s.want(who, "POST", path, body, 201, "").Body, &token); err != nil {
			t.Fatal(err)
		}
		return token
	}
	s.set("personal_access_token_prefix", "acme-")
	s.set("max_personal_access_token_lifetime", 10)
	token := made(dana, "/user/personal_access_tokens", `{"name":"x","scopes":["api"]}`)
	if !strings.HasPrefix(token.Token, "acme-") || len(token.Token) != len("acme-")+20 {
		t.Errorf("the token is %q, want the prefix acme-", token.Token)
	}
	if want := time.Now().UTC().AddDate(0, 0, 10).Format(time.DateOnly); token.ExpiresAt != want {
		t.Errorf("the token ends %s, want %s", token.ExpiresAt, want)
	}
	late := time.Now().UTC().AddDate(0, 0, 12).Format(time.DateOnly)
	s.want(dana, "POST", "/user/personal_access_tokens", `{"name":"x","scopes":["api"],"expires_at":"`+late+`"}`, 400, "")
	s.want(root, "POST", fmt.Sprintf("/projects/%d/access_tokens", s.project), `{"name":"x","scopes":["api"],"expires_at":"`+late+`"}`, 400, "")
	s.want("PRIVATE-TOKEN: "+token.Token, "POST", "/personal_access_tokens/self/rotate", `{"expires_at":"`+late+`"}`, 400, "")

	s.set("disable_personal_access_tokens", true)
	s.want(dana, "GET", "/user", "", 401, "")
	bot := made(root, fmt.Sprintf("/projects/%d/access_tokens", s.project), `{"name":"bot","scopes":["api"]}`)
	s.want("PRIVATE-TOKEN: "+bot.Token, "GET", fmt.Sprintf("/projects/%d", s.project), "", 200, "")
	s.set("disable_personal_access_tokens", false)
	s.want(dana, "GET", "/user", "", 200, "")
}

// A limit that is set by API holds from the next request on.
func TestThrottleAndSizesBySettings(t *testing.T) {
	t.Parallel()
	s := start(t)
	file := fmt.Sprintf("/projects/%d/packages/generic/tool/1.0/", s.project)
	s.want(root, "PUT", "/application/plan_limits", `{"generic_packages_max_file_size":4}`, 200, "")
	s.want(root, "PUT", file+"f", "hello", 400, "")
	s.want(root, "PUT", "/application/plan_limits", `{"generic_packages_max_file_size":5}`, 200, "")
	s.want(root, "PUT", file+"f", "hello", 201, "")
	s.want(root, "PUT", "/application/settings", `{"throttle_authenticated_packages_api_enabled":true,"throttle_authenticated_packages_api_requests_per_period":2,"throttle_authenticated_packages_api_period_in_seconds":3600}`, 200, "")
	s.want(root, "GET", file+"f", "", 200, "")
	s.want(root, "GET", file+"f", "", 200, "")
	s.want(root, "GET", file+"f", "", 429, "")
	s.set("throttle_authenticated_packages_api_enabled", false)
	s.want(root, "GET", file+"f", "", 200, "")
}

func TestAnyonePullBySettings(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish(s.project, "tool/1.0/f", "hello")
	s.want(root, "PUT", fmt.Sprintf("/projects/%d", s.project), `{"package_registry_access_level":"public"}`, 200, "")
	file := fmt.Sprintf("/projects/%d/packages/generic/tool/1.0/f", s.project)
	s.want("", "GET", file, "", 200, "")
	s.set("package_registry_allow_anyone_to_pull_option", false)
	s.want("", "GET", file, "", 401, "")
}

// An earlier path finds a project and a group until something else has it: those
// who read are sent to the id, those who write are served.
func TestOldPaths(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish(s.project, "tool/1.0/f", "hello")
	sub := s.Group("sub", s.group, "private")
	inner := s.Project("inner", sub, "private")
	s.want(root, "PUT", fmt.Sprintf("/groups/%d", s.group), `{"path":"acme-new"}`, 200, "")
	for path, want := range map[string]string{
		"/projects/acme%2Ftools":                     fmt.Sprintf("/projects/%d", s.project),
		"/projects/ACME%2FTools/packages?per_page=2": fmt.Sprintf("/projects/%d/packages?per_page=2", s.project),
		"/groups/acme%2Fsub/projects":                fmt.Sprintf("/groups/%d/projects", sub),
		"/projects/acme%2Fsub%2Finner":               fmt.Sprintf("/projects/%d", inner),
	} {
		a := s.want(root, "GET", path, "", http.StatusMovedPermanently, "")
		if at := a.Header.Get("Location"); !strings.HasSuffix(at, "/api/v4"+want) {
			t.Errorf("GET %s is sent to %q, want %q", path, at, want)
		}
		s.want("", "GET", path, "", 404, "")
	}
	s.want(root, "PUT", "/projects/acme%2Ftools", `{"description":"found"}`, 200, "")
	s.want(root, "GET", "/projects/acme%2Ftools/packages/generic/tool/1.0/f", "", 200, "hello")
	s.want(root, "PUT", "/projects/acme%2Ftools/packages/generic/tool/1.0/g", "x", 201, "")
	s.Project("other", s.Group("acme", 0, "private"), "private")
	s.want(root, "PUT", "/projects/acme%2Fother", `{"path":"tools"}`, 200, "")
	if a := s.want(root, "GET", "/projects/acme%2Ftools", "", 200, ""); !strings.Contains(string(a.Body), `"other"`) {
		t.Errorf("the path that another project has now finds %s", a.Body)
	}
}

func TestUpstreamID(t *testing.T) {
	t.Parallel()
	s := start(t)
	path := fmt.Sprintf("/projects/%d", s.project)
	s.person("mia", packhouse.Maintainer)
	s.want(s.as("mia"), "PUT", path, `{"upstream_project_id":20}`, 403, "")
	s.want(root, "PUT", path, `{"upstream_project_id":20}`, 200, "")
	s.want(root, "PUT", "/projects/upstream:20/packages/generic/tool/1.0/f", "hello", 201, "")
	s.want(root, "GET", "/projects/upstream%3A20/packages/generic/tool/1.0/f", "", 200, "hello")
	s.want(root, "GET", "/projects/upstream:21", "", 404, "")
	other := s.Project("other", s.group, "private")
	s.want(root, "PUT", fmt.Sprintf("/projects/%d", other), `{"upstream_project_id":20}`, 400, `{"message":{"upstream_project_id":["has already been taken"]}}`)
	s.want(root, "PUT", path, `{"upstream_project_id":0}`, 200, "")
	s.want(root, "PUT", fmt.Sprintf("/projects/%d", other), `{"upstream_project_id":20}`, 200, "")
}

// What is marked for deletion goes for good when the delay is over, with all that
// belongs to it, and leaves its path to others.
func TestRemovalForGood(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.person("mia", packhouse.Maintainer)
	sub := s.Group("sub", s.group, "private")
	lib := s.Project("lib", sub, "private")
	kept := s.Project("kept", s.Group("other", 0, "private"), "private")
	for i := range 205 { // more than one batch
		s.publish(lib, fmt.Sprintf("tool/1.%d/f", i), fmt.Sprint(i))
	}
	s.publish(kept, "tool/1.0/f", "kept")
	bot := s.want(root, "POST", fmt.Sprintf("/groups/%d/access_tokens", sub), `{"name":"bot","scopes":["api"]}`, 201, "")
	deploy := "Deploy-Token: " + s.DeployToken("projects", lib, "read_package_registry")
	s.want(root, "POST", fmt.Sprintf("/projects/%d/trusted_publishers", lib), `{"name":"ci","issuer":"https://ci.example.net","claims":{"project_id":"1"}}`, 201, "")
	s.want(root, "POST", fmt.Sprintf("/projects/%d/share", kept), fmt.Sprintf(`{"group_id":%d,"group_access":20}`, sub), 201, "")
	s.want(root, "DELETE", fmt.Sprintf("/groups/%d", s.group), "", 202, "")

	run := func(want int) {
		t.Helper()
		if n, err := s.Changes.RemoveDue(t.Context(), ledger.By{}); err != nil || n != want {
			t.Fatalf("RemoveDue = %d, %v, want %d", n, err, want)
		}
	}
	run(0) // the delay is not over
	s.want(root, "GET", fmt.Sprintf("/projects/%d", lib), "", 200, "")
	s.want(root, "DELETE", fmt.Sprintf("/groups/%d", s.group), `{"permanently_remove":true,"full_path":"wrong"}`, 400, "")
	s.want(root, "DELETE", fmt.Sprintf("/projects/%d", kept), `{"permanently_remove":true,"full_path":"other/kept"}`, 400, "")
	s.want(root, "DELETE", fmt.Sprintf("/groups/%d", s.group), `{"permanently_remove":true,"full_path":"acme"}`, 202, "")
	run(4) // two groups, two projects
	run(0)
	for _, path := range []string{fmt.Sprintf("/groups/%d", s.group), fmt.Sprintf("/groups/%d", sub), fmt.Sprintf("/projects/%d", lib), "/projects/acme%2Fsub%2Flib"} {
		s.want(root, "GET", path, "", 404, "")
	}
	var token struct{ Token string }
	if err := json.Unmarshal(bot.Body, &token); err != nil {
		t.Fatal(err)
	}
	s.want("PRIVATE-TOKEN: "+token.Token, "GET", "/user", "", 401, "")
	s.want(deploy, "GET", fmt.Sprintf("/projects/%d/packages/generic/tool/1.0/f", lib), "", 401, "")
	if shared := s.Directory.Shares(packhouse.Target{Level: packhouse.Project, ID: kept}); len(shared) != 0 {
		t.Errorf("shares with the removed group = %v, want none", shared)
	}
	s.want(root, "GET", fmt.Sprintf("/projects/%d/packages/generic/tool/1.0/f", kept), "", 200, "kept")
	s.want(root, "POST", "/projects", fmt.Sprintf(`{"id":%d,"path":"again","namespace_id":%d}`, lib, s.Group("acme", 0, "private")), 400, `{"message":{"id":["has already been taken"]}}`)
}

// What is restored in time stays.
func TestRemovalAndRestore(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish(s.project, "tool/1.0/f", "hello")
	s.set("deletion_adjourned_period", 1)
	path := fmt.Sprintf("/projects/%d", s.project)
	s.want(root, "DELETE", path, "", 202, "")
	s.want(root, "POST", path+"/restore", "", 201, "")
	s.set("deletion_adjourned_period", 0)
	if n, err := s.Changes.RemoveDue(t.Context(), ledger.By{}); err != nil || n != 0 {
		t.Fatalf("RemoveDue = %d, %v, want nothing to remove", n, err)
	}
	s.want(root, "GET", path+"/packages/generic/tool/1.0/f", "", 200, "hello")
}

// The packages of a group are those of all projects in it that the caller reads.
func TestGroupPackages(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.person("rita", packhouse.Reporter)
	var projects []int64
	for i := range 103 { // more than one query asks for
		projects = append(projects, s.Project(fmt.Sprintf("p%d", i), s.group, "private"))
	}
	sub := s.Project("deep", s.Group("sub", s.group, "private"), "private")
	outside := s.Project("out", s.Group("other", 0, "private"), "private")
	s.publish(projects[0], "a/1.0/f", "1")
	s.publish(projects[102], "b/1.0/f", "2")
	s.publish(sub, "c/1.0/f", "3")
	s.publish(outside, "d/1.0/f", "4")
	list := fmt.Sprintf("/groups/%d/packages", s.group)
	for query, want := range map[string]string{
		"": "a b c", "?sort=desc": "c b a", "?per_page=1&page=2": "b", "?sort=desc&per_page=2&page=2": "a", "?exclude_subgroups=true": "a b",
		"?package_name=C": "c", "?package_type=npm": "", "?page=9": "",
	} {
		if got := column(s.list(s.as("rita"), list+query), "name"); got != want {
			t.Errorf("GET %s%s lists %q, want %q", list, query, got, want)
		}
	}
	if got := column(s.list(s.as("rita"), list+"?package_name=c"), "project_path"); got != "acme/sub/deep" {
		t.Errorf("project_path = %q", got)
	}
	s.person("nobody", packhouse.NoAccess)
	s.want(s.as("nobody"), "GET", list, "", 404, "")
}

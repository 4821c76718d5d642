package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"packhouse"
)

// An access token has up to the role of who makes it; without one said, that of
// a Maintainer.
func TestAccessTokenRole(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.people()
	group, project := fmt.Sprintf("/groups/%d", s.group), fmt.Sprintf("/projects/%d", s.project)
	for _, role := range packhouse.Roles {
		body := fmt.Sprintf(`{"name":"x","scopes":["api"],"access_level":%d}`, role)
		want := 201
		if role > packhouse.Maintainer {
			want = 403
		}
		s.want(s.as("maintainer"), "POST", project+"/access_tokens", body, want, "")
		s.want(s.as("owner"), "POST", project+"/access_tokens", body, 201, "")
		s.want(s.as("owner"), "POST", group+"/access_tokens", body, 201, "")
	}
	list := s.list(s.as("owner"), project+"/access_tokens?per_page=100")
	if got := column(list, "access_level"); got != "10 10 15 15 20 20 30 30 40 40 50" {
		t.Errorf("access levels = %s", got)
	}
}

// When a token expires: as a date or a time, in a year when nobody says, never
// for deploy tokens. A date that is over makes a token that is dead.
func TestTokenExpiry(t *testing.T) {
	t.Parallel()
	s := start(t)
	year := time.Now().AddDate(0, 0, 365).UTC().Format(time.DateOnly)
	user, project := "/users/1/personal_access_tokens", fmt.Sprintf("/projects/%d", s.project)
	for _, test := range []struct {
		given  string // JSON
		date   string // as access tokens show it, in JSON
		moment string // as deploy tokens do
		active bool
	}{
		{`null`, `"` + year + `"`, `null`, true},
		{`""`, `"` + year + `"`, `null`, true},
		{`"2030-01-02"`, `"2030-01-02"`, `"2030-01-02T00:00:00.000Z"`, true},
		{`"2030-01-02T03:04:05Z"`, `"2030-01-02"`, `"2030-01-02T03:04:05.000Z"`, true},
		{`"2030-01-02T03:04:05.678+02:00"`, `"2030-01-02"`, `"2030-01-02T01:04:05.678Z"`, true},
		{`"2020-01-02"`, `"2020-01-02"`, `"2020-01-02T00:00:00.000Z"`, false},
		{`"` + time.Now().UTC().Format(time.DateOnly) + `"`, `"` + time.Now().UTC().Format(time.DateOnly) + `"`, "", false},
	} {
		for _, path := range []string{user, project + "/access_tokens", project + "/deploy_tokens"} {
			deploy := strings.HasSuffix(path, "deploy_tokens")
			scope := map[bool]string{true: "read_package_registry", false: "api"}[deploy]
			a := s.send(root, "POST", path, fmt.Sprintf(`{"name":"x","scopes":[%q],"expires_at":%s}`, scope, test.given))
			want := `"expires_at":` + test.date
			if deploy {
				want = `"expires_at":` + test.moment
			}
			if a.Status != 201 || !strings.Contains(string(a.Body), want) || strings.Contains(string(a.Body), fmt.Sprintf(`"active":%v`, !test.active)) {
				t.Errorf("POST %s with expires_at %s = %d %s, want %s", path, test.given, a.Status, a.Body, want)
			}
			var made struct{ Token string }
			s.JSON(a, &made)
			got := s.send("Private-Token: "+made.Token, "GET", project+"/packages", "").Status
			if (got == 200) != test.active {
				t.Errorf("%s with expires_at %s: the token gets %d, want it good: %v", path, test.given, got, test.active)
			}
		}
	}
}

// Lists of tokens show all that there were, or those that can be used, and never
// a secret. A token of another project, level or kind is not on them.
func TestTokenLists(t *testing.T) {
	t.Parallel()
	s := start(t)
	other := s.Project("other", s.group, "private")
	var secrets []string
	newest := map[string]string{} // by list
	place := map[string]int64{"projects": s.project, "groups": s.group}
	for level, id := range place {
		for range 3 {
			access, deploy := s.AccessToken(level, id, packhouse.Reporter, "read_api"), s.DeployToken(level, id, "read_package_registry")
			newest[level+"/access_tokens"], newest[level+"/deploy_tokens"] = access, deploy
			secrets = append(secrets, access, deploy)
		}
	}
	s.AccessToken("projects", other, packhouse.Reporter, "read_api")
	for level, id := range place {
		for kind, filters := range map[string]map[string]int{
			"access_tokens": {"": 3, "?state=active": 1, "?state=inactive": 2},
			"deploy_tokens": {"": 3, "?active=true": 1, "?active=false": 3},
		} {
			path := fmt.Sprintf("/%s/%d/%s", level, id, kind)
			first := s.list(root, path)
			s.want(root, "DELETE", fmt.Sprintf("%s/%v", path, first[0]["id"]), "", 204, "")
			s.want(root, "DELETE", fmt.Sprintf("%s/%v", path, first[0]["id"]), "", 204, "") // again
			s.Expire(newest[level+"/"+kind])
			for filter, want := range filters {
				a := s.send(root, "GET", path+filter, "")
				if got := strings.Count(string(a.Body), `"id":`); a.Status != 200 || got != want {
					t.Errorf("GET %s%s = %d with %d tokens, want %d", path, filter, a.Status, got, want)
				}
				for _, secret := range secrets {
					if strings.Contains(string(a.Body), secret) || strings.Contains(string(a.Body), `"token"`) {
						t.Errorf("GET %s%s shows a secret: %s", path, filter, a.Body)
					}
				}
			}
			otherKind := map[string]string{"access_tokens": "deploy_tokens", "deploy_tokens": "access_tokens"}[kind]
			for _, elsewhere := range []string{fmt.Sprintf("/projects/%d/access_tokens", other), fmt.Sprintf("/%s/%d/%s", level, id, otherKind)} {
				s.want(root, "DELETE", fmt.Sprintf("%s/%v", path, s.list(root, elsewhere)[0]["id"]), "", 404, `{"message":"404 Token Not Found"}`)
			}
		}
	}
	s.want(root, "GET", fmt.Sprintf("/projects/%d/access_tokens?state=active", other), "", 200, "")
	if got := len(s.list(root, fmt.Sprintf("/projects/%d/access_tokens?state=active", other))); got != 1 {
		t.Errorf("the other project has %d tokens left, want its one", got)
	}
}

// A revoked token of any kind is dead for the next request.
func TestRevokedTokenIsDead(t *testing.T) {
	t.Parallel()
	s := start(t)
	project := fmt.Sprintf("/projects/%d", s.project)
	for kind, scopes := range map[string]string{"access_tokens": `["api"]`, "deploy_tokens": `["read_package_registry"]`} {
		a := s.send(root, "POST", project+"/"+kind, `{"name":"x","scopes":`+scopes+`}`)
		var made struct {
			ID    int64
			Token string
		}
		s.JSON(a, &made)
		s.want("Private-Token: "+made.Token, "GET", project+"/packages", "", 200, "")
		s.want(root, "DELETE", fmt.Sprintf("%s/%s/%d", project, kind, made.ID), "", 204, "")
		s.want("Private-Token: "+made.Token, "GET", project+"/packages", "", 401, `{"message":"401 Unauthorized"}`)
	}
}

// What a deploy token opens follows from its scopes, and where it was made.
func TestDeployTokenScopes(t *testing.T) {
	t.Parallel()
	s := start(t)
	other := s.Project("other", s.Group("elsewhere", 0, "private"), "private")
	s.publish(s.project, "tool/1.0/f", "hello")
	for _, test := range []struct {
		level       string
		scopes      []string
		read, write int
	}{
		{"projects", []string{"read_package_registry"}, 200, 403},
		{"projects", []string{"write_package_registry"}, 200, 201},
		{"projects", []string{"read_package_registry", "write_package_registry"}, 200, 201},
		{"groups", []string{"read_package_registry"}, 200, 403},
		{"groups", []string{"write_package_registry"}, 200, 201},
		{"projects", []string{"read_registry", "write_registry", "read_virtual_registry", "write_virtual_registry"}, 403, 403},
	} {
		id := map[string]int64{"projects": s.project, "groups": s.group}[test.level]
		header := "Deploy-Token: " + s.DeployToken(test.level, id, test.scopes...)
		file := fmt.Sprintf("/projects/%d/packages/generic/tool/1.0/f", s.project)
		s.want(header, "GET", file, "", test.read, "")
		s.want(header, "PUT", file, "x", test.write, "")
		s.want(header, "GET", fmt.Sprintf("/projects/%d/packages", s.project), "", map[int]int{200: 200, 403: 404}[test.read], "")
		s.want(header, "GET", fmt.Sprintf("/projects/%d/packages/generic/tool/1.0/f", other), "", 404, "")
		s.want(header, "GET", fmt.Sprintf("/projects/%d", s.project), "", 404, "")
	}
}

// Every scope that GitLab knows can be had, those too that grant nothing here.
func TestScopes(t *testing.T) {
	t.Parallel()
	s := start(t)
	known := []string{
		"api", "read_api", "read_user", "read_package_registry", "write_package_registry", "read_registry", "write_registry",
		"read_virtual_registry", "write_virtual_registry", "self_rotate", "sudo", "read_repository", "write_repository", "k8s_proxy", "create_runner",
	}
	for _, scope := range append(known, "API", "everything", "") {
		want := 400
		if slices.Contains(known, scope) {
			want = 201
		}
		a := s.want(root, "POST", "/users/1/personal_access_tokens", fmt.Sprintf(`{"name":"x","scopes":[%q]}`, scope), want, "")
		if want == 400 && !strings.Contains(string(a.Body), `"fix":`) {
			t.Errorf("the refusal of the scope %q gives no advice: %s", scope, a.Body)
		}
	}
}

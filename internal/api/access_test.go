package api_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/api"
	"packhouse/internal/format/formattest"
)

// approach is a request to a route that does no harm when it is let in: then it
// lacks a parameter, names what is not there, or changes nothing.
type approach struct{ route, path, body string }

func (s *scene) approaches(job int64) []approach {
	p, g := fmt.Sprintf("/projects/%d", s.project), fmt.Sprintf("/groups/%d", s.group)
	return []approach{
		{"instance GET /version", "/version", ""},
		{"instance GET /metadata", "/metadata", ""},
		{"instance GET /user", "/user", ""},
		{"instance GET /job", "/job", ""},
		{"instance GET /explain", "/explain?path=" + url.QueryEscape("/api/v4"+p), ""},
		{"instance GET /explain", "/explain?as=developer&path=" + url.QueryEscape("/api/v4"+p), ""},
		{"instance GET /explain", "/explain?as=developer&path=" + url.QueryEscape("/api/v4"+g), ""},
		{"instance GET /explain", "/explain?as=developer&path=" + url.QueryEscape("/api/v4/groups"), ""},
		{"instance GET /audit_events", "/audit_events?per_page=1", ""},
		{"instance GET /audit_events/{event_id}", "/audit_events/1", ""},
		{"instance GET /ledger", "/ledger", ""},
		{"group GET /audit_events", g + "/audit_events?per_page=1", ""},
		{"group GET /audit_events/{event_id}", g + "/audit_events/1", ""},
		{"project GET /audit_events", p + "/audit_events?per_page=1", ""},
		{"project GET /audit_events/{event_id}", p + "/audit_events/1", ""},
		{"project POST /access_tokens/self/rotate", p + "/access_tokens/self/rotate", `{"expires_at":"x"}`},
		{"project GET /access_tokens/{token_id}", p + "/access_tokens/999", ``},
		{"project POST /access_tokens/{token_id}/rotate", p + "/access_tokens/999/rotate", ``},
		{"project GET /deploy_tokens/{token_id}", p + "/deploy_tokens/999", ``},
		{"group POST /access_tokens/self/rotate", g + "/access_tokens/self/rotate", `{"expires_at":"x"}`},
		{"group GET /access_tokens/{token_id}", g + "/access_tokens/999", ``},
		{"group POST /access_tokens/{token_id}/rotate", g + "/access_tokens/999/rotate", ``},
		{"group GET /deploy_tokens/{token_id}", g + "/deploy_tokens/999", ``},
		{"instance GET /personal_access_tokens", "/personal_access_tokens", ``},
		{"instance GET /personal_access_tokens", "/personal_access_tokens?user_id=1", ``},
		{"instance GET /personal_access_tokens/self", "/personal_access_tokens/self", ``},
		{"instance GET /personal_access_tokens/self/associations", "/personal_access_tokens/self/associations", ``},
		{"instance POST /personal_access_tokens/self/rotate", "/personal_access_tokens/self/rotate", `{"expires_at":"x"}`},
		{"instance GET /personal_access_tokens/{token_id}", "/personal_access_tokens/1", ``},
		{"instance POST /personal_access_tokens/{token_id}/rotate", "/personal_access_tokens/1/rotate", `{"expires_at":"x"}`},
		{"instance DELETE /personal_access_tokens/{token_id}", "/personal_access_tokens/999", ``},
		{"instance POST /user/personal_access_tokens", "/user/personal_access_tokens", `{}`},
		{"instance GET /users/{user_id}/impersonation_tokens", "/users/1/impersonation_tokens", ``},
		{"instance POST /users/{user_id}/impersonation_tokens", "/users/1/impersonation_tokens", `{}`},
		{"instance GET /users/{user_id}/impersonation_tokens/{token_id}", "/users/1/impersonation_tokens/1", ``},
		{"instance DELETE /users/{user_id}/impersonation_tokens/{token_id}", "/users/1/impersonation_tokens/999", ``},
		{"instance GET /deploy_tokens", "/deploy_tokens", ``},
		{"instance GET /users", "/users", ""},
		{"instance GET /users/{user_id}", "/users/1", ""},
		{"instance GET /users/{user_id}/projects", "/users/1/projects", ""},
		{"instance GET /users/{user_id}/memberships", "/users/1/memberships", ""},
		{"instance PUT /users/{user_id}", "/users/999", "{}"},
		{"instance DELETE /users/{user_id}", "/users/999", ""},
		{"instance POST /users/{user_id}/block", "/users/999/block", ""},
		{"instance POST /users/{user_id}/unblock", "/users/999/unblock", ""},
		{"instance POST /users/{user_id}/ban", "/users/999/ban", ""},
		{"instance POST /users/{user_id}/unban", "/users/999/unban", ""},
		{"instance POST /users/{user_id}/deactivate", "/users/999/deactivate", ""},
		{"instance POST /users/{user_id}/activate", "/users/999/activate", ""},
		{"instance POST /users/{user_id}/approve", "/users/999/approve", ""},
		{"instance POST /projects/user/{user_id}", "/projects/user/999", "{}"},
		{"instance GET /namespaces", "/namespaces", ""},
		{"instance GET /namespaces/{namespace}", "/namespaces/1", ""},
		{"instance GET /namespaces/{namespace}/exists", "/namespaces/none/exists", ""},
		{"instance GET /groups", "/groups", ""},
		{"group PUT /", g, "{}"},
		{"group DELETE /", "/groups/999", ""},
		{"group POST /restore", g + "/restore", ""},
		{"group POST /transfer", g + "/transfer", `{"group_id":"x"}`},
		{"group GET /projects", g + "/projects", ""},
		{"group GET /subgroups", g + "/subgroups", ""},
		{"group GET /descendant_groups", g + "/descendant_groups", ""},
		{"group POST /share", g + "/share", "{}"},
		{"group DELETE /share/{group_id}", g + "/share/999", ""},
		{"instance GET /projects", "/projects", ""},
		{"project DELETE /", "/projects/999", ""},
		{"project POST /restore", p + "/restore", ""},
		{"project POST /archive", "/projects/999/archive", ""},
		{"project POST /unarchive", p + "/unarchive", ""},
		{"project PUT /transfer", p + "/transfer", "{}"},
		{"project POST /share", p + "/share", "{}"},
		{"project DELETE /share/{group_id}", p + "/share/999", ""},
		{"project GET /members", p + "/members", ""},
		{"project GET /members/all", p + "/members/all", ""},
		{"project GET /members/all/{user_id}", p + "/members/all/1", ""},
		{"project GET /members/{user_id}", p + "/members/1", ""},
		{"project PUT /members/{user_id}", p + "/members/999", "{}"},
		{"group GET /members", g + "/members", ""},
		{"group GET /members/all", g + "/members/all", ""},
		{"group GET /members/all/{user_id}", g + "/members/all/1", ""},
		{"group GET /members/{user_id}", g + "/members/1", ""},
		{"group PUT /members/{user_id}", g + "/members/999", "{}"},
		{"instance GET /application/settings", "/application/settings", ""},
		{"instance PUT /application/settings", "/application/settings", `{"signup_enabled":"x"}`},
		{"instance GET /application/plan_limits", "/application/plan_limits", ""},
		{"instance PUT /application/plan_limits", "/application/plan_limits", `{"npm_max_file_size":"x"}`},
		{"group GET /packages", g + "/packages", ""},
		{"instance POST /users", "/users", `{}`},
		{"instance POST /users/{user_id}/personal_access_tokens", "/users/1/personal_access_tokens", `{}`},
		{"instance POST /groups", "/groups", `{}`},
		{"instance POST /groups", "/groups", fmt.Sprintf(`{"parent_id":%d}`, s.group)},
		{"group GET /", g, ""},
		{"instance POST /projects", "/projects", fmt.Sprintf(`{"namespace_id":%d}`, s.group)},
		{"project GET /", p, ""},
		{"project PUT /", p, `{}`},
		{"project PUT /", p, `{"visibility":"x"}`},
		{"project PUT /", p, `{"archived":"x"}`},
		{"project POST /members", p + "/members", `{}`},
		{"group POST /members", g + "/members", `{}`},
		{"project DELETE /members/{user_id}", p + "/members/999", ""},
		{"group DELETE /members/{user_id}", g + "/members/999", ""},
		{"project POST /access_tokens", p + "/access_tokens", `{}`},
		{"group POST /access_tokens", g + "/access_tokens", `{}`},
		{"project GET /access_tokens", p + "/access_tokens", ""},
		{"group GET /access_tokens", g + "/access_tokens", ""},
		{"project DELETE /access_tokens/{token_id}", p + "/access_tokens/999", ""},
		{"group DELETE /access_tokens/{token_id}", g + "/access_tokens/999", ""},
		{"project POST /deploy_tokens", p + "/deploy_tokens", `{}`},
		{"group POST /deploy_tokens", g + "/deploy_tokens", `{}`},
		{"project GET /deploy_tokens", p + "/deploy_tokens", ""},
		{"group GET /deploy_tokens", g + "/deploy_tokens", ""},
		{"project DELETE /deploy_tokens/{token_id}", p + "/deploy_tokens/999", ""},
		{"group DELETE /deploy_tokens/{token_id}", g + "/deploy_tokens/999", ""},
		{"instance POST /job_tokens", "/job_tokens", fmt.Sprintf(`{"project":"%d","ttl_seconds":0}`, s.project)},
		{"instance POST /job_tokens/{token_id}/finish", fmt.Sprintf("/job_tokens/%d/finish", job), `{"status":"x"}`},
		{"instance DELETE /job_tokens/{token_id}", fmt.Sprintf("/job_tokens/%d", job), `{"status":"x"}`},
		{"project GET /job_token_scope", p + "/job_token_scope", ""},
		{"project PATCH /job_token_scope", p + "/job_token_scope", `{}`},
		{"project GET /job_token_scope/allowlist", p + "/job_token_scope/allowlist", ""},
		{"project POST /job_token_scope/allowlist", p + "/job_token_scope/allowlist", `{}`},
		{"project DELETE /job_token_scope/allowlist/{admitted_id}", p + "/job_token_scope/allowlist/999", ""},
		{"project GET /job_token_scope/groups_allowlist", p + "/job_token_scope/groups_allowlist", ""},
		{"project POST /job_token_scope/groups_allowlist", p + "/job_token_scope/groups_allowlist", `{}`},
		{"project DELETE /job_token_scope/groups_allowlist/{admitted_id}", p + "/job_token_scope/groups_allowlist/999", ""},
		{"project GET /trusted_publishers", p + "/trusted_publishers", ""},
		{"project POST /trusted_publishers", p + "/trusted_publishers", `{}`},
		{"project GET /trusted_publishers/{publisher_id}", p + "/trusted_publishers/999", ""},
		{"project PUT /trusted_publishers/{publisher_id}", p + "/trusted_publishers/999", `{}`},
		{"project DELETE /trusted_publishers/{publisher_id}", p + "/trusted_publishers/999", ""},
		{"group GET /trusted_publishers", g + "/trusted_publishers", ""},
		{"group POST /trusted_publishers", g + "/trusted_publishers", `{}`},
		{"group GET /trusted_publishers/{publisher_id}", g + "/trusted_publishers/999", ""},
		{"group PUT /trusted_publishers/{publisher_id}", g + "/trusted_publishers/999", `{}`},
		{"group DELETE /trusted_publishers/{publisher_id}", g + "/trusted_publishers/999", ""},
		{"project GET /packages/protection/rules", p + "/packages/protection/rules", ""},
		{"project POST /packages/protection/rules", p + "/packages/protection/rules", `{}`},
		{"project PATCH /packages/protection/rules/{rule_id}", p + "/packages/protection/rules/999", `{}`},
		{"project DELETE /packages/protection/rules/{rule_id}", p + "/packages/protection/rules/999", ""},
		{"group GET /registry/repositories", g + "/registry/repositories", ""},
		{"project GET /registry/cleanup_policy", p + "/registry/cleanup_policy", ""},
		{"project GET /registry/cleanup_policy/preview", p + "/registry/cleanup_policy/preview", ""},
		{"project GET /registry/protection/repository/rules", p + "/registry/protection/repository/rules", ""},
		{"project POST /registry/protection/repository/rules", p + "/registry/protection/repository/rules", `{}`},
		{"project PATCH /registry/protection/repository/rules/{rule_id}", p + "/registry/protection/repository/rules/999", `{}`},
		{"project DELETE /registry/protection/repository/rules/{rule_id}", p + "/registry/protection/repository/rules/999", ""},
		{"project GET /registry/protection/tag/rules", p + "/registry/protection/tag/rules", ""},
		{"project POST /registry/protection/tag/rules", p + "/registry/protection/tag/rules", `{}`},
		{"project POST /registry/protection/tag/rules", p + "/registry/protection/tag/rules", `{"immutable":true}`},
		{"project PATCH /registry/protection/tag/rules/{rule_id}", p + "/registry/protection/tag/rules/999", `{}`},
		{"project DELETE /registry/protection/tag/rules/{rule_id}", p + "/registry/protection/tag/rules/999", ""},
		{"group GET /packages/protection/rules", g + "/packages/protection/rules", ""},
		{"group POST /packages/protection/rules", g + "/packages/protection/rules", `{}`},
		{"group PATCH /packages/protection/rules/{rule_id}", g + "/packages/protection/rules/999", `{}`},
		{"group DELETE /packages/protection/rules/{rule_id}", g + "/packages/protection/rules/999", ""},
		{"instance PUT /user/password", "/user/password", `{}`},
		{"instance GET /user/sessions", "/user/sessions", ""},
		{"instance DELETE /user/sessions/{session_id}", "/user/sessions/999", ""},
		{"instance PUT /users/{user_id}/password", "/users/999/password", `{}`},
		{"instance POST /oidc/token", "/oidc/token", `{}`},
		{"project GET /package_settings", p + "/package_settings", ""},
		{"project PUT /package_settings", p + "/package_settings", `{}`},
		{"group GET /package_settings", g + "/package_settings", ""},
		{"group PUT /package_settings", g + "/package_settings", `{}`},
		{"project GET /packages/trash", p + "/packages/trash", ""},
		{"group GET /packages/trash", g + "/packages/trash", ""},
		{"project GET /packages/trash/{trash_id}", p + "/packages/trash/999", ""},
		{"project POST /packages/trash/{trash_id}/restore", p + "/packages/trash/999/restore", ""},
		{"project DELETE /packages/trash/{trash_id}", p + "/packages/trash/999", ""},
		{"project GET /packages/cleanup_policy", p + "/packages/cleanup_policy", ""},
		{"project PUT /packages/cleanup_policy", p + "/packages/cleanup_policy", `{"cadence":"x"}`},
		{"project DELETE /packages/cleanup_policy", p + "/packages/cleanup_policy", ""},
		{"group GET /packages/cleanup_policy", g + "/packages/cleanup_policy", ""},
		{"group PUT /packages/cleanup_policy", g + "/packages/cleanup_policy", `{"cadence":"x"}`},
		{"group DELETE /packages/cleanup_policy", g + "/packages/cleanup_policy", ""},
		{"project POST /packages/cleanup_policy/preview", p + "/packages/cleanup_policy/preview", ""},
		{"project GET /packages/cleanup_policy/runs", p + "/packages/cleanup_policy/runs", ""},
		{"project POST /packages/cleanup_policy/runs", p + "/packages/cleanup_policy/runs", `{"preview_id":999}`},
		{"project POST /packages/cleanup_policy/runs/{run_id}/restore", p + "/packages/cleanup_policy/runs/999/restore", ""},
		{"project GET /packages", p + "/packages", ""},
		{"project GET /packages/{package_id}", p + "/packages/1", ""},
		{"project DELETE /packages/{package_id}", p + "/packages/999", ""},
		{"project GET /packages/{package_id}/package_files", p + "/packages/1/package_files", ""},
		{"project GET /packages/{package_id}/package_files/{file_id}/download", p + "/packages/1/package_files/1/download", ""},
		{"project DELETE /packages/{package_id}/package_files/{file_id}", p + "/packages/1/package_files/999", ""},
		{"project GET /registry/repositories", p + "/registry/repositories", ""},
		{"project DELETE /registry/repositories/{repository_id}", p + "/registry/repositories/999", ""},
		{"project GET /registry/repositories/{repository_id}/tags", p + "/registry/repositories/999/tags", ""},
		{"project DELETE /registry/repositories/{repository_id}/tags", p + "/registry/repositories/999/tags?name_regex_delete=x", ""},
		{"project GET /registry/repositories/{repository_id}/tags/{tag_name}", p + "/registry/repositories/999/tags/1", ""},
		{"project DELETE /registry/repositories/{repository_id}/tags/{tag_name}", p + "/registry/repositories/999/tags/1", ""},
		{"instance DELETE /personal_access_tokens/self", "/personal_access_tokens/self", ""}, // the last: whoever is let in is out
	}
}

// visitors are the columns of the table: a credential of every kind and, of
// persons, of every standing. The tokens of kinds are Maintainers with all scopes.
func (s *scene) visitors() []struct{ name, header string } {
	other := s.Project("other", s.Group("elsewhere", 0, "public"), "public")
	s.ids["admin"], s.tokens["admin"] = s.User("admin", `"admin":true`)
	s.ids["external"], s.tokens["external"] = s.User("external", `"external":true`)
	reading := s.PersonalToken(s.ids["owner"], "read_api")
	list := []struct{ name, header string }{{"nobody", ""}}
	for _, name := range []string{"external", "stranger", "guest", "planner", "reporter", "developer", "maintainer", "owner", "admin"} {
		list = append(list, struct{ name, header string }{name, s.as(name)})
	}
	return append(list, []struct{ name, header string }{
		{"read_api", "Private-Token: " + reading},
		{"project", "Private-Token: " + s.AccessToken("projects", s.project, packhouse.Maintainer, "api")},
		{"group", "Private-Token: " + s.AccessToken("groups", s.group, packhouse.Maintainer, "api")},
		{"elsewhere", "Private-Token: " + s.AccessToken("projects", other, packhouse.Owner, "api")},
		{"deploy", "Deploy-Token: " + s.DeployToken("projects", s.project, "read_package_registry", "write_package_registry")},
		{"job", "Job-Token: " + s.JobToken(s.project, s.ids["maintainer"])},
		{"otherjob", "Job-Token: " + s.JobToken(other, s.ids["maintainer"])},
		{"bad", "Private-Token: glpat-nobodynobodynobodyno"},
	}...)
}

// Who gets into which route, and with what status the others are refused.
func TestAccess(t *testing.T) {
	t.Parallel()
	for _, visibility := range []string{"private", "internal", "public"} {
		t.Run(visibility, func(t *testing.T) {
			t.Parallel()
			access(t, visibility)
		})
	}
}

func access(t *testing.T, visibility string) {
	s := startAs(t, visibility)
	s.people()
	s.publish(s.project, "tool/1.0/f", "hello")
	job := s.made(root, "POST", "/job_tokens", fmt.Sprintf(`{"project":"%d"}`, s.project))
	who := s.visitors()
	var b strings.Builder
	fmt.Fprintf(&b, "A %s project in a %s group. \"in\" is let in.\n\n%-76s", visibility, visibility, "")
	for _, w := range who {
		fmt.Fprintf(&b, " %-10s", w.name)
	}
	b.WriteString("\n")
	covered := map[string]bool{}
	for _, a := range s.approaches(job) {
		covered[a.route] = true
		method, label := strings.Fields(a.route)[1], a.route
		if len(a.body) > 2 {
			label += " " + a.body
		}
		if _, query, ok := strings.Cut(a.path, "?"); ok {
			label += " ?" + query
		}
		fmt.Fprintf(&b, "%-76s", label)
		for _, w := range who {
			answer := s.send(w.header, method, a.path, a.body)
			if answer.Status >= 500 {
				t.Errorf("%s %s by %s = %d", method, a.path, w.name, answer.Status)
			}
			fmt.Fprintf(&b, " %-10s", cell(answer))
		}
		b.WriteString("\n")
	}
	golden(t, "access_"+visibility, regexp.MustCompile(` +\n`).ReplaceAllString(b.String(), "\n"))
	for _, route := range new(api.API).Routes() {
		if key := route.Level.String() + " " + route.Method + " " + route.Path; !covered[key] {
			t.Errorf("the route %s is not in the table", key)
		}
	}
}

// refusedBy are the words by which the gate refuses, before a handler is reached.
var refusedBy = []string{
	"token", "sign-in", "kind", "visibility", "feature-off", "archived", "bound", "role", "allowlist", "scope",
}

// cell is how an answer stands in the table.
func cell(a formattest.Answer) string {
	var e struct{ Rule string }
	if a.Status >= 400 && json.Unmarshal(a.Body, &e) == nil && slices.Contains(refusedBy, e.Rule) {
		return fmt.Sprint(a.Status)
	}
	return "in"
}

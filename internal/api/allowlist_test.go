package api_test

import (
	"fmt"
	"testing"

	"packhouse"
	"packhouse/internal/ledger"
)

// The allowlist lets the jobs of other projects in, by project or by group, and
// has each of them once.
func TestAllowlist(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.person("dana", packhouse.Maintainer)
	elsewhere := s.Group("elsewhere", 0, "private")
	source := s.Project("source", s.Group("deep", elsewhere, "private"), "private")
	s.Member("groups", elsewhere, s.ids["dana"], packhouse.Developer)
	s.publish(s.project, "tool/1.0/f", "hello")
	job := "Job-Token: " + s.JobToken(source, s.ids["dana"])
	scope, dana := fmt.Sprintf("/projects/%d/job_token_scope", s.project), s.as("dana")
	lets := func(want int) {
		t.Helper()
		s.want(job, "GET", fmt.Sprintf("/projects/%d/packages", s.project), "", want, "")
	}
	lets(403)
	body := fmt.Sprintf(`{"target_project_id":%d}`, source)
	s.want(dana, "POST", scope+"/allowlist", body, 201, fmt.Sprintf(`{"source_project_id":%d,"target_project_id":%d}`, s.project, source))
	lets(200)
	s.want(dana, "POST", scope+"/allowlist", body, 400, `{"message":"400 Bad request - Target project is already in the job token scope"}`)
	if got := column(s.list(dana, scope+"/allowlist"), "id"); got != fmt.Sprintf("%d %d", s.project, source) {
		t.Errorf("allowlist = %s, want the project itself and the other", got)
	}
	s.want(dana, "DELETE", fmt.Sprintf("%s/allowlist/%d", scope, source), "", 204, "")
	s.want(dana, "DELETE", fmt.Sprintf("%s/allowlist/%d", scope, source), "", 404, `{"message":"404 Not Found"}`)
	lets(403)
	s.want(dana, "POST", scope+"/groups_allowlist", fmt.Sprintf(`{"target_group_id":%d}`, elsewhere), 201, "")
	s.want(dana, "POST", scope+"/groups_allowlist", fmt.Sprintf(`{"target_group_id":%d}`, elsewhere), 400, "")
	lets(200)
	if got := column(s.list(dana, scope+"/groups_allowlist"), "name"); got != "elsewhere" {
		t.Errorf("groups = %s", got)
	}
	s.want(dana, "DELETE", fmt.Sprintf("%s/groups_allowlist/%d", scope, elsewhere), "", 204, "")
	lets(403)
	s.want(dana, "PATCH", scope, `{"enabled":false}`, 204, "")
	lets(200)
	s.want(dana, "PATCH", scope, `{"enabled":true}`, 204, "")
	lets(403)
}

// A project that the caller may not see cannot be put on a list, and its absence
// and its privacy look the same.
func TestAllowlistHides(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.person("dana", packhouse.Maintainer)
	hidden := s.Group("hidden", 0, "private")
	project := s.Project("p", hidden, "private")
	scope := fmt.Sprintf("/projects/%d/job_token_scope", s.project)
	for _, id := range []int64{project, 999} {
		s.want(s.as("dana"), "POST", scope+"/allowlist", fmt.Sprintf(`{"target_project_id":%d}`, id), 404, `{"message":"404 Project Not Found"}`)
	}
	for _, id := range []int64{hidden, 999} {
		s.want(s.as("dana"), "POST", scope+"/groups_allowlist", fmt.Sprintf(`{"target_group_id":%d}`, id), 404, `{"message":"404 Group Not Found"}`)
	}
	s.want(root, "POST", scope+"/allowlist", fmt.Sprintf(`{"target_project_id":%d}`, project), 201, "")
	for _, item := range s.list(s.as("dana"), scope+"/allowlist") {
		if item["permissions"] != nil || item["visibility"] != nil {
			t.Errorf("the list shows more than names of others' projects: %v", item)
		}
	}
}

// An allowlist has up to 200 entries of both kinds.
func TestAllowlistIsBounded(t *testing.T) {
	t.Parallel()
	s := start(t)
	scope := fmt.Sprintf("/projects/%d/job_token_scope", s.project)
	for i := range 199 {
		must(t, s.Changes.Admit(t.Context(), ledger.By{}, ledger.Admission{
			ProjectID: s.project, Admitted: packhouse.Target{Level: packhouse.Project, ID: s.Project(fmt.Sprintf("p%d", i), s.group, "private")},
		}))
	}
	s.want(root, "POST", scope+"/groups_allowlist", fmt.Sprintf(`{"target_group_id":%d}`, s.group), 201, "")
	one := fmt.Sprintf(`{"target_project_id":%d}`, s.Project("more", s.group, "private"))
	full := `{"message":"400 Bad request - the allowlist has 200 entries already, which is the most it can have"}`
	s.want(root, "POST", scope+"/allowlist", one, 400, full)
	s.want(root, "DELETE", fmt.Sprintf("%s/groups_allowlist/%d", scope, s.group), "", 204, "")
	s.want(root, "POST", scope+"/allowlist", one, 201, "")
	if a := s.send(root, "GET", scope+"/allowlist?per_page=100&page=3", ""); a.Header.Get("X-Total") != "201" {
		t.Errorf("the list has %s entries, want 200 and the project itself", a.Header.Get("X-Total"))
	}
}

package generic_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"packhouse"
)

// A job's publish is tied to its pipeline, by whichever carrier the token came;
// nobody else's is.
func TestPipeline(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	user, token := s.User("dana")
	s.Member("groups", s.group, user, packhouse.Developer)
	job := s.JobToken(s.project, user, `"job":{"id":5}`, `"pipeline":{"id":5120,"iid":7}`, `"ref":"v1"`, `"sha":"5f0c1d7e9a41b6cc02d4e7f38a9b10c2d3e4f506"`)
	basic := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("gitlab-ci-token:"+job))
	for i, test := range []struct {
		header string
		want   int64
	}{
		{"Job-Token: " + job, 5120}, {basic, 5120}, {"Authorization: Bearer " + job, 5120},
		{"Private-Token: " + token, 0}, {root, 0},
		{"Deploy-Token: " + s.DeployToken("projects", s.project, "write_package_registry"), 0},
		{"Private-Token: " + s.AccessToken("projects", s.project, packhouse.Developer, "api"), 0},
	} {
		version := fmt.Sprint(i)
		if a := s.Do("PUT", s.at("tool/"+version+"/f"), strings.NewReader("x"), test.header); a.Status != 201 {
			t.Fatalf("PUT = %d %s", a.Status, a.Body)
		}
		p := s.Packages(s.project, "package_version="+version)[0]
		files := s.Files(s.project, p.ID)
		var got, file int64
		if p.Pipeline != nil {
			got = p.Pipeline.ID
		}
		if len(files[0].Pipelines) > 0 {
			file = files[0].Pipelines[0].ID
		}
		if got != test.want || file != test.want {
			t.Errorf("%.20s…: pipeline of package %d and file %d, want %d", test.header, got, file, test.want)
		}
	}
}

// The allowlist: a foreign job is told both projects and the way in, is let in
// when it was taken, by project or by a group above, and is never worse off than
// somebody without a token.
func TestAllowlist(t *testing.T) {
	t.Parallel()
	s := start(t, "public")
	user, _ := s.User("dana")
	s.Member("groups", s.group, user, packhouse.Developer)
	target := s.Project("target", s.group, "private")
	elsewhere := s.Group("elsewhere", 0, "private")
	source := s.Project("source", elsewhere, "private")
	for _, p := range []int64{target, s.project} {
		s.Do("PUT", at(p, "tool/1.0/f"), strings.NewReader("x"), root)
	}
	job := "Job-Token: " + s.JobToken(source, user)
	send := func(method string, project int64) int {
		return s.Do(method, at(project, "tool/1.0/f"), strings.NewReader("x"), job).Status
	}
	check := func(when string, want [4]int) {
		t.Helper()
		if got := [4]int{send("GET", target), send("PUT", target), send("GET", s.project), send("PUT", s.project)}; got != want {
			t.Errorf("%s: GET and PUT, private and public = %v, want %v", when, got, want)
		}
	}
	check("not admitted", [4]int{403, 403, 200, 403})
	a := s.Do("PUT", at(target, "tool/1.0/f"), strings.NewReader("x"), job)
	for _, words := range []string{"elsewhere/source", "acme/target", "allowlist", fmt.Sprintf("/projects/%d/job_token_scope/allowlist", target), fmt.Sprintf("target_project_id=%d", source)} {
		if !strings.Contains(string(a.Body), words) {
			t.Errorf("refusal %s does not say %q", a.Body, words)
		}
	}
	if a.Header.Get("X-Registry-Denied") != "allowlist" {
		t.Errorf("X-Registry-Denied = %q, want allowlist", a.Header.Get("X-Registry-Denied"))
	}
	s.API("POST", fmt.Sprintf("/projects/%d/job_token_scope/allowlist", target), fmt.Sprintf(`{"target_project_id":%d}`, source), nil)
	check("admitted by project", [4]int{200, 201, 200, 403})
	s.API("DELETE", fmt.Sprintf("/projects/%d/job_token_scope/allowlist/%d", target, source), "", nil)
	check("admitted no more", [4]int{403, 403, 200, 403})
	s.API("POST", fmt.Sprintf("/projects/%d/job_token_scope/groups_allowlist", target), fmt.Sprintf(`{"target_group_id":%d}`, elsewhere), nil)
	check("admitted by group", [4]int{200, 201, 200, 403})
	s.API("DELETE", fmt.Sprintf("/projects/%d/job_token_scope/groups_allowlist/%d", target, elsewhere), "", nil)
	s.API("PATCH", fmt.Sprintf("/projects/%d/job_token_scope", target), `{"enabled":false}`, nil)
	check("open to all jobs", [4]int{200, 201, 200, 403})
	s.Dismiss("groups", s.group, user)
	check("whose user has no role", [4]int{404, 404, 200, 403})
}

// In a group a foreign job gets what is public and nothing else.
func TestAllowlistInGroup(t *testing.T) {
	t.Parallel()
	s := start(t, "public")
	user, _ := s.User("dana")
	s.Member("groups", s.group, user, packhouse.Developer)
	closed := s.Project("closed", s.group, "private")
	source := s.Project("source", s.Group("elsewhere", 0, "private"), "private")
	s.mustPut(t, "tool/1.0/f", "open")
	s.Do("PUT", at(closed, "tool/1.0/f"), strings.NewReader("closed"), root)
	job := "Job-Token: " + s.JobToken(source, user)
	if a := s.Do("GET", inGroup("acme", "tool/1.0/f"), nil, job); a.Status != 200 || string(a.Body) != "open" {
		t.Errorf("GET = %d %s, want the public file", a.Status, a.Body)
	}
	s.API("POST", fmt.Sprintf("/projects/%d/job_token_scope/allowlist", closed), fmt.Sprintf(`{"target_project_id":%d}`, source), nil)
	if a := s.Do("GET", inGroup("acme", "tool/1.0/f"), nil, job); a.Status != 200 || string(a.Body) != "closed" {
		t.Errorf("GET = %d %s, want the newer file of the private project", a.Status, a.Body)
	}
}

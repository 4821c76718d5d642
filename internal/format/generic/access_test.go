package generic_test

import (
	"fmt"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/house"
)

// who are the columns of the matrix: everybody who may come to a project.
var who = []string{
	"nobody", "external", "stranger", "guest", "planner", "reporter", "developer", "maintainer", "owner", "root",
	"project token", "group token", "read_api token", "read-only deploy", "publish-only deploy", "foreign deploy", "own job", "foreign job", "reading job",
}

// credentials makes the header of everybody in who, for a project of a group.
func (s scene) credentials(t *testing.T, project int64) map[string]string {
	t.Helper()
	header := map[string]string{"nobody": "", "root": root}
	unique := fmt.Sprint(project)
	for _, role := range packhouse.Roles {
		id, token := s.User(strings.ToLower(role.String()) + unique)
		s.Member("projects", project, id, role)
		header[strings.ToLower(role.String())] = "Private-Token: " + token
	}
	_, external := s.User("external"+unique, `"external":true`)
	_, stranger := s.User("stranger" + unique)
	header["external"], header["stranger"] = "Private-Token: "+external, "Private-Token: "+stranger
	header["project token"] = "Private-Token: " + s.AccessToken("projects", project, packhouse.Developer, "api")
	header["group token"] = "Private-Token: " + s.AccessToken("groups", s.group, packhouse.Maintainer, "api")
	developer, _ := s.User("worker" + unique)
	s.Member("projects", project, developer, packhouse.Developer)
	header["read_api token"] = "Private-Token: " + s.PersonalToken(developer, "read_api")
	header["read-only deploy"] = "Deploy-Token: " + s.DeployToken("projects", project, "read_package_registry")
	header["publish-only deploy"] = "Deploy-Token: " + s.DeployToken("groups", s.group, "write_package_registry")
	header["own job"] = "Job-Token: " + s.JobToken(project, developer)
	header["reading job"] = "Job-Token: " + s.JobToken(project, developer, `"job":{"id":7}`, `"permissions":["READ_PACKAGES"]`)
	elsewhere := s.Project("elsewhere"+unique, s.group, "private")
	header["foreign job"] = "Job-Token: " + s.JobToken(elsewhere, developer)
	header["foreign deploy"] = "Deploy-Token: " + s.DeployToken("projects", elsewhere, "read_package_registry", "write_package_registry")
	return header
}

// Visibility, registry access, role and kind of credential, for every way to
// reach a file; testdata/access.golden is the table to read.
func TestAccess(t *testing.T) {
	t.Parallel()
	s := start(t, "public")
	var b strings.Builder
	fmt.Fprintf(&b, "%-20s %-22s %4s %4s %4s %6s\n", "project", "who", "GET", "HEAD", "PUT", "absent")
	for _, visibility := range []string{"public", "internal", "private"} {
		for _, registry := range []string{"enabled", "private", "public", "disabled"} {
			name := visibility + "-" + registry
			project := s.Project(name, s.group, visibility)
			if a := s.Do("PUT", at(project, "tool/1.0/f"), strings.NewReader("x"), root); a.Status != 201 {
				t.Fatalf("PUT = %d %s", a.Status, a.Body)
			}
			header := s.credentials(t, project)
			s.API("PUT", fmt.Sprintf("/projects/%d", project), fmt.Sprintf(`{"package_registry_access_level":%q}`, registry), nil)
			for _, one := range who {
				status := func(method, file string) int {
					return s.Do(method, at(project, file), strings.NewReader("x"), header[one]).Status
				}
				fmt.Fprintf(&b, "%-20s %-22s %4d %4d %4d %6d\n", name, one,
					status("GET", "tool/1.0/f"), status("HEAD", "tool/1.0/f"), status("PUT", "tool/1.0/g"), status("GET", "none/1.0/f"))
			}
		}
	}
	golden(t, "access", []byte(b.String()))
}

// A group gives what is in those of its projects that the caller may read, and
// of several files the newest.
func TestGroupAccess(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, visibility := range []string{"public", "private"} {
		s := start(t, visibility)
		child := s.Group("child", s.group, visibility)
		open := s.Project("open", child, visibility)
		closed := s.Project("closed", s.group, "private")
		for _, one := range []struct {
			project int64
			file    string
		}{{open, "tool/1.0/f"}, {closed, "tool/1.0/f"}, {open, "old/1.0/f"}, {closed, "secret/1.0/f"}} {
			body := map[int64]string{open: "open", closed: "closed"}[one.project]
			if a := s.Do("PUT", at(one.project, one.file), strings.NewReader(body), root); a.Status != 201 {
				t.Fatalf("PUT = %d %s", a.Status, a.Body)
			}
		}
		header := s.credentials(t, open)
		for _, one := range who {
			fmt.Fprintf(&b, "%-8s %-22s", visibility, one)
			for _, target := range []string{inGroup("acme", "tool/1.0/f"), inGroup("acme", "old/1.0/f"), inGroup("acme", "secret/1.0/f"), inGroup("acme%2Fchild", "tool/1.0/f"), inGroup("acme", "none/1.0/f")} {
				a := s.Do("GET", target, nil, header[one])
				got := fmt.Sprint(a.Status)
				if a.Status == 200 {
					got = string(a.Body)
				}
				fmt.Fprintf(&b, " %-6s", got)
			}
			fmt.Fprintln(&b)
		}
	}
	golden(t, "group_access", []byte(b.String()))
}

// The seed's way to fetch: a group's deploy token, by id and by path, followed
// by no redirect.
func TestGroupDownload(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	deploy := "DEPLOY-TOKEN: " + s.DeployToken("groups", s.group, "read_package_registry")
	second := s.Project("second", s.group, "private")
	for _, size := range sizes {
		file := fmt.Sprintf("tool/1.0/dir/%d", size)
		s.mustPut(t, file, "older")
		if a := s.Do("PUT", at(second, file)+"?status=default", strings.NewReader(content(size, 1)), root); a.Status != 201 {
			t.Fatalf("PUT = %d %s", a.Status, a.Body)
		}
		for _, group := range []any{s.group, "acme"} {
			for _, path := range []string{file, fmt.Sprintf("tool/1.0/dir%%2F%d", size)} {
				a := s.Do("GET", inGroup(group, path), nil, deploy)
				if a.Status != 200 || string(a.Body) != content(size, 1) || a.Header.Get("X-Checksum-Sha256") != sha256of(content(size, 1)) {
					t.Errorf("GET %s from group %v = %d with %d bytes, want the newest", path, group, a.Status, len(a.Body))
				}
			}
		}
	}
	a := s.Do("GET", inGroup("acme", "tool/1.0/dir/1"), nil, deploy, "Range: bytes=0-0")
	if a.Status != 206 {
		t.Errorf("GET of a range = %d, want 206", a.Status)
	}
}

// A project opened to everybody is readable without a credential, until the
// instance says otherwise.
func TestAnyonePull(t *testing.T) {
	t.Parallel()
	for _, allowed := range []bool{true, false} {
		s := start(t, "private", func(o *house.Options) { o.Directory.AnyonePull = allowed })
		p := s.Project("open", s.group, "private", `"package_registry_access_level":"public"`)
		s.Do("PUT", at(p, "tool/1.0/f"), strings.NewReader("x"), root)
		want := map[bool]int{true: 200, false: 401}[allowed]
		for _, target := range []string{at(p, "tool/1.0/f"), inGroup("acme", "tool/1.0/f")} {
			if a := s.Do("GET", target, nil); a.Status != want {
				t.Errorf("GET %s with anyone %v = %d, want %d", target, allowed, a.Status, want)
			}
		}
		if a := s.Do("PUT", at(p, "tool/1.0/f"), strings.NewReader("x")); a.Status != 401 {
			t.Errorf("PUT = %d, want 401", a.Status)
		}
	}
}

// A switched-off registry is hidden from everybody, and an archived project is
// read-only.
func TestSwitchedOff(t *testing.T) {
	t.Parallel()
	s := start(t, "public", func(o *house.Options) { o.Directory.PackagesDisabled = true })
	for _, header := range []string{root, ""} {
		for _, method := range []string{"GET", "PUT"} {
			if a := s.Do(method, s.at("tool/1.0/f"), strings.NewReader("x"), header); a.Status != 404 {
				t.Errorf("%s with the registry off = %d, want 404", method, a.Status)
			}
		}
	}
	s = start(t, "private")
	s.mustPut(t, "tool/1.0/f", "x")
	s.API("PUT", fmt.Sprintf("/projects/%d", s.project), `{"archived":true}`, nil)
	s.mustGet(t, "tool/1.0/f", "x")
	if a := s.put("tool/1.0/f", "y"); a.Status != 403 || a.Header.Get("X-Registry-Denied") != "archived" {
		t.Errorf("PUT to an archived project = %d %s, want 403", a.Status, a.Body)
	}
}

// Whoever loses a role, a token or a job has lost it at the next request.
func TestLossIsImmediate(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.mustPut(t, "tool/1.0/f", "x")
	user, token := s.User("dana")
	s.Member("groups", s.group, user, packhouse.Developer)
	job := s.JobToken(s.project, user)
	for i, step := range []struct {
		name   string
		change func()
		header string
		want   [2]int
	}{
		{"member", func() {}, "Private-Token: " + token, [2]int{200, 201}},
		{"member's job", func() {}, "Job-Token: " + job, [2]int{200, 201}},
		{"dismissed", func() { s.Dismiss("groups", s.group, user) }, "Private-Token: " + token, [2]int{404, 404}},
		{"dismissed member's job", func() {}, "Job-Token: " + job, [2]int{404, 404}},
		{"guest now", func() { s.Member("projects", s.project, user, packhouse.Guest) }, "Private-Token: " + token, [2]int{403, 403}},
		{"token revoked", func() { s.Revoke(token) }, "Private-Token: " + token, [2]int{401, 401}},
		{"job over", func() { s.Revoke(job) }, "Job-Token: " + job, [2]int{401, 401}},
		{"registry opened", func() { s.setRegistry("public") }, "", [2]int{200, 401}},
		{"registry closed", func() { s.setRegistry("enabled") }, "", [2]int{401, 401}},
	} {
		step.change()
		got := [2]int{
			s.Do("GET", s.at("tool/1.0/f"), nil, step.header).Status,
			s.Do("PUT", s.at(fmt.Sprintf("tool/1.0/%d", i)), strings.NewReader("x"), step.header).Status,
		}
		if got != step.want {
			t.Errorf("%s: GET and PUT = %v, want %v", step.name, got, step.want)
		}
	}
}

func (s scene) setRegistry(access string) {
	s.API("PUT", fmt.Sprintf("/projects/%d", s.project), fmt.Sprintf(`{"package_registry_access_level":%q}`, access), nil)
}

package generic_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/ledger"
)

// The four rows of GitLab's table, the exception matching by name, by version
// and not at all, for small files and for large ones.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for i, test := range []struct {
		allowed string
		except  string
		again   int
	}{
		{"true", ``, 201}, {"true", `other`, 201}, {"true", `too`, 201}, {"true", `ool.*`, 201},
		{"true", `tool\\d+`, 400}, {"true", `1\\..*`, 400}, {"true", `.*`, 400}, {"true", `x|1\\.0`, 400},
		{"false", ``, 400}, {"false", `other`, 400}, {"false", `too`, 400}, {"false", `TOOL\\d+`, 400},
		{"false", `tool\\d+`, 201}, {"false", `1\\..*`, 201}, {"false", `.*`, 201}, {"false", `x|1\\.0`, 201},
		{`"inherit"`, ``, 201}, {`"inherit"`, `tool\\d+`, 400},
	} {
		s.Settings("groups", s.group, fmt.Sprintf(`{"generic_duplicates_allowed":%s,"generic_duplicate_exception_regex":"%s"}`, test.allowed, test.except))
		for _, size := range both {
			name := fmt.Sprintf("tool%d%d", size, i)
			s.mustPut(t, name+"/1.0/dir/f", content(size, 1))
			a := s.put(name+"/1.0/dir/f", content(size, 2))
			refused := strings.Contains(string(a.Body), "400 Bad request - Duplicate package is not allowed")
			if a.Status != test.again || refused != (test.again == 400) {
				t.Errorf("allowed %s, except %q: second PUT = %d %s, want %d", test.allowed, test.except, a.Status, a.Body, test.again)
			}
			s.mustGet(t, name+"/1.0/dir/f", content(size, map[int]uint64{400: 1, 201: 2}[test.again]))
			// Another file name, directory or version is no duplicate.
			for _, file := range []string{"1.0/dir/g", "1.0/f", "1.0/dir/F", "1.1/dir/f"} {
				s.mustPut(t, name+"/"+file, content(size, 3))
			}
		}
	}
}

// A refused duplicate leaves nothing behind, not even its bytes.
func TestRefusedDuplicateLeavesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.Settings("projects", s.project, `{"generic_duplicates_allowed":false}`)
	for _, size := range both {
		file := fmt.Sprintf("tool/%d/f", size)
		s.mustPut(t, file, content(size, 1))
		stored := s.Stored()
		for seed := range uint64(3) { // one of them has the very same bytes
			if a := s.put(file+"?status=hidden", content(size, seed)); a.Status != 400 {
				t.Errorf("PUT again = %d, want 400", a.Status)
			}
		}
		list := s.Packages(s.project, fmt.Sprintf("package_version=%d", size))
		if len(list) != 1 || list[0].Status != "default" || len(s.Files(s.project, list[0].ID)) != 1 || s.Stored() != stored {
			t.Errorf("packages = %+v, stored = %+v, want one of one file and %+v", list, s.Stored(), stored)
		}
	}
}

// What is deleted is no duplicate: neither the file nor the version.
func TestDeletedIsNoDuplicate(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.Settings("projects", s.project, `{"generic_duplicates_allowed":false}`)
	for _, size := range both {
		version := fmt.Sprint(size)
		file := "tool/" + version + "/f"
		s.mustPut(t, file, content(size, 1))
		s.mustPut(t, "tool/"+version+"/other", "x")
		id := s.Packages(s.project, "package_version="+version)[0].ID
		s.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d/package_files/%d", s.project, id, s.Files(s.project, id)[0].ID), "", nil)
		s.mustPut(t, file, content(size, 2))
		s.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d", s.project, id), "", nil)
		s.mustPut(t, file, content(size, 3))
		s.mustGet(t, file, content(size, 3))
		if a := s.put(file, "x"); a.Status != 400 {
			t.Errorf("PUT again = %d, want 400", a.Status)
		}
	}
}

// The nearest explicit setting holds: project, group, parent group, instance.
func TestDuplicatesCascade(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	child := s.Group("child", s.group, "private")
	p := s.Project("deep", child, "private")
	sibling := s.Project("sibling", s.group, "private")
	n := 0
	again := func(project int64) int {
		t.Helper()
		n++
		target := at(project, fmt.Sprintf("tool/%d/f", n))
		if a := s.Do("PUT", target, strings.NewReader("1"), root); a.Status != 201 {
			t.Fatalf("PUT = %d %s", a.Status, a.Body)
		}
		return s.Do("PUT", target, strings.NewReader("2"), root).Status
	}
	set := func(level string, id int64, allowed string) func() {
		return func() { s.Settings(level, id, `{"generic_duplicates_allowed":`+allowed+`}`) }
	}
	for _, step := range []struct {
		name          string
		change        func()
		deep, sibling int
	}{
		{"nothing is set", func() {}, 201, 201},
		{"instance off", func() { s.instance(t, false) }, 400, 400},
		{"parent on", set("groups", s.group, "true"), 201, 201},
		{"group off", set("groups", child, "false"), 400, 201},
		{"project on", set("projects", p, "true"), 201, 201},
		{"project inherits again", set("projects", p, `"inherit"`), 400, 201},
		{"null changes nothing", set("groups", child, `null`), 400, 201},
		{"group inherits again", set("groups", child, `"inherit"`), 201, 201},
		{"parent inherits again", set("groups", s.group, `"inherit"`), 400, 400},
		{"instance on", func() { s.instance(t, true) }, 201, 201},
	} {
		step.change()
		if got := [2]int{again(p), again(sibling)}; got != [2]int{step.deep, step.sibling} {
			t.Errorf("%s: second PUT below and beside = %v, want [%d %d]", step.name, got, step.deep, step.sibling)
		}
	}
}

// instance sets the default of the whole instance, for which there is no
// endpoint.
func (s scene) instance(t *testing.T, allowed bool) {
	t.Helper()
	_, err := s.Changes.UpdateSettings(context.Background(), ledger.By{}, packhouse.Target{Level: packhouse.Instance}, func(set *ledger.Settings) error {
		set.Duplicates = map[string]ledger.Duplicates{"generic": {Allowed: &allowed}}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A pattern that cannot be read, or is too long, is refused when it is set.
func TestBadExceptions(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, expr := range []string{`(`, `[a`, `a{2000}`, `(?=x)`, `\\1`, strings.Repeat("a", 256)} {
		for _, path := range []string{fmt.Sprintf("/projects/%d", s.project), fmt.Sprintf("/groups/%d", s.group)} {
			a := s.Do("PUT", "/api/v4"+path+"/package_settings", strings.NewReader(`{"generic_duplicate_exception_regex":"`+expr+`"}`), root, "Content-Type: application/json")
			if a.Status != 400 {
				t.Errorf("exception %q = %d %s, want 400", expr, a.Status, a.Body)
			}
		}
	}
	s.mustPut(t, "tool/1.0/f", "1")
	s.mustPut(t, "tool/1.0/f", "2")
}

// Who may change the settings: Owners of the group, Maintainers of the project.
func TestSettingsRoles(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for role, want := range map[packhouse.Role][2]int{
		packhouse.Guest: {403, 403}, packhouse.Developer: {403, 403}, packhouse.Maintainer: {403, 200}, packhouse.Owner: {200, 200},
	} {
		user, token := s.User("u" + strings.ToLower(role.String()))
		s.Member("groups", s.group, user, role)
		for i, path := range []string{fmt.Sprintf("/groups/%d", s.group), fmt.Sprintf("/projects/%d", s.project)} {
			a := s.Do("PUT", "/api/v4"+path+"/package_settings?generic_duplicates_allowed=true", nil, "Private-Token: "+token)
			if a.Status != want[i] {
				t.Errorf("%s changes %s = %d, want %d", role, path, a.Status, want[i])
			}
		}
	}
}

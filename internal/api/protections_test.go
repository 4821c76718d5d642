package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// What a protection rule looks like, and that a change touches what is given.
func TestProtectionRule(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.people()
	for _, level := range []string{"project", "group"} {
		id := map[string]int64{"project": s.project, "group": s.group}[level]
		all := fmt.Sprintf("/%ss/%d/packages/protection/rules", level, id)
		rule := s.made(s.as("owner"), "POST", all, `{"package_name_pattern":"@acme/*","package_type":"npm","minimum_access_level_for_push":"maintainer"}`)
		one := fmt.Sprintf("%s/%d", all, rule)
		want := func(method, body, push, remove, versions string) {
			t.Helper()
			var got map[string]any
			s.JSON(s.want(s.as("owner"), method, one, body, 200, ""), &got)
			text := fmt.Sprintln(got["id"], got[level+"_id"], got["package_name_pattern"], got["package_type"], got["push_only_from"],
				got["minimum_access_level_for_push"], got["minimum_access_level_for_delete"], got["package_version_pattern"])
			if want := fmt.Sprintln(rule, id, "@acme/*", "npm", nil, push, remove, versions); text != want {
				t.Errorf("%s %s %s = %s, want %s", method, one, body, text, want)
			}
		}
		want("PATCH", `{}`, "maintainer", "<nil>", "<nil>")
		want("PATCH", `{"package_type":null,"minimum_access_level_for_delete":"owner","package_version_pattern":"1.*"}`, "maintainer", "owner", "1.*")
		want("PATCH", `{"minimum_access_level_for_push":null,"package_version_pattern":null}`, "<nil>", "owner", "<nil>")
		s.want(s.as("owner"), "PATCH", one, `{"minimum_access_level_for_delete":null}`, 422,
			`{"message":"A rule must have at least a minimum access role for push or delete."}`)
		s.want(s.as("owner"), "POST", all, `{"package_name_pattern":"@ACME/*","package_type":"npm","minimum_access_level_for_push":"admin"}`, 422,
			`{"message":"Package name pattern has already been taken"}`)
		other := s.made(s.as("owner"), "POST", all, `{"package_name_pattern":"x","package_type":"npm","push_only_from":"protected_refs"}`)
		s.want(s.as("owner"), "PATCH", fmt.Sprintf("%s/%d", all, other), `{"package_name_pattern":"@acme/*"}`, 422,
			`{"message":"Package name pattern has already been taken"}`)
		if got := column(s.list(s.as("owner"), all), "package_name_pattern"); got != "@acme/* x" {
			t.Errorf("GET %s lists %q, want both", all, got)
		}
		s.want(s.as("owner"), "DELETE", one, "", 204, "")
		s.want(s.as("owner"), "DELETE", one, "", 404, `{"message":"404 Package protection rule Not Found"}`)
		s.want(s.as("owner"), "PATCH", one, `{}`, 404, `{"message":"404 Package protection rule Not Found"}`)
		for body, status := range map[string]int{
			`{}`: 400, `{"package_name_pattern":"a","package_type":"tar"}`: 400, `{"package_name_pattern":"a","package_type":"npm"}`: 422,
			`{"package_name_pattern":"a b","package_type":"npm","minimum_access_level_for_push":"owner"}`:                        422,
			`{"package_name_pattern":"a","package_type":"npm","minimum_access_level_for_push":"developer"}`:                      400,
			`{"package_name_pattern":"` + strings.Repeat("a", 256) + `","package_type":"npm","push_only_from":"protected_refs"}`: 400,
		} {
			s.want(s.as("owner"), "POST", all, body, status, "")
		}
	}
}

// A rule holds for publishing, for changing and for deleting, in the projects of
// the group, and names itself to who meets it.
func TestProtectionHolds(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.people()
	file := func(name, version string) string {
		return fmt.Sprintf("/projects/%d/packages/generic/%s/%s/file", s.project, name, version)
	}
	s.want(s.as("developer"), "PUT", file("tool", "1.0"), "x", 201, "")
	rules := fmt.Sprintf("/groups/%d/packages/protection/rules", s.group)
	s.made(s.as("owner"), "POST", rules, `{"package_name_pattern":"tool*","package_type":"generic","minimum_access_level_for_push":"maintainer","minimum_access_level_for_delete":"owner"}`)
	a := s.send(s.as("developer"), "PUT", file("Tools", "1.0"), "x")
	if a.Status != 403 || !strings.Contains(string(a.Body), `"message":"403 Forbidden - Package protected."`) || !strings.Contains(string(a.Body), `"rule":"protection"`) {
		t.Errorf("PUT of a protected package by a Developer = %d %s, want 403", a.Status, a.Body)
	}
	s.want(s.as("developer"), "PUT", file("other", "1.0"), "x", 201, "")
	s.want(s.as("maintainer"), "PUT", file("tool", "2.0"), "x", 201, "")
	ids := map[string]string{}
	for _, p := range s.list(s.as("owner"), fmt.Sprintf("/projects/%d/packages?package_name=tool", s.project)) {
		ids[fmt.Sprint(p["version"])] = fmt.Sprint(p["id"])
	}
	one := fmt.Sprintf("/projects/%d/packages/%s", s.project, ids["1.0"])
	files := s.list(s.as("owner"), one+"/package_files")
	s.want(s.as("maintainer"), "DELETE", one, "", 403, "")
	s.want(s.as("maintainer"), "DELETE", fmt.Sprintf("%s/package_files/%v", one, files[0]["id"]), "", 403, "")
	s.want(s.as("owner"), "DELETE", fmt.Sprintf("%s/package_files/%v", one, files[0]["id"]), "", 204, "")
	s.want(s.as("owner"), "DELETE", one, "", 204, "")
	s.want(root, "DELETE", fmt.Sprintf("/projects/%d/packages/%s", s.project, ids["2.0"]), "", 204, "")
}

func (b *book) protections() {
	for _, place := range []string{fmt.Sprintf("/groups/%d", b.group), fmt.Sprintf("/projects/%d", b.project)} {
		all := place + "/packages/protection/rules"
		b.show(root, "POST", all, `{"package_name_pattern":"@acme/*","package_type":"npm","minimum_access_level_for_push":"maintainer"}`)
		one := fmt.Sprintf("%s/%d", all, b.made(root, "POST", all, `{"package_name_pattern":"*","package_version_pattern":"1.*","package_type":"pypi","push_only_from":"trusted_publishers"}`))
		b.show(root, "PATCH", one, `{"minimum_access_level_for_delete":"admin","push_only_from":null}`)
		b.show(root, "GET", all, "")
		b.show(root, "DELETE", one, "")
	}
	b.end("protections")
}

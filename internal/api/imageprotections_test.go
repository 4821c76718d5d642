package api_test

import (
	"fmt"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
)

// What the rules of repositories look like, and what is none.
func TestRepositoryRules(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.people()
	all := fmt.Sprintf("/projects/%d/registry/protection/repository/rules", s.project)
	rule := s.made(s.as("maintainer"), "POST", all, `{"repository_path_pattern":"Acme/tools/api*","minimum_access_level_for_push":"owner"}`)
	one := fmt.Sprintf("%s/%d", all, rule)
	shows := func(push, remove, pattern string) string {
		return fmt.Sprintf(`{"id":%d,"minimum_access_level_for_delete":%s,"minimum_access_level_for_push":%s,"project_id":%d,"repository_path_pattern":"%s"}`,
			rule, remove, push, s.project, pattern)
	}
	s.want(s.as("maintainer"), "PATCH", one, `{}`, 200, shows(`"owner"`, "null", "acme/tools/api*"))
	s.want(s.as("maintainer"), "PATCH", one, `{"minimum_access_level_for_delete":"maintainer","minimum_access_level_for_push":""}`, 200, shows("null", `"maintainer"`, "acme/tools/api*"))
	s.want(s.as("maintainer"), "PATCH", one, `{"repository_path_pattern":"acme/tools"}`, 200, shows("null", `"maintainer"`, "acme/tools"))
	s.want(s.as("maintainer"), "GET", all, "", 200, "["+shows("null", `"maintainer"`, "acme/tools")+"]")
	s.want(s.as("maintainer"), "PATCH", one, `{"minimum_access_level_for_delete":""}`, 422,
		`{"message":{"error":"A rule must have at least a minimum access role for push or delete."}}`)
	s.want(s.as("maintainer"), "POST", all, `{"repository_path_pattern":"acme/TOOLS","minimum_access_level_for_push":"admin"}`, 422,
		`{"message":{"error":"Repository path pattern has already been taken"}}`)
	for body, status := range map[string]int{
		`{}`: 400, `{"repository_path_pattern":"acme/tools/*"}`: 422, `{"repository_path_pattern":"*","minimum_access_level_for_push":"owner"}`: 422,
		`{"repository_path_pattern":"acme/tools2/*","minimum_access_level_for_push":"owner"}`:                               422,
		`{"repository_path_pattern":"acme/tools/a b","minimum_access_level_for_push":"owner"}`:                              422,
		`{"repository_path_pattern":"acme/tools/a","minimum_access_level_for_push":"developer"}`:                            400,
		`{"repository_path_pattern":"acme/tools/` + strings.Repeat("a", 250) + `","minimum_access_level_for_push":"owner"}`: 400,
	} {
		s.want(s.as("maintainer"), "POST", all, body, status, "")
	}
	// Rules of other kinds have other paths, and other ids.
	for _, path := range []string{"packages/protection/rules", "registry/protection/tag/rules"} {
		other := fmt.Sprintf("/projects/%d/%s", s.project, path)
		if rules := s.list(s.as("owner"), other); len(rules) != 0 {
			t.Errorf("GET %s = %v, want nothing", other, rules)
		}
		s.want(s.as("owner"), "DELETE", fmt.Sprintf("%s/%d", other, rule), "", 404, "")
	}
	since := func(date string) formattest.Answer {
		return s.Do("DELETE", "/api/v4"+one, nil, s.as("maintainer"), "If-Unmodified-Since: "+date)
	}
	if a := since("Mon, 02 Jan 2006 15:04:05 GMT"); a.Status != 412 {
		t.Errorf("DELETE of what has changed since = %d %s, want 412", a.Status, a.Body)
	}
	if a := since("Fri, 02 Jan 2150 15:04:05 GMT"); a.Status != 204 {
		t.Errorf("DELETE of what has not changed since = %d %s, want 204", a.Status, a.Body)
	}
	s.want(s.as("maintainer"), "DELETE", one, "", 404, `{"message":"404 Container Registry Protection Rule Not Found"}`)
}

// What the rules of tags look like, what is none, and whose those are that make tags
// immutable.
func TestTagRules(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.people()
	all := fmt.Sprintf("/projects/%d/registry/protection/tag/rules", s.project)
	const both = `"minimum_access_level_for_push":"maintainer","minimum_access_level_for_delete":"owner"`
	rule := s.made(s.as("maintainer"), "POST", all, `{"tag_name_pattern":"\\d","minimum_access_level_for_push":"maintainer","minimum_access_level_for_delete":"owner"}`)
	shown := fmt.Sprintf(`{"id":%d,"minimum_access_level_for_delete":"owner","minimum_access_level_for_push":"admin","project_id":%d,"tag_name_pattern":"\\d"}`, rule, s.project)
	one := fmt.Sprintf("%s/%d", all, rule)
	s.want(s.as("maintainer"), "PATCH", one, `{"minimum_access_level_for_push":"admin"}`, 200, shown)
	s.want(s.as("maintainer"), "POST", all, `{"tag_name_pattern":"\\d",`+both+`}`, 422, `{"message":{"error":"Tag name pattern has already been taken"}}`)
	s.want(s.as("maintainer"), "POST", all, `{"tag_name_pattern":"^v","immutable":true}`, 403, "")
	frozen := s.made(s.as("owner"), "POST", all, `{"tag_name_pattern":"\\D","immutable":true}`)
	fixed := fmt.Sprintf("%s/%d", all, frozen)
	s.want(s.as("maintainer"), "GET", all, "", 200, "["+shown+"]")
	if got := column(s.list(s.as("maintainer"), all+"?include_immutable=1"), "immutable"); got != "<nil> true" {
		t.Errorf("GET with those that make tags immutable lists %q", got)
	}
	s.want(s.as("maintainer"), "DELETE", fixed, "", 403, "")
	s.want(s.as("owner"), "PATCH", fixed, `{`+both+`}`, 422, "")
	for body, status := range map[string]int{
		`{}`: 400, `{"tag_name_pattern":"x"}`: 422, `{"tag_name_pattern":"x","minimum_access_level_for_push":"owner"}`: 422,
		`{"tag_name_pattern":"(",` + both + `}`: 422, `{"tag_name_pattern":"(?=x)",` + both + `}`: 422,
		`{"tag_name_pattern":"` + strings.Repeat("x", 101) + `",` + both + `}`:                                  422,
		`{"tag_name_pattern":"((x{1000}){1000}){1000}",` + both + `}`:                                           422,
		`{"tag_name_pattern":"x","immutable":"perhaps"}`:                                                        400,
		`{"tag_name_pattern":"x","immutable":true,` + both + `}`:                                                422,
		`{"tag_name_pattern":"x","minimum_access_level_for_push":"","minimum_access_level_for_delete":"owner"}`: 422,
	} {
		s.want(s.as("owner"), "POST", all, body, status, "")
	}
	// Five at the most, however many ask at once.
	answers := formattest.Together(func(i int) int {
		a, err := s.Try("POST", "/api/v4"+all, strings.NewReader(fmt.Sprintf(`{"tag_name_pattern":"p%d",%s}`, i, both)), s.as("owner"), "Content-Type: application/json")
		if err != nil {
			return 0
		}
		return a.Status
	})
	made := 0
	for _, status := range answers {
		if status == 201 {
			made++
		} else if status != 422 {
			t.Errorf("POST of many = %d, want 201 or 422", status)
		}
	}
	if list := s.list(s.as("owner"), all+"?include_immutable=true"); made != 3 || len(list) != 5 {
		t.Errorf("%d were made and %d are there, want 3 and 5", made, len(list))
	}
	s.want(s.as("owner"), "DELETE", fixed, "", 204, "")
	s.want(s.as("owner"), "DELETE", one, "", 204, "")
	s.want(s.as("owner"), "DELETE", one, "", 404, `{"message":"404 Container Registry Tag Protection Rule Not Found"}`)
}

func (b *book) imageProtections() {
	repositories, tags := fmt.Sprintf("/projects/%d/registry/protection/repository/rules", b.project), fmt.Sprintf("/projects/%d/registry/protection/tag/rules", b.project)
	path := "acme/tools"
	b.show(root, "POST", repositories, `{"repository_path_pattern":"`+path+`/*","minimum_access_level_for_push":"maintainer"}`)
	one := fmt.Sprintf("%s/%d", repositories, b.made(root, "POST", repositories, `{"repository_path_pattern":"`+path+`","minimum_access_level_for_delete":"admin"}`))
	b.show(root, "PATCH", one, `{"minimum_access_level_for_delete":"","minimum_access_level_for_push":"owner"}`)
	b.show(root, "GET", repositories, "")
	b.show(root, "DELETE", one, "")
	b.show(root, "POST", tags, `{"tag_name_pattern":"^v\\d","immutable":true}`)
	one = fmt.Sprintf("%s/%d", tags, b.made(root, "POST", tags, `{"tag_name_pattern":"stable","minimum_access_level_for_push":"maintainer","minimum_access_level_for_delete":"owner"}`))
	b.show(root, "PATCH", one, `{"minimum_access_level_for_push":"owner"}`)
	b.show(root, "GET", tags+"?include_immutable=1", "")
	b.show(root, "DELETE", one, "")
	b.end("image_protections")
}

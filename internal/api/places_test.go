package api_test

import (
	"fmt"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/house"
)

// A project is found by its id and by its escaped path in any case; a group
// likewise; one is not the other.
func TestAddresses(t *testing.T) {
	t.Parallel()
	s := start(t)
	deep := s.Group("Deep.er", s.group, "private")
	lib := s.Project("Lib_1", deep, "private")
	for path, want := range map[string]int{
		fmt.Sprintf("/projects/%d", lib): 200, fmt.Sprintf("/projects/0%d", lib): 200, "/projects/acme%2FDeep.er%2FLib_1": 200, "/projects/acme%2Fdeep.er%2flib_1/": 200,
		"/projects/ACME%2F%44eep%2Eer%2FLIB_1": 200,
		"/projects/acme/Deep.er/Lib_1":         404, "/projects/acme%2FDeep.er": 404, "/projects/999": 404, "/projects/Lib_1": 404, "/projects/-1": 404,
		"/projects/acme%2FDeep.er%2FLib_1%2F": 400, "/projects/%2Facme%2Ftools": 400, "/projects/99999999999999999999": 404,
		fmt.Sprintf("/groups/%d", deep): 200, "/groups/acme%2Fdeep.er": 200, "/groups/acme": 200, "/groups/root": 404, "/groups/1": 404, "/groups/acme%2Ftools": 404,
	} {
		if a := s.send(root, "GET", path, ""); a.Status != want {
			t.Errorf("GET %s = %d %s, want %d", path, a.Status, a.Body, want)
		}
	}
}

// A child is never more visible than what it is in; what is not said is private.
func TestVisibility(t *testing.T) {
	t.Parallel()
	s := start(t)
	levels := []string{"private", "internal", "public"}
	for i, outer := range levels {
		group := s.Group("group-"+outer, 0, outer)
		for j, inner := range levels {
			want := 201
			if j > i {
				want = 400
			}
			s.want(root, "POST", "/groups", fmt.Sprintf(`{"name":"x","path":"sub-%s","parent_id":%d,"visibility":%q}`, inner, group, inner), want, "")
			s.want(root, "POST", "/projects", fmt.Sprintf(`{"name":%q,"namespace_id":%d,"visibility":%q}`, inner, group, inner), want, "")
		}
		id := s.made(root, "POST", "/projects", fmt.Sprintf(`{"name":"plain","namespace_id":%d}`, group))
		for j, changed := range levels {
			want := 200
			if j > i {
				want = 400
			}
			s.want(root, "PUT", fmt.Sprintf("/projects/%d", id), fmt.Sprintf(`{"visibility":%q}`, changed), want, "")
		}
	}
	var made struct{ Visibility string }
	s.JSON(s.send(root, "POST", "/groups", `{"name":"quiet","path":"quiet"}`), &made)
	if made.Visibility != "private" {
		t.Errorf("a group without a visibility is %s, want private", made.Visibility)
	}
}

// Where a project is made and what it is called, from what little is given.
func TestCreateProject(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.person("dana", packhouse.Developer)
	for _, test := range []struct{ body, path, name string }{
		{`{"name":"Hello World"}`, "dana/hello-world", "Hello World"},
		{`{"path":"only.path"}`, "dana/only.path", "only.path"},
		{`{"name":"Both","path":"two"}`, "dana/two", "Both"},
		{`{"name":"--C++ (new)--"}`, "dana/c----new", "--C++ (new)--"},
		{fmt.Sprintf(`{"name":"In","namespace_id":%d}`, s.group), "acme/in", "In"},
		{fmt.Sprintf(`{"name":"In two","namespace_id":"%d"}`, s.group), "acme/in-two", "In two"},
		{`{"name":"x","namespace_id":null,"initialize_with_readme":true,"container_registry_access_level":"enabled"}`, "dana/x", "x"},
	} {
		a := s.send(s.as("dana"), "POST", "/projects", test.body)
		var made struct {
			Name string
			Path string `json:"path_with_namespace"`
		}
		s.JSON(a, &made)
		if a.Status != 201 || made.Path != test.path || made.Name != test.name {
			t.Errorf("POST /projects %s = %d %s, want %s called %q", test.body, a.Status, a.Body, test.path, test.name)
		}
	}
	s.want(s.as("dana"), "POST", "/projects", `{"name":"x","namespace_id":1}`, 403, "") // is root's own
}

// Administrators choose a project's id, so that it is the same as on another
// GitLab; the next ones come after it.
func TestChosenID(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.person("dana", packhouse.Owner)
	body := fmt.Sprintf(`{"id":5000,"path":"numbered","namespace_id":%d}`, s.group)
	s.want(s.as("dana"), "POST", "/projects", body, 403, `{"message":"403 Forbidden - only administrators choose the id of a project"}`)
	s.want(root, "GET", "/projects/5000", "", 404, "")
	if id := s.made(root, "POST", "/projects", body); id != 5000 {
		t.Errorf("id = %d, want 5000", id)
	}
	if id := s.Project("next", s.group, "private"); id != 5001 {
		t.Errorf("the next id = %d, want 5001", id)
	}
	s.want(root, "POST", "/projects", strings.Replace(body, "numbered", "again", 1), 400, `{"message":{"id":["has already been taken"]}}`)
	s.want(root, "GET", "/projects/acme%2Fagain", "", 404, "")
}

// The switches of a project's registry, by both of GitLab's names.
func TestRegistryAccess(t *testing.T) {
	t.Parallel()
	s := start(t)
	path := fmt.Sprintf("/projects/%d", s.project)
	for _, test := range []struct{ body, want string }{
		{`{}`, "enabled"},
		{`{"packages_enabled":false}`, "disabled"},
		{`{"description":"x"}`, "disabled"},
		{`{"packages_enabled":true}`, "enabled"},
		{`{"package_registry_access_level":"public"}`, "public"},
		{`{"package_registry_access_level":"private"}`, "private"},
		{`{"package_registry_access_level":"disabled"}`, "disabled"},
		{`{"package_registry_access_level":"public","packages_enabled":false}`, "public"},
		{`{"package_registry_access_level":null}`, "public"},
		{`{"name":"x","package_registry_access_level":"enabled"}`, "enabled"},
	} {
		a := s.send(root, "PUT", path, test.body)
		var p struct {
			Level   string `json:"package_registry_access_level"`
			Enabled bool   `json:"packages_enabled"`
		}
		s.JSON(a, &p)
		if a.Status != 200 || p.Level != test.want || p.Enabled != (test.want != "disabled") {
			t.Errorf("PUT %s = %d, level %s, enabled %v, want %s", test.body, a.Status, p.Level, p.Enabled, test.want)
		}
	}
}

// An archived project is read-only for packages until its Owner unarchives it.
func TestArchive(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.person("maintainer", packhouse.Maintainer)
	path := fmt.Sprintf("/projects/%d", s.project)
	s.publish(s.project, "tool/1.0/f", "hello")
	s.want(s.as("maintainer"), "PUT", path, `{"archived":true}`, 403, "")
	s.want(root, "PUT", path, `{"archived":true}`, 200, "")
	s.want(s.as("maintainer"), "GET", path+"/packages/1", "", 200, "")
	s.want(s.as("maintainer"), "DELETE", path+"/packages/1", "", 403, "")
	s.want(s.as("maintainer"), "POST", "/job_tokens", `{"project":"acme/tools"}`, 403, "")
	s.want(root, "PUT", path, `{"archived":false}`, 200, "")
	s.want(s.as("maintainer"), "DELETE", path+"/packages/1", "", 204, "")
}

// A visitor sees less of a public project than who has signed in.
func TestPublicProject(t *testing.T) {
	t.Parallel()
	s := startAs(t, "public")
	s.person("stranger", packhouse.NoAccess)
	path := fmt.Sprintf("/projects/%d", s.project)
	visitor, stranger := s.send("", "GET", path, ""), s.send(s.as("stranger"), "GET", path, "")
	if visitor.Status != 200 || strings.Contains(string(visitor.Body), "permissions") || strings.Contains(string(visitor.Body), "access_level") {
		t.Errorf("a visitor gets %d %s", visitor.Status, visitor.Body)
	}
	if !strings.Contains(string(stranger.Body), `"permissions":{"group_access":null,"project_access":null}`) {
		t.Errorf("a stranger gets %s", stranger.Body)
	}
}

// Links are below the configured address, whatever path that has.
func TestLinks(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *house.Options) { o.External = parse(t, "https://pkgs.example.net/sub") })
	s.publish(s.project, "tool/1.0/f", "hello")
	for path, wants := range map[string][]string{
		"/user": {`"web_url":"https://pkgs.example.net/sub/root"`},
		fmt.Sprintf("/groups/%d", s.group): {
			`"web_url":"https://pkgs.example.net/sub/groups/acme"`,
		},
		fmt.Sprintf("/projects/%d", s.project): {
			`"web_url":"https://pkgs.example.net/sub/acme/tools"`, fmt.Sprintf(`"self":"https://pkgs.example.net/sub/api/v4/projects/%d"`, s.project),
		},
		fmt.Sprintf("/projects/%d/packages", s.project): {
			`"web_path":"/sub/acme/tools/-/packages/1"`, fmt.Sprintf(`"delete_api_path":"https://pkgs.example.net/sub/api/v4/projects/%d/packages/1"`, s.project),
		},
	} {
		a := s.send(root, "GET", path, "")
		for _, want := range wants {
			if !strings.Contains(string(a.Body), want) {
				t.Errorf("GET %s = %s, want %s in it", path, a.Body, want)
			}
		}
	}
}

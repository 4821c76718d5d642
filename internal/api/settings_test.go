package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/format/all"
)

// settings is the answer of package_settings where all is inherited but these
// two, which are JSON.
func (s *scene) settings(regex, allowed string) string {
	s.t.Helper()
	o := map[string]any{"guest_can_pull_private": nil, "allowed_package_formats": nil}
	for _, f := range all.Formats() {
		if len(f.Routes()) == 0 {
			continue // of images, which have settings of their own
		}
		if flagged, ok := f.(format.Flagged); ok {
			for _, flag := range flagged.Flags() {
				o[flag.Name] = nil
			}
		}
		o[f.Name()+"_duplicate_exception_regex"], o[f.Name()+"_duplicates_allowed"] = nil, nil
	}
	o["generic_duplicate_exception_regex"], o["generic_duplicates_allowed"] = json.RawMessage(regex), json.RawMessage(allowed)
	text, err := json.Marshal(o)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// Settings change one by one, and "inherit" gives one back to what is above.
func TestSettings(t *testing.T) {
	t.Parallel()
	s := start(t)
	path := fmt.Sprintf("/projects/%d/package_settings", s.project)
	for _, test := range []struct{ body, want string }{
		{`{}`, s.settings(`null`, `null`)},
		{`{"generic_duplicates_allowed":false}`, s.settings(`null`, `false`)},
		{`{"generic_duplicate_exception_regex":"a.*"}`, s.settings(`"a.*"`, `false`)},
		{`{"generic_duplicates_allowed":"yes"}`, s.settings(`"a.*"`, `true`)},
		{`{"generic_duplicates_allowed":null,"generic_duplicate_exception_regex":null}`, s.settings(`"a.*"`, `true`)},
		{`{"composer_duplicates_allowed":false,"conan_duplicate_exception_regex":"(","audit_events_enabled":true}`, s.settings(`"a.*"`, `true`)},
		{`{"generic_duplicates_allowed":"inherit"}`, s.settings(`"a.*"`, `null`)},
		{`{"generic_duplicate_exception_regex":""}`, s.settings(`""`, `null`)},
		{`{"generic_duplicate_exception_regex":"inherit"}`, s.settings(`null`, `null`)},
	} {
		s.want(root, "PUT", path, test.body, 200, test.want)
		s.want(root, "GET", path, "", 200, test.want)
	}
}

// What may be published is what the project and all above it admit.
func TestAllowedFormats(t *testing.T) {
	t.Parallel()
	s := start(t)
	sub := s.Group("sub", s.group, "private")
	lib := s.Project("lib", sub, "private")
	s.publish(lib, "tool/1.0.0/f", "before")
	put := func(level string, id int64, formats string, status int, want string) {
		t.Helper()
		s.want(root, "PUT", fmt.Sprintf("/%s/%d/package_settings", level, id), `{"allowed_package_formats":`+formats+`}`, status, want)
	}
	n := 0
	publish := func(status int, want string) {
		t.Helper()
		n++
		s.want(root, "PUT", fmt.Sprintf("/projects/%d/packages/generic/tool/2.0.%d/f", lib, n), "x", status, want)
	}
	put("groups", s.group, `"npm, pypi"`, 200, "")
	publish(403, "")
	put("projects", lib, `["generic"]`, 200, "")
	publish(403, "") // the group has to admit it as well
	put("groups", s.group, `["npm","generic"]`, 200, "")
	publish(201, "")
	s.want(root, "GET", fmt.Sprintf("/projects/%d/packages/generic/tool/1.0.0/f", lib), "", 200, "")
	put("groups", sub, `["nothing"]`, 400, "")
	put("groups", sub, `["container"]`, 200, "")
	publish(403, "")
	put("groups", sub, `"inherit"`, 200, "")
	publish(201, "")
}

// A restore is a publish of the package's format.
func TestAllowedFormatsInTheTrash(t *testing.T) {
	t.Parallel()
	s := start(t, trashKept)
	s.publish(s.project, "tool/1.0/f", "hello")
	item := s.deletes("1.0")
	s.Settings("projects", s.project, `{"allowed_package_formats":"npm"}`)
	s.want(root, "POST", item+"/restore", "", 403, "")
	s.Settings("projects", s.project, `{"allowed_package_formats":"generic"}`)
	s.want(root, "POST", item+"/restore", "", 201, "")
}

// What holds is shown with where it was set.
func TestEffectiveSettings(t *testing.T) {
	t.Parallel()
	s := start(t)
	sub := s.Group("sub", s.group, "private")
	lib := s.Project("lib", sub, "private")
	s.Settings("groups", s.group, `{"generic_duplicates_allowed":false,"npm_duplicates_allowed":false,"allowed_package_formats":"generic,npm"}`)
	s.Settings("groups", sub, `{"generic_duplicate_exception_regex":"x","allowed_package_formats":"generic,pypi"}`)
	s.Settings("projects", lib, `{"npm_duplicates_allowed":true}`)
	var got map[string]struct {
		Value    any
		Level    string
		ID       int64
		FullPath string `json:"full_path"`
	}
	a := s.Do("GET", fmt.Sprintf("/api/v4/projects/%d/package_settings?effective=true", lib), nil, root)
	if err := json.Unmarshal(a.Body, &got); err != nil {
		t.Fatalf("%d %s: %v", a.Status, a.Body, err)
	}
	for name, want := range map[string]string{
		"generic_duplicates_allowed":        fmt.Sprintf("false group %d", s.group),
		"generic_duplicate_exception_regex": fmt.Sprintf("x group %d", sub),
		"npm_duplicates_allowed":            fmt.Sprintf("true project %d", lib),
		"pypi_duplicates_allowed":           "true default 0",
		"allowed_package_formats":           "[generic]  0",
	} {
		if text := fmt.Sprintf("%v %s %d", got[name].Value, got[name].Level, got[name].ID); text != want {
			t.Errorf("%s is %s, want %s", name, text, want)
		}
	}
}

// What holds in a project is its own setting, else the nearest one above.
func TestSettingsAreInherited(t *testing.T) {
	t.Parallel()
	s := start(t)
	sub := s.Group("sub", s.group, "private")
	lib := s.Project("lib", sub, "private")
	n := 0
	again := func(want int) {
		t.Helper()
		n++
		file := fmt.Sprintf("tool/%d/f", n)
		s.publish(lib, file, "hello")
		s.want(root, "PUT", fmt.Sprintf("/projects/%d/packages/generic/%s", lib, file), "again", want, "")
	}
	again(201)
	s.Settings("groups", s.group, `{"generic_duplicates_allowed":false}`)
	again(400)
	s.Settings("groups", sub, `{"generic_duplicates_allowed":true}`)
	again(201)
	s.Settings("projects", lib, `{"generic_duplicates_allowed":false}`)
	again(400)
	s.Settings("groups", s.group, `{"generic_duplicate_exception_regex":"tool"}`)
	again(201)
	s.Settings("projects", lib, `{"generic_duplicates_allowed":"inherit"}`)
	again(400) // allowed by the group, turned round by its exception
	s.Settings("groups", sub, `{"generic_duplicates_allowed":"inherit"}`)
	again(201) // refused at the top, turned round
}

// A regular expression that cannot be read is refused in GitLab's shape, and
// nothing of the request is kept.
func TestBadSettings(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, path := range []string{fmt.Sprintf("/projects/%d/package_settings", s.project), fmt.Sprintf("/groups/%d/package_settings", s.group)} {
		for expr, want := range map[string]string{
			`(`: "not valid RE2 syntax: ", `a**`: "not valid RE2 syntax: ", `(?=x)`: "not valid RE2 syntax: ",
			strings.Repeat("x", 256): "is too long (maximum is 255 characters)",
		} {
			a := s.want(root, "PUT", path, fmt.Sprintf(`{"generic_duplicates_allowed":false,"generic_duplicate_exception_regex":%q}`, expr), 400, "")
			if got := essence(a); !strings.HasPrefix(got, `{"message":{"generic_duplicate_exception_regex":["`+want) || !strings.HasSuffix(got, `"]}}`) {
				t.Errorf("PUT with %.10q = %s, want %q", expr, got, want)
			}
		}
		s.want(root, "PUT", path, `{"generic_duplicates_allowed":"perhaps"}`, 400, `{"error":"generic_duplicates_allowed is invalid"}`)
		s.want(root, "GET", path, "", 200, s.settings(`null`, `null`))
	}
}

// A setting of one format alone changes by itself; it is given back by "inherit", and
// nothing else touches it.
func TestFormatFlags(t *testing.T) {
	t.Parallel()
	s := start(t)
	path := fmt.Sprintf("/projects/%d/package_settings", s.project)
	for _, test := range []struct{ body, want string }{
		{`{"nuget_delete_unlists":true}`, `true`},
		{`{"nuget_duplicates_allowed":true}`, `true`},
		{`{"nuget_delete_unlists":false}`, `false`},
		{`{"nuget_delete_unlists":null}`, `false`},
		{`{"nuget_delete_unlists":"inherit"}`, `null`},
	} {
		var got map[string]any
		s.API("PUT", path, test.body, &got)
		if text := fmt.Sprint(got["nuget_delete_unlists"]); text != strings.Replace(test.want, "null", "<nil>", 1) {
			t.Errorf("after %s it is %s, want %s", test.body, text, test.want)
		}
		if other := got["nuget_symbol_server_enabled"]; other != nil {
			t.Errorf("after %s the other one is %v", test.body, other)
		}
	}
}

// Whether Guests may pull is said for a top-level group and all below it.
func TestGuestsPull(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.person("guest", packhouse.Guest)
	sub := s.Group("sub", s.group, "private")
	lib := s.Project("lib", sub, "private")
	pull := func(want int) {
		t.Helper()
		s.want(s.as("guest"), "GET", fmt.Sprintf("/projects/%d/packages", lib), "", want, "")
	}
	pull(403)
	only := `{"message":{"guest_can_pull_private":["can be set on top-level groups only"]}}`
	s.want(root, "PUT", fmt.Sprintf("/groups/%d/package_settings", sub), `{"guest_can_pull_private":true}`, 400, only)
	s.want(root, "PUT", fmt.Sprintf("/projects/%d/package_settings", lib), `{"guest_can_pull_private":true}`, 400, only)
	s.want(root, "PUT", fmt.Sprintf("/projects/%d/package_settings", lib), `{"guest_can_pull_private":null}`, 200, "")
	pull(403)
	s.Settings("groups", s.group, `{"guest_can_pull_private":true}`)
	pull(200)
	s.Settings("groups", s.group, `{"guest_can_pull_private":"inherit"}`)
	pull(403)
}

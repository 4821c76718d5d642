package api_test

import (
	"fmt"
	"net/url"
	"testing"

	"packhouse"
	"packhouse/internal/house"
)

// What a list of packages shows, by each of its filters and both orders.
func TestPackageFilters(t *testing.T) {
	t.Parallel()
	s := start(t)
	packages := fmt.Sprintf("/projects/%d/packages", s.project)
	for _, file := range []string{"Button/1.0/f", "button-group/1.0/f", "other/1.0/f", "Button/1.0.0/f", "a_b/2/f", "axb/2/f", "secret/3/f?status=hidden"} {
		s.publish(s.project, file, "hello")
	}
	for filter, want := range map[string]string{
		"":                              "1 2 3 4 5 6",
		"sort=asc":                      "1 2 3 4 5 6",
		"sort=desc":                     "6 5 4 3 2 1",
		"order_by=created_at&sort=desc": "6 5 4 3 2 1",
		"package_name=ton":              "1 2 4",
		"package_name=BUTTON":           "1 2 4",
		"package_name=a_b":              "5",
		"package_name=%25":              "",
		"package_name=none":             "",
		"package_version=1.0":           "1 2 3",
		"package_version=1":             "",
		"package_name=button&package_version=1.0.0": "4",
		"package_type=generic":                      "1 2 3 4 5 6",
		"package_type=npm":                          "",
		"package_type=terraform_module":             "",
		"status=hidden":                             "7",
		"status=default":                            "1 2 3 4 5 6",
		"status=error":                              "",
		"status=processing":                         "",
		"status=pending_destruction":                "",
		"status=deprecated":                         "",
		"include_versionless=true":                  "1 2 3 4 5 6",
		"unknown=x&package_name=other":              "3",
		"package_name=&package_type=&status=":       "1 2 3 4 5 6",
		"per_page=2&page=2":                         "3 4",
		"per_page=4&page=2&sort=desc":               "2 1",
		"page=9":                                    "",
		"package_name=secret&package_version=3":     "",
		"status=hidden&package_name=" + url.QueryEscape("SECRET"): "7",
	} {
		a := s.send(root, "GET", packages+"?"+filter, "")
		var list []map[string]any
		s.JSON(a, &list)
		if got := column(list, "id"); a.Status != 200 || got != want || list == nil {
			t.Errorf("GET ?%s = %d with packages %q, want %q", filter, a.Status, got, want)
		}
	}
}

// Who may delete is told where; a hidden package has no page, is not shown alone,
// and its files are.
func TestPackageLinks(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.people()
	packages := fmt.Sprintf("/projects/%d/packages", s.project)
	s.publish(s.project, "tool/1.0/f", "hello")
	s.publish(s.project, "secret/1.0/f?status=hidden", "hello")
	for who, want := range map[string]bool{"reporter": false, "developer": false, "maintainer": true, "owner": true, "root": true} {
		for _, path := range []string{packages + "/1", packages} {
			var one struct {
				Links map[string]string `json:"_links"`
			}
			many := []any{&one}
			if a := s.send(s.as(who), "GET", path, ""); path == packages {
				s.JSON(a, &many)
			} else {
				s.JSON(a, &one)
			}
			if _, may := one.Links["delete_api_path"]; may != want || one.Links["web_path"] == "" {
				t.Errorf("GET %s by %s: links %v, want one to delete: %v", path, who, one.Links, want)
			}
		}
	}
	hidden := s.list(root, packages+"?status=hidden")
	if links := fmt.Sprint(hidden[0]["_links"]); links != fmt.Sprintf("map[delete_api_path:%s/api/v4/projects/%d/packages/2]", s.URL, s.project) {
		t.Errorf("a hidden package has the links %s", links)
	}
	s.want(root, "GET", packages+"/2", "", 404, `{"message":"404 Package Not Found"}`)
	s.want(root, "GET", packages+"/2/package_files", "", 200, "")
	s.want(root, "GET", packages+"/2/package_files/2/download", "", 200, "hello")
	s.want(root, "DELETE", packages+"/2", "", 204, "")
}

// A package or file of another project, or of another package, is not found by
// its id, for nobody and nothing.
func TestPackageOfAnother(t *testing.T) {
	t.Parallel()
	s := start(t)
	other := s.Project("other", s.group, "private")
	s.publish(s.project, "tool/1.0/f", "hello")
	s.publish(s.project, "tool/1.1/f", "hello")
	s.publish(other, "tool/1.0/f", "hello")
	mine, theirs := fmt.Sprintf("/projects/%d/packages", s.project), fmt.Sprintf("/projects/%d/packages", other)
	const noPackage, noFile = `{"message":"404 Package Not Found"}`, `{"message":"404 File Not Found"}`
	for _, test := range []struct{ method, path, want string }{
		{"GET", theirs + "/1", noPackage},
		{"DELETE", theirs + "/1", noPackage},
		{"GET", theirs + "/1/package_files", noPackage},
		{"GET", theirs + "/1/package_files/1/download", noPackage},
		{"DELETE", theirs + "/1/package_files/1", noPackage},
		{"GET", mine + "/3", noPackage},
		{"GET", mine + "/1/package_files/2/download", noFile},
		{"GET", mine + "/1/package_files/3/download", noFile},
		{"GET", mine + "/1/package_files/x/download", noFile},
		{"DELETE", mine + "/1/package_files/2", noFile},
		{"DELETE", mine + "/1/package_files/3", noFile},
		{"DELETE", mine + "/1/package_files/x", noFile},
	} {
		s.want(root, test.method, test.path, "", 404, test.want)
	}
	for path, want := range map[string]string{mine: "1 2", theirs: "3"} {
		if got := column(s.list(root, path), "id"); got != want {
			t.Errorf("GET %s = %s, want %s", path, got, want)
		}
	}
}

// A deleted package is gone from everywhere, once, and can be published again.
func TestDeletePackage(t *testing.T) {
	t.Parallel()
	s := start(t)
	packages := fmt.Sprintf("/projects/%d/packages", s.project)
	file := packages + "/generic/tool/1.0/f"
	s.publish(s.project, "tool/1.0/f", "hello")
	s.want(root, "DELETE", packages+"/1", "", 204, "")
	s.want(root, "DELETE", packages+"/1", "", 404, `{"message":"404 Package Not Found"}`)
	for _, path := range []string{packages + "/1", packages + "/1/package_files", packages + "/1/package_files/1/download", file} {
		s.want(root, "GET", path, "", 404, "")
	}
	if list := s.list(root, packages); len(list) != 0 {
		t.Errorf("packages = %v, want none", list)
	}
	s.publish(s.project, "tool/1.0/f", "again")
	s.want(root, "GET", file, "", 200, "again")
	if got := column(s.list(root, packages), "id"); got != "2" {
		t.Errorf("packages = %s, want a new one", got)
	}
}

// Deleting the newest of several files of one name brings the one before it
// back; deleting the last leaves the package without files, as in GitLab.
func TestDeleteFile(t *testing.T) {
	t.Parallel()
	s := start(t)
	packages := fmt.Sprintf("/projects/%d/packages", s.project)
	file, files := packages+"/generic/tool/1.0/f", packages+"/1/package_files"
	s.publish(s.project, "tool/1.0/f", "first")
	s.publish(s.project, "tool/1.0/f", "second")
	s.want(root, "GET", file, "", 200, "second")
	s.want(root, "DELETE", files+"/2", "", 204, "")
	s.want(root, "DELETE", files+"/2", "", 404, `{"message":"404 File Not Found"}`)
	s.want(root, "GET", file, "", 200, "first")
	s.want(root, "GET", files+"/2/download", "", 404, "")
	s.want(root, "DELETE", files+"/1", "", 204, "")
	s.want(root, "GET", file, "", 404, "")
	s.want(root, "GET", files, "", 200, "[]")
	s.want(root, "GET", packages+"/1", "", 200, "")
}

// A download by id is as one by name: whole, in parts, by condition, by HEAD; it
// counts, and what is too big for the database is the same.
func TestDownloadByID(t *testing.T) {
	t.Parallel()
	s := start(t)
	small, large := "0123456789", fmt.Sprintf("%0100000d", 7)
	for i, content := range []string{small, large} {
		s.publish(s.project, fmt.Sprintf("tool/%d/dir/app.bin", i), content)
		path := fmt.Sprintf("/api/v4/projects/%d/packages/%d/package_files/%d/download", s.project, i+1, i+1)
		whole := s.Do("GET", path, nil, root)
		etag := whole.Header.Get("Etag")
		if whole.Status != 200 || string(whole.Body) != content || whole.Header.Get("Content-Disposition") != `attachment; filename="app.bin"; filename*=UTF-8''app.bin` {
			t.Errorf("GET %s = %d with %d bytes, %v", path, whole.Status, len(whole.Body), whole.Header)
		}
		for _, test := range []struct {
			method, field string
			status        int
			body          string
		}{
			{"HEAD", "", 200, ""},
			{"GET", "Range: bytes=2-4", 206, content[2:5]},
			{"GET", "Range: bytes=-3", 206, content[len(content)-3:]},
			{"GET", "Range: bytes=999999-", 416, ""},
			{"HEAD", "Range: bytes=2-4", 206, ""},
			{"GET", "If-None-Match: " + etag, 304, ""},
			{"GET", `If-None-Match: "x"`, 200, content},
			{"GET", `If-Match: "x"`, 412, ""},
		} {
			a := s.Do(test.method, path, nil, root, test.field)
			if a.Status != test.status || test.status < 400 && string(a.Body) != test.body {
				t.Errorf("%s %s with %q = %d with %d bytes, want %d with %d", test.method, path, test.field, a.Status, len(a.Body), test.status, len(test.body))
			}
		}
		if a := s.Do("HEAD", path, nil, root); a.Header.Get("Content-Length") != fmt.Sprint(len(content)) {
			t.Errorf("HEAD %s: Content-Length %s, want %d", path, a.Header.Get("Content-Length"), len(content))
		}
	}
}

// When a package was last downloaded is told of a single one: HEAD and lists do
// not count.
func TestLastDownload(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish(s.project, "tool/1.0/f", "hello")
	one := fmt.Sprintf("/projects/%d/packages/1", s.project)
	last := func() string {
		t.Helper()
		must(t, s.Registry.SaveDownloads(t.Context()))
		var p struct {
			Last *string `json:"last_downloaded_at"`
		}
		s.JSON(s.send(root, "GET", one, ""), &p)
		if p.Last == nil {
			return ""
		}
		return *p.Last
	}
	s.send(root, "HEAD", one+"/package_files/1/download", "")
	s.send(root, "GET", one+"/package_files", "")
	if got := last(); got != "" {
		t.Errorf("before any download: last_downloaded_at = %s", got)
	}
	s.want(root, "GET", one+"/package_files/1/download", "", 200, "hello")
	if last() == "" {
		t.Error("after a download: last_downloaded_at is not set")
	}
}

// A registry that is switched off: not found on the whole instance, forbidden in
// a project, to everybody.
func TestRegistryOff(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.want(root, "PUT", fmt.Sprintf("/projects/%d", s.project), `{"packages_enabled":false}`, 200, "")
	s.want(root, "GET", fmt.Sprintf("/projects/%d/packages", s.project), "", 403, "")
	off := start(t, func(o *house.Options) { o.Directory.PackagesDisabled = true })
	off.want(root, "GET", fmt.Sprintf("/projects/%d/packages", off.project), "", 404, "")
	off.want(root, "GET", fmt.Sprintf("/projects/%d", off.project), "", 200, "")
}

// Open registries are listed for visitors, and private ones not for strangers.
func TestAnyonePulls(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.person("stranger", packhouse.NoAccess)
	open := s.Project("open", s.group, "private", `"package_registry_access_level":"public"`)
	s.publish(open, "tool/1.0/f", "hello")
	for _, who := range []string{"", s.as("stranger")} {
		s.want(who, "GET", fmt.Sprintf("/projects/%d/packages", open), "", 200, "")
		s.want(who, "GET", fmt.Sprintf("/projects/%d/packages/1/package_files/1/download", open), "", 200, "hello")
		s.want(who, "GET", fmt.Sprintf("/projects/%d", open), "", 404, "")
		s.want(who, "GET", fmt.Sprintf("/projects/%d/packages", s.project), "", 404, "")
	}
}

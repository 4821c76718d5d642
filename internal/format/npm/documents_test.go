package npm_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Of what differs from run to run: times, revisions, checksums of gzip's output.
var varies = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z|"_rev":"[^"]*"|"(shasum|integrity)":"[^"]*"|"request_id":"[^"]*"`)

func golden(t *testing.T, w *formattest.World, name string, got []byte) {
	t.Helper()
	text := strings.ReplaceAll(varies.ReplaceAllString(string(got), "VARIES"), w.URL, "https://registry.example.com") + "\n"
	file := "testdata/" + name + ".golden"
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s:\n%s\nwant\n%s", name, text, want)
	}
}

// rich is a package with all that documents show.
func rich(version string) pkg {
	return pkg{
		name: "@acme/lib", version: version,
		json: object{
			"description": "A <demo>", "license": "MIT", "main": "index.js", "keywords": []string{"a", "b"},
			"homepage": "https://example.com", "repository": object{"type": "git", "url": "git+https://example.com/x.git"},
			"scripts": object{"test": "x", "postinstall": "node x.js"}, "bin": "./cli.js",
			"dependencies": object{"left": "^1.0.0"}, "devDependencies": object{"d": "1"}, "peerDependencies": object{"p": "2"},
			"peerDependenciesMeta": object{"p": object{"optional": true}}, "optionalDependencies": object{"o": "3"},
			"bundledDependencies": []string{"left"}, "engines": object{"node": ">=18"}, "os": []string{"linux"}, "cpu": []string{"x64"},
			"libc": []string{"glibc"}, "exports": object{".": "./index.js"}, "funding": "https://example.com/fund",
		},
		files: map[string]string{"README.md": "# lib\n", "cli.js": "", "index.js": "module.exports = 1\n"},
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	next := rich("2.0.0-beta.1")
	next.tags = object{"next": "2.0.0-beta.1"}
	s.mustPublish(rich("1.0.0"), rich("1.10.0"), next)
	for _, form := range []struct{ accept, served, name string }{
		{"", "application/json", "full"},
		{"Accept: application/json", "application/json", "full"},
		{"Accept: */*", "application/json", "full"},
		{"Accept: application/json; q=1, application/vnd.npm.install-v1+json; q=0.5", "application/json", "full"},
		{"Accept: application/vnd.npm.install-v1+json; q=0, */*", "application/json", "full"},
		{short, "application/vnd.npm.install-v1+json", "short"},
		{"Accept: application/vnd.npm.install-v1+json", "application/vnd.npm.install-v1+json", "short"},
	} {
		a := s.get(at(s.project, "@acme%2flib"), form.accept)
		if a.Status != 200 || a.Header.Get("Content-Type") != form.served || !slices.Contains(a.Header.Values("Vary"), "Accept") {
			t.Fatalf("GET as %q = %d %v", form.accept, a.Status, a.Header)
		}
		golden(t, s.World, "packument_"+form.name, a.Body)
		b := s.get(at(s.project, "@acme%2flib"), form.accept, "If-None-Match: "+a.Header.Get("Etag"))
		if b.Status != 304 || len(b.Body) != 0 {
			t.Errorf("GET as %q with its ETag = %d, want 304", form.accept, b.Status)
		}
		h := s.Do("HEAD", at(s.project, "@acme%2flib"), nil, root, form.accept)
		if h.Status != 200 || h.Header.Get("Etag") != a.Header.Get("Etag") {
			t.Errorf("HEAD as %q = %d %v", form.accept, h.Status, h.Header)
		}
	}
	golden(t, s.World, "manifest", s.get(at(s.project, "@acme%2flib/next")).Body)
	golden(t, s.World, "search", s.get(at(s.project, "-/v1/search?text=lib")).Body)
	golden(t, s.World, "refusal", s.get(at(s.project, "other")).Body)
	golden(t, s.World, "refusal_duplicate", s.publish(rich("1.0.0")).Body)
	golden(t, s.World, "refusal_level", put(s.World, inGroup("acme", "lib"), "{}").Body)
	golden(t, s.World, "refusal_anonymous", s.Do("GET", at(s.project, "@acme%2flib"), nil).Body)
}

// What was published, tagged, deprecated or deleted shows in the very next request,
// everywhere.
func TestFresh(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	pages := []string{at(s.project, "@acme%2flib"), inGroup("acme", "@acme%2flib"), onInstance("@acme%2flib")}
	for i := range 20 {
		version := fmt.Sprintf("1.0.%d", i)
		s.mustPublish(pkg{name: "@acme/lib", version: version})
		for _, page := range pages {
			for _, accept := range []string{"", short} {
				p := s.packument(page, accept)
				if len(p.Versions) != i+1 || p.Tags["latest"] != version || p.Time[version] == "" {
					t.Fatalf("GET %s after %d publishes = %v %v", page, i+1, p.Tags, p.Time)
				}
			}
		}
	}
	revisions := map[string]bool{s.packument(pages[0]).Rev: true}
	changed := func(what string) packument {
		p := s.packument(pages[0])
		if revisions[p.Rev] {
			t.Errorf("%s did not change the revision %s", what, p.Rev)
		}
		revisions[p.Rev] = true
		for _, page := range pages[1:] {
			if q := s.packument(page); !maps.Equal(q.Tags, p.Tags) || len(q.Versions) != len(p.Versions) {
				t.Errorf("after %s: %s = %v, want %v", what, page, q.Tags, p.Tags)
			}
		}
		return p
	}
	tags := at(s.project, "-/package/@acme%2flib/dist-tags/")
	if a := put(s.World, tags+"old", `"1.0.3"`); a.Status != 204 || len(a.Body) != 0 {
		t.Fatalf("tag = %d %s", a.Status, a.Body)
	}
	if p := changed("a tag"); p.Tags["old"] != "1.0.3" {
		t.Errorf("tags = %v", p.Tags)
	}
	s.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d", s.project, s.Packages(s.project, "package_version=1.0.19")[0].ID), "", nil)
	if p := changed("a deletion"); p.Tags["latest"] != "1.0.18" || p.Versions["1.0.19"].Name != "" {
		t.Errorf("after a deletion latest = %v", p.Tags)
	}
	if a := s.Do("DELETE", tags+"old", nil, root); a.Status != 204 {
		t.Fatalf("untag = %d %s", a.Status, a.Body)
	}
	if p := changed("an untag"); p.Tags["old"] != "" {
		t.Errorf("tags = %v", p.Tags)
	}
	for _, p := range s.Packages(s.project, "") {
		s.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d", s.project, p.ID), "", nil)
	}
	for _, page := range pages {
		if a := s.get(page); a.Status != 404 {
			t.Errorf("GET %s after all is deleted = %d, want 404", page, a.Status)
		}
	}
}

// A group shows what is in its projects, of one version the newest, and nothing
// that is hidden or not for the caller.
func TestLevels(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	other := scene{s.World, t, s.group, s.Project("other", s.group, "private")}
	secret := scene{s.World, t, 0, s.Project("secret", s.Group("hidden", 0, "private"), "private")}
	older, newer := pkg{name: "@x/lib", version: "1.0.0"}, pkg{name: "@x/lib", version: "1.0.0", files: map[string]string{"new.js": ""}}
	s.mustPublish(older, pkg{name: "@x/lib", version: "1.1.0"})
	other.mustPublish(newer)
	secret.mustPublish(pkg{name: "@x/lib", version: "9.0.0"})
	p := s.packument(inGroup("acme", "@x%2flib"))
	if len(p.Versions) != 2 || p.Tags["latest"] != "1.0.0" && p.Tags["latest"] != "1.1.0" {
		t.Errorf("the group shows %v %v", p.Tags, p.Time)
	}
	if a := s.get(strings.TrimPrefix(p.Versions["1.0.0"].Dist.Tarball, s.URL)); a.Status != 200 || string(a.Body) != newer.pack() {
		t.Errorf("the group's 1.0.0 = %d, want the newer", a.Status)
	}
	if a := s.get(at(s.project, "@x/lib/-/lib-1.0.0.tgz")); string(a.Body) != older.pack() {
		t.Errorf("the project's 1.0.0 = %d, want its own", a.Status)
	}
	token := "Authorization: Bearer " + s.AccessToken("groups", s.group, 20, "read_api")
	for _, test := range []struct {
		path, header string
		status       int
	}{
		{inGroup("acme", "@x%2flib"), token, 200}, {inGroup("hidden", "@x%2flib"), token, 404},
		{at(secret.project, "@x%2flib"), token, 404}, {inGroup("acme", "@x%2flib"), "", 401}, {onInstance("@acme%2flib"), "", 401},
	} {
		if a := s.Do("GET", test.path, nil, test.header); a.Status != test.status || a.Header.Get("Www-Authenticate") != "" {
			t.Errorf("GET %s = %d %v, want %d without a challenge", test.path, a.Status, a.Header, test.status)
		}
	}
	// The same version of a name in the group's own scope is refused in a second project.
	s.mustPublish(pkg{name: "@acme/lib", version: "1.0.0"})
	if a := other.publish(pkg{name: "@acme/lib", version: "1.0.0"}); a.Status != 400 || !strings.Contains(string(a.Body), "Validation failed: Package already exists") {
		t.Errorf("the same in a sibling = %d %s, want 400", a.Status, a.Body)
	}
	other.mustPublish(pkg{name: "@acme/lib", version: "2.0.0"})
	if p := s.packument(inGroup("acme", "@acme%2flib")); len(p.Versions) != 2 || p.Tags["latest"] != "2.0.0" {
		t.Errorf("the group shows %v", p.Tags)
	}
}

// A package of many versions is listed whole, and fast.
func TestVersionOrder(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, version := range []string{"1.0.0-rc.1", "1.0.0-rc.2"} {
		s.mustPublish(pkg{name: "lib", version: version, tags: object{}})
	}
	if p := s.packument(at(s.project, "lib")); p.Tags["latest"] != "1.0.0-rc.2" {
		t.Errorf("tags = %v, want the highest prerelease as latest", p.Tags)
	}
	for _, version := range []string{"0.9.0", "1.0.0-rc.10"} {
		s.mustPublish(pkg{name: "lib", version: version, tags: object{"next": version}})
	}
	if p := s.packument(at(s.project, "lib")); p.Tags["latest"] != "0.9.0" || p.Tags["next"] != "1.0.0-rc.10" {
		t.Errorf("tags = %v, want the highest release as latest", p.Tags)
	}
	s.mustPublish(pkg{name: "lib", version: "2.0.0"}, pkg{name: "lib", version: "1.5.0"})
	if p := s.packument(at(s.project, "lib")); p.Tags["latest"] != "2.0.0" {
		t.Errorf("tags = %v, want latest to stay at the higher", p.Tags)
	}
	if a := s.publish(pkg{name: "lib", version: "2.0.0+build.7"}); a.Status != 403 {
		t.Errorf("a version that differs in its build = %d %s, want 403", a.Status, a.Body)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, name := range []string{"@acme/ui-button", "@acme/ui-table", "@acme/core", "button"} {
		s.mustPublish(pkg{name: name, version: "1.0.0", json: object{"description": "of " + name, "keywords": []string{"k"}}})
	}
	type found struct {
		Total   int
		Objects []struct {
			Package struct {
				Name, Version, Description string
				Keywords                   []string
			}
		}
	}
	for _, test := range []struct {
		query string
		total int
		names string
	}{
		{"text=button", 2, "@acme/ui-button button"}, {"text=UI", 2, "@acme/ui-button @acme/ui-table"},
		{"text=ui+table", 1, "@acme/ui-table"}, {"text=scope:acme", 3, "@acme/core @acme/ui-button @acme/ui-table"},
		{"", 4, "@acme/core @acme/ui-button @acme/ui-table button"}, {"text=ui&size=1", 2, "@acme/ui-button"},
		{"text=ui&size=1&from=1", 2, "@acme/ui-table"}, {"text=none", 0, ""}, {"text=maintainer:x+core", 1, "@acme/core"},
	} {
		for _, base := range []string{at(s.project, ""), inGroup("acme", "")} {
			var f found
			s.JSON(s.get(base+"-/v1/search?"+test.query), &f)
			names := []string{}
			for _, o := range f.Objects {
				names = append(names, o.Package.Name)
				if o.Package.Version != "1.0.0" || o.Package.Description != "of "+o.Package.Name || len(o.Package.Keywords) != 1 {
					t.Errorf("found %+v", o.Package)
				}
			}
			if f.Total != test.total || strings.Join(names, " ") != test.names {
				t.Errorf("search %s%s = %d %v, want %d %s", base, test.query, f.Total, names, test.total, test.names)
			}
		}
	}
	var f found
	if s.JSON(s.get(onInstance("-/v1/search?text=button")), &f); f.Total != 1 || f.Objects[0].Package.Name != "@acme/ui-button" {
		t.Errorf("search of the instance = %+v, want the scoped one", f)
	}
	for _, query := range []string{"size=-1", "size=x", "from=9999999999", "text=" + strings.Repeat("x", 2000)} {
		if a := s.get(at(s.project, "-/v1/search?"+query)); a.Status != 400 {
			t.Errorf("search %.20s = %d, want 400", query, a.Status)
		}
	}
	_, stranger := s.User("stranger")
	if a := s.Do("GET", onInstance("-/v1/search?text=button"), nil, "Authorization: Bearer "+stranger); a.Status == 200 && strings.Contains(string(a.Body), "button") {
		t.Errorf("a stranger finds %s", a.Body)
	}
	var raw json.RawMessage
	s.JSON(s.get(at(s.project, "-/v1/search?text=none")), &raw)
	if !strings.Contains(string(raw), `"objects":[]`) {
		t.Errorf("nothing found = %s, want an empty list", raw)
	}
}

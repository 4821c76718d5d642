package maven_test

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
)

// What was deployed is listed by the next request, in the project, its group and,
// where the name is the project's path, the instance.
func TestIndex(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, version := range []string{"1.0.0", "1.1-SNAPSHOT", "0.9", "10.0"} {
		s.release(t, s.project, version)
		for _, path := range []string{at(s.project, "com/example/app/maven-metadata.xml"), inGroup("acme", "com/example/app/maven-metadata.xml")} {
			text := s.text(t, path)
			if all := between(text, "version"); all[len(all)-1] != version || strings.Join(between(text, "latest"), "") != version {
				t.Errorf("GET %s after %s = %s", path, version, text)
			}
		}
	}
	text := s.text(t, at(s.project, "com/example/app/maven-metadata.xml"))
	want := []string{"com.example", "app", "10.0", "1.0.0 1.1-SNAPSHOT 0.9 10.0"}
	got := []string{
		strings.Join(between(text, "groupId"), " "), strings.Join(between(text, "artifactId"), " "),
		strings.Join(between(text, "release"), " "), strings.Join(between(text, "version"), " "),
	}
	if !slices.Equal(got, want) || strings.Contains(text, "plugins") || len(between(text, "lastUpdated")[0]) != 14 {
		t.Errorf("metadata = %s, want %v", text, want)
	}
}

// A version whose pom is not there yet is not listed: a range would resolve to it.
func TestIncompleteVersion(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	const index = "com/example/app/maven-metadata.xml"
	s.release(t, s.project, "1.0")
	s.mustPut(t, at(s.project, "com/example/app/2.0/app-2.0.jar"), "jar")
	if text := s.text(t, at(s.project, index)); strings.Contains(text, "2.0") {
		t.Errorf("without its pom a version is listed: %s", text)
	}
	// A client that deploys no pom says that the version is there.
	hint := `<metadata><groupId>com.example</groupId><artifactId>app</artifactId><versioning><versions><version>2.0</version><version>3.0</version></versions></versioning></metadata>`
	s.mustPut(t, at(s.project, index), hint)
	if got := between(s.text(t, at(s.project, index)), "version"); !slices.Equal(got, []string{"1.0", "2.0"}) {
		t.Errorf("versions = %v, want 1.0 and 2.0: what is deployed, not what is said", got)
	}
}

func TestBuilds(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	const folder = "com/example/app/1.1-SNAPSHOT/"
	const metadata = folder + "maven-metadata.xml"
	deploy := func(stamp string, endings ...string) {
		for _, ending := range endings {
			body := "bytes"
			if ending == ".pom" {
				body = pom("com.example", "app", "1.1-SNAPSHOT")
			}
			s.mustPut(t, at(s.project, folder+"app-1.1-"+stamp+ending), body)
		}
	}
	s.mustPut(t, at(s.project, folder+"app-1.1-SNAPSHOT.jar"), "as sbt deploys it")
	if a := s.get(at(s.project, metadata)); a.Status != 404 {
		t.Errorf("metadata without builds = %d %s, want 404", a.Status, a.Body)
	}
	deploy("20260102.030405-1", ".jar", "-sources.jar", "-linux-x86_64.tar.gz", ".jar.asc", ".pom")
	deploy("20260102.030406-2", ".jar") // the pom is on its way
	first := s.text(t, at(s.project, metadata))
	if strings.Contains(first, "030406") || len(between(first, "extension")) != 5 {
		t.Errorf("metadata = %s, want five files of the first build", first)
	}
	deploy("20260102.030406-2", ".pom")
	deploy("20260102.030407-10", ".jar", ".pom")
	var m struct {
		Version string `xml:"version"`
		Number  int    `xml:"versioning>snapshot>buildNumber"`
		Time    string `xml:"versioning>snapshot>timestamp"`
		Files   []struct {
			Classifier string `xml:"classifier"`
			Extension  string `xml:"extension"`
			Value      string `xml:"value"`
			Updated    string `xml:"updated"`
		} `xml:"versioning>snapshotVersions>snapshotVersion"`
	}
	text := s.text(t, at(s.project, metadata))
	if err := xml.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("metadata %s: %v", text, err)
	}
	const newest, oldest = "1.1-20260102.030407-10 20260102030407", "1.1-20260102.030405-1 20260102030405"
	want := []string{":jar " + newest, ":jar.asc " + oldest, ":pom " + newest, "linux-x86_64:tar.gz " + oldest, "sources:jar " + oldest}
	var got []string
	for _, f := range m.Files {
		got = append(got, fmt.Sprintf("%s:%s %s %s", f.Classifier, f.Extension, f.Value, f.Updated))
	}
	if !slices.Equal(got, want) || m.Version != "1.1-SNAPSHOT" || m.Number != 10 || m.Time != "20260102.030407" {
		t.Errorf("metadata = %+v, want %v", m, want)
	}
	if group := s.text(t, inGroup("acme", metadata)); group != text {
		t.Errorf("metadata of the group = %s, want %s", group, text)
	}
}

// A group shows the versions of all its projects as one artifact, and of a file that
// several have the newest.
func TestGroupMerges(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	other := s.Project("other", s.group, "private")
	s.release(t, s.project, "1.0")
	s.release(t, other, "2.0")
	s.release(t, s.project, "1.5")
	s.mustPut(t, at(other, "com/example/app/1.0/app-1.0.jar"), "newer jar of 1.0")
	s.mustPut(t, at(other, "com/example/app/1.0/app-1.0.pom"), pom("com.example", "app", "1.0"))
	text := s.text(t, inGroup(s.group, "com/example/app/maven-metadata.xml"))
	if got := between(text, "version"); !slices.Equal(got, []string{"1.0", "2.0", "1.5"}) {
		t.Errorf("versions of the group = %v, want each once", got)
	}
	if got := s.text(t, inGroup(s.group, "com/example/app/1.0/app-1.0.jar")); got != "newer jar of 1.0" {
		t.Errorf("jar from the group = %q, want the newest", got)
	}
	if got := s.text(t, at(s.project, "com/example/app/1.0/app-1.0.jar")); got != "jar of 1.0" {
		t.Errorf("jar from the project = %q, want its own", got)
	}
}

// The instance serves a name that is the path of its project, and no other: anybody
// could publish those.
func TestInstance(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.mustPut(t, at(s.project, "acme/tools/1.0/tools-1.0.pom"), pom("acme", "tools", "1.0"))
	s.release(t, s.project, "1.0")
	if got := s.text(t, inInstance("acme/tools/1.0/tools-1.0.pom")); !strings.Contains(got, "<artifactId>tools<") {
		t.Errorf("pom = %s", got)
	}
	if got := between(s.text(t, inInstance("acme/tools/maven-metadata.xml")), "version"); !slices.Equal(got, []string{"1.0"}) {
		t.Errorf("versions = %v, want 1.0", got)
	}
	_, stranger := s.User("stranger")
	for _, test := range []struct {
		path, header string
		want         int
	}{
		{"com/example/app/1.0/app-1.0.jar", root, 404}, {"com/example/app/maven-metadata.xml", root, 404},
		{"acme/tools/1.0/tools-1.0.pom", "Private-Token: " + stranger, 404}, {"acme/tools/1.0/tools-1.0.pom", "X: y", 401},
		{"com/example/app/1.0/app-1.0.jar", "X: y", 401}, {"acme/maven-metadata.xml", root, 404},
	} {
		if a := s.get(inInstance(test.path), test.header); a.Status != test.want {
			t.Errorf("GET %s with %.20s = %d %s, want %d", test.path, test.header, a.Status, a.Body, test.want)
		}
	}
}

// Prefixes of plugins are kept from what clients say, of plugins that are there.
func TestPlugins(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	const path = "com/example/maven-metadata.xml"
	hint := func(entries ...string) string {
		all := ""
		for _, e := range entries {
			all += `<plugin><name>Plugin ` + e + `</name><prefix>` + e + `</prefix><artifactId>` + e + `-maven-plugin</artifactId></plugin>`
		}
		return `<?xml version="1.0" encoding="UTF-8"?><metadata><plugins>` + all + `</plugins></metadata>`
	}
	folder := func(prefix string) string {
		return "com/example/" + prefix + "-maven-plugin/1.0/" + prefix + "-maven-plugin-1.0.pom"
	}
	for _, prefix := range []string{"my", "your"} {
		s.mustPut(t, at(s.project, folder(prefix)), pom("com.example", prefix+"-maven-plugin", "1.0"))
	}
	// Two deployments at once: each has read the metadata before the other's was there.
	s.mustPut(t, at(s.project, path), hint("my"))
	s.mustPut(t, at(s.project, path), hint("your", "their"))
	for _, path := range []string{at(s.project, path), inGroup("acme", path)} {
		if got := between(s.text(t, path), "prefix"); !slices.Equal(got, []string{"my", "your"}) {
			t.Errorf("GET %s: prefixes = %v, want those of plugins that are there", path, got)
		}
	}
	if list := s.Packages(s.project, ""); len(list) != 2 {
		t.Errorf("packages = %v, want the two plugins alone", list)
	}
	// Another prefix for the same plugin.
	s.mustPut(t, at(s.project, path), strings.Replace(hint("my"), "<prefix>my<", "<prefix>mine<", 1))
	if got := between(s.text(t, at(s.project, path)), "prefix"); !slices.Equal(got, []string{"mine", "your"}) {
		t.Errorf("prefixes = %v, want mine and your", got)
	}
	// The metadata of an artifact whose name is also a group.
	s.mustPut(t, at(s.project, "com/example/1.0/example-1.0.pom"), pom("com", "example", "1.0"))
	both := s.text(t, at(s.project, path))
	if got := between(both, "version"); !slices.Equal(got, []string{"1.0"}) || len(between(both, "prefix")) != 2 {
		t.Errorf("metadata = %s, want versions and plugins", both)
	}
	for _, p := range s.Packages(s.project, "") {
		if p.Name == "com/example/my-maven-plugin" {
			s.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d", s.project, p.ID), "", nil)
		}
	}
	if got := between(s.text(t, at(s.project, path)), "prefix"); !slices.Equal(got, []string{"your"}) {
		t.Errorf("prefixes after a deletion = %v, want your", got)
	}
}

// What is deleted is gone from the metadata, and with the last version the metadata.
func TestDeletion(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	const index = "com/example/app/maven-metadata.xml"
	for _, version := range []string{"1.0", "2.0"} {
		s.release(t, s.project, version)
	}
	for _, left := range []string{"1.0", ""} {
		list := s.Packages(s.project, "")
		newest := slices.MaxFunc(list, func(a, b formattest.Package) int { return int(a.ID - b.ID) })
		s.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d", s.project, newest.ID), "", nil)
		if left == "" {
			break
		}
		if got := strings.Join(between(s.text(t, at(s.project, index)), "release"), ""); got != left {
			t.Errorf("release = %s, want %s", got, left)
		}
	}
	for _, path := range []string{index, index + ".sha1", "com/example/app/1.0/app-1.0.jar"} {
		if a := s.get(at(s.project, path)); a.Status != 404 {
			t.Errorf("GET %s = %d %s, want 404", path, a.Status, a.Body)
		}
	}
}

package maven_test

import (
	"encoding/xml"
	"strings"
	"testing"

	"packhouse/internal/format/maven"
)

// The snippets have nothing left to fill in but the reader's token, name one
// repository, and install exactly the version of the page.
func TestSnippets(t *testing.T) {
	t.Parallel()
	place := maven.Place{Base: "https://registry.example.com:8443/api/v4/projects/1/packages/maven", Package: "com/example/app", Version: "1.0-rc.1", Publish: true}
	all := maven.Snippets(place)
	for _, s := range all {
		for _, left := range []string{"{base", "{group", "{artifact", "{version", "{host"} {
			if strings.Contains(s.Text, left) {
				t.Errorf("%s: %s is not filled in", s.Client, s.Text)
			}
		}
		if s.Does == "install" && !(strings.Contains(s.Text, "com.example") && strings.Contains(s.Text, "app") && strings.Contains(s.Text, "1.0-rc.1")) {
			t.Errorf("%s: %s installs something else", s.Client, s.Text)
		}
		if strings.HasSuffix(s.File, ".xml") {
			if err := xml.Unmarshal([]byte("<x>"+s.Text+"</x>"), new(struct{})); err != nil {
				t.Errorf("%s is no XML: %v", s.Text, err)
			}
		}
		if s.Client == "sbt" && s.Does == "configure" && !strings.Contains(s.Text, `"GitLab Packages Registry", "registry.example.com",`) {
			t.Errorf("%s names another realm or host than sbt meets", s.Text)
		}
	}
	place.Publish, place.Package = false, ""
	if got := maven.Snippets(place); len(all) != 16 || len(got) != 5 {
		t.Errorf("%d snippets, %d of a group's page, want 16 and 5", len(all), len(got))
	}
	place.Package = "a'; rm -rf /"
	if got := maven.Snippets(place); got != nil {
		t.Errorf("snippets of a bad name = %v", got)
	}
	place.Package, place.Version = "a/b", "1..0"
	if got := maven.Snippets(place); got != nil {
		t.Errorf("snippets of a bad version = %v", got)
	}
}

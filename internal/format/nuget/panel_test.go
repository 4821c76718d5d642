package nuget_test

import (
	"encoding/xml"
	"strings"
	"testing"

	"packhouse/internal/format/nuget"
)

// The snippets have nothing left to fill in but the token, name the source and no
// other one, and install exactly the version of the page.
func TestSnippets(t *testing.T) {
	t.Parallel()
	place := nuget.Place{Base: "https://registry.example.com/api/v4/projects/1/packages/nuget", Package: "My.Lib", Version: "1.0.0-b.1", Publish: true}
	all := nuget.Snippets(place)
	for _, s := range all {
		if strings.ContainsAny(strings.ReplaceAll(s.Text, "$CI", ""), "{}") || s.Does != "install" && !strings.Contains(s.Text, place.Base) {
			t.Errorf("%s: %s is not filled in", s.Client, s.Text)
		}
		if s.Does == "install" && !strings.Contains(s.Text, "My.Lib") || s.Does == "install" && !strings.Contains(s.Text, "ersion 1.0.0-b.1") {
			t.Errorf("%s: %s installs another version", s.Client, s.Text)
		}
		if s.File == "nuget.config" {
			if err := xml.Unmarshal([]byte(s.Text), new(struct{})); err != nil || !strings.Contains(s.Text, "<clear />") {
				t.Errorf("%s is no configuration with one source: %v", s.Text, err)
			}
		}
	}
	place.Publish, place.Package = false, ""
	if got := nuget.Snippets(place); len(all) != 9 || len(got) != 2 {
		t.Errorf("%d snippets, %d of a group's page, want 9 and 2", len(all), len(got))
	}
	place.Package = "a'; rm -rf /"
	if got := nuget.Snippets(place); got != nil {
		t.Errorf("snippets of a bad id = %v", got)
	}
}

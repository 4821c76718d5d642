package all_test

import (
	"strings"
	"testing"

	"packhouse/internal/format"
	"packhouse/internal/format/all"
)

// Every format of packages has texts for its page, which name the server and the
// package, and a format that nobody knows has none.
func TestSnippets(t *testing.T) {
	t.Parallel()
	names := map[string]string{"maven": "com/example/app", "npm": "@acme/app", "terraform_module": "app/aws", "container": ""}
	for _, f := range all.Formats() {
		pkg, named := names[f.Name()]
		if !named {
			pkg = "app"
		}
		if pkg == "" {
			continue // images are shown by pages of their own
		}
		list := all.Snippets(f.Name(), format.SnippetPlace{
			Base: "https://registry.example.com", ProjectID: 7, Group: "acme", Package: pkg, Version: "1.2.3", File: "app.tar.gz",
		})
		text := ""
		for _, s := range list {
			if s.Client == "" || s.Does == "" || s.Text == "" {
				t.Errorf("%s: %+v says nothing", f.Name(), s)
			}
			text += s.Text
		}
		for _, part := range []string{"registry.example.com", "app", "1.2.3"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s: no text has %q: %s", f.Name(), part, text)
			}
		}
	}
	if got := all.Snippets("none", format.SnippetPlace{Package: "app", Version: "1"}); got != nil {
		t.Errorf("snippets of an unknown format = %v", got)
	}
}

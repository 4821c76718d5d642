package npm_test

import (
	"fmt"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
	"packhouse/internal/format/npm"
)

// The panel of a place with everything and of one with nothing.
func TestSnippets(t *testing.T) {
	t.Parallel()
	full := npm.Place{
		Host: "packages.example.com", Secure: true, Path: "/api/v4/projects/1/packages/npm/", Package: "@acme/lib", Version: "1.2.0", Writable: true,
	}
	empty := npm.Place{Host: "127.0.0.1:8080", Path: "/api/v4/groups/acme/-/packages/npm/", Group: "acme"}
	plain := npm.Place{Host: "127.0.0.1:8080", Path: "/api/v4/projects/1/packages/npm/", Package: "lib"}
	for name, place := range map[string]npm.Place{"panel": full, "panel_empty": empty, "panel_unscoped": plain} {
		all, err := npm.Snippets(place)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, s := range all {
			fmt.Fprintf(&b, "# %s: %s %s\n%s\n", s.Client, s.Title, s.File, s.Text)
			if strings.Contains(s.Text, "glpat-") || strings.Contains(s.Text, "<no value>") || strings.Contains(s.Text, "<nil>") {
				t.Errorf("snippet %+v", s)
			}
		}
		golden(t, &formattest.World{URL: "https://unused.example.com"}, name, []byte(b.String()))
	}
	for _, bad := range []npm.Place{{Package: "a; rm -rf /"}, {Package: "lib", Version: "1.0.0; x"}, {Package: "$(x)"}} {
		if all, err := npm.Snippets(bad); err == nil {
			t.Errorf("Snippets(%+v) = %v, want an error", bad, all)
		}
	}
}

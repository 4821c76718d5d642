package container_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"packhouse/internal/format/container"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// golden compares with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := "testdata/" + name + ".golden"
	if *update {
		must(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
	}
}

// The panel of a place with everything and of one with nothing.
func TestSnippets(t *testing.T) {
	digest := sha256Of([]byte("x"))
	for name, place := range map[string]container.Place{
		"panel":       {Host: "packages.example.com", Name: "acme/shop/api", Tag: "1.0", Digest: digest, Writable: true},
		"panel_empty": {Host: "127.0.0.1:8080", Name: "acme/shop"},
	} {
		all, err := container.Snippets(place)
		must(t, err)
		var b strings.Builder
		for _, s := range all {
			fmt.Fprintf(&b, "# %s: %s %s\n%s\n", s.Client, s.Title, s.File, s.Text)
			if strings.Contains(s.Text, "glpat-") || strings.Contains(s.Text, "<no value>") {
				t.Errorf("snippet %+v", s)
			}
		}
		golden(t, name, b.String())
	}
	for _, bad := range []container.Place{{Name: "a/b; rm -rf /"}, {Name: "a/b", Tag: "$(x)"}, {Name: "a/b", Digest: "sha256:x"}, {}} {
		if all, err := container.Snippets(bad); err == nil {
			t.Errorf("Snippets(%+v) = %v, want an error", bad, all)
		}
	}
}

// TestErrors are errors as clients read them.
func TestErrors(t *testing.T) {
	c := start(t)
	c.Project("shop", c.Group("acme", 0, "private"), "private")
	var b strings.Builder
	for _, r := range []struct{ method, path, body string }{
		{"GET", "/v2/acme/shop/manifests/1", ""}, {"GET", "/v2/acme/shop/blobs/sha256:x", ""}, {"GET", "/v2/acme/shop/tags/list?n=x", ""},
		{"GET", "/v2/acme/Shop/tags/list", ""}, {"PUT", "/v2/acme/shop/manifests/1", string(image([]byte("config"), [][]byte{[]byte("layer")}, nil))},
		{"PUT", "/v2/acme/shop/manifests/1", "{}"}, {"POST", "/v2/acme/shop/tags/list", ""}, {"GET", "/v2/acme/shop/x", ""},
	} {
		a := c.send(r.method, r.path, []byte(r.body), "Content-Type: "+ociImage)
		text := strings.ReplaceAll(string(a.Body), a.Header.Get("X-Request-Id"), "ID")
		fmt.Fprintf(&b, "# %s %s\n%d\n%s\n\n", r.method, r.path, a.Status, text)
	}
	a := c.with("", "GET", "/v2/acme/shop/tags/list", nil)
	fmt.Fprintf(&b, "# GET as nobody\n%d\n%s\n", a.Status, strings.ReplaceAll(a.Header.Get("Www-Authenticate"), c.URL, "https://packages.example.com"))
	golden(t, "errors", b.String())
}

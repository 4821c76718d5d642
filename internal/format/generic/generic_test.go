package generic_test

import (
	"fmt"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
)

// The commands of the documentation, one after the other.
func TestPublishAndFetch(t *testing.T) {
	w := formattest.Start(t)
	id := w.Project("tools", w.Group("acme", 0, "private"), "private")
	root := "Private-Token: " + formattest.RootToken
	path := fmt.Sprintf("/api/v4/projects/%d/packages/generic/my_package/1.0.0/app.tar.gz", id)

	if a := w.Do("PUT", path+"?status=default", strings.NewReader("hello"), root); a.Status != 201 || string(a.Body) != `{"message":"201 Created"}` {
		t.Fatalf("PUT = %d %s, want 201", a.Status, a.Body)
	}
	a := w.Do("GET", path, nil, root)
	if a.Status != 200 || string(a.Body) != "hello" {
		t.Fatalf("GET = %d %s, want 200 hello", a.Status, a.Body)
	}
	for name, want := range map[string]string{
		"Content-Type":           "application/octet-stream",
		"Content-Length":         "5",
		"Content-Disposition":    `attachment; filename="app.tar.gz"; filename*=UTF-8''app.tar.gz`,
		"X-Checksum-Sha256":      "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
		"Etag":                   `"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"`,
		"Accept-Ranges":          "bytes",
		"X-Content-Type-Options": "nosniff",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("GET: header %s = %q, want %q", name, got, want)
		}
	}
}

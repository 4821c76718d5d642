package generic_test

import (
	"strings"
	"testing"
)

// A character that should have been escaped does not change how the rest of the
// path is read: "acme%2Ftools" stays one segment.
func TestRawCharacterKeepsSlash(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, c := range []string{`"`, "<", ">", "^", "`", "{", "|", "}", "\x80"} {
		target := "/api/v4/projects/acme%2Ftools/packages/generic/tool/1.0/a" + c + "b"
		a := s.Raw(s.Head("PUT", target, root, "Content-Length: 1", "Connection: close") + "\r\nx")
		if a.Status != 400 || !strings.Contains(string(a.Body), "file_name") {
			t.Errorf("PUT %q = %d %s, want 400 for the file name", target, a.Status, a.Body)
		}
	}
}

//go:build linux

package load

import (
	"strings"
	"testing"
)

// A body in chunks ends where it ends, wherever it is cut.
func TestChunks(t *testing.T) {
	body := "4\r\nwiki\r\n1A;x=y\r\n" + strings.Repeat("z", 26) + "\r\n0\r\n\r\n"
	for cut := range body {
		var c chunks
		for i, part := range []string{body[:cut], body[cut:]} {
			if done, err := c.take([]byte(part)); err != nil || done != (i == 1) {
				t.Fatalf("take(%q) = %v, %v", part, done, err)
			}
		}
	}
	var c chunks
	if _, err := c.take([]byte(body + "HTTP")); err == nil {
		t.Error("bytes behind the end are taken for part of it")
	}
}

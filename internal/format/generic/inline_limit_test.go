package generic_test

import (
	"fmt"
	"testing"

	"packhouse/internal/registry"
)

// Up to the limit a file lives in the database, and from one byte more on in a
// file, whether its length was announced or not.
func TestInlineLimit(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for over, want := range map[int]int{0: 0, 1: 1} {
		size := registry.InlineLimit + over
		for i, sent := range []string{
			fmt.Sprintf("Content-Length: %d\r\n\r\n%s", size, content(size, 1)),
			"Transfer-Encoding: chunked\r\n\r\n" + chunked(content(size, 2), 5000),
		} {
			before := s.Stored().Blobs
			a := s.Raw(s.Head("PUT", s.at(fmt.Sprintf("tool/%d/%d", size, i)), root, "Connection: close") + sent)
			if got := s.Stored().Blobs - before; a.Status != 201 || got != want {
				t.Errorf("PUT of %d bytes, way %d = %d and %d blobs, want 201 and %d", size, i, a.Status, got, want)
			}
		}
	}
}

package generic_test

import (
	"fmt"
	"testing"
	"time"

	"packhouse/internal/house"
)

// A client that asks before it sends and is refused gets its answer at once: it
// is not asked for the body, and nothing waits for one.
func TestExpectContinueRefused(t *testing.T) {
	t.Parallel()
	s := start(t, "private", func(o *house.Options) { o.Directory.Sizes = map[string]int64{"generic": 1 << 20} })
	for _, test := range []struct {
		name   string
		file   string
		length int
		header string
		want   int
	}{
		{"no credential", "tool/1.0/f", 5, "X: y", 401},
		{"bad token", "tool/1.0/f", 5, "Private-Token: nobody", 401},
		{"bad name", "to@ol/1.0/f", 5, root, 400},
		{"too large", "tool/1.0/f", 1<<20 + 1, root, 400},
		{"form", "tool/1.0/f", 5, root + "\r\nContent-Type: multipart/form-data; boundary=x", 400},
	} {
		c := s.Dial()
		if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		c.Send(s.Head("PUT", s.at(test.file), test.header, fmt.Sprintf("Content-Length: %d", test.length), "Expect: 100-continue") + "\r\n")
		if a := c.Answer("PUT"); a.Status != test.want || len(a.Interim) > 0 {
			t.Errorf("%s = %v %d %s, want %d within a second", test.name, a.Interim, a.Status, a.Body, test.want)
		}
		c.Close()
	}
	s.empty(t)
}

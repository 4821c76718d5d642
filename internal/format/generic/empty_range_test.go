package generic_test

import "testing"

// The end of an empty file is no range either. net/http answers 206 with
// "Content-Range: bytes 0--1/0", which no client can read.
func TestEndOfNothing(t *testing.T) {
	t.Parallel()
	s := start(t, "public")
	s.mustPut(t, "tool/1.0/f", "")
	a := s.Do("GET", s.at("tool/1.0/f"), nil, "Range: bytes=-1")
	if a.Status != 200 && a.Status != 416 {
		t.Errorf("GET of nothing with Range: bytes=-1 = %d with Content-Range %q, want 200 or 416", a.Status, a.Header.Get("Content-Range"))
	}
}

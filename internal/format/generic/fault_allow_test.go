package generic_test

import "testing"

// RFC 9110, 15.5.6: a 405 says which methods are allowed.
func TestAllow(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for target, want := range map[string]string{
		s.at("tool/1.0/f"): "PUT, GET, HEAD", inGroup("acme", "tool/1.0/f"): "GET, HEAD",
	} {
		a := s.Do("PATCH", target, nil, root)
		if got := a.Header.Get("Allow"); a.Status != 405 || got != want {
			t.Errorf("PATCH %s = %d with Allow %q, want 405 with %q", target, a.Status, got, want)
		}
	}
}

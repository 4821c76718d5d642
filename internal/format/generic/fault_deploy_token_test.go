package generic_test

import "testing"

// A deploy token that has run out or was revoked counts as none in its own
// header, as an unknown one does: a stale one must not break public downloads.
func TestStaleDeployToken(t *testing.T) {
	t.Parallel()
	s := start(t, "public")
	s.mustPut(t, "tool/1.0/f", "x")
	for state, end := range map[string]func(string){"expired": s.Expire, "revoked": s.Revoke} {
		secret := s.DeployToken("projects", s.project, "read_package_registry")
		end(secret)
		for method, want := range map[string]int{"GET": 200, "HEAD": 200, "PUT": 401} {
			if got := deployCarrier[0].send(t, s, method, s.at("tool/1.0/f"), secret); got != want {
				t.Errorf("%s with a deploy token that is %s = %d, want %d", method, state, got, want)
			}
		}
	}
}

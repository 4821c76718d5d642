package oidc_test

import (
	"strings"
	"testing"
)

// ID tokens and the job tokens that they are exchanged for are written down
// nowhere, whatever becomes of them; a refusal repeats none.
func TestTokensAreNotKept(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.trust("")
	good := s.idToken(nil)
	secrets := []string{good, s.granted(good)}
	for _, claims := range []map[string]any{
		{"iss": "https://nobody.example.net"}, {"project_id": "21"}, {"exp": 1}, {"aud": "x"}, {"iat": nil},
	} {
		token := s.idToken(claims)
		a := s.exchange(token)
		if a.Status != 401 || strings.Contains(string(a.Body), token) {
			t.Errorf("exchange of %v = %d %s, want 401 without the token", claims, a.Status, a.Body)
		}
		s.Do("GET", "/api/v4/user", nil, "Authorization: Bearer "+token)
		s.Do("GET", "/api/v4/user?private_token="+token, nil)
		s.Do("POST", "/_/oidc/mint-token", strings.NewReader(`{"token":"`+token), "Content-Type: application/json")
		s.Do("POST", "/api/v4/oidc/token?subject_token="+token, nil)
		secrets = append(secrets, token)
	}
	metrics := s.Do("GET", "/-/metrics", nil)
	for _, secret := range secrets {
		// A signature is as good as the token to whoever knows its claims.
		for _, part := range append(strings.Split(secret, ".")[1:], secret) {
			if strings.Contains(s.Logged(), part) || strings.Contains(string(metrics.Body), part) || len(s.Holds(part)) > 0 {
				t.Errorf("%q is written down", part)
			}
		}
	}
	if !strings.Contains(s.Logged(), "ID token refused") {
		t.Error("the log tells of no refusal; this test proves nothing")
	}
}

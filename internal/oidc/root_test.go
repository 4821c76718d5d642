package oidc_test

import (
	"fmt"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/format/formattest"
)

// Publishing clients of the Python Package Index find its exchange at the root
// of the host.
func TestMintToken(t *testing.T) {
	t.Parallel()
	s := start(t)
	var audience struct{ Audience string }
	s.JSON(s.Do("GET", "/_/oidc/audience", nil), &audience)
	if audience.Audience != s.URL {
		t.Errorf("audience = %q, want %q", audience.Audience, s.URL)
	}
	s.trust(fmt.Sprintf(`{"audience":%q,"package_types":null}`, s.URL))
	mint := func(token string) formattest.Answer {
		return s.Do("POST", "/_/oidc/mint-token", strings.NewReader(fmt.Sprintf(`{"token":%q}`, token)), "Content-Type: application/json")
	}
	token := s.issuer.Token(s.issuer.Claims(s.URL, nil))
	a := mint(token)
	var made struct {
		Success bool
		Token   string
	}
	s.JSON(a, &made)
	if a.Status != 200 || !made.Success || !strings.HasPrefix(made.Token, "glcbt-") {
		t.Fatalf("mint = %d %s, want a token", a.Status, a.Body)
	}
	// "Basic __token__:…", as twine sends it.
	if a := s.publish("Private-Token: "+made.Token, "tool/1.0/f"); a.Status != 201 {
		t.Errorf("publish = %d %s, want 201", a.Status, a.Body)
	}
	for what, token := range map[string]string{"again": token, "garbage": "x", "none": ""} {
		a := mint(token)
		if a.Status/100 != 4 || !strings.Contains(string(a.Body), `"success":false`) || !strings.Contains(string(a.Body), `"description"`) {
			t.Errorf("%s: mint = %d %s, want PyPI's shape of a refusal", what, a.Status, a.Body)
		}
	}
}

// A publisher that is for other formats does not take what PyPI's clients bring.
func TestMintTokenForPyPI(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.trust(fmt.Sprintf(`{"audience":%q,"package_types":["generic"]}`, s.URL))
	body := fmt.Sprintf(`{"token":%q}`, s.issuer.Token(s.issuer.Claims(s.URL, nil)))
	if a := s.Do("POST", "/_/oidc/mint-token", strings.NewReader(body), "Content-Type: application/json"); a.Status != 401 {
		t.Errorf("mint = %d %s, want 401", a.Status, a.Body)
	}
}

// A format finds the exchange in its Call: what is published chooses among the
// publishers.
func TestExchangeForPackage(t *testing.T) {
	t.Parallel()
	s := start(t)
	target, _ := s.Directory.Resolve(packhouse.Project, "acme/tools")
	s.trust(`{"package_name_pattern":"@acme/*"}`)
	wide := s.trust(`{"package_name_pattern":"@beta/*"}`)
	got, err := s.Exchanger.Exchange(t.Context(), format.Exchange{
		Token: s.idToken(nil), Project: target, Format: "generic", Package: "@beta/button", RequestID: "1",
	})
	if err != nil || got.Publisher != wide || got.Project.Path != "acme/tools" {
		t.Errorf("Exchange = %+v, %v, want publisher %d", got, err, wide)
	}
	if _, err := s.Exchanger.Exchange(t.Context(), format.Exchange{Token: s.idToken(nil), Project: target, Format: "generic", Package: "other"}); err == nil {
		t.Error("Exchange for a package that no publisher takes succeeded")
	}
}

// npm asks at the root of the host, or below the registry's address, with the ID
// token as its own; the package that it publishes chooses the publisher.
func TestExchangeForNPM(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.trust(fmt.Sprintf(`{"audience":%q,"package_types":["npm"],"package_name_pattern":"@acme/*"}`, s.URL))
	for _, path := range []string{
		"/-/npm/v1/oidc/token/exchange/package/@acme%2flib",
		"/api/v4/packages/npm/-/npm/v1/oidc/token/exchange/package/@acme%2flib",
	} {
		token := "Authorization: Bearer " + s.issuer.Token(s.issuer.Claims(s.URL, nil))
		other := strings.Replace(path, "@acme", "@other", 1)
		for what, a := range map[string]formattest.Answer{
			"another package": s.Do("POST", other, nil, token), "no token": s.Do("POST", path, nil), "garbage": s.Do("POST", path, nil, "Authorization: Bearer x"),
		} {
			if a.Status/100 != 4 {
				t.Errorf("%s of %s = %d %s, want a refusal", path, what, a.Status, a.Body)
			}
		}
		a := s.Do("POST", path, nil, token)
		var made struct{ Token string }
		if s.JSON(a, &made); a.Status != 201 || !strings.HasPrefix(made.Token, "glcbt-") {
			t.Fatalf("%s = %d %s, want a token", path, a.Status, a.Body)
		}
		if a := s.Do("GET", "/api/v4/packages/npm/-/whoami", nil, "Authorization: Bearer "+made.Token); a.Status != 200 {
			t.Errorf("whoami with the token = %d %s, want 200", a.Status, a.Body)
		}
	}
}

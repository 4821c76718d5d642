package oidc_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
	"packhouse/internal/oidc/oidctest"
)

// scene is a registry with the private project acme/tools, whose Developer dana
// its CI jobs run as, and an issuer that nobody trusts yet.
type scene struct {
	*formattest.World
	t              *testing.T
	issuer         *oidctest.Issuer
	group, project int64
	dana           int64
	token          string
}

func start(t *testing.T, edit ...func(*house.Options)) *scene {
	t.Helper()
	edit = append([]func(*house.Options){func(o *house.Options) { o.IssuerNetworks = oidctest.Loopback }}, edit...)
	s := &scene{World: formattest.Start(t, edit...), t: t, issuer: oidctest.Start(t)}
	s.group = s.Group("acme", 0, "private")
	s.project = s.Project("tools", s.group, "private")
	s.dana, s.token = s.User("dana")
	s.Member("groups", s.group, s.dana, packhouse.Developer)
	return s
}

// trust makes a trusted publisher of acme/tools that takes the tokens of the
// issuer's project 20 and runs as dana. changes are further fields; null takes
// one away.
func (s *scene) trust(changes string) int64 {
	s.t.Helper()
	return s.trustAt(fmt.Sprintf("/projects/%d", s.project), changes)
}

func (s *scene) trustAt(at, changes string) int64 {
	s.t.Helper()
	fields := map[string]any{
		"name": "release job", "issuer": s.issuer.URL, "audience": "https://pkgs.example.net",
		"claims": map[string]string{"project_id": "20"}, "run_as": "dana",
	}
	if changes != "" {
		if err := json.Unmarshal([]byte(changes), &fields); err != nil {
			s.t.Fatal(err)
		}
	}
	body, err := json.Marshal(fields)
	if err != nil {
		s.t.Fatal(err)
	}
	var made struct{ ID int64 }
	s.API("POST", at+"/trusted_publishers", string(body), &made)
	return made.ID
}

// idToken is a token of the issuer that the trusted publisher takes.
func (s *scene) idToken(changes map[string]any) string {
	s.t.Helper()
	return s.issuer.Token(s.issuer.Claims("https://pkgs.example.net", changes))
}

// exchange sends an ID token to be exchanged. more are further parameters.
func (s *scene) exchange(token string, more ...string) formattest.Answer {
	s.t.Helper()
	q := url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {token},
		"subject_token_type": {"urn:ietf:params:oauth:token-type:id_token"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return s.Do("POST", "/api/v4/oidc/token", strings.NewReader(q.Encode()), "Content-Type: application/x-www-form-urlencoded")
}

// granted exchanges an ID token, which has to succeed, and returns the job token.
func (s *scene) granted(token string, more ...string) string {
	s.t.Helper()
	a := s.exchange(token, more...)
	var made struct {
		Token string `json:"access_token"`
	}
	if a.Status != 200 {
		s.t.Fatalf("exchange = %d %s, want 200", a.Status, a.Body)
	}
	s.JSON(a, &made)
	return made.Token
}

// refused exchanges an ID token, which has to be refused with 401 and a text.
func (s *scene) refused(what, token, text string, more ...string) {
	s.t.Helper()
	a := s.exchange(token, more...)
	var e struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	s.JSON(a, &e)
	if a.Status != 401 || e.Error != "invalid_grant" || !strings.Contains(e.Description, text) || text == "" && e.Description != "" {
		s.t.Errorf("%s: exchange = %d %s, want 401 invalid_grant with %q", what, a.Status, a.Body, text)
	}
}

// publish publishes with a credential.
func (s *scene) publish(header, file string) formattest.Answer {
	s.t.Helper()
	return s.Do("PUT", fmt.Sprintf("/api/v4/projects/%d/packages/generic/%s", s.project, file), strings.NewReader("hello"), header)
}

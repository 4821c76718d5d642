package api_test

import (
	"fmt"
	"testing"

	"packhouse"
	"packhouse/internal/oidc/oidctest"
)

// What a trusted publisher looks like, and that a change touches what is given.
func TestTrustedPublisher(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.people()
	for _, at := range []string{fmt.Sprintf("/projects/%d", s.project), fmt.Sprintf("/groups/%d", s.group)} {
		all := at + "/trusted_publishers"
		one := fmt.Sprintf("%s/%d", all, s.made(s.as("owner"), "POST", all, `{"name":"release job","issuer":"https://gitlab.example.net",
			"audience":"https://pkgs.example.net","claims":{"project_id":20,"ref_protected":"true"},"claim_patterns":{"ref":"v*"},
			"access":"publish","package_types":["generic"],"package_name_pattern":"@acme/*","max_ttl_seconds":600,"run_as":"developer"}`))
		a := s.want(s.as("owner"), "GET", one, "", 200, "")
		var p map[string]any
		s.JSON(a, &p)
		for name, want := range map[string]string{
			"name": "release job", "issuer": "https://gitlab.example.net", "audience": "https://pkgs.example.net",
			"claims": "map[project_id:20 ref_protected:true]", "claim_patterns": "map[ref:v*]", "access": "publish",
			"package_types": "[generic]", "package_name_pattern": "@acme/*", "max_ttl_seconds": "600", "run_as": "developer",
		} {
			if got := fmt.Sprint(p[name]); got != want {
				t.Errorf("%s: %s = %s, want %s", one, name, got, want)
			}
		}
		s.want(s.as("owner"), "PUT", one, `{"access":"read","package_types":[]}`, 200, "")
		s.JSON(s.send(s.as("owner"), "GET", one, ""), &p)
		if fmt.Sprintln(p["access"], p["package_types"], p["claims"], p["run_as"]) != "read [] map[project_id:20 ref_protected:true] developer\n" {
			t.Errorf("after PUT: %v", p)
		}
		if got := column(s.list(s.as("owner"), all), "name"); got != "release job" {
			t.Errorf("GET %s lists %q, want the one", all, got)
		}
		s.want(s.as("owner"), "DELETE", one, "", 204, "")
		s.want(s.as("owner"), "DELETE", one, "", 404, `{"message":"404 Trusted Publisher Not Found"}`)
		s.want(s.as("owner"), "GET", one, "", 404, `{"message":"404 Trusted Publisher Not Found"}`)
		s.want(s.as("owner"), "PUT", one, "", 404, `{"message":"404 Trusted Publisher Not Found"}`)
	}
}

// A publisher that would trust everybody, or cannot work, is refused.
func TestTrustedPublisherRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.people()
	all := fmt.Sprintf("/projects/%d/trusted_publishers", s.project)
	const good = `"name":"x","issuer":"https://ci.example.net","claims":{"project_id":"20"}`
	for body, want := range map[string]string{
		`{}`: `{"error":"name is missing, issuer is missing"}`,
		`{"name":"x","issuer":"https://ci.example.net"}`:                                     `{"error":"claims has to name whose jobs are trusted"}`,
		`{"name":"x","issuer":"https://ci.example.net","claims":{"sub":"a"}}`:                `{"error":"claims has to name whose jobs are trusted"}`,
		`{"name":"x","issuer":"https://ci.example.net","claims":{"ref_protected":true}}`:     `{"error":"claims has to name whose jobs are trusted"}`,
		`{"name":"x","issuer":"https://ci.example.net","claims":{"project_id":""}}`:          `{"error":"claims has to name whose jobs are trusted"}`,
		`{"name":"x","issuer":"https://ci.example.net","claim_patterns":{"project_id":"*"}}`: `{"error":"claims has to name whose jobs are trusted"}`,
		`{"name":"x","issuer":"https://ci.example.net","claims":{"a":{"b":"c"}}}`:            `{"error":"claims is invalid"}`,
		`{"name":"x","issuer":"https://ci.example.net","claims":{"a":["b","c"]}}`:            `{"error":"claims is invalid"}`,
		`{` + good + `,"claims":{"project_id":"1","aud":"x"}}`:                               `{"error":"claims does not take aud, which is checked for every token"}`,
		`{"name":"x","claims":{"project_id":"1"},"issuer":"http://ci.example.net"}`:          `{"error":"issuer must begin with https://"}`,
		`{"name":"x","claims":{"project_id":"1"},"issuer":"https://a:b@ci.example.net"}`:     `{"error":"issuer is not the address of an issuer, such as https://gitlab.example.com"}`,
		`{"name":"x","claims":{"project_id":"1"},"issuer":"ci.example.net"}`:                 `{"error":"issuer is not the address of an issuer, such as https://gitlab.example.com"}`,
		`{` + good + `,"access":"admin"}`:                                                    `{"error":"access does not have a valid value"}`,
		`{` + good + `,"package_types":["rpm9"]}`:                                            `{"error":"package_types does not have a valid value"}`,
		`{` + good + `,"max_ttl_seconds":59}`:                                                `{"error":"max_ttl_seconds does not have a valid value"}`,
		`{` + good + `,"max_ttl_seconds":86401}`:                                             `{"error":"max_ttl_seconds does not have a valid value"}`,
		`{` + good + `,"audience":""}`:                                                       `{"error":"audience is empty"}`,
	} {
		s.want(s.as("maintainer"), "POST", all, body, 400, want)
	}
	s.want(s.as("maintainer"), "POST", all, `{`+good+`,"run_as":"nobody"}`, 404, `{"message":"404 User Not Found"}`)
	s.want(s.as("maintainer"), "POST", all, `{`+good+`,"run_as":"stranger"}`, 404, `{"message":"404 User Not Found"}`)
	s.want(s.as("maintainer"), "POST", all, `{`+good+`,"run_as":"owner"}`, 403, "")
	s.want(s.as("maintainer"), "POST", all, `{`+good+`,"run_as":"root"}`, 403, "")
}

// Whoever edits a publisher must be able to name its user: else a Maintainer
// would point an administrator's publisher at jobs of their own.
func TestTrustedPublisherOfSomebodyGreater(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.person("maintainer", packhouse.Maintainer)
	all := fmt.Sprintf("/projects/%d/trusted_publishers", s.project)
	id := s.made(root, "POST", all, `{"name":"x","issuer":"https://ci.example.net","claims":{"project_id":"20"}}`)
	one := fmt.Sprintf("%s/%d", all, id)
	s.want(s.as("maintainer"), "PUT", one, `{"claims":{"project_id":"666"}}`, 403, "")
	s.want(s.as("maintainer"), "PUT", one, `{"claims":{"project_id":"666"},"run_as":"maintainer"}`, 200, "")
	s.want(s.as("maintainer"), "DELETE", one, "", 204, "")
}

func (b *book) publishers() {
	issuer := oidctest.Start(b.t)
	for _, place := range []string{fmt.Sprintf("/groups/%d", b.group), fmt.Sprintf("/projects/%d", b.project)} {
		all := place + "/trusted_publishers"
		b.made(root, "POST", all, fmt.Sprintf(`{"name":"here","issuer":%q,"claims":{"project_id":20}}`, issuer.URL))
		b.show(root, "POST", all, `{"name":"release job","issuer":"https://ci.example.net","claims":{"project_id":20},"package_types":["generic"],"run_as":"dana"}`)
		id := b.made(root, "POST", all, `{"name":"other","issuer":"https://ci.example.net","claims":{"repository_id":"5"}}`)
		one := fmt.Sprintf("%s/%d", all, id)
		b.show(root, "GET", one, "")
		b.show(root, "PUT", one, `{"claim_patterns":{"ref":"refs/tags/v*"},"access":"read","max_ttl_seconds":60}`)
		b.show(root, "GET", all, "")
		b.show(root, "DELETE", one, "")
	}
	body := `{"grant_type":"urn:ietf:params:oauth:grant-type:token-exchange","project":"acme/tools","subject_token":%q}`
	a := b.send("", "POST", "/oidc/token", fmt.Sprintf(body, issuer.Token(issuer.Claims(b.URL, nil))))
	fmt.Fprintf(&b.text, "# POST /oidc/token %s\n%s\n", body, shown(a))
	b.end("publishers")
}

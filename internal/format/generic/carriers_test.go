package generic_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"packhouse/internal/house"
)

// carrier is a way in which a client sends a token: a header field, or the end
// of a URL.
type carrier struct {
	name   string
	header func(secret string) string
	query  func(secret string) string
}

func field(name, before string) carrier {
	return carrier{name: strings.TrimSpace(name + " " + before), header: func(s string) string { return name + ": " + before + s }}
}

func basic(user string) carrier {
	return carrier{name: "Basic " + user, header: func(s string) string {
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+s))
	}}
}

func query(name string) carrier {
	return carrier{name: "?" + name, query: func(s string) string { return "?" + name + "=" + s }}
}

// send makes a request with a secret in the carrier and returns the status.
func (c carrier) send(t *testing.T, s scene, method, path, secret string) int {
	t.Helper()
	header := ""
	if c.header != nil {
		header = c.header(secret)
	}
	if c.query != nil {
		path += c.query(secret)
	}
	a := s.Do(method, path, strings.NewReader("x"), header)
	challenge := a.Header.Get("Www-Authenticate")
	if (challenge == `Basic realm="GitLab Packages Registry"`) != (a.Status == 401) {
		t.Errorf("%s by %s = %d with challenge %q", method, c.name, a.Status, challenge)
	}
	return a.Status
}

var (
	accessCarriers = []carrier{
		field("Private-Token", ""), field("PRIVATE-TOKEN", ""), field("private-token", ""), query("private_token"),
		field("Authorization", "Bearer "), field("Authorization", "bearer "), field("Authorization", ""),
		field("X-NuGet-ApiKey", ""),
	}
	jobCarriers   = []carrier{field("Job-Token", ""), field("JOB-TOKEN", ""), query("job_token"), basic("gitlab-ci-token")}
	basicCarriers = []carrier{basic("dana"), basic("__token__"), basic("oauth2"), basic("x"), basic(""), basic("gitlab+deploy-token-1")}
	deployCarrier = []carrier{field("Deploy-Token", ""), field("DEPLOY-TOKEN", "")}
)

// tokens are secrets of every kind that may read and publish in a world's
// projects.
func (s scene) tokens(t *testing.T) map[string]func() string {
	t.Helper()
	user, _ := s.User("dana")
	s.Member("groups", s.group, user, 30)
	jobs := 0
	return map[string]func() string{
		"personal": func() string { return s.PersonalToken(user, "api") },
		"project":  func() string { return s.AccessToken("projects", s.project, 40, "api") },
		"group":    func() string { return s.AccessToken("groups", s.group, 40, "api") },
		"deploy":   func() string { return s.DeployToken("groups", s.group, "write_package_registry") },
		"job": func() string {
			jobs++
			return s.JobToken(s.project, user, fmt.Sprintf(`"job":{"id":%d}`, jobs))
		},
	}
}

// Every kind of token works in every carrier, to read and to publish.
func TestGoodTokens(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.mustPut(t, "tool/1.0/f", "x")
	for kind, issue := range s.tokens(t) {
		secret := issue()
		for _, list := range [][]carrier{accessCarriers, jobCarriers, basicCarriers, deployCarrier} {
			for _, c := range list {
				for method, want := range map[string]int{"GET": 200, "HEAD": 200, "PUT": 201} {
					if got := c.send(t, s, method, s.at("tool/1.0/f"), secret); got != want {
						t.Errorf("%s with a %s token by %s = %d, want %d", method, kind, c.name, got, want)
					}
				}
			}
		}
	}
}

// What a token that is no good means, by carrier (GitLab's table): 401 always,
// or as if none had been sent.
func TestBadTokens(t *testing.T) {
	t.Parallel()
	s := start(t, "public")
	secretProject := s.Project("secret", s.group, "private")
	s.mustPut(t, "tool/1.0/f", "x")
	if a := s.Do("PUT", at(secretProject, "tool/1.0/f"), strings.NewReader("x"), root); a.Status != 201 {
		t.Fatalf("PUT = %d", a.Status)
	}
	tokens := s.tokens(t)
	made := func(kind string, end func(string)) string {
		secret := tokens[kind]()
		end(secret)
		return secret
	}
	type bad map[string]string // state: secret
	states := map[string]bad{}
	for kind := range tokens {
		states[kind] = bad{
			"unknown": "glpat-unknownunknownunk" + kind, "expired": made(kind, s.Expire), "revoked": made(kind, s.Revoke),
			"cut short": tokens[kind]()[:20], "too long": strings.Repeat("x", 9000),
		}
	}
	const refused, ignored = 401, 200
	for _, test := range []struct {
		carriers []carrier
		kinds    []string
		states   []string
		public   int // GET of something public
	}{
		{accessCarriers, []string{"personal", "project", "group"}, []string{"unknown", "expired", "revoked", "cut short", "too long"}, refused},
		{accessCarriers[4:7], []string{"deploy", "job"}, []string{"unknown", "expired", "revoked", "cut short"}, refused},
		{jobCarriers, []string{"job"}, []string{"unknown", "expired", "revoked", "cut short", "too long"}, refused},
		{basicCarriers, []string{"personal", "deploy", "job"}, []string{"unknown", "cut short", "too long"}, ignored},
		{basicCarriers, []string{"personal", "project", "group", "job"}, []string{"expired", "revoked"}, refused},
		{deployCarrier, []string{"deploy"}, []string{"unknown", "cut short", "too long"}, ignored},
	} {
		for _, c := range test.carriers {
			for _, kind := range test.kinds {
				for _, state := range test.states {
					secret := states[kind][state]
					for _, one := range []struct {
						method, path string
						want         int
					}{
						{"GET", s.at("tool/1.0/f"), test.public}, {"HEAD", s.at("tool/1.0/f"), test.public},
						{"PUT", s.at("tool/1.0/f"), 401},
						{"GET", at(secretProject, "tool/1.0/f"), 401}, {"PUT", at(secretProject, "tool/1.0/f"), 401},
						{"GET", at(999_999, "tool/1.0/f"), 401}, {"GET", inGroup("acme", "none/1.0/f"), 401},
					} {
						if got := c.send(t, s, one.method, one.path, secret); got != one.want {
							t.Errorf("%s %s with a %s token that is %s by %s = %d, want %d", one.method, one.path, kind, state, c.name, got, one.want)
						}
					}
				}
			}
		}
	}
	if files := s.Files(s.project, s.Packages(s.project, "")[0].ID); len(files) != 1 {
		t.Errorf("%d files after refusals, want 1", len(files))
	}
}

// Credentials that are none count as none.
func TestNoCredential(t *testing.T) {
	t.Parallel()
	s := start(t, "public")
	s.mustPut(t, "tool/1.0/f", "x")
	for _, header := range []string{
		"", "Private-Token: ", "Job-Token: ", "Deploy-Token: ", "X-Nuget-Apikey: ", "Authorization: ", "Authorization:  ",
		"Authorization: Basic", "Authorization: Basic !!!", "Authorization: Basic Og==", "Authorization: Basic eA==",
		"Authorization: Basic Z2l0bGFiLWNpLXRva2VuOg==", // gitlab-ci-token without a password
		"Cookie: _gitlab_session=x",
	} {
		for method, want := range map[string]int{"GET": 200, "PUT": 401} {
			if a := s.Do(method, s.at("tool/1.0/f"), strings.NewReader("x"), header); a.Status != want {
				t.Errorf("%s with %q = %d, want %d", method, header, a.Status, want)
			}
		}
	}
}

// Explicit headers come before Authorization, and that before the query: a bad
// token in front is not made good by a good one behind it.
func TestCarrierOrder(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.mustPut(t, "tool/1.0/f", "x")
	good, bad := s.tokens(t)["personal"](), "glpat-badbadbadbadbadbadba"
	for _, test := range []struct {
		header []string
		query  string
		want   int
	}{
		{[]string{"Private-Token: " + good, "Authorization: Bearer " + bad}, "", 200},
		{[]string{"Private-Token: " + bad, "Authorization: Bearer " + good}, "", 401},
		{[]string{"Job-Token: " + bad, "Deploy-Token: " + good}, "", 401},
		{[]string{"Authorization: Bearer " + bad}, "?private_token=" + good, 401},
		{[]string{"Authorization: Bearer " + good}, "?private_token=" + bad, 200},
		{nil, "?private_token=" + bad + "&job_token=" + good, 401},
	} {
		if a := s.Do("GET", s.at("tool/1.0/f")+test.query, nil, test.header...); a.Status != test.want {
			t.Errorf("GET%s with %v = %d, want %d", test.query, test.header, a.Status, test.want)
		}
	}
}

// An operator can refuse tokens in URLs; they then count as none.
func TestQueryTokensOff(t *testing.T) {
	t.Parallel()
	s := start(t, "private", func(o *house.Options) { o.QueryTokens = false })
	s.mustPut(t, "tool/1.0/f", "x")
	if a := s.Do("GET", s.at("tool/1.0/f")+"?private_token="+strings.TrimPrefix(root, "Private-Token: "), nil); a.Status != 401 {
		t.Errorf("GET = %d, want 401", a.Status)
	}
}

package signin_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"packhouse"
	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
	"packhouse/internal/oidc/oidctest"
	"packhouse/internal/signin"
)

const clientSecret = "client-secret-canary-0123456789"

// office is a registry with a provider of single sign-on, at which everybody has
// the claims that the test says.
type office struct {
	*formattest.World
	t      *testing.T
	issuer *oidctest.Issuer
	group  int64
	tools  int64

	mu     sync.Mutex
	claims map[string]any    // of the next ID token, beside the usual
	codes  map[string]string // challenges by code
	nonces map[string]string // by code
}

func open(t *testing.T, more string) *office {
	t.Helper()
	o := &office{t: t, issuer: oidctest.Start(t), codes: map[string]string{}, nonces: map[string]string{}}
	dir := t.TempDir()
	secret, file := filepath.Join(dir, "secret"), filepath.Join(dir, "sign-in.yaml")
	must(t, os.WriteFile(secret, []byte(clientSecret+"\n"), 0o600))
	must(t, os.WriteFile(file, []byte(fmt.Sprintf(`
providers:
  - name: company
    label: the company
    issuer: %s
    client-id: packhouse
    client-secret-file: %s
%s`, o.issuer.URL, secret, more)), 0o600))
	providers, err := signin.ReadProviders(file)
	must(t, err)
	o.World = formattest.Start(t, func(opts *house.Options) { opts.Providers = providers })
	o.group = o.Group("acme", 0, "private")
	o.tools = o.Project("tools", o.group, "private")
	o.issuer.Stand(o.serve)
	return o
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// serve is the provider's token endpoint, beside what every issuer has.
func (o *office) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/token" {
		o.issuer.Answer(w, r, o.issuer.Keys())
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	_ = r.ParseForm() // what is missing is refused below
	id, secret, _ := r.BasicAuth()
	if id == "" {
		id, secret = r.Form.Get("client_id"), r.Form.Get("client_secret")
	}
	code := r.Form.Get("code")
	sum := sha256.Sum256([]byte(r.Form.Get("code_verifier")))
	if id != "packhouse" || secret != clientSecret || o.codes[code] == "" || o.codes[code] != base64.RawURLEncoding.EncodeToString(sum[:]) ||
		r.Form.Get("redirect_uri") != o.URL+"/-/sign-in/oidc/company/callback" {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":"invalid_grant","error_description":%q}`, secret+r.Form.Get("code_verifier"))
		return
	}
	claims := o.issuer.Claims("packhouse", map[string]any{"nonce": o.nonces[code], "sub": "s-1", "preferred_username": "dana", "name": "Dana Ito"})
	maps.Copy(claims, o.claims)
	delete(o.codes, code)
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":"provider-access-canary","token_type":"Bearer","id_token":%q}`, o.issuer.Token(claims))
}

// visit is a browser's visit to the provider and what it brings back.
type visit struct{ code, state, cookie string }

func (o *office) visit() visit {
	o.t.Helper()
	a := o.Do("GET", "/-/sign-in/oidc/company?return_to=/acme", nil, asPage)
	to, err := url.Parse(a.Header.Get("Location"))
	if a.Status != 303 || err != nil || !strings.HasPrefix(to.String(), o.issuer.URL+"/authorize?") {
		o.t.Fatalf("leave = %d %v %s, want 303 to the provider", a.Status, a.Header, a.Body)
	}
	q := to.Query()
	if q.Get("response_type") != "code" || q.Get("client_id") != "packhouse" || q.Get("code_challenge_method") != "S256" || !strings.Contains(q.Get("scope"), "openid") {
		o.t.Errorf("the provider is asked with %v", q)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	code := fmt.Sprintf("code-%d", len(o.nonces))
	o.codes[code], o.nonces[code] = q.Get("code_challenge"), q.Get("nonce")
	cookie, _, _ := strings.Cut(a.Header.Get("Set-Cookie"), ";")
	return visit{code, q.Get("state"), "Cookie: " + cookie}
}

func (o *office) back(v visit) formattest.Answer {
	o.t.Helper()
	q := url.Values{"code": {v.code}, "state": {v.state}}
	return o.Do("GET", "/-/sign-in/oidc/company/callback?"+q.Encode(), nil, v.cookie)
}

// signIn signs somebody in with claims, and returns the answer.
func (o *office) signIn(claims map[string]any) formattest.Answer {
	o.t.Helper()
	o.mu.Lock()
	o.claims = claims
	o.mu.Unlock()
	return o.back(o.visit())
}

func (o *office) want(what string, a formattest.Answer, status int, text string) {
	o.t.Helper()
	if a.Status != status || !strings.Contains(string(a.Body), text) {
		o.t.Errorf("%s = %d %s, want %d with %q", what, a.Status, a.Body, status, text)
	}
}

// Somebody signs in, is made a user, and is known again under another name.
func TestSingleSignOn(t *testing.T) {
	t.Parallel()
	o := open(t, "    create-users: true")
	a := o.signIn(nil)
	o.want("sign-in", a, 200, `"username":"dana"`)
	for _, c := range a.Header.Values("Set-Cookie") {
		if !strings.Contains(c, "HttpOnly") || !strings.Contains(c, "SameSite=Lax") {
			t.Errorf("cookie %q", c)
		}
	}
	in := "Cookie: " + cookie(t, a)
	o.want("GET /user", o.Do("GET", "/api/v4/user", nil, in), 200, "Dana Ito")
	dana := o.Directory.UserByName("dana")
	o.want("renamed there", o.signIn(map[string]any{"preferred_username": "other"}), 200, `"username":"dana"`)
	o.want("another with the name", o.signIn(map[string]any{"sub": "s-2"}), 401, "belongs to somebody else")
	o.want("a name that cannot be one", o.signIn(map[string]any{"sub": "s-3", "preferred_username": "a/b"}), 401, "cannot be one")
	o.want("no name", o.signIn(map[string]any{"sub": "s-3", "preferred_username": nil}), 401, "cannot be one")
	o.want("an administrator's name", o.signIn(map[string]any{"sub": "s-4", "preferred_username": "root"}), 401, "belongs to somebody else")
	o.API("POST", fmt.Sprintf("/users/%d/block", dana.ID), "", nil)
	o.want("blocked", o.signIn(nil), 403, "blocked")
	page := o.Do("GET", "/-/sign-in", nil, asPage)
	o.want("the page", page, 200, "Sign in with the company")
}

// Without create-users nobody is made; with link-users the user of that name is
// taken, once.
func TestLinkUsers(t *testing.T) {
	t.Parallel()
	o := open(t, "    link-users: true")
	o.want("unknown", o.signIn(nil), 401, "there is no user for you")
	id, _ := o.User("dana")
	o.want("linked", o.signIn(nil), 200, fmt.Sprintf(`"user_id":%d`, id))
	o.want("another with the name", o.signIn(map[string]any{"sub": "s-2"}), 401, "belongs to somebody else")
}

// Groups at the provider give and take roles; those that people gave stay.
func TestGroupMapping(t *testing.T) {
	t.Parallel()
	o := open(t, `    create-users: true
    groups:
      - {claim: devs, group: acme, role: developer}
      - {claim: leads, group: acme, role: Maintainer}
      - {claim: tools, project: acme/tools, role: owner}
      - {claim: gone, group: nowhere, role: owner}
      - {claim: admins, admin: true}
      - {claim: contractors, external: true}
`)
	role := func(level packhouse.Level, id int64) packhouse.Role {
		return o.Directory.Object(packhouse.Actor{Kind: packhouse.PersonalToken, UserID: o.Directory.UserByName("dana").ID}, packhouse.Target{Level: level, ID: id}).Role
	}
	for _, test := range []struct {
		groups          any
		group, project  packhouse.Role
		admin, external bool
	}{
		{[]string{"devs", "gone"}, packhouse.Developer, packhouse.Developer, false, false},
		{[]string{"devs", "leads"}, packhouse.Maintainer, packhouse.Maintainer, false, false},
		{[]string{"tools", "admins"}, packhouse.NoAccess, packhouse.Owner, true, false},
		{"contractors", packhouse.NoAccess, packhouse.NoAccess, false, true},
		{[]any{"devs", 1, nil}, packhouse.Developer, packhouse.Developer, false, false},
		{nil, packhouse.NoAccess, packhouse.NoAccess, false, false},
	} {
		o.want(fmt.Sprint(test.groups), o.signIn(map[string]any{"groups": test.groups}), 200, "")
		u := o.Directory.UserByName("dana")
		if g, p := role(packhouse.Group, o.group), role(packhouse.Project, o.tools); g != test.group || p != test.project || u.Admin != test.admin || u.External != test.external {
			t.Errorf("with groups %v: %v in the group, %v in the project, %+v", test.groups, g, p, u)
		}
	}
	dana := o.Directory.UserByName("dana").ID
	o.Member("groups", o.group, dana, packhouse.Reporter)
	o.want("sign-in", o.signIn(map[string]any{"groups": []string{"devs"}}), 200, "")
	o.want("sign-in", o.signIn(nil), 200, "")
	if got := role(packhouse.Group, o.group); got != packhouse.Reporter {
		t.Errorf("a role that people gave is %v, want Reporter as before", got)
	}
}

// Who was sent to the provider by another site, or brings what belongs to another
// sign-in, is refused.
func TestForgedReturn(t *testing.T) {
	t.Parallel()
	o := open(t, "    create-users: true")
	o.want("nobody", o.Do("GET", "/-/sign-in/oidc/nobody", nil), 404, "")
	o.want("nobody", o.Do("GET", "/-/sign-in/oidc/nobody/callback", nil), 404, "")
	for what, edit := range map[string]func(*visit){
		"no cookie":           func(v *visit) { v.cookie = "" },
		"another's cookie":    func(v *visit) { v.cookie = o.visit().cookie },
		"another state":       func(v *visit) { v.state = "x" },
		"no state":            func(v *visit) { v.state = "" },
		"no state, no cookie": func(v *visit) { v.state, v.cookie = "", "Cookie: _packhouse_sign_in=e30" },
		"no code":             func(v *visit) { v.code = "" },
		"another code":        func(v *visit) { v.code = "code-999" },
		"another's code":      func(v *visit) { v.code = o.visit().code }, // its challenge is another browser's
	} {
		v := o.visit()
		edit(&v)
		a := o.back(v)
		o.want(what, a, 401, "")
		for _, c := range a.Header.Values("Set-Cookie") {
			if strings.HasPrefix(c, "_packhouse_session=") {
				t.Errorf("%s: a session was begun", what)
			}
		}
	}
	for what, claims := range map[string]map[string]any{
		"another client":            {"aud": "other"},
		"two clients":               {"aud": []string{"packhouse", "other"}},
		"given to another":          {"aud": []string{"packhouse"}, "azp": "other"},
		"another nonce":             {"nonce": "x"},
		"no nonce":                  {"nonce": nil},
		"nobody":                    {"sub": ""},
		"another issuer":            {"iss": "https://other.example.net"},
		"expired":                   {"exp": 1},
		"a claim that is no number": {"iat": "now"},
	} {
		o.want(what, o.signIn(claims), 401, "did not sign you in")
	}
	o.want("two clients, given to us", o.signIn(map[string]any{"aud": []string{"packhouse", "other"}, "azp": "packhouse"}), 200, "")
	v := o.visit()
	o.want("once", o.back(v), 200, "")
	o.want("the same again", o.back(v), 401, "did not sign you in")
}

// A provider that is down is a reason to try again.
func TestProviderDown(t *testing.T) {
	t.Parallel()
	o := open(t, "")
	o.issuer.Stand(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	o.want("leave", o.Do("GET", "/-/sign-in/oidc/company", nil), 503, "")
}

// The secrets between us and the provider are written down nowhere.
func TestProviderSecretsAreNotKept(t *testing.T) {
	t.Parallel()
	o := open(t, "    create-users: true")
	o.want("sign-in", o.signIn(nil), 200, "")
	v := o.visit()
	v.code = "code-999"
	o.want("refused", o.back(v), 401, "")
	for _, secret := range []string{clientSecret, "provider-access-canary", v.state, v.cookie[len("Cookie: _packhouse_sign_in="):]} {
		if strings.Contains(o.Logged(), secret) || len(o.Holds(secret)) > 0 {
			t.Errorf("%q is written down", secret)
		}
	}
	if !strings.Contains(o.Logged(), "single sign-on failed") {
		t.Error("the log does not tell why a sign-in failed")
	}
}

func TestReadProviders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret, file := filepath.Join(dir, "secret"), filepath.Join(dir, "sign-in.yaml")
	must(t, os.WriteFile(secret, []byte("x"), 0o600))
	const good = "providers:\n- {name: a, issuer: https://x, client-id: y, client-secret-file: SECRET%s}\n"
	for text, want := range map[string]string{
		fmt.Sprintf(good, ""): "",
		"providers:\n- {name: a, issuer: https://x, client-id: y}":                                         "are needed",
		"providers:\n- {name: A/B, issuer: https://x, client-id: y, client-secret-file: SECRET}":           "lower-case",
		"providers:\n- {name: a, issuer: https://x, client-id: y, client-secret-file: SECRET, color: red}": "color",
		"providers:\n- {name: a, issuer: https://x, client-id: y, client-secret-file: /nowhere}":           "no such file",
		fmt.Sprintf(good, "") + "- {name: a, issuer: https://x, client-id: y, client-secret-file: SECRET}": "two providers",
		fmt.Sprintf(good, ", groups: [{claim: x, group: y, role: king}]"):                                  "is none of guest",
		fmt.Sprintf(good, ", groups: [{claim: x, group: y}]"):                                              "write group and role",
		fmt.Sprintf(good, ", groups: [{claim: x, group: y, project: z, role: guest}]"):                     "write group and role",
		fmt.Sprintf(good, ", groups: [{group: y, role: guest}]"):                                           "claim is missing",
		fmt.Sprintf(good, ", groups: [{claim: x}]"):                                                        "write group and role",
	} {
		must(t, os.WriteFile(file, []byte(strings.ReplaceAll(text, "SECRET", secret)), 0o600))
		_, err := signin.ReadProviders(file)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: ReadProviders = %v, want %q", text, err, want)
		}
	}
	if list, err := signin.ReadProviders(""); list != nil || err != nil {
		t.Errorf("ReadProviders of no file = %v, %v", list, err)
	}
}

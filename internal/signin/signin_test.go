package signin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/authn"
	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
)

const (
	password = "correct horse battery"
	asPage   = "Accept: text/html"
	asJSON   = "Content-Type: application/json"
)

// scene is a registry with the private project acme/tools, whose Maintainer dana
// has a password.
type scene struct {
	*formattest.World
	t       *testing.T
	dana    int64
	token   string
	project int64
}

func start(t *testing.T, edit ...func(*house.Options)) *scene {
	t.Helper()
	s := &scene{World: formattest.Start(t, edit...), t: t}
	group := s.Group("acme", 0, "private")
	s.project = s.Project("tools", group, "private")
	s.dana, s.token = s.User("dana")
	s.Member("groups", group, s.dana, packhouse.Maintainer)
	s.setPassword(s.dana, password)
	return s
}

func (s *scene) setPassword(user int64, password string) {
	s.t.Helper()
	s.API("PUT", fmt.Sprintf("/users/%d/password", user), fmt.Sprintf(`{"password":%q}`, password), nil)
}

// session is what a browser has after a sign-in.
type session struct{ cookie, csrf string }

func (s *scene) try(login, password string, header ...string) formattest.Answer {
	s.t.Helper()
	body, err := json.Marshal(map[string]string{"login": login, "password": password})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.Do("POST", "/-/sign-in", strings.NewReader(string(body)), append(header, asJSON)...)
}

func (s *scene) signIn(login, password string) session {
	s.t.Helper()
	a := s.try(login, password)
	var told struct {
		CSRF string `json:"csrf_token"`
	}
	if a.Status != 200 {
		s.t.Fatalf("sign-in = %d %s, want 200", a.Status, a.Body)
	}
	s.JSON(a, &told)
	return session{"Cookie: " + cookie(s.t, a), "X-Csrf-Token: " + told.CSRF}
}

// cookie is the session's cookie of an answer, as a browser sends it.
func cookie(t *testing.T, a formattest.Answer) string {
	t.Helper()
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		if c.Name == authn.SessionCookie {
			return c.Name + "=" + c.Value
		}
	}
	t.Fatalf("no session in %v", a.Header)
	return ""
}

func (s *scene) want(what string, a formattest.Answer, status int, text string) {
	s.t.Helper()
	if a.Status != status || !strings.Contains(string(a.Body), text) {
		s.t.Errorf("%s = %d %s, want %d with %q", what, a.Status, a.Body, status, text)
	}
}

// A session acts as its user wherever a person's token does, but where only
// package clients come.
func TestSession(t *testing.T) {
	t.Parallel()
	s := start(t)
	in := s.signIn("Dana", password)
	file := fmt.Sprintf("/api/v4/projects/%d/packages/generic/tool/1.0/f", s.project)
	s.want("publish with a token", s.Do("PUT", file, strings.NewReader("hello"), "Private-Token: "+s.token), 201, "")
	s.want("GET /user", s.Do("GET", "/api/v4/user", nil, in.cookie), 200, `"username":"dana"`)
	s.want("download", s.Do("GET", file, nil, in.cookie), 200, "hello")
	s.want("publish", s.Do("PUT", file, strings.NewReader("x"), in.cookie, in.csrf), 401, `"rule":"kind"`)
	body := `{"name":"robot","scopes":["api"]}`
	tokens := fmt.Sprintf("/api/v4/projects/%d/access_tokens", s.project)
	s.want("make a token", s.Do("POST", tokens, strings.NewReader(body), in.cookie, in.csrf, asJSON), 201, "glpat-")
	s.want("delete a package", s.Do("DELETE", fmt.Sprintf("/api/v4/projects/%d/packages/1", s.project), nil, in.cookie, in.csrf), 204, "")
	s.want("administer", s.Do("POST", "/api/v4/users", strings.NewReader("{}"), in.cookie, in.csrf, asJSON), 403, "administrator")
}

// What changes something needs the proof that it comes from our own pages.
func TestCSRF(t *testing.T) {
	t.Parallel()
	s := start(t)
	in, other := s.signIn("dana", password), s.signIn("dana", password)
	path := fmt.Sprintf("/api/v4/projects/%d/access_tokens", s.project)
	for what, header := range map[string]string{
		"none": "", "empty": "X-Csrf-Token: ", "wrong": "X-Csrf-Token: x", "of another session": other.csrf,
	} {
		s.want(what, s.Do("POST", path, strings.NewReader(`{"name":"x","scopes":["api"]}`), in.cookie, header, asJSON), 403, `"rule":"csrf"`)
	}
	form := url.Values{"name": {"x"}, "scopes[]": {"api"}, "authenticity_token": {strings.TrimPrefix(in.csrf, "X-Csrf-Token: ")}}
	s.want("in a form", s.Do("POST", path, strings.NewReader(form.Encode()), in.cookie, "Content-Type: application/x-www-form-urlencoded"), 201, "glpat-")
	s.want("a token beside the cookie", s.Do("POST", path, strings.NewReader(`{"name":"x","scopes":["api"]}`), in.cookie, "Private-Token: "+s.token, asJSON), 201, "glpat-")
	s.want("sign-in from another site", s.try("dana", password, "Origin: https://evil.example.net"), 403, "another site")
	s.want("sign-in from another site", s.try("dana", password, "Sec-Fetch-Site: cross-site"), 403, "another site")
	s.want("sign-in from here", s.try("dana", password, "Sec-Fetch-Site: same-origin"), 200, "")
	s.want("sign-in from here", s.try("dana", password, "Origin: "+s.URL), 200, "")
}

// The secret of a session is good in its cookie and nowhere else, and a token is
// no session.
func TestSecretsAreNotMixed(t *testing.T) {
	t.Parallel()
	s := start(t)
	in := s.signIn("dana", password)
	_, secret, _ := strings.Cut(in.cookie, "=")
	for _, header := range []string{"Private-Token: " + secret, "Authorization: Bearer " + secret, "Job-Token: " + secret} {
		s.want(header[:9], s.Do("GET", "/api/v4/user", nil, header), 401, "")
	}
	for _, header := range []string{"Cookie: _packhouse_session=" + s.token, "Cookie: _gitlab_session=" + secret, "Cookie: _packhouse_session=x", "Cookie: _packhouse_session="} {
		s.want(header, s.Do("GET", "/api/v4/user", nil, header), 401, "")
	}
	// A password is good for a session alone.
	for _, header := range []string{"Private-Token: " + password, "Authorization: Basic ZGFuYTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk="} {
		s.want(header, s.Do("GET", "/api/v4/user", nil, header), 401, "")
	}
}

// A session ends by signing out, by its owner, with a new password, with its
// user, after being idle and after its life.
func TestSessionEnds(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *house.Options) { o.Sessions.Idle, o.Sessions.Life = 2*time.Second, time.Hour })
	alive := func(what string, in session, want int) {
		t.Helper()
		s.want(what, s.Do("GET", "/api/v4/user", nil, in.cookie), want, "")
	}
	in := s.signIn("dana", password)
	s.want("sign out without proof", s.Do("POST", "/-/sign-out", nil, in.cookie), 403, "csrf")
	a := s.Do("POST", "/-/sign-out", nil, in.cookie, in.csrf)
	if a.Status != 204 || !strings.Contains(a.Header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("sign out = %d %v, want 204 and the cookie gone", a.Status, a.Header)
	}
	alive("signed out", in, 401)

	in, other := s.signIn("dana", password), s.signIn("dana", password)
	var list []struct {
		ID      int64
		Current bool `json:"is_current"`
	}
	s.JSON(s.Do("GET", "/api/v4/user/sessions", nil, in.cookie), &list)
	if len(list) != 2 || list[0].Current || !list[1].Current {
		t.Fatalf("sessions = %+v, want the other and this one", list)
	}
	path := fmt.Sprintf("/api/v4/user/sessions/%d", list[0].ID)
	s.setPassword(1, "quite another secret")
	root := s.signIn("root", "quite another secret")
	s.want("end somebody else's session", s.Do("DELETE", path, nil, root.cookie, root.csrf), 404, "404 Session Not Found")
	s.want("end the other session", s.Do("DELETE", path, nil, in.cookie, in.csrf), 204, "")
	alive("ended", other, 401)
	alive("this one", in, 200)

	other = s.signIn("dana", password)
	change := func(old, fresh string) formattest.Answer {
		return s.Do("PUT", "/api/v4/user/password", strings.NewReader(fmt.Sprintf(`{"current_password":%q,"password":%q}`, old, fresh)), in.cookie, in.csrf, asJSON)
	}
	s.want("change with a wrong password", change("wrong", "new secret words"), 403, "current_password is wrong")
	s.want("change to a weak password", change(password, "dana1234"), 400, "must not contain the user name")
	s.want("change", change(password, "new secret words"), 204, "")
	alive("of the old password", other, 401)
	alive("that changed it", in, 200)
	s.want("sign in with the old one", s.try("dana", password), 401, "")

	s.setPassword(s.dana, password)
	alive("after an administrator set the password", in, 401)
	in = s.signIn("dana", password)
	time.Sleep(2100 * time.Millisecond)
	alive("idle", in, 401)
}

// Who guesses learns nothing: not from the answer and not from the time.
func TestWrongPassword(t *testing.T) {
	t.Parallel()
	s := start(t)
	_, _ = s.User("erin") // has no password
	var answers []string
	for what, login := range map[string]string{"wrong password": "dana", "no password": "erin", "nobody": "nobody", "root, which has none": "root", "a bot": "project_1_bot_9"} {
		a := s.try(login, "guess guess")
		s.want(what, a, 401, `"rule":"password"`)
		var e struct{ Message, Fix string }
		s.JSON(a, &e)
		answers = append(answers, e.Message+e.Fix)
		if a.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: a cookie was set", what)
		}
	}
	for _, a := range answers {
		if a != answers[0] {
			t.Errorf("answers differ: %q and %q", a, answers[0])
		}
	}
	fastest := func(login string) time.Duration {
		best := time.Hour
		for range 5 {
			begin := time.Now()
			s.try(login, "guess guess")
			best = min(best, time.Since(begin))
		}
		return best
	}
	known, unknown := fastest("dana"), fastest("nobody")
	if unknown < known/3 {
		t.Errorf("an unknown user takes %v, a known one %v: want about the same", unknown, known)
	}
	s.want("too long", s.try("dana", strings.Repeat("x", 5000)), 401, "")
	s.want("much too long", s.try("dana", strings.Repeat("x", 50_000)), 413, "")
	s.want("empty", s.try("dana", ""), 400, "")
	s.want("no JSON", s.Do("POST", "/-/sign-in", strings.NewReader(`{"login":`), asJSON), 400, "")
}

// An administrator makes users with a password, as GitLab's clients do.
func TestUserWithPassword(t *testing.T) {
	t.Parallel()
	s := start(t)
	weak := s.Do("POST", "/api/v4/users", strings.NewReader(`{"username":"finn","password":"short"}`), formattest.Root, asJSON)
	s.want("a weak one", weak, 400, `"password":["is too short (minimum is 8 characters)"]`)
	if s.Directory.UserByName("finn") != nil {
		t.Error("a user was made whose password was refused")
	}
	var made struct{ ID int64 }
	s.API("POST", "/users", `{"username":"finn","name":"Finn","email":"f@example.net","password":"first secret","skip_confirmation":true}`, &made)
	s.signIn("finn", "first secret")
	s.API("PUT", fmt.Sprintf("/users/%d", made.ID), `{"password":"second secret"}`, nil)
	s.want("the first", s.try("finn", "first secret"), 401, "")
	in := s.signIn("finn", "second secret")
	s.API("POST", fmt.Sprintf("/users/%d/block", made.ID), "", nil)
	s.want("a blocked user's session", s.Do("GET", "/api/v4/user", nil, in.cookie), 403, "blocked")
	s.want("a blocked user", s.try("finn", "second secret"), 403, "blocked")
	s.API("POST", fmt.Sprintf("/users/%d/unblock", made.ID), "", nil)
	s.API("DELETE", fmt.Sprintf("/users/%d", made.ID), "", nil)
	s.want("a removed user's session", s.Do("GET", "/api/v4/user", nil, in.cookie), 401, "")
	s.want("a removed user", s.try("finn", "second secret"), 401, "")
}

// Many who sign in at once wait for each other and are all answered.
func TestManySignIns(t *testing.T) {
	t.Parallel()
	s := start(t)
	var wait sync.WaitGroup
	body := fmt.Sprintf(`{"login":"dana","password":%q}`, password)
	for range 12 {
		wait.Go(func() {
			if a, err := s.Try("POST", "/-/sign-in", strings.NewReader(body), asJSON); err != nil || a.Status != 200 && a.Status != 503 {
				t.Errorf("sign-in = %d %s %v, want 200, or 503 on a slow machine", a.Status, a.Body, err)
			}
		})
	}
	wait.Wait()
}

// A person without scripts signs in and out with forms.
func TestPages(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := s.Do("GET", "/-/sign-in?return_to=/acme/tools", nil, asPage)
	if a.Status != 200 || !strings.Contains(string(a.Body), `value="/acme/tools"`) || !strings.Contains(a.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("GET /-/sign-in = %d %v %s", a.Status, a.Header, a.Body)
	}
	submit := func(password, to string) formattest.Answer {
		form := url.Values{"login": {"dana"}, "password": {password}, "return_to": {to}}
		return s.Do("POST", "/-/sign-in", strings.NewReader(form.Encode()), asPage, "Content-Type: application/x-www-form-urlencoded")
	}
	s.want("a wrong password", submit("wrong wrong", "/"), 401, "The user name or the password is wrong")
	for to, want := range map[string]string{
		"/acme/tools?x=1": "/acme/tools?x=1", "": "/-/session", "https://evil.example.net": "/-/session", "//evil.example.net": "/-/session",
		"/\\evil.example.net": "/-/session", "javascript:alert(1)": "/-/session", "/\t/evil.example.net": "/-/session", "evil": "/-/session",
	} {
		if a := submit(password, to); a.Status != 303 || a.Header.Get("Location") != want {
			t.Errorf("sign-in, back to %q = %d %s, want 303 %s", to, a.Status, a.Header.Get("Location"), want)
		}
	}
	in := cookie(t, submit(password, "/"))
	a = s.Do("GET", "/-/session", nil, asPage, "Cookie: "+in)
	_, rest, _ := strings.Cut(string(a.Body), `name="authenticity_token" value="`)
	csrf, _, _ := strings.Cut(rest, `"`)
	if a.Status != 200 || !strings.Contains(string(a.Body), "<strong>dana</strong>") || csrf == "" {
		t.Fatalf("GET /-/session = %d %s", a.Status, a.Body)
	}
	a = s.Do("POST", "/-/sign-out", strings.NewReader("authenticity_token="+url.QueryEscape(csrf)), asPage, "Cookie: "+in, "Content-Type: application/x-www-form-urlencoded")
	if a.Status != 303 || a.Header.Get("Location") != "/-/sign-in" {
		t.Errorf("sign out = %d %v %s, want 303", a.Status, a.Header, a.Body)
	}
	s.want("after it", s.Do("GET", "/-/session", nil, "Cookie: "+in), 401, "")
}

// The cookie is out of reach for scripts and other sites, and where the public
// address is https, for the wire.
func TestCookie(t *testing.T) {
	t.Parallel()
	for external, want := range map[string]string{
		"":                               "; Path=/; Expires=…; HttpOnly; SameSite=Lax",
		"https://pkgs.example.net/house": "; Path=/house/; Expires=…; HttpOnly; Secure; SameSite=Lax",
	} {
		s := start(t, func(o *house.Options) {
			if external != "" {
				o.External, _ = url.Parse(external)
			}
		})
		a := s.try("dana", password)
		_, attributes, _ := strings.Cut(a.Header.Get("Set-Cookie"), ";")
		before, rest, _ := strings.Cut(";"+attributes, "Expires=")
		_, after, _ := strings.Cut(rest, ";")
		if got := before + "Expires=…;" + after; got != want {
			t.Errorf("external %q: cookie with %q, want %q", external, got, want)
		}
	}
}

// Passwords and sessions are written down nowhere as they are.
func TestSecretsAreNotKept(t *testing.T) {
	t.Parallel()
	s := start(t)
	in := s.signIn("dana", password)
	s.want("wrong", s.try("dana", "canary canary canary"), 401, "")
	s.want("garbage", s.Do("POST", "/-/sign-in", strings.NewReader(`{"login":"dana","password":"canary canary canary"`), asJSON), 400, "")
	_, secret, _ := strings.Cut(in.cookie, "=")
	_, csrf, _ := strings.Cut(in.csrf, ": ")
	s.want("session", s.Do("GET", "/-/session", nil, in.cookie), 200, csrf)
	metrics := s.Do("GET", "/-/metrics", nil)
	for _, one := range []string{password, "canary canary canary", secret, csrf} {
		if strings.Contains(s.Logged(), one) || strings.Contains(string(metrics.Body), one) || len(s.Holds(one)) > 0 {
			t.Errorf("%q is written down", one)
		}
	}
	if !strings.Contains(s.Logged(), "actor=dana") {
		t.Error("the log tells of nobody; this test proves nothing")
	}
}

// Package signin is how people sign in with a browser: pages that work without
// scripts, and the same as JSON for those that have some.
//
// A user name and a password, or a provider of single sign-on, give a session,
// whose secret is in a cookie. What the session may do is decided where all else
// is decided.
package signin

import (
	"encoding/json"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"packhouse"
	"packhouse/internal/authn"
	"packhouse/internal/authz"
	"packhouse/internal/directory"
	"packhouse/internal/format"
	"packhouse/internal/ledger"
	"packhouse/internal/oidc"
	"packhouse/internal/store"
)

// Protocol is a format.Protocol that is mounted at the root of the host.
type Protocol struct {
	Authn     *authn.Authenticator
	Passwords *authn.Passwords
	Directory *directory.Directory
	Changes   *directory.Changes
	Store     *store.Store
	Issuers   *oidc.Issuers
	Providers []Provider
	External  *url.URL // public address; nil: as each request says
	Log       *slog.Logger
}

// Routes implements format.Protocol.
func (p *Protocol) Routes() []format.Route {
	route := func(method, path string, action authz.Action, handle func(http.ResponseWriter, *http.Request, *format.Call) error) format.Route {
		return format.Route{Level: packhouse.Instance, Method: method, Path: path, Action: action, Handle: handle}
	}
	unread := func(r format.Route) format.Route { r.Unread = true; return r }
	return []format.Route{
		unread(route("GET", "/-/sign-in", authz.Anyone, p.form)),
		unread(route("POST", "/-/sign-in", authz.Anyone, p.signIn)),
		unread(route("GET", "/-/sign-in/oidc/{provider}", authz.Anyone, p.leave)),
		unread(route("GET", "/-/sign-in/oidc/{provider}/callback", authz.Anyone, p.arrive)),
		route("POST", "/-/sign-out", authz.Anyone, p.signOut),
		route("GET", "/-/session", authz.SignedIn, p.session),
	}
}

// WriteError implements format.Protocol: as a page for who reads pages.
func (p *Protocol) WriteError(w http.ResponseWriter, r *http.Request, e *packhouse.Error) {
	if !wantsPage(r) {
		format.GitLabError(w, e)
		return
	}
	p.page(w, e.Kind.Status(), content{Problem: problemOf(e), RequestID: w.Header().Get("X-Request-Id")})
}

func problemOf(e *packhouse.Error) string {
	switch {
	case e.Kind == packhouse.Internal:
		return "Something went wrong on the server."
	case e.Fix != "":
		return strings.ToUpper(e.Fix[:1]) + e.Fix[1:] + "."
	}
	return e.Message
}

// wantsPage reports whether a person with a browser asks.
func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// form is the page to sign in with, or what there is to sign in with as JSON.
func (p *Protocol) form(w http.ResponseWriter, r *http.Request, _ *format.Call) error {
	if !wantsPage(r) {
		providers := []any{}
		for _, one := range p.Providers {
			providers = append(providers, map[string]any{"name": one.Name, "label": one.Label, "url": "/-/sign-in/oidc/" + one.Name})
		}
		format.WriteJSON(w, http.StatusOK, map[string]any{"password": true, "providers": providers})
		return nil
	}
	p.page(w, http.StatusOK, content{ReturnTo: local(r.URL.Query().Get("return_to"))})
	return nil
}

// given is what a sign-in is asked with.
type given struct {
	Login    string `json:"login"`
	Password string `json:"password"`
	ReturnTo string `json:"return_to"`
}

// maxBody bounds what is read of a sign-in, in bytes.
const maxBody = 16 << 10

func read(r *http.Request) (g given, err error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return g, packhouse.Errorf(packhouse.TooLarge, "413 Request Entity Too Large")
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/json" {
		err = json.Unmarshal(body, &g)
	} else {
		var form url.Values
		form, err = url.ParseQuery(string(body))
		g = given{form.Get("login"), form.Get("password"), form.Get("return_to")}
	}
	if err != nil {
		return given{}, packhouse.Errorf(packhouse.Invalid, "the request's body cannot be read") // the cause quotes it
	}
	return g, nil
}

// signIn begins a session with a user name and a password.
func (p *Protocol) signIn(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	// Another site must not sign its visitors in as somebody of its choice.
	if err := p.sameOrigin(r); err != nil {
		return &packhouse.Error{
			Kind: packhouse.Forbidden, Rule: "csrf", Message: "403 Forbidden - the request comes from another site",
			Fix: "open the page of this server and sign in there", Err: err,
		}
	}
	g, err := read(r)
	if err != nil {
		return err
	}
	if g.Login == "" || g.Password == "" {
		return packhouse.InvalidParam("login", "and password are needed")
	}
	user, err := p.Passwords.Verify(r.Context(), g.Login, g.Password)
	if err != nil {
		return err
	}
	return p.begin(w, r, c, user, g.ReturnTo)
}

// sameOrigin refuses what another site has a browser send.
func (p *Protocol) sameOrigin(r *http.Request) error {
	check := new(http.CrossOriginProtection)
	if p.External != nil {
		if err := check.AddTrustedOrigin(p.External.Scheme + "://" + p.External.Host); err != nil {
			return err
		}
	}
	return check.Check(r)
}

// begin begins a session and tells the browser.
func (p *Protocol) begin(w http.ResponseWriter, r *http.Request, c *format.Call, user *ledger.User, returnTo string) error {
	by := ledger.By{Kind: packhouse.Session, UserID: user.ID, Name: user.Username, RequestID: c.RequestID}
	t, secret, err := p.Authn.SignIn(r.Context(), by, user, browser(r))
	if err != nil {
		return err
	}
	cookie := p.cookie(c, authn.SessionCookie, secret)
	cookie.Expires = t.ExpiresAt
	http.SetCookie(w, cookie)
	w.Header().Set("Cache-Control", "no-store")
	if wantsPage(r) {
		http.Redirect(w, r, c.Base().Path+local(returnTo), http.StatusSeeOther)
		return nil
	}
	format.WriteJSON(w, http.StatusOK, map[string]any{
		"user_id": user.ID, "username": user.Username, "csrf_token": authn.CSRF(secret), "expires_at": t.ExpiresAt.Format(format.Time),
	})
	return nil
}

// cookie is one that only this server reads, and no script.
func (p *Protocol) cookie(c *format.Call, name, value string) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: c.Base().Path + "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: c.Base().Scheme == "https",
	}
}

// browser is what tells a session from the others of its user.
func browser(r *http.Request) string {
	agent := strings.ToValidUTF8(r.UserAgent(), "")
	return agent[:min(len(agent), 200)]
}

// signOut ends the session that the request came with.
func (p *Protocol) signOut(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	if c.Actor.Kind == packhouse.Session {
		by := ledger.Of(c.Actor, c.RequestID)
		err := authn.Issuer{Store: p.Store}.Revoke(r.Context(), by, c.Actor.TokenID, func(*ledger.Token) error { return nil })
		if err != nil && packhouse.KindOf(err) != packhouse.NotFound {
			return err
		}
	}
	cookie := p.cookie(c, authn.SessionCookie, "")
	cookie.MaxAge = -1
	http.SetCookie(w, cookie)
	if wantsPage(r) {
		http.Redirect(w, r, c.Base().Path+"/-/sign-in", http.StatusSeeOther)
		return nil
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// session tells a page who is signed in, and what proves that a request comes
// from it.
func (p *Protocol) session(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	if c.Actor.Kind != packhouse.Session {
		return packhouse.Errorf(packhouse.NotFound, "404 Session Not Found")
	}
	w.Header().Set("Cache-Control", "no-store")
	answer := map[string]any{
		"user_id": c.Actor.UserID, "username": c.Actor.Name, "admin": c.Actor.Admin, "csrf_token": authn.CSRF(authn.SessionSecret(r)),
	}
	if wantsPage(r) {
		p.page(w, http.StatusOK, content{Username: c.Actor.Name, CSRF: authn.CSRF(authn.SessionSecret(r))})
		return nil
	}
	format.WriteJSON(w, http.StatusOK, answer)
	return nil
}

// local is where to go after the sign-in: a path on this server, or the page of
// the session. What could be read as another host is not one.
func local(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") ||
		strings.ContainsAny(path, "\\\r\n\t") || len(path) > 2000 {
		return "/-/session"
	}
	return path
}

var errNoProvider error = &packhouse.Error{
	Kind: packhouse.NotFound, Rule: "route", Message: "404 Not Found", Fix: "there is no such provider; sign in at /-/sign-in",
}

// asRefusal refuses who signs in, and tells them what they can know of the reason.
func asRefusal(problem string) error {
	return &packhouse.Error{Kind: packhouse.Unauthenticated, Rule: "sso", Message: "401 Unauthorized", Fix: problem}
}

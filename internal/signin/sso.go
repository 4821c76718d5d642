package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"packhouse"
	"packhouse/internal/directory"
	"packhouse/internal/format"
	"packhouse/internal/ledger"
	"packhouse/internal/oidc"
)

// journeyCookie keeps what a browser must bring back from a provider.
const (
	journeyCookie = "_packhouse_sign_in"
	journeyLife   = 10 * time.Minute
)

// journey is a browser's way to a provider and back. The state ties the answer to
// the browser, the nonce the ID token to the request (OpenID Connect Core 1.0,
// 3.1.2.1), the verifier the code to both (RFC 7636).
type journey struct {
	Provider string `json:"p"`
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
	ReturnTo string `json:"r"`
}

func random() string {
	var b [32]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (p *Protocol) provider(name string) *Provider {
	i := slices.IndexFunc(p.Providers, func(one Provider) bool { return one.Name == name })
	if i < 0 {
		return nil
	}
	return &p.Providers[i]
}

// client is this server as a provider knows it.
func (p *Protocol) client(one *Provider, m oidc.Metadata, c *format.Call) *oauth2.Config {
	return &oauth2.Config{
		ClientID: one.ClientID, ClientSecret: one.secret, Scopes: one.Scopes,
		RedirectURL: c.Base().JoinPath("/-/sign-in/oidc", one.Name, "callback").String(),
		Endpoint:    oauth2.Endpoint{AuthURL: m.Authorization, TokenURL: m.Token},
	}
}

// leave sends a browser to a provider.
func (p *Protocol) leave(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	one := p.provider(c.Arg("provider"))
	if one == nil {
		return errNoProvider
	}
	m, err := p.Issuers.Metadata(r.Context(), one.Issuer)
	if err != nil {
		return err
	}
	j := journey{one.Name, random(), random(), oauth2.GenerateVerifier(), local(r.URL.Query().Get("return_to"))}
	text, err := json.Marshal(j)
	if err != nil {
		return err
	}
	cookie := p.cookie(c, journeyCookie, base64.RawURLEncoding.EncodeToString(text))
	cookie.MaxAge = int(journeyLife.Seconds())
	http.SetCookie(w, cookie)
	w.Header().Set("Cache-Control", "no-store")
	to := p.client(one, m, c).AuthCodeURL(j.State, oauth2.S256ChallengeOption(j.Verifier), oauth2.SetAuthURLParam("nonce", j.Nonce))
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// arrive takes a browser back from a provider, and begins a session.
func (p *Protocol) arrive(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	one := p.provider(c.Arg("provider"))
	if one == nil {
		return errNoProvider
	}
	gone := p.cookie(c, journeyCookie, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	j, ok := journeyOf(r)
	q := r.URL.Query()
	if !ok || j.Provider != one.Name || subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(j.State)) != 1 {
		return asRefusal("the sign-in was not begun in this browser, or took more than ten minutes; begin again")
	}
	if q.Get("error") != "" || q.Get("code") == "" {
		return asRefusal(one.Label + " did not sign you in")
	}
	claims, err := p.claims(r.Context(), c, one, j, q.Get("code"))
	if err != nil {
		return err
	}
	user, err := p.provision(r.Context(), c, one, claims)
	if err != nil {
		return err
	}
	if user.Standing() != "active" {
		return &packhouse.Error{
			Kind: packhouse.Forbidden, Rule: "blocked", Message: "403 Forbidden - Your account has been " + user.Standing(),
			Fix: "ask an administrator to make " + user.Username + " active again",
		}
	}
	return p.begin(w, r, c, user, j.ReturnTo)
}

func journeyOf(r *http.Request) (j journey, ok bool) {
	cookie, err := r.Cookie(journeyCookie)
	if err != nil {
		return j, false
	}
	text, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || json.Unmarshal(text, &j) != nil {
		return j, false
	}
	return j, j.State != "" && j.Nonce != "" && j.Verifier != ""
}

// claims exchanges a code for an ID token and checks it.
func (p *Protocol) claims(ctx context.Context, c *format.Call, one *Provider, j journey, code string) (oidc.Claims, error) {
	m, err := p.Issuers.Metadata(ctx, one.Issuer)
	if err != nil {
		return nil, err
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, p.Issuers.Client())
	tokens, err := p.client(one, m, c).Exchange(ctx, code, oauth2.VerifierOption(j.Verifier))
	if err != nil {
		// What the provider says may quote the secret, so it is not passed on.
		return nil, p.failed(c, one, "the provider did not take the code")
	}
	raw, _ := tokens.Extra("id_token").(string)
	u, err := oidc.Parse(raw)
	if err != nil || u.Issuer() != one.Issuer {
		return nil, p.failed(c, one, "there is no ID token of the issuer")
	}
	v, err := p.Issuers.Verify(ctx, u)
	if err != nil {
		if packhouse.KindOf(err) == packhouse.Unavailable {
			return nil, err
		}
		return nil, p.failed(c, one, packhouse.AsError(err).Fix)
	}
	audience, party := v.Claims.Texts("aud"), v.Claims.First("azp")
	nonce, _ := v.Claims.Text("nonce")
	switch {
	case !slices.Contains(audience, one.ClientID), len(audience) > 1 && party != one.ClientID, party != "" && party != one.ClientID:
		return nil, p.failed(c, one, "the ID token is for another client")
	case subtle.ConstantTimeCompare([]byte(nonce), []byte(j.Nonce)) != 1:
		return nil, p.failed(c, one, "the ID token is for another request")
	case v.Claims.First("sub") == "":
		return nil, p.failed(c, one, "the ID token names nobody")
	}
	return v.Claims, nil
}

// failed tells the log why a sign-in went wrong, and the person that it did.
func (p *Protocol) failed(c *format.Call, one *Provider, why string) error {
	p.Log.Warn("single sign-on failed", "request_id", c.RequestID, "provider", one.Name, "reason", why)
	return asRefusal(one.Label + " did not sign you in; an administrator finds the reason in the log")
}

// provision finds or makes the user, with the rights that their groups give.
func (p *Protocol) provision(ctx context.Context, c *format.Call, one *Provider, claims oidc.Claims) (*ledger.User, error) {
	d := directory.Provision{
		Provider: one.Name, Subject: claims.First("sub"), Create: one.CreateUsers, Link: one.LinkUsers,
		User: ledger.User{Username: claims.First(one.UsernameClaim), Name: claims.First("name"), Email: claims.First("email")},
	}
	p.grant(one, claims.Texts(one.GroupsClaim), &d)
	if d.External != nil {
		d.User.External = *d.External
	}
	by := ledger.By{Kind: packhouse.Session, Name: "sso/" + one.Name, RequestID: c.RequestID}
	user, err := p.Changes.SignIn(ctx, by, d)
	switch packhouse.KindOf(err) {
	case packhouse.NotFound:
		return nil, asRefusal("there is no user for you on this server; ask an administrator to make one")
	case packhouse.Conflict, packhouse.Invalid:
		return nil, asRefusal("your user name belongs to somebody else on this server, or cannot be one; ask an administrator")
	}
	return user, err
}

// grant reads what somebody's groups at the provider give.
func (p *Protocol) grant(one *Provider, groups []string, d *directory.Provision) {
	d.Roles = map[packhouse.Target]packhouse.Role{}
	for _, g := range one.Groups {
		has := slices.Contains(groups, g.Claim)
		provide(g.Admin, has, &d.Admin)
		provide(g.External, has, &d.External)
		level, path := packhouse.Group, g.Group
		if g.Project != "" {
			level, path = packhouse.Project, g.Project
		}
		if t, known := p.Directory.Resolve(level, path); has && path != "" && known {
			t.Path = ""
			d.Roles[t] = max(d.Roles[t], g.role)
		}
	}
}

// provide sets a flag that is the provider's business when one of its groups
// gives it, and clears it when none does.
func provide(ours, has bool, into **bool) {
	if !ours {
		return
	}
	if *into == nil {
		*into = new(bool)
	}
	**into = **into || has
}

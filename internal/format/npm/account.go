package npm

import (
	"net/http"
	"strings"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
)

type handler = func(http.ResponseWriter, *http.Request, *format.Call) error

// accountRoutes are about who asks, and the services that a registry has beside
// its packages.
func (n NPM) accountRoutes() []format.Route {
	anyone := func(method, path string, handle handler) format.Route {
		return format.Route{Level: everywhere, Method: method, Path: path, Action: authz.Anyone, Handle: handle}
	}
	exchange := anyone("POST", "/-/npm/v1/oidc/token/exchange/package/{name...}", n.exchange)
	exchange.Unread = true
	return append(n.elsewhereRoutes(), []format.Route{
		anyone("GET", "/-/ping", n.ping),
		anyone("GET", "/-/whoami", n.whoami),
		anyone("POST", "/-/v1/login", n.noWebLogin),
		anyone("PUT", "/-/user/{user}", n.login),
		anyone("GET", "/-/user/{user}", n.loginState),
		anyone("PUT", "/-/user/{user}/-rev/{rev}", n.loginWithToken),
		anyone("DELETE", "/-/user/token/{token}", n.logout),
		exchange,
	}...)
}

// ping answers that the registry is there.
func (NPM) ping(w http.ResponseWriter, _ *http.Request, _ *format.Call) error {
	format.WriteJSON(w, http.StatusOK, struct{}{})
	return nil
}

// whoami tells the owner of a token who they are.
func (NPM) whoami(w http.ResponseWriter, _ *http.Request, c *format.Call) error {
	if c.Actor.Kind == packhouse.Anonymous {
		return errNobody()
	}
	format.WriteJSON(w, http.StatusOK, map[string]string{"username": c.Actor.Name})
	return nil
}

func errNobody() error {
	return &packhouse.Error{
		Kind: packhouse.Unauthenticated, Rule: "sign-in", Message: "401 Unauthorized",
		Fix: "put an access token into .npmrc as _authToken, or run npm login --auth-type=legacy with the token as the password",
	}
}

// noWebLogin has npm ask for a name and a password instead of opening a browser.
func (NPM) noWebLogin(http.ResponseWriter, *http.Request, *format.Call) error { return errNoRoute() }

// login is the first of three requests with which npm login takes a name and, for
// a password, an access token. That comes in the body, where the gate does not look
// for it; told of a conflict, npm sends it again as a credential.
func (NPM) login(_ http.ResponseWriter, _ *http.Request, c *format.Call) error {
	if _, ok := userOf(c); !ok {
		return errNoRoute()
	}
	return &packhouse.Error{
		Kind: packhouse.Conflict, Rule: "login", Message: "409 Conflict - people are not registered here",
		Fix: "run npm login --auth-type=legacy with an access token as the password",
	}
}

// loginState is the second: the same for every name.
func (NPM) loginState(w http.ResponseWriter, _ *http.Request, c *format.Call) error {
	name, ok := userOf(c)
	if !ok {
		return errNoRoute()
	}
	format.WriteJSON(w, http.StatusOK, map[string]any{"_id": userPrefix + name, "_rev": "1-0", "name": name, "type": "user", "roles": []string{}})
	return nil
}

// loginWithToken is the third. The gate has seen the credential; what was the
// password goes into .npmrc.
func (NPM) loginWithToken(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	name, ok := userOf(c)
	if !ok {
		return errNoRoute()
	}
	_, token, basic := r.BasicAuth()
	if !basic || c.Actor.Kind == packhouse.Anonymous {
		return errNobody()
	}
	w.Header().Set("Cache-Control", "no-store")
	format.WriteJSON(w, http.StatusCreated, map[string]any{"ok": true, "id": userPrefix + name, "rev": "1-0", "token": token})
	return nil
}

// logout lets npm take the token out of .npmrc, which it does after a good answer
// alone. The token stays valid: it was not made by npm login, and others may use it.
func (NPM) logout(w http.ResponseWriter, _ *http.Request, _ *format.Call) error {
	w.Header().Set("Npm-Notice", "You are logged out here. The token itself is still valid: revoke it where it was made.")
	format.WriteJSON(w, http.StatusOK, map[string]any{"ok": true})
	return nil
}

// elsewhereRoutes are commands of npm for what is not done by npm here. Whoever
// runs one is told where it is done.
func (NPM) elsewhereRoutes() (all []format.Route) {
	const members = "roles in the project and its groups say who may read and publish"
	for _, e := range []struct{ command, methods, path, fix string }{
		{"npm token", "GET POST", "/-/npm/v1/tokens", "access tokens are made and revoked in the API, /api/v4/personal_access_tokens"},
		{"npm token", "DELETE", "/-/npm/v1/tokens/token/{token...}", "access tokens are revoked in the API, /api/v4/personal_access_tokens"},
		{"npm profile", "GET POST", "/-/npm/v1/user", "see /api/v4/user"},
		{"npm access", "GET", "/-/package/{name...}/collaborators", members},
		{"npm access", "GET", "/-/package/{name...}/visibility", "a package is as visible as its project"},
		{"npm access", "POST", "/-/package/{name...}/access", "a package is as visible as its project"},
		{"npm access", "GET", "/-/{kind}/{name}/package", members},
		{"npm team", "GET PUT DELETE", "/-/team/{name...}", members},
		{"npm org", "GET PUT DELETE", "/-/org/{name...}", members},
		{"npm stars", "GET", "/-/_view/starredByUser", "nothing is starred here"},
	} {
		for method := range strings.FieldsSeq(e.methods) {
			all = append(all, format.Route{
				Level: everywhere, Method: method, Path: e.path, Action: authz.Anyone,
				Handle: func(http.ResponseWriter, *http.Request, *format.Call) error { return errElsewhere(e.command, e.fix) },
			})
		}
	}
	return all
}

func errElsewhere(command, fix string) error {
	return &packhouse.Error{Kind: packhouse.NotFound, Rule: "elsewhere", Message: "404 Not Found - " + command + " changes nothing here", Fix: fix}
}

const userPrefix = "org.couchdb.user:"

func userOf(c *format.Call) (string, bool) { return strings.CutPrefix(c.Arg("user"), userPrefix) }

// exchange makes a job token for the ID token of a CI job.
func (NPM) exchange(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	name, err := wholeName(c.Arg("name"))
	if err != nil {
		return err
	}
	if c.Exchanger == nil {
		return errNoRoute()
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return errNobody()
	}
	x := format.Exchange{Token: token, Format: "npm", Package: name, RequestID: c.RequestID}
	if c.Target.Level == packhouse.Project {
		x.Project = c.Target
	}
	made, err := c.Exchanger.Exchange(r.Context(), x)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	format.WriteJSON(w, http.StatusCreated, map[string]any{
		"token": made.Secret, "token_type": "oidc", "expires": stamp(made.Expires),
	})
	return nil
}

// advisories answers npm audit. No advisories are known here, and what is asked
// about is told to nobody else.
func (NPM) advisories(w http.ResponseWriter, _ *http.Request, _ *format.Call) error {
	format.WriteJSON(w, http.StatusOK, struct{}{})
	return nil
}

// audit is advisories for Yarn 1 and old npm, which want a report.
func (NPM) audit(w http.ResponseWriter, _ *http.Request, _ *format.Call) error {
	none := map[string]int{"info": 0, "low": 0, "moderate": 0, "high": 0, "critical": 0}
	format.WriteJSON(w, http.StatusOK, map[string]any{
		"actions": []any{}, "advisories": struct{}{}, "muted": []any{},
		"metadata": map[string]any{
			"vulnerabilities": none, "dependencies": 0, "devDependencies": 0, "optionalDependencies": 0, "totalDependencies": 0,
		},
	})
	return nil
}

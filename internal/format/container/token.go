package container

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// service is what the token service and its tokens are for, in GitLab's word.
const service = "container_registry"

// life is how long a token lasts. Clients ask for another when it is over, and what
// was begun with it may be finished later.
const life = 15 * time.Minute

// mostScopes bounds what one request may ask for.
const mostScopes = 100

// tokens is the token service at /jwt/auth
// (https://distribution.github.io/distribution/spec/auth/token/).
type tokens struct{}

// Routes implements format.Protocol. containerd and oras first POST, as OAuth2 has
// it, and go on with GET after a 404.
func (t tokens) Routes() []format.Route {
	return []format.Route{
		{Level: packhouse.Instance, Method: "GET", Path: "/auth", Action: authz.Anyone, Handle: t.issue},
		{Level: packhouse.Instance, Method: "POST", Path: "/auth", Action: authz.Anyone, Unread: true, Handle: nothing},
	}
}

// WriteError implements format.Protocol.
func (tokens) WriteError(w http.ResponseWriter, r *http.Request, e *packhouse.Error) {
	writeErrors(w, codeOf(r.URL.Path, e), e)
}

func nothing(w http.ResponseWriter, _ *http.Request, _ *format.Call) error {
	w.WriteHeader(http.StatusNotFound)
	return nil
}

// issue exchanges a credential for a token that is good for what was asked and may
// be had.
func (tokens) issue(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	query := r.URL.Query()
	if query.Get("service") != service && query.Get("service") != "dependency_proxy" {
		return nothing(w, r, c)
	}
	if err := checkLogin(r, c.Actor); err != nil {
		return err
	}
	if !able(c.Actor) {
		return forbidden("the token has none of the scopes read_registry, write_registry, read_api and api")
	}
	granted := []packhouse.Access{}
	asked := 0
	for _, value := range query["scope"] {
		for scope := range strings.FieldsSeq(value) {
			if asked++; asked > mostScopes {
				break
			}
			a, ok, err := grant(c, scope)
			if err != nil {
				return err
			}
			if ok {
				granted = append(granted, a)
			}
		}
	}
	if len(granted) == 0 && c.Actor.Kind == packhouse.Anonymous {
		return forbidden("log in to see whether there is something")
	}
	now := time.Now().UTC()
	token, err := c.Passes.Pass(r, granted, life)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	format.WriteJSON(w, http.StatusOK, map[string]any{
		"token": token, "access_token": token, "expires_in": int(life.Seconds()), "issued_at": now.Format(time.RFC3339),
	})
	return nil
}

func forbidden(fix string) error {
	return &packhouse.Error{Kind: packhouse.Forbidden, Rule: "scope", Message: "access forbidden", Fix: fix}
}

// checkLogin refuses a credential that is no good. Elsewhere some of those count as
// none; somebody who logs in wants to know.
func checkLogin(r *http.Request, who packhouse.Actor) error {
	user, password, basic := r.BasicAuth()
	switch {
	case r.Header.Get("Authorization") == "" || basic && user == "" && password == "":
		return nil // some clients send that for nobody
	case who.Kind == packhouse.Anonymous,
		basic && who.Kind == packhouse.DeployToken && user != who.Name,
		basic && who.Kind == packhouse.JobToken && user != "gitlab-ci-token":
		return &packhouse.Error{
			Kind: packhouse.Unauthenticated, Rule: "token", Message: "HTTP Basic: Access denied",
			Fix: "log in with an access token as the password; with a deploy token, its own user name; with a job token, gitlab-ci-token",
		}
	}
	return nil
}

// able reports whether a credential can be of any use here.
func able(who packhouse.Actor) bool {
	const some = packhouse.ScopeAPI | packhouse.ScopeReadAPI | packhouse.ScopeReadRegistry | packhouse.ScopeWriteRegistry
	return who.Kind == packhouse.Anonymous || who.Kind == packhouse.JobToken || who.Scopes.Has(some)
}

// decided is which action of authz stands for an action of a scope.
var decided = map[string]authz.Action{"pull": authz.PullImages, "push": authz.PushImages, "delete": authz.DeleteImages}

// grant gives what may be had of a scope such as "repository:acme/app:pull,push".
// What cannot be read, or is not there, gives nothing. packhouse.Forbidden: all that
// is left of what was asked for is to pull, because the repository is protected; a
// client that wants to push then says why it cannot.
func grant(c *format.Call, scope string) (a packhouse.Access, ok bool, err error) {
	parts := strings.Split(scope, ":")
	if len(parts) != 3 {
		return a, false, nil
	}
	a = packhouse.Access{Type: parts[0], Name: parts[1]}
	switch {
	case scope == "registry:catalog:*":
		_, err := c.Decide(packhouse.Instance, 0, authz.AdminInstance)
		a.Actions = []string{"*"}
		return a, err == nil, nil
	case a.Type != "repository" || checkName(a.Name) != nil:
		return a, false, nil //nolint:nilerr // what is no name gives nothing
	}
	target, rest, ok := c.Named(a.Name)
	if !ok {
		return a, false, nil
	}
	asked := map[string]bool{}
	for action := range strings.SplitSeq(parts[2], ",") {
		asked[action] = true
	}
	var kept error
	changes := false
	for _, action := range []string{"pull", "push", "delete"} {
		if !asked[action] && !asked["*"] {
			continue
		}
		hosted, err := c.In(target.ID, decided[action])
		if err != nil {
			continue
		}
		if err := protected(hosted.Repository(rest), action); err != nil {
			kept = cmp.Or(kept, err) // pushing says more
			continue
		}
		a.Actions = append(a.Actions, action)
		changes = changes || action != "pull"
	}
	if kept != nil && !changes {
		return a, false, kept
	}
	return a, len(a.Actions) > 0, nil
}

// protected asks the rules of a repository about an action.
func protected(repo *registry.HostedRepository, action string) error {
	switch action {
	case "push":
		return repo.MayPush()
	case "delete":
		return repo.MayDelete()
	}
	return nil
}

package api

import (
	"slices"
	"time"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// tokenLife is how long an access token lives when nobody says: GitLab's 365 days.
const tokenLife = 365 * 24 * time.Hour

func (a *API) tokenEndpoints() []endpoint {
	given := []param{
		text("name", "what it is for").must(), list("scopes", "what it is limited to").must(),
		text("expires_at", "day on which it ends"), text("description", "more about it"),
	}
	access := with(given, number("access_level", "role of the token's bot; 40 when absent"))
	deploy := with(given, text("username", "name to log in with"))
	state := with(paged, word("state", "those that can be used, or those that cannot", "active", "inactive"))
	active := with(paged, flag("active", "true for those that can be used"))
	return []endpoint{
		post(instance, "/users/{user_id}/personal_access_tokens", authz.AdminInstance, a.createPersonalToken,
			"Make a personal access token for a user", given...),

		post(project, "/access_tokens", authz.ManageProject, a.createAccessToken, "Make an access token of a project", access...),
		post(group, "/access_tokens", authz.OwnGroup, a.createAccessToken, "Make an access token of a group", access...),
		get(project, "/access_tokens", authz.ManageProject, a.listAccessTokens, "List the access tokens of a project", state...),
		get(group, "/access_tokens", authz.OwnGroup, a.listAccessTokens, "List the access tokens of a group", state...),
		remove(project, "/access_tokens/{token_id}", authz.ManageProject, a.revokeAccessToken, "Revoke an access token of a project"),
		remove(group, "/access_tokens/{token_id}", authz.OwnGroup, a.revokeAccessToken, "Revoke an access token of a group"),

		post(project, "/deploy_tokens", authz.ManageProject, a.createDeployToken, "Make a deploy token of a project", deploy...),
		post(group, "/deploy_tokens", authz.OwnGroup, a.createDeployToken, "Make a deploy token of a group", deploy...),
		get(project, "/deploy_tokens", authz.ManageProject, a.listDeployTokens, "List the deploy tokens of a project", active...),
		get(group, "/deploy_tokens", authz.ManageGroup, a.listDeployTokens, "List the deploy tokens of a group", active...),
		remove(project, "/deploy_tokens/{token_id}", authz.ManageProject, a.revokeDeployToken, "Revoke a deploy token of a project"),
		remove(group, "/deploy_tokens/{token_id}", authz.OwnGroup, a.revokeDeployToken, "Revoke a deploy token of a group"),
	}
}

// accessToken is GitLab's shape of personal, project and group tokens. The
// secret is "" in all answers but the one that made it.
func accessToken(t *ledger.Token, secret string, now time.Time) object {
	o := object{
		"id": t.ID, "name": t.Name, "revoked": !t.RevokedAt.IsZero(), "created_at": stamp(t.CreatedAt),
		"description": nil, "scopes": t.Scopes.Names(), "user_id": t.UserID, "last_used_at": nil,
		"active": t.Active(now), "expires_at": date(t.ExpiresAt),
	}
	if t.Kind != packhouse.PersonalToken {
		o["access_level"] = t.Role
	}
	if secret != "" {
		o["token"] = secret
	}
	return o
}

// tokenParams reads what all kinds of token have in common.
func tokenParams(q *request, t *ledger.Token) (err error) {
	if t.Name, err = q.params.required("name"); err != nil {
		return err
	}
	if err := q.params.short("name", "username"); err != nil {
		return err
	}
	if t.Scopes, err = packhouse.ParseScopes(q.params.list("scopes")); err != nil {
		e := packhouse.InvalidParam("scopes", "does not have a valid value")
		e.Fix = packhouse.AsError(err).Message
		return e
	}
	t.ExpiresAt, err = expiry(q, "expires_at")
	return err
}

func (a *API) createPersonalToken(q *request) (any, error) {
	id, err := q.id("user_id", "404 User Not Found")
	if err != nil {
		return nil, err
	}
	if a.Directory.User(id) == nil {
		return nil, packhouse.Errorf(packhouse.NotFound, "404 User Not Found")
	}
	t := ledger.Token{Kind: packhouse.PersonalToken, UserID: id}
	if err := tokenParams(q, &t); err != nil {
		return nil, err
	}
	now := time.Now()
	if t.ExpiresAt.IsZero() {
		t.ExpiresAt = now.Add(tokenLife).UTC().Truncate(24 * time.Hour)
	}
	made, secret, err := a.Issuer.Issue(q.Context(), q.By, t, "")
	if err != nil {
		return nil, err
	}
	return accessToken(made, secret, now), nil
}

// kindOf is the kind of access token that is limited to a level.
func kindOf(level packhouse.Level) packhouse.ActorKind {
	if level == packhouse.Group {
		return packhouse.GroupToken
	}
	return packhouse.ProjectToken
}

func (a *API) createAccessToken(q *request) (any, error) {
	t := ledger.Token{Kind: kindOf(q.Target.Level), Target: packhouse.Target{Level: q.Target.Level, ID: q.Target.ID}}
	if err := tokenParams(q, &t); err != nil {
		return nil, err
	}
	level, err := q.params.number("access_level", int64(packhouse.Maintainer))
	if err != nil {
		return nil, err
	}
	if t.Role, err = packhouse.ParseRole(int(level)); err != nil {
		return nil, packhouse.InvalidParam("access_level", "does not have a valid value")
	}
	if err := a.mayGrant(q, t.Role); err != nil {
		return nil, err
	}
	now := time.Now()
	if t.ExpiresAt.IsZero() {
		t.ExpiresAt = now.Add(tokenLife).UTC().Truncate(24 * time.Hour)
	}
	made, secret, err := a.Issuer.IssueForBot(q.Context(), q.By, t)
	if err != nil {
		return nil, err
	}
	return accessToken(made, secret, now), nil
}

// listAccessTokens lists all, or by state those that can be used or cannot.
func (a *API) listAccessTokens(q *request) (any, error) {
	now := time.Now()
	state, err := q.params.oneOf("state", "active", "inactive")
	if err != nil {
		return nil, err
	}
	return a.listTokens(q, kindOf(q.Target.Level),
		func(t *ledger.Token) bool { return state == "" || t.Active(now) == (state == "active") },
		func(t *ledger.Token) object { return accessToken(t, "", now) })
}

func (a *API) revokeAccessToken(q *request) (any, error) {
	return nil, a.revoke(q, kindOf(q.Target.Level))
}

func deployToken(t *ledger.Token, secret string, now time.Time) object {
	o := object{
		"id": t.ID, "name": t.Name, "username": t.Username, "expires_at": moment(t.ExpiresAt),
		"revoked": !t.RevokedAt.IsZero(), "expired": !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt),
		"scopes": t.Scopes.Names(),
	}
	if secret != "" {
		o["token"] = secret
	}
	return o
}

// deployScopes are the scopes that GitLab knows for deploy tokens and that grant
// something here.
const deployScopes = packhouse.ScopeReadPackages | packhouse.ScopeWritePackages | packhouse.ScopeReadRegistry |
	packhouse.ScopeWriteRegistry | packhouse.ScopeReadVirtual | packhouse.ScopeWriteVirtual

func (a *API) createDeployToken(q *request) (any, error) {
	t := ledger.Token{
		Kind: packhouse.DeployToken, Username: q.params.text("username"),
		Target: packhouse.Target{Level: q.Target.Level, ID: q.Target.ID},
	}
	if err := tokenParams(q, &t); err != nil {
		return nil, err
	}
	if t.Scopes&^deployScopes != 0 {
		e := packhouse.InvalidParam("scopes", "does not have a valid value")
		e.Fix = "a deploy token takes read_package_registry, write_package_registry, read_registry, write_registry, read_virtual_registry and write_virtual_registry"
		return nil, e
	}
	made, secret, err := a.Issuer.Issue(q.Context(), q.By, t, "")
	if err != nil {
		return nil, err
	}
	return deployToken(made, secret, time.Now()), nil
}

// listDeployTokens lists all, or those that can be used.
func (a *API) listDeployTokens(q *request) (any, error) {
	now := time.Now()
	active, err := q.params.flag("active", false)
	if err != nil {
		return nil, err
	}
	return a.listTokens(q, packhouse.DeployToken,
		func(t *ledger.Token) bool { return !active || t.Active(now) },
		func(t *ledger.Token) object { return deployToken(t, "", now) })
}

func (a *API) revokeDeployToken(q *request) (any, error) {
	return nil, a.revoke(q, packhouse.DeployToken)
}

// listTokens lists those tokens of one kind of the request's group or project
// that wanted accepts.
func (a *API) listTokens(q *request, kind packhouse.ActorKind, wanted func(*ledger.Token) bool, shape func(*ledger.Token) object) (any, error) {
	var tokens []ledger.Token
	err := a.Store.View(q.Context(), func(tx *store.Tx) (err error) {
		tokens, err = tx.TokensOf(q.Context(), q.Target, kind)
		return err
	})
	if err != nil {
		return nil, err
	}
	tokens = slices.DeleteFunc(tokens, func(t ledger.Token) bool { return !wanted(&t) })
	return q.page(len(tokens), func(i int) any { return shape(&tokens[i]) })
}

// revoke ends a token of one kind of the request's group or project.
func (a *API) revoke(q *request, kind packhouse.ActorKind) error {
	const missing = "404 Token Not Found"
	id, err := q.id("token_id", missing)
	if err != nil {
		return err
	}
	return a.Issuer.Revoke(q.Context(), q.By, id, func(t *ledger.Token) error {
		if t.Kind != kind || t.Target.Level != q.Target.Level || t.Target.ID != q.Target.ID {
			return packhouse.Errorf(packhouse.NotFound, missing)
		}
		return nil
	})
}

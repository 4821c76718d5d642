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
	filters := with(paged, word("state", "those that can be used, or those that cannot", "active", "inactive"),
		flag("revoked", "true for those that were revoked, false for the others"), text("search", "part of the name"),
		text("created_after", "made from this time on"), text("created_before", "made before this time"),
		text("expires_after", "ending from this day on"), text("expires_before", "ending before this day"),
		word("sort", "the order; by id when absent", tokenSorts...))
	active := with(paged, flag("active", "true for those that can be used"))
	expires := text("expires_at", "day on which the new one ends; a week from now when absent")
	all := []endpoint{
		get(instance, "/personal_access_tokens", authz.SignedIn, a.listPersonalTokens, "List personal access tokens: your own, or for administrators all",
			with(filters, number("user_id", "of this user"))...).at(a.whoseTokens),
		get(instance, "/personal_access_tokens/self", authz.SelfToken, a.showSelf, "Show the token that you send"),
		get(instance, "/personal_access_tokens/self/associations", authz.SelfToken, a.associations, "List where the token that you send gives a role", paged...),
		post(instance, "/personal_access_tokens/self/rotate", authz.RotateToken, a.rotateSelf, "Replace the token that you send by a new one", expires).answering(200),
		remove(instance, "/personal_access_tokens/self", authz.SelfToken, a.revokeSelf, "Revoke the token that you send"),
		get(instance, "/personal_access_tokens/{token_id}", authz.OwnAccount, a.showPersonalToken, "Show a personal access token").at(a.whoseToken),
		post(instance, "/personal_access_tokens/{token_id}/rotate", authz.OwnAccount, a.rotatePersonalToken,
			"Replace a personal access token by a new one", expires).at(a.whoseToken).answering(200),
		remove(instance, "/personal_access_tokens/{token_id}", authz.OwnAccount, a.revokePersonalToken, "Revoke a personal access token").at(a.whoseToken),
		post(instance, "/user/personal_access_tokens", authz.OwnAccount, a.createOwnToken, "Make a personal access token for yourself", given...),
		post(instance, "/users/{user_id}/personal_access_tokens", authz.AdminInstance, a.createPersonalToken,
			"Make a personal access token for a user", given...),
		get(instance, "/users/{user_id}/impersonation_tokens", authz.AdminInstance, a.listImpersonation, "List the impersonation tokens of a user",
			with(paged, word("state", "those that can be used, or those that cannot", "all", "active", "inactive"))...),
		post(instance, "/users/{user_id}/impersonation_tokens", authz.AdminInstance, a.createImpersonation, "Make an impersonation token for a user", given...),
		get(instance, "/users/{user_id}/impersonation_tokens/{token_id}", authz.AdminInstance, a.showImpersonation, "Show an impersonation token"),
		remove(instance, "/users/{user_id}/impersonation_tokens/{token_id}", authz.AdminInstance, a.revokeImpersonation, "Revoke an impersonation token"),
		get(instance, "/deploy_tokens", authz.AdminInstance, a.listAllDeployTokens, "List all deploy tokens", active...),
	}
	for _, at := range []struct {
		level              packhouse.Level
		manage, readDeploy authz.Action
	}{{project, authz.ManageProject, authz.ManageProject}, {group, authz.OwnGroup, authz.ManageGroup}} {
		of := " of a " + at.level.String()
		all = append(all,
			post(at.level, "/access_tokens", at.manage, a.createAccessToken, "Make an access token"+of, access...),
			get(at.level, "/access_tokens", at.manage, a.listAccessTokens, "List the access tokens"+of, filters...),
			post(at.level, "/access_tokens/self/rotate", authz.RotateToken, a.rotateSelf, "Replace the access token"+of+" that you send by a new one", expires).answering(200),
			get(at.level, "/access_tokens/{token_id}", at.manage, a.showAccessToken, "Show an access token"+of),
			remove(at.level, "/access_tokens/{token_id}", at.manage, a.revokeAccessToken, "Revoke an access token"+of),
			post(at.level, "/access_tokens/{token_id}/rotate", at.manage, a.rotateAccessToken, "Replace an access token"+of+" by a new one", expires).answering(200),

			post(at.level, "/deploy_tokens", at.manage, a.createDeployToken, "Make a deploy token"+of, deploy...),
			get(at.level, "/deploy_tokens", at.readDeploy, a.listDeployTokens, "List the deploy tokens"+of, active...),
			get(at.level, "/deploy_tokens/{token_id}", at.readDeploy, a.showDeployToken, "Show a deploy token"+of),
			remove(at.level, "/deploy_tokens/{token_id}", at.manage, a.revokeDeployToken, "Revoke a deploy token"+of),
		)
	}
	return all
}

// accessToken is GitLab's shape of personal, project and group tokens. The
// secret is "" in all answers but the one that made it.
func accessToken(t *ledger.Token, secret string, used, now time.Time) object {
	o := object{
		"id": t.ID, "name": t.Name, "revoked": !t.RevokedAt.IsZero(), "created_at": stamp(t.CreatedAt),
		"description": nil, "scopes": t.Scopes.Names(), "user_id": t.UserID, "last_used_at": moment(used),
		"active": t.Active(now), "expires_at": date(t.ExpiresAt),
	}
	if t.Description != "" {
		o["description"] = t.Description
	}
	if t.Kind != packhouse.PersonalToken {
		o["access_level"] = t.Role
	}
	if t.Impersonation {
		o["impersonation"] = true
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
	if err := q.params.short("description"); err != nil {
		return err
	}
	t.Description = q.params.text("description")
	t.ExpiresAt, err = expiry(q)
	return err
}

// tokenEnd is when an access token ends for which an end was asked, or none: a
// year from now then, or as soon as the instance says.
func (a *API) tokenEnd(asked, now time.Time) (time.Time, error) {
	most := a.Directory.Instance().TokenLife
	last := now.Add(most).UTC().Truncate(24 * time.Hour)
	switch {
	case asked.IsZero() && most != 0 && most < tokenLife:
		return last, nil
	case asked.IsZero():
		return now.Add(tokenLife).UTC().Truncate(24 * time.Hour), nil
	case most != 0 && asked.After(last):
		return asked, &packhouse.Error{
			Kind: packhouse.Invalid, Rule: "validation", Param: "expires_at",
			Message: "Expiration date must be before " + last.AddDate(0, 0, 1).Format(time.DateOnly),
		}
	}
	return asked, nil
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
	if t.ExpiresAt, err = a.tokenEnd(t.ExpiresAt, now); err != nil {
		return nil, err
	}
	made, secret, err := a.Issuer.IssueForBot(q.Context(), q.By, t)
	if err != nil {
		return nil, err
	}
	return accessToken(made, secret, time.Time{}, now), nil
}

func (a *API) listAccessTokens(q *request) (any, error) {
	var tokens []ledger.Token
	err := a.Store.View(q.Context(), func(tx *store.Tx) (err error) {
		tokens, err = tx.TokensOf(q.Context(), q.Target, kindOf(q.Target.Level))
		return err
	})
	if err != nil {
		return nil, err
	}
	return a.answerTokens(q, tokens)
}

func (a *API) showAccessToken(q *request) (any, error) {
	return a.showToken(q, a.ofTarget(q, kindOf(q.Target.Level)))
}

func (a *API) rotateAccessToken(q *request) (any, error) {
	return a.rotate(q, a.ofTarget(q, kindOf(q.Target.Level)))
}

func (a *API) revokeAccessToken(q *request) (any, error) {
	return nil, a.revoke(q, kindOf(q.Target.Level))
}

func (a *API) showDeployToken(q *request) (any, error) {
	t, _, err := a.findToken(q, a.ofTarget(q, packhouse.DeployToken))
	if err != nil {
		return nil, err
	}
	return deployToken(t, "", time.Now()), nil
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

// deployScopes are the scopes that GitLab knows for deploy tokens.
const deployScopes = packhouse.ScopeReadPackages | packhouse.ScopeWritePackages | packhouse.ScopeReadRegistry |
	packhouse.ScopeWriteRegistry | packhouse.ScopeReadVirtual | packhouse.ScopeWriteVirtual | packhouse.ScopeReadRepository

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
		e.Fix = "a deploy token takes read_repository, read_package_registry, write_package_registry, read_registry, write_registry, read_virtual_registry and write_virtual_registry"
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
	id, err := q.id("token_id", missingToken)
	if err != nil {
		return err
	}
	return a.Issuer.Revoke(q.Context(), q.By, id, a.ofTarget(q, kind))
}

// ofTarget accepts tokens of one kind of the request's group or project.
func (a *API) ofTarget(q *request, kind packhouse.ActorKind) func(*ledger.Token) error {
	return func(t *ledger.Token) error {
		if t.Kind != kind || t.Target.Level != q.Target.Level || t.Target.ID != q.Target.ID {
			return packhouse.Errorf(packhouse.NotFound, missingToken)
		}
		return nil
	}
}

const missingToken = "404 Token Not Found"

package api

import (
	"time"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// whoseTokens: everybody lists their own; of another user, administrators.
func (a *API) whoseTokens(q *request) (packhouse.Target, authz.Action, error) {
	here := packhouse.Target{Level: packhouse.Instance}
	if user := q.params.text("user_id"); user != "" && user != itoa(q.Actor.UserID) {
		return here, authz.AdminInstance, nil
	}
	return here, authz.SignedIn, nil
}

// whoseToken: everybody handles their own; one of another user, administrators.
func (a *API) whoseToken(q *request) (packhouse.Target, authz.Action, error) {
	here := packhouse.Target{Level: packhouse.Instance}
	t, _, err := a.findToken(q, personal)
	if err == nil && t.UserID == q.Actor.UserID {
		return here, authz.OwnAccount, nil
	}
	if err != nil && packhouse.KindOf(err) != packhouse.NotFound {
		return here, 0, err
	}
	return here, authz.AdminInstance, nil // which says the same of a token that there is not
}

// personal accepts personal access tokens.
func personal(t *ledger.Token) error {
	if t.Kind != packhouse.PersonalToken {
		return packhouse.Errorf(packhouse.NotFound, missingToken)
	}
	return nil
}

// listPersonalTokens lists the tokens of one user, or those of all, whose number
// only administrators meet.
func (a *API) listPersonalTokens(q *request) (any, error) {
	user, err := q.params.number("user_id", 0)
	if err != nil {
		return nil, err
	}
	if user == 0 && !q.Actor.Admin {
		user = q.Actor.UserID
	}
	var tokens []ledger.Token
	err = a.Store.View(q.Context(), func(tx *store.Tx) (err error) {
		if user == 0 {
			tokens, err = tx.TokensOfKind(q.Context(), packhouse.PersonalToken, 0, maxTotal)
			return err
		}
		tokens, err = tx.TokensOfUser(q.Context(), user, packhouse.PersonalToken)
		return err
	})
	if err != nil {
		return nil, err
	}
	return a.answerTokens(q, tokens)
}

func (a *API) showPersonalToken(q *request) (any, error)   { return a.showToken(q, personal) }
func (a *API) rotatePersonalToken(q *request) (any, error) { return a.rotate(q, personal) }

func (a *API) revokePersonalToken(q *request) (any, error) {
	id, err := q.id("token_id", missingToken)
	if err != nil {
		return nil, err
	}
	return nil, a.Issuer.Revoke(q.Context(), q.By, id, personal)
}

// own accepts the token that was sent, where it belongs to the request's target.
func (a *API) own(q *request) func(*ledger.Token) error {
	return func(t *ledger.Token) error {
		if t.ID != q.Actor.TokenID {
			return packhouse.Errorf(packhouse.NotFound, missingToken)
		}
		if q.Target.Level != packhouse.Instance {
			return a.ofTarget(q, kindOf(q.Target.Level))(t)
		}
		return nil
	}
}

func (a *API) showSelf(q *request) (any, error) {
	t, used, err := a.tokenByID(q, q.Actor.TokenID, a.own(q))
	if err != nil {
		return nil, err
	}
	return accessToken(t, "", used, time.Now()), nil
}

func (a *API) rotateSelf(q *request) (any, error) {
	return a.rotateByID(q, q.Actor.TokenID, a.own(q))
}

func (a *API) revokeSelf(q *request) (any, error) {
	return nil, a.Issuer.Revoke(q.Context(), q.By, q.Actor.TokenID, a.own(q))
}

// associations lists what the token gives a role in, groups and projects.
func (a *API) associations(q *request) (any, error) {
	groups, projects := []any{}, []any{}
	for n := range a.Directory.Groups(q.Actor, directory.GroupFilter{Membership: true}) {
		if groups = append(groups, a.namespaceShort(n)); len(groups) == maxPerPage {
			break
		}
	}
	for _, p := range a.firstProjects(q, directory.ProjectFilter{Membership: true}, maxPerPage, func(*ledger.Project) bool { return true }) {
		projects = append(projects, object{"id": p.ID, "name": p.Name, "path_with_namespace": p.Path, "visibility": p.Visibility})
	}
	return object{"groups": groups, "projects": projects}, nil
}

func (a *API) namespaceShort(n *ledger.Namespace) object {
	return object{"id": n.ID, "name": n.Name, "full_path": n.Path, "visibility": n.Visibility}
}

func (a *API) createPersonalToken(q *request) (any, error) {
	u, err := a.namedInPath(q)
	if err != nil {
		return nil, err
	}
	return a.makePersonal(q, ledger.Token{Kind: packhouse.PersonalToken, UserID: u.ID})
}

func (a *API) createOwnToken(q *request) (any, error) {
	return a.makePersonal(q, ledger.Token{Kind: packhouse.PersonalToken, UserID: q.Actor.UserID})
}

func (a *API) createImpersonation(q *request) (any, error) {
	u, err := a.namedInPath(q)
	if err != nil {
		return nil, err
	}
	return a.makePersonal(q, ledger.Token{Kind: packhouse.PersonalToken, UserID: u.ID, Impersonation: true})
}

func (a *API) makePersonal(q *request, t ledger.Token) (any, error) {
	if err := tokenParams(q, &t); err != nil {
		return nil, err
	}
	if t.Scopes.Has(q.missingScopes()) {
		return nil, &packhouse.Error{
			Kind: packhouse.Forbidden, Rule: "scope", Message: "403 Forbidden - a token makes no token with more scopes than it has",
			Fix: "ask for scopes that your token has, or use a token with the scope api",
		}
	}
	now := time.Now()
	if !t.ExpiresAt.IsZero() || !t.Impersonation {
		var err error
		if t.ExpiresAt, err = a.tokenEnd(t.ExpiresAt, now); err != nil {
			return nil, err
		}
	}
	if a.Directory.Instance().NoPersonalTokens && !t.Impersonation && !q.Actor.Admin {
		return nil, packhouse.Errorf(packhouse.Forbidden, "403 Forbidden - personal access tokens are switched off")
	}
	made, secret, err := a.Issuer.Issue(q.Context(), q.By, t, "")
	if err != nil {
		return nil, err
	}
	return accessToken(made, secret, time.Time{}, now), nil
}

// missingScopes are those that nobody gets from this request: what api does not
// include and the caller's token does not have.
func (q *request) missingScopes() packhouse.Scopes {
	return packhouse.ScopeSudo &^ q.Actor.Scopes
}

// impersonating accepts the impersonation tokens of one user.
func impersonating(userID int64) func(*ledger.Token) error {
	return func(t *ledger.Token) error {
		if t.Kind != packhouse.PersonalToken || !t.Impersonation || t.UserID != userID {
			return packhouse.Errorf(packhouse.NotFound, missingToken)
		}
		return nil
	}
}

func (a *API) listImpersonation(q *request) (any, error) {
	u, err := a.namedInPath(q)
	if err != nil {
		return nil, err
	}
	var tokens []ledger.Token
	err = a.Store.View(q.Context(), func(tx *store.Tx) error {
		list, err := tx.TokensOfUser(q.Context(), u.ID, packhouse.PersonalToken)
		for _, t := range list {
			if t.Impersonation {
				tokens = append(tokens, t)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return a.answerTokens(q, tokens)
}

func (a *API) showImpersonation(q *request) (any, error) {
	u, err := a.namedInPath(q)
	if err != nil {
		return nil, err
	}
	return a.showToken(q, impersonating(u.ID))
}

func (a *API) revokeImpersonation(q *request) (any, error) {
	u, err := a.namedInPath(q)
	if err != nil {
		return nil, err
	}
	id, err := q.id("token_id", missingToken)
	if err != nil {
		return nil, err
	}
	return nil, a.Issuer.Revoke(q.Context(), q.By, id, impersonating(u.ID))
}

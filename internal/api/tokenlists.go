package api

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// findToken finds the token whose id is in the path, if allowed accepts it, and
// when it was last used.
func (a *API) findToken(q *request, allowed func(*ledger.Token) error) (*ledger.Token, time.Time, error) {
	id, err := q.id("token_id", missingToken)
	if err != nil {
		return nil, time.Time{}, err
	}
	return a.tokenByID(q, id, allowed)
}

func (a *API) tokenByID(q *request, id int64, allowed func(*ledger.Token) error) (t *ledger.Token, used time.Time, err error) {
	err = a.Store.View(q.Context(), func(tx *store.Tx) error {
		if t, err = tx.Token(q.Context(), id); err != nil {
			return err
		}
		used, err = a.lastUsed(q, tx, id)
		return err
	})
	if err != nil {
		return nil, used, err
	}
	return t, used, allowed(t)
}

// lastUsed is when a token was last used, saved yet or not.
func (a *API) lastUsed(q *request, tx *store.Tx, id int64) (time.Time, error) {
	if at := a.Authn.LastUsed(id); !at.IsZero() {
		return at, nil
	}
	return tx.TokenUse(q.Context(), id)
}

func (a *API) showToken(q *request, allowed func(*ledger.Token) error) (any, error) {
	t, used, err := a.findToken(q, allowed)
	if err != nil {
		return nil, err
	}
	return accessToken(t, "", used, time.Now()), nil
}

func (a *API) rotate(q *request, allowed func(*ledger.Token) error) (any, error) {
	id, err := q.id("token_id", missingToken)
	if err != nil {
		return nil, err
	}
	return a.rotateByID(q, id, allowed)
}

func (a *API) rotateByID(q *request, id int64, allowed func(*ledger.Token) error) (any, error) {
	expires, err := expiry(q)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if !expires.IsZero() && !expires.After(now) {
		return nil, packhouse.InvalidParam("expires_at", "is invalid")
	}
	if !expires.IsZero() {
		if expires, err = a.tokenEnd(expires, now); err != nil {
			return nil, err
		}
	}
	made, secret, err := a.Issuer.Rotate(q.Context(), q.By, id, expires, allowed)
	if err != nil {
		return nil, err
	}
	return accessToken(made, secret, time.Time{}, now), nil
}

// tokenOrders are the orders of a list of tokens.
var tokenOrders = map[string]func(x, y *ledger.Token) int{
	"created": func(x, y *ledger.Token) int { return x.CreatedAt.Compare(y.CreatedAt) },
	"expires": func(x, y *ledger.Token) int { return x.ExpiresAt.Compare(y.ExpiresAt) },
	"name":    func(x, y *ledger.Token) int { return cmp.Compare(x.Name, y.Name) },
}

// tokenSorts are GitLab's names of the orders with their directions.
var tokenSorts = []string{"created_asc", "created_desc", "expires_asc", "expires_desc", "name_asc", "name_desc"}

// answerTokens lists those of some access tokens that the filters leave.
func (a *API) answerTokens(q *request, tokens []ledger.Token) (any, error) {
	now := time.Now()
	wanted, err := tokenFilter(q, now)
	if err != nil {
		return nil, err
	}
	tokens = slices.DeleteFunc(tokens, func(t ledger.Token) bool { return !wanted(&t) })
	order, direction, _ := strings.Cut(q.params.text("sort"), "_")
	if by := tokenOrders[order]; by != nil {
		sortBy(tokens, func(x, y ledger.Token) int { return by(&x, &y) }, direction == "desc")
	}
	used := map[int64]time.Time{}
	err = a.Store.View(q.Context(), func(tx *store.Tx) (err error) {
		page, perPage, err := q.window()
		for i := (page - 1) * perPage; i < min(page*perPage, len(tokens)) && err == nil; i++ {
			used[tokens[i].ID], err = a.lastUsed(q, tx, tokens[i].ID)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return q.page(len(tokens), func(i int) any { return accessToken(&tokens[i], "", used[tokens[i].ID], now) })
}

// tokenFilter makes a function of the filters that were given.
func tokenFilter(q *request, now time.Time) (func(*ledger.Token) bool, error) {
	times := map[string]time.Time{}
	for _, name := range []string{"created_after", "created_before", "expires_after", "expires_before"} {
		at, err := q.params.moment(name)
		if err != nil {
			return nil, err
		}
		times[name] = at
	}
	revoked, err := q.params.flag("revoked", false)
	if err != nil {
		return nil, err
	}
	state, search, byRevoked := q.params.text("state"), strings.ToLower(q.params.text("search")), q.params.has("revoked")
	between := func(t, after, before time.Time) bool {
		return (after.IsZero() || !t.Before(after)) && (before.IsZero() || t.Before(before) && !t.IsZero())
	}
	return func(t *ledger.Token) bool {
		return (state == "" || state == "all" || t.Active(now) == (state == "active")) &&
			(!byRevoked || revoked == !t.RevokedAt.IsZero()) && strings.Contains(strings.ToLower(t.Name), search) &&
			between(t.CreatedAt, times["created_after"], times["created_before"]) &&
			between(t.ExpiresAt, times["expires_after"], times["expires_before"])
	}, nil
}

// listAllDeployTokens lists those of the whole instance, as many as GitLab
// counts.
func (a *API) listAllDeployTokens(q *request) (any, error) {
	now := time.Now()
	active, err := q.params.flag("active", false)
	if err != nil {
		return nil, err
	}
	var tokens []ledger.Token
	err = a.Store.View(q.Context(), func(tx *store.Tx) (err error) {
		tokens, err = tx.TokensOfKind(q.Context(), packhouse.DeployToken, 0, maxTotal)
		return err
	})
	if err != nil {
		return nil, err
	}
	tokens = slices.DeleteFunc(tokens, func(t ledger.Token) bool { return active && !t.Active(now) })
	return q.page(len(tokens), func(i int) any { return deployToken(&tokens[i], "", now) })
}

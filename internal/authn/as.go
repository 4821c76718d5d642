package authn

import (
	"context"
	"strconv"
	"strings"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// As is the actor that somebody else would be: "anonymous", a user name for that
// person with a token of all scopes, or "token:42" for whoever holds the token of
// that id.
//
// packhouse.NotFound: there is no such user or token. The refusals of a token
// that is no good are returned as they are for whoever sends it.
func (a *Authenticator) As(ctx context.Context, name string) (packhouse.Actor, error) {
	if name == "anonymous" {
		return packhouse.Actor{}, nil
	}
	if text, ok := strings.CutPrefix(name, "token:"); ok {
		return a.holder(ctx, text)
	}
	user := a.directory.UserByName(name)
	if user == nil {
		return packhouse.Actor{}, packhouse.Errorf(packhouse.NotFound, "404 User Not Found")
	}
	return a.actor(&ledger.Token{Kind: packhouse.PersonalToken, UserID: user.ID, Scopes: packhouse.ScopeAPI})
}

func (a *Authenticator) holder(ctx context.Context, id string) (packhouse.Actor, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return packhouse.Actor{}, packhouse.InvalidParam("as", "is invalid")
	}
	var token *ledger.Token
	err = a.store.View(ctx, func(tx *store.Tx) error {
		token, err = tx.Token(ctx, n)
		return err
	})
	if err != nil {
		return packhouse.Actor{}, err
	}
	if !token.Active(a.now()) {
		return packhouse.Actor{}, errInactive(token)
	}
	if !a.vouched(token) {
		return packhouse.Actor{}, errUnvouched()
	}
	return a.actor(token)
}

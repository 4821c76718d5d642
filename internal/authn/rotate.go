package authn

import (
	"context"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// rotatedLife is how long the successor of a token lives when nobody says:
// GitLab's week.
const rotatedLife = 7 * 24 * time.Hour

// Rotate ends an access token for which allowed returns no error, and makes
// another of the same kind, name and scopes. expires is its end; zero for a week.
//
// A token that was revoked is not rotated: whoever tries holds an old one, and
// may not be who holds the new one, so all living tokens that follow from it are
// revoked. packhouse.Unauthenticated then. Of several who rotate one token at
// the same time, one succeeds.
//
// packhouse.NotFound: there is no such token.
func (i Issuer) Rotate(ctx context.Context, by ledger.By, id int64, expires time.Time, allowed func(*ledger.Token) error) (made *ledger.Token, secret string, err error) {
	reused := 0
	err = i.Store.Update(ctx, func(tx *store.Tx) error {
		reused = 0
		old, err := tx.Token(ctx, id)
		if err != nil {
			return err
		}
		if err := allowed(old); err != nil {
			return err
		}
		if !old.RevokedAt.IsZero() {
			reused, err = i.revokeFamily(ctx, tx, by, old)
			return err
		}
		if !old.Active(tx.Now()) {
			return packhouse.Errorf(packhouse.Invalid, "400 Bad request - the token has expired; make a new one")
		}
		secret = i.secret(old.Kind)
		next := *old
		if next.FamilyID == 0 {
			next.FamilyID = old.ID
		}
		if next.ExpiresAt = expires; expires.IsZero() {
			next.ExpiresAt = tx.Now().Add(rotatedLife).Truncate(24 * time.Hour)
		}
		i.fill(tx, by, &next, secret)
		old.RevokedAt = tx.Now()
		if _, err := tx.Append(ctx, by, &ledger.TokenPut{Token: *old}); err != nil {
			return err
		}
		made = &next
		_, err = tx.Append(ctx, by, &ledger.TokenPut{Create: true, Token: next})
		return err
	})
	if err == nil && made == nil {
		e := &packhouse.Error{Kind: packhouse.Unauthenticated, Rule: "reuse", Message: "401 Unauthorized"}
		if e.Fix = "the token was revoked before; make a new one"; reused > 0 {
			e.Fix = "the token was rotated before; those that followed on it have been revoked now, because an old token in use may be a stolen one. Make a new one"
		}
		return nil, "", e
	}
	return made, secret, err
}

// revokeFamily revokes the living tokens that follow from one by rotation, and
// says how many there were.
func (i Issuer) revokeFamily(ctx context.Context, tx *store.Tx, by ledger.By, t *ledger.Token) (n int, err error) {
	family := t.FamilyID
	if family == 0 {
		family = t.ID
	}
	tokens, err := tx.TokensOfUser(ctx, t.UserID, t.Kind)
	if err != nil {
		return 0, err
	}
	for _, other := range tokens {
		if other.FamilyID != family || !other.Active(tx.Now()) {
			continue
		}
		other.RevokedAt = tx.Now()
		if _, err := tx.Append(ctx, by, &ledger.TokenPut{Token: other}); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// retireBot removes the bot of a project or group token, with its membership,
// once none of its tokens works.
func (i Issuer) retireBot(ctx context.Context, tx *store.Tx, by ledger.By, t *ledger.Token) error {
	if t.Kind != packhouse.ProjectToken && t.Kind != packhouse.GroupToken {
		return nil
	}
	tokens, err := tx.TokensOfUser(ctx, t.UserID, t.Kind)
	if err != nil {
		return err
	}
	for _, other := range tokens {
		if other.Active(tx.Now()) {
			return nil
		}
	}
	_, err = tx.Append(ctx, by, &ledger.UserRemove{UserID: t.UserID})
	return err
}

package store

import (
	"context"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
)

// SetPassword replaces the hash of a user's password, and tells the ledger that
// it was set.
func (tx *Tx) SetPassword(ctx context.Context, by ledger.By, userID int64, hash string) error {
	if _, err := tx.Append(ctx, by, &ledger.PasswordSet{UserID: userID}); err != nil {
		return err
	}
	const q = `INSERT INTO passwords (user_id, hash) VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash`
	_, err := tx.exec(ctx, q, userID, hash)
	return err
}

// Password reads the hash of a user's password. packhouse.NotFound: the user has
// none.
func (tx *Tx) Password(ctx context.Context, userID int64) (hash string, err error) {
	known, err := found(tx.row(ctx, `SELECT hash FROM passwords WHERE user_id = $1`, []any{userID}, &hash))
	if err == nil && !known {
		err = packhouse.Errorf(packhouse.NotFound, "404 Password Not Found")
	}
	return hash, err
}

// NewestTokens lists the tokens of one kind that act as a user, the newest
// first, at most limit.
func (tx *Tx) NewestTokens(ctx context.Context, userID int64, kind packhouse.ActorKind, limit int) ([]ledger.Token, error) {
	return records[ledger.Token](ctx, tx,
		`SELECT record FROM tokens WHERE user_id = $1 AND kind = $2 ORDER BY id DESC LIMIT $3`, userID, kind.String(), limit)
}

// UseSession remembers that a session was used now.
func (tx *Tx) UseSession(ctx context.Context, tokenID int64) error {
	const q = `INSERT INTO session_uses (token_id, at) VALUES ($1, $2) ON CONFLICT (token_id) DO UPDATE SET at = excluded.at`
	_, err := tx.exec(ctx, q, tokenID, tx.now.UnixMicro())
	return err
}

// SessionUse reads when a session was last used; the zero time when it never was.
func (tx *Tx) SessionUse(ctx context.Context, tokenID int64) (at time.Time, err error) {
	var us int64
	known, err := found(tx.row(ctx, `SELECT at FROM session_uses WHERE token_id = $1`, []any{tokenID}, &us))
	if known {
		at = fromMicros(us)
	}
	return at, err
}

func (tx *Tx) applyIdentityPut(ctx context.Context, e *ledger.IdentityPut) error {
	return tx.insert(ctx, "identity has already been taken",
		`INSERT INTO identities (provider, subject, user_id) VALUES ($1, $2, $3)`, e.Provider, e.Subject, e.UserID)
}

// UserOfIdentity finds the user who has an identity. packhouse.NotFound: nobody.
func (tx *Tx) UserOfIdentity(ctx context.Context, provider, subject string) (userID int64, err error) {
	const q = `SELECT user_id FROM identities WHERE provider = $1 AND subject = $2`
	known, err := found(tx.row(ctx, q, []any{provider, subject}, &userID))
	if err == nil && !known {
		err = packhouse.Errorf(packhouse.NotFound, "404 Identity Not Found")
	}
	return userID, err
}

// HasIdentity reports whether a user has an identity at a provider.
func (tx *Tx) HasIdentity(ctx context.Context, userID int64, provider string) (bool, error) {
	var one int
	return found(tx.row(ctx, `SELECT 1 FROM identities WHERE user_id = $1 AND provider = $2 LIMIT 1`, []any{userID, provider}, &one))
}

// forgetSignIn removes what a user signed in with.
func (tx *Tx) forgetSignIn(ctx context.Context, userID int64) error {
	if _, err := tx.exec(ctx, `DELETE FROM passwords WHERE user_id = $1`, userID); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `DELETE FROM identities WHERE user_id = $1`, userID)
	return err
}

package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
)

func (tx *Tx) applyTokenPut(ctx context.Context, e *ledger.TokenPut) error {
	t := e.Token
	record, err := jsonOf(t)
	if err != nil {
		return err
	}
	issue := issueKey(&t)
	const taken = "token has already been taken"
	if !e.Create {
		return tx.conflict(taken, tx.change(ctx, "404 Token Not Found",
			`UPDATE tokens SET issue_key = $2, record = $3 WHERE id = $1`, t.ID, issue, record))
	}
	return tx.insert(ctx, taken, `
		INSERT INTO tokens (id, digest, kind, user_id, level, target_id, issue_key, record)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		t.ID, t.Digest[:], t.Kind.String(), t.UserID, int(t.Target.Level), t.Target.ID, issue, record)
}

// issueKey lets a job of an issuer have one live token at a time. One that a
// trusted publisher vouched for may have several, for several packages.
func issueKey(t *ledger.Token) sql.NullString {
	if t.Job == nil || t.Job.Trust != nil || !t.RevokedAt.IsZero() {
		return sql.NullString{}
	}
	return sql.NullString{String: fmt.Sprintf("%d/%d/%d", t.CreatorID, t.Job.ProjectID, t.Job.ID), Valid: true}
}

// TokenByDigest finds a token by the SHA-256 of its secret, revoked and expired
// ones too. packhouse.NotFound: there is none.
func (tx *Tx) TokenByDigest(ctx context.Context, d packhouse.Digest) (*ledger.Token, error) {
	return oneRecord[ledger.Token](ctx, tx, "404 Token Not Found",
		`SELECT record FROM tokens WHERE digest = $1`, d[:])
}

// Token finds a token by its id. packhouse.NotFound: there is none.
func (tx *Tx) Token(ctx context.Context, id int64) (*ledger.Token, error) {
	return oneRecord[ledger.Token](ctx, tx, "404 Token Not Found",
		`SELECT record FROM tokens WHERE id = $1`, id)
}

// LiveJobToken finds the unrevoked token that an issuer made for a job.
// packhouse.NotFound: there is none.
func (tx *Tx) LiveJobToken(ctx context.Context, like *ledger.Token) (*ledger.Token, error) {
	return oneRecord[ledger.Token](ctx, tx, "404 Token Not Found",
		`SELECT record FROM tokens WHERE issue_key = $1`, issueKey(like))
}

// TokensOf lists the tokens of one kind that are limited to a group or project,
// in the order of their ids.
func (tx *Tx) TokensOf(ctx context.Context, target packhouse.Target, kind packhouse.ActorKind) ([]ledger.Token, error) {
	return records[ledger.Token](ctx, tx,
		`SELECT record FROM tokens WHERE level = $1 AND target_id = $2 AND kind = $3 ORDER BY id`,
		int(target.Level), target.ID, kind.String())
}

// TokensOfUser lists the tokens of one kind that act as a user, in the order of
// their ids.
func (tx *Tx) TokensOfUser(ctx context.Context, userID int64, kind packhouse.ActorKind) ([]ledger.Token, error) {
	return records[ledger.Token](ctx, tx,
		`SELECT record FROM tokens WHERE user_id = $1 AND kind = $2 ORDER BY id`, userID, kind.String())
}

// TokensOfKind lists tokens of one kind, newest first, from those before an id
// on; 0 for all.
func (tx *Tx) TokensOfKind(ctx context.Context, kind packhouse.ActorKind, before int64, limit int) ([]ledger.Token, error) {
	return records[ledger.Token](ctx, tx,
		`SELECT record FROM tokens WHERE kind = $1 AND (CAST($2 AS BIGINT) = 0 OR id < $2) ORDER BY id DESC LIMIT $3`, kind.String(), before, limit)
}

// UseTokens notes when tokens were used.
func (tx *Tx) UseTokens(ctx context.Context, uses map[int64]time.Time) error {
	const q = `
		INSERT INTO token_uses (token_id, used_at) VALUES ($1, $2)
		ON CONFLICT (token_id) DO UPDATE SET
			used_at = CASE WHEN excluded.used_at > token_uses.used_at THEN excluded.used_at ELSE token_uses.used_at END`
	for id, at := range uses {
		if _, err := tx.exec(ctx, q, id, at.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// TokenUse is when a token was last used; the zero time when it never was.
func (tx *Tx) TokenUse(ctx context.Context, id int64) (time.Time, error) {
	var us int64
	known, err := found(tx.row(ctx, `SELECT used_at FROM token_uses WHERE token_id = $1`, []any{id}, &us))
	if err != nil || !known {
		return time.Time{}, err
	}
	return fromMicros(us), nil
}

func oneRecord[T any](ctx context.Context, tx *Tx, missing, q string, args ...any) (*T, error) {
	all, err := records[T](ctx, tx, q, args...)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, packhouse.Errorf(packhouse.NotFound, "%s", missing)
	}
	return &all[0], nil
}

// Secret returns the secret of that name, see Tx.Secret, which it makes and remembers.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	if known, ok := s.secrets.Load(name); ok {
		return known.([]byte), nil //nolint:forcetypeassert // nothing else is stored
	}
	var secret []byte
	err := s.Update(ctx, func(tx *Tx) (err error) {
		secret, err = tx.Secret(ctx, name)
		return err
	})
	if err == nil {
		s.secrets.Store(name, secret)
	}
	return secret, err
}

// Secret returns a secret that all nodes share, which it makes when there is none.
// It is not part of the ledger, and no backup has it.
func (tx *Tx) Secret(ctx context.Context, name string) (secret []byte, err error) {
	known, err := found(tx.row(ctx, `SELECT secret FROM secrets WHERE name = $1`, []any{name}, &secret))
	if err != nil || known {
		return secret, err
	}
	if !tx.writing {
		return nil, nil
	}
	secret = make([]byte, 32)
	rand.Read(secret) // never fails, see crypto/rand
	_, err = tx.exec(ctx, `INSERT INTO secrets (name, secret) VALUES ($1, $2)`, name, secret)
	return secret, err
}

package authn

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"

	"packhouse"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// prefixes are GitLab's, because clients and secret scanners know them.
var prefixes = map[packhouse.ActorKind]string{
	packhouse.PersonalToken: "glpat-",
	packhouse.ProjectToken:  "glpat-",
	packhouse.GroupToken:    "glpat-",
	packhouse.DeployToken:   "gldt-",
	packhouse.JobToken:      "glcbt-",
}

// NewSecret makes the secret of a token: the prefix of its kind and exactly 20
// URL-safe characters, 120 random bits. Some clients decide by that length how
// to send it.
func NewSecret(kind packhouse.ActorKind) string {
	var random [15]byte
	rand.Read(random[:]) // never fails, see crypto/rand
	return prefixes[kind] + base64.RawURLEncoding.EncodeToString(random[:])
}

// Issuer makes and ends tokens. A secret is returned once, by the call that
// made it; only its digest is stored.
type Issuer struct {
	Store     *store.Store
	Directory *directory.Directory // how the instance is set; nil for GitLab's prefixes
}

// secret makes the secret of a token, with the prefix that holds here.
func (i Issuer) secret(kind packhouse.ActorKind) string {
	secret := NewSecret(kind)
	if bare, ok := strings.CutPrefix(secret, prefixes[packhouse.PersonalToken]); ok && i.Directory != nil {
		return i.Directory.Instance().TokenPrefix + bare
	}
	return secret
}

// Issue makes a token from the given record, whose id, digest and times of
// creation it sets, with the given secret or a new one.
func (i Issuer) Issue(ctx context.Context, by ledger.By, t ledger.Token, secret string) (*ledger.Token, string, error) {
	return i.IssueIf(ctx, by, t, secret, func(*store.Tx, *ledger.Token) error { return nil })
}

// IssueIf is Issue for a token that is made only when check says nothing against
// it. check runs in the transaction that makes the token, with its record, and
// may write to the one and change the other.
func (i Issuer) IssueIf(ctx context.Context, by ledger.By, t ledger.Token, secret string, check func(*store.Tx, *ledger.Token) error) (*ledger.Token, string, error) {
	if secret == "" {
		secret = i.secret(t.Kind)
	}
	var made ledger.Token
	err := i.Store.Update(ctx, func(tx *store.Tx) error {
		made = t // a transaction may be run again
		i.fill(tx, by, &made, secret)
		if err := check(tx, &made); err != nil {
			return err
		}
		_, err := tx.Append(ctx, by, &ledger.TokenPut{Create: true, Token: made})
		return err
	})
	return &made, secret, err
}

func (i Issuer) fill(tx *store.Tx, by ledger.By, t *ledger.Token, secret string) {
	t.ID, t.Digest = tx.NewTokenID(), DigestOf(secret)
	t.CreatorID, t.CreatedAt = by.UserID, tx.Now()
	t.Target.Path = ""
	if t.Kind == packhouse.DeployToken && t.Username == "" {
		t.Username = fmt.Sprintf("gitlab+deploy-token-%d", t.ID)
	}
	if t.Job != nil && t.Job.ID == 0 {
		job := *t.Job
		job.ID = unnumbered + t.ID
		t.Job = &job
	}
}

// IssueForBot makes a project or group token together with the bot user that it
// acts as and the bot's membership.
func (i Issuer) IssueForBot(ctx context.Context, by ledger.By, t ledger.Token) (*ledger.Token, string, error) {
	secret := i.secret(t.Kind)
	err := i.Store.Update(ctx, func(tx *store.Tx) error {
		bot := ledger.User{
			ID: tx.NewUserID(), Bot: true, Name: t.Name, CreatedAt: tx.Now(),
		}
		bot.Username = fmt.Sprintf("%s_%d_bot_%d", t.Target.Level, t.Target.ID, bot.ID)
		i.fill(tx, by, &t, secret)
		t.UserID = bot.ID
		member := ledger.Member{Target: t.Target, UserID: bot.ID, Role: t.Role, CreatedAt: tx.Now()}
		for _, event := range []ledger.Event{
			&ledger.UserPut{Create: true, User: bot},
			&ledger.MemberPut{Create: true, Member: member},
			&ledger.TokenPut{Create: true, Token: t},
		} {
			if _, err := tx.Append(ctx, by, event); err != nil {
				return err
			}
		}
		return nil
	})
	return &t, secret, err
}

// unnumbered is where the ids of jobs begin to which their CI system gave none.
// It is beyond those that CI systems count to, so that such a job is never taken
// for another one of the same issuer, and JSON clients read it exactly.
const unnumbered = 1 << 50

// IssueForJob makes a job token, ending the one that the same issuer made for
// the same job before. A job without an id is a job of its own.
func (i Issuer) IssueForJob(ctx context.Context, by ledger.By, t ledger.Token) (*ledger.Token, string, error) {
	return i.IssueIf(ctx, by, t, "", func(tx *store.Tx, t *ledger.Token) error {
		old, err := tx.LiveJobToken(ctx, t)
		if packhouse.KindOf(err) == packhouse.NotFound {
			return nil
		} else if err != nil {
			return err
		}
		old.RevokedAt = tx.Now()
		_, err = tx.Append(ctx, by, &ledger.TokenPut{Token: *old})
		return err
	})
}

// Revoke ends a token for which allowed returns no error. Revoking it again
// changes nothing. With the last token of a bot goes the bot. packhouse.NotFound:
// there is no such token.
func (i Issuer) Revoke(ctx context.Context, by ledger.By, id int64, allowed func(*ledger.Token) error) error {
	return i.Store.Update(ctx, func(tx *store.Tx) error {
		t, err := tx.Token(ctx, id)
		if err != nil {
			return err
		}
		if err := allowed(t); err != nil || !t.RevokedAt.IsZero() {
			return err
		}
		t.RevokedAt = tx.Now()
		if _, err := tx.Append(ctx, by, &ledger.TokenPut{Token: *t}); err != nil {
			return err
		}
		return i.retireBot(ctx, tx, by, t)
	})
}

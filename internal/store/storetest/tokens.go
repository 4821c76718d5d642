package storetest

import (
	"context"
	"testing"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

var tokenTests = map[string]func(*testing.T, *fixture){
	"tokens/look-ups":           testTokenLookups,
	"tokens/one digest":         testTokenDigests,
	"tokens/one for each job":   testJobTokens,
	"tokens/revoked":            testTokenRevoked,
	"tokens/without a target":   testTokenMissing,
	"tokens/issuers of one job": testJobTokensOfTwoIssuers,
}

func token(id int64, kind packhouse.ActorKind, secret string) ledger.Token {
	return ledger.Token{ID: id, Kind: kind, Digest: fileOf("", secret).SHA256, Name: secret, UserID: 1}
}

func (f *fixture) putTokens(create bool, tokens ...ledger.Token) error {
	var events []ledger.Event
	for _, t := range tokens {
		events = append(events, &ledger.TokenPut{Create: create, Token: t})
	}
	return f.append(events...)
}

func testTokenLookups(t *testing.T, f *fixture) {
	group, project := packhouse.Target{Level: packhouse.Group, ID: 4}, packhouse.Target{Level: packhouse.Project, ID: 4}
	own, other, deploy, second := token(1, packhouse.PersonalToken, "a"), token(2, packhouse.PersonalToken, "b"),
		token(3, packhouse.DeployToken, "c"), token(4, packhouse.DeployToken, "d")
	other.UserID, deploy.Target, second.Target = 2, group, project
	deploy.UserID, second.UserID = 0, 0
	f.must(f.putTokens(true, own, other, deploy, second))
	f.view(func(ctx context.Context, tx *store.Tx) error {
		got, err := tx.TokenByDigest(ctx, deploy.Digest)
		f.must(err)
		f.wantEqual("TokenByDigest", *got, deploy)
		got, err = tx.Token(ctx, 2)
		f.must(err)
		f.wantEqual("Token", *got, other)
		list, err := tx.TokensOf(ctx, group, packhouse.DeployToken)
		f.must(err)
		f.wantEqual("TokensOf a group", list, []ledger.Token{deploy})
		list, err = tx.TokensOf(ctx, group, packhouse.GroupToken)
		f.must(err)
		f.wantEqual("TokensOf another kind", list, []ledger.Token(nil))
		list, err = tx.TokensOfUser(ctx, 1, packhouse.PersonalToken)
		f.wantEqual("TokensOfUser", list, []ledger.Token{own})
		return err
	})
}

func testTokenDigests(t *testing.T, f *fixture) {
	f.must(f.putTokens(true, token(1, packhouse.PersonalToken, "a")))
	f.wantKind("a second token of one digest", f.putTokens(true, token(2, packhouse.DeployToken, "a")), packhouse.Conflict)
	f.wantKind("a second token of one id", f.putTokens(true, token(1, packhouse.DeployToken, "b")), packhouse.Conflict)
}

func jobToken(id int64, secret string, creator int64) ledger.Token {
	t := token(id, packhouse.JobToken, secret)
	t.CreatorID, t.Job = creator, &packhouse.Job{ID: 77, ProjectID: 5}
	return t
}

func testJobTokens(t *testing.T, f *fixture) {
	first, second := jobToken(1, "a", 9), jobToken(2, "b", 9)
	f.must(f.putTokens(true, first))
	f.wantKind("a second live token of one job", f.putTokens(true, second), packhouse.Conflict)
	revoked := first
	revoked.RevokedAt = f.clock.Now()
	f.must(f.append(&ledger.TokenPut{Token: revoked}, &ledger.TokenPut{Create: true, Token: second}))
	f.view(func(ctx context.Context, tx *store.Tx) error {
		live, err := tx.LiveJobToken(ctx, &second)
		f.must(err)
		f.wantEqual("LiveJobToken", *live, second)
		old, err := tx.TokenByDigest(ctx, first.Digest)
		f.wantEqual("the revoked one", *old, revoked)
		return err
	})
	f.wantKind("reviving the first", f.putTokens(false, first), packhouse.Conflict)
}

func testJobTokensOfTwoIssuers(t *testing.T, f *fixture) {
	f.must(f.putTokens(true, jobToken(1, "a", 9), jobToken(2, "b", 10)))
	f.view(func(ctx context.Context, tx *store.Tx) error {
		like := jobToken(0, "", 10)
		live, err := tx.LiveJobToken(ctx, &like)
		f.must(err)
		f.wantEqual("id of the second issuer's token", live.ID, int64(2))
		return nil
	})
}

func testTokenRevoked(t *testing.T, f *fixture) {
	one := token(1, packhouse.PersonalToken, "a")
	f.must(f.putTokens(true, one))
	one.RevokedAt = f.clock.Now()
	f.must(f.putTokens(false, one))
	f.view(func(ctx context.Context, tx *store.Tx) error {
		got, err := tx.TokenByDigest(ctx, one.Digest)
		f.must(err)
		f.wantEqual("TokenByDigest", *got, one)
		f.wantEqual("Active", got.Active(f.clock.Now()), false)
		return nil
	})
}

func testTokenMissing(t *testing.T, f *fixture) {
	f.wantKind("a change of no token", f.putTokens(false, token(9, packhouse.PersonalToken, "a")), packhouse.NotFound)
	for what, find := range map[string]func(context.Context, *store.Tx) (*ledger.Token, error){
		"Token": func(ctx context.Context, tx *store.Tx) (*ledger.Token, error) { return tx.Token(ctx, 9) },
		"TokenByDigest": func(ctx context.Context, tx *store.Tx) (*ledger.Token, error) {
			return tx.TokenByDigest(ctx, packhouse.Digest{1})
		},
		"LiveJobToken": func(ctx context.Context, tx *store.Tx) (*ledger.Token, error) {
			like := jobToken(0, "", 9)
			return tx.LiveJobToken(ctx, &like)
		},
	} {
		err := f.View(t.Context(), func(tx *store.Tx) error {
			_, err := find(t.Context(), tx)
			return err
		})
		f.wantKind(what, err, packhouse.NotFound)
	}
}

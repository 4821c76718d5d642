package authn_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// What is known of the actor behind each kind of token.
func TestActor(t *testing.T) {
	t.Parallel()
	sc := start(t)
	scopes := func(s packhouse.Scopes) func(*ledger.Token) {
		return func(t *ledger.Token) { t.Scopes = s }
	}
	for _, kind := range kinds {
		made, secret := sc.make(kind, scopes(packhouse.ScopeReadAPI|packhouse.ScopeReadPackages))
		want := packhouse.Actor{Kind: kind, UserID: sc.dana.ID, Name: "dana", TokenID: made.ID, Scopes: made.Scopes}
		switch kind {
		case packhouse.ProjectToken:
			want.UserID, want.Name, want.Bound = made.UserID, fmt.Sprintf("project_%d_bot_%d", sc.project.ID, made.UserID), sc.project
		case packhouse.GroupToken:
			want.UserID, want.Name, want.Bound = made.UserID, fmt.Sprintf("group_%d_bot_%d", sc.group.ID, made.UserID), sc.group
		case packhouse.DeployToken:
			want.UserID, want.Name, want.Bound = 0, fmt.Sprintf("gitlab+deploy-token-%d", made.ID), sc.project
		case packhouse.JobToken:
			want.Job = made.Job
		}
		got, err := sc.ask("/", "Private-Token: "+secret)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", kind, err, diff)
		}
	}
}

// Without a credential there is nobody, and that is no error.
func TestVisitor(t *testing.T) {
	t.Parallel()
	sc := start(t)
	for _, target := range []string{"/", "/?page=2", "/?_token=x", "/?private_tokens=x"} {
		if who, err := sc.ask(target); err != nil || who != (packhouse.Actor{}) {
			t.Errorf("%s = %+v, %v, want the zero actor", target, who, err)
		}
	}
}

// What the directory says of a user holds from the next request on, whatever is
// remembered of their token.
func TestUserChanges(t *testing.T) {
	t.Parallel()
	sc := start(t)
	_, secret := sc.make(packhouse.PersonalToken)
	check := func(what string, want packhouse.Actor, kind packhouse.Kind) {
		t.Helper()
		got, err := sc.ask("/", "Private-Token: "+secret)
		if kind != 0 && (err == nil || packhouse.KindOf(err) != kind) || kind == 0 && err != nil ||
			got.Name != want.Name || got.Admin != want.Admin || got.External != want.External {
			t.Errorf("%s: %+v, %v, want %+v", what, got, err, want)
		}
	}
	edit := func(change func(*ledger.User)) { sc.edit(sc.dana.ID, change) }
	check("at first", packhouse.Actor{Name: "dana"}, 0)
	edit(func(u *ledger.User) { u.Username = "dina" })
	check("renamed", packhouse.Actor{Name: "dina"}, 0)
	edit(func(u *ledger.User) { u.Admin = true })
	check("administrator", packhouse.Actor{Name: "dina", Admin: true}, 0)
	edit(func(u *ledger.User) { u.Admin, u.External = false, true })
	check("external", packhouse.Actor{Name: "dina", External: true}, 0)
	edit(func(u *ledger.User) { u.Blocked = true })
	check("blocked", packhouse.Actor{}, packhouse.Forbidden)
	edit(func(u *ledger.User) { u.Blocked = false })
	check("unblocked", packhouse.Actor{Name: "dina", External: true}, 0)
}

// A token of a user who does not exist is nobody's.
func TestUserIsMissing(t *testing.T) {
	t.Parallel()
	sc := start(t)
	_, secret := sc.make(packhouse.PersonalToken, func(t *ledger.Token) { t.UserID = 999 })
	if who, err := sc.ask("/", "Private-Token: "+secret); err == nil || packhouse.KindOf(err) != packhouse.Unauthenticated {
		t.Errorf("actor %+v, %v, want Unauthenticated", who, err)
	}
}

// A token is good until the second at which it expires and not at it; what its
// kind is does not matter.
func TestExpiry(t *testing.T) {
	t.Parallel()
	sc := start(t)
	end := time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC)
	for _, kind := range kinds {
		made, secret := sc.make(kind, func(t *ledger.Token) { t.ExpiresAt = end })
		for _, test := range []struct {
			now  time.Time
			want bool
		}{
			{end.Add(-time.Second), true},
			{end.Add(-time.Nanosecond), true},
			{end, false},
			{end.Add(time.Nanosecond), false},
			{end.Add(time.Hour), false},
			{end.Add(-time.Second).In(time.FixedZone("east", 14*3600)), true},
			{end.In(time.FixedZone("west", -12*3600)), false},
			{end.Add(-time.Hour), true}, // the clock was set back
		} {
			sc.set(test.now)
			who, err := sc.ask("/", "Private-Token: "+secret)
			if (err == nil) != test.want || (who.TokenID == made.ID) != test.want {
				t.Errorf("%s at %s = %+v, %v, want it good: %v", kind, test.now, who, err, test.want)
			}
		}
	}
	sc.set(end.AddDate(1000, 0, 0))
	_, secret := sc.make(packhouse.PersonalToken)
	if who, err := sc.ask("/", "Private-Token: "+secret); err != nil || who.Name != "dana" {
		t.Errorf("a token that never expires = %+v, %v", who, err)
	}
}

// What is wrong with the store is an error of ours, in no carrier a visitor.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	sc := start(t)
	_, secret := sc.make(packhouse.PersonalToken)
	must(t, sc.Store.Close())
	for i, c := range carriers {
		who, err := sc.send(i, secret)
		if kind := packhouse.KindOf(err); err == nil || kind != packhouse.Unavailable && kind != packhouse.Internal || who != (packhouse.Actor{}) {
			t.Errorf("%s with the store closed = %+v, %v, want a failure", c.name, who, err)
		}
	}
	if err := sc.Store.View(t.Context(), func(*store.Tx) error { return nil }); err == nil {
		t.Error("the store is not closed; this test proves nothing")
	}
}

package authn_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
)

// A revoked token is dead for every request that begins after the revocation
// has returned, however busy it is.
func TestRevokedUnderUse(t *testing.T) {
	t.Parallel()
	sc := start(t)
	for round := range 15 {
		made, secret := sc.make(kinds[round%len(kinds)])
		var dead atomic.Bool
		var used, late atomic.Int64
		var readers sync.WaitGroup
		stop := make(chan struct{})
		for i := range 8 {
			field := carriers[i%2].header(secret)
			readers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					ended := dead.Load()
					if _, err := sc.ask("/", field); err == nil && ended {
						late.Add(1)
					}
					used.Add(1)
				}
			})
		}
		for used.Load() < 50 {
			time.Sleep(time.Millisecond)
		}
		sc.end(made.ID)
		dead.Store(true)
		for before := used.Load(); used.Load() < before+50; {
			time.Sleep(time.Millisecond)
		}
		close(stop)
		readers.Wait()
		if late.Load() > 0 {
			t.Errorf("round %d: the token was used %d times after its end", round, late.Load())
		}
	}
}

// Ending a token again changes nothing, ending one that there is not is not
// found, and what allowed says is returned and ends nothing.
func TestRevoke(t *testing.T) {
	t.Parallel()
	sc := start(t)
	made, secret := sc.make(packhouse.PersonalToken)
	no := errors.New("not yours")
	if err := sc.Revoke(t.Context(), noOne, made.ID, func(*ledger.Token) error { return no }); !errors.Is(err, no) {
		t.Errorf("Revoke that is not allowed = %v, want %v", err, no)
	}
	if _, err := sc.ask("/", "Private-Token: "+secret); err != nil {
		t.Errorf("after that = %v, want it good", err)
	}
	sc.end(made.ID)
	ended := sc.Store.Position()
	sc.end(made.ID)
	if got := sc.Store.Position(); got != ended {
		t.Errorf("ending it again wrote %d entries, want none", got-ended)
	}
	if err := sc.Revoke(t.Context(), noOne, 999, nil); err == nil || packhouse.KindOf(err) != packhouse.NotFound {
		t.Errorf("Revoke of no token = %v, want NotFound", err)
	}
}

// Why a token is no good is told to whoever has it.
func TestAdvice(t *testing.T) {
	t.Parallel()
	sc := start(t)
	for _, test := range []struct {
		what, secret, want string
	}{
		{"expired", sc.expired(packhouse.PersonalToken), "the token has expired; rotate it or make a new one"},
		{"revoked", sc.revoked(packhouse.PersonalToken), "the token was revoked; make a new one"},
		{"finished", sc.revoked(packhouse.JobToken), "the job of this token has finished"},
		{"unknown", "glpat-nobody", "the token is not known here; check that it was made on this server and copied whole"},
		{"blocked", sc.blocked(packhouse.PersonalToken), "ask an administrator to make eve-personal active again"},
	} {
		_, err := sc.ask("/", "Private-Token: "+test.secret)
		if e := packhouse.AsError(err); err == nil || e.Fix != test.want || e.Rule == "" {
			t.Errorf("%s: rule %q and advice %q, want %q", test.what, e.Rule, e.Fix, test.want)
		}
	}
}

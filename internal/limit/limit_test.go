package limit_test

import (
	"crypto/sha256"
	"net/netip"
	"sync"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/limit"
)

func TestWindow(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	r := limit.NewRates(limit.RateOptions{Limits: always(limit.Limits{API: limit.Rate{Requests: 2, Period: 15 * time.Second}}), Now: func() time.Time { return now }})
	who := packhouse.Actor{Kind: packhouse.PersonalToken, UserID: 7}
	take := func() limit.State {
		s, ok := r.Take(who, netip.Addr{}, true)
		if !ok {
			t.Fatal("no limit holds")
		}
		return s
	}
	for i, exceeded := range []bool{false, false, true} {
		if s := take(); s.Exceeded != exceeded || s.PerMinute != 8 || !s.Reset.Equal(time.Unix(1_800_000_015, 0)) {
			t.Errorf("request %d: %+v", i, s)
		}
	}
	now = now.Add(15 * time.Second)
	if s := take(); s.Exceeded || s.Observed != 1 {
		t.Errorf("in the next window: %+v", s)
	}
	deploy := packhouse.Actor{Kind: packhouse.DeployToken, TokenID: 7}
	if s, _ := r.Take(deploy, netip.Addr{}, true); s.Observed != 1 {
		t.Errorf("a deploy token of the same number: %+v, want a count of its own", s)
	}
	if _, ok := r.Take(packhouse.Actor{}, netip.Addr{}, true); ok {
		t.Error("a visitor is limited where no limit is set")
	}
	if limit.NewFailures(limit.FailureOptions{}) != nil {
		t.Error("without limits something is counted")
	}
}

// Everybody counts, whoever asks at the same time.
func TestConcurrentCounts(t *testing.T) {
	t.Parallel()
	r := limit.NewRates(limit.RateOptions{Limits: always(limit.Limits{APIAnonymous: limit.Rate{Requests: 500, Period: time.Hour}})})
	var wait sync.WaitGroup
	for range 10 {
		wait.Go(func() {
			for range 100 {
				r.Take(packhouse.Actor{}, netip.MustParseAddr("192.0.2.1"), false)
			}
		})
	}
	wait.Wait()
	if s, _ := r.Take(packhouse.Actor{}, netip.MustParseAddr("192.0.2.1"), false); s.Observed != 1001 || !s.Exceeded {
		t.Errorf("after a thousand requests: %+v", s)
	}
}

func TestFailuresForgotten(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	addr, proxy := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("127.0.0.1")
	f := limit.NewFailures(limit.FailureOptions{
		Most: 2, Ban: time.Hour, Exempt: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Now: func() time.Time { return now },
	})
	guess := func(addr netip.Addr, text string) { f.Failed(addr, sha256.Sum256([]byte(text))) }
	guess(addr, "a")
	now = now.Add(61 * time.Second)
	guess(addr, "b")
	if !f.Banned(addr).IsZero() {
		t.Error("two failures in more than a minute are too many")
	}
	guess(addr, "c")
	if got := f.Banned(addr); !got.Equal(now.Add(time.Hour)) {
		t.Errorf("Banned = %v, want in an hour", got)
	}
	now = now.Add(time.Hour)
	if !f.Banned(addr).IsZero() {
		t.Error("the ban does not end")
	}
	for _, text := range []string{"a", "b", "c", "d"} {
		guess(proxy, text)
	}
	if !f.Banned(proxy).IsZero() {
		t.Error("an exempt address is banned")
	}
}

// always is the same limits at all times.
func always(l limit.Limits) func() limit.Limits { return func() limit.Limits { return l } }

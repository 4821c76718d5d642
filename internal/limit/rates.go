package limit

import (
	"net/netip"
	"sync"
	"time"

	"packhouse"
)

// Rate is how many requests a client may send in a time. The zero Rate is no
// limit.
type Rate struct {
	Requests int64
	Period   time.Duration
}

// Limits are the rates by what is asked and who asks, as in GitLab. Those of
// packages hold for package paths instead of those of the API, where they are
// set.
type Limits struct {
	Packages, PackagesAnonymous Rate
	API, APIAnonymous           Rate
}

// RateOptions configure Rates.
type RateOptions struct {
	Limits func() Limits // as they are now; asked for every request
	Now    func() time.Time
}

// Rates counts requests. Its methods may be called concurrently; those of a nil
// Rates count nothing.
type Rates struct {
	options RateOptions
	windows counters[client, window]
}

// client is who is counted, for one of the limits.
type client struct {
	limit string
	user  int64
	token int64 // of what has no user
	addr  netip.Prefix
}

// window is the time that is counted in.
type window struct {
	mu    sync.Mutex
	since time.Time
	count int64
}

// State is where a client stands after a request.
type State struct {
	Name      string // of the limit, in GitLab's words
	PerMinute int64  // the limit, in the unit in which clients read it
	Observed  int64  // requests so far
	Remaining int64
	Reset     time.Time // when counting begins anew
	Exceeded  bool
}

// NewRates makes Rates.
func NewRates(opts RateOptions) *Rates {
	opts.Now = orNow(opts.Now)
	return &Rates{opts, newCounters[client, window]()}
}

// Take counts a request. ok is false when no limit holds for it.
func (r *Rates) Take(who packhouse.Actor, addr netip.Addr, packages bool) (s State, ok bool) {
	if r == nil {
		return s, false
	}
	rate, name := r.limit(who.Kind == packhouse.Anonymous, packages)
	if rate.Requests <= 0 || rate.Period <= 0 {
		return s, false
	}
	c := client{limit: name}
	switch {
	case who.Kind == packhouse.Anonymous:
		c.addr = clientOf(addr)
	case who.UserID != 0:
		c.user = who.UserID
	default:
		c.token = who.TokenID
	}
	w, now := r.windows.of(c), r.options.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Sub(w.since) >= rate.Period || now.Before(w.since) {
		w.since, w.count = now, 0
	}
	w.count++
	return State{
		Name: name, PerMinute: (rate.Requests*int64(time.Minute) + int64(rate.Period) - 1) / int64(rate.Period),
		Observed: w.count, Remaining: max(0, rate.Requests-w.count), Reset: w.since.Add(rate.Period), Exceeded: w.count > rate.Requests,
	}, true
}

func (r *Rates) limit(anonymous, packages bool) (Rate, string) {
	o := r.options.Limits()
	switch {
	case anonymous && packages && o.PackagesAnonymous != Rate{}:
		return o.PackagesAnonymous, "throttle_unauthenticated_packages_api"
	case anonymous:
		return o.APIAnonymous, "throttle_unauthenticated_api"
	case packages && o.Packages != Rate{}:
		return o.Packages, "throttle_authenticated_packages_api"
	}
	return o.API, "throttle_authenticated_api"
}

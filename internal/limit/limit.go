// Package limit bounds what one client can ask: requests in a time, and wrong
// credentials in a time. What it counts is in memory, of a bounded size and of
// this process alone: several nodes count each for itself.
package limit

import (
	"net/netip"
	"time"

	"github.com/maypok86/otter/v2"

	"packhouse/internal/memo"
)

// maxKept bounds the clients that are counted at a time. Beyond it those who were
// not heard of for the longest are forgotten.
const maxKept = 100_000

// counters are counters by key that are made when they are first asked for.
type counters[K comparable, V any] struct{ cache memo.Cache[K, *V] }

func newCounters[K comparable, V any]() counters[K, V] {
	return counters[K, V]{otter.Must(&otter.Options[K, *V]{MaximumSize: maxKept})}
}

func (c counters[K, V]) find(key K) (*V, bool) { return c.cache.GetIfPresent(key) }

func (c counters[K, V]) of(key K) *V {
	if v, ok := c.cache.GetIfPresent(key); ok {
		return v
	}
	v, _ := c.cache.SetIfAbsent(key, new(V))
	return v
}

// clientOf is what counts as one client: an address, and of IPv6 the network of
// one customer, who can choose among more addresses than could be counted.
func clientOf(addr netip.Addr) netip.Prefix {
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	client, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address: all of them are one
	}
	return client
}

func orNow(now func() time.Time) func() time.Time {
	if now == nil {
		return time.Now
	}
	return now
}

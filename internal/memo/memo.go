// Package memo remembers what was read from the store until the ledger says
// that it changed.
//
// A Memo never returns anything older than the last acknowledged change. Each
// key belongs to a place; a change touches the place before it is acknowledged,
// and what was remembered, or was being read, before the touch counts no more.
// There are a fixed number of places, so unrelated keys may share one and lose
// their memory needlessly; that costs a read, never a wrong answer.
package memo

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/maypok86/otter/v2"
)

const places = 1 << 12

var seed = maphash.MakeSeed()

// Place is where a key belongs. The same parts give the same place throughout
// the process.
func Place[K comparable](key K) uint64 { return maphash.Comparable(seed, key) }

// Memo is a bounded memory of values by key. It is safe for concurrent use.
type Memo[K comparable, V any] struct {
	keep    func(K) K
	touched [places]atomic.Uint64
	cache   Cache[K, remembered[V]]
}

type remembered[V any] struct {
	value V
	as    uint64 // count of touches before the value was read
}

// New makes a Memo of at most size values. Before a key is remembered it passes
// through keep, which cuts it loose from whatever it was taken out of: the parts
// of a request's path hold on to the whole request. Keys without such parts need
// none; keep may be nil.
func New[K comparable, V any](size int, keep func(K) K) *Memo[K, V] {
	if keep == nil {
		keep = func(key K) K { return key }
	}
	return &Memo[K, V]{keep: keep, cache: otter.Must(&otter.Options[K, remembered[V]]{MaximumSize: size})}
}

// Touch forgets everything that belongs to a place.
func (m *Memo[K, V]) Touch(place uint64) { m.touched[place%places].Add(1) }

// Get returns the value of key, reading it with load when it is not remembered.
// Errors of load are returned and not remembered. Concurrent calls may each
// load.
func (m *Memo[K, V]) Get(key K, place uint64, load func() (V, error)) (V, error) {
	now := m.touched[place%places].Load()
	if r, ok := m.cache.GetIfPresent(key); ok && r.as == now {
		return r.value, nil
	}
	value, err := load()
	if err == nil {
		m.cache.Set(m.keep(key), remembered[V]{value: value, as: now})
	}
	return value, err
}

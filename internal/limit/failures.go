package limit

import (
	"net/netip"
	"sync"
	"time"

	"packhouse"
)

// FailureOptions configure Failures.
type FailureOptions struct {
	Most   int            // wrong credentials within the time; 0 for any number
	Within time.Duration  // 0 means a minute
	Ban    time.Duration  // how long a client is refused then; 0 means ten minutes
	Exempt []netip.Prefix // clients that are never refused
	Now    func() time.Time
}

// Failures counts wrong credentials by client and refuses those that send too
// many. Its methods may be called concurrently; those of a nil Failures count
// nothing.
type Failures struct {
	options FailureOptions
	clients counters[netip.Prefix, failing]
}

// failing is what is known of a client.
type failing struct {
	mu    sync.Mutex
	count int
	since time.Time
	until time.Time // refused until then
	last  packhouse.Digest
}

// NewFailures makes Failures; nil when any number is allowed.
func NewFailures(opts FailureOptions) *Failures {
	if opts.Most <= 0 {
		return nil
	}
	if opts.Within == 0 {
		opts.Within = time.Minute
	}
	if opts.Ban == 0 {
		opts.Ban = 10 * time.Minute
	}
	opts.Now = orNow(opts.Now)
	return &Failures{opts, newCounters[netip.Prefix, failing]()}
}

// Banned returns until when a client is refused; the zero time when it is not.
func (f *Failures) Banned(addr netip.Addr) time.Time {
	if f == nil {
		return time.Time{}
	}
	c, known := f.clients.find(clientOf(addr))
	if !known {
		return time.Time{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.options.Now().Before(c.until) {
		return c.until
	}
	return time.Time{}
}

// Failed counts a wrong credential, by its digest, which is zero when there is
// none. The same one over and over is somebody's mistake, not a guess, and
// counts once.
func (f *Failures) Failed(addr netip.Addr, credential packhouse.Digest) {
	if f == nil || f.exempt(addr) {
		return
	}
	c, now := f.clients.of(clientOf(addr)), f.options.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !credential.IsZero() && credential == c.last {
		return
	}
	c.last = credential
	if now.Sub(c.since) > f.options.Within {
		c.count, c.since = 0, now
	}
	if c.count++; c.count >= f.options.Most {
		c.count, c.until = 0, now.Add(f.options.Ban)
	}
}

// Succeeded forgets the failures of a client that has shown a good credential.
func (f *Failures) Succeeded(addr netip.Addr) {
	if f == nil {
		return
	}
	c, known := f.clients.find(clientOf(addr))
	if !known {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count, c.last = 0, packhouse.Digest{}
}

func (f *Failures) exempt(addr netip.Addr) bool {
	for _, network := range f.options.Exempt {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

package oidc_test

import (
	"sync"
	"testing"
	"time"

	"packhouse/internal/oidc"
	"packhouse/internal/oidc/oidctest"
)

// fakeClock is a clock that is moved by hand.
type fakeClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *fakeClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// FuzzParse: whatever is read is read without a panic, and its claims can be
// asked for.
func FuzzParse(f *testing.F) {
	is := oidctest.Start(f)
	f.Add(is.Token(is.Claims("x", nil)))
	f.Add(is.Token(is.Claims("x", map[string]any{"iss": 1, "aud": []any{1, nil}, "exp": 1e300})))
	f.Add("e30.e30.e30")
	f.Add("..")
	f.Add(`{"payload":"e30"}`)
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := oidc.Parse(raw)
		if err == nil {
			_ = u.Issuer()
		}
	})
}

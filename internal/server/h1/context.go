package h1

import (
	"context"
	"sync"
	"time"
)

// requestContext is the context of a request. Most handlers of plain requests
// never wait for its end, so the cancellable context behind it, with its
// allocations and its entry in the parent, is made on the first call of Done.
type requestContext struct {
	parent context.Context

	mu     sync.Mutex
	inner  context.Context // nil until Done is called
	cancel context.CancelFunc
}

// Deadline returns the parent's deadline.
func (c *requestContext) Deadline() (time.Time, bool) { return c.parent.Deadline() }

// Done returns a channel that closes when the handler has returned or the
// listener is shut down by force.
func (c *requestContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner == nil {
		c.inner, c.cancel = context.WithCancel(c.parent)
	}
	return c.inner.Done()
}

// Err returns why Done is closed, or nil.
func (c *requestContext) Err() error { return c.current().Err() }

// Value asks the inner context once there is one: package context finds there
// that it can attach children directly, without a goroutine for each.
func (c *requestContext) Value(key any) any { return c.current().Value(key) }

func (c *requestContext) current() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner == nil {
		return c.parent
	}
	return c.inner
}

// finish ends the context and reports whether it may serve another request:
// nobody has asked for its end.
func (c *requestContext) finish() (reusable bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner == nil {
		return true
	}
	c.cancel()
	return false
}

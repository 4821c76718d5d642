package h1

import (
	"context"
	"time"
)

// Close stops accepting: Accept returns net.ErrClosed and no connection is handed
// over any more. Connections that are open go on, each until the end of the
// request it is serving; Shutdown waits for them. Close may be called repeatedly.
func (l *Listener) Close() error {
	var err error
	l.stop.Do(func() {
		l.mu.Lock()
		l.stopping.Store(true)
		l.mu.Unlock()
		close(l.done)
		err = l.inner.Close()
		l.closeWaiting()
	})
	return err
}

// Shutdown stops accepting, closes the connections that wait for a request and
// lets the others finish the one they serve. When ctx ends first it cancels the
// contexts of the remaining requests, closes their connections and returns ctx's
// error without waiting for the handlers.
func (l *Listener) Shutdown(ctx context.Context) error {
	closeErr := l.Close()
	defer l.overOnce.Do(func() { close(l.over) })
	finished := make(chan struct{})
	go func() {
		l.open.Wait()
		close(finished)
	}()
	select {
	case <-finished:
		l.cancel()
		return closeErr
	case <-ctx.Done():
		l.cancel()
		l.mu.Lock()
		defer l.mu.Unlock()
		for c := range l.conns {
			c.tcp.Close()
		}
		return ctx.Err()
	}
}

// Active returns how many connections are in the middle of a request, handed
// over ones not included.
func (l *Listener) Active() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for c := range l.conns {
		if !c.phase().waiting() {
			n++
		}
	}
	return n
}

// closeWaiting closes the connections that wait for a request. A connection that
// comes to wait later sees stopping and closes itself.
func (l *Listener) closeWaiting() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		if m := c.mark.Load(); phaseOf(m).waiting() && c.mark.CompareAndSwap(m, uint64(closed)) {
			c.tcp.Close()
		}
	}
}

// sweep enforces all timeouts. One look at every connection each tick is far
// cheaper than setting two deadlines for each request: a request then pays for
// its timeouts with a few atomic stores.
func (l *Listener) sweep() {
	shortest := min(l.opts.IdleTimeout, l.opts.HeadTimeout, l.opts.WriteTimeout)
	period := min(max(shortest/10, 5*time.Millisecond), time.Second)
	limits := [...]uint64{
		opened:  uint64(l.opts.HeadTimeout / period),
		idle:    uint64(l.opts.IdleTimeout / period),
		reading: uint64(l.opts.HeadTimeout / period),
		writing: uint64(l.opts.WriteTimeout / period),
		closed:  0,
	}
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			l.closeOverdue(l.tick.Add(1), limits[:])
		case <-l.over:
			return
		}
	}
}

func (l *Listener) closeOverdue(now uint64, limits []uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		m := c.mark.Load()
		limit := limits[phaseOf(m)]
		if limit == 0 || now-tickOf(m) <= limit || !c.mark.CompareAndSwap(m, uint64(closed)) {
			continue
		}
		if phaseOf(m) == writing {
			// The peer does not read. A reset frees what the kernel still
			// holds for it, and tells it that the answer is incomplete.
			c.tcp.SetLinger(0)
		}
		c.tcp.Close()
	}
}

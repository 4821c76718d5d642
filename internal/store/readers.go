package store

import (
	"context"
	"sync"
)

// readers are the connections for reading. The one that was used last is used
// next, so that few views at a time keep few connections busy, with what these
// hold in memory.
type readers struct {
	turns chan struct{} // holds one for each view under way

	mu   sync.Mutex
	idle []*session
}

func newReaders(most int) *readers { return &readers{turns: make(chan struct{}, most)} }

// wait waits for a turn, until quit.
func (r *readers) wait(ctx context.Context, quit <-chan struct{}) error {
	select {
	case r.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-quit:
		return errClosed
	}
}

// take returns an idle connection, or nil when a new one has to be opened.
func (r *readers) take() *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.idle) == 0 {
		return nil
	}
	last := len(r.idle) - 1
	conn := r.idle[last]
	r.idle = r.idle[:last]
	return conn
}

// done ends a turn and keeps its connection; nil when it has none any more.
func (r *readers) done(conn *session) {
	if conn != nil {
		r.mu.Lock()
		r.idle = append(r.idle, conn)
		r.mu.Unlock()
	}
	<-r.turns
}

// close waits for the views under way and closes all connections. It keeps all
// the turns.
func (r *readers) close() {
	for range cap(r.turns) {
		r.turns <- struct{}{}
	}
	for conn := r.take(); conn != nil; conn = r.take() {
		conn.close()
	}
}

package server

import (
	"context"
	"net/http"
	"sync"
	"time"

	"packhouse/internal/server/h1"
)

// stop ends serving. It returns when all requests have finished, or when
// ShutdownGrace is over and the rest has been cut. fast is nil without the fast path.
func (s *Server) stop(srv *http.Server, fast *h1.Listener, cutRequests context.CancelFunc) {
	log := s.opts.Log
	log.Info("stopping", "in_flight", s.active(fast), "grace", s.opts.ShutdownGrace)
	begun := time.Now()
	patience, cut := context.WithCancel(context.Background())
	defer cut()

	var both sync.WaitGroup
	both.Go(func() { _ = srv.Shutdown(patience) })
	if fast != nil {
		both.Go(func() { _ = fast.Shutdown(patience) })
	}
	finished := make(chan struct{})
	go func() {
		both.Wait()
		close(finished)
	}()

	select {
	case <-finished:
		log.Info("stopped", "took", time.Since(begun).Round(time.Millisecond))
	case <-time.After(s.opts.ShutdownGrace):
		log.Warn("grace is over, requests are cut", "in_flight", s.active(fast))
		cutRequests()
		cut()
		<-finished
		srv.Close()
	}
}

// active is how many requests are being answered.
func (s *Server) active(fast *h1.Listener) int {
	n := int(s.inFlight.Load())
	if fast != nil {
		n += fast.Active()
	}
	return n
}

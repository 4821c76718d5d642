package server

import (
	"context"
	"net/http"
	"sync"
	"time"

	"packhouse/internal/server/h1"
)

// stop ends serving. It returns when all requests have finished or ShutdownGrace
// is over and the rest has been cut. fast is nil without the fast path.
func (s *Server) stop(srv *http.Server, fast *h1.Listener, cutRequests context.CancelFunc) {
	log := s.opts.Log
	log.Info("stopping", "in_flight", s.active(fast), "grace", s.opts.ShutdownGrace)
	begun := time.Now()
	grace, cancel := context.WithTimeout(context.Background(), s.opts.ShutdownGrace)
	defer cancel()

	var both sync.WaitGroup
	var fastErr error
	if fast != nil {
		both.Go(func() { fastErr = fast.Shutdown(grace) })
	}
	err := srv.Shutdown(grace)
	if err != nil {
		log.Warn("grace is over, requests are cut", "in_flight", s.active(fast))
		cutRequests()
		srv.Close()
	}
	both.Wait()
	if err == nil && fastErr == nil {
		log.Info("stopped", "took", time.Since(begun).Round(time.Millisecond))
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

// Package server carries the application, which is one http.Handler, to the
// network: it listens, speaks HTTP/1.1 and, with a certificate, TLS and HTTP/2,
// cuts transfers that stand still, and stops without breaking uploads.
//
// It knows nothing of packages or formats. There is no http.ServeMux anywhere:
// paths reach the handler as the client wrote them, because "//", "." and "%2F" mean
// something to package clients and an upload must not be redirected.
//
// Without TLS, package h1 stands in front of net/http and serves the plain GETs.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"packhouse/internal/server/h1"
)

// maxHeaderBytes bounds a request head. CI job tokens are JWTs of more than 1 KiB
// and some clients send them twice.
const maxHeaderBytes = 64 << 10

// Options say how to serve. Only Handler is needed.
type Options struct {
	// Handler answers every request as it came: nothing cleans its path.
	Handler http.Handler

	// Listen is the address; "127.0.0.1:8080" if empty. Port 0 takes a free one.
	Listen string

	// Option is what the address is set by, for errors about it; "--listen" if empty.
	Option string

	// CertFile and KeyFile are PEM files. With both, the listener speaks TLS 1.2
	// or later, with HTTP/2, and nothing else.
	CertFile, KeyFile string

	// NoFastPath leaves every request to net/http.
	NoFastPath bool

	// ReadHeaderTimeout is how long a request head may take; 10 seconds if 0.
	ReadHeaderTimeout time.Duration

	// IdleTimeout is how long a connection may wait for its next request;
	// 3 minutes if 0.
	IdleTimeout time.Duration

	// StallTimeout is how long an upload or a download may stand still before it
	// is cut; 1 minute if 0. There is no limit on how long one takes.
	StallTimeout time.Duration

	// ShutdownGrace is how long requests in flight may take to finish when the
	// server stops; 30 seconds if 0.
	ShutdownGrace time.Duration

	// Log is slog.Default() if nil.
	Log *slog.Logger

	// Ready, if not nil, is called once with the address that was bound, when
	// connections are accepted.
	Ready func(net.Addr)
}

func (o Options) withDefaults() Options {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:8080"
	}
	if o.Option == "" {
		o.Option = "--listen"
	}
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&o.ReadHeaderTimeout, 10 * time.Second},
		{&o.IdleTimeout, 3 * time.Minute},
		{&o.StallTimeout, time.Minute},
		{&o.ShutdownGrace, 30 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.fallback
		}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// Server serves one handler on one listener. Make one with New.
type Server struct {
	opts     Options
	cert     *certificate // nil without TLS
	inFlight atomic.Int64 // requests inside the handler by way of net/http
}

// New checks the options and reads the certificate. Its errors name the option
// that is to be changed.
func New(opts Options) (*Server, error) {
	if opts.Handler == nil {
		return nil, errors.New("server: Options.Handler is nil")
	}
	s := &Server{opts: opts.withDefaults()}
	switch {
	case opts.CertFile != "" && opts.KeyFile != "":
		cert, err := loadCertificate(opts.CertFile, opts.KeyFile, s.opts.Log)
		if err != nil {
			return nil, err
		}
		s.cert = cert
	case opts.CertFile != "":
		return nil, errors.New("--tls-cert is set and --tls-key is not; TLS needs both")
	case opts.KeyFile != "":
		return nil, errors.New("--tls-key is set and --tls-cert is not; TLS needs both")
	}
	return s, nil
}

// Reload reads the certificate files again, for new connections. When they cannot
// be used it returns why, and the certificate in use stays. Without TLS there is
// nothing to do. It may be called at any time.
func (s *Server) Reload() error {
	if s.cert == nil {
		return nil
	}
	return s.cert.reload()
}

// Run serves until ctx ends and then stops gracefully: it accepts nothing more,
// lets requests in flight finish within ShutdownGrace, and cuts the rest. It
// returns nil after that, or the error that kept it from serving. Run is called
// once.
func (s *Server) Run(ctx context.Context) error {
	inner, err := listen(ctx, s.opts.Listen, s.opts.Option)
	if err != nil {
		return err
	}
	// Requests outlive ctx, by up to ShutdownGrace.
	requests, cutRequests := context.WithCancel(context.WithoutCancel(ctx))
	defer cutRequests()

	srv := s.httpServer(requests)
	ln := inner
	var fast *h1.Listener
	if s.cert == nil && !s.opts.NoFastPath {
		fast = h1.New(requests, inner, s.opts.Handler, h1.Options{
			Log:          s.opts.Log,
			IdleTimeout:  s.opts.IdleTimeout,
			HeadTimeout:  s.opts.ReadHeaderTimeout,
			WriteTimeout: s.opts.StallTimeout,
		})
		ln = fast
	}
	ln = pacedListener{ln, s.opts.StallTimeout}

	ended := make(chan error, 1)
	go func() {
		if s.cert != nil {
			ended <- srv.ServeTLS(ln, "", "")
		} else {
			ended <- srv.Serve(ln)
		}
	}()
	s.opts.Log.Info("listening", "address", inner.Addr().String(), "tls", s.cert != nil)
	if s.opts.Ready != nil {
		s.opts.Ready(inner.Addr())
	}

	select {
	case err = <-ended:
	case <-ctx.Done():
	}
	s.stop(srv, fast, cutRequests)
	if err == nil {
		<-ended
	}
	return err
}

func (s *Server) httpServer(requests context.Context) *http.Server {
	srv := &http.Server{
		Handler:           s.count(guardBodies(s.opts.Handler, s.opts.StallTimeout)),
		ReadHeaderTimeout: s.opts.ReadHeaderTimeout,
		IdleTimeout:       s.opts.IdleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          errorLog(s.opts.Log),
		BaseContext:       func(net.Listener) context.Context { return requests },
		HTTP2:             &http.HTTP2Config{WriteByteTimeout: s.opts.StallTimeout},
		// "OPTIONS *" is the handler's like everything else.
		DisableGeneralOptionsHandler: true,
	}
	if s.cert != nil {
		srv.TLSConfig = s.cert.config()
	}
	return srv
}

// count keeps inFlight. Requests on the fast path are counted by its listener.
func (s *Server) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.inFlight.Add(1)
		defer s.inFlight.Add(-1)
		next.ServeHTTP(w, r)
	})
}

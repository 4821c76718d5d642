package h1

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Options are the limits of a [Listener]. The zero value works.
type Options struct {
	// Log receives panics of handlers and failures of Accept; slog.Default() if nil.
	Log *slog.Logger

	// IdleTimeout is how long a connection may wait for its next request;
	// 3 minutes if 0.
	IdleTimeout time.Duration

	// HeadTimeout is how long a request head may take from its first byte, and
	// how long a new connection may stay silent; 10 seconds if 0.
	HeadTimeout time.Duration

	// WriteTimeout is how long one write may wait for a slow reader; 1 minute
	// if 0. It starts again with each write of at most 256 KiB, so it bounds
	// stalls and not downloads.
	WriteTimeout time.Duration
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = 3 * time.Minute
	}
	if o.HeadTimeout <= 0 {
		o.HeadTimeout = 10 * time.Second
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = time.Minute
	}
	return o
}

// Listener serves the plain requests of its connections itself and hands out,
// through Accept, the connections that need net/http. It is meant to be given to
// http.Server.Serve. All methods may be called concurrently.
type Listener struct {
	inner   net.Listener
	handler http.Handler
	opts    Options

	ctx    context.Context // parent of every request's context
	cancel context.CancelFunc

	start    sync.Once
	stop     sync.Once
	stopping atomic.Bool
	done     chan struct{} // closed by Close
	over     chan struct{} // closed when Shutdown is through
	overOnce sync.Once
	handed   chan net.Conn
	failed   chan error // holds the error that ended the accept loop

	mu    sync.Mutex
	conns map[*conn]struct{}
	open  sync.WaitGroup // one for each of conns

	tick      atomic.Uint64 // the sweeper's coarse clock
	exchanges sync.Pool     // of *exchange
	buffers   sync.Pool     // of *[]byte, maxBuffered long
	date      atomic.Pointer[dateLine]

	handedOver atomic.Int64
	sentFile   atomic.Int64
}

// New returns a listener that accepts from inner and serves plain requests with
// handler. The contexts of requests descend from ctx; its end does not stop the
// listener. Nothing is accepted before the first call of Accept.
func New(ctx context.Context, inner net.Listener, handler http.Handler, opts Options) *Listener {
	l := &Listener{
		inner:   inner,
		handler: handler,
		opts:    opts.withDefaults(),
		done:    make(chan struct{}),
		over:    make(chan struct{}),
		handed:  make(chan net.Conn),
		failed:  make(chan error, 1),
		conns:   make(map[*conn]struct{}),
	}
	l.ctx, l.cancel = context.WithCancel(ctx)
	l.exchanges.New = func() any { return newExchange(l.ctx) }
	l.buffers.New = func() any { b := make([]byte, maxBuffered); return &b }
	return l
}

// Addr returns the address of the inner listener.
func (l *Listener) Addr() net.Addr { return l.inner.Addr() }

// Accept waits for a connection that needs net/http. The bytes that were read
// from it and not served come first out of its Read. After Close the error is
// net.ErrClosed; an error of the inner listener is returned as it is.
func (l *Listener) Accept() (net.Conn, error) {
	l.start.Do(func() {
		go l.acceptAll()
		go l.sweep()
	})
	select {
	case c := <-l.handed:
		return c, nil
	case err := <-l.failed:
		return nil, err
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// acceptAll starts a goroutine for each connection until the inner listener
// fails for good. Like net/http it waits out failures that pass, such as too
// many open files.
func (l *Listener) acceptAll() {
	var pause time.Duration
	for {
		nc, err := l.inner.Accept()
		if err == nil {
			pause = 0
			l.admit(nc)
			continue
		}
		var ne net.Error
		if l.stopping.Load() || !errors.As(err, &ne) || !temporary(ne) {
			l.failed <- err
			return
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		l.opts.Log.Warn("cannot accept a connection", "error", err, "retry_in", pause)
		select {
		case <-time.After(pause):
		case <-l.done:
		}
	}
}

// temporary reports whether Accept may succeed when tried again. The method is
// deprecated for errors in general; for Accept it is what net/http asks too.
func temporary(err net.Error) bool {
	t, ok := err.(interface{ Temporary() bool })
	return ok && t.Temporary()
}

// admit serves nc if it is TCP and hands it over otherwise.
func (l *Listener) admit(nc net.Conn) {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		go l.handOver(nc)
		return
	}
	c, err := newConn(l, tcp)
	if err != nil || !l.add(c) {
		tcp.Close()
		return
	}
	go c.serve()
}

// handOver gives nc to whoever calls Accept, and closes it if nobody does any more.
func (l *Listener) handOver(nc net.Conn) {
	select {
	case l.handed <- nc:
		l.handedOver.Add(1)
	case <-l.done:
		nc.Close()
	}
}

func (l *Listener) add(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopping.Load() {
		return false
	}
	l.conns[c] = struct{}{}
	l.open.Add(1)
	return true
}

func (l *Listener) remove(c *conn) {
	l.mu.Lock()
	delete(l.conns, c)
	l.mu.Unlock()
	l.open.Done()
}

// Stats counts what a listener did since it was made.
type Stats struct {
	HandedOver int64 // connections passed on to net/http
	SentFile   int64 // bytes of files that went to the socket without passing through this process
}

// Stats returns the counts so far.
func (l *Listener) Stats() Stats {
	return Stats{HandedOver: l.handedOver.Load(), SentFile: l.sentFile.Load()}
}

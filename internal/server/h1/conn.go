package h1

import (
	"errors"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"syscall"
)

// conn is one TCP connection and belongs to the goroutine that runs serve. While
// it waits for a request it holds no buffer and no request: those are in an
// exchange, which is taken from a pool when bytes arrive.
type conn struct {
	l      *Listener
	tcp    *net.TCPConn
	raw    syscall.RawConn
	remote string
	mark   atomic.Uint64 // see phase

	x *exchange // nil while waiting between requests

	// attempt is what read passes to the poller, made once; got and failure are
	// its results.
	attempt func(fd uintptr) bool
	got     int
	failure error
}

func newConn(l *Listener, tcp *net.TCPConn) (*conn, error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	c := &conn{l: l, tcp: tcp, raw: raw, remote: tcp.RemoteAddr().String()}
	c.enter(opened)
	return c, nil
}

// serve answers plain requests in order until the connection ends or is handed over.
func (c *conn) serve() {
	defer c.l.remove(c)
	keep := true
	for keep {
		if err := c.fill(); err != nil {
			if err == errEnded && c.x != nil && c.x.start < c.x.end {
				// The client stopped in the middle of a head; net/http has an
				// answer for some of these.
				c.giveAway()
				return
			}
			break
		}
		for keep && c.x.start < c.x.end {
			v := c.x.next(c.remote)
			if v == odd {
				c.giveAway()
				return
			}
			if v == incomplete {
				break
			}
			keep = c.answer()
		}
	}
	c.tcp.Close()
	c.release()
}

// fill waits for bytes. Without part of a head at hand it waits with no buffer.
func (c *conn) fill() error {
	before := c.mark.Load()
	if c.x != nil && c.x.start == c.x.end {
		c.x.start, c.x.end = 0, 0
	}
	if err := c.read(); err != nil {
		return err
	}
	c.x.end += c.got
	if phaseOf(before) == reading {
		return nil
	}
	// A shutdown or the sweeper may have closed the connection just now.
	if !c.mark.CompareAndSwap(before, c.l.tick.Load()<<8|uint64(reading)) {
		return net.ErrClosed
	}
	return nil
}

// answer serves the request that the exchange holds and reports whether the
// connection goes on.
func (c *conn) answer() (keep bool) {
	x := c.x
	c.enter(handling)
	x.response.begin(c, x)
	if !c.run() {
		return false
	}
	keep = x.response.finish()
	x.reset()
	if !keep {
		return false
	}
	if x.start < x.end {
		c.enter(reading)
		return true
	}
	c.enter(idle)
	return !c.l.stopping.Load()
}

// run calls the handler and reports whether it returned.
func (c *conn) run() (returned bool) {
	defer func() {
		if returned {
			return
		}
		c.x.context.finish()
		// Whoever keeps something of this exchange after a panic keeps it alone.
		c.x = nil
		c.tcp.Close()
		if v := recover(); v != nil && v != http.ErrAbortHandler {
			c.l.opts.Log.Error("handler panicked", "remote", c.remote, "panic", v, "stack", string(debug.Stack()))
		}
	}()
	c.l.handler.ServeHTTP(&c.x.response, c.x.request)
	return true
}

// giveAway hands the connection to net/http with all unread bytes in front.
func (c *conn) giveAway() {
	front := append([]byte(nil), c.x.unread()...)
	c.release()
	c.enter(handling) // from here on its timeouts are net/http's
	c.l.handOver(&handedConn{TCPConn: c.tcp, front: front})
}

// release puts the exchange back.
func (c *conn) release() {
	if c.x != nil {
		c.x.start, c.x.end = 0, 0
		c.x.head.clear()
		c.l.exchanges.Put(c.x)
		c.x = nil
	}
}

// handedConn is a connection whose first bytes were read already. It keeps the
// ReadFrom of *net.TCPConn, so net/http goes on to use sendfile.
type handedConn struct {
	*net.TCPConn
	front []byte
}

// Read returns the bytes that were read before, then those of the connection.
func (h *handedConn) Read(p []byte) (int, error) {
	if len(h.front) == 0 {
		return h.TCPConn.Read(p)
	}
	n := copy(p, h.front)
	h.front = h.front[n:]
	if len(h.front) == 0 {
		h.front = nil
	}
	return n, nil
}

// WriteTo sends the bytes that were read before, then those of the connection.
func (h *handedConn) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(h.front)
	h.front = h.front[n:]
	if err != nil {
		return int64(n), err
	}
	rest, err := h.TCPConn.WriteTo(w)
	return int64(n) + rest, err
}

// errEnded is the end of a connection between requests or within a head.
var errEnded = errors.New("connection ended")

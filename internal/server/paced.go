package server

import (
	"io"
	"net"
	"time"
)

// maxPiece is how many bytes of a file one call may send before the deadline is
// set anew.
const maxPiece = 256 << 10

// pacedListener makes connections whose writes each have a deadline, so that a
// client that stops reading does not hold a request for ever.
type pacedListener struct {
	net.Listener
	timeout time.Duration
}

// Accept waits for the next connection.
func (l pacedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &pacedConn{conn, l.timeout}, nil
}

type pacedConn struct {
	net.Conn
	timeout time.Duration
}

func (c *pacedConn) extend() { c.Conn.SetWriteDeadline(time.Now().Add(c.timeout)) }

// Write writes p in pieces, each with a deadline of its own.
func (c *pacedConn) Write(p []byte) (int, error) {
	total := 0
	for {
		c.extend()
		n, err := c.Conn.Write(p[total:min(len(p), total+maxPiece)])
		total += n
		if err != nil || total == len(p) {
			return total, err
		}
	}
}

// ReadFrom sends src piece by piece, files by sendfile.
func (c *pacedConn) ReadFrom(src io.Reader) (int64, error) {
	to, ok := c.Conn.(io.ReaderFrom)
	if !ok {
		return io.Copy(onlyWriter{c}, src)
	}
	whole, ok := src.(*io.LimitedReader)
	if !ok {
		whole = &io.LimitedReader{R: src, N: 1<<63 - 1}
	}
	var total int64
	for whole.N > 0 {
		// The kernel's copy sees through one LimitedReader, not through two.
		piece := io.LimitedReader{R: whole.R, N: min(whole.N, maxPiece)}
		asked := piece.N
		c.extend()
		n, err := to.ReadFrom(&piece)
		total += n
		whole.N -= n
		if err != nil || n < asked {
			return total, err
		}
	}
	return total, nil
}

// CloseWrite sends the end of the stream. net/http does that before it closes on a
// client that still sends, so that the client gets to read the answer.
func (c *pacedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// onlyWriter hides ReadFrom from io.Copy.
type onlyWriter struct{ io.Writer }

//go:build !unix

package h1

import "io"

// read puts bytes behind those in the exchange's buffer and sets got. Where the
// poller does not let us wait for readability, the buffer is held while waiting.
func (c *conn) read() error {
	if c.x == nil {
		c.x = c.l.exchanges.Get().(*exchange)
	}
	c.got, c.failure = c.tcp.Read(c.x.in[c.x.end:])
	if c.failure == io.EOF {
		return errEnded
	}
	return c.failure
}

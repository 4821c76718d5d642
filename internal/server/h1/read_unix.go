//go:build unix

package h1

import "syscall"

// read puts bytes behind those in the exchange's buffer and sets got. It tries
// the socket first and parks in the network poller when nothing is there; a
// connection without part of a head gives its exchange back before it parks, so
// idle connections hold no buffers.
func (c *conn) read() error {
	if c.attempt == nil {
		c.attempt = c.tryRead
	}
	if err := c.raw.Read(c.attempt); err != nil {
		return err
	}
	if c.failure == nil && c.got == 0 {
		return errEnded
	}
	return c.failure
}

// tryRead is called by the poller whenever the socket may be readable. It returns
// false to wait on.
func (c *conn) tryRead(fd uintptr) bool {
	if c.x == nil {
		c.x = c.l.exchanges.Get().(*exchange)
	}
	for {
		c.got, c.failure = syscall.Read(int(fd), c.x.in[c.x.end:])
		switch c.failure {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			if c.x.end == 0 {
				c.release()
			}
			return false
		}
		return true
	}
}

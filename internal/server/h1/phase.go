package h1

// phase is what a connection is doing. It decides which timeout applies and
// whether a shutdown may close the connection at once.
type phase uint8

const (
	handling phase = iota // a handler runs: no timeout
	opened                // new, no byte yet
	idle                  // waits for the next request
	reading               // part of a head has come
	writing               // in a write to the socket
	closed                // closed by the sweeper or by a shutdown
)

// waiting reports whether closing a connection in this phase loses nothing.
func (p phase) waiting() bool { return p == opened || p == idle }

// A connection's mark holds its phase and the tick at which it entered it, in
// one word so that the sweeper can take over a connection by compare-and-swap.

func phaseOf(mark uint64) phase { return phase(mark & 0xff) }

func tickOf(mark uint64) uint64 { return mark >> 8 }

func (c *conn) phase() phase { return phaseOf(c.mark.Load()) }

// enter sets the phase and starts its timeout. It may overwrite closed: whoever
// set that also closed the socket, so the next read or write fails.
func (c *conn) enter(p phase) { c.mark.Store(c.l.tick.Load()<<8 | uint64(p)) }

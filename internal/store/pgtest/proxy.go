package pgtest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Cut is what a Proxy does to a COMMIT.
type Cut int32

// The kinds of cut. Each leaves the client without an answer.
const (
	Pass         Cut = iota // nothing
	BeforeCommit            // the server never hears of it
	AfterCommit             // the server has done it, and its answer is dropped
	DuringCommit            // the connection is gone while the server does it
)

// Proxy stands in front of a server and cuts connections at a COMMIT.
type Proxy struct {
	Address string
	Cuts    atomic.Int64 // how many it has made

	next atomic.Int32
	to   string
}

// NewProxy starts a proxy in front of a cluster until the test ends.
func NewProxy(t testing.TB, c *Cluster) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &Proxy{Address: l.Addr().String(), to: c.Address}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

// URL is the address of a database through the proxy.
func (p *Proxy) URL(database string) string { return (&Cluster{Address: p.Address}).URL(database) }

// CutNext cuts the next COMMIT that comes by.
func (p *Proxy) CutNext(how Cut) { p.next.Store(int32(how)) }

// link is one connection through the proxy.
type link struct {
	client, server net.Conn
	dropping       atomic.Bool   // what the server says is not passed on
	answered       chan struct{} // the server said something while dropping
	once           sync.Once
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer server.Close()
	l := &link{client: client, server: server, answered: make(chan struct{})}
	go l.answers()
	_ = p.requests(l) // either side went away
}

// answers passes on what the server says.
func (l *link) answers() {
	defer l.client.Close()
	b := make([]byte, 16<<10)
	for {
		n, err := l.server.Read(b)
		if l.dropping.Load() {
			l.once.Do(func() { close(l.answered) })
		} else if n > 0 {
			if _, err := l.client.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

var errCut = errors.New("cut")

// requests passes on what the client says, message by message
// (https://www.postgresql.org/docs/15/protocol-message-formats.html), and knows
// by which names the client executes COMMIT.
func (p *Proxy) requests(l *link) error {
	start, err := message(l.client, 0)
	if err != nil {
		return err
	}
	if _, err := l.server.Write(start); err != nil {
		return err
	}
	commits := map[string]bool{}
	for {
		m, err := message(l.client, 1)
		if err != nil {
			return err
		}
		parts := bytes.SplitN(m[5:], []byte{0}, 3)
		switch {
		case m[0] == 'P' && len(parts) > 1 && string(parts[1]) == "COMMIT":
			commits[string(parts[0])] = true
		case m[0] == 'B' && len(parts) > 1 && commits[string(parts[1])]:
			if how := Cut(p.next.Swap(int32(Pass))); how != Pass {
				p.Cuts.Add(1)
				return l.cut(m, how)
			}
		}
		if _, err := l.server.Write(m); err != nil {
			return err
		}
	}
}

// cut ends the connection at a COMMIT, whose first message is bind.
func (l *link) cut(bind []byte, how Cut) error {
	if how == BeforeCommit {
		return errCut
	}
	l.dropping.Store(true)
	for m := bind; ; {
		if _, err := l.server.Write(m); err != nil {
			return err
		}
		if m[0] == 'S' { // Sync: the server has all of it
			break
		}
		var err error
		if m, err = message(l.client, 1); err != nil {
			return err
		}
	}
	if how == AfterCommit {
		<-l.answered
	}
	return errCut
}

// message reads one message whose length follows after some bytes.
func message(r io.Reader, before int) ([]byte, error) {
	head := make([]byte, before+4)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	m := make([]byte, before+int(binary.BigEndian.Uint32(head[before:])))
	copy(m, head)
	_, err := io.ReadFull(r, m[len(head):])
	return m, err
}

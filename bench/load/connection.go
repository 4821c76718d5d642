//go:build linux

package load

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"syscall"
	"time"
	"unsafe"
)

// patience is how long an answer may take.
const patience = 30 * time.Second

// scratch is where answers are received. There is one thread, so one is
// enough for all connections.
var scratch = make([]byte, 1<<20)

// connection is a TCP connection with at most one request in flight.
type connection struct {
	fd      int
	sent    time.Time // when the request went out
	partial []byte    // of a head that has not arrived in full
	left    int64     // bytes of the body still to come
	chunks  *chunks   // of a body that comes so; nil for none
	waiting bool      // a request of repeat is in flight

	chain    [][]byte // requests that follow it
	location string   // where the last answer points
}

// dial opens a connection.
func dial(address string) (*connection, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open a socket: %w", err)
	}
	wait := syscall.NsecToTimeval(int64(patience))
	err = errors.Join(
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1),
		// Closing resets the connection: thousands of closed ones in the state
		// TIME_WAIT would keep their ports from the next sample.
		syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1}),
		syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}),
		// After connecting: with a time limit a signal of Go's own would end that call.
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &wait),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &wait),
	)
	if err != nil {
		_ = syscall.Close(fd)
		return nil, fmt.Errorf("connect to %s: %w", address, err)
	}
	return &connection{fd: fd}, nil
}

// dialAll opens n connections. On an error it closes what it opened.
func dialAll(address string, n int) ([]*connection, error) {
	var all []*connection
	for range n {
		c, err := dial(address)
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func closeAll(all []*connection) {
	for _, c := range all {
		_ = syscall.Close(c.fd)
	}
}

// start sends the first request of the chain.
func (c *connection) start() error {
	request := c.chain[0]
	c.chain = c.chain[1:]
	return c.send(request)
}

// follow sends the next request of the chain, which counts with the first.
func (c *connection) follow() error {
	request := located(c.chain[0], c.location)
	c.chain = c.chain[1:]
	return c.push(request)
}

// send sends a small request, which the socket's buffer takes at once.
func (c *connection) send(request []byte) error {
	c.sent = time.Now()
	return c.push(request)
}

func (c *connection) push(request []byte) error {
	n, err := transfer(syscall.SYS_SENDTO, c.fd, request, syscall.MSG_NOSIGNAL|syscall.MSG_DONTWAIT)
	if err == nil && n < len(request) {
		err = errors.New("socket buffer is full")
	}
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// receive takes what has arrived of an answer and reports whether that was
// the end of it. With flags MSG_DONTWAIT it does not wait, otherwise it waits
// until something arrives.
func (c *connection) receive(spec *Spec, flags int) (done bool, err error) {
	if c.chunks != nil {
		return c.dropChunks(flags)
	}
	if c.left > 0 {
		return c.drop(flags)
	}
	have := copy(scratch, c.partial)
	n, err := transfer(syscall.SYS_RECVFROM, c.fd, scratch[have:min(have+1<<14, len(scratch))], flags)
	if err != nil || n == 0 {
		return false, received(n, err, flags)
	}
	h, complete, err := parseHead(scratch[:have+n])
	if err != nil {
		return false, err
	}
	if !complete {
		c.partial = append(c.partial[:0], scratch[:have+n]...)
		return false, nil
	}
	c.partial = c.partial[:0]
	if err := spec.accept(h); err != nil {
		return false, fmt.Errorf("%w: %.300q", err, scratch[h.size:have+n])
	}
	c.location = h.location
	if spec.Request.Method == http.MethodHead {
		h.length = 0 // it is that of the body that GET would bring
	}
	if h.length < 0 {
		c.chunks = &chunks{}
		return c.tookChunks(scratch[h.size : have+n])
	}
	c.left = h.length - int64(have+n-h.size)
	if c.left < 0 {
		return false, fmt.Errorf("%d bytes follow the answer", -c.left)
	}
	return c.left == 0, nil
}

// drop throws bytes of a body away. MSG_TRUNC on TCP has the kernel drop them
// instead of copying them (man 7 tcp).
func (c *connection) drop(flags int) (done bool, err error) {
	room := scratch[:min(c.left, int64(len(scratch)))]
	n, err := transfer(syscall.SYS_RECVFROM, c.fd, room, flags|syscall.MSG_TRUNC)
	if err != nil || n == 0 {
		return false, received(n, err, flags)
	}
	c.left -= int64(n)
	return c.left == 0, nil
}

// dropChunks throws what has arrived of a body in chunks away.
func (c *connection) dropChunks(flags int) (done bool, err error) {
	n, err := transfer(syscall.SYS_RECVFROM, c.fd, scratch, flags)
	if err != nil || n == 0 {
		return false, received(n, err, flags)
	}
	return c.tookChunks(scratch[:n])
}

func (c *connection) tookChunks(b []byte) (done bool, err error) {
	if done, err = c.chunks.take(b); done {
		c.chunks = nil
	}
	return done, err
}

// received says what it means that nothing was received. For a call that does
// not wait that is no error.
func received(n int, err error, flags int) error {
	switch {
	case errors.Is(err, syscall.EAGAIN) && flags&syscall.MSG_DONTWAIT != 0:
		return nil
	case errors.Is(err, syscall.EAGAIN):
		return fmt.Errorf("nothing received for %v", patience)
	case err == nil && n == 0:
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("receive: %w", err)
}

// finish waits for the rest of the answer to the request in flight.
func (c *connection) finish(spec *Spec) error {
	for {
		done, err := c.receive(spec, 0)
		if err != nil || done {
			return err
		}
	}
}

// transfer is sendto or recvfrom without an address. It repeats calls that a
// signal interrupted.
func transfer(call uintptr, fd int, b []byte, flags int) (int, error) {
	for {
		// A call that does not wait needs no word to Go's scheduler.
		do := syscall.Syscall6
		if flags&syscall.MSG_DONTWAIT != 0 {
			do = syscall.RawSyscall6
		}
		n, _, errno := do(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), uintptr(flags), 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
			continue
		}
		return 0, errno
	}
}

//go:build linux

package load

import (
	"errors"
	"fmt"
	"syscall"
)

// poller waits for answers on many connections.
type poller struct {
	fd     int
	byFD   map[int32]*connection
	events [256]syscall.EpollEvent
}

func newPoller(all []*connection) (*poller, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("open epoll: %w", err)
	}
	p := &poller{fd: fd, byFD: make(map[int32]*connection, len(all))}
	for _, c := range all {
		event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(c.fd)}
		if err := syscall.EpollCtl(fd, syscall.EPOLL_CTL_ADD, c.fd, &event); err != nil {
			p.close()
			return nil, fmt.Errorf("add to epoll: %w", err)
		}
		p.byFD[event.Fd] = c
	}
	return p, nil
}

// each waits until something arrives and calls got with every connection that
// has an answer in full.
func (p *poller) each(spec *Spec, got func(*connection) error) error {
	n, err := syscall.EpollWait(p.fd, p.events[:], int(patience.Milliseconds()))
	if errors.Is(err, syscall.EINTR) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("wait in epoll: %w", err)
	}
	if n == 0 {
		return fmt.Errorf("no answer for %v", patience)
	}
	for _, event := range p.events[:n] {
		c := p.byFD[event.Fd]
		done, err := c.receive(spec, syscall.MSG_DONTWAIT)
		if err != nil {
			return err
		}
		if !done {
			continue
		}
		if err := got(c); err != nil {
			return err
		}
	}
	return nil
}

func (p *poller) close() { _ = syscall.Close(p.fd) }

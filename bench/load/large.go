//go:build linux

package load

import (
	"fmt"
	"slices"
	"syscall"
	"time"
)

// download fetches the file over one connection until the sample is long
// enough; at least once.
func download(spec Spec) (Result, error) {
	get := spec.Request.build(spec.Address, false)
	return transfers(spec, spec.Length, func(c *connection) error {
		return c.send(get.bytes)
	})
}

// upload sends files over one connection until the sample is long enough; at
// least one. Each has a number, and thus a body, of its own.
func upload(spec Spec) (Result, error) {
	if spec.Prepared != "" {
		return uploadPrepared(spec)
	}
	put := spec.Request.build(spec.Address, false)
	first := slices.Clone(block())
	result, err := transfers(spec, spec.Request.Body, func(c *connection) error {
		putNumber(first, put.number)
		err := c.sendLarge(&spec, put.bytes, first, put.size)
		put.advance()
		return err
	})
	result.Sent = put.number - spec.Request.First
	return result, err
}

// uploadPrepared sends the first prepared request with what follows it, whatever
// the time.
func uploadPrepared(spec Spec) (Result, error) {
	queue, err := spec.queue()
	if err != nil {
		return Result{}, err
	}
	chain, size := queue.next(), 0
	for _, request := range chain {
		size += len(request)
	}
	spec.Time = 0
	result, err := transfers(spec, int64(size), func(c *connection) error {
		for i, request := range chain {
			if i > 0 {
				if err := c.finish(&spec); err != nil {
					return err
				}
			}
			if err := c.sendAll(located(request, c.location)); err != nil {
				return c.explain(&spec, err)
			}
		}
		return nil
	})
	result.Sent = 1
	return result, err
}

// transfers repeats one large transfer over one connection.
func transfers(spec Spec, size int64, send func(*connection) error) (Result, error) {
	c, err := dial(spec.Address)
	if err != nil {
		return Result{}, err
	}
	defer closeAll([]*connection{c})
	m, err := startMeter(spec.Watch)
	if err != nil {
		return Result{}, err
	}
	var latencies []time.Duration
	for len(latencies) == 0 || time.Since(m.started) < spec.Time {
		start := time.Now()
		if err := send(c); err != nil {
			return Result{}, err
		}
		if err := c.finish(&spec); err != nil {
			return Result{}, err
		}
		latencies = append(latencies, time.Since(start))
	}
	result, err := m.stop(latencies)
	result.Bytes = int64(result.Requests) * size
	return result, err
}

// sendLarge sends a head and a body of the given size, which starts with
// first and goes on with the block.
func (c *connection) sendLarge(spec *Spec, head, first []byte, size int64) error {
	if err := c.sendAll(head); err != nil {
		return c.explain(spec, err)
	}
	for piece := first; size > 0; piece = block() {
		piece = piece[:min(size, int64(len(piece)))]
		if err := c.sendAll(piece); err != nil {
			return c.explain(spec, err)
		}
		size -= int64(len(piece))
	}
	return nil
}

// sendAll sends all of b, waiting as often as the socket's buffer is full.
func (c *connection) sendAll(b []byte) error {
	for len(b) > 0 {
		n, err := transfer(syscall.SYS_SENDTO, c.fd, b, syscall.MSG_NOSIGNAL)
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// explain looks for the answer of a server that stopped reading a body: it
// tells more than the broken connection.
func (c *connection) explain(spec *Spec, cause error) error {
	if _, err := c.receive(spec, syscall.MSG_DONTWAIT); err != nil {
		return err
	}
	return fmt.Errorf("send body: %w", cause)
}

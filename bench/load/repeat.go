//go:build linux

package load

import (
	"errors"
	"time"
)

// repeat keeps one request in flight on each connection: first for the
// warm-up, then until the sample is long enough and has enough requests, or
// until no prepared request is left.
func repeat(spec Spec) (Result, error) {
	queue, err := spec.queue()
	if err != nil {
		return Result{}, err
	}
	all, err := dialAll(spec.Address, spec.Connections)
	if err != nil {
		return Result{}, err
	}
	defer closeAll(all)
	p, err := newPoller(all)
	if err != nil {
		return Result{}, err
	}
	defer p.close()

	r := &repetition{queue: queue}
	for _, c := range all {
		if err := r.send(c); err != nil {
			return Result{}, err
		}
	}
	for start := time.Now(); time.Since(start) < spec.Warmup && r.flying > 0; {
		if err := p.each(&spec, r.again); err != nil {
			return Result{}, err
		}
	}

	r.latencies = make([]time.Duration, 0, 1<<20) // room for most samples, made before the clock
	m, err := startMeter(spec.Watch)
	if err != nil {
		return Result{}, err
	}
	for (time.Since(m.started) < spec.Time || len(r.latencies) < spec.Requests) && r.flying > 0 {
		if err := p.each(&spec, r.again); err != nil {
			return Result{}, err
		}
	}
	result, err := m.stop(r.latencies)
	if err != nil {
		return Result{}, err
	}
	result.Bytes = int64(result.Requests) * max(spec.Length, spec.Request.Body)
	result.Sent = r.sent
	for _, c := range all { // a request cut off half-way would be a fault of ours
		if c.waiting {
			err = errors.Join(err, c.complete(&spec))
		}
	}
	return result, err
}

// complete waits for the answer to the request in flight, and to those that follow.
func (c *connection) complete(spec *Spec) error {
	err := c.finish(spec)
	for err == nil && len(c.chain) > 0 {
		if err = c.follow(); err == nil {
			err = c.finish(spec)
		}
	}
	return err
}

// repetition sends the requests of a queue.
type repetition struct {
	queue     requests
	flying    int // requests in flight
	sent      int64
	latencies []time.Duration
}

// send sends the next request, if there is one.
func (r *repetition) send(c *connection) error {
	c.chain = r.queue.next()
	c.waiting = len(c.chain) > 0
	if !c.waiting {
		return nil
	}
	r.flying++
	r.sent++
	return c.start()
}

// again takes note of an answer and sends the next request.
func (r *repetition) again(c *connection) error {
	if len(c.chain) > 0 {
		return c.follow()
	}
	r.latencies = append(r.latencies, time.Since(c.sent))
	r.flying--
	return r.send(c)
}

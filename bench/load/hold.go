//go:build linux

package load

import (
	"errors"
	"time"

	"packhouse/bench/proc"
)

// window is how many connections are opened, or have a request in flight, at
// the same time. It is below every server's backlog.
const window = 64

// hold opens all connections, a request on each, and idles. The memory before
// and while idling gives the cost of a connection. Then, on the clock, every
// connection gets one more request.
func hold(spec Spec) (Result, error) {
	before, err := proc.ReadMemory(spec.Watch)
	if err != nil {
		return Result{}, err
	}
	get := spec.Request.build(spec.Address, false)
	all, err := openUsed(spec, get.bytes)
	defer func() { closeAll(all) }()
	if err != nil {
		return Result{}, err
	}
	time.Sleep(spec.Time)
	idle, err := proc.ReadMemory(spec.Watch)
	if err != nil {
		return Result{}, err
	}
	result, err := oneEach(spec, all, get.bytes)
	result.RSSBefore, result.RSSIdle = before.RSS, idle.RSS
	return result, err
}

// openUsed opens the connections, a window at a time, and makes a request on
// each: a keep-alive connection is one that has carried a request.
func openUsed(spec Spec, get []byte) ([]*connection, error) {
	var all []*connection
	for len(all) < spec.Connections {
		some, err := dialAll(spec.Address, min(window, spec.Connections-len(all)))
		if err != nil {
			return all, err
		}
		all = append(all, some...)
		for _, c := range some {
			if err := c.send(get); err != nil {
				return all, err
			}
		}
		for _, c := range some {
			if err := c.finish(&spec); err != nil {
				return all, err
			}
		}
	}
	return all, nil
}

// oneEach makes one request on every connection.
func oneEach(spec Spec, all []*connection, get []byte) (Result, error) {
	p, err := newPoller(all)
	if err != nil {
		return Result{}, err
	}
	defer p.close()
	m, err := startMeter(spec.Watch)
	if err != nil {
		return Result{}, err
	}
	waiting := all
	next := func() error {
		if len(waiting) == 0 {
			return nil
		}
		c := waiting[0]
		waiting = waiting[1:]
		return c.send(get)
	}
	for range window {
		if err := next(); err != nil {
			return Result{}, err
		}
	}
	var latencies []time.Duration
	for len(latencies) < len(all) {
		err := p.each(&spec, func(c *connection) error {
			latencies = append(latencies, time.Since(c.sent))
			return next()
		})
		if err != nil {
			return Result{}, errors.Join(errors.New("on an idle connection"), err)
		}
	}
	return m.stop(latencies)
}

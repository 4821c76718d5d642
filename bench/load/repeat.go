//go:build linux

package load

import "time"

// repeat keeps one request in flight on each connection: first for the
// warm-up, then until the sample is long enough and has enough requests.
func repeat(spec Spec) (Result, error) {
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

	next := spec.Request.build(spec.Address, true)
	for _, c := range all {
		if err := c.send(next.bytes); err != nil {
			return Result{}, err
		}
		next.advance()
	}
	var latencies []time.Duration
	again := func(c *connection) error {
		latencies = append(latencies, time.Since(c.sent))
		err := c.send(next.bytes)
		next.advance()
		return err
	}
	for start := time.Now(); time.Since(start) < spec.Warmup; {
		if err := p.each(&spec, again); err != nil {
			return Result{}, err
		}
	}

	latencies = make([]time.Duration, 0, 1<<20) // room for most samples, made before the clock
	m, err := startMeter(spec.Watch)
	if err != nil {
		return Result{}, err
	}
	for time.Since(m.started) < spec.Time || len(latencies) < spec.Requests {
		if err := p.each(&spec, again); err != nil {
			return Result{}, err
		}
	}
	result, err := m.stop(latencies)
	if err != nil {
		return Result{}, err
	}
	result.Bytes = int64(result.Requests) * max(spec.Length, spec.Request.Body)
	result.Sent = next.number - spec.Request.First
	for _, c := range all { // a request cut off half-way would be a fault of ours
		if err := c.finish(&spec); err != nil {
			return Result{}, err
		}
	}
	return result, nil
}

// Package telemetry is how an administrator sees what Packhouse does: a log with
// a line for every request, metrics for Prometheus, and the pages under /-/ that
// probes ask.
//
// The gate calls [Telemetry.Observe] once for every request. No credential gets
// into a line or a metric: of a request's head only the method and the path
// without the query are written, and of the actor what the directory knows.
package telemetry

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"packhouse/internal/gate"
)

// Options say what a Telemetry reports. The zero value works.
type Options struct {
	Log     *slog.Logger // receives a line for each request; nil means slog.Default
	Version string       // of Packhouse, for the metric packhouse_build_info
	Gauges  []Gauge      // what other rooms know

	// Ready reports why no requests can be served; nil means that they always
	// can. It is asked by each readiness probe, and should end when ctx does.
	Ready func(ctx context.Context) error
	// MetricsAllowed are the addresses that may read the metrics; nil means
	// those of this machine.
	MetricsAllowed []netip.Prefix

	Now func() time.Time // nil means time.Now
}

// Telemetry observes requests. Its methods may be called concurrently.
type Telemetry struct {
	log     slog.Handler
	now     func() time.Time
	metrics *metrics
	root    *Root
}

// New makes a Telemetry. The error is a Gauge with a name that is invalid or
// taken.
func New(opts Options) (*Telemetry, error) {
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.MetricsAllowed == nil {
		opts.MetricsAllowed = loopback
	}
	t := &Telemetry{log: opts.Log.Handler(), now: opts.Now}
	var err error
	if t.metrics, err = newMetrics(t.log, opts.Version, opts.Gauges); err != nil {
		return nil, err
	}
	t.root = &Root{ready: opts.Ready, allowed: opts.MetricsAllowed, metrics: t.metrics.registry}
	return t, nil
}

// Root returns the pages outside of the API.
func (t *Telemetry) Root() *Root { return t.root }

// Observe counts a request and logs it. It keeps nothing of o.
func (t *Telemetry) Observe(o *gate.Observation) {
	s := t.metrics.series(o)
	s.requests.Inc()
	s.bytes.Add(float64(o.Bytes))
	s.duration.Observe(o.Took.Seconds())
	if ctx := o.Request.Context(); s.log.Enabled(ctx, s.level) {
		// An error of the log has nowhere to go.
		_ = s.log.Handle(ctx, line(o, s, t.now()))
	}
}

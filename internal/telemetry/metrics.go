package telemetry

import (
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// Gauge is a number that another room knows.
type Gauge struct {
	Name   string            // without "packhouse_": "ledger_position"
	Help   string            // a sentence
	Labels map[string]string // constant ones: {"cache": "contents"}; may be nil
	Total  bool              // it only grows; Name ends with _total then
	Value  func() float64    // called by each scrape, perhaps by several at once
}

// buckets are the bounds of the durations, in seconds: a hot read, a read with a
// query, a publish with its sync, and three for what people notice.
var buckets = []float64{0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60}

// none is the label of what a request has not got, such as a route that matches.
const none = "none"

// metrics are the counters of requests and the gauges of others.
type metrics struct {
	registry *prometheus.Registry
	log      slog.Handler
	requests *prometheus.CounterVec
	bytes    *prometheus.CounterVec
	duration *prometheus.HistogramVec

	// known is replaced when a series is added and never changed, so that
	// requests read it without a lock.
	known atomic.Pointer[map[shape]*series]
	mu    sync.Mutex // held while a series is added
}

func newMetrics(log slog.Handler, version string, gauges []Gauge) (*metrics, error) {
	m := &metrics{
		registry: prometheus.NewRegistry(), log: log,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "packhouse_requests_total", Help: "Requests by what they asked for and how they were answered.",
		}, []string{"protocol", "route", "method", "status"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "packhouse_response_bytes_total", Help: "Bytes of the bodies of answers.",
		}, []string{"protocol"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "packhouse_request_duration_seconds", Help: "Time from the head of a request to the end of its answer.",
			Buckets: buckets,
		}, []string{"protocol", "method"}),
	}
	m.known.Store(&map[shape]*series{})
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "packhouse_build_info", Help: "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": version, "go_version": runtime.Version()},
	}, func() float64 { return 1 })
	all := []prometheus.Collector{
		m.requests, m.bytes, m.duration, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	}
	for _, g := range gauges {
		all = append(all, g.collector())
	}
	for _, c := range all {
		if err := m.registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

func (g Gauge) collector() prometheus.Collector {
	opts := prometheus.Opts{Name: "packhouse_" + g.Name, Help: g.Help, ConstLabels: g.Labels}
	if g.Total {
		return prometheus.NewCounterFunc(prometheus.CounterOpts(opts), g.Value)
	}
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts), g.Value)
}

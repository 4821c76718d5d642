package telemetry

import (
	"log/slog"
	"maps"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"packhouse"
	"packhouse/internal/gate"
)

// shape is what requests of one series have in common. There are few: routes and
// protocols are the server's own words, and the others are bounded by newShape.
type shape struct {
	protocol, route, method string
	status                  int
	actor                   packhouse.ActorKind
}

// series counts and logs the requests of one shape.
type series struct {
	requests prometheus.Counter
	bytes    prometheus.Counter
	duration prometheus.Observer
	level    slog.Level
	log      slog.Handler // has the attributes of the shape, encoded already
}

// series finds the series of a request.
func (m *metrics) series(o *gate.Observation) *series {
	s := newShape(o)
	if found := (*m.known.Load())[s]; found != nil {
		return found
	}
	return m.add(s)
}

func (m *metrics) add(s shape) *series {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := *m.known.Load()
	if found := known[s]; found != nil {
		return found
	}
	added := &series{
		requests: m.requests.WithLabelValues(s.protocol, s.route, s.method, class(s.status)),
		bytes:    m.bytes.WithLabelValues(s.protocol),
		duration: m.duration.WithLabelValues(s.protocol, s.method),
		log: m.log.WithAttrs([]slog.Attr{
			slog.String("method", s.method), slog.String("route", s.route),
			slog.String("protocol", s.protocol), slog.Int("status", s.status),
			slog.String("actor_kind", s.actor.String()),
		}),
	}
	if s.status >= http.StatusInternalServerError {
		added.level = slog.LevelError
	}
	known = maps.Clone(known)
	known[s] = added
	m.known.Store(&known)
	return added
}

func newShape(o *gate.Observation) shape {
	s := shape{
		protocol: o.Protocol, route: o.Route, method: method(o.Request.Method),
		status: o.Status, actor: o.Actor.Kind,
	}
	if s.protocol == "" {
		s.protocol = none
	}
	if s.route == "" {
		s.route = none
	}
	if s.status < 100 || s.status > 599 {
		s.status = 0
	}
	return s
}

// method returns the constant for a method, which unlike the request's own
// string keeps no memory of the connection alive.
func method(name string) string {
	switch name {
	case http.MethodGet:
		return http.MethodGet
	case http.MethodHead:
		return http.MethodHead
	case http.MethodPut:
		return http.MethodPut
	case http.MethodPost:
		return http.MethodPost
	case http.MethodPatch:
		return http.MethodPatch
	case http.MethodDelete:
		return http.MethodDelete
	case http.MethodOptions:
		return http.MethodOptions
	}
	return "other"
}

// class is the class of a status: "2xx".
func class(status int) string {
	if status == 0 {
		return none
	}
	return string(rune('0'+status/100)) + "xx"
}

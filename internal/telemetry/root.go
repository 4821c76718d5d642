package telemetry

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
)

// Root is the protocol outside of the API: what probes and scrapers ask, and a
// page that says where one is. It implements format.Protocol.
type Root struct {
	ready   func(context.Context) error
	allowed []netip.Prefix
	metrics prometheus.Gatherer
}

// Routes implements format.Protocol.
func (t *Root) Routes() []format.Route {
	get := func(path string, handle func(http.ResponseWriter, *http.Request, *format.Call) error) format.Route {
		return format.Route{Level: packhouse.Instance, Method: http.MethodGet, Path: path, Action: authz.Anyone, Handle: handle}
	}
	return []format.Route{
		get("/-/health", t.health),
		get("/-/liveness", t.liveness),
		get("/-/readiness", t.readiness),
		get("/-/metrics", t.scrape),
		get("/", t.welcome),
	}
}

// WriteError implements format.Protocol.
func (t *Root) WriteError(w http.ResponseWriter, _ *http.Request, e *packhouse.Error) {
	format.GitLabError(w, e)
}

const welcome = `This is Packhouse, a package registry that speaks GitLab's package API.

  /api/v4         the API
  /-/health       whether it runs
  /-/readiness    whether it can serve

The documentation is in the folder docs that Packhouse comes with;
packhouse serve --help explains the options.
`

func (t *Root) welcome(w http.ResponseWriter, _ *http.Request, _ *format.Call) error {
	writeText(w, "text/plain; charset=utf-8", []byte(welcome))
	return nil
}

// health answers as long as the process does.
func (t *Root) health(w http.ResponseWriter, _ *http.Request, _ *format.Call) error {
	writeText(w, "text/plain; charset=utf-8", []byte("ok\n"))
	return nil
}

// state is what probes read, in GitLab's shape.
type state struct {
	Status string `json:"status"`
}

// liveness is health in JSON.
func (t *Root) liveness(w http.ResponseWriter, _ *http.Request, _ *format.Call) error {
	w.Header().Set("Cache-Control", "no-store")
	format.WriteJSON(w, http.StatusOK, state{"ok"})
	return nil
}

// readyTimeout is how long a readiness probe waits. Kubernetes gives up after a
// second unless told otherwise.
const readyTimeout = 3 * time.Second

// readiness says whether requests can be served. A stranger learns the rule
// that says no; the cause goes to the log with the request's line.
func (t *Root) readiness(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	if t.ready == nil {
		return t.liveness(w, r, c)
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if err := t.ready(ctx); err != nil {
		w.Header().Set("Cache-Control", "no-store")
		return &packhouse.Error{Kind: packhouse.Unavailable, Rule: unready(err), Message: "not ready: " + unready(err), Err: err}
	}
	return t.liveness(w, r, c)
}

// unready is the class of a reason not to be ready.
func unready(err error) string {
	var e *packhouse.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.As(err, &e) && e.Rule != "":
		return e.Rule
	case packhouse.KindOf(err) == packhouse.Full:
		return "full"
	case packhouse.KindOf(err) == packhouse.Unavailable:
		return "unavailable"
	}
	return "failure"
}

// scrape writes the metrics in Prometheus' text format. For those who may not
// read them there is no such page.
func (t *Root) scrape(w http.ResponseWriter, r *http.Request, _ *format.Call) error {
	if !allowed(r, t.allowed) {
		return &packhouse.Error{Kind: packhouse.NotFound, Rule: "route", Message: "404 Not Found"}
	}
	families, err := t.metrics.Gather()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&b, family); err != nil {
			return err
		}
	}
	writeText(w, string(expfmt.NewFormat(expfmt.TypeTextPlain)), b.Bytes())
	return nil
}

func writeText(w http.ResponseWriter, contentType string, text []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(text) // a client that went away needs no answer
}

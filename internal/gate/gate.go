// Package gate is the only door. Every request of every protocol takes the same
// steps through it, in ServeHTTP: path, route, target, actor, decision, handler,
// error, log line. A handler is never reached without a decision, and never
// decides itself.
package gate

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"time"

	"packhouse"
	"packhouse/internal/authn"
	"packhouse/internal/authz"
	"packhouse/internal/directory"
	"packhouse/internal/format"
	"packhouse/internal/ledger"
	"packhouse/internal/registry"
)

// Options join what the gate needs.
type Options struct {
	Formats   []format.Format
	API       format.Protocol // mounted at /api/v4
	Root      format.Protocol // mounted at /, for what is in no API: health, metrics
	Authn     *authn.Authenticator
	Directory *directory.Directory
	Registry  *registry.Registry

	External       *url.URL       // public address; nil: as each request says
	TrustedProxies []netip.Prefix // whose X-Forwarded-… and X-Request-Id count
	Observe        func(*Observation)
	Log            *slog.Logger
}

// Observation is what became of a request, for the log and the metrics. It is
// only valid during the call that receives it.
type Observation struct {
	Request   *http.Request
	RequestID string
	Remote    netip.Addr // of the client, also behind a trusted proxy
	Protocol  string     // "generic", "api", "root"; "" when nothing matched
	Route     string     // the route's pattern; "" when nothing matched
	Actor     packhouse.Actor
	Target    packhouse.Target
	Status    int
	Bytes     int64 // of the answer's body
	Took      time.Duration
	Err       *packhouse.Error // why it was refused or failed; nil when it was not
}

// Gate is the http.Handler of the whole server.
type Gate struct {
	options Options
	table   *table
}

// New makes a Gate. It refuses a table with a route that has no action, no
// handler, or a pattern that cannot be read.
func New(opts Options) (*Gate, error) {
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	t, err := newTable(opts)
	if err != nil {
		return nil, err
	}
	return &Gate{options: opts, table: t}, nil
}

// ServeHTTP takes a request through the gate.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	proxied := g.proxied(r)
	o := Observation{Request: r, RequestID: requestID(r, proxied.trusted), Remote: proxied.client}
	rec := recorder{ResponseWriter: w}
	rec.Header()["X-Request-Id"] = []string{o.RequestID}
	var protocol format.Protocol = g.options.API
	defer func() {
		if v := recover(); v != nil {
			g.panicked(&rec, r, &o, protocol, v)
		}
		o.Status, o.Bytes, o.Took = rec.status, rec.bytes, time.Since(start)
		if g.options.Observe != nil {
			g.options.Observe(&o)
		}
	}()
	if err := g.pass(&rec, r, &o, proxied, &protocol); err != nil {
		o.Err = packhouse.AsError(err)
		g.refuse(&rec, r, &o, protocol)
	}
}

// pass takes the steps from the path to the handler. protocol is set as soon as
// it is known whose shape an error has to have.
func (g *Gate) pass(w *recorder, r *http.Request, o *Observation, proxied forwarded, protocol *format.Protocol) error {
	path, err := format.ParsePath(r.URL.EscapedPath())
	if err != nil {
		return err
	}
	m := g.table.find(path)
	*protocol, o.Protocol = m.shape, m.name
	route, args, err := m.match(r.Method, make(format.Args, 0, 4))
	if err != nil {
		return err
	}
	o.Route = route.Path
	call := &format.Call{
		Base: g.base(r, proxied), Mount: m.mount(path), RequestID: o.RequestID, Slash: path.Slash,
	}
	call.WithArgs(args)
	if call.Actor, err = g.options.Authn.Actor(r); err != nil {
		return err
	}
	o.Actor = call.Actor
	action, err := g.locate(r, m, route, call)
	if err != nil {
		return err
	}
	o.Target = call.Target
	if err := g.decide(call, action); err != nil {
		return err
	}
	call.By = ledger.Of(call.Actor, o.RequestID)
	g.furnish(call, m)
	return g.anonymous(route.Handle(w, r, call), call, action)
}

// locate finds the target of a request, and what is done to it: by its path, or
// as the route says.
func (g *Gate) locate(r *http.Request, m mounted, route *format.Route, call *format.Call) (action authz.Action, err error) {
	call.Target = packhouse.Target{Level: m.level}
	if m.level != packhouse.Instance {
		call.Target, _ = g.options.Directory.Resolve(m.level, m.ref)
	}
	if route.Locate == nil || call.Actor.Kind == packhouse.Anonymous {
		return route.Action, nil
	}
	call.Target, action, err = route.Locate(r, call)
	return action, err
}

// decide asks authz and turns a refusal into an error.
func (g *Gate) decide(call *format.Call, action authz.Action) error {
	d := authz.Decide(call.Actor, action, g.options.Directory.Object(call.Actor, call.Target))
	if d.Outcome == authz.Allow {
		return nil
	}
	return refusal(d, call.Target)
}

// furnish gives the call what may be read and changed at its target.
func (g *Gate) furnish(call *format.Call, m mounted) {
	switch call.Target.Level {
	case packhouse.Project:
		call.Source = g.options.Registry.Project(call.Target.ID)
		call.Hosted = g.options.Registry.Hosted(call.Target.ID, m.name, call.Actor, call.By)
	default:
		call.Source = g.options.Registry.Group(g.options.Directory.Readable(call.Actor, call.Target))
	}
}

// anonymous turns "not found" into a challenge where a visitor asked many
// projects at once: with a credential they may find more.
func (g *Gate) anonymous(err error, call *format.Call, action authz.Action) error {
	if err == nil || action != authz.ReadPackages || call.Target.Level == packhouse.Project ||
		call.Actor.Kind != packhouse.Anonymous || packhouse.KindOf(err) != packhouse.NotFound {
		return err
	}
	return refusal(authz.Decision{Outcome: authz.Challenge, Rule: "sign-in"}, call.Target)
}

// refuse answers with an error, in the protocol's shape.
func (g *Gate) refuse(w *recorder, r *http.Request, o *Observation, protocol format.Protocol) {
	if o.Err.Kind == packhouse.Internal && r.Context().Err() != nil {
		o.Err = &packhouse.Error{Kind: packhouse.Unavailable, Message: "the client went away", Err: o.Err.Err}
	}
	if w.status != 0 {
		// The answer has begun. Cutting it short is the only way left to say
		// that it is not whole.
		panic(http.ErrAbortHandler)
	}
	if o.Err.Kind == packhouse.Internal {
		g.options.Log.ErrorContext(r.Context(), "request failed", "request_id", o.RequestID, "route", o.Route, "error", o.Err.Err)
	}
	drain(r)
	protocol.WriteError(w, r, o.Err)
}

func (g *Gate) panicked(w *recorder, r *http.Request, o *Observation, protocol format.Protocol, v any) {
	if v == http.ErrAbortHandler {
		panic(v)
	}
	g.options.Log.Error("request panicked", "request_id", o.RequestID, "route", o.Route, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	o.Err = &packhouse.Error{Kind: packhouse.Internal, Message: "internal error"}
	if w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	protocol.WriteError(w, r, o.Err)
}

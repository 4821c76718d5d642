// Package gate is the only door. Every request of every protocol takes the same
// steps through it, in ServeHTTP: path, route, target, actor, decision, handler,
// error, log line. A handler is never reached without a decision, and never
// decides itself.
package gate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"packhouse"
	"packhouse/internal/authn"
	"packhouse/internal/authz"
	"packhouse/internal/directory"
	"packhouse/internal/format"
	"packhouse/internal/ledger"
	"packhouse/internal/limit"
	"packhouse/internal/registry"
)

// Options join what the gate needs.
type Options struct {
	Formats   []format.Format
	API       format.Protocol // mounted at /api/v4
	Root      format.Protocol // mounted at /, for what is in no API: health, metrics; may be nil
	Authn     *authn.Authenticator
	Directory *directory.Directory
	Registry  *registry.Registry
	Rates     *limit.Rates     // nil for no limits
	Failures  *limit.Failures  // nil to let everybody guess
	Exchanger format.Exchanger // for protocols whose clients exchange ID tokens; may be nil

	// Fresh is waited for by every request but those of probes, so that it sees
	// what other nodes have acknowledged; nil when there are none.
	Fresh func(context.Context) error

	External *url.URL // public address; nil: as each request says
	// Images is the public address of container images when they have another one than
	// External, which then is needed too. At that host there is nothing else.
	Images *url.URL

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
// handler, a level that it is never asked at, or a pattern that cannot be read.
func New(opts Options) (*Gate, error) {
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	t, err := newTable(opts)
	if err != nil {
		return nil, err
	}
	if err := checkImages(opts); err != nil {
		return nil, err
	}
	return &Gate{options: opts, table: t}, nil
}

// passage is one request on its way through the gate. It is used again for
// another request when this one is over.
type passage struct {
	gate     *Gate
	request  *http.Request
	body     io.Reader // of the request, however a handler has wrapped it since
	recorder recorder
	seen     Observation
	from     forwarded
	apart    bool            // only container images are here
	protocol format.Protocol // whose shape an error has
	call     format.Call
	args     [4]format.Arg // room for what a pattern matches
}

var passages = sync.Pool{New: func() any { return new(passage) }}

// ServeHTTP takes a request through the gate.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.serve(w, r, false) }

func (g *Gate) serve(w http.ResponseWriter, r *http.Request, apart bool) {
	start := time.Now()
	p := passages.Get().(*passage)
	defer p.leave(start)
	*p = passage{gate: g, request: r, body: r.Body, recorder: recorder{ResponseWriter: w}, from: g.proxied(r), protocol: g.options.API, apart: apart}
	p.seen = Observation{Request: r, RequestID: requestID(r, p.from.trusted), Remote: p.from.client}
	p.recorder.Header()["X-Request-Id"] = []string{p.seen.RequestID}
	if err := p.pass(); err != nil {
		p.seen.Err = packhouse.AsError(err)
		p.note(p.seen.Err)
		p.refuse()
		return
	}
	p.recorder.begin() // a handler that writes nothing is answered for with 200
}

// leave is the last step of every request, also of one that panicked.
func (p *passage) leave(start time.Time) {
	defer p.observe(start) // whatever happens to the answer
	if v := recover(); v != nil {
		if v = p.panicked(v); v != nil {
			panic(v)
		}
	}
}

// observe tells what became of the request, and ends the passage.
func (p *passage) observe(start time.Time) {
	p.seen.Status, p.seen.Bytes, p.seen.Took = p.recorder.status, p.recorder.bytes, time.Since(start)
	if p.request.Method == http.MethodHead {
		p.seen.Bytes = 0 // what the handler wrote did not leave
	}
	if observe := p.gate.options.Observe; observe != nil {
		observe(&p.seen)
	}
	*p = passage{}
	passages.Put(p)
}

// pass takes the steps from the path to the handler.
func (p *passage) pass() error {
	g, r := p.gate, p.request
	path, err := format.PathOf(r.URL)
	m := g.table.find(path) // of a bad path, by what stands before the bad part
	p.protocol, p.seen.Protocol = m.shape, m.name
	if err == nil && !m.images && p.imagesAlone() {
		err = errNoRoute()
	}
	if err != nil {
		return err
	}
	route, args, allow, err := m.match(r.Method, p.args[:0])
	if err != nil {
		if allow != nil { // RFC 9110, 15.5.6
			p.recorder.Header().Set("Allow", strings.Join(allow, ", "))
		}
		return err
	}
	p.seen.Route = route.Path
	p.call = format.NewCall(args, p, path.Segments[:m.depth])
	call := &p.call
	call.RequestID, call.Slash, call.Exchanger, call.Passes = p.seen.RequestID, path.Slash, g.options.Exchanger, g.options.Authn
	if call.Actor, err = p.guarded(m, route); err != nil {
		return err
	}
	p.seen.Actor = call.Actor
	if err := admitPass(m, route, call); err != nil {
		return err
	}
	action, err := g.locate(r, m, route, call)
	if err != nil {
		return err
	}
	p.seen.Target = call.Target
	if err := g.decide(call, action); err != nil {
		return err
	}
	if g.options.Directory.Moved(call.Target, m.ref) && m.protocol == g.table.api && isRead(r) {
		p.redirect(m)
		return nil
	}
	g.furnish(r, call, m)
	err = route.Handle(&p.recorder, r, call)
	if err == nil && route.Unread && r.Method == http.MethodPost {
		g.options.Failures.Succeeded(p.from.client) // what came in the body was good
	}
	return g.anonymous(err, call, action)
}

// redirect sends a reader who came by an earlier path to the address with the id,
// as GitLab does. Those who write are served where they are, because clients
// follow no redirect with a body.
func (p *passage) redirect(m mounted) {
	to := p.call.Base().JoinPath("api/v4", m.level.String()+"s", strconv.FormatInt(p.call.Target.ID, 10))
	for _, segment := range m.rest.Segments {
		to = to.JoinPath(url.PathEscape(segment))
	}
	to.RawQuery = p.request.URL.RawQuery
	http.Redirect(&p.recorder, p.request, to.String(), http.StatusMovedPermanently)
}

func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// locate finds the target of a request, and what is done to it: by its path, or
// as the route says. A visitor is not worth reading the body for: the action
// alone decides about them, at the level that it is asked at.
func (g *Gate) locate(r *http.Request, m mounted, route *format.Route, call *format.Call) (action authz.Action, err error) {
	call.Target = packhouse.Target{Level: m.level}
	switch {
	case route.Within != "":
		if t, rest, ok := g.options.Directory.Named(call.Arg(route.Within)); ok {
			call.Target, call.Rest = t, rest
		}
	case m.level != packhouse.Instance:
		call.Target, _ = g.options.Directory.Resolve(m.level, m.ref)
	}
	if route.Locate == nil {
		return route.Action, nil
	}
	if call.Actor.Kind != packhouse.Anonymous {
		call.Target, action, err = route.Locate(r, call)
		return action, err
	}
	for _, level := range levels {
		if !route.Action.Fits(call.Target.Level) {
			call.Target = packhouse.Target{Level: level}
		}
	}
	return route.Action, nil
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
func (g *Gate) furnish(r *http.Request, call *format.Call, m mounted) {
	if call.Target.Level != packhouse.Project {
		call.Source = g.below(call.Actor, call.Target)
	} else {
		call.Source = g.options.Registry.Project(call.Target.ID)
	}
	if isRead(r) {
		return
	}
	call.By = ledger.Of(call.Actor, call.RequestID)
	if call.Target.Level == packhouse.Project {
		call.Hosted = g.options.Registry.Hosted(call.Target.ID, m.name, call.Actor, call.By)
	}
}

// below is what an actor may read of all projects at or below a target.
func (g *Gate) below(who packhouse.Actor, t packhouse.Target) registry.Source {
	return g.options.Registry.Group(g.options.Directory.Reader(who, t))
}

// Named implements format.Way.
func (p *passage) Named(name string) (packhouse.Target, string, bool) {
	return p.gate.options.Directory.Named(name)
}

// Flag implements format.Way.
func (p *passage) Flag(c *format.Call, name string) bool {
	return p.gate.options.Directory.Flag(c.Target, name)
}

// Below implements format.Way.
func (p *passage) Below(c *format.Call, path string) registry.Source {
	d := p.gate.options.Directory
	if t, ok := d.Container(path); ok {
		return p.gate.below(c.Actor, t)
	}
	if t, rest, ok := d.Named(path); ok && rest == "" {
		return p.gate.below(c.Actor, t)
	}
	return registry.Nothing{}
}

// In implements format.Way.
func (p *passage) In(c *format.Call, projectID int64, action authz.Action) (*registry.Hosted, error) {
	if _, err := p.Decide(c, packhouse.Target{Level: packhouse.Project, ID: projectID}, action); err != nil {
		return nil, err
	}
	by := ledger.Of(c.Actor, c.RequestID)
	return p.gate.options.Registry.Hosted(projectID, p.seen.Protocol, c.Actor, by), nil
}

// Decide implements format.Way.
func (p *passage) Decide(c *format.Call, t packhouse.Target, action authz.Action) (packhouse.Target, error) {
	d := p.gate.options.Directory
	t.Path = d.PathOf(t)
	decision := authz.Decide(c.Actor, action, d.Object(c.Actor, t))
	if decision.Outcome != authz.Allow {
		return t, refusal(decision, t)
	}
	return t, nil
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
func (p *passage) refuse() {
	e := p.seen.Err
	if e.Kind == packhouse.Internal && p.request.Context().Err() != nil {
		e = &packhouse.Error{Kind: packhouse.Unavailable, Message: "the client went away", Err: e.Err}
		p.seen.Err = e
	}
	if e.Kind == packhouse.Internal {
		p.gate.options.Log.Error("request failed", "request_id", p.seen.RequestID, "route", p.seen.Route, "error", e.Err)
	}
	if p.recorder.status != 0 {
		// The answer has begun. Cutting it short is the only way left to say
		// that it is not whole.
		panic(http.ErrAbortHandler)
	}
	p.drain()
	if h := p.recorder.Header(); e.Kind == packhouse.Unavailable && h.Get("Retry-After") == "" {
		h.Set("Retry-After", retryAfter)
	}
	if rooted, ok := p.protocol.(format.Rooted); ok {
		rooted.WriteErrorAt(&p.recorder, p.request, p.Base(), e)
		return
	}
	p.protocol.WriteError(&p.recorder, p.request, e)
}

// retryAfter is when to ask again what cannot be answered now, in seconds: long
// enough for a database or a bucket to have changed its mind.
const retryAfter = "5"

// panicked answers for a handler that panicked. It returns what the server has
// to be told by panicking on: that the connection must be cut.
func (p *passage) panicked(v any) any {
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return v
	}
	p.gate.options.Log.Error("request panicked", "request_id", p.seen.RequestID, "route", p.seen.Route,
		"panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	p.seen.Err = &packhouse.Error{Kind: packhouse.Internal, Message: "internal error"}
	if p.recorder.status != 0 {
		return http.ErrAbortHandler
	}
	p.drain()
	p.protocol.WriteError(&p.recorder, p.request, p.seen.Err)
	return nil
}

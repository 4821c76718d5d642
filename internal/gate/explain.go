package gate

import (
	"net/http"
	"net/url"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
)

// Explain implements format.Way: it takes a request that nobody has sent through
// the steps of pass up to the decision.
func (p *passage) Explain(who packhouse.Actor, method string, u *url.URL) format.Explanation {
	g := p.gate
	x := format.Explanation{}
	path, err := format.PathOf(u)
	if err != nil {
		x.Refusal = packhouse.AsError(err)
		return x
	}
	m := g.table.find(path)
	route, args, _, err := m.match(method, nil)
	if err != nil {
		x.Refusal = packhouse.AsError(err)
		return x
	}
	x.Protocol, x.Route = m.name, route.Path
	call := format.NewCall(args, p, path.Segments[:m.depth])
	call.Actor, call.Slash = who, path.Slash
	// What a request says in its body can be said in the query as well.
	r := (&http.Request{Method: method, URL: u, Header: http.Header{}, Body: http.NoBody}).WithContext(p.request.Context())
	x.Action, err = g.locate(r, m, route, &call)
	x.Target = call.Target
	if err != nil {
		x.Refusal = packhouse.AsError(err)
		return x
	}
	x.Object = g.options.Directory.Object(who, call.Target)
	x.Decision = authz.Decide(who, x.Action, x.Object)
	if x.Decision.Outcome != authz.Allow {
		x.Refusal = packhouse.AsError(refusal(x.Decision, call.Target))
	}
	return x
}

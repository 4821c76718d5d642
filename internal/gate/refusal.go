package gate

import (
	"io"

	"packhouse"
	"packhouse/internal/authn"
	"packhouse/internal/authz"
	"packhouse/internal/format"
)

// RulePass is the rule of refusals for want of a pass that was made for what is
// asked.
const RulePass = "pass"

// admitPass refuses a request that comes with a pass where none is taken, that
// has run out, or that was made for less.
func admitPass(m mounted, route *format.Route, call *format.Call) error {
	pass := call.Actor.Pass
	if pass == nil {
		return nil
	}
	e := &packhouse.Error{Kind: packhouse.Unauthenticated, Message: "401 Unauthorized"}
	switch {
	case !m.passes && route.Access == nil:
		e.Rule, e.Fix = authn.RuleToken, "send the token itself; what it was exchanged for is good at the container registry alone"
	case pass.Ended && !route.Late:
		e.Rule, e.Fix = authn.RuleExpired, "the token has run out; ask for another"
	case route.Access != nil && !pass.Allows(route.Access(call)):
		e.Rule, e.Fix = RulePass, "ask for a token with the scope in the challenge"
	default:
		return nil
	}
	return e
}

// refusal is the error that stands for a decision against a request.
func refusal(d authz.Decision, t packhouse.Target) error {
	e := &packhouse.Error{Rule: d.Rule, Fix: d.Fix}
	switch d.Outcome {
	case authz.Challenge:
		e.Kind, e.Message = packhouse.Unauthenticated, "401 Unauthorized"
	case authz.Forbid:
		e.Kind, e.Message = packhouse.Forbidden, "403 Forbidden - "+d.Reason
	default:
		e.Kind, e.Message = packhouse.NotFound, notFound(t.Level)
	}
	return e
}

func notFound(level packhouse.Level) string {
	switch level {
	case packhouse.Project:
		return "404 Project Not Found"
	case packhouse.Group:
		return "404 Group Not Found"
	}
	return "404 Not Found"
}

// drainLimit bounds how much of a refused body is read, in bytes.
const drainLimit = 256 << 20

// drain reads the body of a request that is refused without having looked at
// it. A client that does not wait for "100 Continue" is still sending; if the
// connection were closed on it, it would report a broken pipe instead of our
// answer (seen with NuGet pushes).
func (p *passage) drain() {
	if p.body == nil || p.request.Header.Get("Expect") != "" {
		return
	}
	_, _ = io.CopyN(io.Discard, p.body, drainLimit) // a body that ends early is as good
}

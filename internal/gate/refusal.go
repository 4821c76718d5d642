package gate

import (
	"io"

	"packhouse"
	"packhouse/internal/authz"
)

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

package format

import (
	"net/url"

	"packhouse"
	"packhouse/internal/authz"
)

// Explanation is what the gate would decide about a request, and why.
type Explanation struct {
	Protocol string // "npm", "api"; "" when no route has the path
	Route    string // the route's pattern
	Action   authz.Action
	Target   packhouse.Target // as the path names it; ID is 0 when there is none
	Decision authz.Decision   // zero when the request does not come that far
	Object   authz.Object     // what was looked at
	Refusal  *packhouse.Error // what the client would get; nil when it is let in
}

// Explain says what the gate would decide about a request of some actor, without
// making it.
func (c *Call) Explain(who packhouse.Actor, method string, u *url.URL) Explanation {
	return c.way.Explain(who, method, u)
}

package gate

import (
	"net/http"
	"strconv"
	"time"

	"packhouse"
	"packhouse/internal/authn"
	"packhouse/internal/authz"
	"packhouse/internal/format"
)

// guarded finds the actor of a request, unless it comes from where too many wrong
// credentials came from, or is one too many.
func (p *passage) guarded(m mounted, route *format.Route) (packhouse.Actor, error) {
	o, r := &p.gate.options, p.request
	var actor packhouse.Actor
	var err error
	if until := o.Failures.Banned(p.from.client); !until.IsZero() && (route.Unread || o.Authn.Attempted(r)) {
		return actor, banned(until)
	}
	if err := p.fresh(m, route); err != nil {
		return actor, err
	}
	if !route.Unread {
		if actor, err = o.Authn.Actor(r); err == nil && actor.Kind != packhouse.Anonymous {
			o.Failures.Succeeded(p.from.client)
		}
	}
	if limited := p.limited(m, actor); limited != nil {
		return actor, limited
	}
	return actor, err
}

// fresh waits until this node knows what others have acknowledged. Probes do not
// wait: they ask about this node.
func (p *passage) fresh(m mounted, route *format.Route) error {
	fresh := p.gate.options.Fresh
	if fresh == nil || m.protocol == p.gate.table.root && route.Action == authz.Anyone && !route.Unread {
		return nil
	}
	return fresh(p.request.Context())
}

// limited counts a request and tells the client where it stands, in the headers
// that GitLab's clients read.
func (p *passage) limited(m mounted, actor packhouse.Actor) error {
	g := p.gate
	if g.options.Rates == nil || m.protocol == g.table.root {
		return nil
	}
	s, ok := g.options.Rates.Take(actor, p.from.client, m.packages(g.table))
	if !ok {
		return nil
	}
	h := p.recorder.Header()
	h.Set("RateLimit-Limit", strconv.FormatInt(s.PerMinute, 10))
	h.Set("RateLimit-Observed", strconv.FormatInt(s.Observed, 10))
	h.Set("RateLimit-Remaining", strconv.FormatInt(s.Remaining, 10))
	h.Set("RateLimit-Reset", strconv.FormatInt(s.Reset.Unix()+1, 10))
	h.Set("RateLimit-Name", s.Name)
	if !s.Exceeded {
		return nil
	}
	wait := int64(time.Until(s.Reset).Seconds()) + 1
	h.Set("RateLimit-ResetTime", s.Reset.UTC().Format(http.TimeFormat))
	h.Set("Retry-After", strconv.FormatInt(max(wait, 1), 10))
	return &packhouse.Error{
		Kind: packhouse.TooMany, Rule: "rate", Message: "429 Too Many Requests",
		Fix: "wait " + strconv.FormatInt(max(wait, 1), 10) + " s; an administrator can raise the limit " + s.Name,
	}
}

// packages reports whether a path is one of packages: of a format, or of the
// part of the API that lists them.
func (m mounted) packages(t *table) bool {
	return m.protocol != t.api || m.level != packhouse.Instance && len(m.rest.Segments) > 0 && m.rest.Segments[0] == "packages"
}

// wrong are the rules of refusals that say that a credential is wrong. ID tokens
// are left out: nobody guesses a signature.
var wrong = map[string]bool{authn.RuleToken: true, authn.RuleExpired: true, authn.RulePassword: true}

// note counts a wrong credential. Those of jobs are left out: runners try again
// with the tokens of jobs that are over (GitLab leaves them out too).
func (p *passage) note(e *packhouse.Error) {
	o := &p.gate.options
	if o.Failures == nil || !wrong[e.Rule] || e.Kind != packhouse.Unauthenticated && e.Kind != packhouse.Forbidden {
		return
	}
	digest, job := o.Authn.Attempt(p.request)
	if job {
		return
	}
	if e.Rule == authn.RulePassword {
		digest = packhouse.Digest{} // what was wrong came in the body
	}
	o.Failures.Failed(p.from.client, digest)
}

func banned(until time.Time) error {
	return &packhouse.Error{
		Kind: packhouse.Forbidden, Rule: "banned", Message: "403 Forbidden - too many wrong credentials came from this address",
		Fix: "try again after " + until.UTC().Format(format.Time) + ", with a token or password that is right",
	}
}

package policy

import (
	"fmt"
	"strings"

	"packhouse"
	"packhouse/internal/ledger"
)

// Protection keeps packages from people whose role is too low, as the protection
// rules of a project and the groups above it say. Every rule that matches is to be
// met; none grants anything.
type Protection struct{}

// Judge implements Rule. As in GitLab administrators are never refused, and deploy
// tokens, which have no role, by every rule that matches.
func (Protection) Judge(op Operation) error {
	if op.Actor.Admin || op.Package == "" {
		return nil
	}
	for _, p := range op.Protections {
		if p.Format != op.Format || !covers(p.Packages, op.Package, op.Name) || p.Versions != "" && !covers(p.Versions, op.Version, op.Number) {
			continue
		}
		least := p.Push
		if op.Verb == Delete {
			least = p.Delete
		}
		if least != packhouse.NoAccess && (op.Role < least || op.Actor.Kind == packhouse.DeployToken) {
			return protected(p, fmt.Sprintf("only the role %s or a higher one may %s what matches %q", least, op.Verb, shown(p)))
		}
		if op.Verb == Push && !from(p.From, op.Actor) {
			return protected(p, fmt.Sprintf("what matches %q comes from jobs of %s alone", shown(p), origins[p.From]))
		}
	}
	return nil
}

// covers reports whether a pattern matches one of the spellings of a name, without
// regard to case.
func covers(pattern string, names ...string) bool {
	for _, name := range names {
		if name != "" && packhouse.Matches(strings.ToLower(pattern), strings.ToLower(name)) {
			return true
		}
	}
	return false
}

var origins = map[ledger.Origin]string{
	ledger.FromProtectedRefs: "protected branches and tags", ledger.FromTrustedPublishers: "trusted publishers",
}

// from reports whether an actor pushes from where a rule asks for.
func from(origin ledger.Origin, who packhouse.Actor) bool {
	switch origin {
	case ledger.FromProtectedRefs:
		return who.Job != nil && who.Job.Protected
	case ledger.FromTrustedPublishers:
		return who.Job != nil && who.Job.Trust != nil
	}
	return true
}

func shown(p *ledger.Protection) string {
	if p.Versions == "" {
		return p.Packages
	}
	return p.Packages + " " + p.Versions
}

func protected(p *ledger.Protection, why string) error {
	return &packhouse.Error{
		Kind: packhouse.Forbidden, Rule: "protection", Message: "403 Forbidden - Package protected.",
		Fix: fmt.Sprintf("%s (protection rule %d of the %s); somebody with that role does it, or changes the rule", why, p.ID, p.Target.Level),
	}
}

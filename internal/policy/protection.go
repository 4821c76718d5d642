package policy

import (
	"fmt"
	"strings"

	"packhouse"
	"packhouse/internal/ledger"
)

// Protection keeps packages and repositories of container images from people whose
// role is too low, as the protection rules of a project and the groups above it say.
// Every rule that matches is to be met; none grants anything. Tags are asked about
// one by one: see Tags.
type Protection struct{}

// Judge implements Rule. As in GitLab administrators are never refused, and deploy
// tokens, which have no role, by every rule that matches.
func (Protection) Judge(op Operation) error {
	if op.Actor.Admin {
		return nil
	}
	for _, p := range op.Protections {
		if !concerns(p, op) {
			continue
		}
		if least := leastOf(p, op.Verb); below(least, op.Role, op.Actor) {
			return protected(p, op, fmt.Sprintf("only %s may %s what matches %q", whoever(least), op.Verb, shown(p, op)))
		}
		if op.Verb == Push && !from(p.From, op.Actor) {
			return protected(p, op, fmt.Sprintf("what matches %q comes from jobs of %s alone", shown(p, op), origins[p.From]))
		}
	}
	return nil
}

// concerns reports whether a rule is about what an operation is about.
func concerns(p *ledger.Protection, op Operation) bool {
	switch p.Kind {
	case ledger.ProtectsRepositories:
		return op.Format == ledger.Images && packhouse.Matches(strings.ToLower(p.Packages), behind(op.Package))
	case ledger.ProtectsTags:
		return false
	case ledger.ProtectsPackages:
	}
	return op.Package != "" && p.Format == op.Format && covers(p.Packages, op.Package, op.Name) &&
		(p.Versions == "" || covers(p.Versions, op.Version, op.Number))
}

// behind is what follows the project's path in the full name of a repository of
// container images.
func behind(repository string) string {
	if repository == "" {
		return ""
	}
	return "/" + repository
}

// leastOf is the least role that a rule wants for something; NoAccess for any.
func leastOf(p *ledger.Protection, verb Verb) packhouse.Role {
	if verb == Delete {
		return p.Delete
	}
	return p.Push
}

// below reports whether somebody is below the least role.
func below(least, role packhouse.Role, who packhouse.Actor) bool {
	return least != packhouse.NoAccess && (role < least || who.Kind == packhouse.DeployToken)
}

// whoever says who has a least role.
func whoever(least packhouse.Role) string {
	if least > packhouse.Owner {
		return "administrators"
	}
	return fmt.Sprintf("the role %s or a higher one", least)
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

// shown is a rule's pattern as people wrote it.
func shown(p *ledger.Protection, op Operation) string {
	switch {
	case p.Kind == ledger.ProtectsRepositories:
		return strings.TrimSuffix(op.Name, behind(op.Package)) + p.Packages
	case p.Versions == "":
		return p.Packages
	}
	return p.Packages + " " + p.Versions
}

// refusals are GitLab's words.
var refusals = map[ledger.ProtectionKind]map[Verb]string{
	ledger.ProtectsPackages: {
		Push: "403 Forbidden - Package protected.", Delete: "403 Forbidden - Package protected.",
	},
	ledger.ProtectsRepositories: {
		Push: "Pushing to protected repository path forbidden", Delete: "Deleting protected container repository forbidden.",
	},
}

func protected(p *ledger.Protection, op Operation, why string) error {
	return &packhouse.Error{
		Kind: packhouse.Forbidden, Rule: "protection", Message: refusals[p.Kind][op.Verb],
		Fix: fmt.Sprintf("%s (protection rule %d of the %s); somebody with that role does it, or changes the rule", why, p.ID, p.Target.Level),
	}
}

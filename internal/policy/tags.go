package policy

import (
	"fmt"
	"regexp"

	"packhouse"
	"packhouse/internal/ledger"
)

// Tags are the rules that hold for the tags of a project's container images, and who
// meets them. nil are no rules. They may be asked concurrently.
type Tags struct {
	rules []tagRule
	who   packhouse.Actor
	role  packhouse.Role
}

type tagRule struct {
	ledger.Protection
	pattern *regexp.Regexp
}

// NewTags makes the rules ready to be asked about what somebody with a role in the
// project does. Without an actor every rule binds, as it does a cleanup.
func NewTags(rules []ledger.Protection, who packhouse.Actor, role packhouse.Role) (*Tags, error) {
	if len(rules) == 0 {
		return nil, nil
	}
	t := &Tags{who: who, role: role}
	for _, p := range rules {
		re, err := ledger.CompileTags(p.Packages)
		if err != nil {
			return nil, fmt.Errorf("policy: tag protection rule %d: %w", p.ID, err)
		}
		t.rules = append(t.rules, tagRule{p, re})
	}
	return t, nil
}

// Push judges that a tag is pointed somewhere; moves says that it is there and points
// elsewhere. A tag that is pointed where it points already moves nothing.
func (t *Tags) Push(tag string, moves bool) error { return t.judge(Push, tag, moves) }

// Delete judges that a tag that is there is taken away.
func (t *Tags) Delete(tag string) error { return t.judge(Delete, tag, true) }

// Keeps reports whether a tag that is there stays although it was chosen to go.
func (t *Tags) Keeps(tag string) bool { return t.Delete(tag) != nil }

// judge asks the rules with levels before those that make tags immutable. As in
// GitLab administrators are refused by the latter alone.
func (t *Tags) judge(verb Verb, tag string, changes bool) error {
	if t == nil {
		return nil
	}
	for i := range t.rules {
		r := &t.rules[i]
		if least := leastOf(&r.Protection, verb); !t.who.Admin && below(least, t.role, t.who) && r.pattern.MatchString(tag) {
			return r.refuse("protection", fmt.Sprintf("the tag %q is protected", tag), fmt.Sprintf("only %s may %s what matches", whoever(least), verb))
		}
	}
	for i := range t.rules {
		if r := &t.rules[i]; r.Immutable && changes && r.pattern.MatchString(tag) {
			return r.refuse("immutable", fmt.Sprintf("the tag %q is immutable", tag), "nobody may move or delete what matches")
		}
	}
	return nil
}

func (r *tagRule) refuse(rule, message, why string) error {
	return &packhouse.Error{
		Kind: packhouse.Forbidden, Rule: rule, Message: message,
		Fix: fmt.Sprintf("%s %s (tag protection rule %d of the project)", why, r.Packages, r.ID),
	}
}

package policy_test

import (
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/policy"
)

// Rules about tags find their pattern anywhere, the strictest counts, and what is
// immutable is so for administrators too.
func TestTags(t *testing.T) {
	rules := []ledger.Protection{
		{ID: 1, Kind: ledger.ProtectsTags, Packages: "stable", Push: packhouse.Maintainer, Delete: packhouse.Owner},
		{ID: 2, Kind: ledger.ProtectsTags, Packages: "^1.*stable$", Push: packhouse.Owner, Delete: packhouse.Owner},
		{ID: 3, Kind: ledger.ProtectsTags, Packages: `^v\d`, Immutable: true},
		{ID: 4, Kind: ledger.ProtectsTags, Packages: "^V", Push: 60, Delete: 60},
	}
	admin, deploy := packhouse.Actor{Admin: true}, packhouse.Actor{Kind: packhouse.DeployToken}
	for _, test := range []struct {
		name, tag string
		who       packhouse.Actor
		role      packhouse.Role
		verb      policy.Verb
		moves     bool
		by        string // what refuses; "" for nothing
	}{
		{"below the level", "2-stable-x", packhouse.Actor{}, packhouse.Developer, policy.Push, false, "rule 1 "},
		{"at the level", "2-stable-x", packhouse.Actor{}, packhouse.Maintainer, policy.Push, true, ""},
		{"at the level of one of two", "1-stable", packhouse.Actor{}, packhouse.Maintainer, policy.Push, false, "rule 2 "},
		{"another tag", "STABLE", packhouse.Actor{}, packhouse.Developer, policy.Push, true, ""},
		{"deleting", "2-stable", packhouse.Actor{}, packhouse.Maintainer, policy.Delete, true, "rule 1 "},
		{"deleting by an Owner", "2-stable", packhouse.Actor{}, packhouse.Owner, policy.Delete, true, ""},
		{"a deploy token", "stable", deploy, packhouse.Owner, policy.Push, false, "rule 1 "},
		{"an administrator", "1-stable", admin, packhouse.NoAccess, policy.Delete, true, ""},
		{"administrators alone", "V1", packhouse.Actor{}, packhouse.Owner, policy.Push, false, "administrators"},
		{"a new immutable tag", "v1", packhouse.Actor{}, packhouse.Developer, policy.Push, false, ""},
		{"an immutable tag that moves", "v1", admin, packhouse.Owner, policy.Push, true, "rule 3 "},
		{"an immutable tag that goes", "v1", admin, packhouse.Owner, policy.Delete, true, "rule 3 "},
		{"nearly an immutable tag", "ver1", packhouse.Actor{}, packhouse.Developer, policy.Delete, true, ""},
	} {
		tags, err := policy.NewTags(rules, test.who, test.role)
		if err != nil {
			t.Fatal(err)
		}
		err = tags.Push(test.tag, test.moves)
		if test.verb == policy.Delete {
			err = tags.Delete(test.tag)
		}
		if (err != nil) != (test.by != "") || err != nil && (packhouse.KindOf(err) != packhouse.Forbidden || !strings.Contains(packhouse.AsError(err).Fix, test.by)) {
			t.Errorf("%s: %v %v, want a refusal by %q", test.name, err, packhouse.AsError(err), test.by)
		}
	}
	if none, err := policy.NewTags(nil, packhouse.Actor{}, packhouse.NoAccess); err != nil || none.Push("v1", true) != nil || none.Keeps("v1") {
		t.Errorf("no rules refuse something: %v", err)
	}
	if _, err := policy.NewTags([]ledger.Protection{{Packages: "("}}, packhouse.Actor{}, packhouse.Owner); err == nil {
		t.Error("a pattern that is none makes a rule")
	}
}

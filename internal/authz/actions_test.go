package authz

import (
	"testing"

	"packhouse"
)

func TestZeroActionIsNone(t *testing.T) {
	var none Action
	if none.Valid() || none.Fits(packhouse.Project) || (AdminInstance + 1).Valid() {
		t.Errorf("the zero action and the one after the last are no actions")
	}
	if got := none.String(); got != "action(0)" {
		t.Errorf("String() = %q, want action(0)", got)
	}
}

// TestRulesAreComplete guards the table against a row that was forgotten or
// that cannot work.
func TestRulesAreComplete(t *testing.T) {
	names := map[string]bool{}
	for _, act := range everyAction() {
		r := rules[act]
		if r.name == "" || names[r.name] || r.doing == "" || r.levels == 0 {
			t.Errorf("action %d: name %q, doing %q, levels %d: none may be empty, and names differ", act, r.name, r.doing, r.levels)
		}
		names[r.name] = true
		if (r.by == byRole) != (r.role != packhouse.NoAccess) {
			t.Errorf("%v: a role is needed exactly by role", act)
		}
		if r.kinds.has(packhouse.DeployToken) != (r.deploy != 0 && r.deployOf != 0) {
			t.Errorf("%v: deploy tokens need a scope and a level", act)
		}
		if r.kinds.has(packhouse.Anonymous) {
			t.Errorf("%v: no credential is no kind of credential", act)
		}
	}
	if len(names) != int(AdminInstance) {
		t.Errorf("%d actions, want %d", len(names), AdminInstance)
	}
}

func TestFits(t *testing.T) {
	for _, test := range []struct {
		act    Action
		levels packhouse.Level
		want   bool
	}{
		{ReadPackages, packhouse.Project, true},
		{ReadPackages, packhouse.Group | packhouse.Project, true},
		{PublishPackages, packhouse.Project, true},
		{PublishPackages, packhouse.Group | packhouse.Project, false},
		{ReadGroup, packhouse.Project, false},
		{ReadPackages, 0, false},
	} {
		if got := test.act.Fits(test.levels); got != test.want {
			t.Errorf("%v.Fits(%d) = %v, want %v", test.act, test.levels, got, test.want)
		}
	}
}

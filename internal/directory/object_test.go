package directory_test

import (
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
)

var top packhouse.Target // makes a group at the top

func TestRoles(t *testing.T) {
	w := newWorld(t, directory.Options{})
	ada, bob := w.user("ada"), w.user("bob")
	acme := w.group(top, "acme")
	tools := w.group(acme, "tools")
	lib, side := w.project(tools, "lib"), w.project(acme, "side")

	w.wantRole("before", ada, lib, packhouse.NoAccess)
	w.member(acme, ada, packhouse.Reporter, 0)
	w.wantRole("member of the group above", ada, lib, packhouse.Reporter)
	w.wantRole("member of the group above", ada, tools, packhouse.Reporter)
	w.member(lib, ada, packhouse.Guest, 0)
	w.wantRole("weaker role below", ada, lib, packhouse.Reporter)
	w.member(tools, ada, packhouse.Maintainer, 0)
	w.wantRole("stronger role between", ada, lib, packhouse.Maintainer)
	w.wantRole("beside", ada, side, packhouse.Reporter)
	w.wantRole("above", ada, acme, packhouse.Reporter)
	w.wantRole("somebody else", bob, lib, packhouse.NoAccess)
	w.wantRole("a visitor", packhouse.Actor{}, lib, packhouse.NoAccess)
	w.remove(tools, ada)
	w.wantRole("after the stronger role ended", ada, lib, packhouse.Reporter)
	w.append(&ledger.MemberPut{Member: ledger.Member{Target: packhouse.Target{Level: packhouse.Group, ID: acme.ID}, UserID: ada.UserID, Role: packhouse.Owner}})
	w.wantRole("after a change", ada, lib, packhouse.Owner)
}

func TestExpiredMembership(t *testing.T) {
	w := newWorld(t, directory.Options{})
	ada := w.user("ada")
	acme := w.group(top, "acme")
	tools := w.group(acme, "tools")
	lib := w.project(tools, "lib")
	w.member(lib, ada, packhouse.Developer, time.Hour)
	w.member(tools, ada, packhouse.Guest, 2*time.Hour)
	for _, step := range []struct {
		name  string
		role  packhouse.Role
		below bool // seen from acme
	}{
		{"both", packhouse.Developer, true},
		{"at the end of the first", packhouse.Guest, true},
		{"at the end of the second", packhouse.NoAccess, false},
	} {
		w.wantRole(step.name, ada, lib, step.role)
		if got := w.Object(ada, acme).MemberBelow; got != step.below {
			t.Errorf("%s: MemberBelow = %t, want %t", step.name, got, step.below)
		}
		w.clock.Advance(time.Hour)
	}
}

func TestPersonalNamespace(t *testing.T) {
	w := newWorld(t, directory.Options{})
	ada, bob := w.user("Ada"), w.user("bob")
	lib := w.project(w.own(ada), "lib")
	w.wantRole("owner", ada, lib, packhouse.Owner)
	w.wantRole("owner", ada, w.own(ada), packhouse.Owner)
	w.wantRole("another user", bob, lib, packhouse.NoAccess)
	w.append(&ledger.UserPut{User: ledger.User{ID: ada.UserID, Username: "countess"}})
	w.wantRole("owner under a new name", ada, lib, packhouse.Owner)
	w.own(ada)
	bot, err := w.CreateUser(t.Context(), ledger.By{}, ledger.User{Username: "robot", Bot: true})
	w.must(err)
	if n := w.Personal(bot.ID); n != nil {
		t.Errorf("Personal of a bot = %+v, want nil", n)
	}
}

func TestBelow(t *testing.T) {
	w := newWorld(t, directory.Options{})
	ada, bob := w.user("ada"), w.user("bob")
	acme := w.group(top, "acme")
	tools := w.group(acme, "tools")
	lib, side := w.project(tools, "lib"), w.project(tools, "side")
	want := func(what string, who packhouse.Actor, at packhouse.Target, member, open bool) {
		t.Helper()
		if o := w.Object(who, at); o.MemberBelow != member || o.OpenBelow != open {
			t.Errorf("%s: at %s below = member %t, open %t, want %t, %t", what, at.Path, o.MemberBelow, o.OpenBelow, member, open)
		}
	}
	registry := func(at packhouse.Target, access packhouse.RegistryAccess) {
		t.Helper()
		_, err := w.UpdateProject(t.Context(), ledger.By{}, at.ID, func(p *ledger.Project) error { p.Registry = access; return nil })
		w.must(err)
	}
	want("at first", ada, acme, false, false)
	w.member(lib, ada, packhouse.Guest, 0)
	w.member(side, ada, packhouse.Guest, time.Hour)
	want("member of two projects", ada, acme, true, false)
	want("member of two projects", ada, tools, true, false)
	want("another user", bob, acme, false, false)
	want("a visitor", packhouse.Actor{}, acme, false, false)
	w.remove(lib, ada)
	want("member of one", ada, acme, true, false)
	w.append(&ledger.MemberPut{Member: ledger.Member{Target: packhouse.Target{Level: packhouse.Project, ID: side.ID}, UserID: ada.UserID, Role: packhouse.Owner}})
	w.clock.Advance(2 * time.Hour)
	want("after the membership was made to last", ada, acme, true, false)
	w.remove(side, ada)
	want("member of none", ada, acme, false, false)
	w.member(tools, ada, packhouse.Guest, 0)
	want("member of the group between", ada, acme, true, false)
	want("a role on the group itself does not count", ada, tools, false, false)

	registry(lib, packhouse.RegistryPublic)
	registry(side, packhouse.RegistryPublic)
	want("two open registries", bob, acme, false, true)
	registry(lib, packhouse.RegistryPrivate)
	want("one open registry", bob, tools, false, true)
	registry(side, packhouse.RegistryDisabled)
	want("none", bob, acme, false, false)
}

func TestBound(t *testing.T) {
	w := newWorld(t, directory.Options{})
	acme, other := w.group(top, "acme"), w.group(top, "other")
	tools := w.group(acme, "tools")
	lib := w.project(tools, "lib")
	for _, test := range []struct {
		bound, at packhouse.Target
		want      bool
	}{
		{packhouse.Target{}, lib, true}, {lib, lib, true}, {tools, lib, true}, {acme, lib, true}, {acme, acme, true},
		{lib, tools, false}, {tools, acme, false}, {other, lib, false}, {lib, other, false},
		{packhouse.Target{Level: packhouse.Project, ID: tools.ID}, tools, false},
		{packhouse.Target{Level: packhouse.Group, ID: 999}, lib, false},
	} {
		who := packhouse.Actor{Kind: packhouse.DeployToken, Bound: packhouse.Target{Level: test.bound.Level, ID: test.bound.ID}}
		if got := w.Object(who, test.at).Bound; got != test.want {
			t.Errorf("token of %v reaches %v = %t, want %t", test.bound, test.at, got, test.want)
		}
	}
}

func TestAdmits(t *testing.T) {
	w := newWorld(t, directory.Options{})
	acme, other := w.group(top, "acme"), w.group(top, "other")
	tools := w.group(acme, "tools")
	lib, app, guest := w.project(tools, "lib"), w.project(acme, "app"), w.project(other, "guest")
	admits := func(what string, from, to packhouse.Target, want bool) {
		t.Helper()
		who := packhouse.Actor{Kind: packhouse.JobToken, Job: &packhouse.Job{ProjectID: from.ID}}
		if got := w.Object(who, to).Admits; got != want {
			t.Errorf("%s: %s admits %s = %t, want %t", what, to.Path, from.Path, got, want)
		}
	}
	allow := func(project, admitted packhouse.Target) ledger.Admission {
		return ledger.Admission{ProjectID: project.ID, Admitted: admitted}
	}
	admits("its own", lib, lib, true)
	admits("a neighbour", app, lib, false)
	w.must(w.Admit(t.Context(), ledger.By{}, allow(lib, app)))
	admits("listed", app, lib, true)
	admits("the other way round", lib, app, false)
	admits("not listed", guest, lib, false)
	w.must(w.Admit(t.Context(), ledger.By{}, allow(app, acme)))
	admits("below a listed group", lib, app, true)
	admits("below another group", guest, app, false)
	admits("unknown", packhouse.Target{ID: 999}, app, false)
	w.must(w.Unadmit(t.Context(), ledger.By{}, allow(lib, app)))
	admits("taken off", app, lib, false)
	_, err := w.UpdateProject(t.Context(), ledger.By{}, lib.ID, func(p *ledger.Project) error { p.OpenToJobs = true; return nil })
	w.must(err)
	admits("open to all jobs", guest, lib, true)
	if got := w.Admissions(app.ID); len(got) != 1 || got[0] != acme {
		t.Errorf("Admissions = %v, want %v", got, acme)
	}
}

func TestAbsent(t *testing.T) {
	w := newWorld(t, directory.Options{AnyonePull: true})
	ada := w.user("ada")
	for _, at := range []packhouse.Target{{Level: packhouse.Group}, {Level: packhouse.Group, ID: 999}, {Level: packhouse.Project}, {Level: packhouse.Project, ID: 999}} {
		want := authz.Object{Target: at, Bound: true, Admits: true, AnyonePull: true}
		if got := w.Object(ada, at); got != want {
			t.Errorf("Object(%v) = %+v, want %+v", at, got, want)
		}
	}
	if o := w.Object(ada, packhouse.Target{Level: packhouse.Instance}); !o.Exists {
		t.Errorf("Object(instance) = %+v, want one that exists", o)
	}
}

package directory_test

import (
	"fmt"
	"testing"

	"packhouse"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
)

func TestResolve(t *testing.T) {
	w := newWorld(t, directory.Options{})
	ada := w.user("Ada")
	acme := w.group(top, "Acme")
	tools := w.group(acme, "tools.v2")
	lib := w.project(tools, "Lib")
	digits := w.project(acme, "2024")
	own := w.project(w.own(ada), "own")
	for _, test := range []struct {
		level packhouse.Level
		ref   string
		want  packhouse.Target // zero: there is none
	}{
		{packhouse.Project, fmt.Sprint(lib.ID), lib},
		{packhouse.Project, "Acme/tools.v2/Lib", lib},
		{packhouse.Project, "aCME/TOOLS.V2/lib", lib},
		{packhouse.Project, "acme/2024", digits},
		{packhouse.Project, "ADA/own", own},
		{packhouse.Group, fmt.Sprint(tools.ID), tools},
		{packhouse.Group, "acme", acme},
		{packhouse.Group, "ACME/tools.v2", tools},
		{packhouse.Project, "acme/tools.v2", packhouse.Target{}},
		{packhouse.Group, "acme/tools.v2/lib", packhouse.Target{}},
		{packhouse.Group, "ada", packhouse.Target{}}, // a personal namespace is no group
		{packhouse.Group, fmt.Sprint(w.own(ada).ID), packhouse.Target{}},
		{packhouse.Project, "2024", packhouse.Target{}},
		{packhouse.Project, "999", packhouse.Target{}},
		{packhouse.Project, "0", packhouse.Target{}},
		{packhouse.Project, "-1", packhouse.Target{}},
		{packhouse.Project, "+" + fmt.Sprint(lib.ID), packhouse.Target{}},
		{packhouse.Project, "99999999999999999999", packhouse.Target{}},
		{packhouse.Project, "", packhouse.Target{}},
		{packhouse.Project, "acme/", packhouse.Target{}},
		{packhouse.Project, "/acme/2024", packhouse.Target{}},
		{packhouse.Instance, "acme", packhouse.Target{}},
	} {
		want, exists := test.want, test.want != packhouse.Target{}
		if !exists {
			want.Level = test.level
		}
		if got, ok := w.Resolve(test.level, test.ref); got != want || ok != exists {
			t.Errorf("Resolve(%v, %q) = %+v, %t, want %+v, %t", test.level, test.ref, got, ok, want, exists)
		}
	}
}

func TestPathOf(t *testing.T) {
	w := newWorld(t, directory.Options{})
	acme := w.group(top, "acme")
	lib := w.project(acme, "lib")
	for want, at := range map[string]packhouse.Target{
		"acme": {Level: packhouse.Group, ID: acme.ID}, "acme/lib": {Level: packhouse.Project, ID: lib.ID},
		"": {Level: packhouse.Project, ID: 999},
	} {
		if got := w.PathOf(at); got != want {
			t.Errorf("PathOf(%+v) = %q, want %q", at, got, want)
		}
	}
}

func TestUsers(t *testing.T) {
	w := newWorld(t, directory.Options{})
	ada := w.user("Ada")
	w.append(&ledger.UserPut{User: ledger.User{ID: ada.UserID, Username: "countess", Admin: true}})
	for name, want := range map[string]int64{"COUNTESS": ada.UserID, "ada": 0, "": 0} {
		var got int64
		if u := w.UserByName(name); u != nil {
			got = u.ID
		}
		if got != want {
			t.Errorf("UserByName(%q) has id %d, want %d", name, got, want)
		}
	}
	if u := w.User(ada.UserID); u == nil || !u.Admin {
		t.Errorf("User = %+v, want the changed one", u)
	}
	if u := w.User(999); u != nil {
		t.Errorf("User(999) = %+v, want nil", u)
	}
}

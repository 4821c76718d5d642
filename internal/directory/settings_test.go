package directory_test

import (
	"testing"

	"packhouse"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
)

func (w *world) change(at packhouse.Target, edit func(*ledger.Settings)) error {
	_, err := w.UpdateSettings(w.t.Context(), ledger.By{}, at, func(s *ledger.Settings) error {
		edit(s)
		return nil
	})
	return err
}

func (w *world) guestsPull(at packhouse.Target, pull *bool) {
	w.t.Helper()
	w.must(w.change(at, func(s *ledger.Settings) { s.GuestsPull = pull }))
}

func TestGuestsPull(t *testing.T) {
	yes, no := true, false
	for _, started := range []bool{false, true} {
		w := newWorld(t, directory.Options{GuestsPull: started})
		ada := w.user("ada")
		acme := w.group(top, "acme")
		tools := w.group(acme, "tools")
		lib, own := w.project(tools, "lib"), w.project(w.own(ada), "own")
		want := func(what string, at packhouse.Target, want bool) {
			t.Helper()
			if got := w.Object(ada, at).GuestsPull; got != want {
				t.Errorf("started with %t, %s: GuestsPull at %s = %t, want %t", started, what, at.Path, got, want)
			}
		}
		want("nothing set", lib, started)
		w.guestsPull(packhouse.Target{Level: packhouse.Instance}, &yes)
		want("instance says yes", lib, true)
		want("instance says yes", own, true)
		w.guestsPull(acme, &no)
		want("top-level group says no", lib, false)
		want("top-level group says no", tools, false)
		want("top-level group says no", acme, false)
		want("another namespace", own, true)
		w.guestsPull(tools, &yes)
		w.guestsPull(lib, &yes)
		want("a group below has no say", lib, false)
		w.guestsPull(acme, nil)
		want("top-level group inherits again", lib, true)
		w.guestsPull(packhouse.Target{Level: packhouse.Instance}, nil)
		want("nothing set any more", acme, started)
	}
}

// Each half of a duplicates setting is the nearest one that is set.
func TestDuplicates(t *testing.T) {
	w := newWorld(t, directory.Options{})
	acme := w.group(top, "acme")
	tools := w.group(acme, "tools")
	lib := w.project(tools, "lib")
	yes, no, far, near := true, false, "far", "near"
	set := func(at packhouse.Target, d ledger.Duplicates) {
		t.Helper()
		w.must(w.change(at, func(s *ledger.Settings) { s.Duplicates = map[string]ledger.Duplicates{"generic": d} }))
	}
	want := func(what string, allowed *bool, except *string) {
		t.Helper()
		got := w.Duplicates(lib.ID, "generic")
		if got.Allowed != allowed && (got.Allowed == nil || allowed == nil || *got.Allowed != *allowed) {
			t.Errorf("%s: Allowed = %v, want %v", what, got.Allowed, allowed)
		}
		if got.Except != except && (got.Except == nil || except == nil || *got.Except != *except) {
			t.Errorf("%s: Except = %v, want %v", what, got.Except, except)
		}
	}
	want("nothing set", nil, nil)
	set(packhouse.Target{Level: packhouse.Instance}, ledger.Duplicates{Allowed: &no, Except: &far})
	want("instance", &no, &far)
	set(acme, ledger.Duplicates{Allowed: &yes})
	want("group above", &yes, &far)
	set(tools, ledger.Duplicates{Except: &near})
	want("group", &yes, &near)
	set(lib, ledger.Duplicates{Allowed: &no})
	want("project", &no, &near)
	if got := w.Duplicates(lib.ID, "npm"); got != (ledger.Duplicates{}) {
		t.Errorf("Duplicates of another format = %+v, want nothing", got)
	}
	if got := w.Settings(lib); *got.Duplicates["generic"].Allowed || got.Duplicates["generic"].Except != nil {
		t.Errorf("Settings = %+v, want what was set at the project itself", got)
	}
	broken := "("
	err := w.change(lib, func(s *ledger.Settings) { s.Duplicates = map[string]ledger.Duplicates{"npm": {Except: &broken}} })
	if e := packhouse.AsError(err); e.Kind != packhouse.Invalid || e.Param != "npm_duplicate_exception_regex" {
		t.Errorf("UpdateSettings with a broken exception = %v, want Invalid", err)
	}
}

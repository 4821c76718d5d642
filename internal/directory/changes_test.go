package directory_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
)

func TestRefusedChanges(t *testing.T) {
	w := newWorld(t, directory.Options{})
	ctx, by := t.Context(), ledger.By{}
	ada := w.user("ada")
	acme := w.group(top, "acme")
	hidden, err := w.CreateGroup(ctx, by, ledger.Namespace{Path: "hidden"})
	w.must(err)
	lib := w.project(acme, "lib")
	w.member(lib, ada, packhouse.Guest, 0)
	user := func(name string) error { _, err := w.CreateUser(ctx, by, ledger.User{Username: name}); return err }
	group := func(parent int64, path string, v packhouse.Visibility) error {
		_, err := w.CreateGroup(ctx, by, ledger.Namespace{ParentID: parent, Path: path, Visibility: v})
		return err
	}
	project := func(id, namespace int64, path string, v packhouse.Visibility) error {
		_, err := w.CreateProject(ctx, by, ledger.Project{ID: id, NamespaceID: namespace, Path: path, Visibility: v})
		return err
	}
	const private, public = packhouse.VisibilityPrivate, packhouse.VisibilityPublic
	position := w.store.Position()
	for _, test := range []struct {
		what string
		err  error
		want packhouse.Kind
	}{
		{"a user without a name", user(""), packhouse.Invalid},
		{"a user with a slash", user("a/b"), packhouse.Invalid},
		{"a user called ..", user(".."), packhouse.Invalid},
		{"a second ada", user("ADA"), packhouse.Conflict},
		{"a user named as a group", user("Acme"), packhouse.Conflict},
		{"a group named as a user", group(0, "Ada", private), packhouse.Conflict},
		{"a group of digits", group(0, "2024", private), packhouse.Invalid},
		{"a group called x.git", group(0, "x.git", private), packhouse.Invalid},
		{"a group with a long name", group(0, strings.Repeat("x", 256), private), packhouse.Invalid},
		{"a group in no group", group(999, "x", private), packhouse.NotFound},
		{"a group in a personal namespace", group(w.own(ada).ID, "x", private), packhouse.NotFound},
		{"a public group in a private one", group(hidden.ID, "x", public), packhouse.Invalid},
		{"a project in nothing", project(0, 999, "x", private), packhouse.NotFound},
		{"a public project in a private group", project(0, hidden.ID, "x", public), packhouse.Invalid},
		{"a project whose id is taken", project(lib.ID, acme.ID, "x", private), packhouse.Conflict},
		{"a project with a negative id", project(-1, acme.ID, "x", private), packhouse.Invalid},
		{"a project with an id beyond numbers", project(1<<62, acme.ID, "x", private), packhouse.Invalid},
		{"a second lib", project(0, acme.ID, "LIB", private), packhouse.Conflict},
		{"a second membership", func() error {
			_, err := w.AddMember(ctx, by, ledger.Member{Target: packhouse.Target{Level: lib.Level, ID: lib.ID}, UserID: ada.UserID})
			return err
		}(), packhouse.Conflict},
		{"ending no membership", w.RemoveMember(ctx, by, acme, ada.UserID), packhouse.NotFound},
		{"ending no admission", w.Unadmit(ctx, by, ledger.Admission{ProjectID: lib.ID, Admitted: acme}), packhouse.NotFound},
		{"a change of no project", func() error {
			_, err := w.UpdateProject(ctx, by, 999, func(*ledger.Project) error { return nil })
			return err
		}(), packhouse.NotFound},
	} {
		if test.err == nil || packhouse.KindOf(test.err) != test.want {
			t.Errorf("%s = %v, want kind %d", test.what, test.err, test.want)
		}
	}
	if got := w.store.Position(); got != position {
		t.Errorf("refused changes wrote %d entries", got-position)
	}
	for _, path := range []string{"x", "acme/x", "hidden/x"} {
		if _, ok := w.Resolve(packhouse.Group, path); ok {
			t.Errorf("Resolve finds %q, which was refused", path)
		}
	}
}

func TestCreateGroupMakesOwner(t *testing.T) {
	w := newWorld(t, directory.Options{})
	ada := w.user("ada")
	n, err := w.CreateGroup(t.Context(), ledger.By{UserID: ada.UserID}, ledger.Namespace{Path: "acme"})
	w.must(err)
	w.wantRole("who made the group", ada, packhouse.Target{Level: packhouse.Group, ID: n.ID}, packhouse.Owner)
}

func TestChosenProjectID(t *testing.T) {
	w := newWorld(t, directory.Options{})
	acme := w.group(top, "acme")
	p, err := w.CreateProject(t.Context(), ledger.By{}, ledger.Project{ID: 31, NamespaceID: acme.ID, Path: "chosen"})
	w.must(err)
	if next := w.project(acme, "next"); p.ID != 31 || next.ID != 32 {
		t.Errorf("ids %d and %d, want 31 and 32", p.ID, next.ID)
	}
}

// Changes of one project made at once do not undo each other.
func TestConcurrentProjectChanges(t *testing.T) {
	w := newWorld(t, directory.Options{})
	lib := w.project(w.group(top, "acme"), "lib")
	changes := []func(*ledger.Project){
		func(p *ledger.Project) { p.Archived = true },
		func(p *ledger.Project) { p.Registry = packhouse.RegistryPublic },
		func(p *ledger.Project) { p.Description = "changed" },
		func(p *ledger.Project) { p.OpenToJobs = true },
		func(p *ledger.Project) { p.Visibility = packhouse.VisibilityPublic },
	}
	var working sync.WaitGroup
	for _, change := range changes {
		working.Go(func() {
			if _, err := w.UpdateProject(t.Context(), ledger.By{}, lib.ID, func(p *ledger.Project) error { change(p); return nil }); err != nil {
				t.Errorf("UpdateProject = %v, want success", err)
			}
		})
	}
	working.Wait()
	p := w.Project(lib.ID)
	if !p.Archived || p.Registry != packhouse.RegistryPublic || p.Description != "changed" || !p.OpenToJobs || p.Visibility != packhouse.VisibilityPublic {
		t.Errorf("Project = %+v, want all changes", p)
	}
	refusal := errors.New("refused")
	if _, err := w.UpdateProject(t.Context(), ledger.By{}, lib.ID, func(p *ledger.Project) error { p.Name = "x"; return refusal }); !errors.Is(err, refusal) {
		t.Errorf("UpdateProject = %v, want the error of the change", err)
	}
	if p := w.Project(lib.ID); p.Name == "x" {
		t.Errorf("a refused change was made")
	}
}

func TestExpires(t *testing.T) {
	for text, want := range map[string]time.Time{
		"":                          {},
		"2026-03-04":                time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC),
		"2026-03-04T05:06:07+02:00": time.Date(2026, 3, 4, 3, 6, 7, 0, time.UTC),
	} {
		if got, err := directory.Expires(text); err != nil || !got.Equal(want) {
			t.Errorf("Expires(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	if _, err := directory.Expires("tomorrow"); packhouse.KindOf(err) != packhouse.Invalid {
		t.Errorf("Expires(tomorrow) = %v, want Invalid", err)
	}
}

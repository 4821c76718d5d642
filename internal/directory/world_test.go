package directory_test

import (
	"path/filepath"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
	"packhouse/internal/store/storetest"
)

// world is a directory with the store below it. What has to succeed and does
// not ends the test.
type world struct {
	t     *testing.T
	clock *storetest.Clock
	store *store.Store
	*directory.Directory
	*directory.Changes
}

func newWorld(t *testing.T, opts directory.Options) *world {
	t.Helper()
	clock := storetest.NewClock()
	path := filepath.Join(t.TempDir(), "db")
	storetest.EmptySQLite(t, path)
	s, err := store.OpenSQLite(t.Context(), path, store.Options{Now: clock.Now})
	if err != nil {
		t.Fatalf("OpenSQLite = %v, want success", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v, want success", err)
		}
	})
	opts.Now = clock.Now
	d, err := directory.Open(t.Context(), s, opts)
	if err != nil {
		t.Fatalf("Open = %v, want success", err)
	}
	return &world{t: t, clock: clock, store: s, Directory: d, Changes: directory.NewChanges(d, s)}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%v, want success", err)
	}
}

func (w *world) user(name string) packhouse.Actor {
	w.t.Helper()
	u, err := w.CreateUser(w.t.Context(), ledger.By{}, ledger.User{Username: name})
	w.must(err)
	return packhouse.Actor{Kind: packhouse.PersonalToken, UserID: u.ID, Name: name}
}

// group makes a public group in a parent; the zero target makes it at the top.
func (w *world) group(in packhouse.Target, path string) packhouse.Target {
	w.t.Helper()
	n, err := w.CreateGroup(w.t.Context(), ledger.By{}, ledger.Namespace{ParentID: in.ID, Path: path, Visibility: packhouse.VisibilityPublic})
	w.must(err)
	return packhouse.Target{Level: packhouse.Group, ID: n.ID, Path: n.Path}
}

func (w *world) project(in packhouse.Target, path string) packhouse.Target {
	w.t.Helper()
	p, err := w.CreateProject(w.t.Context(), ledger.By{}, ledger.Project{NamespaceID: in.ID, Path: path})
	w.must(err)
	return packhouse.Target{Level: packhouse.Project, ID: p.ID, Path: p.Path}
}

func (w *world) own(who packhouse.Actor) packhouse.Target {
	w.t.Helper()
	n := w.Personal(who.UserID)
	if n == nil {
		w.t.Fatalf("user %d has no personal namespace", who.UserID)
	}
	return packhouse.Target{Level: packhouse.Group, ID: n.ID, Path: n.Path}
}

// member gives a role that lasts for a time; 0 for good.
func (w *world) member(at packhouse.Target, who packhouse.Actor, role packhouse.Role, lasts time.Duration) {
	w.t.Helper()
	m := ledger.Member{Target: packhouse.Target{Level: at.Level, ID: at.ID}, UserID: who.UserID, Role: role}
	if lasts != 0 {
		m.ExpiresAt = w.clock.Now().Add(lasts)
	}
	_, err := w.AddMember(w.t.Context(), ledger.By{}, m)
	w.must(err)
}

func (w *world) remove(at packhouse.Target, who packhouse.Actor) {
	w.t.Helper()
	w.must(w.RemoveMember(w.t.Context(), ledger.By{}, at, who.UserID))
}

// append writes an event that no change makes by itself.
func (w *world) append(e ledger.Event) {
	w.t.Helper()
	w.must(w.store.Update(w.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Append(w.t.Context(), ledger.By{}, e)
		return err
	}))
}

func (w *world) wantRole(what string, who packhouse.Actor, at packhouse.Target, want packhouse.Role) {
	w.t.Helper()
	if got := w.Object(who, at).Role; got != want {
		w.t.Errorf("%s: role of %s at %s = %v, want %v", what, who.Name, at.Path, got, want)
	}
}

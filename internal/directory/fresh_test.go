package directory_test

import (
	"flag"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"packhouse"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
	"packhouse/internal/store/storetest"
)

// TestKeptFresh makes random changes. After each, a directory that was there
// from the start says the same about everybody and everything as one that is
// loaded from the store at that moment.
func TestKeptFresh(t *testing.T) {
	if checks := flag.Lookup("rapid.checks").Value; checks.String() == "100" {
		_ = checks.Set("20")
	}
	rapid.Check(t, func(r *rapid.T) {
		clock := storetest.NewClock()
		opts := directory.Options{AnyonePull: true, Now: clock.Now}
		path := filepath.Join(t.TempDir(), "db")
		storetest.EmptySQLite(t, path)
		s, err := store.OpenSQLite(r.Context(), path, store.Options{Now: clock.Now})
		if err != nil {
			r.Fatal(err)
		}
		defer s.Close()
		kept, err := directory.Open(r.Context(), s, opts)
		if err != nil {
			r.Fatal(err)
		}
		for range rapid.IntRange(1, 40).Draw(r, "changes") {
			change(r, s, clock)
			clock.Advance(time.Duration(rapid.IntRange(0, 3).Draw(r, "hours")) * time.Hour)
		}
		opened, err := directory.Open(r.Context(), s, opts)
		if err != nil {
			r.Fatal(err)
		}
		compare(r, kept, opened)
	})
}

const most = 6 // ids of each kind

// change makes a random change, which may be refused.
func change(r *rapid.T, s *store.Store, clock *storetest.Clock) {
	id := func(what string) int64 { return rapid.Int64Range(1, most).Draw(r, what) }
	target := func(what string) packhouse.Target {
		level := rapid.SampledFrom([]packhouse.Level{packhouse.Group, packhouse.Project}).Draw(r, what)
		return packhouse.Target{Level: level, ID: id(what)}
	}
	name := func() string { return rapid.SampledFrom([]string{"a", "B", "c", "D"}).Draw(r, "name") }
	yes := rapid.Bool().Draw(r, "yes")
	create := rapid.IntRange(0, 3).Draw(r, "create") > 0
	var e ledger.Event
	switch rapid.IntRange(0, 8).Draw(r, "kind") {
	case 0:
		e = &ledger.UserPut{Create: create, User: ledger.User{ID: id("user"), Username: name()}}
	case 1:
		n := ledger.Namespace{ID: id("group"), Path: name()}
		if parent := id("parent"); parent < n.ID { // so that no group is in itself
			n.ParentID, n.Path = parent, name()+"/"+name()
		} else if yes {
			n.UserID = n.ID // a user has one at most
		}
		e = &ledger.NamespacePut{Create: create, Namespace: n}
	case 2, 3:
		e = &ledger.ProjectPut{Create: create, Project: ledger.Project{
			ID: id("project"), NamespaceID: id("group"), Path: name() + "/" + name(), OpenToJobs: yes,
			Registry: rapid.SampledFrom([]packhouse.RegistryAccess{packhouse.RegistryEnabled, packhouse.RegistryPublic}).Draw(r, "registry"),
		}}
	case 4, 5:
		m := ledger.Member{Target: target("member of"), UserID: id("user"), Role: rapid.SampledFrom(packhouse.Roles).Draw(r, "role")}
		if yes {
			m.ExpiresAt = clock.Now().Add(time.Duration(rapid.IntRange(1, 9).Draw(r, "lasts")) * time.Hour)
		}
		e = &ledger.MemberPut{Create: create, Member: m}
	case 6:
		e = &ledger.MemberRemove{Target: target("member of"), UserID: id("user")}
	case 7:
		a := ledger.Admission{ProjectID: id("project"), Admitted: target("admitted")}
		e = &ledger.AdmissionPut{Admission: a}
		if !create {
			e = &ledger.AdmissionRemove{Admission: a}
		}
	case 8:
		set := ledger.Settings{Target: target("settings of"), Duplicates: map[string]ledger.Duplicates{"generic": {Allowed: &yes}}}
		if create {
			set.GuestsPull = &yes
		}
		e = &ledger.SettingsPut{Settings: set}
	}
	err := s.Update(r.Context(), func(tx *store.Tx) error {
		_, err := tx.Append(r.Context(), ledger.By{}, e)
		return err
	})
	if kind := packhouse.KindOf(err); err != nil && kind != packhouse.Conflict && kind != packhouse.NotFound {
		r.Fatalf("%+v = %v, want success or a refusal", e, err)
	}
}

// compare asks both directories everything.
func compare(r *rapid.T, kept, opened *directory.Directory) {
	actors := []packhouse.Actor{{}}
	var targets []packhouse.Target
	for id := int64(0); id <= most; id++ {
		for _, level := range []packhouse.Level{packhouse.Instance, packhouse.Group, packhouse.Project} {
			at := packhouse.Target{Level: level, ID: id}
			targets = append(targets, at)
			actors = append(actors, packhouse.Actor{Kind: packhouse.DeployToken, Bound: at})
		}
		actors = append(actors,
			packhouse.Actor{Kind: packhouse.PersonalToken, UserID: id},
			packhouse.Actor{Kind: packhouse.JobToken, UserID: id, Job: &packhouse.Job{ProjectID: id}})
	}
	for _, at := range targets {
		for _, who := range actors {
			if got, want := kept.Object(who, at), opened.Object(who, at); got != want {
				r.Fatalf("Object(%+v, %+v) = %+v, want %+v", who, at, got, want)
			}
		}
		if got, want := kept.PathOf(at), opened.PathOf(at); got != want {
			r.Fatalf("PathOf(%+v) = %q, want %q", at, got, want)
		}
		if got, want := kept.Duplicates(at.ID, "generic"), opened.Duplicates(at.ID, "generic"); (got.Allowed == nil) != (want.Allowed == nil) || got.Allowed != nil && *got.Allowed != *want.Allowed {
			r.Fatalf("Duplicates(%d) = %+v, want %+v", at.ID, got, want)
		}
		if got, want := kept.Admissions(at.ID), opened.Admissions(at.ID); !slices.Equal(got, want) {
			r.Fatalf("Admissions(%d) = %v, want %v", at.ID, got, want)
		}
		if got, want := kept.Personal(at.ID), opened.Personal(at.ID); (got == nil) != (want == nil) || got != nil && got.ID != want.ID {
			r.Fatalf("Personal(%d) = %+v, want %+v", at.ID, got, want)
		}
	}
	for _, ref := range []string{"a", "b", "A/a", "a/b", "b/a", "d/D", "1", "3"} {
		for _, level := range []packhouse.Level{packhouse.Group, packhouse.Project} {
			got, _ := kept.Resolve(level, ref)
			if want, _ := opened.Resolve(level, ref); got != want {
				r.Fatalf("Resolve(%v, %q) = %+v, want %+v", level, ref, got, want)
			}
		}
	}
}

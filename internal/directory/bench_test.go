package directory_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"testing"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// A large instance: groups in chains of three, ten projects in each group, each
// user a member of a group and of a project.
const (
	manyGroups   = 10_000
	manyProjects = 100_000
	manyUsers    = 10_000
)

// largeInstance makes a store that holds one.
func largeInstance(b *testing.B) *store.Store {
	b.Helper()
	s, err := store.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "db"), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	var events []ledger.Event
	for id := int64(1); id <= manyUsers; id++ {
		events = append(events, &ledger.UserPut{Create: true, User: ledger.User{ID: id, Username: fmt.Sprintf("user-%d", id)}})
	}
	for id := int64(1); id <= manyGroups; id++ {
		n := ledger.Namespace{ID: id, Path: fmt.Sprintf("group-%d", id), Visibility: packhouse.VisibilityInternal}
		if id%3 != 1 {
			n.ParentID, n.Path = id-1, fmt.Sprintf("group-%d/sub-%d", id-1, id)
		}
		member := ledger.Member{Target: packhouse.Target{Level: packhouse.Group, ID: id}, UserID: id % manyUsers, Role: packhouse.Reporter}
		events = append(events, &ledger.NamespacePut{Create: true, Namespace: n}, &ledger.MemberPut{Create: true, Member: member})
	}
	for id := int64(1); id <= manyProjects; id++ {
		p := ledger.Project{ID: id, NamespaceID: id/10%manyGroups + 1, Path: fmt.Sprintf("project-%d", id), Name: "A project"}
		events = append(events, &ledger.ProjectPut{Create: true, Project: p})
	}
	for id := int64(1); id <= manyUsers; id++ {
		member := ledger.Member{Target: packhouse.Target{Level: packhouse.Project, ID: id * 7}, UserID: id, Role: packhouse.Developer}
		events = append(events, &ledger.MemberPut{Create: true, Member: member})
	}
	err = s.Update(b.Context(), func(tx *store.Tx) error {
		for _, e := range events {
			if _, err := tx.Append(b.Context(), ledger.By{}, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkOpen loads a large instance.
func BenchmarkOpen(b *testing.B) {
	s := largeInstance(b)
	b.ReportAllocs()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var opened []*directory.Directory // the store's subscribers hold them anyway
	for b.Loop() {
		d, err := directory.Open(b.Context(), s, directory.Options{})
		if err != nil {
			b.Fatal(err)
		}
		opened = append(opened, d)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20)/float64(len(opened)), "MiB-held")
}

// BenchmarkDecide looks up what a decision needs in a large instance, and
// decides.
func BenchmarkDecide(b *testing.B) {
	d, err := directory.Open(b.Context(), largeInstance(b), directory.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct {
		name string
		who  packhouse.Actor
		on   packhouse.Level
	}{
		{"user/project", packhouse.Actor{Kind: packhouse.PersonalToken, UserID: 21, Scopes: packhouse.ScopeAPI}, packhouse.Project},
		{"user/group", packhouse.Actor{Kind: packhouse.PersonalToken, UserID: 21, Scopes: packhouse.ScopeAPI}, packhouse.Group},
		{"job/project", packhouse.Actor{Kind: packhouse.JobToken, UserID: 21, Job: &packhouse.Job{ProjectID: 147}}, packhouse.Project},
		{"deploy/project", packhouse.Actor{Kind: packhouse.DeployToken, Scopes: packhouse.ScopeReadPackages, Bound: packhouse.Target{Level: packhouse.Group, ID: 1}}, packhouse.Project},
		{"anonymous/project", packhouse.Actor{}, packhouse.Project},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for id := int64(1); b.Loop(); id = id%9_000 + 1 {
				t := packhouse.Target{Level: bench.on, ID: id}
				authz.Decide(bench.who, authz.ReadPackages, d.Object(bench.who, t))
			}
		})
	}
}

// BenchmarkProjects reads a page of twenty from the list of an ordinary user of a
// large instance, at its start and far into it.
func BenchmarkProjects(b *testing.B) {
	d, err := directory.Open(b.Context(), largeInstance(b), directory.Options{})
	if err != nil {
		b.Fatal(err)
	}
	user := packhouse.Actor{Kind: packhouse.PersonalToken, UserID: 21, Scopes: packhouse.ScopeAPI}
	admin := user
	admin.Admin = true
	for _, bench := range []struct {
		name   string
		who    packhouse.Actor
		filter directory.ProjectFilter
	}{
		{"user/first", user, directory.ProjectFilter{}},
		{"user/last", user, directory.ProjectFilter{After: 90_000}},
		{"admin/first", admin, directory.ProjectFilter{}},
		{"admin/last", admin, directory.ProjectFilter{After: 90_000}},
		{"admin/down", admin, directory.ProjectFilter{After: 50_000, Down: true}},
		{"member", user, directory.ProjectFilter{Membership: true}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				for range d.Projects(bench.who, bench.filter) {
					if n++; n == 20 {
						break
					}
				}
			}
		})
	}
}

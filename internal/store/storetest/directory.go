package storetest

import (
	"context"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

var directoryTests = map[string]func(*testing.T, *fixture){
	"routes/one space of paths": testRoutesUnique,
	"routes/moves":              testRoutesMove,
	"users/names":               testUserNames,
	"users/records":             testDirectoryRecords,
	"members/put and remove":    testMembers,
	"admissions":                testAdmissions,
	"settings/replaced":         testSettings,
	"directory/ids":             testDirectoryIDs,
}

func groupAt(id int64, path string) ledger.Event {
	return &ledger.NamespacePut{Create: true, Namespace: ledger.Namespace{ID: id, Path: path, Name: path}}
}

func projectAt(id int64, path string) ledger.Event {
	return &ledger.ProjectPut{Create: true, Project: ledger.Project{ID: id, NamespaceID: 1, Path: path, Name: path}}
}

func testRoutesUnique(t *testing.T, f *fixture) {
	f.must(f.append(groupAt(1, "Acme"), projectAt(1, "Acme/Tool")))
	for what, event := range map[string]ledger.Event{
		"a group where a group is":     groupAt(2, "acme"),
		"a project where a group is":   projectAt(2, "ACME"),
		"a project where a project is": projectAt(2, "acme/tool"),
		"a group where a project is":   groupAt(2, "acme/TOOL"),
		"a group whose id is taken":    groupAt(1, "elsewhere"),
		"a project whose id is taken":  projectAt(1, "elsewhere"),
		"a group moved to a project":   &ledger.NamespacePut{Namespace: ledger.Namespace{ID: 1, Path: "acme/tool"}},
		"a project moved to a group":   &ledger.ProjectPut{Project: ledger.Project{ID: 1, Path: "aCME"}},
	} {
		f.wantKind(what, f.append(event), packhouse.Conflict)
	}
	f.wantKind("a change of no group", f.append(&ledger.NamespacePut{Namespace: ledger.Namespace{ID: 9, Path: "x"}}), packhouse.NotFound)
	f.wantKind("a change of no project", f.append(&ledger.ProjectPut{Project: ledger.Project{ID: 9, Path: "x"}}), packhouse.NotFound)
	f.must(f.append(groupAt(2, "x"), projectAt(2, "x/x")))
}

func testRoutesMove(t *testing.T, f *fixture) {
	f.must(f.append(groupAt(1, "one"), groupAt(2, "two")))
	f.must(f.append(&ledger.NamespacePut{Namespace: ledger.Namespace{ID: 1, Path: "ONE"}}))
	f.must(f.append(&ledger.NamespacePut{Namespace: ledger.Namespace{ID: 1, Path: "three"}}))
	f.must(f.append(projectAt(1, "one")))
	f.wantKind("the path moved to", f.append(projectAt(2, "three")), packhouse.Conflict)
}

func testUserNames(t *testing.T, f *fixture) {
	user := func(create bool, id int64, name string) ledger.Event {
		return &ledger.UserPut{Create: create, User: ledger.User{ID: id, Username: name}}
	}
	f.must(f.append(user(true, 1, "Ada"), user(true, 2, "bob")))
	f.wantKind("a second ada", f.append(user(true, 3, "ADA")), packhouse.Conflict)
	f.wantKind("bob renamed to ada", f.append(user(false, 2, "ada")), packhouse.Conflict)
	f.wantKind("a change of nobody", f.append(user(false, 9, "eve")), packhouse.NotFound)
	f.must(f.append(user(false, 1, "ada.lovelace"), user(true, 3, "ada")))
}

func testDirectoryRecords(t *testing.T, f *fixture) {
	at := f.clock.Now()
	users := []ledger.User{{ID: 1, Username: "ada", Admin: true, CreatedAt: at}, {ID: 2, Username: "bot", Bot: true, External: true, CreatedAt: at}}
	groups := []ledger.Namespace{{ID: 4, Path: "acme", Visibility: packhouse.VisibilityPublic, CreatedAt: at}, {ID: 5, UserID: 1, Path: "ada"}}
	projects := []ledger.Project{{ID: 31, NamespaceID: 4, Path: "acme/tool", Registry: packhouse.RegistryPublic, Archived: true, CreatedAt: at}}
	for _, u := range users {
		f.must(f.append(&ledger.UserPut{Create: true, User: u}))
	}
	for _, n := range groups {
		f.must(f.append(&ledger.NamespacePut{Create: true, Namespace: n}))
	}
	for _, p := range projects {
		f.must(f.append(&ledger.ProjectPut{Create: true, Project: p}))
	}
	projects[0].Archived = false
	f.must(f.append(&ledger.ProjectPut{Project: projects[0]}))
	f.view(func(ctx context.Context, tx *store.Tx) error {
		gotUsers, err := tx.Users(ctx)
		f.must(err)
		f.wantEqual("Users", gotUsers, users)
		gotGroups, err := tx.Namespaces(ctx)
		f.must(err)
		f.wantEqual("Namespaces", gotGroups, groups)
		gotProjects, err := tx.Projects(ctx)
		f.wantEqual("Projects", gotProjects, projects)
		return err
	})
}

func testMembers(t *testing.T, f *fixture) {
	group, project := packhouse.Target{Level: packhouse.Group, ID: 1}, packhouse.Target{Level: packhouse.Project, ID: 1}
	member := func(at packhouse.Target, user int64, role packhouse.Role) ledger.Member {
		return ledger.Member{Target: at, UserID: user, Role: role, ExpiresAt: f.clock.Now().Add(time.Hour)}
	}
	one, two := member(group, 1, packhouse.Guest), member(project, 1, packhouse.Owner)
	f.must(f.append(&ledger.MemberPut{Create: true, Member: one}, &ledger.MemberPut{Create: true, Member: two}))
	f.wantKind("a second membership", f.append(&ledger.MemberPut{Create: true, Member: one}), packhouse.Conflict)
	f.wantKind("a change of no membership", f.append(&ledger.MemberPut{Member: member(group, 2, packhouse.Guest)}), packhouse.NotFound)
	one.Role, one.ExpiresAt = packhouse.Developer, time.Time{}
	f.must(f.append(&ledger.MemberPut{Member: one}))
	f.wantEqual("Members", f.members(), []ledger.Member{one, two})
	f.must(f.append(&ledger.MemberRemove{Target: group, UserID: 1}))
	f.wantKind("ending it again", f.append(&ledger.MemberRemove{Target: group, UserID: 1}), packhouse.NotFound)
	f.wantEqual("Members", f.members(), []ledger.Member{two})
}

func (f *fixture) members() (list []ledger.Member) {
	f.t.Helper()
	f.view(func(ctx context.Context, tx *store.Tx) (err error) {
		list, err = tx.Members(ctx)
		return err
	})
	return list
}

func testAdmissions(t *testing.T, f *fixture) {
	one := ledger.Admission{ProjectID: 1, Admitted: packhouse.Target{Level: packhouse.Group, ID: 5}}
	two := ledger.Admission{ProjectID: 1, Admitted: packhouse.Target{Level: packhouse.Project, ID: 5}}
	f.must(f.append(&ledger.AdmissionPut{Admission: one}, &ledger.AdmissionPut{Admission: two}))
	f.wantKind("admitting again", f.append(&ledger.AdmissionPut{Admission: one}), packhouse.Conflict)
	f.view(func(ctx context.Context, tx *store.Tx) error {
		list, err := tx.Admissions(ctx)
		f.wantEqual("Admissions", list, []ledger.Admission{one, two})
		return err
	})
	f.must(f.append(&ledger.AdmissionRemove{Admission: one}))
	f.wantKind("removing it again", f.append(&ledger.AdmissionRemove{Admission: one}), packhouse.NotFound)
}

func testSettings(t *testing.T, f *fixture) {
	yes, expr := true, "a|b"
	instance := ledger.Settings{Target: packhouse.Target{Level: packhouse.Instance}, GuestsPull: &yes}
	group := ledger.Settings{Target: packhouse.Target{Level: packhouse.Group, ID: 3}, Duplicates: map[string]ledger.Duplicates{"npm": {Allowed: &yes}}}
	f.must(f.append(&ledger.SettingsPut{Settings: group}, &ledger.SettingsPut{Settings: instance}))
	group.Duplicates = map[string]ledger.Duplicates{"generic": {Except: &expr}}
	f.must(f.append(&ledger.SettingsPut{Settings: group}))
	f.view(func(ctx context.Context, tx *store.Tx) error {
		list, err := tx.Settings(ctx)
		f.wantEqual("Settings", list, []ledger.Settings{instance, group})
		return err
	})
}

// Ids that somebody chose are covered by those given out later, and an update
// that is undone takes none.
func testDirectoryIDs(t *testing.T, f *fixture) {
	f.must(f.append(projectAt(31, "chosen")))
	var undone, first, second int64
	err := f.Update(t.Context(), func(tx *store.Tx) error {
		undone = tx.NewProjectID()
		_, err := tx.Append(t.Context(), ledger.By{}, projectAt(undone, "undone"))
		f.check(err)
		return errRefused
	})
	f.wantError("Update", err, errRefused)
	for _, id := range []*int64{&first, &second} {
		f.update(func(ctx context.Context, tx *store.Tx) error {
			*id = tx.NewProjectID()
			_, err := tx.Append(ctx, ledger.By{}, projectAt(*id, "p"+time.Duration(*id).String()))
			return err
		})
	}
	if first <= 31 || second <= first {
		t.Errorf("ids %d and %d after 31, want them to grow", first, second)
	}
}

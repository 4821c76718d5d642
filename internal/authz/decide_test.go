package authz

import (
	"fmt"
	"strings"
	"testing"

	"packhouse"
)

// onLib is the private project acme/lib as its Maintainer dana meets it, but
// for a change.
func onLib(change func(*Object)) Object {
	on := Object{Target: lib, Exists: true, Role: packhouse.Maintainer, Bound: true, Admits: true, AnyonePull: true}
	change(&on)
	return on
}

func TestDecide(t *testing.T) {
	as := func(r packhouse.Role) func(*Object) { return func(o *Object) { o.Role = r } }
	public := func(o *Object) { o.Role, o.Visibility = packhouse.NoAccess, packhouse.VisibilityPublic }
	for _, test := range []struct {
		name string
		who  packhouse.Actor
		act  Action
		on   Object
		want Decision
	}{
		{"reader publishes", person(packhouse.ScopeAPI), PublishPackages, onLib(as(packhouse.Reporter)), Decision{Forbid, "role",
			"publishing to acme/lib needs the role Developer; you have Reporter",
			"ask a Maintainer of acme/lib for the role Developer"}},
		{"stranger publishes to public", person(packhouse.ScopeAPI), PublishPackages, onLib(public), Decision{Forbid, "role",
			"publishing to acme/lib needs the role Developer; you have none",
			"ask a Maintainer of acme/lib for the role Developer"}},
		{"guest pulls", person(packhouse.ScopeAPI), ReadPackages, onLib(as(packhouse.Guest)), Decision{Forbid, "role",
			"pulling from acme/lib needs the role Reporter; you have Guest",
			"ask a Maintainer of acme/lib for the role Reporter; an administrator can also let Guests pull (guest_can_pull_private)"}},
		{"maintainer deletes the project", person(packhouse.ScopeAPI), OwnProject, onLib(as(packhouse.Maintainer)), Decision{Forbid, "role",
			"changing the visibility or existence of acme/lib needs the role Owner; you have Maintainer",
			"ask an Owner of acme/lib for the role Owner"}},
		{"job of a reporter publishes", job(true), PublishPackages, onLib(as(packhouse.Reporter)), Decision{Forbid, "role",
			"publishing to acme/lib needs the role Developer; dana, who started the job, has Reporter",
			"ask a Maintainer of acme/lib for the role Developer"}},
		{"job not admitted", job(true), PublishPackages, onLib(func(o *Object) { o.Admits = false }), Decision{Forbid, "allowlist",
			"job token of project acme/app is not on the allowlist of acme/lib",
			"a Maintainer of acme/lib adds acme/app: POST /api/v4/projects/31/job_token_scope/allowlist with target_project_id=20"}},
		{"job without a job", packhouse.Actor{Kind: packhouse.JobToken, Name: "dana"}, PublishPackages, onLib(as(packhouse.Owner)), Decision{Forbid, "scope",
			"the job token was minted with READ_PACKAGES only; publishing to acme/lib needs ADMIN_PACKAGES",
			"have the token minted with the permission ADMIN_PACKAGES"}},
		{"read-only token publishes", person(packhouse.ScopeReadAPI | packhouse.ScopeReadPackages), PublishPackages, onLib(as(packhouse.Owner)), Decision{Forbid, "scope",
			"the token has the scope read_api and read_package_registry; publishing to acme/lib needs api or write_package_registry",
			"make a token with the scope api or write_package_registry"}},
		{"administrator without the scope", admin(person(packhouse.ScopeReadUser)), ReadProject, onLib(as(packhouse.NoAccess)), Decision{Forbid, "scope",
			"the token has the scope read_user; reading acme/lib needs api or read_api",
			"make a token with the scope api or read_api"}},
		{"group deploy token deletes", deployToken(acme, packhouse.ScopeWritePackages), DeletePackages, onLib(as(packhouse.NoAccess)), Decision{Forbid, "kind",
			"a deploy token of a group is not enough for deleting packages from acme/lib",
			"use a deploy token of acme/lib itself, or an access token with the role Maintainer"}},
		{"deploy token for images lists packages", deployToken(lib, packhouse.ScopeReadRegistry), ListPackages, onLib(as(packhouse.NoAccess)), Decision{Hide, "visibility",
			"Project Not Found", "check the path; what is not public is shown only to a personal, project or group access token with the scope " +
				"api, read_api, read_package_registry or write_package_registry, or a deploy token with the scope " +
				"read_package_registry or write_package_registry, or a job token"}},
		{"deploy token for images pulls", deployToken(lib, packhouse.ScopeReadRegistry), ReadPackages, onLib(as(packhouse.NoAccess)), Decision{Forbid, "scope",
			"the token has the scope read_registry; pulling from acme/lib needs read_package_registry or write_package_registry",
			"make a token with the scope read_package_registry or write_package_registry"}},
		{"deploy token elsewhere publishes to public",
			deployToken(packhouse.Target{Level: packhouse.Project, ID: 32, Path: "acme/web"}, packhouse.ScopeWritePackages), PublishPackages,
			onLib(func(o *Object) { public(o); o.Bound = false }), Decision{Forbid, "bound",
				"this deploy token is limited to acme/web, so it gives no role in acme/lib",
				"use a personal access token, or a token that was made in acme/lib"}},
		{"project token makes a top-level group", projectToken(packhouse.ScopeAPI), CreateGroup, Object{Target: here}, Decision{Forbid, "bound",
			"this project access token is limited to acme/lib, so it gives no role in this instance",
			"use a personal access token"}},
		{"external makes a top-level group", external(person(packhouse.ScopeAPI)), CreateGroup, Object{Target: here, Bound: true}, Decision{Forbid, "role",
			"external users do not create top-level groups",
			"ask an administrator to create the group, or to make you an internal user"}},
		{"user administers", person(packhouse.ScopeAPI), AdminInstance, Object{Target: here, Bound: true}, Decision{Forbid, "role",
			"this is for administrators of the instance", "ask an administrator to do it"}},
		{"archived", person(packhouse.ScopeAPI), PublishPackages, onLib(func(o *Object) { o.Archived = true }), Decision{Forbid, "archived",
			"acme/lib is archived and read-only; publishing to it is refused", "ask an Owner of acme/lib to unarchive it"}},
		{"registry off", person(packhouse.ScopeAPI), ReadPackages, onLib(func(o *Object) { o.Registry = packhouse.RegistryDisabled }), Decision{Forbid, "feature-off",
			"the package registry of acme/lib is switched off",
			"ask a Maintainer of acme/lib to set package_registry_access_level to enabled"}},
		{"instance off", admin(person(packhouse.ScopeAPI)), ReadPackages, onLib(func(o *Object) { o.PackagesDisabled = true }), Decision{Hide, "feature-off",
			"the package registry is switched off on this instance", "ask the operator to start it with --packages-enabled"}},
		{"stranger reads private", person(packhouse.ScopeAPI), ReadProject, onLib(as(packhouse.NoAccess)), Decision{Hide, "visibility",
			"Project Not Found", "check the path; if it is right, ask one of its members for a role there"}},
		{"visitor reads private", anonymous, ReadProject, onLib(as(packhouse.NoAccess)), Decision{Hide, "visibility",
			"Project Not Found", "check the path; what is not public is shown only to a personal, project or group access token with the scope api or read_api"}},
		{"visitor pulls private", anonymous, ReadPackages, onLib(as(packhouse.NoAccess)), Decision{Challenge, "sign-in",
			"this needs a token, and none that is valid was sent",
			"send a personal, project or group access token with the scope api, read_api, read_package_registry or write_package_registry, " +
				"or a deploy token with the scope read_package_registry or write_package_registry, or a job token"}},
		{"job manages", job(true), ManageProject, onLib(as(packhouse.Owner)), Decision{Challenge, "kind",
			"a job token is not accepted here", "send a personal, project or group access token with the scope api"}},
		{"person asks for a job", person(packhouse.ScopeAPI), OwnJob, Object{Target: here, Bound: true}, Decision{Challenge, "kind",
			"a personal access token is not accepted here", "send a job token"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Decide(test.who, test.act, test.on); got != test.want {
				t.Errorf("Decide(%v, %v)\n got %+v\nwant %+v", test.who.Kind, test.act, got, test.want)
			}
		})
	}
}

// TestUnadmittedJob is the table of auth 5.1, 5.2 and 6.2 for a job whose
// project is not on the allowlist: outcome and rule by what the user may do.
func TestUnadmittedJob(t *testing.T) {
	private, internal, public := packhouse.VisibilityPrivate, packhouse.VisibilityInternal, packhouse.VisibilityPublic
	follow, members, anyone, off := packhouse.RegistryEnabled, packhouse.RegistryPrivate, packhouse.RegistryPublic, packhouse.RegistryDisabled
	for _, test := range []struct {
		act        Action
		visibility packhouse.Visibility
		registry   packhouse.RegistryAccess
		role       packhouse.Role
		want       string
	}{
		{ReadPackages, private, follow, packhouse.NoAccess, "404 visibility"},
		{ReadPackages, private, follow, packhouse.Guest, "404 visibility"},
		{ReadPackages, private, follow, packhouse.Reporter, "403 allowlist"},
		{ReadPackages, private, anyone, packhouse.NoAccess, "allow"},
		{ReadPackages, internal, follow, packhouse.NoAccess, "allow"},
		{ReadPackages, internal, members, packhouse.NoAccess, "404 visibility"},
		{ReadPackages, public, follow, packhouse.NoAccess, "allow"},
		{ReadPackages, public, members, packhouse.NoAccess, "404 visibility"},
		{ReadPackages, public, members, packhouse.Reporter, "403 allowlist"},
		{ReadPackages, public, off, packhouse.Owner, "403 feature-off"},
		{ReadPackages, private, off, packhouse.Owner, "404 visibility"},
		{ListPackages, private, follow, packhouse.NoAccess, "404 visibility"},
		{ListPackages, private, follow, packhouse.Guest, "403 allowlist"},
		{ListPackages, private, follow, packhouse.Reporter, "403 allowlist"},
		{PublishPackages, private, follow, packhouse.Reporter, "404 visibility"},
		{PublishPackages, private, follow, packhouse.Developer, "403 allowlist"},
		{PublishPackages, public, follow, packhouse.Reporter, "403 role"},
		{PublishPackages, public, follow, packhouse.Developer, "403 allowlist"},
		{RemovePackages, private, follow, packhouse.Developer, "403 allowlist"},
		{RemovePackages, public, follow, packhouse.Developer, "403 role"},
		{RemovePackages, public, follow, packhouse.Maintainer, "403 allowlist"},
	} {
		on := Object{Target: lib, Exists: true, Visibility: test.visibility, Registry: test.registry,
			Role: test.role, Bound: true, AnyonePull: true}
		if got := short(Decide(job(true), test.act, on)); got != test.want {
			t.Errorf("%v, %v project, registry %v, user is %v: %s, want %s",
				test.act, test.visibility, test.registry, test.role, got, test.want)
		}
	}
}

// short is a decision as a status and a rule.
func short(d Decision) string {
	statuses := map[Outcome]string{Allow: "allow", Challenge: "401 ", Forbid: "403 ", Hide: "404 "}
	return statuses[d.Outcome] + d.Rule
}

// TestDocumentedTables holds Decide to the permission tables that users read,
// cell by cell: x for allowed, in the order Guest, Planner, Reporter,
// Developer, Maintainer, Owner. "Guest roles can only pull packages on public
// and internal projects", and neither do Planners pull from private ones.
// Publishing and deleting in a group is done to its projects, by inherited role.
func TestDocumentedTables(t *testing.T) {
	private, internal, public := packhouse.VisibilityPrivate, packhouse.VisibilityInternal, packhouse.VisibilityPublic
	n := 0
	for _, row := range []struct {
		table, row string
		act        Action
		target     packhouse.Target
		visibility packhouse.Visibility
		cells      string
	}{
		{"project", "Pull package", ReadPackages, lib, public, "xxxxxx"},
		{"project", "Pull package", ReadPackages, lib, internal, "xxxxxx"},
		{"project", "Pull package", ReadPackages, lib, private, "--xxxx"},
		{"project", "Publish package", PublishPackages, lib, public, "---xxx"},
		{"project", "Publish package", PublishPackages, lib, internal, "---xxx"},
		{"project", "Publish package", PublishPackages, lib, private, "---xxx"},
		{"project", "Delete Package", DeletePackages, lib, public, "----xx"},
		{"project", "Delete Package", DeletePackages, lib, internal, "----xx"},
		{"project", "Delete Package", DeletePackages, lib, private, "----xx"},
		{"project", "Delete files associated with a package", RemovePackages, lib, public, "----xx"},
		{"project", "Delete files associated with a package", RemovePackages, lib, internal, "----xx"},
		{"project", "Delete files associated with a package", RemovePackages, lib, private, "----xx"},
		{"group", "Pull package", ReadPackages, acme, private, "--xxxx"},
		{"group", "Publish package", PublishPackages, lib, private, "---xxx"},
		{"group", "Delete Package", DeletePackages, lib, private, "----xx"},
		{"group", "Manage package settings", OwnGroup, acme, private, "-----x"},
	} {
		got := ""
		for _, role := range packhouse.Roles {
			on := Object{Target: row.target, Exists: true, Visibility: row.visibility, Role: role, Bound: true}
			got += map[bool]string{true: "x", false: "-"}[Decide(person(packhouse.ScopeAPI), row.act, on).Outcome == Allow]
			n++
		}
		if got != row.cells {
			t.Errorf("%s table, %s, %v: %s, want %s", row.table, row.row, row.visibility, got, row.cells)
		}
	}
	t.Logf("%d cells", n)
}

// TestExternalNeedsReporter is the tables' last sentence: an external user
// needs an explicit role, at least Reporter, even on an internal project.
func TestExternalNeedsReporter(t *testing.T) {
	wants := []string{"404 visibility", "403 role", "403 role", "allow", "allow", "allow", "allow"}
	for i, role := range everyRole {
		on := Object{Target: lib, Exists: true, Visibility: packhouse.VisibilityInternal, Role: role, Bound: true}
		if got := short(Decide(external(person(packhouse.ScopeAPI)), ReadPackages, on)); got != wants[i] {
			t.Errorf("external %v on an internal project: %s, want %s", role, got, wants[i])
		}
	}
}

func TestPercentInPathIsText(t *testing.T) {
	on := onLib(func(o *Object) { o.Role, o.Target.Path = packhouse.Guest, "acme/100%s" })
	for _, who := range []packhouse.Actor{person(packhouse.ScopeAPI), job(true), deployToken(lib, packhouse.ScopeReadPackages)} {
		for _, act := range everyAction() {
			if d := Decide(who, act, on); strings.Contains(fmt.Sprint(d), "%!") {
				t.Errorf("Decide(%v, %v) = %+v", who.Kind, act, d)
			}
		}
	}
}

func TestUnfitIsHidden(t *testing.T) {
	for _, test := range []struct {
		act    Action
		target packhouse.Target
	}{
		{0, lib}, {AdminInstance + 1, lib}, {PublishPackages, acme}, {PublishPackages, here}, {OwnProject, acme},
		{ReadGroup, lib}, {AdminInstance, lib}, {ReadPackages, packhouse.Target{}},
	} {
		who := admin(person(packhouse.ScopeAPI))
		if d := Decide(who, test.act, Object{Target: test.target, Exists: true, Bound: true}); d.Outcome != Hide {
			t.Errorf("Decide(%v on %v) = %+v, want it hidden", test.act, test.target.Level, d)
		}
	}
}

func TestAllowDoesNotAllocate(t *testing.T) {
	for _, c := range allowed() {
		allocs := testing.AllocsPerRun(100, func() { decision = Decide(c.who, c.act, c.on) })
		if decision.Outcome != Allow || allocs != 0 {
			t.Errorf("%s: %+v with %v allocations, want Allow with none", c.name, decision, allocs)
		}
	}
}

var decision Decision

type call struct {
	name string
	who  packhouse.Actor
	act  Action
	on   Object
}

// allowed is the calls that a busy registry makes.
func allowed() []call {
	open := onLib(func(o *Object) { o.Visibility = packhouse.VisibilityPublic })
	return []call{
		{"visitor pulls", anonymous, ReadPackages, open},
		{"person pulls", person(packhouse.ScopeReadAPI), ReadPackages, onLib(func(*Object) {})},
		{"job publishes", job(true), PublishPackages, onLib(func(*Object) {})},
		{"unadmitted job pulls", job(true), ReadPackages, with(open, lib)},
		{"deploy token publishes", deployToken(lib, packhouse.ScopeWritePackages), PublishPackages, onLib(func(*Object) {})},
		{"person lists a group", person(packhouse.ScopeAPI), ListPackages, with(open, acme)},
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, c := range allowed() {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				decision = Decide(c.who, c.act, c.on)
			}
		})
	}
}

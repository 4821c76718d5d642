// Package clients_test drives the built program with API clients that were
// written for GitLab, with nothing changed but the address and the token.
package clients_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	gitlab "gitlab.com/gitlab-org/api/client-go/v2"

	"packhouse/test/packhousetest"
)

// world is a server with a client of its administrator.
type world struct {
	t   *testing.T
	url string
	*gitlab.Client
}

func start(t *testing.T) *world {
	t.Helper()
	s := packhousetest.Start(t, packhousetest.FreeAddress(t), t.TempDir())
	return (&world{t: t, url: s.URL}).as(packhousetest.RootToken)
}

// as is the same server seen with another token.
func (w *world) as(token string) *world {
	w.t.Helper()
	c, err := gitlab.NewClient(token, gitlab.WithBaseURL(w.url), gitlab.WithCustomRetryMax(0))
	if err != nil {
		w.t.Fatal(err)
	}
	return &world{w.t, w.url, c}
}

// ok returns the answer of a call that has to succeed.
func ok[T any](t *testing.T) func(T, *gitlab.Response, error) T {
	return func(v T, _ *gitlab.Response, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("%v, want success", err)
		}
		return v
	}
}

// done is for calls that answer with nothing.
func (w *world) done(_ *gitlab.Response, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%v, want success", err)
	}
}

// refused wants a call to fail with a status.
func (w *world) refused(want int, r *gitlab.Response, err error) {
	w.t.Helper()
	if err == nil || r == nil || r.StatusCode != want {
		w.t.Errorf("%v, want status %d", err, want)
	}
}

func (w *world) equal(what string, got, want any) {
	w.t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("%s = %v, want %v", what, got, want)
	}
}

func (w *world) group(name string, parent int64) *gitlab.Group {
	w.t.Helper()
	o := &gitlab.CreateGroupOptions{Name: &name, Path: &name}
	if parent != 0 {
		o.ParentID = &parent
	}
	return ok[*gitlab.Group](w.t)(w.Groups.CreateGroup(o))
}

func (w *world) project(name string, namespace int64) *gitlab.Project {
	w.t.Helper()
	return ok[*gitlab.Project](w.t)(w.Projects.CreateProject(&gitlab.CreateProjectOptions{Name: &name, NamespaceID: &namespace}))
}

func (w *world) user(name string) *gitlab.User {
	w.t.Helper()
	return ok[*gitlab.User](w.t)(w.Users.CreateUser(&gitlab.CreateUserOptions{
		Username: &name, Name: &name, Email: gitlab.Ptr(name + "@example.net"), ForceRandomPassword: gitlab.Ptr(true), SkipConfirmation: gitlab.Ptr(true),
	}))
}

func TestClientGoInstance(t *testing.T) {
	t.Parallel()
	w := start(t)
	me := ok[*gitlab.User](t)(w.Users.CurrentUser())
	w.equal("the administrator", me.Username, "root")
	version := ok[*gitlab.Version](t)(w.Version.GetVersion())
	metadata := ok[*gitlab.Metadata](t)(w.Metadata.GetMetadata())
	w.equal("the version by both ways", version.Version, metadata.Version)
	_, r, err := w.as("glpat-nobodynobodynobodyno").Users.CurrentUser()
	w.refused(401, r, err)
	settings := ok[*gitlab.Settings](t)(w.Settings.UpdateSettings(&gitlab.UpdateSettingsOptions{
		DefaultProjectVisibility: gitlab.Ptr(gitlab.InternalVisibility), RestrictedVisibilityLevels: &[]gitlab.VisibilityValue{gitlab.PublicVisibility},
		MaxPersonalAccessTokenLifetime: gitlab.Ptr(int64(90)), SignupEnabled: gitlab.Ptr(false),
	}))
	w.equal("visibility of new projects", settings.DefaultProjectVisibility, gitlab.InternalVisibility)
	w.equal("days of a token", ok[*gitlab.Settings](t)(w.Settings.GetSettings()).MaxPersonalAccessTokenLifetime, 90)
	ok[*gitlab.PlanLimit](t)(w.PlanLimits.ChangePlanLimits(&gitlab.ChangePlanLimitOptions{PlanName: gitlab.Ptr("default"), NPMMaxFileSize: gitlab.Ptr(int64(1000))}))
	w.equal("the largest npm package", ok[*gitlab.PlanLimit](t)(w.PlanLimits.GetCurrentPlanLimits(nil)).NPMMaxFileSize, 1000)
	// A name with a dot and one with a space, as the client escapes them.
	g := w.group("acme.co", 0)
	w.equal("a path with a dot", ok[*gitlab.Group](t)(w.Groups.GetGroup("acme.co", nil)).ID, g.ID)
	_, r, err = w.Groups.GetGroup("no such", nil)
	if !errors.Is(err, gitlab.ErrNotFound) {
		t.Errorf("%v %v, want not found", r, err)
	}
}

func TestClientGoPlaces(t *testing.T) {
	t.Parallel()
	w := start(t)
	acme := w.group("acme", 0)
	tools := w.group("tools", acme.ID)
	deep := w.group("deep", tools.ID)
	lib := w.project("lib", deep.ID)
	w.equal("the path", lib.PathWithNamespace, "acme/tools/deep/lib")
	w.equal("by path", ok[*gitlab.Project](t)(w.Projects.GetProject("acme/tools/deep/lib", &gitlab.GetProjectOptions{Statistics: gitlab.Ptr(true), License: gitlab.Ptr(true)})).ID, lib.ID)

	edited := ok[*gitlab.Project](t)(w.Projects.EditProject(lib.ID, &gitlab.EditProjectOptions{
		Description: gitlab.Ptr("a library"), PackageRegistryAccessLevel: gitlab.Ptr(gitlab.PublicAccessControl),
	}))
	w.equal("the description", edited.Description, "a library")
	w.equal("the registry's access level", edited.PackageRegistryAccessLevel, "public")
	w.equal("archived", ok[*gitlab.Project](t)(w.Projects.ArchiveProject(lib.ID)).Archived, true)
	w.equal("archived", ok[*gitlab.Project](t)(w.Projects.UnarchiveProject(lib.ID)).Archived, false)

	w.equal("subgroups", len(ok[[]*gitlab.Group](t)(w.Groups.ListSubGroups(acme.ID, nil))), 1)
	w.equal("descendants", len(ok[[]*gitlab.Group](t)(w.Groups.ListDescendantGroups(acme.ID, nil))), 2)
	w.equal("direct projects", len(ok[[]*gitlab.Project](t)(w.Groups.ListGroupProjects(acme.ID, nil))), 0)
	w.equal("all projects", len(ok[[]*gitlab.Project](t)(w.Groups.ListGroupProjects(acme.ID, &gitlab.ListGroupProjectsOptions{IncludeSubGroups: gitlab.Ptr(true)}))), 1)
	moved := ok[*gitlab.Group](t)(w.Groups.UpdateGroup(tools.ID, &gitlab.UpdateGroupOptions{Path: gitlab.Ptr("tooling"), Name: gitlab.Ptr("Tooling")}))
	w.equal("the new path", moved.FullPath, "acme/tooling")
	w.equal("the project moved along", ok[*gitlab.Project](t)(w.Projects.GetProject("acme/tooling/deep/lib", nil)).ID, lib.ID)
	w.equal("the path before", ok[*gitlab.Project](t)(w.Projects.GetProject("acme/tools/deep/lib", nil)).ID, lib.ID)
	w.equal("transferred", ok[*gitlab.Project](t)(w.Projects.TransferProject(lib.ID, &gitlab.TransferProjectOptions{Namespace: acme.ID})).PathWithNamespace, "acme/lib")
	w.equal("to the top", ok[*gitlab.Group](t)(w.Groups.TransferSubGroup(deep.ID, nil)).FullPath, "deep")

	w.done(w.Groups.DeleteGroup(deep.ID, nil))
	if marked := ok[*gitlab.Group](t)(w.Groups.GetGroup(deep.ID, nil)); marked.MarkedForDeletionOn == nil {
		t.Error("a deleted group is not marked for deletion")
	}
	ok[*gitlab.Group](t)(w.Groups.RestoreGroup(deep.ID))
	w.equal("groups", len(ok[[]*gitlab.Group](t)(w.Groups.ListGroups(&gitlab.ListGroupsOptions{Search: gitlab.Ptr("deep")}))), 1)
	w.done(w.Projects.DeleteProject(lib.ID, nil))

	ns := ok[*gitlab.Namespace](t)(w.Namespaces.GetNamespace("acme/tooling"))
	w.equal("namespace", ns.Kind, "group")
	exists := ok[*gitlab.NamespaceExistance](t)(w.Namespaces.NamespaceExists("acme", nil))
	w.equal("exists", exists.Exists, true)
	w.equal("suggestions", exists.Suggests, []string{"acme1"})
	w.equal("namespaces", len(ok[[]*gitlab.Namespace](t)(w.Namespaces.SearchNamespace("acme"))), 2)
}

// Pages of both kinds, as the client walks them.
func TestClientGoPages(t *testing.T) {
	t.Parallel()
	w := start(t)
	g := w.group("many", 0)
	for n := range 7 {
		w.project(fmt.Sprintf("p%d", n), g.ID)
	}
	for _, pagination := range []string{"", "keyset"} {
		o := &gitlab.ListProjectsOptions{ListOptions: gitlab.ListOptions{PerPage: 3, Pagination: pagination}, OrderBy: gitlab.Ptr("id"), Sort: gitlab.Ptr("asc")}
		names := ""
		list, r, err := w.Projects.ListProjects(o)
		for pages := 0; ; pages++ {
			if err != nil || pages > 3 {
				t.Fatalf("%q, page %d: %v", pagination, pages, err)
			}
			for _, p := range list {
				names += p.Name + " "
			}
			if r.NextLink == "" {
				break
			}
			list, r, err = w.Projects.ListProjects(o, gitlab.WithKeysetPaginationParameters(r.NextLink))
		}
		w.equal("names by "+pagination, names, "p0 p1 p2 p3 p4 p5 p6 ")
	}
}

func TestClientGoPeople(t *testing.T) {
	t.Parallel()
	w := start(t)
	dana, g := w.user("dana"), w.group("acme", 0)
	p := w.project("lib", g.ID)
	token := ok[*gitlab.PersonalAccessToken](t)(w.Users.CreatePersonalAccessToken(dana.ID, &gitlab.CreatePersonalAccessTokenOptions{
		Name: gitlab.Ptr("laptop"), Scopes: &[]string{"api"},
	}))
	as := w.as(token.Token)
	_, r, err := as.Projects.GetProject(p.ID, nil)
	w.refused(404, r, err)

	ok[*gitlab.GroupMember](t)(w.GroupMembers.AddGroupMember(g.ID, &gitlab.AddGroupMemberOptions{UserID: &dana.ID, AccessLevel: gitlab.Ptr(gitlab.ReporterPermissions)}))
	ok[*gitlab.Project](t)(as.Projects.GetProject(p.ID, nil))
	w.equal("inherited", ok[*gitlab.ProjectMember](t)(w.ProjectMembers.GetInheritedProjectMember(p.ID, dana.ID)).AccessLevel, gitlab.ReporterPermissions)
	_, r, err = w.ProjectMembers.GetProjectMember(p.ID, dana.ID)
	w.refused(404, r, err)
	ok[*gitlab.ProjectMember](t)(w.ProjectMembers.AddProjectMember(p.ID, &gitlab.AddProjectMemberOptions{UserID: dana.ID, AccessLevel: gitlab.Ptr(gitlab.DeveloperPermissions)}))
	_, r, err = w.ProjectMembers.AddProjectMember(p.ID, &gitlab.AddProjectMemberOptions{UserID: dana.ID, AccessLevel: gitlab.Ptr(gitlab.DeveloperPermissions)})
	w.refused(409, r, err)
	w.equal("changed", ok[*gitlab.ProjectMember](t)(w.ProjectMembers.EditProjectMember(p.ID, dana.ID, &gitlab.EditProjectMemberOptions{
		AccessLevel: gitlab.Ptr(gitlab.MaintainerPermissions), ExpiresAt: gitlab.Ptr("2099-01-02"),
	})).AccessLevel, gitlab.MaintainerPermissions)
	w.equal("members", len(ok[[]*gitlab.ProjectMember](t)(w.ProjectMembers.ListProjectMembers(p.ID, nil))), 1)
	w.equal("all members", len(ok[[]*gitlab.ProjectMember](t)(w.ProjectMembers.ListAllProjectMembers(p.ID, nil))), 2)
	w.done(w.ProjectMembers.DeleteProjectMember(p.ID, dana.ID))
	ok[*gitlab.GroupMember](t)(w.GroupMembers.EditGroupMember(g.ID, dana.ID, &gitlab.EditGroupMemberOptions{AccessLevel: gitlab.Ptr(gitlab.GuestPermissions)}))
	w.equal("group members", len(ok[[]*gitlab.GroupMember](t)(w.Groups.ListAllGroupMembers(g.ID, nil))), 2)
	w.done(w.GroupMembers.RemoveGroupMember(g.ID, dana.ID, nil))
	_, r, err = as.Projects.GetProject(p.ID, nil)
	w.refused(404, r, err)

	// A share gives the members of one group a role in another.
	crew := w.group("crew", 0)
	ok[*gitlab.GroupMember](t)(w.GroupMembers.AddGroupMember(crew.ID, &gitlab.AddGroupMemberOptions{UserID: &dana.ID, AccessLevel: gitlab.Ptr(gitlab.OwnerPermissions)}))
	ok[*gitlab.Group](t)(w.GroupMembers.ShareWithGroup(g.ID, &gitlab.ShareWithGroupOptions{GroupID: &crew.ID, GroupAccess: gitlab.Ptr(gitlab.ReporterPermissions)}))
	seen := ok[*gitlab.Project](t)(as.Projects.GetProject(p.ID, nil))
	w.equal("the role by the share", seen.Permissions.ProjectAccess.AccessLevel, gitlab.ReporterPermissions)
	w.done(w.GroupMembers.DeleteShareWithGroup(g.ID, crew.ID))
	_, r, err = as.Projects.GetProject(p.ID, nil)
	w.refused(404, r, err)
	w.done(w.Projects.ShareProjectWithGroup(p.ID, &gitlab.ShareWithGroupOptions{GroupID: &crew.ID, GroupAccess: gitlab.Ptr(gitlab.DeveloperPermissions)}))
	w.equal("shared projects are listed", len(ok[[]*gitlab.Project](t)(as.Projects.ListProjects(&gitlab.ListProjectsOptions{Membership: gitlab.Ptr(true)}))), 1)
	w.done(w.Projects.DeleteSharedProjectFromGroup(p.ID, crew.ID))

	w.equal("by name", len(ok[[]*gitlab.User](t)(w.Users.ListUsers(&gitlab.ListUsersOptions{Username: gitlab.Ptr("DANA")}))), 1)
	w.equal("renamed", ok[*gitlab.User](t)(w.Users.ModifyUser(dana.ID, &gitlab.ModifyUserOptions{Name: gitlab.Ptr("Dana Ito")})).Name, "Dana Ito")
	w.done(w.Users.BlockUser(dana.ID))
	_, r, err = as.Users.CurrentUser()
	w.refused(403, r, err)
	w.done(w.Users.UnblockUser(dana.ID))
	ok[*gitlab.User](t)(as.Users.CurrentUser())
	w.equal("memberships", len(ok[[]*gitlab.UserMembership](t)(w.Users.GetUserMemberships(dana.ID, nil))), 1)
	ok[*gitlab.Project](t)(w.Projects.CreateProjectForUser(dana.ID, &gitlab.CreateProjectForUserOptions{Name: gitlab.Ptr("own")}))
	w.equal("own projects", len(ok[[]*gitlab.Project](t)(w.Projects.ListUserProjects(dana.ID, nil))), 1)
	eve := w.user("eve")
	w.done(w.Users.DeleteUser(eve.ID))
	_, r, err = w.Users.GetUser(eve.ID, nil)
	w.refused(404, r, err)
}

func TestClientGoTokens(t *testing.T) {
	t.Parallel()
	w := start(t)
	dana, g := w.user("dana"), w.group("acme", 0)
	p := w.project("lib", g.ID)
	scopes, expires := []string{"api"}, gitlab.ISOTime(time.Now().AddDate(0, 1, 0))

	impersonation := ok[*gitlab.ImpersonationToken](t)(w.Users.CreateImpersonationToken(dana.ID, &gitlab.CreateImpersonationTokenOptions{Name: gitlab.Ptr("help"), Scopes: &scopes}))
	as := w.as(impersonation.Token)
	w.equal("impersonated", ok[*gitlab.User](t)(as.Users.CurrentUser()).Username, "dana")
	w.equal("impersonation tokens", len(ok[[]*gitlab.ImpersonationToken](t)(w.Users.GetAllImpersonationTokens(dana.ID, nil))), 1)
	self := ok[*gitlab.PersonalAccessToken](t)(as.PersonalAccessTokens.GetSinglePersonalAccessToken())
	w.equal("the token itself", self.ID, impersonation.ID)
	if self.LastUsedAt == nil {
		t.Error("a token that was used has no last_used_at")
	}
	rotated := ok[*gitlab.PersonalAccessToken](t)(as.PersonalAccessTokens.RotatePersonalAccessTokenSelf(&gitlab.RotatePersonalAccessTokenOptions{ExpiresAt: &expires}))
	_, r, err := as.Users.CurrentUser()
	w.refused(401, r, err)
	as = w.as(rotated.Token)
	w.equal("own tokens", len(ok[[]*gitlab.PersonalAccessToken](t)(as.PersonalAccessTokens.ListPersonalAccessTokens(nil))), 2)
	w.equal("active tokens", len(ok[[]*gitlab.PersonalAccessToken](t)(as.PersonalAccessTokens.ListPersonalAccessTokens(&gitlab.ListPersonalAccessTokensOptions{State: gitlab.Ptr("active")}))), 1)
	next := ok[*gitlab.PersonalAccessToken](t)(w.PersonalAccessTokens.RotatePersonalAccessTokenByID(rotated.ID, nil))
	w.done(w.PersonalAccessTokens.RevokePersonalAccessTokenByID(next.ID))
	w.equal("revoked", ok[*gitlab.PersonalAccessToken](t)(w.PersonalAccessTokens.GetSinglePersonalAccessTokenByID(next.ID)).Revoked, true)

	bot := ok[*gitlab.ProjectAccessToken](t)(w.ProjectAccessTokens.CreateProjectAccessToken(p.ID, &gitlab.CreateProjectAccessTokenOptions{
		Name: gitlab.Ptr("robot"), Scopes: &scopes, AccessLevel: gitlab.Ptr(gitlab.DeveloperPermissions), ExpiresAt: &expires, Description: gitlab.Ptr("builds"),
	}))
	ok[*gitlab.Project](t)(w.as(bot.Token).Projects.GetProject(p.ID, nil))
	w.equal("project tokens", len(ok[[]*gitlab.ProjectAccessToken](t)(w.ProjectAccessTokens.ListProjectAccessTokens(p.ID, nil))), 1)
	w.equal("description", ok[*gitlab.ProjectAccessToken](t)(w.ProjectAccessTokens.GetProjectAccessToken(p.ID, bot.ID)).Description, "builds")
	bot = ok[*gitlab.ProjectAccessToken](t)(w.ProjectAccessTokens.RotateProjectAccessToken(p.ID, bot.ID, nil))
	bot = ok[*gitlab.ProjectAccessToken](t)(w.as(bot.Token).ProjectAccessTokens.RotateProjectAccessTokenSelf(p.ID, nil))
	w.done(w.ProjectAccessTokens.RevokeProjectAccessToken(p.ID, bot.ID))
	_, r, err = w.as(bot.Token).Projects.GetProject(p.ID, nil)
	w.refused(401, r, err)
	crew := ok[*gitlab.GroupAccessToken](t)(w.GroupAccessTokens.CreateGroupAccessToken(g.ID, &gitlab.CreateGroupAccessTokenOptions{Name: gitlab.Ptr("crew"), Scopes: &scopes}))
	crew = ok[*gitlab.GroupAccessToken](t)(w.GroupAccessTokens.RotateGroupAccessToken(g.ID, crew.ID, nil))
	w.equal("group tokens", len(ok[[]*gitlab.GroupAccessToken](t)(w.GroupAccessTokens.ListGroupAccessTokens(g.ID, nil))), 2)
	w.done(w.GroupAccessTokens.RevokeGroupAccessToken(g.ID, crew.ID))

	read := []string{"read_package_registry"}
	deploy := ok[*gitlab.DeployToken](t)(w.DeployTokens.CreateProjectDeployToken(p.ID, &gitlab.CreateProjectDeployTokenOptions{Name: gitlab.Ptr("pull"), Scopes: &read, ExpiresAt: gitlab.Ptr(time.Time(expires))}))
	w.equal("deploy token", strings.HasPrefix(deploy.Token, "gldt-"), true)
	w.equal("deploy tokens", len(ok[[]*gitlab.DeployToken](t)(w.DeployTokens.ListProjectDeployTokens(p.ID, nil))), 1)
	ok[*gitlab.DeployToken](t)(w.DeployTokens.GetProjectDeployToken(p.ID, deploy.ID))
	group := ok[*gitlab.DeployToken](t)(w.DeployTokens.CreateGroupDeployToken(g.ID, &gitlab.CreateGroupDeployTokenOptions{Name: gitlab.Ptr("pull"), Scopes: &read}))
	w.equal("all deploy tokens", len(ok[[]*gitlab.DeployToken](t)(w.DeployTokens.ListAllDeployTokens())), 2)
	ok[*gitlab.DeployToken](t)(w.DeployTokens.GetGroupDeployToken(g.ID, group.ID))
	w.equal("of the group", len(ok[[]*gitlab.DeployToken](t)(w.DeployTokens.ListGroupDeployTokens(g.ID, nil))), 1)
	w.done(w.DeployTokens.DeleteGroupDeployToken(g.ID, group.ID))
	w.done(w.DeployTokens.DeleteProjectDeployToken(p.ID, deploy.ID))
}

func TestClientGoJobs(t *testing.T) {
	t.Parallel()
	w := start(t)
	g := w.group("acme", 0)
	app, lib := w.project("app", g.ID), w.project("lib", g.ID)
	scope := ok[*gitlab.JobTokenAccessSettings](t)(w.JobTokenScope.GetProjectJobTokenAccessSettings(lib.ID))
	w.equal("the allowlist holds", scope.InboundEnabled, true)
	ok[*gitlab.JobTokenInboundAllowItem](t)(w.JobTokenScope.AddProjectToJobScopeAllowList(lib.ID, &gitlab.JobTokenInboundAllowOptions{TargetProjectID: &app.ID}))
	w.equal("allowed projects", len(ok[[]*gitlab.Project](t)(w.JobTokenScope.GetProjectJobTokenInboundAllowList(lib.ID, nil))), 2)
	ok[*gitlab.JobTokenAllowlistItem](t)(w.JobTokenScope.AddGroupToJobTokenAllowlist(lib.ID, &gitlab.AddGroupToJobTokenAllowlistOptions{TargetGroupID: &g.ID}))
	w.equal("allowed groups", len(ok[[]*gitlab.Group](t)(w.JobTokenScope.GetJobTokenAllowlistGroups(lib.ID, nil))), 1)
	w.done(w.JobTokenScope.RemoveGroupFromJobTokenAllowlist(lib.ID, g.ID))
	w.done(w.JobTokenScope.RemoveProjectFromJobScopeAllowList(lib.ID, app.ID))
	w.done(w.JobTokenScope.PatchProjectJobTokenAccessSettings(lib.ID, &gitlab.PatchProjectJobTokenAccessSettingsOptions{Enabled: false}))

	var minted struct{ Token string }
	request, err := w.NewRequest(http.MethodPost, "job_tokens", map[string]any{"project": app.ID, "job": map[string]any{"id": 88112, "name": "publish"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Do(request, &minted); err != nil {
		t.Fatal(err)
	}
	c, err := gitlab.NewJobClient(minted.Token, gitlab.WithBaseURL(w.url))
	if err != nil {
		t.Fatal(err)
	}
	job := ok[*gitlab.Job](t)(c.Jobs.GetJobTokensJob(nil))
	w.equal("the job", fmt.Sprint(job.ID, job.Name, job.Status), "88112publishrunning")
}

func TestClientGoPackages(t *testing.T) {
	t.Parallel()
	w := start(t)
	g := w.group("acme", 0)
	p := w.project("my.lib", g.ID)
	file := ok[*gitlab.GenericPackagesFile](t)(w.GenericPackages.PublishPackageFile("acme/my.lib", "my.pkg", "1.0.0+b1", "dir/app-v1.zip", strings.NewReader("hello"), &gitlab.PublishPackageFileOptions{Select: gitlab.Ptr(gitlab.SelectPackageFile)}))
	_ = file
	w.equal("downloaded", string(ok[[]byte](t)(w.GenericPackages.DownloadPackageFile(p.ID, "my.pkg", "1.0.0+b1", "dir/app-v1.zip"))), "hello")
	rule := ok[*gitlab.PackageProtectionRule](t)(w.ProtectedPackages.CreatePackageProtectionRules(p.ID, &gitlab.CreatePackageProtectionRulesOptions{
		PackageNamePattern: gitlab.Ptr("my.*"), PackageType: gitlab.Ptr("generic"),
		MinimumAccessLevelForPush: gitlab.NewNullableWithValue(gitlab.ProtectionRuleAccessLevel("maintainer")),
	}))
	rule = ok[*gitlab.PackageProtectionRule](t)(w.ProtectedPackages.UpdatePackageProtectionRules(p.ID, rule.ID, &gitlab.UpdatePackageProtectionRulesOptions{
		MinimumAccessLevelForPush:   gitlab.NewNullNullable[gitlab.ProtectionRuleAccessLevel](),
		MinimumAccessLevelForDelete: gitlab.NewNullableWithValue(gitlab.ProtectionRuleAccessLevel("owner")),
	}))
	w.equal("the rule", fmt.Sprint(rule.PackageNamePattern, rule.PackageType, rule.MinimumAccessLevelForPush, rule.MinimumAccessLevelForDelete), "my.*genericowner")
	w.equal("rules", len(ok[[]*gitlab.PackageProtectionRule](t)(w.ProtectedPackages.ListPackageProtectionRules(p.ID, nil))), 1)
	w.done(w.ProtectedPackages.DeletePackageProtectionRules(p.ID, rule.ID))
	list := ok[[]*gitlab.Package](t)(w.Packages.ListProjectPackages(p.ID, &gitlab.ListProjectPackagesOptions{PackageName: gitlab.Ptr("my.pkg")}))
	w.equal("packages", len(list), 1)
	w.equal("packages of the group", ok[[]*gitlab.GroupPackage](t)(w.Packages.ListGroupPackages("acme", &gitlab.ListGroupPackagesOptions{PackageType: gitlab.Ptr("generic")}))[0].ProjectPath, "acme/my.lib")
	files := ok[[]*gitlab.PackageFile](t)(w.Packages.ListPackageFiles(p.ID, list[0].ID, nil))
	w.equal("files", len(files), 1)
	w.done(w.Packages.DeletePackageFile(p.ID, list[0].ID, files[0].ID))
	w.done(w.Packages.DeleteProjectPackage(p.ID, list[0].ID))
	events := ok[[]*gitlab.AuditEvent](t)(w.AuditEvents.ListProjectAuditEvents(p.ID, nil))
	w.equal("the newest event", events[0].EventName, "version_delete")
	ok[*gitlab.AuditEvent](t)(w.AuditEvents.GetInstanceAuditEvent(events[0].ID))
}

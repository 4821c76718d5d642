package api

import (
	"maps"
	"path"
	"strconv"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
)

// features are the access levels of what GitLab's projects have and ours have
// not. They are kept and shown, and do nothing.
var features = []string{
	"analytics_access_level", "builds_access_level", "container_registry_access_level", "environments_access_level",
	"feature_flags_access_level", "forking_access_level", "infrastructure_access_level", "issues_access_level",
	"merge_requests_access_level", "model_experiments_access_level", "model_registry_access_level", "monitor_access_level",
	"pages_access_level", "releases_access_level", "repository_access_level", "requirements_access_level",
	"security_and_compliance_access_level", "snippets_access_level", "wiki_access_level",
}

func (a *API) projectEndpoints() []endpoint {
	fields := []param{
		text("description", "what it is for"), visibility,
		flag("packages_enabled", "false switches its package registry off"),
		word("package_registry_access_level", "who may read its packages", "disabled", "private", "enabled", "public"),
		flag("archived", "read-only"),
		number("upstream_project_id", "its id in the GitLab beside this server, so that /projects/upstream:20 finds it; set by administrators, 0 for none"),
	}
	fields = append(fields, imageCleanupParams(cleanupAttributes)...)
	for _, name := range features {
		fields = append(fields, word(name, "kept and shown; does nothing here", "disabled", "private", "enabled", "public"))
	}
	return []endpoint{
		get(instance, "/projects", authz.Anyone, a.listProjects, "List projects", projectLists...),
		post(instance, "/projects", authz.CreateProject, a.createProject, "Make a project",
			with(fields, text("name", "name to show; or give path"), text("path", "last part of its path"),
				number("namespace_id", "the group to make it in; your own namespace when absent"),
				number("id", "its id, chosen by an administrator: as CI_PROJECT_ID elsewhere"))...).at(a.whereProject),
		post(instance, "/projects/user/{user_id}", authz.AdminInstance, a.createProjectFor, "Make a project in a user's own namespace",
			with(fields, text("name", "name to show; or give path"), text("path", "last part of its path"))...),
		get(instance, "/users/{user_id}/projects", authz.SignedIn, a.listUserProjects, "List the projects in a user's own namespace", projectLists...),
		get(project, "/", authz.ReadProject, a.getProject, "Show a project",
			flag("statistics", "true adds how much it stores"), flag("license", "accepted"), flag("with_custom_attributes", "accepted")),
		put(project, "/", authz.ManageProject, a.updateProject, "Change a project",
			with(fields, text("name", "name to show"), text("path", "last part of its path"))...).at(a.whatOfProject),
		remove(project, "/", authz.OwnProject, a.deleteProject, "Mark a project for deletion", forGood...).answering(202),
		post(project, "/restore", authz.OwnProject, a.restoreProject, "Undo the mark for deletion of a project"),
		post(project, "/archive", authz.OwnProject, a.archiveProject, "Make a project read-only"),
		post(project, "/unarchive", authz.OwnProject, a.unarchiveProject, "Make a project writable again"),
		put(project, "/transfer", authz.OwnProject, a.transferProject, "Move a project to another namespace",
			text("namespace", "id or path of the namespace").must()),
		post(project, "/share", authz.ManageProject, a.shareProject, "Share a project with a group", shareParams...),
		remove(project, "/share/{group_id}", authz.ManageProject, a.unshare, "Share a project with a group no more"),
	}
}

// projectLists are the filters of every list of projects.
var projectLists = with(paged,
	text("search", "part of the name or path"), flag("search_namespaces", "true looks at the namespaces' paths as well"),
	flag("membership", "true for those where you have a role"), flag("owned", "true for those that you own"),
	number("min_access_level", "where you have at least this role"), visibility,
	flag("archived", "true for those that are read-only, false for the others"), flag("simple", "true shows less of each"),
	text("topic", "accepted"),
	word("order_by", "the order; created_at, which is the order of the ids, when absent",
		"id", "name", "path", "created_at", "updated_at", "last_activity_at", "star_count", "similarity"), sorted,
	number("id_after", "with a higher id"), number("id_before", "with a lower id"),
	word("pagination", "keyset for pages that cost the same however deep", "keyset"),
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// whereProject: in the namespace that namespace_id names, or in one's own.
func (a *API) whereProject(q *request) (packhouse.Target, authz.Action, error) {
	id, err := q.params.number("namespace_id", 0)
	if err != nil {
		return packhouse.Target{}, 0, err
	}
	n := a.Directory.Namespace(id)
	if id == 0 {
		n = a.Directory.Personal(q.Actor.UserID)
	}
	t := packhouse.Target{Level: packhouse.Group}
	if n != nil {
		t.ID, t.Path = n.ID, n.Path
	}
	return t, authz.CreateProject, nil
}

func (a *API) createProject(q *request) (any, error) { return a.makeProject(q, q.Target.ID) }

func (a *API) makeProject(q *request, namespaceID int64) (any, error) {
	p := ledger.Project{NamespaceID: namespaceID, Name: q.params.text("name"), Path: q.params.text("path"), Description: q.params.text("description")}
	p.Visibility = a.usual(a.Directory.Instance().ProjectVisibility, namespaceID)
	if err := q.params.short("name"); err != nil {
		return nil, err
	}
	if p.Name == "" && p.Path == "" {
		return nil, packhouse.InvalidParam("name", "is missing")
	}
	if p.Path == "" {
		p.Path = slug(p.Name)
	}
	if p.Name == "" {
		p.Name = p.Path
	}
	if q.params.has("id") {
		id, err := q.params.number("id", 0)
		if err != nil || id <= 0 {
			return nil, packhouse.InvalidParam("id", "is invalid")
		}
		if !q.Actor.Admin {
			return nil, &packhouse.Error{
				Kind: packhouse.Forbidden, Rule: "role", Message: "only administrators choose the id of a project",
				Fix: "leave out id, or ask an administrator",
			}
		}
		p.ID = id
	}
	if err := a.projectFields(q, &p); err != nil {
		return nil, err
	}
	made, err := a.Changes.CreateProject(q.Context(), q.By, p)
	if err != nil {
		return nil, taken(err)
	}
	return a.project(q, made), nil
}

// usual is the visibility of what is made where nobody says: what the instance
// says, but no more than that of what it is in.
func (a *API) usual(v packhouse.Visibility, namespaceID int64) packhouse.Visibility {
	if n := a.Directory.Namespace(namespaceID); n != nil {
		return min(v, n.Visibility)
	}
	return v
}

// slug makes a path from a name, as GitLab does.
func slug(name string) string {
	return strings.Trim(strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '_', c == '-', c == '.':
			return c
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		}
		return '-'
	}, name), "-.")
}

// projectFields takes the settings that were given.
func (a *API) projectFields(q *request, p *ledger.Project) (err error) {
	if q.params.has("visibility") {
		if p.Visibility, err = packhouse.ParseVisibility(q.params.text("visibility")); err != nil {
			return packhouse.InvalidParam("visibility", "does not have a valid value")
		}
		if err := a.restricted(q, p.Visibility); err != nil {
			return err
		}
	}
	if err := upstreamID(q, p); err != nil {
		return err
	}
	enabled, err := q.params.flag("packages_enabled", true)
	if err != nil {
		return err
	}
	if q.params.has("packages_enabled") {
		if p.Registry = packhouse.RegistryEnabled; !enabled {
			p.Registry = packhouse.RegistryDisabled
		}
	}
	if q.params.has("package_registry_access_level") {
		if p.Registry, err = packhouse.ParseRegistryAccess(q.params.text("package_registry_access_level")); err != nil {
			return packhouse.InvalidParam("package_registry_access_level", "does not have a valid value")
		}
	}
	if p.Archived, err = q.params.flag("archived", p.Archived); err != nil {
		return err
	}
	for _, name := range features {
		if v := q.params.text(name); v != "" {
			changed := maps.Clone(p.Features) // the record in memory is shared
			if changed == nil {
				changed = map[string]string{}
			}
			changed[name] = v
			p.Features = changed
		}
	}
	if err := takeCleanup(q.params, p); err != nil {
		return err
	}
	if q.params.has("description") {
		p.Description = q.params.text("description")
	}
	return nil
}

// upstreamID gives a project the id that it has in the GitLab beside this server.
func upstreamID(q *request, p *ledger.Project) error {
	const name = "upstream_project_id"
	id, err := q.params.number(name, p.UpstreamID)
	if err != nil || id == p.UpstreamID {
		return err
	}
	if !q.Actor.Admin {
		return &packhouse.Error{
			Kind: packhouse.Forbidden, Rule: "role", Message: "only administrators say which project of another GitLab a project stands for",
			Fix: "leave out " + name + ", or ask an administrator",
		}
	}
	if id < 0 {
		return packhouse.InvalidParam(name, "is invalid")
	}
	p.UpstreamID = id
	return nil
}

// whatOfProject: who changes what only Owners may has to be one.
func (a *API) whatOfProject(q *request) (packhouse.Target, authz.Action, error) {
	if q.params.has("visibility") || q.params.has("archived") || q.params.has("path") {
		return q.Target, authz.OwnProject, nil
	}
	return q.Target, authz.ManageProject, nil
}

func (a *API) updateProject(q *request) (any, error) {
	if err := q.params.short("name"); err != nil {
		return nil, err
	}
	return a.changeProject(q, func(p *ledger.Project) error {
		if name := q.params.text("name"); name != "" {
			p.Name = name
		}
		if last := q.params.text("path"); last != "" {
			if err := directory.CheckPath(last); err != nil {
				return err
			}
			p.Path = path.Join(path.Dir(p.Path), last)
		}
		return a.projectFields(q, p)
	})
}

// changeProject edits the project of a request and answers with it.
func (a *API) changeProject(q *request, change func(*ledger.Project) error) (any, error) {
	p, err := a.Changes.UpdateProject(q.Context(), q.By, q.Target.ID, change)
	if err != nil {
		return nil, taken(err)
	}
	return a.project(q, p), nil
}

// forGood are the parameters of a deletion that does not wait.
var forGood = []param{
	flag("permanently_remove", "true removes for good, without the delay, what is marked for deletion already"),
	text("full_path", "with permanently_remove: its full path, so that nothing is removed by mistake"),
}

func (a *API) deleteProject(q *request) (any, error) {
	_, err := a.changeProject(q, func(p *ledger.Project) (err error) {
		p.DeletedAt, err = marked(q, p.DeletedAt, p.Path)
		return err
	})
	return accepted, err
}

// marked is when something counts as marked for deletion after a request to
// delete it: from now on, or long enough ago to be removed at once.
func marked(q *request, already time.Time, path string) (time.Time, error) {
	atOnce, err := q.params.flag("permanently_remove", false)
	switch {
	case err != nil:
		return already, err
	case !atOnce && already.IsZero():
		return time.Now().UTC(), nil
	case !atOnce:
		return already, nil
	case already.IsZero():
		return already, packhouse.Errorf(packhouse.Invalid, "400 Bad request - it must be marked for deletion first")
	case q.params.text("full_path") != path:
		return already, packhouse.Errorf(packhouse.Invalid, "400 Bad request - `full_path` is incorrect. You must enter the complete path for it")
	}
	return time.Unix(1, 0).UTC(), nil
}

func (a *API) restoreProject(q *request) (any, error) {
	return a.changeProject(q, func(p *ledger.Project) error { p.DeletedAt = time.Time{}; return nil })
}

func (a *API) archiveProject(q *request) (any, error) {
	return a.changeProject(q, func(p *ledger.Project) error { p.Archived = true; return nil })
}

func (a *API) unarchiveProject(q *request) (any, error) {
	return a.changeProject(q, func(p *ledger.Project) error { p.Archived = false; return nil })
}

func (a *API) transferProject(q *request) (any, error) {
	n, err := a.namespaceOf(q, q.params.text("namespace"))
	if err != nil {
		return nil, err
	}
	if _, err := q.Decide(packhouse.Group, n.ID, authz.CreateProject); err != nil {
		return nil, err
	}
	p, err := a.Changes.MoveProject(q.Context(), q.By, q.Target.ID, n.ID, path.Base(q.Target.Path))
	if err != nil {
		return nil, taken(err)
	}
	return a.project(q, p), nil
}

func (a *API) shareProject(q *request) (any, error) {
	if err := a.share(q); err != nil {
		return nil, err
	}
	for _, s := range a.Directory.Shares(q.Target) {
		if itoa(s.GroupID) == q.params.text("group_id") {
			return object{
				"id": s.GroupID, "project_id": q.Target.ID, "group_id": s.GroupID, "group_access": s.Role, "expires_at": date(s.ExpiresAt),
			}, nil
		}
	}
	return nil, packhouse.Errorf(packhouse.NotFound, "404 Group Link Not Found") // ended by another request
}

func (a *API) createProjectFor(q *request) (any, error) {
	u, err := a.namedInPath(q)
	if err != nil {
		return nil, err
	}
	own := a.Directory.Personal(u.ID)
	if own == nil {
		return nil, packhouse.Errorf(packhouse.NotFound, "404 Namespace Not Found")
	}
	return a.makeProject(q, own.ID)
}

// taken puts a lost race or a used name into the words of a validation. The
// store says what is taken: "path has already been taken".
func taken(err error) error {
	e := packhouse.AsError(err)
	param, ok := strings.CutSuffix(e.Message, " has already been taken")
	if e.Kind != packhouse.Conflict || !ok {
		return err
	}
	return &packhouse.Error{Kind: packhouse.Invalid, Rule: "validation", Param: param, Message: "has already been taken", Err: e}
}

package api

import (
	"strconv"
	"strings"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/ledger"
)

func (a *API) projectEndpoints() []endpoint {
	fields := []param{
		text("description", "what it is for"), visibility,
		flag("packages_enabled", "false switches its package registry off"),
		word("package_registry_access_level", "who may read its packages", "disabled", "private", "enabled", "public"),
		flag("archived", "read-only"),
	}
	return []endpoint{
		post(instance, "/projects", authz.CreateProject, a.createProject, "Make a project",
			with(fields, text("name", "name to show; or give path"), text("path", "last part of its path"),
				number("namespace_id", "the group to make it in; your own namespace when absent"),
				number("id", "its id, chosen by an administrator: as CI_PROJECT_ID elsewhere"))...).at(a.whereProject),
		get(project, "/", authz.ReadProject, a.getProject, "Show a project"),
		put(project, "/", authz.ManageProject, a.updateProject, "Change a project",
			with(fields, text("name", "name to show"))...).at(a.whatOfProject),
	}
}

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

func (a *API) createProject(q *request) (any, error) {
	p := ledger.Project{NamespaceID: q.Target.ID, Name: q.params.text("name"), Path: q.params.text("path"), Description: q.params.text("description")}
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
	if err := projectFields(q, &p); err != nil {
		return nil, err
	}
	made, err := a.Changes.CreateProject(q.Context(), q.By, p)
	if err != nil {
		return nil, taken(err)
	}
	return a.project(q, made), nil
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
func projectFields(q *request, p *ledger.Project) (err error) {
	if q.params.has("visibility") {
		if p.Visibility, err = packhouse.ParseVisibility(q.params.text("visibility")); err != nil {
			return packhouse.InvalidParam("visibility", "does not have a valid value")
		}
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
	if q.params.has("description") {
		p.Description = q.params.text("description")
	}
	return nil
}

func (a *API) getProject(q *request) (any, error) {
	return a.project(q, a.Directory.Project(q.Target.ID)), nil
}

// whatOfProject: who changes what only Owners may has to be one.
func (a *API) whatOfProject(q *request) (packhouse.Target, authz.Action, error) {
	if q.params.has("visibility") || q.params.has("archived") {
		return q.Target, authz.OwnProject, nil
	}
	return q.Target, authz.ManageProject, nil
}

func (a *API) updateProject(q *request) (any, error) {
	if err := q.params.short("name"); err != nil {
		return nil, err
	}
	p, err := a.Changes.UpdateProject(q.Context(), q.By, q.Target.ID, func(p *ledger.Project) error {
		if name := q.params.text("name"); name != "" {
			p.Name = name
		}
		return projectFields(q, p)
	})
	if err != nil {
		return nil, err
	}
	return a.project(q, p), nil
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

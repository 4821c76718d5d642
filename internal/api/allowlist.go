package api

import (
	"cmp"
	"net/http"
	"slices"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/ledger"
)

// The job-token allowlist of a project. GitLab's bodies call the project whose
// list it is "source" and the one that is let in "target".

func (a *API) allowlistEndpoints() []endpoint {
	const scope = "/job_token_scope"
	return []endpoint{
		get(project, scope, authz.ManageProject, a.getJobTokenScope, "Tell whether the job-token allowlist holds"),
		patch(project, scope, authz.ManageProject, a.setJobTokenScope, "Switch the job-token allowlist on or off",
			flag("enabled", "true: only jobs of projects on the list are let in").must()).answering(http.StatusNoContent),
		get(project, scope+"/allowlist", authz.ManageProject, a.listAllowedProjects, "List the projects whose jobs are let in", paged...),
		post(project, scope+"/allowlist", authz.ManageProject, a.allowProject, "Let the jobs of a project in",
			number("target_project_id", "that project").must()),
		remove(project, scope+"/allowlist/{admitted_id}", authz.ManageProject, a.disallowProject, "Let the jobs of a project in no more"),
		get(project, scope+"/groups_allowlist", authz.ManageProject, a.listAllowedGroups, "List the groups whose jobs are let in", paged...),
		post(project, scope+"/groups_allowlist", authz.ManageProject, a.allowGroup, "Let the jobs of a group's projects in",
			number("target_group_id", "that group").must()),
		remove(project, scope+"/groups_allowlist/{admitted_id}", authz.ManageProject, a.disallowGroup, "Let the jobs of a group's projects in no more"),
	}
}

func (a *API) getJobTokenScope(q *request) (any, error) {
	p := a.Directory.Project(q.Target.ID)
	return object{"inbound_enabled": !p.OpenToJobs, "outbound_enabled": false}, nil
}

func (a *API) setJobTokenScope(q *request) (any, error) {
	if _, err := q.params.required("enabled"); err != nil {
		return nil, err
	}
	enabled, err := q.params.flag("enabled", true)
	if err != nil {
		return nil, err
	}
	_, err = a.Changes.UpdateProject(q.Context(), q.By, q.Target.ID, func(p *ledger.Project) error {
		p.OpenToJobs = !enabled
		return nil
	})
	return nil, err
}

// maxAdmissions bounds an allowlist, as GitLab does.
const maxAdmissions = 200

// admitted lists the entries of one level, in the order of their ids. The
// project itself is always let in and leads the list of projects.
func (a *API) admitted(q *request, level packhouse.Level) []packhouse.Target {
	list := slices.DeleteFunc(a.Directory.Admissions(q.Target.ID), func(t packhouse.Target) bool { return t.Level != level })
	slices.SortFunc(list, func(x, y packhouse.Target) int { return cmp.Compare(x.ID, y.ID) })
	if level == packhouse.Project {
		list = slices.Insert(list, 0, q.Target)
	}
	return list
}

func (a *API) listAllowedProjects(q *request) (any, error) {
	list := a.admitted(q, packhouse.Project)
	return q.page(len(list), func(i int) any { return a.shortProject(q, a.Directory.Project(list[i].ID)) })
}

func (a *API) listAllowedGroups(q *request) (any, error) {
	list := a.admitted(q, packhouse.Group)
	return q.page(len(list), func(i int) any {
		n := a.Directory.Namespace(list[i].ID)
		return object{"id": n.ID, "web_url": q.link("groups/" + n.Path), "name": n.Name}
	})
}

func (a *API) allowProject(q *request) (any, error) {
	id, err := a.allow(q, packhouse.Project, "target_project_id")
	return object{"source_project_id": q.Target.ID, "target_project_id": id}, err
}

func (a *API) allowGroup(q *request) (any, error) {
	id, err := a.allow(q, packhouse.Group, "target_group_id")
	return object{"source_project_id": q.Target.ID, "target_group_id": id}, err
}

func (a *API) allow(q *request, level packhouse.Level, param string) (int64, error) {
	if _, err := q.params.required(param); err != nil {
		return 0, err
	}
	id, err := q.params.number(param, 0)
	if err != nil {
		return 0, err
	}
	t, _ := a.Directory.Resolve(level, itoa(id))
	if !a.sees(q, t) {
		return 0, packhouse.Errorf(packhouse.NotFound, "404 %s Not Found", map[packhouse.Level]string{packhouse.Project: "Project", packhouse.Group: "Group"}[level])
	}
	if t.Level == q.Target.Level && t.ID == q.Target.ID {
		return 0, packhouse.Errorf(packhouse.Invalid, "the project is always on its own allowlist")
	}
	if len(a.Directory.Admissions(q.Target.ID)) >= maxAdmissions {
		e := packhouse.Errorf(packhouse.Invalid, "the allowlist has %d entries already, which is the most it can have", maxAdmissions)
		e.Fix = "put a group on it instead of its projects"
		return 0, e
	}
	err = a.Changes.Admit(q.Context(), q.By, ledger.Admission{ProjectID: q.Target.ID, Admitted: t})
	if e := packhouse.AsError(err); e.Kind == packhouse.Conflict {
		return 0, packhouse.Errorf(packhouse.Invalid, "%s", e.Message)
	}
	return id, err
}

func (a *API) disallowProject(q *request) (any, error) {
	return nil, a.disallow(q, packhouse.Project)
}

func (a *API) disallowGroup(q *request) (any, error) {
	return nil, a.disallow(q, packhouse.Group)
}

func (a *API) disallow(q *request, level packhouse.Level) error {
	id, err := q.id("admitted_id", "404 Not Found")
	if err != nil {
		return err
	}
	return a.Changes.Unadmit(q.Context(), q.By, ledger.Admission{
		ProjectID: q.Target.ID, Admitted: packhouse.Target{Level: level, ID: id},
	})
}

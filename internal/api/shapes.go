package api

import (
	"maps"
	"path"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/ledger"
)

// object is a JSON object whose fields stand where it is made, beside the
// documentation of GitLab that it follows.
type object = map[string]any

func stamp(t time.Time) string { return t.UTC().Format(format.Time) }

// date writes a day, or null for the zero time.
func date(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.DateOnly)
}

// moment writes a time, or null for the zero time.
func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}

// user is the short form that lists and references use.
func (q *request) user(u *ledger.User) object {
	return object{
		"id": u.ID, "username": u.Username, "name": u.Name, "state": u.Standing(), "locked": false,
		"avatar_url": nil, "web_url": q.link(u.Username), "public_email": "",
	}
}

// fullUser is one's own profile, or what an administrator sees.
func (q *request) fullUser(u *ledger.User) object {
	o := q.user(u)
	maps.Copy(o, object{
		"created_at": stamp(u.CreatedAt), "bio": "", "location": "", "organization": "", "job_title": "",
		"website_url": "", "bot": u.Bot, "external": u.External, "private_profile": false,
		"email": u.Email, "commit_email": u.Email, "confirmed_at": stamp(u.CreatedAt), "identities": []any{},
		"can_create_group": !u.External && !u.NoGroups, "can_create_project": true, "projects_limit": 100000,
		"two_factor_enabled": false, "theme_id": 1, "color_scheme_id": 1,
	})
	if q.Actor.Admin {
		o["is_admin"], o["note"] = u.Admin, u.Note
	}
	return o
}

func (a *API) group(q *request, n *ledger.Namespace) object {
	o := object{
		"id": n.ID, "name": n.Name, "path": path.Base(n.Path), "full_path": n.Path,
		"full_name":   a.fullName(n),
		"description": n.Description, "visibility": n.Visibility, "parent_id": nil,
		"web_url": q.link("groups/" + n.Path), "avatar_url": nil, "created_at": stamp(n.CreatedAt),
		"organization_id": 1, "share_with_group_lock": false, "require_two_factor_authentication": false,
		"two_factor_grace_period": 48, "project_creation_level": "developer", "subgroup_creation_level": "maintainer",
		"request_access_enabled": false, "emails_enabled": false, "mentions_disabled": nil, "lfs_enabled": false,
		"default_branch_protection": 2, "shared_with_groups": a.shares(packhouse.Target{Level: packhouse.Group, ID: n.ID}),
		"archived": false, "marked_for_deletion_on": date(n.DeletedAt),
	}
	if n.ParentID != 0 {
		o["parent_id"] = n.ParentID
	}
	return o
}

// shortProject is what visitors see of a project, and what lists have that name
// projects of others.
func (a *API) shortProject(q *request, p *ledger.Project) object {
	n := a.Directory.Namespace(p.NamespaceID)
	return object{
		"id": p.ID, "name": p.Name, "path": path.Base(p.Path), "description": p.Description,
		"name_with_namespace": a.fullName(n) + " / " + p.Name, "path_with_namespace": p.Path,
		"created_at": stamp(p.CreatedAt), "last_activity_at": stamp(p.CreatedAt), "default_branch": nil,
		"namespace": a.namespace(q, n),
		"web_url":   q.link(p.Path), "avatar_url": nil, "ssh_url_to_repo": "", "http_url_to_repo": "", "readme_url": nil,
		"topics": []any{}, "tag_list": []any{}, "forks_count": 0, "star_count": 0,
	}
}

func (a *API) project(q *request, p *ledger.Project) object {
	o := a.shortProject(q, p)
	if q.Actor.Kind == packhouse.Anonymous {
		return o
	}
	maps.Copy(o, object{
		"updated_at": stamp(p.CreatedAt),
		"visibility": p.Visibility, "archived": p.Archived, "empty_repo": true, "creator_id": p.CreatorID,
		"open_issues_count": 0, "packages_enabled": p.Registry != packhouse.RegistryDisabled,
		"package_registry_access_level": p.Registry,
		"issues_enabled":                false, "merge_requests_enabled": false, "wiki_enabled": false, "jobs_enabled": false,
		"snippets_enabled": false, "builds_access_level": "disabled", "repository_access_level": "disabled",
		"shared_runners_enabled": false, "marked_for_deletion_on": date(p.DeletedAt),
		"shared_with_groups":         a.shares(packhouse.Target{Level: packhouse.Project, ID: p.ID}),
		"ci_job_token_scope_enabled": false, "import_status": "none",
		"_links": object{
			"self":    q.link("api/v4/projects/" + itoa(p.ID)),
			"members": q.link("api/v4/projects/" + itoa(p.ID) + "/members"),
		},
		"permissions": a.permissions(q, p),
	})
	o["container_expiration_policy"] = cleanup(p.ImageCleanup)
	for name, level := range p.Features {
		o[name] = level
	}
	return o
}

// permissions is the caller's role in the project, as membership of it or of
// what is above.
func (a *API) permissions(q *request, p *ledger.Project) object {
	o := object{"project_access": nil, "group_access": nil}
	t := packhouse.Target{Level: packhouse.Project, ID: p.ID}
	if role := a.Directory.Object(q.Actor, t).Role; role != packhouse.NoAccess {
		o["project_access"] = object{"access_level": role, "notification_level": 3}
	}
	return o
}

func (a *API) namespace(q *request, n *ledger.Namespace) object {
	o := object{
		"id": n.ID, "name": n.Name, "path": path.Base(n.Path), "kind": "group", "full_path": n.Path,
		"parent_id": nil, "avatar_url": nil, "web_url": q.link("groups/" + n.Path),
	}
	if n.UserID != 0 {
		o["kind"], o["web_url"] = "user", q.link(n.Path)
	}
	if n.ParentID != 0 {
		o["parent_id"] = n.ParentID
	}
	return o
}

// fullName joins the names of a group and all above it: "Acme / Tools".
func (a *API) fullName(n *ledger.Namespace) string {
	names := []string{n.Name}
	for n.ParentID != 0 {
		n = a.Directory.Namespace(n.ParentID)
		names = append([]string{n.Name}, names...)
	}
	return strings.Join(names, " / ")
}

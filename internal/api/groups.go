package api

import (
	"cmp"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
)

func (a *API) groupEndpoints() []endpoint {
	fields := []param{text("description", "what it is for"), visibility}
	lists := with(paged, text("search", "part of the name or path"), flag("owned", "true for those that you own"),
		number("min_access_level", "where you have at least this role"), flag("all_available", "accepted"),
		visibility, word("order_by", "the order; name when absent", "name", "path", "id", "similarity"), sorted,
		list("skip_groups", "leave these out"))
	return []endpoint{
		get(instance, "/groups", authz.Anyone, a.listGroups, "List groups",
			with(lists, flag("top_level_only", "true leaves groups in groups out"))...),
		post(instance, "/groups", authz.CreateGroup, a.createGroup, "Make a group",
			with(fields, text("name", "name to show").must(), text("path", "last part of its path").must(),
				number("parent_id", "the group to make it in"))...).at(a.whereGroup),
		get(group, "/", authz.ReadGroup, a.getGroup, "Show a group", flag("with_projects", "false leaves its projects out")),
		put(group, "/", authz.OwnGroup, a.updateGroup, "Change a group",
			with(fields, text("name", "name to show"), text("path", "last part of its path; all below it moves along"))...),
		remove(group, "/", authz.OwnGroup, a.deleteGroup, "Mark a group for deletion, with all below it", forGood...).answering(202),
		post(group, "/restore", authz.OwnGroup, a.restoreGroup, "Undo the mark for deletion of a group"),
		post(group, "/transfer", authz.OwnGroup, a.transferGroup, "Move a group into another, or to the top",
			number("group_id", "the group to move it into; to the top when absent")),
		get(group, "/projects", authz.ReadGroup, a.listGroupProjects, "List the projects of a group",
			with(projectLists, flag("include_subgroups", "true for those of groups in it as well"), flag("with_shared", "accepted"))...),
		get(group, "/subgroups", authz.ReadGroup, a.listSubgroups, "List the groups in a group", lists...),
		get(group, "/descendant_groups", authz.ReadGroup, a.listDescendants, "List the groups anywhere below a group", lists...),
		post(group, "/share", authz.OwnGroup, a.shareGroup, "Share a group with another", shareParams...),
		remove(group, "/share/{group_id}", authz.OwnGroup, a.unshare, "Share a group with another no more"),
	}
}

// visibility is who may know that a group or project exists.
var visibility = word("visibility", "who may know that it exists", "private", "internal", "public")

var shareParams = []param{
	number("group_id", "the group to share it with").must(),
	number("group_access", "the most that its members may do").must(), text("expires_at", "day on which it ends"),
}

// whereGroup: at the top, or in the group that parent_id names.
func (a *API) whereGroup(q *request) (packhouse.Target, authz.Action, error) {
	id, err := q.params.number("parent_id", 0)
	if err != nil {
		return packhouse.Target{}, 0, err
	}
	if id == 0 {
		return packhouse.Target{Level: packhouse.Instance}, authz.CreateGroup, nil
	}
	t, _ := a.Directory.Resolve(packhouse.Group, itoa(id))
	return t, authz.CreateSubgroup, nil
}

func (a *API) createGroup(q *request) (any, error) {
	n := ledger.Namespace{Path: q.params.text("path"), ParentID: q.Target.ID}
	n.Visibility = a.usual(a.Directory.Instance().GroupVisibility, n.ParentID)
	if err := a.groupFields(q, &n); err != nil {
		return nil, err
	}
	made, err := a.Changes.CreateGroup(q.Context(), q.By, n)
	if err != nil {
		return nil, taken(err)
	}
	return a.group(q, made), nil
}

// groupFields takes the attributes that were given.
func (a *API) groupFields(q *request, n *ledger.Namespace) (err error) {
	if err := q.params.short("name"); err != nil {
		return err
	}
	if name := q.params.text("name"); name != "" {
		n.Name = name
	}
	if q.params.has("description") {
		n.Description = q.params.text("description")
	}
	if v := q.params.text("visibility"); v != "" {
		if n.Visibility, err = packhouse.ParseVisibility(v); err == nil {
			err = a.restricted(q, n.Visibility)
		}
	}
	return err
}

// shownProjects is how many projects GitLab shows with a group.
const shownProjects = 100

func (a *API) getGroup(q *request) (any, error) {
	o := a.group(q, a.Directory.Namespace(q.Target.ID))
	projects, err := q.params.flag("with_projects", true)
	if err != nil || !projects {
		return o, err
	}
	shown := []any{}
	for _, p := range a.firstProjects(q, directory.ProjectFilter{Below: q.Target}, shownProjects, func(p *ledger.Project) bool { return p.NamespaceID == q.Target.ID }) {
		shown = append(shown, a.project(q, p))
	}
	o["projects"], o["shared_projects"] = shown, []any{}
	return o, nil
}

func (a *API) updateGroup(q *request) (any, error) {
	n, err := a.Changes.UpdateGroup(q.Context(), q.By, q.Target.ID, func(n *ledger.Namespace) error {
		if last := q.params.text("path"); last != "" {
			n.Path = last
		}
		return a.groupFields(q, n)
	})
	if err != nil {
		return nil, taken(err)
	}
	return a.group(q, n), nil
}

func (a *API) deleteGroup(q *request) (any, error) {
	full := q.Target.Path
	_, err := a.Changes.UpdateGroup(q.Context(), q.By, q.Target.ID, func(n *ledger.Namespace) (err error) {
		n.DeletedAt, err = marked(q, n.DeletedAt, full)
		return err
	})
	return accepted, err
}

// accepted is GitLab's answer to what is done later.
var accepted = object{"message": "202 Accepted"}

func (a *API) restoreGroup(q *request) (any, error) {
	n, err := a.Changes.UpdateGroup(q.Context(), q.By, q.Target.ID, func(n *ledger.Namespace) error {
		n.DeletedAt = time.Time{}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a.group(q, n), nil
}

func (a *API) transferGroup(q *request) (any, error) {
	id, err := q.params.number("group_id", 0)
	if err != nil {
		return nil, err
	}
	if id != 0 {
		if _, err := q.Decide(packhouse.Group, id, authz.CreateSubgroup); err != nil {
			return nil, err
		}
	} else if _, err := q.Decide(packhouse.Instance, 0, authz.CreateGroup); err != nil {
		return nil, err
	}
	n, err := a.Changes.UpdateGroup(q.Context(), q.By, q.Target.ID, func(n *ledger.Namespace) error {
		n.ParentID = id
		return nil
	})
	if err != nil {
		return nil, taken(err)
	}
	return a.group(q, n), nil
}

func (a *API) listGroups(q *request) (any, error) {
	top, err := q.params.flag("top_level_only", false)
	if err != nil {
		return nil, err
	}
	return a.answerGroups(q, directory.GroupFilter{TopLevel: top})
}

func (a *API) listSubgroups(q *request) (any, error) {
	return a.answerGroups(q, directory.GroupFilter{Parent: q.Target.ID})
}

func (a *API) listDescendants(q *request) (any, error) {
	return a.answerGroups(q, directory.GroupFilter{Below: q.Target.ID})
}

// answerGroups lists the groups that the filters leave.
func (a *API) answerGroups(q *request, f directory.GroupFilter) (any, error) {
	role, err := a.leastRole(q)
	if err != nil {
		return nil, err
	}
	f.MinRole = role
	search, skip := strings.ToLower(q.params.text("search")), map[string]bool{}
	for _, id := range q.params.list("skip_groups") {
		skip[id] = true
	}
	var list []*ledger.Namespace
	for n := range a.Directory.Groups(q.Actor, f) {
		found := search == "" || strings.Contains(strings.ToLower(n.Name), search) || strings.Contains(strings.ToLower(n.Path), search)
		if v := q.params.text("visibility"); found && !skip[itoa(n.ID)] && (v == "" || v == n.Visibility.String()) {
			list = append(list, n)
		}
	}
	by := map[string]func(x, y *ledger.Namespace) int{
		"":           func(x, y *ledger.Namespace) int { return cmp.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name)) },
		"path":       func(x, y *ledger.Namespace) int { return cmp.Compare(x.Path, y.Path) },
		"id":         func(x, y *ledger.Namespace) int { return cmp.Compare(x.ID, y.ID) },
		"similarity": func(x, y *ledger.Namespace) int { return cmp.Compare(len(x.Path), len(y.Path)) },
	}
	by["name"] = by[""]
	sortBy(list, by[q.params.text("order_by")], q.params.text("sort") == "desc")
	return q.page(len(list), func(i int) any { return a.group(q, list[i]) })
}

// leastRole reads owned and min_access_level.
func (a *API) leastRole(q *request) (packhouse.Role, error) {
	role, err := q.params.number("min_access_level", 0)
	if err != nil {
		return 0, err
	}
	owned, err := q.params.flag("owned", false)
	if owned {
		return packhouse.Owner, err
	}
	return packhouse.Role(role), err
}

func (a *API) shareGroup(q *request) (any, error) {
	if err := a.share(q); err != nil {
		return nil, err
	}
	return a.group(q, a.Directory.Namespace(q.Target.ID)), nil
}

// share shares the request's group or project with a group that the caller sees.
func (a *API) share(q *request) error {
	id, err := q.params.number("group_id", 0)
	if err != nil {
		return err
	}
	t, _ := a.Directory.Resolve(packhouse.Group, itoa(id))
	if !a.sees(q, t) {
		return packhouse.Errorf(packhouse.NotFound, "404 Group Not Found")
	}
	level, err := q.params.number("group_access", 0)
	if err != nil {
		return err
	}
	role, err := packhouse.ParseRole(int(level))
	if err != nil {
		return packhouse.InvalidParam("group_access", "does not have a valid value")
	}
	if err := a.mayGrant(q, role); err != nil {
		return err
	}
	s := ledger.Share{Target: packhouse.Target{Level: q.Target.Level, ID: q.Target.ID}, GroupID: t.ID, Role: role}
	if s.ExpiresAt, err = expiry(q); err != nil {
		return err
	}
	return a.Changes.ShareWith(q.Context(), q.By, s)
}

func (a *API) unshare(q *request) (any, error) {
	id, err := q.id("group_id", "404 Group Link Not Found")
	if err != nil {
		return nil, err
	}
	return nil, a.Changes.Unshare(q.Context(), q.By, q.Target, id)
}

// shares is how a group or project is shared, for its own document.
func (a *API) shares(t packhouse.Target) []any {
	list := []any{}
	for _, s := range a.Directory.Shares(t) {
		n := a.Directory.Namespace(s.GroupID)
		if n == nil {
			continue
		}
		list = append(list, object{
			"group_id": n.ID, "group_name": n.Name, "group_full_path": n.Path, "group_access_level": s.Role, "expires_at": date(s.ExpiresAt),
		})
	}
	return list
}

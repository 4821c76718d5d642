package api

import (
	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/ledger"
)

func (a *API) groupEndpoints() []endpoint {
	return []endpoint{
		post(instance, "/groups", authz.CreateGroup, a.createGroup, "Make a group",
			text("name", "name to show").must(), text("path", "last part of its path").must(),
			number("parent_id", "the group to make it in"), text("description", "what it is for"),
			visibility).at(a.whereGroup),
		get(group, "/", authz.ReadGroup, a.getGroup, "Show a group"),
	}
}

// visibility is who may know that a group or project exists.
var visibility = word("visibility", "who may know that it exists", "private", "internal", "public")

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
	name, err := q.params.required("name")
	if err != nil {
		return nil, err
	}
	path, err := q.params.required("path")
	if err != nil {
		return nil, err
	}
	if err := q.params.short("name"); err != nil {
		return nil, err
	}
	n := ledger.Namespace{Name: name, Path: path, ParentID: q.Target.ID, Description: q.params.text("description")}
	if q.params.has("visibility") {
		if n.Visibility, err = packhouse.ParseVisibility(q.params.text("visibility")); err != nil {
			return nil, packhouse.InvalidParam("visibility", "does not have a valid value")
		}
	}
	made, err := a.Changes.CreateGroup(q.Context(), q.By, n)
	if err != nil {
		return nil, taken(err)
	}
	return a.group(q, made), nil
}

func (a *API) getGroup(q *request) (any, error) {
	return a.group(q, a.Directory.Namespace(q.Target.ID)), nil
}

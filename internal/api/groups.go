package api

import (
	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/ledger"
)

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
	n := ledger.Namespace{Name: name, Path: path, ParentID: q.Target.ID, Description: q.params.text("description")}
	if q.params.has("visibility") {
		if n.Visibility, err = packhouse.ParseVisibility(q.params.text("visibility")); err != nil {
			return nil, packhouse.InvalidParam("visibility", "does not have a valid value")
		}
	}
	made, err := a.Changes.CreateGroup(q.Context(), q.By, n)
	if err != nil {
		return nil, taken(err, "path")
	}
	return a.group(q, made), nil
}

func (a *API) getGroup(q *request) (any, error) {
	return a.group(q, a.Directory.Namespace(q.Target.ID)), nil
}

func (a *API) addMember(q *request) (any, error) {
	user, err := a.namedUser(q)
	if err != nil {
		return nil, err
	}
	level, err := q.params.number("access_level", 0)
	if err != nil {
		return nil, err
	}
	role, err := packhouse.ParseRole(int(level))
	if err != nil {
		return nil, packhouse.InvalidParam("access_level", "does not have a valid value")
	}
	if err := a.mayGrant(q, role); err != nil {
		return nil, err
	}
	m := ledger.Member{Target: packhouse.Target{Level: q.Target.Level, ID: q.Target.ID}, UserID: user.ID, Role: role}
	if m.ExpiresAt, err = expiry(q, "expires_at"); err != nil {
		return nil, err
	}
	made, err := a.Changes.AddMember(q.Context(), q.By, m)
	if err != nil {
		return nil, err
	}
	o := q.user(user)
	o["access_level"], o["created_at"], o["expires_at"] = made.Role, stamp(made.CreatedAt), date(made.ExpiresAt)
	o["membership_state"] = "active"
	return o, nil
}

// namedUser is whom user_id or username names.
func (a *API) namedUser(q *request) (*ledger.User, error) {
	user := a.Directory.UserByName(q.params.text("username"))
	if q.params.has("user_id") {
		id, err := q.params.number("user_id", 0)
		if err != nil {
			return nil, err
		}
		user = a.Directory.User(id)
	}
	if user == nil {
		return nil, packhouse.Errorf(packhouse.NotFound, "404 User Not Found")
	}
	return user, nil
}

// mayGrant refuses to hand out more than one has: that is a limit on the value
// of a parameter, which the decision about the request cannot see.
func (a *API) mayGrant(q *request, role packhouse.Role) error {
	own := a.Directory.Object(q.Actor, q.Target).Role
	if q.Actor.Admin || role <= own {
		return nil
	}
	return &packhouse.Error{
		Kind: packhouse.Forbidden, Rule: "role",
		Message: "you have the role " + own.String() + " here and cannot give the role " + role.String(),
		Fix:     "give a role up to your own, or ask somebody with the role " + role.String(),
	}
}

func (a *API) removeMember(q *request) (any, error) {
	id, err := q.id("user_id", "404 Member Not Found")
	if err != nil {
		return nil, err
	}
	return nil, a.Changes.RemoveMember(q.Context(), q.By, q.Target, id)
}

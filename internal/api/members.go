package api

import (
	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/ledger"
)

func (a *API) memberEndpoints() []endpoint {
	given := []param{
		text("user_id", "whom"), text("username", "whom, by name"),
		number("access_level", "role: 10 Guest, 15 Planner, 20 Reporter, 30 Developer, 40 Maintainer, 50 Owner").must(),
		text("expires_at", "day on which it ends"),
	}
	return []endpoint{
		post(project, "/members", authz.ManageProject, a.addMember, "Give a user a role in a project", given...),
		post(group, "/members", authz.OwnGroup, a.addMember, "Give a user a role in a group and all below it", given...),
		remove(project, "/members/{user_id}", authz.ManageProject, a.removeMember, "Take a user's role in a project away"),
		remove(group, "/members/{user_id}", authz.OwnGroup, a.removeMember, "Take a user's role in a group away"),
	}
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
	if err := a.notBelowInherited(q, user, role); err != nil {
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

// roleOf is the strongest role that a user has at a target, from there or above.
func (a *API) roleOf(userID int64, t packhouse.Target) packhouse.Role {
	return a.Directory.Object(packhouse.Actor{Kind: packhouse.PersonalToken, UserID: userID}, t).Role
}

// notBelowInherited refuses a role that would change nothing, because the user
// has a stronger one from a group above.
func (a *API) notBelowInherited(q *request, user *ledger.User, role packhouse.Role) error {
	above := packhouse.Target{Level: packhouse.Group}
	if p := a.Directory.Project(q.Target.ID); q.Target.Level == packhouse.Project && p != nil {
		above.ID = p.NamespaceID
	} else if n := a.Directory.Namespace(q.Target.ID); q.Target.Level == packhouse.Group && n != nil {
		above.ID = n.ParentID
	}
	inherited := a.roleOf(user.ID, above)
	if role >= inherited {
		return nil
	}
	return &packhouse.Error{
		Kind: packhouse.Invalid, Rule: "validation", Param: "access_level",
		Message: "should be greater than or equal to " + inherited.String() + " inherited membership from group " + a.Directory.PathOf(above),
	}
}

// mayGrant refuses to hand out, or to take away, more than one has: that is a
// limit on the value of a parameter, which the decision about the request
// cannot see.
func (a *API) mayGrant(q *request, role packhouse.Role) error {
	own := a.Directory.Object(q.Actor, q.Target).Role
	if q.Actor.Admin || role <= own {
		return nil
	}
	return &packhouse.Error{
		Kind: packhouse.Forbidden, Rule: "role",
		Message: "you have the role " + own.String() + " here, and this is about the role " + role.String(),
		Fix:     "choose a role up to your own, or ask somebody with the role " + role.String(),
	}
}

func (a *API) removeMember(q *request) (any, error) {
	id, err := q.id("user_id", "404 Member Not Found")
	if err != nil {
		return nil, err
	}
	if err := a.mayGrant(q, a.roleOf(id, q.Target)); err != nil {
		return nil, err
	}
	return nil, a.Changes.RemoveMember(q.Context(), q.By, q.Target, id)
}

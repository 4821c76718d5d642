package api

import (
	"slices"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/ledger"
)

func (a *API) memberEndpoints() []endpoint {
	role := []param{
		number("access_level", "role: 10 Guest, 15 Planner, 20 Reporter, 30 Developer, 40 Maintainer, 50 Owner").must(),
		text("expires_at", "day on which it ends"),
	}
	given := with(role, text("user_id", "whom; several with commas"), text("username", "whom, by name; several with commas"))
	filters := with(paged, text("query", "part of the name or user name"), list("user_ids", "these alone"), list("skip_users", "not these"))
	var all []endpoint
	for _, at := range []struct {
		level        packhouse.Level
		read, change authz.Action
	}{{project, authz.ReadProject, authz.ManageProject}, {group, authz.ReadGroup, authz.OwnGroup}} {
		all = append(all,
			get(at.level, "/members", at.read, a.listMembers, "List the members of a "+at.level.String()+" itself", filters...),
			get(at.level, "/members/all", at.read, a.listAllMembers, "List the members of a "+at.level.String()+", inherited and invited ones too", filters...),
			get(at.level, "/members/all/{user_id}", at.read, a.getAnyMember, "Show the role of a user in a "+at.level.String()+", wherever it comes from"),
			get(at.level, "/members/{user_id}", at.read, a.getMember, "Show a member of a "+at.level.String()),
			put(at.level, "/members/{user_id}", at.change, a.updateMember, "Change the role of a member of a "+at.level.String(), role...),
		)
	}
	return append(all,
		post(project, "/members", authz.ManageProject, a.addMember, "Give a user a role in a project", given...),
		post(group, "/members", authz.OwnGroup, a.addMember, "Give a user a role in a group and all below it", given...),
		remove(project, "/members/{user_id}", authz.ManageProject, a.removeMember, "Take a user's role in a project away").at(a.whoLeaves),
		remove(group, "/members/{user_id}", authz.OwnGroup, a.removeMember, "Take a user's role in a group away").at(a.whoLeaves),
	)
}

// whoLeaves: everybody may leave; to send others away takes more.
func (a *API) whoLeaves(q *request) (packhouse.Target, authz.Action, error) {
	self := q.Arg("user_id") == itoa(q.Actor.UserID)
	switch {
	case q.Target.Level == packhouse.Project && self:
		return q.Target, authz.ReadProject, nil
	case q.Target.Level == packhouse.Project:
		return q.Target, authz.ManageProject, nil
	case self:
		return q.Target, authz.ReadGroup, nil
	}
	return q.Target, authz.OwnGroup, nil
}

// member is GitLab's shape of a membership.
func (a *API) member(q *request, m *ledger.Member) any {
	u := a.Directory.User(m.UserID)
	if u == nil {
		u = &ledger.User{ID: m.UserID}
	}
	o := q.user(u)
	o["access_level"], o["created_at"], o["expires_at"] = m.Role, stamp(m.CreatedAt), date(m.ExpiresAt)
	o["membership_state"] = "active"
	return o
}

func (a *API) listMembers(q *request) (any, error)    { return a.answerMembers(q, false) }
func (a *API) listAllMembers(q *request) (any, error) { return a.answerMembers(q, true) }

func (a *API) answerMembers(q *request, inherited bool) (any, error) {
	query, only, skip := strings.ToLower(q.params.text("query")), q.params.list("user_ids"), q.params.list("skip_users")
	list := slices.DeleteFunc(a.Directory.Members(q.Target, inherited), func(m ledger.Member) bool {
		u, id := a.Directory.User(m.UserID), itoa(m.UserID)
		return u == nil || len(only) > 0 && !slices.Contains(only, id) || slices.Contains(skip, id) ||
			!strings.Contains(strings.ToLower(u.Name), query) && !strings.Contains(strings.ToLower(u.Username), query)
	})
	return q.page(len(list), func(i int) any { return a.member(q, &list[i]) })
}

func (a *API) getMember(q *request) (any, error)    { return a.oneMember(q, false) }
func (a *API) getAnyMember(q *request) (any, error) { return a.oneMember(q, true) }

func (a *API) oneMember(q *request, inherited bool) (any, error) {
	id, err := q.id("user_id", missingMember)
	if err != nil {
		return nil, err
	}
	for _, m := range a.Directory.Members(q.Target, inherited) {
		if m.UserID == id {
			return a.member(q, &m), nil
		}
	}
	return nil, packhouse.Errorf(packhouse.NotFound, missingMember)
}

const missingMember = "404 Member Not Found"

func (a *API) updateMember(q *request) (any, error) {
	id, err := q.id("user_id", missingMember)
	if err != nil {
		return nil, err
	}
	user := a.Directory.User(id)
	if user == nil {
		return nil, packhouse.Errorf(packhouse.NotFound, missingMember)
	}
	role, err := a.roleParam(q)
	if err != nil {
		return nil, err
	}
	if err := a.mayGrant(q, max(role, a.roleOf(id, q.Target))); err != nil {
		return nil, err
	}
	if err := a.notBelowInherited(q, user, role); err != nil {
		return nil, err
	}
	expires, err := expiry(q)
	if err != nil {
		return nil, err
	}
	m, err := a.Changes.UpdateMember(q.Context(), q.By, q.Target, id, func(m *ledger.Member) {
		if m.Role = role; q.params.has("expires_at") {
			m.ExpiresAt = expires
		}
	})
	if err != nil {
		return nil, err
	}
	return a.member(q, m), nil
}

// roleParam reads access_level.
func (a *API) roleParam(q *request) (packhouse.Role, error) {
	level, err := q.params.number("access_level", 0)
	if err != nil {
		return 0, err
	}
	role, err := packhouse.ParseRole(int(level))
	if err != nil {
		return 0, packhouse.InvalidParam("access_level", "does not have a valid value")
	}
	return role, nil
}

// addMember gives one user a role, or several who are named with commas: then all
// who can be given it get it, and the answer names the others, as GitLab's does.
func (a *API) addMember(q *request) (any, error) {
	role, err := a.roleParam(q)
	if err != nil {
		return nil, err
	}
	expires, err := expiry(q)
	if err != nil {
		return nil, err
	}
	named := q.params.list("user_id")
	if len(named) == 0 {
		named = q.params.list("username")
	}
	if len(named) == 1 {
		return a.addOne(q, named[0], role, expires)
	}
	failed := object{}
	for _, name := range named {
		if _, err := a.addOne(q, name, role, expires); err != nil {
			failed[name] = packhouse.AsError(err).Message
		}
	}
	if len(named) == 0 {
		return nil, packhouse.Errorf(packhouse.NotFound, "404 User Not Found")
	}
	if len(failed) > 0 {
		return object{"status": "error", "message": failed}, nil
	}
	return object{"status": "success"}, nil
}

func (a *API) addOne(q *request, name string, role packhouse.Role, expires time.Time) (any, error) {
	user, err := a.namedUser(q, name)
	if err != nil {
		return nil, err
	}
	if err := a.mayGrant(q, role); err != nil {
		return nil, err
	}
	if err := a.notBelowInherited(q, user, role); err != nil {
		return nil, err
	}
	made, err := a.Changes.AddMember(q.Context(), q.By, ledger.Member{
		Target: packhouse.Target{Level: q.Target.Level, ID: q.Target.ID}, UserID: user.ID, Role: role, ExpiresAt: expires,
	})
	if err != nil {
		return nil, err
	}
	return a.member(q, made), nil
}

// namedUser is whom user_id or username names.
func (a *API) namedUser(q *request, name string) (*ledger.User, error) {
	user := a.Directory.UserByName(name)
	if q.params.has("user_id") {
		id, ok := parseID(name)
		if !ok {
			return nil, packhouse.InvalidParam("user_id", "is invalid")
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
	id, err := q.id("user_id", missingMember)
	if err != nil {
		return nil, err
	}
	if err := a.mayGrant(q, a.roleOf(id, q.Target)); err != nil && id != q.Actor.UserID {
		return nil, err
	}
	return nil, a.Changes.RemoveMember(q.Context(), q.By, q.Target, id)
}

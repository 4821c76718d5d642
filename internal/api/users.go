package api

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
)

func (a *API) userEndpoints() []endpoint {
	list := []endpoint{
		get(instance, "/version", authz.SignedIn, a.version, "Tell the version"),
		get(instance, "/metadata", authz.SignedIn, a.version, "Tell the version, with more about the server"),
		get(instance, "/user", authz.SignedIn, a.currentUser, "Tell who you are"),

		get(instance, "/users", authz.SignedIn, a.listUsers, "List users",
			with(paged, text("username", "exactly this name"), text("search", "part of the name, the user name or, for administrators, the address"),
				flag("active", "true for those whose tokens work"), flag("blocked", "true for those who are blocked"),
				flag("external", "true for external users"), flag("exclude_external", "true leaves external users out"),
				flag("humans", "true leaves bots out"), flag("exclude_humans", "true leaves all but bots out"),
				flag("admins", "true for administrators"), text("created_after", "made from this time on"), text("created_before", "made before this time"),
				word("order_by", "the order; id when absent", "id", "name", "username", "created_at", "updated_at"), sorted)...),
		get(instance, "/users/{user_id}", authz.SignedIn, a.getUser, "Show a user"),
		post(instance, "/users", authz.AdminInstance, a.createUser, "Make a user",
			with(userParams, text("username", "name to sign in with; unique without regard to case").must())...),
		put(instance, "/users/{user_id}", authz.AdminInstance, a.updateUser, "Change a user",
			with(userParams, text("username", "name to sign in with"))...),
		remove(instance, "/users/{user_id}", authz.AdminInstance, a.deleteUser, "Remove a user for good",
			flag("hard_delete", "accepted; what the user has published stays in any case")),
		get(instance, "/users/{user_id}/memberships", authz.AdminInstance, a.listMemberships, "List where a user is a member",
			with(paged, word("type", "of this kind only", "Project", "Namespace"))...),
	}
	for _, change := range userChanges {
		list = append(list, post(instance, "/users/{user_id}/"+change.name, authz.AdminInstance, a.becomes(change.state), change.summary))
	}
	return list
}

var userParams = []param{
	text("name", "name to show"), text("email", "address"),
	flag("admin", "an administrator of the instance"), flag("external", "a stranger on internal projects"),
	flag("can_create_group", "false: makes no top-level groups"), text("note", "for administrators"),
	text("password", "to sign in with; without one only tokens and single sign-on let the user in"),
	flag("reset_password", "accepted; no mail is sent"), flag("force_random_password", "accepted; nobody would know it"),
}

// sorted is the direction of a list.
var sorted = word("sort", "the direction", "asc", "desc")

func (a *API) version(q *request) (any, error) {
	return object{
		"version": a.GitLabVersion, "revision": a.Version, "enterprise": false, "packhouse_version": a.Version,
		"kas": object{"enabled": false, "externalUrl": nil, "externalK8sProxyUrl": nil, "version": nil},
	}, nil
}

func (a *API) currentUser(q *request) (any, error) {
	return q.fullUser(a.Directory.User(q.Actor.UserID)), nil
}

func (a *API) createUser(q *request) (any, error) {
	username, err := q.params.required("username")
	if err != nil {
		return nil, err
	}
	u := ledger.User{Username: username}
	if err := userFields(q, &u); err != nil {
		return nil, err
	}
	if err := a.checkPassword(q, &u); err != nil {
		return nil, err
	}
	made, err := a.Changes.CreateUser(q.Context(), q.By, u)
	if err != nil {
		return nil, taken(err)
	}
	return q.fullUser(made), a.givePassword(q, made)
}

// checkPassword refuses a password that is given and no good, before anything is
// changed.
func (a *API) checkPassword(q *request, u *ledger.User) error {
	if !q.params.has("password") {
		return nil
	}
	return a.Passwords.Check(u.Username, u.Email, q.params.text("password"))
}

// givePassword sets the password that is given, if one is.
func (a *API) givePassword(q *request, u *ledger.User) error {
	if !q.params.has("password") {
		return nil
	}
	return a.Passwords.Set(q.Context(), q.By, u, q.params.text("password"), 0)
}

// userFields takes the attributes that were given.
func userFields(q *request, u *ledger.User) error {
	if err := q.params.short("name", "email"); err != nil {
		return err
	}
	for name, into := range map[string]*string{"name": &u.Name, "email": &u.Email, "note": &u.Note} {
		if q.params.has(name) {
			*into = q.params.text(name)
		}
	}
	groups := !u.NoGroups
	for name, into := range map[string]*bool{"admin": &u.Admin, "external": &u.External, "can_create_group": &groups} {
		v, err := q.params.flag(name, *into)
		if err != nil {
			return err
		}
		*into = v
	}
	u.NoGroups = !groups
	return nil
}

// namedInPath is the user whose id is in the path.
func (a *API) namedInPath(q *request) (*ledger.User, error) {
	const missing = "404 User Not Found"
	id, err := q.id("user_id", missing)
	if err != nil {
		return nil, err
	}
	if u := a.Directory.User(id); u != nil {
		return u, nil
	}
	return nil, packhouse.Errorf(packhouse.NotFound, missing)
}

func (a *API) getUser(q *request) (any, error) {
	u, err := a.namedInPath(q)
	if err != nil {
		return nil, err
	}
	return a.profile(q, u), nil
}

// profile is a user as the caller may see them.
func (a *API) profile(q *request, u *ledger.User) object {
	if q.Actor.Admin || u.ID == q.Actor.UserID {
		return q.fullUser(u)
	}
	return q.user(u)
}

func (a *API) updateUser(q *request) (any, error) {
	u, err := a.namedInPath(q)
	if err != nil {
		return nil, err
	}
	made, err := a.Changes.UpdateUser(q.Context(), q.By, u.ID, func(u *ledger.User) error {
		if name := q.params.text("username"); name != "" {
			u.Username = name
		}
		if err := userFields(q, u); err != nil {
			return err
		}
		return a.checkPassword(q, u)
	})
	if err != nil {
		return nil, taken(err)
	}
	return q.fullUser(made), a.givePassword(q, made)
}

func (a *API) deleteUser(q *request) (any, error) {
	u, err := a.namedInPath(q)
	if err != nil {
		return nil, err
	}
	if u.ID == q.Actor.UserID {
		return nil, &packhouse.Error{
			Kind: packhouse.Conflict, Message: "409 Conflict - you cannot remove yourself", Fix: "ask another administrator",
		}
	}
	return nil, a.Changes.RemoveUser(q.Context(), q.By, u.ID)
}

// userChanges are the endpoints that bring a user to another state.
var userChanges = []struct {
	name    string
	state   ledger.UserState
	summary string
}{
	{"block", ledger.UserBlocked, "Block a user: none of their tokens works"},
	{"unblock", "", "Make a blocked user active again"},
	{"ban", ledger.UserBanned, "Ban a user: none of their tokens works"},
	{"unban", "", "Make a banned user active again"},
	{"deactivate", ledger.UserDeactivated, "Deactivate a user: none of their tokens works"},
	{"activate", "", "Make a deactivated user active again"},
	{"approve", "", "Make a user active who waits for it"},
}

func (a *API) becomes(state ledger.UserState) handler {
	return func(q *request) (any, error) {
		u, err := a.namedInPath(q)
		if err != nil {
			return nil, err
		}
		if u.ID == q.Actor.UserID && state != "" {
			return nil, &packhouse.Error{
				Kind: packhouse.Forbidden, Rule: "self", Message: "403 Forbidden - you cannot do this to yourself", Fix: "ask another administrator",
			}
		}
		_, err = a.Changes.UpdateUser(q.Context(), q.By, u.ID, func(u *ledger.User) error {
			u.State, u.Blocked = state, false
			return nil
		})
		return true, err
	}
}

func (a *API) listMemberships(q *request) (any, error) {
	u, err := a.namedInPath(q)
	if err != nil {
		return nil, err
	}
	list := a.Directory.MembershipsOf(u.ID)
	kind := q.params.text("type")
	list = slices.DeleteFunc(list, func(m ledger.Member) bool {
		return kind == "Project" && m.Target.Level != packhouse.Project || kind == "Namespace" && m.Target.Level != packhouse.Group
	})
	return q.page(len(list), func(i int) any {
		m := list[i]
		name, kind := path.Base(m.Target.Path), "Project"
		if m.Target.Level == packhouse.Group {
			kind = "Namespace"
		}
		return object{"source_id": m.Target.ID, "source_name": name, "source_type": kind, "access_level": m.Role}
	})
}

// listUsers looks at all users, of whom there are as many as people.
func (a *API) listUsers(q *request) (any, error) {
	wanted, err := a.userFilter(q)
	if err != nil {
		return nil, err
	}
	var list []*ledger.User
	for u := range a.Directory.Users() {
		if wanted(u) {
			list = append(list, u)
		}
	}
	by := map[string]func(a, b *ledger.User) int{
		"name":       func(a, b *ledger.User) int { return cmp.Compare(a.Name, b.Name) },
		"username":   func(a, b *ledger.User) int { return cmp.Compare(a.Username, b.Username) },
		"created_at": func(a, b *ledger.User) int { return a.CreatedAt.Compare(b.CreatedAt) },
	}[q.params.text("order_by")]
	ordered(q, list, by)
	return q.page(len(list), func(i int) any { return a.profile(q, list[i]) })
}

// ordered sorts a list that is in the order of its ids: by what is asked for,
// newest first unless asked otherwise.
func ordered[T any](q *request, list []T, by func(a, b T) int) {
	if by != nil {
		slices.SortStableFunc(list, by)
	}
	if q.params.text("sort") != "asc" {
		slices.Reverse(list)
	}
}

// userFilter makes a function of the filters that were given.
func (a *API) userFilter(q *request) (func(*ledger.User) bool, error) {
	username, search := q.params.text("username"), strings.ToLower(q.params.text("search"))
	after, err := q.params.moment("created_after")
	if err != nil {
		return nil, err
	}
	before, err := q.params.moment("created_before")
	if err != nil {
		return nil, err
	}
	flags := map[string]bool{}
	for _, name := range []string{"active", "blocked", "external", "exclude_external", "humans", "exclude_humans", "admins"} {
		if flags[name], err = q.params.flag(name, false); err != nil {
			return nil, err
		}
	}
	admin := q.Actor.Admin
	return func(u *ledger.User) bool {
		found := search == "" || strings.Contains(strings.ToLower(u.Name), search) ||
			strings.Contains(strings.ToLower(u.Username), search) || admin && strings.EqualFold(u.Email, search)
		return found && (username == "" || strings.EqualFold(username, u.Username)) &&
			(!flags["active"] || u.Standing() == "active") && (!flags["blocked"] || u.Standing() == string(ledger.UserBlocked)) &&
			(!flags["external"] || u.External) && (!flags["exclude_external"] || !u.External) &&
			(!flags["humans"] || !u.Bot) && (!flags["exclude_humans"] || u.Bot) && (!flags["admins"] || u.Admin && admin) &&
			(after.IsZero() || !u.CreatedAt.Before(after)) && (before.IsZero() || u.CreatedAt.Before(before))
	}, nil
}

// expiry reads expires_at; the zero time when it was not given.
func expiry(q *request) (time.Time, error) {
	const name = "expires_at"
	t, err := directory.Expires(q.params.text(name))
	if err != nil {
		return t, packhouse.InvalidParam(name, "is invalid")
	}
	return t, nil
}

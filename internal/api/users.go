package api

import (
	"time"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
)

func (a *API) userEndpoints() []endpoint {
	return []endpoint{
		get(instance, "/version", authz.SignedIn, a.version, "Tell the version"),
		get(instance, "/metadata", authz.SignedIn, a.version, "Tell the version, with more about the server"),
		get(instance, "/user", authz.SignedIn, a.currentUser, "Tell who you are"),

		post(instance, "/users", authz.AdminInstance, a.createUser, "Make a user",
			text("username", "name to sign in with; unique without regard to case").must(),
			text("name", "name to show"), text("email", "address"),
			flag("admin", "an administrator of the instance"), flag("external", "a stranger on internal projects")),
	}
}

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
	if err := q.params.short("name", "email"); err != nil {
		return nil, err
	}
	u := ledger.User{Username: username, Name: q.params.text("name"), Email: q.params.text("email")}
	if u.Admin, err = q.params.flag("admin", false); err != nil {
		return nil, err
	}
	if u.External, err = q.params.flag("external", false); err != nil {
		return nil, err
	}
	made, err := a.Changes.CreateUser(q.Context(), q.By, u)
	if err != nil {
		return nil, taken(err)
	}
	return q.fullUser(made), nil
}

// expiry reads a date parameter; the zero time when it was not given.
func expiry(q *request, name string) (time.Time, error) {
	t, err := directory.Expires(q.params.text(name))
	if err != nil {
		return t, packhouse.InvalidParam(name, "is invalid")
	}
	return t, nil
}

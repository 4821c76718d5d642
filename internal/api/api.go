// Package api is the management API: the part of GitLab's REST API v4 that makes
// groups, projects, users and tokens, and that lists and deletes packages. The
// shapes, statuses and parameter names are GitLab's.
package api

import (
	"net/http"
	"sync"

	"packhouse"
	"packhouse/internal/authn"
	"packhouse/internal/authz"
	"packhouse/internal/directory"
	"packhouse/internal/format"
	"packhouse/internal/registry"
	"packhouse/internal/store"
)

// API is a format.Protocol that is mounted at /api/v4.
type API struct {
	Store     *store.Store
	Directory *directory.Directory
	Changes   *directory.Changes
	Issuer    authn.Issuer
	Registry  *registry.Registry
	Formats   []string // names of the formats, for filters and settings

	Version       string // of Packhouse
	GitLabVersion string // what clients are told, because some compare it

	// changingSettings is held while package settings are read, changed and put
	// back as a whole, so that of two changes neither undoes the other.
	changingSettings sync.Mutex
}

// handler is a handler of the API: it returns what is answered as JSON, with
// the status that stands in the route.
type handler func(q *request) (any, error)

// request is a request with its parameters.
type request struct {
	*http.Request
	*format.Call
	params params
	header http.Header // of the answer
}

// Routes implements format.Protocol.
func (a *API) Routes() []format.Route {
	const (
		instance = packhouse.Instance
		group    = packhouse.Group
		project  = packhouse.Project
	)
	return []format.Route{
		get(instance, "/version", authz.SignedIn, a.version),
		get(instance, "/metadata", authz.SignedIn, a.version),
		get(instance, "/user", authz.SignedIn, a.currentUser),
		get(instance, "/job", authz.OwnJob, a.currentJob),

		post(instance, "/users", authz.AdminInstance, a.createUser),
		post(instance, "/users/{user_id}/personal_access_tokens", authz.AdminInstance, a.createPersonalToken),

		located(post(instance, "/groups", authz.CreateGroup, a.createGroup), a.whereGroup),
		get(group, "/", authz.ReadGroup, a.getGroup),

		located(post(instance, "/projects", authz.CreateProject, a.createProject), a.whereProject),
		get(project, "/", authz.ReadProject, a.getProject),
		located(put(project, "/", authz.ManageProject, a.updateProject), a.whatOfProject),

		post(project, "/members", authz.ManageProject, a.addMember),
		post(group, "/members", authz.OwnGroup, a.addMember),
		remove(project, "/members/{user_id}", authz.ManageProject, a.removeMember),
		remove(group, "/members/{user_id}", authz.OwnGroup, a.removeMember),

		post(project, "/access_tokens", authz.ManageProject, a.createAccessToken),
		post(group, "/access_tokens", authz.OwnGroup, a.createAccessToken),
		get(project, "/access_tokens", authz.ManageProject, a.listAccessTokens),
		get(group, "/access_tokens", authz.OwnGroup, a.listAccessTokens),
		remove(project, "/access_tokens/{token_id}", authz.ManageProject, a.revokeAccessToken),
		remove(group, "/access_tokens/{token_id}", authz.OwnGroup, a.revokeAccessToken),

		post(project, "/deploy_tokens", authz.ManageProject, a.createDeployToken),
		post(group, "/deploy_tokens", authz.OwnGroup, a.createDeployToken),
		get(project, "/deploy_tokens", authz.ManageProject, a.listDeployTokens),
		get(group, "/deploy_tokens", authz.ManageGroup, a.listDeployTokens),
		remove(project, "/deploy_tokens/{token_id}", authz.ManageProject, a.revokeDeployToken),
		remove(group, "/deploy_tokens/{token_id}", authz.OwnGroup, a.revokeDeployToken),

		located(post(instance, "/job_tokens", authz.MintJobTokens, a.mintJobToken), a.whereJob),
		located(post(instance, "/job_tokens/{token_id}/finish", authz.MintJobTokens, a.finishJobToken), a.whereJobToken),
		located(remove(instance, "/job_tokens/{token_id}", authz.MintJobTokens, a.finishJobToken), a.whereJobToken),

		get(project, "/job_token_scope", authz.ManageProject, a.getJobTokenScope),
		patch(project, "/job_token_scope", authz.ManageProject, a.setJobTokenScope),
		get(project, "/job_token_scope/allowlist", authz.ManageProject, a.listAllowedProjects),
		post(project, "/job_token_scope/allowlist", authz.ManageProject, a.allowProject),
		remove(project, "/job_token_scope/allowlist/{admitted_id}", authz.ManageProject, a.disallowProject),
		get(project, "/job_token_scope/groups_allowlist", authz.ManageProject, a.listAllowedGroups),
		post(project, "/job_token_scope/groups_allowlist", authz.ManageProject, a.allowGroup),
		remove(project, "/job_token_scope/groups_allowlist/{admitted_id}", authz.ManageProject, a.disallowGroup),

		get(project, "/package_settings", authz.ManageProject, a.getSettings),
		put(project, "/package_settings", authz.ManageProject, a.putSettings),
		get(group, "/package_settings", authz.ReadGroup, a.getSettings),
		put(group, "/package_settings", authz.OwnGroup, a.putSettings),

		get(project, "/packages", authz.ListPackages, a.listPackages),
		get(project, "/packages/{package_id}", authz.ListPackages, a.getPackage),
		remove(project, "/packages/{package_id}", authz.RemovePackages, a.deletePackage),
		get(project, "/packages/{package_id}/package_files", authz.ListPackages, a.listFiles),
		{
			Level: project, Method: "GET", Path: "/packages/{package_id}/package_files/{file_id}/download",
			Action: authz.ListPackages, Handle: a.downloadFile,
		},
		remove(project, "/packages/{package_id}/package_files/{file_id}", authz.RemovePackages, a.deleteFile),
	}
}

func get(level packhouse.Level, path string, action authz.Action, h handler) format.Route {
	return route(level, "GET", path, action, http.StatusOK, h)
}

func post(level packhouse.Level, path string, action authz.Action, h handler) format.Route {
	return route(level, "POST", path, action, http.StatusCreated, h)
}

func put(level packhouse.Level, path string, action authz.Action, h handler) format.Route {
	return route(level, "PUT", path, action, http.StatusOK, h)
}

func patch(level packhouse.Level, path string, action authz.Action, h handler) format.Route {
	return route(level, "PATCH", path, action, http.StatusNoContent, h)
}

func remove(level packhouse.Level, path string, action authz.Action, h handler) format.Route {
	return route(level, "DELETE", path, action, http.StatusNoContent, h)
}

// locator is a format.Route.Locate with the parameters read.
type locator func(q *request) (packhouse.Target, authz.Action, error)

// located has a route's target found in the request's parameters.
func located(r format.Route, where locator) format.Route {
	r.Locate = func(hr *http.Request, c *format.Call) (packhouse.Target, authz.Action, error) {
		q, err := newRequest(hr, c, nil)
		if err != nil {
			return packhouse.Target{}, 0, err
		}
		return where(q)
	}
	return r
}

func route(level packhouse.Level, method, path string, action authz.Action, status int, h handler) format.Route {
	return format.Route{
		Level: level, Method: method, Path: path, Action: action,
		Handle: func(w http.ResponseWriter, r *http.Request, c *format.Call) error {
			q, err := newRequest(r, c, w.Header())
			if err != nil {
				return err
			}
			answer, err := h(q)
			if err != nil {
				return err
			}
			if status == http.StatusNoContent {
				w.WriteHeader(status)
				return nil
			}
			format.WriteJSON(w, status, answer)
			return nil
		},
	}
}

// newRequest reads the parameters, once for a request.
func newRequest(r *http.Request, c *format.Call, header http.Header) (*request, error) {
	p, ok := c.Parsed.(params)
	if !ok {
		var err error
		if p, err = parseParams(r); err != nil {
			return nil, err
		}
		c.Parsed = p
	}
	return &request{Request: r, Call: c, params: p, header: header}, nil
}

// WriteError implements format.Protocol.
func (a *API) WriteError(w http.ResponseWriter, _ *http.Request, e *packhouse.Error) {
	format.GitLabError(w, e)
}

// link makes an absolute link from a path below the server's public address.
func (q *request) link(path string) string {
	return q.Base().JoinPath(path).String()
}

// id reads a parameter of the path that is a number. What is no number is as
// absent as a number that nobody has.
func (q *request) id(name, missing string) (int64, error) {
	n, ok := parseID(q.Arg(name))
	if !ok {
		return 0, packhouse.Errorf(packhouse.NotFound, "%s", missing)
	}
	return n, nil
}

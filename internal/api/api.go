// Package api is the management API: the part of GitLab's REST API v4 that makes
// groups, projects, users and tokens, and that lists and deletes packages. The
// shapes, statuses and parameter names are GitLab's.
package api

import (
	"net/http"
	"slices"
	"sync"

	"packhouse"
	"packhouse/internal/authn"
	"packhouse/internal/directory"
	"packhouse/internal/format"
	"packhouse/internal/oidc"
	"packhouse/internal/registry"
	"packhouse/internal/store"
)

// API is a format.Protocol that is mounted at /api/v4.
type API struct {
	Store     *store.Store
	Directory *directory.Directory
	Changes   *directory.Changes
	Authn     *authn.Authenticator
	Issuer    authn.Issuer
	Registry  *registry.Registry
	Issuers   *oidc.Issuers
	Passwords *authn.Passwords
	Formats   []string      // names of the formats, for filters and settings
	Flags     []format.Flag // settings of one format alone

	Version       string // of Packhouse
	GitLabVersion string // what clients are told, because some compare it

	describing sync.Once
	described  *registry.Document // the OpenAPI document
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

// endpoints is the whole protocol. Each noun's table stands in the noun's file.
func (a *API) endpoints() []endpoint {
	return slices.Concat(
		a.userEndpoints(),
		a.groupEndpoints(),
		a.projectEndpoints(),
		a.memberEndpoints(),
		a.namespaceEndpoints(),
		a.tokenEndpoints(),
		a.jobTokenEndpoints(),
		a.allowlistEndpoints(),
		a.publisherEndpoints(),
		a.protectionEndpoints(),
		a.accountEndpoints(),
		a.settingsEndpoints(),
		a.instanceEndpoints(),
		a.trashEndpoints(), // "trash" is no number of a package
		a.cleanupEndpoints(),
		a.packageEndpoints(),
		a.imageEndpoints(),
		a.imageProtectionEndpoints(),
		a.explainEndpoints(),
		a.auditEndpoints(),
	)
}

// Routes implements format.Protocol.
func (a *API) Routes() []format.Route {
	var routes []format.Route
	for _, e := range a.endpoints() {
		routes = append(routes, e.Route)
	}
	return routes
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
	if oauthErrors[e.Rule] {
		writeOAuthError(w, e)
		return
	}
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

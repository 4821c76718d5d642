// Package container is the format of container images and other OCI artifacts: the
// OCI distribution protocol at /v2/ of the host, and the token service that its
// clients log in with. README.md beside this file says what it does differently
// from GitLab, and why.
package container

import (
	"net/http"
	"strings"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
)

// Container is the format. Its zero value is ready to use.
type Container struct{}

// New returns the format.
func New() Container { return Container{} }

// Name implements format.Format.
func (Container) Name() string { return "container" }

// Naming implements format.Format. Images are no packages: what names them is
// checked where it is read.
func (Container) Naming() format.Naming {
	same := func(s string) (string, error) { return strings.ToLower(s), nil }
	return format.Naming{Package: same, Version: same}
}

// Routes implements format.Format: there is nothing below …/packages/container.
func (Container) Routes() []format.Route { return nil }

// WriteError implements format.Format.
func (Container) WriteError(w http.ResponseWriter, _ *http.Request, e *packhouse.Error) {
	format.GitLabError(w, e)
}

// Mounts implements format.Mounter.
func (Container) Mounts() []format.Mount {
	return []format.Mount{
		{Word: "v2", Passes: true, Images: true, Protocol: distribution{}},
		{Word: "jwt", Protocol: tokens{}},
	}
}

// distribution is the protocol at /v2/ (OCI distribution specification 1.1).
type distribution struct{}

// Routes implements format.Protocol. Names have slashes, and a repository may be
// called as a word of the protocol, so that what stands behind the name decides.
func (d distribution) Routes() []format.Route {
	pull := func(method, path string, handle handler) format.Route {
		return image(method, path, authz.PullImages, access("pull"), handle)
	}
	push := func(method, path string, handle handler) format.Route {
		return image(method, path, authz.PushImages, access("push"), handle)
	}
	remove := func(path string, handle handler) format.Route {
		return image("DELETE", path, authz.DeleteImages, access("delete"), handle)
	}
	late := func(r format.Route) format.Route {
		r.Late = true
		return r
	}
	return []format.Route{
		{Level: packhouse.Instance, Method: "GET", Path: "/", Action: authz.Anyone, Handle: ping},
		{Level: packhouse.Instance, Method: "GET", Path: "/_catalog", Action: authz.AdminInstance, Access: wholeCatalog, Handle: catalog},
		push("POST", "/{name...}/blobs/uploads", begin),
		late(push("GET", "/{name...}/blobs/uploads/{id}", uploaded)),
		late(push("PATCH", "/{name...}/blobs/uploads/{id}", appendPiece)),
		late(push("PUT", "/{name...}/blobs/uploads/{id}", finish)),
		late(push("DELETE", "/{name...}/blobs/uploads/{id}", cancel)),
		pull("GET", "/{name...}/blobs/{digest}", getBlob),
		remove("/{name...}/blobs/{digest}", deleteBlob),
		pull("GET", "/{name...}/tags/list", listTags),
		remove("/{name...}/tags/reference/{reference}", deleteTag),
		pull("GET", "/{name...}/manifests/{reference}", getManifest),
		push("PUT", "/{name...}/manifests/{reference}", putManifest),
		remove("/{name...}/manifests/{reference}", deleteManifest),
		pull("GET", "/{name...}/referrers/{digest}", listReferrers),
	}
}

type handler = func(http.ResponseWriter, *http.Request, *format.Call) error

// image is a route about the repository that its path begins with.
func image(method, path string, action authz.Action, needs func(*format.Call) packhouse.Access, handle handler) format.Route {
	return format.Route{
		Level: packhouse.Project, Method: method, Path: path, Within: "name", Action: action, Access: needs,
		Handle: func(w http.ResponseWriter, r *http.Request, c *format.Call) error {
			w.Header()["Docker-Distribution-Api-Version"] = apiVersion
			if err := checkName(c.Arg("name")); err != nil {
				return err
			}
			return handle(w, r, c)
		},
	}
}

// apiVersion is what old clients look for (Docker Registry HTTP API V2).
var apiVersion = []string{"registry/2.0"}

// access is what a pass must have been made for.
func access(actions ...string) func(*format.Call) packhouse.Access {
	return func(c *format.Call) packhouse.Access {
		return packhouse.Access{Type: "repository", Name: c.Arg("name"), Actions: actions}
	}
}

func wholeCatalog(*format.Call) packhouse.Access {
	return packhouse.Access{Type: "registry", Name: "catalog", Actions: []string{"*"}}
}

// ping tells a client that it is at the right address and that its token is good.
func ping(w http.ResponseWriter, _ *http.Request, c *format.Call) error {
	w.Header()["Docker-Distribution-Api-Version"] = apiVersion
	if c.Actor.Kind == packhouse.Anonymous && c.Actor.Pass == nil {
		return &packhouse.Error{Kind: packhouse.Unauthenticated, Rule: "sign-in", Message: "authentication required", Fix: "ask for a token first, as docker login does"}
	}
	format.WriteJSON(w, http.StatusOK, struct{}{})
	return nil
}

// Package terraform is the format of Terraform and OpenTofu modules and providers:
// their registry protocols at the instance, GitLab's addresses for modules in projects,
// to publish and to download by URL, and addresses like those for providers. README.md beside this file says what it does differently
// from GitLab, and why.
package terraform

import (
	"net/http"
	"net/url"
	"strings"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
)

// Terraform is the format. Its zero value is ready to use.
type Terraform struct{}

// New returns the format.
func New() Terraform { return Terraform{} }

// name is what the API calls the format.
const name = "terraform_module"

// Name implements format.Format.
func (Terraform) Name() string { return name }

// Alone implements registry.Loner.
func (Terraform) Alone() bool { return true }

// Segment implements format.Addressed.
func (Terraform) Segment() string { return "terraform" }

// Naming implements format.Format: names are compared letter by letter, as the
// clients do, versions as SemVer without build metadata.
func (Terraform) Naming() format.Naming {
	return format.Naming{Package: packageKey, Version: versionKey}
}

type handler = func(http.ResponseWriter, *http.Request, *format.Call) error

// Routes implements format.Format.
func (t Terraform) Routes() []format.Route {
	const (
		module   = "/modules/{name}/{system}"
		registry = "/modules/v1/{namespace}/{name}/{system}"
		byURL    = packhouse.Project | packhouse.Group
	)
	read := func(level packhouse.Level, path string, handle handler) format.Route {
		return format.Route{Level: level, Method: "GET", Path: path, Action: authz.ReadPackages, Handle: handle}
	}
	file := read(packhouse.Instance, registry+"/{version}/file", t.grantedFile)
	file.Access = granted
	return append([]format.Route{
		read(packhouse.Instance, registry+"/versions", t.versions),
		read(packhouse.Instance, registry+"/download", t.downloadLatest),
		read(packhouse.Instance, registry, t.details),
		read(packhouse.Instance, registry+"/{version}/download", t.download),
		file,
		read(packhouse.Instance, registry+"/{version}", t.details),

		{Level: packhouse.Project, Method: "PUT", Path: module + "/{version}/file", Action: authz.PublishPackages, Handle: t.publish},
		read(byURL, module+"/{version}", t.archive),
		read(byURL, module, t.archive),
	}, t.providerRoutes()...)
}

// Mounts implements format.Mounter.
func (Terraform) Mounts() []format.Mount {
	return []format.Mount{{Word: ".well-known", Protocol: discovery{}}}
}

// discovery tells clients where the registry is
// (https://developer.hashicorp.com/terraform/internals/remote-service-discovery).
type discovery struct{}

// Routes implements format.Protocol. Clients send their token here too; whatever it
// is worth, they are told.
func (discovery) Routes() []format.Route {
	return []format.Route{{
		Level: packhouse.Instance, Method: "GET", Path: "/terraform.json", Action: authz.Anyone, Unread: true,
		Handle: func(w http.ResponseWriter, _ *http.Request, c *format.Call) error {
			// Below the base's path, if it has one: only this document has to be at the
			// root of the host. The slash at the end belongs to the protocol.
			at := func(service string) string {
				return rooted(c.Base().JoinPath("api/v4/packages/terraform", service, "v1")) + "/"
			}
			format.WriteJSON(w, http.StatusOK, map[string]string{"modules.v1": at("modules"), "providers.v1": at("providers")})
			return nil
		},
	}}
}

// rooted is the path of an address, which begins with a slash whatever the base.
func rooted(u *url.URL) string { return "/" + strings.TrimPrefix(u.EscapedPath(), "/") }

// WriteError implements format.Protocol.
func (discovery) WriteError(w http.ResponseWriter, r *http.Request, e *packhouse.Error) {
	Terraform{}.WriteError(w, r, e)
}

// WriteError implements format.Format. What is there already is 403, and what is too
// large 400, as in GitLab. Terraform prints the status alone, so that all else is for
// curl.
func (Terraform) WriteError(w http.ResponseWriter, _ *http.Request, e *packhouse.Error) {
	shown := *e
	switch e.Kind {
	case packhouse.Unauthenticated:
		format.Challenge(w.Header())
	case packhouse.Conflict:
		shown.Kind = packhouse.Forbidden
	case packhouse.TooLarge:
		shown.Kind = packhouse.Invalid
	}
	format.GitLabError(w, &shown)
}

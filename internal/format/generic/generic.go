// Package generic is the generic package format: any files, under a name, a
// version and a path, by plain PUT and GET. README.md beside this file says
// what it does differently from GitLab, and why.
package generic

import (
	"net/http"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
)

// Generic is the format. Its zero value is ready to use.
type Generic struct{}

// New returns the format.
func New() Generic { return Generic{} }

// Name implements format.Format.
func (Generic) Name() string { return "generic" }

// Naming implements format.Format. Names and versions are compared byte by
// byte: generic packages have no normal form.
func (Generic) Naming() format.Naming {
	return format.Naming{Package: checkName, Version: checkVersion}
}

// Routes implements format.Format.
func (g Generic) Routes() []format.Route {
	const path = "/{name}/{version}/{path...}"
	return []format.Route{
		{Level: packhouse.Project, Method: "PUT", Path: path, Action: authz.PublishPackages, Handle: g.upload},
		{Level: packhouse.Project, Method: "GET", Path: path, Action: authz.ReadPackages, Handle: g.download},
		{Level: packhouse.Group, Method: "GET", Path: path, Action: authz.ReadPackages, Handle: g.download},
	}
}

// WriteError implements format.Format. What other formats answer with 409 and
// 413 is a 400 here, as in GitLab.
func (Generic) WriteError(w http.ResponseWriter, _ *http.Request, e *packhouse.Error) {
	shown := *e
	switch e.Kind {
	case packhouse.Unauthenticated:
		format.Challenge(w.Header())
	case packhouse.Conflict, packhouse.TooLarge:
		shown.Kind = packhouse.Invalid
	}
	format.GitLabError(w, &shown)
}

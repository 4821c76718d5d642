// Package pypi is the format of Python packages: uploads as twine sends them, and
// the simple repository API that pip reads. README.md beside this file says what
// it does differently from GitLab, and why.
package pypi

import (
	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
)

// PyPI is the format. Its zero value is ready to use.
type PyPI struct{}

// New returns the format.
func New() PyPI { return PyPI{} }

// Name implements format.Format.
func (PyPI) Name() string { return "pypi" }

// Naming implements format.Format: PEP 503 for names, PEP 440 for versions.
func (PyPI) Naming() format.Naming {
	return format.Naming{Package: normalise, Version: versionKey}
}

// Routes implements format.Format. The simple index stands below /simple and,
// for index addresses written without that, beside it; hatch takes every index for
// a devpi and looks below /+simple. A project called "simple" is at /simple/simple/.
func (p PyPI) Routes() []format.Route {
	const everywhere = packhouse.Instance | packhouse.Group | packhouse.Project
	return []format.Route{
		{Level: packhouse.Project, Method: "POST", Path: "/", Action: authz.PublishPackages, Handle: p.upload},
		{Level: packhouse.Project, Method: "PUT", Path: "/yanked/{name}/{version}", Action: authz.DeletePackages, Handle: p.yank},
		{Level: packhouse.Project, Method: "DELETE", Path: "/yanked/{name}/{version}", Action: authz.DeletePackages, Handle: p.unyank},
		{Level: everywhere, Method: "GET", Path: "/", Action: authz.ReadPackages, Handle: p.index},
		{Level: everywhere, Method: "GET", Path: "/simple", Action: authz.ReadPackages, Handle: p.index},
		{Level: everywhere, Method: "GET", Path: "/simple/{name}", Action: authz.ReadPackages, Handle: p.page},
		{Level: everywhere, Method: "GET", Path: "/+simple/{name}", Action: authz.ReadPackages, Handle: p.page},
		{Level: everywhere, Method: "GET", Path: "/files/{sha256}/{file}", Action: authz.ReadPackages, Handle: p.download},
		{Level: everywhere, Method: "GET", Path: "/{name}", Action: authz.ReadPackages, Handle: p.page},
	}
}

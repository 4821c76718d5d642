// Package npm is the format of JavaScript packages: what npm, pnpm, Yarn and Bun
// publish, and the documents that they install from. README.md beside this file
// says what it does differently from GitLab, and why.
package npm

import (
	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
)

// NPM is the format. Its zero value is ready to use.
type NPM struct{}

// New returns the format.
func New() NPM { return NPM{} }

// Name implements format.Format.
func (NPM) Name() string { return "npm" }

// Naming implements format.Format: names are compared letter by letter, versions
// as SemVer without build metadata.
func (NPM) Naming() format.Naming {
	return format.Naming{Package: nameKey, Version: versionKey}
}

const everywhere = packhouse.Instance | packhouse.Group | packhouse.Project

// Routes implements format.Format. A package's name takes one segment or two, so
// what begins with "-" stands first and what is named by a package last.
func (n NPM) Routes() []format.Route {
	const above = packhouse.Instance | packhouse.Group
	read := func(path string, handle handler) format.Route {
		return format.Route{Level: everywhere, Method: "GET", Path: path, Action: authz.ReadPackages, Handle: handle}
	}
	at := func(level packhouse.Level, method, path string, action authz.Action, handle handler) format.Route {
		return format.Route{Level: level, Method: method, Path: path, Action: action, Handle: handle}
	}
	return append(n.accountRoutes(), []format.Route{
		read("/-/v1/search", n.search),
		at(everywhere, "POST", "/-/npm/v1/security/advisories/bulk", authz.ReadPackages, n.advisories),
		at(everywhere, "POST", "/-/npm/v1/security/audits/quick", authz.ReadPackages, n.audit),
		at(everywhere, "POST", "/-/npm/v1/security/audits", authz.ReadPackages, n.audit),
		read("/-/npm/v1/attestations/{spec...}", n.attestations),

		read("/-/package/{name...}/dist-tags", n.listTags),
		// Who may move a tag depends on the project that has the version.
		at(above, "PUT", "/-/package/{name...}/dist-tags/{tag}", authz.ReadPackages, n.putTag),
		at(above, "DELETE", "/-/package/{name...}/dist-tags/{tag}", authz.ReadPackages, n.removeTag),
		at(packhouse.Project, "PUT", "/-/package/{name...}/dist-tags/{tag}", authz.PublishPackages, n.putTag),
		at(packhouse.Project, "DELETE", "/-/package/{name...}/dist-tags/{tag}", authz.DeletePackages, n.removeTag),

		// npm ≤ 8 puts the path of the registry before that of the attestations.
		read("/{prefix...}/-/npm/v1/attestations/{spec}", n.attestations),
		at(packhouse.Project, "DELETE", "/{name...}/-/{scope}/{file}/-rev/{rev}", authz.DeletePackages, n.removeFile),
		at(packhouse.Project, "DELETE", "/{name...}/-/{file}/-rev/{rev}", authz.DeletePackages, n.removeFile),
		at(packhouse.Project, "DELETE", "/{name...}/-rev/{rev}", authz.DeletePackages, n.removePackage),
		at(packhouse.Project, "PUT", "/{name...}/-rev/{rev}", authz.DeletePackages, n.removeVersions),
		read("/{name...}/-/{scope}/{file}", n.download),
		read("/{name...}/-/{file}", n.download),

		read("/{name...}", n.packument),
		at(packhouse.Project, "PUT", "/{name...}", authz.PublishPackages, n.put),
		at(above, "PUT", "/{name...}", authz.ReadPackages, n.elsewhere),
	}...)
}

// Package nuget is the format of .NET packages: the NuGet server API in its third
// version, which dotnet and nuget.exe speak, and the OData feed before that, which
// Chocolatey and old clients read. README.md beside this file says what it does
// differently from GitLab, and why.
package nuget

import (
	"net/http"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
)

// NuGet is the format. Its zero value is ready to use.
type NuGet struct{}

// New returns the format.
func New() NuGet { return NuGet{} }

// Name implements format.Format.
func (NuGet) Name() string { return name }

// name is the format's path segment and package_type.
const name = "nuget"

// Naming implements format.Format: ids are the same in any case of their letters,
// versions when they are normalised to the same.
func (NuGet) Naming() format.Naming { return format.Naming{Package: idKey, Version: versionKey} }

type handler func(http.ResponseWriter, *http.Request, *format.Call) error

// Routes implements format.Format. The service documents are for anybody: a client
// that has an API key alone reads them without it, and they tell nothing of what is
// stored. The old feed is below /v2 and, for sources written without index.json,
// beside it.
func (n NuGet) Routes() []format.Route {
	const both = packhouse.Group | packhouse.Project
	get := func(path string, handle handler) format.Route {
		return format.Route{Level: both, Method: "GET", Path: path, Action: authz.ReadPackages, Handle: handle}
	}
	open := func(path string, handle handler) format.Route {
		return format.Route{Level: both, Method: "GET", Path: path, Action: authz.Anyone, Handle: handle}
	}
	change := func(method, path string, action authz.Action, handle handler) format.Route {
		return format.Route{Level: packhouse.Project, Method: method, Path: path, Action: action, Handle: handle}
	}
	return []format.Route{
		open("/index.json", n.service), open("/index", n.service),
		get("/download/{id}/index.json", n.versions), get("/download/{id}/index", n.versions),
		get("/download/{id}/{version}/{file}", n.download),
		get("/metadata/{id}/index.json", n.registration), get("/metadata/{id}/index", n.registration),
		get("/metadata/{id}/page/{lower}/{upper}.json", n.page),
		get("/metadata/{id}/{version}.json", n.leaf), get("/metadata/{id}/{version}", n.leaf),
		open("/symbolfiles/{file}/{signature}/{again}", n.symbol),
		get("/query", n.search), get("/autocomplete", n.autocomplete),

		change("PUT", "/", authz.PublishPackages, n.push),
		change("PUT", "/symbolpackage", authz.PublishPackages, n.pushSymbols),
		change("PUT", "/listed/{id}/{version}", authz.DeletePackages, n.relist),
		change("DELETE", "/listed/{id}/{version}", authz.DeletePackages, n.unlist),

		open("/v2", n.feedService), open("/v2/$metadata", n.feedSchema),
		change("PUT", "/v2", authz.PublishPackages, n.push),
		change("PUT", "/v2/package", authz.PublishPackages, n.push),
		get("/v2/download/{id}/{version}", n.feedDownload),
		change("DELETE", "/v2/package/{id}/{version}", authz.DeletePackages, n.remove),
		change("DELETE", "/v2/{id}/{version}", authz.DeletePackages, n.remove),
		get("/v2/{call}/$count", n.feedCount), get("/v2/{call}", n.feed),

		open("/", n.feedService), open("/$metadata", n.feedSchema),
		change("POST", "/{id}/{version}", authz.DeletePackages, n.relist),
		change("DELETE", "/{id}/{version}", authz.DeletePackages, n.remove),
		get("/{call}/$count", n.feedCount), get("/{call}", n.feed),
	}
}

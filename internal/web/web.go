// Package web is what people see who come with a browser: pages to find a package,
// to copy what installs it, and to see what became of it. They work without
// scripts, change nothing, and hold nothing that the API would not tell the same
// person.
package web

import (
	"net/http"
	"net/url"
	"strings"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/directory"
	"packhouse/internal/format"
	"packhouse/internal/registry"
	"packhouse/internal/store"
)

// Protocol is a format.Protocol that is mounted at the root of the host.
type Protocol struct {
	Store     *store.Store
	Directory *directory.Directory
	Registry  *registry.Registry
	External  *url.URL // public address; nil: as each request says
	Formats   []string // names of the formats of packages
	// Snippets are the texts about a version of a format; none when it has none.
	Snippets func(format string, p format.SnippetPlace) []format.Snippet
}

// handler answers with a page.
type handler func(q *request) error

// Routes implements format.Protocol.
func (p *Protocol) Routes() []format.Route {
	route := func(level packhouse.Level, path string, action authz.Action, handle handler) format.Route {
		return format.Route{Level: level, Method: "GET", Path: path, Action: action, Handle: p.handle(handle)}
	}
	return []format.Route{
		route(packhouse.Instance, "/", authz.Anyone, p.home),
		{Level: packhouse.Instance, Method: "GET", Path: "/-/assets/{name}", Action: authz.Anyone, Handle: p.asset},
		route(packhouse.Instance, "/explore/packages", authz.ListPackages, p.packages),
		route(packhouse.Group, "/", authz.ReadGroup, p.group),
		route(packhouse.Group, "/-/packages", authz.ListPackages, p.packages),
		route(packhouse.Project, "/", authz.ReadProject, p.project),
		route(packhouse.Project, "/-/packages", authz.ListPackages, p.packages),
		route(packhouse.Project, "/-/packages/{package_id}", authz.ListPackages, p.version),
		{
			Level: packhouse.Project, Method: "GET", Path: "/-/package_files/{file_id}/download",
			Action: authz.ListPackages, Handle: p.download,
		},
		route(packhouse.Project, "/-/container_registry", authz.ListImages, p.images),
		route(packhouse.Project, "/-/container_registry/{repository_id}", authz.ListImages, p.imageTags),
	}
}

// WantsPage reports whether a person with a browser asks.
func WantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// request is a request for a page, that the gate has let through.
type request struct {
	*format.Call
	*http.Request
	w http.ResponseWriter
}

func (p *Protocol) handle(h handler) func(http.ResponseWriter, *http.Request, *format.Call) error {
	return func(w http.ResponseWriter, r *http.Request, c *format.Call) error {
		q := &request{Call: c, Request: r, w: w}
		if to, moved := q.elsewhere(); moved {
			http.Redirect(w, r, to, http.StatusFound)
			return nil
		}
		return h(q)
	}
}

// elsewhere is the address of the page by the path that its group or project has
// now, when it was asked for by another spelling or an earlier path.
func (q *request) elsewhere() (to string, moved bool) {
	if q.Target.Level == packhouse.Instance {
		return "", false
	}
	was, is := q.Mount(), placeLink("", q.Target)
	rest, found := strings.CutPrefix(q.URL.EscapedPath(), was)
	if was == is || !found {
		return "", false
	}
	to = q.Base().EscapedPath() + is + rest
	if q.URL.RawQuery != "" {
		to += "?" + q.URL.RawQuery
	}
	return to, true
}

// placeLink is the address of the page of a group or project.
func placeLink(prefix string, t packhouse.Target) string {
	var b strings.Builder
	b.WriteString(prefix)
	if t.Level == packhouse.Group {
		b.WriteString("/groups")
	}
	for part := range strings.SplitSeq(t.Path, "/") {
		b.WriteString("/" + url.PathEscape(part))
	}
	return b.String()
}

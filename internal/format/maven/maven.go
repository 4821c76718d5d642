// Package maven is the format of Java artifacts: the repository layout that Maven,
// Gradle, sbt and Ivy deploy to and resolve from. README.md beside this file says
// what it does differently from GitLab, and why.
package maven

import (
	"net/http"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// Maven is the format. New makes one.
type Maven struct {
	given *memory // which metadata clients have
}

// New returns the format.
func New() *Maven { return &Maven{given: newMemory()} }

// name is the format's path segment and package_type.
const name = "maven"

// Name implements format.Format.
func (*Maven) Name() string { return name }

// Naming implements format.Format. A package is named by its group id and artifact
// id as they stand in addresses, "com/example/app", letter by letter.
func (*Maven) Naming() format.Naming {
	return format.Naming{Package: checkName, Version: checkVersion}
}

// Routes implements format.Format. All there is to tell apart is in the path: see
// parse.
func (m *Maven) Routes() []format.Route {
	const everywhere = packhouse.Instance | packhouse.Group | packhouse.Project
	const path = "/{path...}"
	return []format.Route{
		{Level: everywhere, Method: "GET", Path: path, Action: authz.ReadPackages, Handle: m.get},
		{Level: packhouse.Project, Method: "PUT", Path: path, Action: authz.PublishPackages, Handle: m.put},
	}
}

// put takes what a deployment sends: files, metadata, and checksums of both.
func (m *Maven) put(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	at, err := parse(c)
	if err != nil {
		return err
	}
	switch {
	case at.kind == stray:
		w.WriteHeader(http.StatusOK)
		return nil
	case at.kind == file && at.sum == "":
		return deploy(w, r, c, at)
	case at.kind == file:
		return verify(w, r, c, at)
	case at.sum == "":
		return hint(w, r, c, at)
	}
	return hintSum(w, r, at)
}

// get serves files, the metadata made of them, and checksums of both.
func (m *Maven) get(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	at, err := parse(c)
	if err != nil {
		return err
	}
	from := c.Source
	if c.Target.Level == packhouse.Instance {
		// The instance serves a package to its name alone if that is the path of its
		// project: anybody could publish another one under any other name.
		from = c.Below(at.name)
	}
	if at.kind == stray {
		return errAbsent()
	}
	if at.kind == file {
		return download(w, r, from, at)
	}
	d, err := document(r, from, c.Target.Level == packhouse.Project, at)
	if err != nil {
		return err
	}
	if at.sum != "" {
		has, ok := m.given.recall(r)
		if !ok {
			has = d.Sums()
		}
		writeSum(w, has, at.sum)
		return nil
	}
	m.given.keep(r, d.Sums())
	setSums(w.Header(), d.Sums())
	format.ServeDocument(w, r, d)
	return nil
}

// ref names the file of some coordinates.
func (at coordinates) ref() packhouse.FileRef {
	return packhouse.FileRef{Format: name, Package: at.name, Version: at.version, Path: at.file}
}

// download serves a file or a checksum of it. A client is never sent elsewhere for
// the bytes: the checksums in the header would be lost on the way, and tokens in
// headers of Maven's own would be sent there.
func download(w http.ResponseWriter, r *http.Request, from registry.Source, at coordinates) error {
	content, err := from.Open(r.Context(), at.ref())
	if err != nil {
		return err
	}
	defer content.Close()
	sums := sumsOf(content.File())
	if at.sum != "" {
		writeSum(w, sums, at.sum)
		return nil
	}
	setSums(w.Header(), sums)
	content.Here()
	return format.ServeFile(w, r, content)
}

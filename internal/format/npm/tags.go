package npm

import (
	"io"
	"net/http"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// listTags answers with the tags of a package, latest among them.
func (NPM) listTags(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	name, err := wholeName(c.Arg("name"))
	if err != nil {
		return err
	}
	v, _, err := viewOf(r, c, name)
	if err != nil {
		return err
	}
	format.ServeDocument(w, r, registry.NewDocument(typeFull, mustJSON(v.tags)))
	return nil
}

// viewOf is a package as the call's level shows it, and all that is live of it.
func viewOf(r *http.Request, c *format.Call, name string) (*view, *registry.Listing, error) {
	from, err := source(c, name)
	if err != nil {
		return nil, nil, err
	}
	l, err := from.Package(r.Context(), "npm", name)
	if err != nil {
		return nil, nil, notFound(err)
	}
	v := newView(name, l, c.Target.Level == packhouse.Project)
	if len(v.versions) == 0 {
		return nil, nil, errNotFound()
	}
	return v, l, nil
}

// putTag points a tag at a version: npm dist-tag add. Above a project it is set in
// the project that the version comes from.
func (NPM) putTag(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	name, tag, err := tagOf(c)
	if err != nil {
		return err
	}
	in := newStream(io.LimitReader(r.Body, maxTags))
	number, err := in.text(maxKey)
	if err != nil || number == "" {
		return packhouse.InvalidParam("version", "is invalid")
	}
	key, err := versionKey(number)
	if err != nil {
		return err
	}
	v, _, err := viewOf(r, c, name)
	if err != nil {
		return err
	}
	p := v.byKey[key]
	if p == nil {
		return errNotFound()
	}
	hosted, err := c.In(p.release.Version.Package.ProjectID, authz.PublishPackages)
	if err != nil {
		return err
	}
	err = hosted.Edit(r.Context(), name, func(e *registry.Edit) error {
		version, err := e.Version(key)
		if err != nil {
			return err
		}
		return e.Tag(tag, version)
	})
	if err != nil {
		return notFound(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// removeTag takes a tag away: npm dist-tag rm.
func (NPM) removeTag(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	name, tag, err := tagOf(c)
	if err != nil {
		return err
	}
	_, l, err := viewOf(r, c, name)
	if err != nil {
		return err
	}
	project := int64(0)
	for _, t := range l.Tags {
		if release := l.Release(t.VersionID); t.Name == tag && release != nil {
			project = release.Version.Package.ProjectID
		}
	}
	if project == 0 {
		return &packhouse.Error{Kind: packhouse.NotFound, Message: "404 Package tag Not Found"}
	}
	hosted, err := c.In(project, authz.DeletePackages)
	if err != nil {
		return err
	}
	if err := hosted.Edit(r.Context(), name, func(e *registry.Edit) error { return e.Untag(tag) }); err != nil {
		return notFound(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func tagOf(c *format.Call) (name, tag string, err error) {
	if name, err = wholeName(c.Arg("name")); err != nil {
		return "", "", err
	}
	tag = c.Arg("tag")
	return name, tag, checkTag(tag)
}

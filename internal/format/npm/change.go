package npm

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// deprecate marks versions as not to be used, or takes that back: npm deprecate
// sends the whole packument, with a text at those that it is about.
func (NPM) deprecate(w http.ResponseWriter, r *http.Request, c *format.Call, name string) error {
	hosted, err := c.In(c.Target.ID, deprecates)
	if err != nil {
		return err
	}
	s, err := readSubmission(r, c, false)
	if err != nil {
		return err
	}
	if len(s.deprecated) == 0 {
		return packhouse.Errorf(packhouse.Invalid, `"package versions to deprecate" not given`)
	}
	_, l, err := viewOf(r, c, name)
	if err != nil {
		return err
	}
	return applyDeprecations(w, r, hosted, name, s, l)
}

// deprecateUnnamed is deprecate for clients that do not say so, such as Yarn and
// old npm: a body without attachments whose versions are all there.
func (NPM) deprecateUnnamed(w http.ResponseWriter, r *http.Request, c *format.Call, name string, s *submission) error {
	missing := packhouse.Errorf(packhouse.Invalid, "Attachment data is empty.")
	_, l, err := viewOf(r, c, name)
	if packhouse.KindOf(err) == packhouse.NotFound && err != nil {
		return missing
	}
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, release := range l.Releases {
		there[release.Version.Number] = true
	}
	for number := range s.versions {
		if !there[number] {
			return missing
		}
	}
	hosted, err := c.In(c.Target.ID, deprecates)
	if err != nil {
		return err
	}
	return applyDeprecations(w, r, hosted, name, s, l)
}

// applyDeprecations changes those versions whose text is another now.
func applyDeprecations(w http.ResponseWriter, r *http.Request, hosted *registry.Hosted, name string, s *submission, l *registry.Listing) error {
	if s.name != "" && s.name != name {
		return invalid("body", "the address is of "+quote(name)+", the body of "+quote(s.name), "")
	}
	var changed []*registry.Release
	for _, release := range l.Releases {
		why, given := s.deprecated[release.Version.Number]
		if e, ok := release.Entry.(*entry); given && ok && e.deprecated != why {
			changed = append(changed, release)
		}
	}
	now := time.Now().UTC()
	err := hosted.Edit(r.Context(), name, func(e *registry.Edit) error {
		for _, release := range changed {
			version, err := e.Version(release.Version.Key)
			if packhouse.KindOf(err) == packhouse.NotFound && err != nil {
				continue // deleted meanwhile
			}
			if err != nil {
				return err
			}
			a, err := readAbout(version.Metadata)
			if err != nil {
				return err
			}
			a.Deprecated, a.Changed = s.deprecated[release.Version.Number], now
			data, err := json.Marshal(a)
			if err != nil {
				return err
			}
			if err := e.SetMetadata(version, data); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return notFound(err)
	}
	format.WriteJSON(w, http.StatusOK, map[string]any{"ok": true, "success": true})
	return nil
}

// removeVersions is the first step of npm unpublish of a version: the packument
// comes back without it. The revision says which state that was made of, so that a
// version published since is not taken for one to delete.
func (NPM) removeVersions(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	name, err := wholeName(c.Arg("name"))
	if err != nil {
		return err
	}
	s, err := readSubmission(r, c, false)
	if err != nil {
		return err
	}
	v, l, err := viewOf(r, c, name)
	if err != nil {
		return err
	}
	if c.Arg("rev") != v.revision {
		return errChanged()
	}
	if !s.seen["versions"] { // as npm owner sends it; not a package without versions
		return errElsewhere("npm owner", "make them members of the project")
	}
	if s.name != name {
		return invalid("body", "the address is of "+quote(name)+", the body of "+quote(s.name), "")
	}
	var gone []*registry.Release
	for _, p := range v.versions {
		if !s.versions[p.entry.number] {
			gone = append(gone, p.release)
		}
	}
	if len(gone) == len(l.Releases) && len(s.versions) > 0 {
		return invalid("body", "none of the versions is of this package", "")
	}
	if err := remove(r, c, name, gone); err != nil {
		return err
	}
	format.WriteJSON(w, http.StatusOK, map[string]any{"ok": true})
	return nil
}

// remove deletes versions, as far as they are still those that were seen.
func remove(r *http.Request, c *format.Call, name string, gone []*registry.Release) error {
	err := c.Hosted.Edit(r.Context(), name, func(e *registry.Edit) error {
		for _, release := range gone {
			version, err := e.Version(release.Version.Key)
			if err == nil && version.ID == release.Version.ID {
				err = e.Delete(version)
			}
			if err != nil && packhouse.KindOf(err) != packhouse.NotFound {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return notFound(err)
	}
	return nil
}

// removeFile is the second step of npm unpublish of a version: its tarball, which
// went with the version, so that nothing is left to do. Asked for a version that is
// there it deletes that.
func (NPM) removeFile(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	name, err := wholeName(withoutMount(c, c.Arg("name")))
	if err != nil {
		return err
	}
	file := c.Arg("file")
	if scope := c.Arg("scope"); scope != "" {
		file = scope + "/" + file
	}
	number, ok := versionOf(name, file, ".tgz")
	if !ok {
		return errNotFound()
	}
	if err := c.Hosted.Trusted(name); err != nil {
		return err
	}
	l, err := c.Source.Package(r.Context(), "npm", name)
	if err != nil && packhouse.KindOf(err) != packhouse.NotFound {
		return err
	}
	if err == nil {
		for _, release := range l.Releases {
			if release.Version.Number != number {
				continue
			}
			if c.Arg("rev") != revisionOf(l) {
				return errChanged()
			}
			if err := remove(r, c, name, []*registry.Release{release}); err != nil {
				return err
			}
		}
	}
	format.WriteJSON(w, http.StatusOK, map[string]any{"ok": true})
	return nil
}

// withoutMount takes the path of the registry off a name. npm asks for the path of
// dist.tarball below the registry's address, and takes that off by itself only where
// the registry is its default one.
func withoutMount(c *format.Call, name string) string {
	mount, err := url.PathUnescape(c.Mount())
	if err != nil {
		return name
	}
	return strings.TrimPrefix(name, strings.TrimPrefix(mount, "/")+"/")
}

// removePackage deletes all versions of a package: npm unpublish without one, or of
// the only one.
func (NPM) removePackage(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	name, err := wholeName(c.Arg("name"))
	if err != nil {
		return err
	}
	if err := c.Hosted.Edit(r.Context(), name, (*registry.Edit).DeleteAll); err != nil {
		return notFound(err)
	}
	format.WriteJSON(w, http.StatusOK, map[string]any{"ok": true})
	return nil
}

package terraform

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// grantLife is how long the address of an archive works. The client asks for it at
// once, without its token.
const grantLife = 10 * time.Minute

// grant is what the pass in the address of an archive is made for.
func grant(c *format.Call, version string) packhouse.Access {
	return packhouse.Access{
		Type: name, Name: strings.Join([]string{c.Arg("namespace"), c.Arg("name"), c.Arg("system"), version}, "/"), Actions: []string{"pull"},
	}
}

func granted(c *format.Call) packhouse.Access { return grant(c, c.Arg("version")) }

// downloadLatest sends the client to the newest version.
func (Terraform) downloadLatest(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	m, err := moduleOf(c)
	if err != nil {
		return err
	}
	newest, _, err := m.release(r, "")
	if err != nil {
		return err
	}
	w.Header().Set("Location", m.path(c, newest.Version.Number)+"/download")
	w.WriteHeader(http.StatusFound)
	return nil
}

// path is the address of a version, relative to the host: that holds behind any
// proxy.
func (m *module) path(c *format.Call, version string) string {
	return rooted(c.Base().JoinPath(c.Mount(), "modules/v1", m.namespace, m.name, m.system, version))
}

// download says where the archive is (module registry protocol, "download source
// code"). The client fetches it without a token, so the address carries a pass for
// this one file. archive=tgz, or zip, has go-getter unpack it.
func (Terraform) download(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	m, err := moduleOf(c)
	if err != nil {
		return err
	}
	found, _, err := m.release(r, c.Arg("version"))
	if err != nil {
		return err
	}
	pass, err := c.Passes.Pass(r, []packhouse.Access{grant(c, found.Version.Number)}, grantLife)
	if err != nil {
		return err
	}
	query := url.Values{"token": {pass}, "archive": {kindOf(found)}}
	w.Header().Set("X-Terraform-Get", m.path(c, found.Version.Number)+"/file?"+query.Encode())
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// grantedFile serves the archive of a version, to whoever may read it: by a pass, or
// by any other credential.
func (Terraform) grantedFile(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	m, err := moduleOf(c)
	if err != nil {
		return err
	}
	found, _, err := m.release(r, c.Arg("version"))
	if err != nil {
		return err
	}
	return m.serve(w, r, found)
}

// archiveOf is the path of a version's archive.
func archiveOf(r *registry.Release) string { return r.Files[len(r.Files)-1].Path }

// kindOf is what go-getter calls the kind of a version's archive.
func kindOf(r *registry.Release) string { return strings.TrimPrefix(path.Ext(archiveOf(r)), ".") }

// serve answers with the archive of a version.
func (m *module) serve(w http.ResponseWriter, r *http.Request, found *registry.Release) error {
	content, err := m.source.Open(r.Context(), packhouse.FileRef{
		Format: name, Package: m.key, Version: found.Version.Key, Path: archiveOf(found),
	})
	return send(w, r, content, notFound(err))
}

// send answers with a file, if it could be opened.
func send(w http.ResponseWriter, r *http.Request, content *registry.Content, err error) error {
	if err != nil {
		return err
	}
	defer content.Close()
	return format.ServeFile(w, r, content)
}

// archive is a module by its URL in a project or a group. go-getter first asks with
// ?terraform-get=1 what it is, and then for the archive.
func (Terraform) archive(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	probe := r.URL.Query().Get("terraform-get")
	if probe != "" && probe != "1" {
		return packhouse.InvalidParam("terraform-get", "does not have a valid value")
	}
	m := &module{name: c.Arg("name"), system: c.Arg("system"), source: c.Source}
	var err error
	if m.key, err = moduleKey(m.name, m.system); err != nil {
		return err
	}
	if version := c.Arg("version"); version != "" {
		if _, err := versionKey(version); err != nil {
			return err
		}
	}
	found, _, err := m.release(r, c.Arg("version"))
	if err != nil {
		return err
	}
	if probe == "" {
		return m.serve(w, r, found)
	}
	to := c.Base().JoinPath(c.Mount(), "modules", m.name, m.system, found.Version.Number)
	to.RawQuery = "archive=" + kindOf(found)
	w.Header().Set("X-Terraform-Get", to.String())
	w.WriteHeader(http.StatusNoContent)
	return nil
}

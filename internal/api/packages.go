package api

import (
	"net/http"
	"net/url"
	"slices"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
	"packhouse/internal/store"
)

// packageTypes are those of GitLab. A filter by one that has no format here
// finds nothing.
var packageTypes = []string{
	"maven", "npm", "conan", "nuget", "pypi", "composer", "generic", "golang", "debian", "rubygems", "helm",
	"terraform_module", "rpm", "ml_model", "cargo",
}

func (a *API) packageEndpoints() []endpoint {
	return []endpoint{
		get(project, "/packages", authz.ListPackages, a.listPackages, "List the packages of a project", packageLists...),
		get(group, "/packages", authz.ListPackages, a.listPackages, "List the packages of a group",
			with(packageLists, flag("exclude_subgroups", "true leaves out those of groups in it"))...),
		get(project, "/packages/{package_id}", authz.ListPackages, a.getPackage, "Show a package"),
		remove(project, "/packages/{package_id}", authz.RemovePackages, a.deletePackage, "Delete a package"),
		get(project, "/packages/{package_id}/package_files", authz.ListPackages, a.listFiles, "List the files of a package", paged...),
		{
			Route: format.Route{
				Level: project, Method: "GET", Path: "/packages/{package_id}/package_files/{file_id}/download",
				Action: authz.ListPackages, Handle: a.downloadFile,
			},
			summary: "Download a file of a package",
		},
		remove(project, "/packages/{package_id}/package_files/{file_id}", authz.RemovePackages, a.deleteFile, "Delete a file of a package"),
	}
}

// packageLists are the filters of every list of packages.
var packageLists = with(paged,
	text("package_name", "part of the name"), text("package_version", "the whole version"), text("package_type", "of this format"),
	word("status", "with this status; default and error when absent", "default", "hidden", "error", "processing", "deprecated", "pending_destruction"),
	flag("include_versionless", "accepted"), word("order_by", "the order", "created_at"),
	word("sort", "the direction of the order; asc when absent", "asc", "desc"))

// listPackages lists the packages of a project, or of a group those that the
// caller may read. In GitLab's words they are versions.
func (a *API) listPackages(q *request) (any, error) {
	page, perPage, err := q.window()
	if err != nil {
		return nil, err
	}
	filter, err := a.packageFilter(q)
	if err != nil {
		return nil, err
	}
	window := store.Page{Offset: (page - 1) * perPage, Limit: perPage, Descending: q.params.text("sort") == "desc"}
	list := []any{}
	err = a.Store.View(q.Context(), func(tx *store.Tx) error {
		versions, total, err := tx.Versions(q.Context(), filter, window)
		if err != nil {
			return err
		}
		for i := range versions {
			list = append(list, a.packageOf(q, &versions[i]))
		}
		q.pageHeaders(page, perPage, total)
		return nil
	})
	return list, err
}

func (a *API) packageFilter(q *request) (store.VersionFilter, error) {
	f := store.VersionFilter{
		ProjectIDs: []int64{q.Target.ID}, Name: q.params.text("package_name"), Number: q.params.text("package_version"),
	}
	if q.Target.Level == packhouse.Group {
		direct, err := q.params.flag("exclude_subgroups", false)
		if err != nil {
			return f, err
		}
		f.ProjectIDs = slices.DeleteFunc(slices.Clone(a.Directory.Reader(q.Actor, q.Target).All().IDs), func(id int64) bool {
			p := a.Directory.Project(id)
			return p == nil || direct && p.NamespaceID != q.Target.ID
		})
	}
	var err error
	if f.Format, err = q.params.oneOf("package_type", slices.Concat(packageTypes, a.Formats)...); err != nil {
		return f, err
	}
	if status := q.params.text("status"); status != "" {
		f.Statuses = []packhouse.Status{packhouse.Status(status)}
	}
	return f, err
}

// packageOf is one version in GitLab's shape of a package.
func (a *API) packageOf(q *request, v *packhouse.Version) object {
	links, home := object{}, packhouse.Target{Level: packhouse.Project, ID: v.Package.ProjectID}
	home.Path = a.Directory.PathOf(home)
	if v.Status == packhouse.StatusDefault {
		links["web_path"] = q.Base().JoinPath(home.Path, "-/packages", itoa(v.ID)).EscapedPath()
	}
	if authz.Decide(q.Actor, authz.RemovePackages, a.Directory.Object(q.Actor, home)).Outcome == authz.Allow {
		links["delete_api_path"] = q.link("api/v4/projects/" + itoa(home.ID) + "/packages/" + itoa(v.ID))
	}
	o := object{
		"id": v.ID, "name": v.Package.Name, "version": v.Number, "package_type": v.Package.Format,
		"status": v.Status, "created_at": stamp(v.CreatedAt), "last_downloaded_at": nil,
		"project_id": home.ID, "tags": []any{}, "pipelines": []any{}, "_links": links,
	}
	if q.Target.Level == packhouse.Group {
		o["project_path"] = home.Path
	}
	if v.Pipeline != nil {
		o["pipeline"] = q.pipeline(v.Pipeline)
	}
	return o
}

// pipeline is a CI run in GitLab's shape.
func (q *request) pipeline(p *packhouse.Pipeline) object {
	return object{
		"id": p.ID, "iid": p.IID, "project_id": p.ProjectID, "sha": p.SHA, "ref": p.Ref,
		"status": p.Status, "source": p.Source, "web_url": p.WebURL,
	}
}

// shown finds the version that the path names, if single requests show it.
func (a *API) shown(q *request, tx *store.Tx) (*packhouse.Version, error) {
	id, err := q.id("package_id", "404 Package Not Found")
	if err != nil {
		return nil, err
	}
	return tx.Version(q.Context(), q.Target.ID, id)
}

func (a *API) getPackage(q *request) (any, error) {
	var answer object
	err := a.Store.View(q.Context(), func(tx *store.Tx) error {
		v, err := a.shown(q, tx)
		if err != nil {
			return err
		}
		if v.Status != packhouse.StatusDefault {
			return packhouse.Errorf(packhouse.NotFound, "404 Package Not Found")
		}
		last, err := tx.LastDownload(q.Context(), v.ID)
		answer = a.packageOf(q, v)
		answer["last_downloaded_at"] = moment(last)
		return err
	})
	return answer, err
}

func (a *API) deletePackage(q *request) (any, error) {
	id, err := q.id("package_id", "404 Package Not Found")
	if err != nil {
		return nil, err
	}
	return nil, q.Hosted.DeleteVersion(q.Context(), id)
}

func (a *API) listFiles(q *request) (any, error) {
	page, perPage, err := q.window()
	if err != nil {
		return nil, err
	}
	// Files are listed in the order of their ids, which is that of their making.
	if _, err := q.params.oneOf("order_by", "id", "created_at"); err != nil {
		return nil, err
	}
	if _, err := q.params.oneOf("sort", "asc"); err != nil {
		return nil, err
	}
	list := []any{}
	err = a.Store.View(q.Context(), func(tx *store.Tx) error {
		v, err := a.shown(q, tx)
		if err != nil {
			return err
		}
		files, total, err := tx.Files(q.Context(), v.ID, store.Page{Offset: (page - 1) * perPage, Limit: perPage})
		if err != nil {
			return err
		}
		for i := range files {
			list = append(list, q.file(&files[i]))
		}
		q.pageHeaders(page, perPage, total)
		return nil
	})
	return list, err
}

// file is a file in GitLab's shape. A path with directories is percent-encoded
// as a whole, because scripts paste it into a download URL.
func (q *request) file(f *packhouse.File) object {
	o := object{
		"id": f.ID, "package_id": f.VersionID, "created_at": stamp(f.CreatedAt), "file_name": url.PathEscape(f.Path),
		"size": f.Size, "file_md5": optional(f.MD5), "file_sha1": optional(f.SHA1), "file_sha256": f.SHA256,
	}
	if f.Pipeline != nil {
		o["pipelines"] = []any{q.pipeline(f.Pipeline)}
	}
	return o
}

func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (a *API) downloadFile(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	q := &request{Request: r, Call: c}
	versionID, err := q.id("package_id", "404 Package Not Found")
	if err != nil {
		return err
	}
	fileID, err := q.id("file_id", "404 File Not Found")
	if err != nil {
		return err
	}
	content, err := a.Registry.OpenFile(r.Context(), c.Target.ID, versionID, fileID)
	if err != nil {
		return err
	}
	defer content.Close()
	return format.ServeFile(w, r, content)
}

func (a *API) deleteFile(q *request) (any, error) {
	versionID, err := q.id("package_id", "404 Package Not Found")
	if err != nil {
		return nil, err
	}
	fileID, err := q.id("file_id", "404 File Not Found")
	if err != nil {
		return nil, err
	}
	return nil, q.Hosted.DeleteFile(q.Context(), versionID, fileID)
}

// sees reports whether the caller may know of a group or project that a
// parameter names.
func (a *API) sees(q *request, t packhouse.Target) bool {
	action := authz.ReadProject
	if t.Level == packhouse.Group {
		action = authz.ReadGroup
	}
	return authz.Decide(q.Actor, action, a.Directory.Object(q.Actor, t)).Outcome == authz.Allow
}

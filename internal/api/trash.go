package api

import (
	"fmt"
	"net/url"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/store"
)

// The trash: what was deleted, and can be brought back until its time is over.
// GitLab has none.

const missingTrash = "404 Trash Item Not Found"

func (a *API) trashEndpoints() []endpoint {
	const one = "/packages/trash/{trash_id}"
	filters := []param{
		number("per_page", "how many on a page, 20 unless said otherwise and 100 at the most"),
		number("cursor", "where the page before ended"),
		text("package_name", "part of the name"), text("package_type", "of this format"),
		number("cleanup_run_id", "what this cleanup deleted"),
	}
	return []endpoint{
		get(project, "/packages/trash", authz.ReadTrash, a.listTrash, "List what was deleted from a project, the last first", filters...),
		get(group, "/packages/trash", authz.ReadTrash, a.listTrash, "List what was deleted from the projects of a group, the last first", filters...),
		get(project, one, authz.ReadTrash, a.getTrash, "Show what one deletion took"),
		post(project, one+"/restore", authz.RestorePackages, a.restoreTrash, "Bring back all that one deletion took"),
		remove(project, one, authz.PurgePackages, a.purgeTrash, "Delete for good what one deletion took"),
	}
}

// trashFilter reads the filters, and chooses the projects of a group that the caller
// may read.
func (a *API) trashFilter(q *request) (f store.TrashFilter, err error) {
	f.ProjectIDs = []int64{q.Target.ID}
	if q.Target.Level == packhouse.Group {
		f.ProjectIDs = a.Directory.Reader(q.Actor, q.Target).All().IDs
	}
	f.Name, f.Format = q.params.text("package_name"), q.params.text("package_type")
	if f.Before, err = q.params.number("cursor", 0); err != nil {
		return f, err
	}
	f.RunID, err = q.params.number("cleanup_run_id", 0)
	return f, err
}

func (a *API) listTrash(q *request) (any, error) {
	f, err := a.trashFilter(q)
	if err != nil {
		return nil, err
	}
	_, perPage, err := q.window()
	if err != nil {
		return nil, err
	}
	items, err := a.Registry.Trash(q.Context(), f, perPage+1) // one more, to know whether there is a next page
	if err != nil {
		return nil, err
	}
	more := len(items) > perPage
	items = items[:min(len(items), perPage)]
	q.keysetHeaders(perPage, more, func(v url.Values) {
		v.Del("pagination") // there is no other
		v.Set("cursor", fmt.Sprint(items[len(items)-1].ID))
	})
	list := []any{}
	for i := range items {
		list = append(list, a.trashed(&items[i]))
	}
	return list, nil
}

func (a *API) getTrash(q *request) (any, error) {
	id, err := q.id("trash_id", missingTrash)
	if err != nil {
		return nil, err
	}
	item, err := a.Registry.TrashItem(q.Context(), q.Target.ID, id)
	if err != nil {
		return nil, err
	}
	return a.trashed(item), nil
}

func (a *API) restoreTrash(q *request) (any, error) {
	id, err := q.id("trash_id", missingTrash)
	if err != nil {
		return nil, err
	}
	item, err := q.Hosted.Restore(q.Context(), id)
	if err != nil {
		return nil, err
	}
	return a.trashed(item), nil
}

func (a *API) purgeTrash(q *request) (any, error) {
	id, err := q.id("trash_id", missingTrash)
	if err != nil {
		return nil, err
	}
	return nil, q.Hosted.PurgeTrash(q.Context(), id)
}

// trashed is what one deletion took.
func (a *API) trashed(t *store.Trashed) object {
	home := packhouse.Target{Level: packhouse.Project, ID: t.Package.ProjectID}
	o := object{
		"id": t.ID, "kind": t.Kind, "project_id": home.ID, "project_path": a.Directory.PathOf(home),
		"package_type": t.Package.Format, "name": t.Package.Name, "version": t.Version, "file_name": orNull(t.Path),
		"version_count": t.Versions, "file_count": t.Files, "size": t.Bytes,
		"deleted_at": stamp(t.DeletedAt), "restorable_until": stamp(t.DeletedAt.Add(a.Registry.Retention())),
		"deleted_by":     object{"author_class": author(t.By), "author_name": orNull(t.By.Name), "author_id": t.By.UserID, "token_id": t.By.TokenID},
		"cleanup_run_id": nil,
	}
	if t.RunID != 0 {
		o["cleanup_run_id"] = t.RunID
	}
	if t.Kind == store.TrashPackage {
		o["version"] = nil
	}
	return o
}

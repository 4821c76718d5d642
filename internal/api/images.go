package api

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
	"packhouse/internal/registry"
	"packhouse/internal/store"
)

func (a *API) imageEndpoints() []endpoint {
	const one = "/registry/repositories/{repository_id}"
	counts := []param{flag("tags", "true adds the tags"), flag("tags_count", "true adds how many tags there are")}
	return []endpoint{
		get(project, "/registry/repositories", authz.ListImages, a.listRepositories, "List the repositories of container images of a project", with(paged, counts...)...),
		get(group, "/registry/repositories", authz.ReadGroup, a.listGroupRepositories, "List the repositories of container images of all projects of a group", paged...),
		remove(project, one, authz.RemoveImages, a.clearRepository, "Delete a repository of container images with all that is in it").answering(202),
		get(project, "/registry/cleanup_policy", authz.ManageProject, a.getImageCleanup, "Show the cleanup policy of the container images of a project, and what its last run did"),
		get(project, "/registry/cleanup_policy/preview", authz.ManageProject, a.previewImageCleanup,
			"List the tags that a run of the cleanup policy would delete, by repository, as it is or with other values", with(paged, imageCleanupParams("")...)...),
		get(project, one+"/tags", authz.ListImages, a.listImageTags, "List the tags of a repository of container images", paged...),
		remove(project, one+"/tags", authz.RemoveImages, a.removeImageTags, "Delete many tags of a repository of container images", untagParams()...).answering(202),
		get(project, one+"/tags/{tag_name}", authz.ListImages, a.getImageTag, "Show a tag of a repository of container images"),
		remove(project, one+"/tags/{tag_name}", authz.UntagImages, a.removeImageTag, "Delete a tag of a repository of container images").answering(200),
	}
}

// imageName is the name of a repository without the host.
func (a *API) imageName(r *packhouse.Repository) string {
	path := strings.ToLower(a.Directory.PathOf(packhouse.Target{Level: packhouse.Project, ID: r.ProjectID}))
	if r.Name == "" {
		return path
	}
	return path + "/" + r.Name
}

func (a *API) repository(q *request, r *packhouse.Repository) object {
	path := a.imageName(r)
	o := object{
		"id": r.ID, "name": r.Name, "path": path, "project_id": r.ProjectID, "location": q.ImageHost() + "/" + path,
		"created_at": stamp(r.CreatedAt), "cleanup_policy_started_at": moment(r.CleanedAt), "status": nil,
	}
	home := packhouse.Target{Level: packhouse.Project, ID: r.ProjectID}
	if authz.Decide(q.Actor, authz.RemoveImages, a.Directory.Object(q.Actor, home)).Outcome == authz.Allow {
		o["delete_api_path"] = q.link("api/v4/projects/" + itoa(r.ProjectID) + "/registry/repositories/" + itoa(r.ID))
	}
	return o
}

func (a *API) imageTag(q *request, r *packhouse.Repository, t *packhouse.ImageTag) object {
	path := a.imageName(r) + ":" + t.Name
	return object{"name": t.Name, "path": path, "location": q.ImageHost() + "/" + path}
}

func (a *API) listRepositories(q *request) (any, error) {
	page, perPage, err := q.window()
	if err != nil {
		return nil, err
	}
	tags, err := q.params.flag("tags", false)
	if err != nil {
		return nil, err
	}
	count, err := q.params.flag("tags_count", false)
	if err != nil {
		return nil, err
	}
	list := []any{}
	err = a.Store.View(q.Context(), func(tx *store.Tx) error {
		found, total, err := tx.RepositoriesOf(q.Context(), q.Target.ID, (page-1)*perPage, perPage)
		if err != nil {
			return err
		}
		for i := range found {
			o := a.repository(q, &found[i])
			if count {
				if o["tags_count"], err = tx.CountImageTags(q.Context(), found[i].ID); err != nil {
					return err
				}
			}
			if tags {
				some, err := tx.ImageTagsAt(q.Context(), found[i].ID, 0, maxPerPage)
				if err != nil {
					return err
				}
				shown := []any{}
				for j := range some {
					shown = append(shown, a.imageTag(q, &found[i], &some[j]))
				}
				o["tags"] = shown
			}
			list = append(list, o)
		}
		q.pageHeaders(page, perPage, total)
		return nil
	})
	return list, err
}

// listGroupRepositories lists the repositories of those projects below the group whose
// images the caller may list.
func (a *API) listGroupRepositories(q *request) (any, error) {
	page, perPage, err := q.window()
	if err != nil {
		return nil, err
	}
	var projects []int64
	for p := range a.Directory.Projects(q.Actor, directory.ProjectFilter{Below: q.Target}) {
		projects = append(projects, p.ID)
	}
	projects = slices.DeleteFunc(projects, func(id int64) bool {
		object := a.Directory.Object(q.Actor, packhouse.Target{Level: packhouse.Project, ID: id})
		return authz.Decide(q.Actor, authz.ListImages, object).Outcome != authz.Allow
	})
	list := []any{}
	err = a.Store.View(q.Context(), func(tx *store.Tx) error {
		found, total, err := tx.RepositoriesIn(q.Context(), projects, (page-1)*perPage, perPage)
		for i := range found {
			list = append(list, a.repository(q, &found[i]))
		}
		q.pageHeaders(page, perPage, total)
		return err
	})
	return list, err
}

// repositoryOf finds the repository that the path names, in the project that it
// names.
func (a *API) repositoryOf(q *request, tx *store.Tx) (packhouse.Repository, error) {
	id, err := q.id("repository_id", "404 Not found")
	if err != nil {
		return packhouse.Repository{}, err
	}
	r, err := tx.RepositoryByID(q.Context(), id)
	if err == nil && r.ProjectID != q.Target.ID {
		err = packhouse.Errorf(packhouse.NotFound, "404 Not found")
	}
	return r, err
}

func (a *API) listImageTags(q *request) (any, error) {
	page, perPage, err := q.window()
	if err != nil {
		return nil, err
	}
	list := []any{}
	err = a.Store.View(q.Context(), func(tx *store.Tx) error {
		r, err := a.repositoryOf(q, tx)
		if err != nil {
			return err
		}
		total, err := tx.CountImageTags(q.Context(), r.ID)
		if err != nil {
			return err
		}
		tags, err := tx.ImageTagsAt(q.Context(), r.ID, (page-1)*perPage, perPage)
		for i := range tags {
			list = append(list, a.imageTag(q, &r, &tags[i]))
		}
		q.pageHeaders(page, perPage, total)
		return err
	})
	return list, err
}

// getImageTag shows a tag. An index has no config, and so no revision.
func (a *API) getImageTag(q *request) (any, error) {
	var (
		r    packhouse.Repository
		o    object
		part packhouse.Part
	)
	name := q.Arg("tag_name")
	err := a.Store.View(q.Context(), func(tx *store.Tx) (err error) {
		if r, err = a.repositoryOf(q, tx); err != nil {
			return err
		}
		tag, err := tx.ImageTag(q.Context(), r.ID, name)
		if err != nil {
			return err
		}
		if part, err = tx.TaggedPart(q.Context(), r.ID, name); err != nil {
			return err
		}
		size, err := tx.ImageSize(q.Context(), part.ID)
		o = a.imageTag(q, &r, &tag)
		o["digest"], o["media_type"], o["total_size"] = part.Digest, part.MediaType, size
		o["created_at"], o["pushed_at"] = stamp(tag.PushedAt), stamp(tag.PushedAt)
		return err
	})
	if err != nil {
		return nil, err
	}
	o["revision"], o["short_revision"], err = a.revision(q, &r, part.Digest)
	return o, err
}

// revision is the digest of an image's config, and its beginning; nil for an index.
func (a *API) revision(q *request, r *packhouse.Repository, digest string) (whole, short any, err error) {
	imager, ok := a.Registry.Project(r.ProjectID).(registry.Imager)
	if !ok {
		return nil, nil, errors.New("api: a project is no source of images")
	}
	content, err := imager.Repository(r.Name).Manifest(q.Context(), digest)
	if err != nil {
		return nil, nil, err
	}
	defer content.Close()
	data, err := io.ReadAll(content.Reader())
	if err != nil {
		return nil, nil, err
	}
	var m struct{ Config struct{ Digest string } }
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, nil, err
	}
	_, hex, ok := strings.Cut(m.Config.Digest, ":")
	if !ok || len(hex) < 9 {
		return nil, nil, nil
	}
	return hex, hex[:9], nil
}

func (a *API) removeImageTag(q *request) (any, error) {
	repo, err := a.hostedRepository(q)
	if err != nil {
		return nil, err
	}
	return nil, repo.Untag(q.Context(), q.Arg("tag_name"))
}

// clearRepository ends all that is in a repository. The bytes go later.
func (a *API) clearRepository(q *request) (any, error) {
	repo, err := a.hostedRepository(q)
	if err != nil {
		return nil, err
	}
	return true, repo.Clear(q.Context())
}

// hostedRepository is what can be changed of the repository that the path names.
func (a *API) hostedRepository(q *request) (*registry.HostedRepository, error) {
	var r packhouse.Repository
	err := a.Store.View(q.Context(), func(tx *store.Tx) (err error) {
		r, err = a.repositoryOf(q, tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return a.Registry.Hosted(r.ProjectID, ledger.Images, q.Actor, q.By).Repository(r.Name), nil
}

package web

import (
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/store"
)

type repositoryRow struct {
	Name, Link string
	At         time.Time
}

// images lists the repositories of container images of a project.
func (p *Protocol) images(q *request) error {
	page, err := q.number("page", 1)
	if err != nil {
		return err
	}
	var data struct {
		Rows           []repositoryRow
		Push           string
		Previous, Next string
	}
	data.Push = q.ImageHost() + "/" + strings.ToLower(q.Target.Path)
	err = p.Store.View(q.Context(), func(tx *store.Tx) error {
		found, total, err := tx.RepositoriesOf(q.Context(), q.Target.ID, int(page-1)*pageRows, pageRows)
		if err != nil {
			return err
		}
		for i := range found {
			link := placeLink(q.Base().EscapedPath(), q.Target) + "/-/container_registry/" + itoa(found[i].ID)
			data.Rows = append(data.Rows, repositoryRow{p.imageName(q, &found[i]), link, found[i].CreatedAt})
		}
		if page > 1 {
			data.Previous = "?page=" + itoa(page-1)
		}
		if int64(total) > page*pageRows {
			data.Next = "?page=" + itoa(page+1)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.show(q, "images", frame{
		Title: "Images · " + q.Target.Path, Crumbs: p.crumbs(q), Tabs: q.tabs("Images"), Data: data,
		API: "/api/v4/projects/" + itoa(q.Target.ID) + "/registry/repositories",
	})
}

// number reads a parameter that is a small number.
func (q *request) number(name string, otherwise int64) (int64, error) {
	text := q.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	var n int64
	for _, c := range text {
		if c < '0' || c > '9' || n > 1000 {
			return 0, packhouse.InvalidParam(name, "does not have a valid value")
		}
		n = n*10 + int64(c-'0')
	}
	if n < 1 {
		return 0, packhouse.InvalidParam(name, "does not have a valid value")
	}
	return n, nil
}

// imageName is the name of a repository without the host.
func (p *Protocol) imageName(q *request, r *packhouse.Repository) string {
	name := strings.ToLower(q.Target.Path)
	if r.Name != "" {
		name += "/" + r.Name
	}
	return name
}

// imageTags lists the tags of a repository.
func (p *Protocol) imageTags(q *request) error {
	id, err := q.id("repository_id", "404 Not Found")
	if err != nil {
		return err
	}
	var data struct {
		Name, Pull, Next string
		Tags             []packhouse.ImageTag
	}
	err = p.Store.View(q.Context(), func(tx *store.Tx) error {
		r, err := tx.RepositoryByID(q.Context(), id)
		if err != nil {
			return err
		}
		if r.ProjectID != q.Target.ID {
			return packhouse.Errorf(packhouse.NotFound, "404 Not Found")
		}
		data.Name = p.imageName(q, &r)
		data.Tags, err = tx.ImageTags(q.Context(), id, q.URL.Query().Get("after"), pageRows+1)
		return err
	})
	if err != nil {
		return err
	}
	data.Pull = q.ImageHost() + "/" + data.Name
	if len(data.Tags) > pageRows {
		data.Tags = data.Tags[:pageRows]
		data.Next = data.Tags[pageRows-1].Name
	}
	crumbs := append(p.crumbs(q), crumb{Name: "Images", Link: q.tabs("")[2].Link})
	return p.show(q, "tags", frame{
		Title: data.Name, Crumbs: crumbs, Tabs: q.tabs("Images"), Data: data,
		API: "/api/v4/projects/" + itoa(q.Target.ID) + "/registry/repositories/" + itoa(id) + "/tags",
	})
}

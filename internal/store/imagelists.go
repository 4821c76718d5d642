package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"

	"packhouse"
)

const holdsManifest = ` EXISTS (SELECT 1 FROM parts p WHERE p.repository_id = r.id AND p.manifest = 1 AND p.until_seq IS NULL)`

// RepositoriesOf lists the repositories of a project that have something in them,
// by id, and says how many there are.
func (tx *Tx) RepositoriesOf(ctx context.Context, projectID int64, offset, limit int) (list []packhouse.Repository, total int, err error) {
	const where = ` WHERE r.project_id = $1 AND` + holdsManifest
	if err := tx.row(ctx, `SELECT COUNT(*) FROM repositories r`+where, []any{projectID}, &total); err != nil {
		return nil, 0, err
	}
	list, err = collect(ctx, tx, readRepository, selectRepository+where+` ORDER BY r.id LIMIT $2 OFFSET $3`, projectID, limit, offset)
	return list, total, err
}

// RepositoriesIn is RepositoriesOf some projects. It takes a query for every hundred of
// them, of which each reads as far as the end of the page.
func (tx *Tx) RepositoriesIn(ctx context.Context, projects []int64, offset, limit int) (list []packhouse.Repository, total int, err error) {
	for chunk := range slices.Chunk(projects, listChunk) {
		args := make([]any, 0, listChunk+1)
		for i := range listChunk {
			args = append(args, chunk[min(i, len(chunk)-1)])
		}
		where := ` WHERE r.project_id IN (` + parameters(1, listChunk) + `) AND` + holdsManifest
		var n int
		if err := tx.row(ctx, `SELECT COUNT(*) FROM repositories r`+where, args, &n); err != nil {
			return nil, 0, err
		}
		q := selectRepository + where + fmt.Sprintf(` ORDER BY r.id LIMIT $%d`, listChunk+1)
		part, err := collect(ctx, tx, readRepository, q, append(args, offset+limit)...)
		if err != nil {
			return nil, 0, err
		}
		list, total = append(list, part...), total+n
	}
	slices.SortFunc(list, func(a, b packhouse.Repository) int { return cmp.Compare(a.ID, b.ID) })
	list = list[min(offset, len(list)):]
	return list[:min(limit, len(list))], total, nil
}

// RepositoryByID finds a repository of any project that has something in it.
// packhouse.NotFound: there is none.
func (tx *Tx) RepositoryByID(ctx context.Context, id int64) (packhouse.Repository, error) {
	all, err := collect(ctx, tx, readRepository, selectRepository+` WHERE r.id = $1 AND`+holdsManifest, id)
	if err != nil || len(all) == 0 {
		return packhouse.Repository{}, orMissing(false, err, "404 Not found")
	}
	return all[0], nil
}

const selectRepository = `SELECT r.id, r.project_id, r.name, r.created_at, r.cleaned_at FROM repositories r`

func readRepository(row scanner) (r packhouse.Repository, err error) {
	var (
		created int64
		cleaned sql.NullInt64
	)
	err = row.Scan(&r.ID, &r.ProjectID, &r.Name, &created, &cleaned)
	if r.CreatedAt = fromMicros(created); cleaned.Valid {
		r.CleanedAt = fromMicros(cleaned.Int64)
	}
	return r, err
}

// CountImageTags is how many tags a repository has.
func (tx *Tx) CountImageTags(ctx context.Context, repositoryID int64) (n int, err error) {
	err = tx.row(ctx, `SELECT COUNT(*) FROM image_tags WHERE repository_id = $1 AND until_seq IS NULL`, []any{repositoryID}, &n)
	return n, err
}

// ImageTagsAt is a page of the tags of a repository in the order of their names.
func (tx *Tx) ImageTagsAt(ctx context.Context, repositoryID int64, offset, limit int) ([]packhouse.ImageTag, error) {
	const q = `SELECT name, part_id, pushed_at FROM image_tags WHERE repository_id = $1 AND until_seq IS NULL ORDER BY name LIMIT $2 OFFSET $3`
	return collect(ctx, tx, func(row scanner) (t packhouse.ImageTag, err error) {
		var at int64
		err = row.Scan(&t.Name, &t.PartID, &at)
		t.PushedAt = fromMicros(at)
		return t, err
	}, q, repositoryID, limit, offset)
}

// ImageSize adds up the blobs that a manifest names, or, of an index, those of the
// manifests in it; what is named twice counts once.
func (tx *Tx) ImageSize(ctx context.Context, partID int64) (size int64, err error) {
	const q = `
		SELECT COALESCE(SUM(size), 0) FROM parts WHERE manifest = 0 AND id IN (
			SELECT child_id FROM part_children WHERE parent_id = $1
			UNION
			SELECT b.child_id FROM part_children a JOIN part_children b ON b.parent_id = a.child_id WHERE a.parent_id = $1)`
	err = tx.row(ctx, q, []any{partID}, &size)
	return size, err
}

// TagsOf lists the names of the tags that point at a manifest.
func (tx *Tx) TagsOf(ctx context.Context, partID int64) ([]string, error) {
	return collect(ctx, tx, func(row scanner) (name string, err error) { return name, row.Scan(&name) },
		`SELECT name FROM image_tags WHERE part_id = $1 AND until_seq IS NULL ORDER BY name`, partID)
}

// ImageTag finds a tag. packhouse.NotFound: there is none.
func (tx *Tx) ImageTag(ctx context.Context, repositoryID int64, name string) (t packhouse.ImageTag, err error) {
	var at int64
	known, err := found(tx.row(ctx, `SELECT part_id, pushed_at FROM image_tags WHERE repository_id = $1 AND name = $2 AND until_seq IS NULL`,
		[]any{repositoryID, name}, &t.PartID, &at))
	t.Name, t.PushedAt = name, fromMicros(at)
	return t, orMissing(known, err, "404 Tag Not Found")
}

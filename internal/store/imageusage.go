package store

import (
	"context"

	"packhouse/internal/ledger"
)

// link counts a part of a project. Its bytes count when it is the first with them.
func (tx *Tx) link(ctx context.Context, projectID int64, digest []byte, size int64) error {
	var links int64
	err := tx.row(ctx, `
		INSERT INTO image_links (project_id, sha256, links, size) VALUES ($1, $2, 1, $3)
		ON CONFLICT (project_id, sha256) DO UPDATE SET links = image_links.links + 1 RETURNING links`,
		[]any{projectID, digest, size}, &links)
	if err != nil || links > 1 {
		return err
	}
	return tx.useImages(ctx, projectID, size)
}

// unlink counts a part of a repository no more.
func (tx *Tx) unlink(ctx context.Context, repositoryID int64, digest []byte) error {
	var projectID, links, size int64
	err := tx.row(ctx, `
		UPDATE image_links SET links = links - 1
		WHERE project_id = (SELECT project_id FROM repositories WHERE id = $1) AND sha256 = $2 RETURNING project_id, links, size`,
		[]any{repositoryID, digest}, &projectID, &links, &size)
	if err != nil || links > 0 {
		return err
	}
	if _, err := tx.exec(ctx, `DELETE FROM image_links WHERE project_id = $1 AND sha256 = $2`, projectID, digest); err != nil {
		return err
	}
	return tx.useImages(ctx, projectID, -size)
}

// unlinkAll counts all parts of a repository no more, which have not ended yet.
func (tx *Tx) unlinkAll(ctx context.Context, place ledger.Place) error {
	const fewer = `
		UPDATE image_links SET links = links - (
			SELECT COUNT(*) FROM parts p WHERE p.repository_id = $2 AND p.sha256 = image_links.sha256 AND p.until_seq IS NULL)
		WHERE project_id = $1 AND sha256 IN (SELECT sha256 FROM parts WHERE repository_id = $2 AND until_seq IS NULL)`
	if _, err := tx.exec(ctx, fewer, place.ProjectID, place.RepositoryID); err != nil {
		return err
	}
	var freed int64
	const gone = ` FROM image_links WHERE project_id = $1 AND links = 0 AND sha256 IN (SELECT sha256 FROM parts WHERE repository_id = $2 AND until_seq IS NULL)`
	if err := tx.row(ctx, `SELECT COALESCE(SUM(size), 0)`+gone, []any{place.ProjectID, place.RepositoryID}, &freed); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `DELETE`+gone, place.ProjectID, place.RepositoryID); err != nil || freed == 0 {
		return err
	}
	return tx.useImages(ctx, place.ProjectID, -freed)
}

// useImages adds to the bytes of images that a project holds.
func (tx *Tx) useImages(ctx context.Context, projectID, size int64) error {
	_, err := tx.exec(ctx, `
		INSERT INTO usage (project_id, bytes, files, image_bytes) VALUES ($1, 0, 0, $2)
		ON CONFLICT (project_id) DO UPDATE SET image_bytes = usage.image_bytes + excluded.image_bytes`, projectID, size)
	return err
}

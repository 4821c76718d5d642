package store

import (
	"context"
	"encoding/hex"

	"packhouse/internal/ledger"
)

func (tx *Tx) applyRepositoryPut(ctx context.Context, entry ledger.Entry, e *ledger.RepositoryPut) error {
	return tx.insert(ctx, "repository already exists",
		`INSERT INTO repositories (id, project_id, name, created_at) VALUES ($1, $2, $3, $4)`,
		e.RepositoryID, e.ProjectID, e.Repository, entry.At.UnixMicro())
}

// applyPartPut takes what a manifest names off the list of what may be idle.
func (tx *Tx) applyPartPut(ctx context.Context, entry ledger.Entry, e *ledger.PartPut) error {
	pipeline, err := jsonOf(e.Pipeline)
	if err != nil {
		return err
	}
	const q = `
		INSERT INTO parts (id, from_seq, repository_id, manifest, sha256, sha512, digest, size, media_type, subject, artifact_type,
			annotations, creator_id, pipeline, created_at, idle_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)`
	err = tx.insert(ctx, "manifest or blob already exists", q, e.ID, entry.Seq, e.RepositoryID, bit(e.Manifest), e.SHA256[:], e.SHA512, e.Digest,
		e.Size, e.MediaType, e.Subject, e.ArtifactType, textOf(e.Annotations), e.CreatorID, pipeline, entry.At.UnixMicro())
	if err != nil {
		return err
	}
	for _, child := range e.Children {
		if _, err := tx.exec(ctx, `INSERT INTO part_children (parent_id, child_id) VALUES ($1, $2)`, e.ID, child); err != nil {
			return err
		}
	}
	if err := tx.link(ctx, e.ProjectID, e.SHA256[:], e.Size); err != nil || len(e.Children) == 0 {
		return err
	}
	_, err = tx.exec(ctx, `
		UPDATE parts SET idle_at = NULL
		WHERE id IN (SELECT child_id FROM part_children WHERE parent_id = $1) AND idle_at IS NOT NULL`, e.ID)
	return err
}

// applyPartDelete ends a part and puts what only it may have needed on the list of
// what may be idle: what it names, and what is about it.
func (tx *Tx) applyPartDelete(ctx context.Context, entry ledger.Entry, e *ledger.PartDelete) error {
	at := entry.At.UnixMicro()
	err := tx.change(ctx, missingPart,
		`UPDATE parts SET until_seq = $2, until_at = $3, idle_at = NULL WHERE id = $1 AND until_seq IS NULL`, e.ID, entry.Seq, at)
	if err != nil {
		return err
	}
	const tags = `UPDATE image_tags SET until_seq = $2 WHERE part_id = $1 AND until_seq IS NULL`
	if _, err := tx.exec(ctx, tags, e.ID, entry.Seq); err != nil {
		return err
	}
	const children = `
		UPDATE parts SET idle_at = $2
		WHERE id IN (SELECT child_id FROM part_children WHERE parent_id = $1) AND until_seq IS NULL AND idle_at IS NULL`
	if _, err := tx.exec(ctx, children, e.ID, at); err != nil {
		return err
	}
	const about = `
		UPDATE parts SET idle_at = $2
		WHERE until_seq IS NULL AND idle_at IS NULL AND subject <> ''
			AND repository_id = (SELECT repository_id FROM parts WHERE id = $1)
			AND subject IN (
				SELECT 'sha512:' || sha512 FROM parts WHERE id = $1
				UNION ALL SELECT digest FROM parts WHERE id = $1
				UNION ALL SELECT CAST($3 AS TEXT))`
	var (
		repository int64
		digest     []byte
	)
	if err := tx.row(ctx, `SELECT repository_id, sha256 FROM parts WHERE id = $1`, []any{e.ID}, &repository, &digest); err != nil {
		return err
	}
	if err := tx.unlink(ctx, repository, digest); err != nil {
		return err
	}
	_, err = tx.exec(ctx, about, e.ID, at, "sha256:"+hex.EncodeToString(digest))
	return err
}

func (tx *Tx) applyImageTagPut(ctx context.Context, entry ledger.Entry, e *ledger.ImageTagPut) error {
	if _, err := tx.closeTag(ctx, entry, e.RepositoryID, e.Name); err != nil {
		return err
	}
	err := tx.change(ctx, missingPart, `
		INSERT INTO image_tags (repository_id, name, from_seq, part_id, pushed_at)
		SELECT $1, $2, $3, id, $5 FROM parts WHERE id = $4 AND repository_id = $1 AND manifest = 1 AND until_seq IS NULL`,
		e.RepositoryID, e.Name, entry.Seq, e.PartID, entry.At.UnixMicro())
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, `UPDATE parts SET idle_at = NULL WHERE id = $1 AND idle_at IS NOT NULL`, e.PartID)
	return err
}

func (tx *Tx) applyImageTagRemove(ctx context.Context, entry ledger.Entry, e *ledger.ImageTagRemove) error {
	known, err := tx.closeTag(ctx, entry, e.RepositoryID, e.Name)
	return orMissing(known, err, missingTag)
}

// closeTag ends where a tag points, and puts the manifest there on the list of
// what may be idle.
func (tx *Tx) closeTag(ctx context.Context, entry ledger.Entry, repositoryID int64, name string) (known bool, err error) {
	var part int64
	known, err = found(tx.row(ctx, `
		UPDATE image_tags SET until_seq = $3 WHERE repository_id = $1 AND name = $2 AND until_seq IS NULL RETURNING part_id`,
		[]any{repositoryID, name, entry.Seq}, &part))
	if err != nil || !known {
		return known, err
	}
	_, err = tx.exec(ctx, `UPDATE parts SET idle_at = $2 WHERE id = $1 AND until_seq IS NULL AND idle_at IS NULL`, part, entry.At.UnixMicro())
	return true, err
}

func (tx *Tx) applyPartPurge(ctx context.Context, entry ledger.Entry, e *ledger.PartPurge) error {
	for _, id := range e.IDs {
		err := tx.change(ctx, missingPart,
			`UPDATE parts SET purged_seq = $2 WHERE id = $1 AND until_seq IS NOT NULL AND purged_seq IS NULL`, id, entry.Seq)
		if err != nil {
			return err
		}
	}
	return nil
}

// applyRepositoryClear ends all that is in a repository.
func (tx *Tx) applyRepositoryClear(ctx context.Context, entry ledger.Entry, e *ledger.RepositoryClear) error {
	if err := tx.unlinkAll(ctx, e.Place); err != nil {
		return err
	}
	return tx.endParts(ctx, entry, `$1`, e.RepositoryID)
}

// endImages ends all images of a project.
func (tx *Tx) endImages(ctx context.Context, entry ledger.Entry, projectID int64) error {
	if err := tx.endParts(ctx, entry, `SELECT id FROM repositories WHERE project_id = $1`, projectID); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `DELETE FROM image_uploads WHERE project_id = $1`, projectID)
	return err
}

// endParts ends all that is in some repositories, which are those of an id.
func (tx *Tx) endParts(ctx context.Context, entry ledger.Entry, repositories string, id int64) error {
	parts := `
		UPDATE parts SET until_seq = $2, until_at = $3, idle_at = NULL
		WHERE repository_id IN (` + repositories + `) AND until_seq IS NULL`
	if _, err := tx.exec(ctx, parts, id, entry.Seq, entry.At.UnixMicro()); err != nil {
		return err
	}
	tags := `UPDATE image_tags SET until_seq = $2 WHERE repository_id IN (` + repositories + `) AND until_seq IS NULL`
	_, err := tx.exec(ctx, tags, id, entry.Seq)
	return err
}

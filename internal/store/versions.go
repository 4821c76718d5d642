package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"packhouse"
	"packhouse/internal/ledger"
)

const missingVersion = "404 Package Not Found"

// applyStatusChange closes the version's row and opens another that differs in
// its status alone.
func (tx *Tx) applyStatusChange(ctx context.Context, entry ledger.Entry, e *ledger.StatusChange) error {
	if err := tx.closeVersion(ctx, entry, e.VersionID); err != nil {
		return err
	}
	const q = `
		INSERT INTO versions (id, from_seq, package_id, number, key, status, metadata, creator_id, pipeline, created_at)
		SELECT id, $2, package_id, number, key, $3, metadata, creator_id, pipeline, created_at
		FROM versions WHERE id = $1 AND until_seq = $2`
	_, err := tx.exec(ctx, q, e.VersionID, entry.Seq, string(e.Status))
	return err
}

// applyMetadataPut closes the version's row and opens another that differs in
// its metadata alone.
func (tx *Tx) applyMetadataPut(ctx context.Context, entry ledger.Entry, e *ledger.MetadataPut) error {
	if err := tx.closeVersion(ctx, entry, e.VersionID); err != nil {
		return err
	}
	const q = `
		INSERT INTO versions (id, from_seq, package_id, number, key, status, metadata, creator_id, pipeline, created_at)
		SELECT id, $2, package_id, number, key, status, $3, creator_id, pipeline, created_at
		FROM versions WHERE id = $1 AND until_seq = $2`
	_, err := tx.exec(ctx, q, e.VersionID, entry.Seq, textOf(e.Metadata))
	return err
}

func (tx *Tx) applyVersionDelete(ctx context.Context, entry ledger.Entry, e *ledger.VersionDelete) error {
	held, err := tx.liveUsage(ctx, e.VersionID)
	if err != nil {
		return err
	}
	if err := tx.closeVersion(ctx, entry, e.VersionID); err != nil {
		return err
	}
	item := newTrash(entry, e.Deletion)
	const mark = `UPDATE versions SET trash_id = $3 WHERE id = $1 AND until_seq = $2`
	if _, err := tx.exec(ctx, mark, e.VersionID, entry.Seq, item.id); err != nil {
		return err
	}
	const closeFiles = `
		UPDATE files SET until_seq = $2, until_at = $3, trash_id = $4 WHERE version_id = $1 AND until_seq IS NULL`
	if _, err := tx.exec(ctx, closeFiles, e.VersionID, entry.Seq, entry.At.UnixMicro(), item.id); err != nil {
		return err
	}
	const closeTags = `
		UPDATE tags SET until_seq = $2, trash_id = $3
		WHERE version_id = $1 AND until_seq IS NULL
			AND package_id = (SELECT package_id FROM versions WHERE id = $1 AND until_seq = $2)`
	if _, err := tx.exec(ctx, closeTags, e.VersionID, entry.Seq, item.id); err != nil {
		return err
	}
	item.kind, item.projectID, item.versionID, item.versions, item.held = TrashVersion, e.ProjectID, e.VersionID, 1, held
	if e.Whole {
		item.kind = TrashPackage
	}
	if err := tx.discard(ctx, item); err != nil {
		return err
	}
	return tx.use(ctx, e.ProjectID, Usage{Bytes: -held.Bytes, Files: -held.Files})
}

func (tx *Tx) closeVersion(ctx context.Context, entry ledger.Entry, id int64) error {
	return tx.change(ctx, missingVersion,
		`UPDATE versions SET until_seq = $2 WHERE id = $1 AND until_seq IS NULL`, id, entry.Seq)
}

func (tx *Tx) applyTagPut(ctx context.Context, entry ledger.Entry, e *ledger.TagPut) error {
	const closeOld = `
		UPDATE tags SET until_seq = $3 WHERE package_id = $1 AND name = $2 AND until_seq IS NULL`
	if _, err := tx.exec(ctx, closeOld, e.PackageID, e.Name, entry.Seq); err != nil {
		return err
	}
	return tx.change(ctx, missingVersion, `
		INSERT INTO tags (package_id, name, from_seq, version_id)
		SELECT $1, $2, $3, id FROM versions WHERE id = $4 AND package_id = $1 AND until_seq IS NULL`,
		e.PackageID, e.Name, entry.Seq, e.VersionID)
}

func (tx *Tx) applyTagRemove(ctx context.Context, entry ledger.Entry, e *ledger.TagRemove) error {
	return tx.change(ctx, "404 Tag Not Found",
		`UPDATE tags SET until_seq = $3 WHERE package_id = $1 AND name = $2 AND until_seq IS NULL`,
		e.PackageID, e.Name, entry.Seq)
}

const selectVersion = `
	SELECT v.id, v.number, v.key, v.status, v.metadata, v.creator_id, v.pipeline, v.created_at,
		p.id, p.project_id, p.format, p.name, p.key
	FROM versions v JOIN packages p ON p.id = v.package_id`

func readVersion(row scanner) (v packhouse.Version, err error) {
	var (
		created            int64
		metadata, pipeline []byte
	)
	err = row.Scan(&v.ID, &v.Number, &v.Key, &v.Status, &metadata, &v.CreatorID, &pipeline, &created,
		&v.Package.ID, &v.Package.ProjectID, &v.Package.Format, &v.Package.Name, &v.Package.Key)
	if err != nil {
		return v, err
	}
	v.CreatedAt, v.Metadata = fromMicros(created), metadata
	v.Pipeline, err = readPipeline(pipeline)
	return v, err
}

func readPipeline(text []byte) (*packhouse.Pipeline, error) {
	if len(text) == 0 {
		return nil, nil
	}
	p := new(packhouse.Pipeline)
	if err := json.Unmarshal(text, p); err != nil {
		return nil, fmt.Errorf("decode pipeline: %w", err)
	}
	return p, nil
}

// Version finds a live version of a project by its id. packhouse.NotFound:
// there is none.
func (tx *Tx) Version(ctx context.Context, projectID, id int64) (*packhouse.Version, error) {
	const q = selectVersion + ` WHERE v.id = $1 AND v.until_seq IS NULL AND p.project_id = $2`
	return oneVersion(ctx, tx, q, id, projectID)
}

func oneVersion(ctx context.Context, tx *Tx, q string, args ...any) (*packhouse.Version, error) {
	all, err := collect(ctx, tx, readVersion, q, args...)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, packhouse.Errorf(packhouse.NotFound, missingVersion)
	}
	return &all[0], nil
}

// escapeLike makes LIKE take every character of s for itself.
var escapeLike = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace

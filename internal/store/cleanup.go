package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
)

// CleanupRow is what a cleanup looks at of a version.
type CleanupRow struct {
	Version      packhouse.Version // without its metadata
	Tagged       bool
	Files, Bytes int64
	Downloaded   time.Time // last; the zero time for never
}

// CleanupCopy is a file of which its version has newer ones of the same name.
type CleanupCopy struct {
	Version packhouse.Version // without its metadata
	File    packhouse.File    // its id, path and size
	Newer   int64             // how many newer ones there are
}

// NextPackages finds where a page of packages of a project ends that begins after an
// id; 0 when there are none.
func (tx *Tx) NextPackages(ctx context.Context, projectID, after int64, limit int) (last int64, err error) {
	err = tx.row(ctx, `
		SELECT COALESCE(MAX(id), 0) FROM (SELECT id FROM packages WHERE project_id = $1 AND id > $2 ORDER BY id LIMIT $3) AS page`,
		[]any{projectID, after, limit}, &last)
	return last, err
}

const cleanupVersion = `v.id, v.number, v.key, v.created_at, p.id, p.project_id, p.format, p.name, p.key`

func cleanupDest(v *packhouse.Version, created *int64) []any {
	return []any{&v.ID, &v.Number, &v.Key, created, &v.Package.ID, &v.Package.ProjectID, &v.Package.Format, &v.Package.Name, &v.Package.Key}
}

// CleanupRows reads the versions that lists show of a project's packages, after an id
// of a package up to another, package by package.
func (tx *Tx) CleanupRows(ctx context.Context, projectID, after, last int64) ([]CleanupRow, error) {
	const q = `
		SELECT ` + cleanupVersion + `,
			EXISTS (SELECT 1 FROM tags t WHERE t.package_id = p.id AND t.version_id = v.id AND t.until_seq IS NULL),
			(SELECT COUNT(*) FROM files f WHERE f.version_id = v.id AND f.until_seq IS NULL),
			(SELECT COALESCE(SUM(f.size), 0) FROM files f WHERE f.version_id = v.id AND f.until_seq IS NULL),
			(SELECT COALESCE(MAX(d.last_at), 0) FROM files f JOIN downloads d ON d.file_id = f.id
				WHERE f.version_id = v.id AND f.until_seq IS NULL)
		FROM packages p JOIN versions v ON v.package_id = p.id AND v.until_seq IS NULL AND v.status IN ('default', 'error')
		WHERE p.project_id = $1 AND p.id > $2 AND p.id <= $3 ORDER BY p.id, v.id`
	return collect(ctx, tx, func(row scanner) (r CleanupRow, err error) {
		var created, last int64
		err = row.Scan(append(cleanupDest(&r.Version, &created), &r.Tagged, &r.Files, &r.Bytes, &last)...)
		r.Version.CreatedAt = fromMicros(created)
		if last != 0 {
			r.Downloaded = fromMicros(last)
		}
		return r, err
	}, q, projectID, after, last)
}

// CleanupCopies reads the files of which there are newer ones, of the same packages
// as CleanupRows.
func (tx *Tx) CleanupCopies(ctx context.Context, projectID, after, last int64) ([]CleanupCopy, error) {
	const q = `
		SELECT ` + cleanupVersion + `, f.id, f.path, f.size,
			(SELECT COUNT(*) FROM files n
				WHERE n.version_id = f.version_id AND n.path = f.path AND n.until_seq IS NULL AND n.copy > f.copy)
		FROM packages p JOIN versions v ON v.package_id = p.id AND v.until_seq IS NULL
		JOIN files f ON f.version_id = v.id AND f.until_seq IS NULL
		WHERE p.project_id = $1 AND p.id > $2 AND p.id <= $3 AND EXISTS (SELECT 1 FROM files n
			WHERE n.version_id = f.version_id AND n.path = f.path AND n.until_seq IS NULL AND n.copy > f.copy)
		ORDER BY f.id`
	return collect(ctx, tx, func(row scanner) (c CleanupCopy, err error) {
		var created int64
		err = row.Scan(append(cleanupDest(&c.Version, &created), &c.File.ID, &c.File.Path, &c.File.Size, &c.Newer)...)
		c.Version.CreatedAt, c.File.VersionID = fromMicros(created), c.Version.ID
		return c, err
	}, q, projectID, after, last)
}

// previewFor is how long a preview can be run.
const previewFor = 24 * time.Hour

// AddCleanupPreview keeps what a cleanup of a project would delete, for a day.
func (tx *Tx) AddCleanupPreview(ctx context.Context, projectID int64, record any) (id int64, err error) {
	if _, err := tx.exec(ctx, `DELETE FROM cleanup_previews WHERE made_at < $1`, tx.now.Add(-previewFor).UnixMicro()); err != nil {
		return 0, err
	}
	text, err := json.Marshal(record)
	if err != nil {
		return 0, fmt.Errorf("encode preview: %w", err)
	}
	err = tx.row(ctx, `INSERT INTO cleanup_previews (project_id, made_at, record) VALUES ($1, $2, $3) RETURNING id`,
		[]any{projectID, tx.now.UnixMicro(), string(text)}, &id)
	return id, err
}

// CleanupPreview reads a preview into record. packhouse.NotFound: the project has
// none of that id, any more.
func (tx *Tx) CleanupPreview(ctx context.Context, projectID, id int64, record any) error {
	var text []byte
	known, err := found(tx.row(ctx, `SELECT record FROM cleanup_previews WHERE id = $1 AND project_id = $2`, []any{id, projectID}, &text))
	if err != nil {
		return err
	}
	if !known {
		return packhouse.Errorf(packhouse.NotFound, "404 Cleanup Preview Not Found")
	}
	if err := json.Unmarshal(text, record); err != nil {
		return fmt.Errorf("decode preview %d: %w", id, err)
	}
	return nil
}

// CleanupRun is a report about a cleanup.
type CleanupRun struct {
	ID, ProjectID, PreviewID, Planned int64
	BegunAt                           time.Time
	EndedAt                           time.Time // zero: it was stopped, or is under way
	Versions, Files, Bytes            int64     // that it deleted
	Skipped                           []ledger.CleanupSkipped
}

// CleanupRuns lists the cleanups of a project, the last first, before an id if that
// is not 0.
func (tx *Tx) CleanupRuns(ctx context.Context, projectID, before int64, limit int) ([]CleanupRun, error) {
	const q = `
		SELECT id, project_id, preview_id, planned, begun_at, ended_at, versions, files, bytes, skipped FROM cleanup_runs
		WHERE project_id = $1 AND (CAST($2 AS BIGINT) = 0 OR id < $2) ORDER BY id DESC LIMIT $3`
	return collect(ctx, tx, func(row scanner) (r CleanupRun, err error) {
		var (
			begun   int64
			ended   sql.NullInt64
			skipped []byte
		)
		err = row.Scan(&r.ID, &r.ProjectID, &r.PreviewID, &r.Planned, &begun, &ended, &r.Versions, &r.Files, &r.Bytes, &skipped)
		if err != nil {
			return r, err
		}
		r.BegunAt = fromMicros(begun)
		if ended.Valid {
			r.EndedAt = fromMicros(ended.Int64)
		}
		if len(skipped) > 0 {
			err = json.Unmarshal(skipped, &r.Skipped)
		}
		return r, err
	}, q, projectID, before, limit)
}

func (tx *Tx) applyCleanupBegin(ctx context.Context, entry ledger.Entry, e *ledger.CleanupBegin) error {
	return tx.insert(ctx, "cleanup already exists",
		`INSERT INTO cleanup_runs (id, project_id, preview_id, planned, begun_at) VALUES ($1, $2, $3, $4, $5)`,
		entry.Seq, e.ProjectID, e.PreviewID, e.Planned, entry.At.UnixMicro())
}

func (tx *Tx) applyCleanupEnd(ctx context.Context, entry ledger.Entry, e *ledger.CleanupEnd) error {
	skipped, err := jsonOf(e.Skipped)
	if err != nil {
		return err
	}
	return tx.change(ctx, "404 Cleanup Run Not Found", `
		UPDATE cleanup_runs SET ended_at = $3, versions = $4, files = $5, bytes = $6, skipped = $7
		WHERE id = $1 AND project_id = $2 AND ended_at IS NULL`,
		e.RunID, e.ProjectID, entry.At.UnixMicro(), e.Versions, e.Files, e.Bytes, skipped)
}

package store

import (
	"context"
)

// Usage is how much a project holds: its live files, and the bytes of its images,
// where what several repositories have counts once.
type Usage struct{ Bytes, Files, ImageBytes int64 }

// use adds to the files that a project holds; less than nothing takes away.
func (tx *Tx) use(ctx context.Context, projectID int64, u Usage) error {
	_, err := tx.exec(ctx, `
		INSERT INTO usage (project_id, bytes, files) VALUES ($1, $2, $3)
		ON CONFLICT (project_id) DO UPDATE SET bytes = usage.bytes + excluded.bytes, files = usage.files + excluded.files`,
		projectID, u.Bytes, u.Files)
	return err
}

// ProjectUsage is how much a project holds.
func (tx *Tx) ProjectUsage(ctx context.Context, projectID int64) (u Usage, err error) {
	_, err = found(tx.row(ctx, `SELECT bytes, files, image_bytes FROM usage WHERE project_id = $1`, []any{projectID},
		&u.Bytes, &u.Files, &u.ImageBytes))
	return u, err
}

// liveUsage is what a version holds.
func (tx *Tx) liveUsage(ctx context.Context, versionID int64) (u Usage, err error) {
	err = tx.row(ctx, `SELECT COALESCE(SUM(size), 0), COUNT(*) FROM files WHERE version_id = $1 AND until_seq IS NULL`,
		[]any{versionID}, &u.Bytes, &u.Files)
	return u, err
}

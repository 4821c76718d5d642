package store

import (
	"context"
	"database/sql"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
)

// ImageCleanup is how far the cleanup of a project's container images is. Times are
// zero for what was not, or is not to be.
type ImageCleanup struct {
	ProjectID    int64
	NextAt       time.Time
	StartedAt    time.Time // the last run, or the one under way
	FinishedAt   time.Time // zero while it is under way
	After        int64     // id of the repository that the run has done last
	Repositories int       // that the run has done
	Removed      int       // tags that the run has taken away
}

// putCleanup has a project be cleaned up as its policy says. A policy that was saved
// anew counts from then on, and ends a run that is under way.
func (tx *Tx) putCleanup(ctx context.Context, p *ledger.Project) error {
	c := p.ImageCleanup
	if c == nil {
		return nil
	}
	next := sql.NullInt64{Int64: c.SavedAt.Add(c.Every()).UnixMicro(), Valid: c.Enabled}
	_, err := tx.exec(ctx, `
		INSERT INTO image_cleanups (project_id, saved_at, every, next_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (project_id) DO UPDATE SET saved_at = excluded.saved_at, every = excluded.every, next_at = excluded.next_at,
			finished_at = CASE WHEN image_cleanups.started_at IS NULL THEN NULL ELSE COALESCE(image_cleanups.finished_at, excluded.saved_at) END
		WHERE image_cleanups.saved_at <> excluded.saved_at`,
		p.ID, c.SavedAt.UnixMicro(), c.Every().Microseconds(), next)
	return err
}

const selectCleanup = `
	SELECT project_id, next_at, started_at, finished_at, after_id, repositories, removed FROM image_cleanups`

func (tx *Tx) oneCleanup(ctx context.Context, where string, args ...any) (*ImageCleanup, error) {
	all, err := collect(ctx, tx, func(row scanner) (c ImageCleanup, err error) {
		var next, started, finished sql.NullInt64
		err = row.Scan(&c.ProjectID, &next, &started, &finished, &c.After, &c.Repositories, &c.Removed)
		for at, into := range map[*sql.NullInt64]*time.Time{&next: &c.NextAt, &started: &c.StartedAt, &finished: &c.FinishedAt} {
			if at.Valid {
				*into = fromMicros(at.Int64)
			}
		}
		return c, err
	}, selectCleanup+where, args...)
	if err != nil || len(all) == 0 {
		return nil, orMissing(false, err, "no cleanup of images")
	}
	return &all[0], nil
}

// ImageCleanup reads how far the cleanup of a project is. packhouse.NotFound: no
// policy was ever saved.
func (tx *Tx) ImageCleanup(ctx context.Context, projectID int64) (*ImageCleanup, error) {
	return tx.oneCleanup(ctx, ` WHERE project_id = $1`, projectID)
}

// DueImageCleanup finds the cleanup that has been due the longest. packhouse.NotFound:
// none is.
func (tx *Tx) DueImageCleanup(ctx context.Context, now time.Time) (*ImageCleanup, error) {
	return tx.oneCleanup(ctx, ` WHERE next_at <= $1 AND next_at IS NOT NULL ORDER BY next_at, project_id LIMIT 1`, now.UnixMicro())
}

// BeginImageCleanup begins a run, unless one is under way.
func (tx *Tx) BeginImageCleanup(ctx context.Context, projectID int64) error {
	_, err := tx.exec(ctx, `
		UPDATE image_cleanups SET started_at = $2, finished_at = NULL, after_id = 0, repositories = 0, removed = 0
		WHERE project_id = $1 AND (started_at IS NULL OR finished_at IS NOT NULL)`, projectID, tx.now.UnixMicro())
	return err
}

// ReachRepository notes that a run has come to a repository.
func (tx *Tx) ReachRepository(ctx context.Context, id int64) error {
	_, err := tx.exec(ctx, `UPDATE repositories SET cleaned_at = $2 WHERE id = $1`, id, tx.now.UnixMicro())
	return err
}

// CountCleaned notes that a run has taken away tags.
func (tx *Tx) CountCleaned(ctx context.Context, projectID int64, removed int) error {
	_, err := tx.exec(ctx, `UPDATE image_cleanups SET removed = removed + $2 WHERE project_id = $1 AND finished_at IS NULL`, projectID, removed)
	return err
}

// PassRepository notes that a run has done a repository.
func (tx *Tx) PassRepository(ctx context.Context, projectID, id int64) error {
	_, err := tx.exec(ctx, `
		UPDATE image_cleanups SET after_id = $2, repositories = repositories + 1 WHERE project_id = $1 AND finished_at IS NULL AND after_id < $2`,
		projectID, id)
	return err
}

// EndImageCleanup ends a run. The next is when a whole number of times what the policy
// says have passed since it was saved, so that runs do not come later each time.
func (tx *Tx) EndImageCleanup(ctx context.Context, projectID int64) error {
	_, err := tx.exec(ctx, `
		UPDATE image_cleanups SET finished_at = $2, next_at = saved_at + (($2 - saved_at) / every + 1) * every
		WHERE project_id = $1 AND finished_at IS NULL AND next_at IS NOT NULL`, projectID, tx.now.UnixMicro())
	return err
}

// RepositoryAfter finds the repository of a project that follows another one by id, of
// those that have something in them. packhouse.NotFound: none does.
func (tx *Tx) RepositoryAfter(ctx context.Context, projectID, after int64) (packhouse.Repository, error) {
	all, err := collect(ctx, tx, readRepository, selectRepository+`
		WHERE r.project_id = $1 AND r.id > $2 AND`+holdsManifest+` ORDER BY r.id LIMIT 1`, projectID, after)
	if err != nil || len(all) == 0 {
		return packhouse.Repository{}, orMissing(false, err, missingRepository)
	}
	return all[0], nil
}

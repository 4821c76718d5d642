package store

import (
	"context"

	"packhouse"
	"packhouse/internal/ledger"
)

// OldPath is a path that a group or project had once.
type OldPath struct {
	Key    string // lower-case
	Target packhouse.Target
}

// putRoute gives a path to a group or project, which is found by its earlier one
// from then on too. The primary key of the one table for both decides who gets a
// path that two ask for.
func (tx *Tx) putRoute(ctx context.Context, t packhouse.Target, create bool) error {
	key := Key(t.Path)
	if !create {
		const keep = `
			INSERT INTO old_paths (key, level, id) SELECT key, level, id FROM routes WHERE level = $1 AND id = $2 AND key <> $3
			ON CONFLICT (key) DO UPDATE SET level = excluded.level, id = excluded.id`
		if _, err := tx.exec(ctx, keep, int(t.Level), t.ID, key); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `DELETE FROM routes WHERE level = $1 AND id = $2`, int(t.Level), t.ID); err != nil {
			return err
		}
	}
	if _, err := tx.exec(ctx, `DELETE FROM old_paths WHERE key = $1`, key); err != nil {
		return err
	}
	return tx.insert(ctx, "path has already been taken",
		`INSERT INTO routes (key, level, id) VALUES ($1, $2, $3)`, key, int(t.Level), t.ID)
}

// OldPaths reads all paths that groups and projects had once.
func (tx *Tx) OldPaths(ctx context.Context) ([]OldPath, error) {
	return collect(ctx, tx, func(row scanner) (p OldPath, err error) {
		var level int
		err = row.Scan(&p.Key, &level, &p.Target.ID)
		p.Target.Level = packhouse.Level(level)
		return p, err
	}, `SELECT key, level, id FROM old_paths ORDER BY key`)
}

// applyNamespaceRemove refuses while a path is left below the group's.
func (tx *Tx) applyNamespaceRemove(ctx context.Context, e *ledger.NamespaceRemove) error {
	const group = int(packhouse.Group)
	err := tx.change(ctx, "404 Group Not Found", `
		DELETE FROM routes WHERE level = $1 AND id = $2
			AND NOT EXISTS (SELECT 1 FROM routes b WHERE b.key > routes.key || '/' AND b.key < routes.key || '0')`, group, e.NamespaceID)
	if err != nil {
		return err
	}
	if err := tx.change(ctx, "404 Group Not Found", `DELETE FROM namespaces WHERE id = $1`, e.NamespaceID); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `DELETE FROM shares WHERE group_id = $1`, e.NamespaceID); err != nil {
		return err
	}
	return tx.forgetPlace(ctx, packhouse.Group, e.NamespaceID)
}

// applyProjectRemove refuses while a version is left in the project. Its images go
// with it.
func (tx *Tx) applyProjectRemove(ctx context.Context, entry ledger.Entry, e *ledger.ProjectRemove) error {
	err := tx.change(ctx, missingProject, `
		DELETE FROM projects WHERE id = $1 AND NOT EXISTS (
			SELECT 1 FROM packages p JOIN versions v ON v.package_id = p.id AND v.until_seq IS NULL WHERE p.project_id = $1)`, e.ProjectID)
	if err != nil {
		return err
	}
	for _, q := range []string{
		`DELETE FROM admissions WHERE project_id = $1`,
		`DELETE FROM upstream_projects WHERE project_id = $1`,
		`DELETE FROM usage WHERE project_id = $1`,
		`DELETE FROM image_cleanups WHERE project_id = $1`,
		`DELETE FROM image_links WHERE project_id = $1`,
	} {
		if _, err := tx.exec(ctx, q, e.ProjectID); err != nil {
			return err
		}
	}
	if err := tx.endImages(ctx, entry, e.ProjectID); err != nil {
		return err
	}
	return tx.forgetPlace(ctx, packhouse.Project, e.ProjectID)
}

// forgetPlace removes what stands about a group or project that is removed.
func (tx *Tx) forgetPlace(ctx context.Context, level packhouse.Level, id int64) error {
	for _, q := range []string{
		`DELETE FROM routes WHERE level = $1 AND id = $2`,
		`DELETE FROM old_paths WHERE level = $1 AND id = $2`,
		`DELETE FROM members WHERE level = $1 AND target_id = $2`,
		`DELETE FROM shares WHERE level = $1 AND target_id = $2`,
		`DELETE FROM settings WHERE level = $1 AND target_id = $2`,
		`DELETE FROM admissions WHERE level = $1 AND admitted_id = $2`,
	} {
		if _, err := tx.exec(ctx, q, int(level), id); err != nil {
			return err
		}
	}
	return nil
}

// SettingsOf reads the package settings that were made at a target itself.
func (tx *Tx) SettingsOf(ctx context.Context, t packhouse.Target) (ledger.Settings, error) {
	all, err := records[ledger.Settings](ctx, tx, `SELECT record FROM settings WHERE level = $1 AND target_id = $2`, int(t.Level), t.ID)
	if err != nil || len(all) == 0 {
		return ledger.Settings{Target: packhouse.Target{Level: t.Level, ID: t.ID}}, err
	}
	return all[0], nil
}

// LiveVersionIDs lists live versions of a project, of any status, at most limit.
func (tx *Tx) LiveVersionIDs(ctx context.Context, projectID int64, limit int) ([]int64, error) {
	return collect(ctx, tx, readID, `
		SELECT v.id FROM packages p JOIN versions v ON v.package_id = p.id AND v.until_seq IS NULL
		WHERE p.project_id = $1 LIMIT $2`, projectID, limit)
}

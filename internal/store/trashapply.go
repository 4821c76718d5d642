package store

import (
	"cmp"
	"context"

	"packhouse"
	"packhouse/internal/ledger"
)

// trashItem is what an entry puts into the trash.
type trashItem struct {
	id, seq, at, runID   int64
	kind                 TrashKind
	projectID, versionID int64
	path                 string
	versions             int64
	held                 Usage
}

// newTrash begins with what is known from the entry.
func newTrash(entry ledger.Entry, d ledger.Deletion) trashItem {
	return trashItem{id: cmp.Or(d.TrashID, entry.Seq), seq: entry.Seq, at: entry.At.UnixMicro(), runID: d.RunID}
}

// discard makes a row of the trash, or adds to that of the deletion.
func (tx *Tx) discard(ctx context.Context, i trashItem) error {
	if i.id != i.seq {
		return tx.change(ctx, missingTrash, `
			UPDATE trash SET versions = versions + $2, files = files + $3, bytes = bytes + $4
			WHERE id = $1 AND project_id = $5 AND ended_seq IS NULL`, i.id, i.versions, i.held.Files, i.held.Bytes, i.projectID)
	}
	return tx.change(ctx, missingVersion, `
		INSERT INTO trash (id, project_id, package_id, kind, number, path, run_id, versions, files, bytes, deleted_at)
		SELECT $1, $2, package_id, $3, number, $4, $5, $6, $7, $8, $9
		FROM versions WHERE id = $10 AND (until_seq IS NULL OR until_seq = $1)`,
		i.id, i.projectID, string(i.kind), i.path, i.runID, i.versions, i.held.Files, i.held.Bytes, i.at, i.versionID)
}

// applyRestore opens again what the deletion has closed. Constraints decide whether
// something has taken its place. Versions and tags get new rows; a file's row is
// opened again, and where it was before is put down beside it.
func (tx *Tx) applyRestore(ctx context.Context, entry ledger.Entry, e *ledger.Restore) error {
	if err := tx.endTrash(ctx, entry.Seq, e.TrashID); err != nil {
		return err
	}
	if err := tx.refuseRestore(ctx, e.TrashID); err != nil {
		return err
	}
	for _, q := range restoring {
		if _, err := tx.exec(ctx, q, e.TrashID, entry.Seq); err != nil {
			return tx.conflict(errRepublished.Message, err)
		}
	}
	var (
		project int64
		u       Usage
	)
	if err := tx.row(ctx, `SELECT project_id, bytes, files FROM trash WHERE id = $1`, []any{e.TrashID}, &project, &u.Bytes, &u.Files); err != nil {
		return err
	}
	return tx.use(ctx, project, u)
}

var (
	errRepublished = &packhouse.Error{
		Kind: packhouse.Conflict, Rule: "restore", Message: "409 Conflict - it was published again since it was deleted",
		Fix: "delete what was published since, which goes to the trash as well; or leave this there",
	}
	errNoVersion = &packhouse.Error{
		Kind: packhouse.Conflict, Rule: "restore", Message: "409 Conflict - the version that the file belongs to is deleted",
		Fix: "restore the version first",
	}
	errGivenUp = &packhouse.Error{Kind: packhouse.NotFound, Rule: "restore", Message: missingTrash}
)

// restoring are the statements of a restore, about the deletion $1 by the entry $2.
// Of a tag's name that something else has taken since, the later decision stays.
var restoring = []string{
	`INSERT INTO versions (id, from_seq, package_id, number, key, status, metadata, creator_id, pipeline, created_at)
	 SELECT id, $2, package_id, number, key, status, metadata, creator_id, pipeline, created_at
	 FROM versions WHERE trash_id = $1`,
	`INSERT INTO file_lives (file_id, from_seq, until_seq)
	 SELECT id, from_seq, until_seq FROM files WHERE trash_id = $1 AND $2 > 0`,
	`UPDATE files SET from_seq = $2, until_seq = NULL, until_at = NULL, trash_id = NULL WHERE trash_id = $1`,
	`INSERT INTO tags (package_id, name, from_seq, version_id, put_seq)
	 SELECT t.package_id, t.name, $2, t.version_id, COALESCE(t.put_seq, t.from_seq)
	 FROM tags t WHERE t.trash_id = $1
		AND NOT EXISTS (SELECT 1 FROM tags l WHERE l.package_id = t.package_id AND l.name = t.name
			AND (l.until_seq IS NULL OR l.trash_id = $1 AND l.from_seq > t.from_seq))`,
}

func (tx *Tx) endTrash(ctx context.Context, seq, id int64) error {
	return tx.change(ctx, missingTrash, `UPDATE trash SET ended_seq = $2 WHERE id = $1 AND ended_seq IS NULL`, id, seq)
}

// refuseRestore looks at what no index can refuse: bytes that were given up, a file
// without its version, and a file that was published at the same path since, of
// which the newest has to have the highest number.
func (tx *Tx) refuseRestore(ctx context.Context, id int64) error {
	for _, is := range []struct {
		q       string
		refusal *packhouse.Error
	}{
		{`SELECT 1 FROM files WHERE trash_id = $1 AND purged_seq IS NOT NULL LIMIT 1`, errGivenUp},
		{`SELECT 1 FROM files r WHERE r.trash_id = $1 AND NOT EXISTS (
			SELECT 1 FROM versions v WHERE v.id = r.version_id AND (v.until_seq IS NULL OR v.trash_id = $1)) LIMIT 1`, errNoVersion},
		{`SELECT 1 FROM files r JOIN files l ON l.version_id = r.version_id AND l.path = r.path AND l.until_seq IS NULL
			WHERE r.trash_id = $1 AND l.id > r.id AND l.copy <= r.copy LIMIT 1`, errRepublished},
	} {
		var one int
		if met, err := found(tx.row(ctx, is.q, []any{id}, &one)); err != nil {
			return err
		} else if met {
			return is.refusal
		}
	}
	return nil
}

func (tx *Tx) applyTrashPurge(ctx context.Context, entry ledger.Entry, e *ledger.TrashPurge) error {
	if err := tx.endTrash(ctx, entry.Seq, e.TrashID); err != nil {
		return err
	}
	for _, id := range e.FileIDs {
		err := tx.change(ctx, missingFile,
			`UPDATE files SET purged_seq = $3 WHERE id = $1 AND trash_id = $2 AND purged_seq IS NULL`, id, e.TrashID, entry.Seq)
		if err != nil {
			return err
		}
	}
	return nil
}

package store

import (
	"context"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
)

// TouchPart has a part that nothing needs yet be left alone for as long again.
func (tx *Tx) TouchPart(ctx context.Context, id int64) error {
	_, err := tx.exec(ctx, `UPDATE parts SET idle_at = $2 WHERE id = $1 AND idle_at IS NOT NULL AND until_seq IS NULL`, id, tx.now.UnixMicro())
	return err
}

// CollectParts looks at parts that have been idle since before a time, at most
// limit of them: it deletes those that nothing needs, and takes the others off the
// list. It returns how many it looked at and how many it deleted.
func (tx *Tx) CollectParts(ctx context.Context, by ledger.By, before time.Time, limit int) (looked, deleted int, err error) {
	const due = `SELECT p.id FROM parts p WHERE p.until_seq IS NULL AND p.idle_at IS NOT NULL AND p.idle_at < $1 ORDER BY p.idle_at LIMIT $2`
	ids, err := collect(ctx, tx, readID, due, before.UnixMicro(), limit)
	if err != nil {
		return 0, 0, err
	}
	for _, id := range ids {
		part, _, err := tx.onePart(ctx, selectPart+` WHERE p.id = $1`, id)
		if err != nil {
			return 0, 0, err
		}
		needed, err := tx.needed(ctx, &part)
		if err != nil {
			return 0, 0, err
		}
		if needed {
			if _, err := tx.exec(ctx, `UPDATE parts SET idle_at = NULL WHERE id = $1`, id); err != nil {
				return 0, 0, err
			}
			continue
		}
		place := ledger.Place{RepositoryID: part.RepositoryID}
		err = tx.row(ctx, `SELECT project_id, name FROM repositories WHERE id = $1`, []any{part.RepositoryID}, &place.ProjectID, &place.Repository)
		if err != nil {
			return 0, 0, err
		}
		if _, err := tx.Append(ctx, by, &ledger.PartDelete{Place: place, ID: id}); err != nil {
			return 0, 0, err
		}
		deleted++
	}
	return len(ids), deleted, nil
}

// needed reports whether a tag, a manifest that is there, or a subject that is
// there keeps a part.
func (tx *Tx) needed(ctx context.Context, p *packhouse.Part) (bool, error) {
	var one int
	if is, err := found(tx.row(ctx, `SELECT 1 FROM image_tags WHERE part_id = $1 AND until_seq IS NULL LIMIT 1`, []any{p.ID}, &one)); is || err != nil {
		return is, err
	}
	if is, err := tx.HasLiveParent(ctx, p.ID); is || err != nil || p.Subject == "" {
		return is, err
	}
	ref, err := packhouse.ParsePartRef(p.Subject)
	if err != nil {
		return false, nil //nolint:nilerr // what is no digest names nothing
	}
	_, is, err := tx.livePart(ctx, p.RepositoryID, true, ref)
	return is, err
}

package store

import (
	"context"

	"packhouse"
	"packhouse/internal/ledger"
)

const (
	missingProtection = "404 Protection rule Not Found"
	takenProtection   = "the pattern has already been taken"
)

func (tx *Tx) applyProtectionPut(ctx context.Context, e *ledger.ProtectionPut) error {
	p := &e.Protection
	record, err := jsonOf(p)
	if err != nil {
		return err
	}
	q := `UPDATE protections SET level = $2, target_id = $3, format = $4, packages = $5, versions = $6, record = $7 WHERE id = $1`
	pattern := Key(p.Packages)
	if p.Kind == ledger.ProtectsTags {
		pattern = p.Packages // a regular expression says \D and \d of different things
	}
	args := []any{p.ID, p.Target.Level, p.Target.ID, p.Subject(), pattern, Key(p.Versions), record}
	if !e.Create {
		return tx.conflict(takenProtection, tx.change(ctx, missingProtection, q, args...))
	}
	return tx.insert(ctx, takenProtection,
		`INSERT INTO protections (id, level, target_id, format, packages, versions, record) VALUES ($1, $2, $3, $4, $5, $6, $7)`, args...)
}

func (tx *Tx) applyProtectionRemove(ctx context.Context, e *ledger.ProtectionRemove) error {
	return tx.change(ctx, missingProtection, `DELETE FROM protections WHERE id = $1`, e.ID)
}

// Protections reads all protections.
func (tx *Tx) Protections(ctx context.Context) ([]ledger.Protection, error) {
	return records[ledger.Protection](ctx, tx, `SELECT record FROM protections ORDER BY id`)
}

// TagProtections reads the protections of the tags of a project, as this transaction
// sees them.
func (tx *Tx) TagProtections(ctx context.Context, projectID int64) ([]ledger.Protection, error) {
	const q = `SELECT record FROM protections WHERE level = $1 AND target_id = $2 AND format = $3 ORDER BY id`
	return records[ledger.Protection](ctx, tx, q, packhouse.Project, projectID, ledger.ProtectsTags.Subject(ledger.Images))
}

// Protection finds a protection by its id. packhouse.NotFound: there is none.
func (tx *Tx) Protection(ctx context.Context, id int64) (*ledger.Protection, error) {
	return oneRecord[ledger.Protection](ctx, tx, missingProtection, `SELECT record FROM protections WHERE id = $1`, id)
}

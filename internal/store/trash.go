package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
)

// TrashKind says what a deletion has ended.
type TrashKind string

// The kinds of what lies in the trash.
const (
	TrashPackage TrashKind = "package" // all versions that a package had
	TrashVersion TrashKind = "version" // one version, or several by name
	TrashFile    TrashKind = "file"
)

// Trashed is what one deletion has ended, as it lies in the trash.
type Trashed struct {
	ID      int64 // the position of the deletion's first entry
	Package packhouse.Package
	Kind    TrashKind
	Version string // as published; of several the one deleted first
	Path    string // of a file
	RunID   int64  // of the cleanup that deleted it; 0: somebody did

	Versions, Files, Bytes int64 // how much it is

	DeletedAt time.Time
	By        ledger.By
}

const missingTrash = "404 Trash Item Not Found"

// TrashFilter selects what lies in the trash. Empty fields select all.
type TrashFilter struct {
	ProjectIDs []int64   // none: nothing
	Since      time.Time // what was deleted after this time; the zero time selects nothing less
	Format     string
	Name       string // part of a package's name, without regard to case
	RunID      int64  // of this cleanup
	Before     int64  // what has a lower id; 0: all
}

const selectTrash = `
	SELECT t.id, t.kind, t.number, t.path, t.run_id, t.versions, t.files, t.bytes, t.deleted_at, e.actor,
		p.id, p.project_id, p.format, p.name, p.key
	FROM trash t JOIN packages p ON p.id = t.package_id JOIN entries e ON e.seq = t.id`

func readTrashed(row scanner) (t Trashed, err error) {
	var (
		at    int64
		actor []byte
		p     = &t.Package
	)
	err = row.Scan(&t.ID, &t.Kind, &t.Version, &t.Path, &t.RunID, &t.Versions, &t.Files, &t.Bytes, &at, &actor,
		&p.ID, &p.ProjectID, &p.Format, &p.Name, &p.Key)
	if err != nil {
		return t, err
	}
	t.DeletedAt = fromMicros(at)
	if err := json.Unmarshal(actor, &t.By); err != nil {
		return t, fmt.Errorf("actor of entry %d: %w", t.ID, err)
	}
	return t, nil
}

// trashTexts are the queries for one project and for some.
var trashInOne, trashInSome = trashText(1), trashText(listChunk)

func trashText(projects int) string {
	return selectTrash + fmt.Sprintf(`
		WHERE t.project_id IN (%s) AND t.ended_seq IS NULL AND t.deleted_at > $1
			AND ($2 = '' OR p.format = $2) AND LOWER(p.name) LIKE $3 ESCAPE '\'
			AND (CAST($4 AS BIGINT) = 0 OR t.run_id = $4) AND (CAST($5 AS BIGINT) = 0 OR t.id < $5)
		ORDER BY t.id DESC LIMIT $6`, parameters(7, projects))
}

// Trash lists what lies in the trash, what was deleted last first, at most limit. It
// takes a query for every hundred projects.
func (tx *Tx) Trash(ctx context.Context, f TrashFilter, limit int) (list []Trashed, err error) {
	for chunk := range slices.Chunk(f.ProjectIDs, listChunk) {
		q, n := trashInOne, 1
		if len(chunk) > 1 {
			q, n = trashInSome, listChunk
		}
		args := []any{micros(f.Since), f.Format, "%" + escapeLike(Key(f.Name)) + "%", f.RunID, f.Before, limit}
		for i := range n {
			args = append(args, chunk[min(i, len(chunk)-1)])
		}
		part, err := collect(ctx, tx, readTrashed, q, args...)
		if err != nil {
			return nil, err
		}
		list = append(list, part...)
	}
	slices.SortFunc(list, func(a, b Trashed) int { return cmp.Compare(b.ID, a.ID) })
	return list[:min(limit, len(list))], nil
}

// TrashItem finds what lies in a project's trash by its id, whenever it was deleted.
// packhouse.NotFound: it does not, any more.
func (tx *Tx) TrashItem(ctx context.Context, projectID, id int64) (*Trashed, error) {
	list, err := collect(ctx, tx, readTrashed,
		selectTrash+` WHERE t.id = $1 AND t.project_id = $2 AND t.ended_seq IS NULL`, id, projectID)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, packhouse.Errorf(packhouse.NotFound, missingTrash)
	}
	return &list[0], nil
}

// TrashedVersions reads the versions that a deletion has ended, as they were.
func (tx *Tx) TrashedVersions(ctx context.Context, id int64) ([]packhouse.Version, error) {
	return collect(ctx, tx, readVersion, selectVersion+` WHERE v.trash_id = $1 ORDER BY v.id`, id)
}

// Restore brings back what lies in the trash: all of it or, with an error, nothing.
//
// packhouse.Conflict: something of it was published again, or is part of what is
// deleted itself. packhouse.NotFound: it is not in the trash any more.
func (tx *Tx) Restore(ctx context.Context, by ledger.By, t *Trashed) error {
	ids, err := collect(ctx, tx, readID, `
		SELECT id FROM versions WHERE trash_id = $1
		UNION SELECT version_id FROM files WHERE trash_id = $1 ORDER BY 1`, t.ID)
	if err != nil {
		return err
	}
	_, err = tx.Append(ctx, by, &ledger.Restore{Site: t.site(), TrashID: t.ID, PackageID: t.Package.ID, Versions: ids})
	return err
}

// PurgeTrash gives up the bytes of what lies in the trash. It returns the keys that
// nothing needs any more, whose blobs may be deleted once the transaction is
// committed. packhouse.NotFound: it is not in the trash any more.
func (tx *Tx) PurgeTrash(ctx context.Context, by ledger.By, t *Trashed) (keys []string, err error) {
	files, err := collect(ctx, tx, func(row scanner) (d doomed, err error) {
		return d, row.Scan(&d.id, &d.digest)
	}, `SELECT id, sha256 FROM files WHERE trash_id = $1 AND purged_seq IS NULL ORDER BY id`, t.ID)
	if err != nil {
		return nil, err
	}
	event := &ledger.TrashPurge{Site: t.site(), TrashID: t.ID, FileIDs: []int64{}}
	for _, f := range files {
		event.FileIDs = append(event.FileIDs, f.id)
	}
	if _, err := tx.Append(ctx, by, event); err != nil {
		return nil, err
	}
	for _, f := range files {
		if keys, err = tx.drop(ctx, f.digest, keys); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func (t *Trashed) site() ledger.Site {
	return ledger.Site{ProjectID: t.Package.ProjectID, Format: t.Package.Format, PackageKey: t.Package.Key}
}

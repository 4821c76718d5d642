package store

import (
	"context"
	"database/sql"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
)

// keep remembers where a file's bytes are. When bytes of that digest are kept
// already, the new copy is spare.
func (tx *Tx) keep(ctx context.Context, d packhouse.Digest, size int64, b Blob) (spare bool, err error) {
	key := sql.NullString{String: b.Key, Valid: b.Key != ""}
	data := b.Data
	switch {
	case key.Valid:
		data = nil
	case data == nil:
		data = []byte{} // an empty file, which is not NULL
	}
	if key.Valid && tx.dialect.shared {
		if err := tx.notAbandoned(ctx, b.Key); err != nil {
			return false, err
		}
	}
	const q = `
		INSERT INTO blobs (sha256, size, key, data) VALUES ($1, $2, $3, $4)
		ON CONFLICT (sha256) DO NOTHING`
	res, err := tx.exec(ctx, q, d[:], size, key, data)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 0 && key.Valid, err
}

// BlobOf finds where the bytes of a digest are. packhouse.NotFound: nowhere.
func (tx *Tx) BlobOf(ctx context.Context, d packhouse.Digest) (Blob, error) {
	var (
		b   Blob
		key sql.NullString
	)
	known, err := found(tx.row(ctx, `SELECT key, data FROM blobs WHERE sha256 = $1`, []any{d[:]}, &key, &b.Data))
	if err == nil && !known {
		err = packhouse.Errorf(packhouse.NotFound, missingFile)
	}
	b.Key = key.String
	return b, err
}

// HasBlobKey reports whether a key of the blob store is in use.
func (tx *Tx) HasBlobKey(ctx context.Context, key string) (bool, error) {
	var one int
	return found(tx.row(ctx, `SELECT 1 FROM blobs WHERE key = $1`, []any{key}, &one))
}

// abandonedFor is how long it is remembered that a key was given up. No upload
// takes that long.
const abandonedFor = 30 * 24 * time.Hour

// Abandon gives up a key of the blob store that no file refers to, and reports
// whether it did: false when one does. No publish can refer to it once the
// transaction is committed, whichever node it is at, so that the bytes may be
// deleted then.
func (tx *Tx) Abandon(ctx context.Context, key string) (bool, error) {
	known, err := tx.HasBlobKey(ctx, key)
	if err != nil || known || !tx.dialect.shared {
		return err == nil && !known, err
	}
	if _, err := tx.exec(ctx, `DELETE FROM abandoned WHERE at < $1`, tx.now.Add(-abandonedFor).UnixMicro()); err != nil {
		return false, err
	}
	const q = `INSERT INTO abandoned (key, at) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING`
	_, err = tx.exec(ctx, q, key, tx.now.UnixMicro())
	return err == nil, err
}

// notAbandoned refuses a key that the collector of another node has given up.
func (tx *Tx) notAbandoned(ctx context.Context, key string) error {
	var one int
	gone, err := found(tx.row(ctx, `SELECT 1 FROM abandoned WHERE key = $1`, []any{key}, &one))
	if err == nil && gone {
		err = &packhouse.Error{Kind: packhouse.Unavailable, Rule: "upload", Message: "the upload took so long that its bytes were given up", Fix: "send it again"}
	}
	return err
}

// Purge gives up the bytes of files, and of parts of images, that were deleted
// before the given time, at most limit of each. It returns the keys that nothing
// needs any more, whose blobs may be deleted once the transaction is committed,
// and how much it purged.
func (tx *Tx) Purge(ctx context.Context, by ledger.By, before time.Time, limit int) (keys []string, purged int, err error) {
	for _, of := range []struct {
		table string
		event func(ids []int64) ledger.Event
	}{
		{"files", func(ids []int64) ledger.Event { return &ledger.Purge{FileIDs: ids, Before: before.UTC()} }},
		{"parts", func(ids []int64) ledger.Event { return &ledger.PartPurge{IDs: ids, Before: before.UTC()} }},
	} {
		list, err := tx.doomed(ctx, of.table, before, limit)
		if err != nil {
			return nil, 0, err
		}
		if len(list) == 0 {
			continue
		}
		ids := make([]int64, 0, len(list))
		for _, d := range list {
			ids = append(ids, d.id)
		}
		if _, err := tx.Append(ctx, by, of.event(ids)); err != nil {
			return nil, 0, err
		}
		for _, d := range list {
			if keys, err = tx.drop(ctx, d.digest, keys); err != nil {
				return nil, 0, err
			}
		}
		purged += len(list)
	}
	return keys, purged, nil
}

// doomed is a row whose bytes are to be given up.
type doomed struct {
	id     int64
	digest []byte
}

func (tx *Tx) doomed(ctx context.Context, table string, before time.Time, limit int) ([]doomed, error) {
	q := `
		SELECT id, sha256 FROM ` + table + `
		WHERE until_seq IS NOT NULL AND purged_seq IS NULL AND until_at < $1 ORDER BY until_at LIMIT $2`
	return collect(ctx, tx, func(row scanner) (d doomed, err error) {
		return d, row.Scan(&d.id, &d.digest)
	}, q, before.UnixMicro(), limit)
}

// drop forgets where bytes are that no file needs any more, and adds their key, if
// they have one, to keys.
func (tx *Tx) drop(ctx context.Context, digest []byte, keys []string) ([]string, error) {
	const q = `
		DELETE FROM blobs
		WHERE sha256 = $1 AND NOT EXISTS (SELECT 1 FROM files WHERE sha256 = $1 AND purged_seq IS NULL)
			AND NOT EXISTS (SELECT 1 FROM parts WHERE sha256 = $1 AND purged_seq IS NULL)
		RETURNING key`
	var key sql.NullString
	gone, err := found(tx.row(ctx, q, []any{digest}, &key))
	if err == nil && gone && key.Valid {
		keys = append(keys, key.String)
	}
	return keys, err
}

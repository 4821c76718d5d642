package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"packhouse"
)

// What stands here serves those who carry a whole registry from one store to
// another, or look through all of one: backup, restore, migration, verification.

// Bytes are the contents of one digest that files share.
type Bytes struct {
	ID     int64 // of the row that says where they are; 0 when there is none
	Digest packhouse.Digest
	Size   int64
	Blob   Blob // where they are
	Needed bool // a file that is there, or deleted and not yet purged, has them
}

// MissingBytes reads, in the order of their digests and after the given one,
// what files need and no row says where it is: at most limit of them. In a store
// that was filled by publishes there are none.
func (tx *Tx) MissingBytes(ctx context.Context, after packhouse.Digest, limit int) ([]Bytes, error) {
	const q = `SELECT sha256, size FROM (` + missingBytes + `) AS missing WHERE sha256 > $1 ORDER BY sha256 LIMIT $2`
	return collect(ctx, tx, func(row scanner) (Bytes, error) {
		var digest []byte
		b := Bytes{Needed: true}
		err := row.Scan(&digest, &b.Size)
		copy(b.Digest[:], digest)
		return b, err
	}, q, after[:], limit)
}

const missingBytes = `
	SELECT DISTINCT f.sha256, f.size FROM files f
	WHERE f.purged_seq IS NULL AND NOT EXISTS (SELECT 1 FROM blobs b WHERE b.sha256 = f.sha256)
	UNION
	SELECT p.sha256, p.size FROM parts p
	WHERE p.purged_seq IS NULL AND NOT EXISTS (SELECT 1 FROM blobs b WHERE b.sha256 = p.sha256)`

// MissingTotal is how many digests MissingBytes would give, and their sizes added up.
func (tx *Tx) MissingTotal(ctx context.Context) (count, size int64, err error) {
	err = tx.row(ctx, `SELECT COUNT(*), COALESCE(SUM(size), 0) FROM (`+missingBytes+`) AS missing`, nil, &count, &size)
	return count, size, err
}

// KeptBytes reads where bytes are, after a row's id and in the order of ids, at
// most limit of them.
func (tx *Tx) KeptBytes(ctx context.Context, after int64, limit int) ([]Bytes, error) {
	const q = `
		SELECT b.id, b.sha256, b.size, b.key, b.data,
			EXISTS (SELECT 1 FROM files f WHERE f.sha256 = b.sha256 AND f.purged_seq IS NULL)
			OR EXISTS (SELECT 1 FROM parts p WHERE p.sha256 = b.sha256 AND p.purged_seq IS NULL)
		FROM blobs b WHERE b.id > $1 ORDER BY b.id LIMIT $2`
	return collect(ctx, tx, func(row scanner) (Bytes, error) {
		var (
			b      Bytes
			digest []byte
			key    sql.NullString
		)
		err := row.Scan(&b.ID, &digest, &b.Size, &key, &b.Blob.Data, &b.Needed)
		copy(b.Digest[:], digest)
		b.Blob.Key = key.String
		return b, err
	}, q, after, limit)
}

// KeptTotal is how many rows KeptBytes would give, and their sizes added up.
func (tx *Tx) KeptTotal(ctx context.Context) (count, size int64, err error) {
	err = tx.row(ctx, `SELECT COUNT(*), COALESCE(SUM(size), 0) FROM blobs`, nil, &count, &size)
	return count, size, err
}

// KeepBytes remembers where bytes are that were written for a file of the ledger.
// When bytes of that digest are kept already, the new copy is spare.
func (tx *Tx) KeepBytes(ctx context.Context, b Bytes) (spare bool, err error) {
	if !tx.writing {
		return false, errReading
	}
	return tx.keep(ctx, b.Digest, b.Size, b.Blob)
}

// DropPurged forgets where the bytes of purged files are, unless another file
// needs them, and returns the keys that may be deleted after the commit. Purge
// does so by itself; a replayed purge leaves it to its caller.
func (tx *Tx) DropPurged(ctx context.Context, fileIDs []int64) (keys []string, err error) {
	return tx.dropPurged(ctx, "files", fileIDs)
}

// DropPurgedParts is DropPurged for parts of images.
func (tx *Tx) DropPurgedParts(ctx context.Context, ids []int64) (keys []string, err error) {
	return tx.dropPurged(ctx, "parts", ids)
}

func (tx *Tx) dropPurged(ctx context.Context, table string, ids []int64) (keys []string, err error) {
	for _, id := range ids {
		var digest []byte
		known, err := found(tx.row(ctx, `SELECT sha256 FROM `+table+` WHERE id = $1 AND purged_seq IS NOT NULL`, []any{id}, &digest))
		if err != nil {
			return nil, err
		}
		if !known {
			continue
		}
		if keys, err = tx.drop(ctx, digest, keys); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// Written is an entry of the ledger as it stands in the table.
type Written struct {
	Seq     int64
	Digest  packhouse.Digest // of the payload, as it was when the entry was written
	Payload []byte           // nil from EntryDigests
}

// EntryDigests reads the numbers and digests of entries after a position, oldest
// first, at most limit of them.
func (tx *Tx) EntryDigests(ctx context.Context, after int64, limit int) ([]Written, error) {
	return tx.written(ctx, `SELECT seq, sha256, NULL FROM entries WHERE seq > $1 ORDER BY seq LIMIT $2`, after, limit)
}

// Payloads is EntryDigests with what the digests are of.
func (tx *Tx) Payloads(ctx context.Context, after int64, limit int) ([]Written, error) {
	return tx.written(ctx, `SELECT seq, sha256, payload FROM entries WHERE seq > $1 ORDER BY seq LIMIT $2`, after, limit)
}

func (tx *Tx) written(ctx context.Context, q string, after int64, limit int) ([]Written, error) {
	return collect(ctx, tx, func(row scanner) (w Written, err error) {
		var digest []byte
		err = row.Scan(&w.Seq, &digest, &w.Payload)
		copy(w.Digest[:], digest)
		return w, err
	}, q, after, limit)
}

// Aside is a table beside the ledger that goes along when a registry is carried
// to another store. What other tables hold either follows from the ledger, or is
// of use to a running server alone: jobs, and when sessions were last used.
type Aside struct {
	table   string
	key     []string
	columns []string // other than the key's
}

// Asides are all of them.
var Asides = []Aside{
	{"passwords", []string{"user_id"}, []string{"hash"}},
	{"token_uses", []string{"token_id"}, []string{"used_at"}},
	{"downloads", []string{"file_id", "day"}, []string{"count", "last_at"}},
	{"exchanged", []string{"digest"}, []string{"until"}},
}

// String is the table's name.
func (a Aside) String() string { return a.table }

// AsideRows reads rows in the order of their keys after a row (nil for the first),
// at most limit of them.
func (tx *Tx) AsideRows(ctx context.Context, a Aside, after []any, limit int) ([][]any, error) {
	columns := append(append([]string{}, a.key...), a.columns...)
	key := strings.Join(a.key, ", ")
	q, args := `SELECT `+strings.Join(columns, ", ")+` FROM `+a.table, []any{}
	if after != nil {
		args = append(args, after[:len(a.key)]...)
		q += ` WHERE (` + key + `) > (` + parameters(1, len(a.key)) + `)`
	}
	q += fmt.Sprintf(` ORDER BY %s LIMIT $%d`, key, len(args)+1)
	return collect(ctx, tx, func(row scanner) ([]any, error) {
		values, dest := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		err := row.Scan(dest...)
		return values, err
	}, q, append(args, limit)...)
}

// PutAsideRows writes rows that AsideRows gave, over those of the same keys.
func (tx *Tx) PutAsideRows(ctx context.Context, a Aside, rows [][]any) error {
	if !tx.writing {
		return errReading
	}
	columns := append(append([]string{}, a.key...), a.columns...)
	var set []string
	for _, c := range a.columns {
		set = append(set, c+" = excluded."+c)
	}
	q := fmt.Sprintf(`INSERT INTO %s (%s) VALUES (%s) ON CONFLICT (%s) DO UPDATE SET %s`,
		a.table, strings.Join(columns, ", "), parameters(1, len(columns)), strings.Join(a.key, ", "), strings.Join(set, ", "))
	for _, row := range rows {
		if _, err := tx.exec(ctx, q, row...); err != nil {
			return err
		}
	}
	return nil
}

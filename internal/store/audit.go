package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
)

// Record is an entry of the ledger as it is written down.
type Record struct {
	Seq     int64
	At      time.Time
	By      ledger.By
	About   packhouse.Target // level and id
	Verb    string
	Object  string
	SHA256  packhouse.Digest // of Payload
	Payload json.RawMessage
}

// RecordFilter selects entries. Its zero value selects all.
type RecordFilter struct {
	About         packhouse.Target // of this group or project, or of the instance itself; zero: of all
	Verb          string
	AuthorID      int64
	After, Before time.Time // zero: any time
	Until         int64     // entries before this number; 0: all
}

// Records lists entries, newest first. It costs what it lists when it is asked
// about a target or about all; with a verb or an author it looks at what it
// leaves out as well.
func (tx *Tx) Records(ctx context.Context, f RecordFilter, offset, limit int) ([]Record, error) {
	const (
		where = `
			AND (CAST($1 AS BIGINT) = 0 OR seq < $1) AND ($2 = '' OR verb = $2)
			AND (CAST($3 AS BIGINT) = 0 OR seq > COALESCE((SELECT MAX(seq) FROM entries WHERE at < $3), 0))
			AND (CAST($4 AS BIGINT) = 0 OR seq <= COALESCE((SELECT MAX(seq) FROM entries WHERE at < $4), 0))
			AND (CAST($5 AS BIGINT) = 0 OR author_id = $5)
			ORDER BY seq DESC LIMIT $6 OFFSET $7`
		all     = selectRecord + ` WHERE TRUE` + where
		ofOne   = selectRecord + ` WHERE level = $8 AND target_id = $9` + where
		ofLevel = selectRecord + ` WHERE level = $8` + where
	)
	args := []any{f.Until, f.Verb, micros(f.After), micros(f.Before), f.AuthorID, limit, offset}
	switch {
	case f.About.Level == 0:
		return collect(ctx, tx, scanRecord, all, args...)
	case f.About.Level != packhouse.Instance && f.About.ID == 0:
		return collect(ctx, tx, scanRecord, ofLevel, append(args, f.About.Level)...)
	}
	return collect(ctx, tx, scanRecord, ofOne, append(args, f.About.Level, f.About.ID)...)
}

// RecordsAfter lists entries from a position on, oldest first.
func (tx *Tx) RecordsAfter(ctx context.Context, seq int64, limit int) ([]Record, error) {
	return collect(ctx, tx, scanRecord, selectRecord+` WHERE seq > $1 ORDER BY seq LIMIT $2`, seq, limit)
}

// Record reads one entry. packhouse.NotFound: there is none of that number.
func (tx *Tx) Record(ctx context.Context, seq int64) (*Record, error) {
	list, err := collect(ctx, tx, scanRecord, selectRecord+` WHERE seq = $1`, seq)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, packhouse.Errorf(packhouse.NotFound, "404 Audit Event Not Found")
	}
	return &list[0], nil
}

const selectRecord = `SELECT seq, at, actor, level, target_id, verb, object, sha256, payload FROM entries`

func scanRecord(row scanner) (r Record, err error) {
	var (
		at            int64
		actor, digest []byte
	)
	if err := row.Scan(&r.Seq, &at, &actor, &r.About.Level, &r.About.ID, &r.Verb, &r.Object, &digest, (*[]byte)(&r.Payload)); err != nil {
		return r, err
	}
	copy(r.SHA256[:], digest)
	r.At = fromMicros(at)
	if err := json.Unmarshal(actor, &r.By); err != nil {
		return r, fmt.Errorf("actor of entry %d: %w", r.Seq, err)
	}
	return r, nil
}

// micros is a time for a query; 0 stands for none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

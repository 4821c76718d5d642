package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
)

// Tx is a transaction. It belongs to the function it was handed to.
type Tx struct {
	*session
	dialect dialect
	writing bool
	now     time.Time // one time for all entries of a batch
	heads   heads
	entries []ledger.Entry // appended and not yet committed
	lost    error          // why the engine gave up the transaction
}

// Now is the time that entries of this transaction carry.
func (tx *Tx) Now() time.Time { return tx.now }

// Append writes an event into the ledger and applies it to the tables. It is
// the only way in which anything that a reader can see changes. It returns the
// entry's number.
//
// A constraint that decides against the change gives a packhouse.Conflict, or a
// packhouse.NotFound when the event is about something that is not there (any
// more). The transaction must then be given up.
func (tx *Tx) Append(ctx context.Context, by ledger.By, event ledger.Event) (int64, error) {
	if !tx.writing {
		return 0, errors.New("store: Append in a transaction that only reads")
	}
	tx.heads.seq++
	tx.heads.include(event)
	entry := ledger.Entry{Seq: tx.heads.seq, At: tx.now.Truncate(time.Microsecond), By: by, Event: event}
	if err := tx.apply(ctx, entry); err != nil {
		return 0, err
	}
	if err := tx.insertEntry(ctx, entry); err != nil {
		return 0, err
	}
	tx.entries = append(tx.entries, entry)
	return entry.Seq, nil
}

func (tx *Tx) insertEntry(ctx context.Context, e ledger.Entry) error {
	actor, err := json.Marshal(e.By)
	if err != nil {
		return fmt.Errorf("encode actor: %w", err)
	}
	payload, err := json.Marshal(e.Event)
	if err != nil {
		return fmt.Errorf("encode %s: %w", e.Event.Verb(), err)
	}
	sum := sha256.Sum256(payload)
	const q = `
		INSERT INTO entries (seq, at, actor, verb, object, sha256, payload)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`
	_, err = tx.exec(ctx, q, e.Seq, e.At.UnixMicro(), string(actor), e.Event.Verb(), e.Event.Object(), sum[:], string(payload))
	return err
}

// Position reads the number of the newest entry that this transaction sees.
func (tx *Tx) Position(ctx context.Context) (int64, error) {
	var seq int64
	err := tx.row(ctx, `SELECT seq FROM heads WHERE one = 1`, nil, &seq)
	return seq, err
}

// Entries reads the ledger after a position, oldest first, at most limit
// entries.
func (tx *Tx) Entries(ctx context.Context, after int64, limit int) ([]ledger.Entry, error) {
	const q = `SELECT seq, at, actor, verb, payload FROM entries WHERE seq > $1 ORDER BY seq LIMIT $2`
	return collect(ctx, tx, func(row scanner) (ledger.Entry, error) {
		var (
			e              ledger.Entry
			at             int64
			verb           string
			actor, payload []byte
		)
		if err := row.Scan(&e.Seq, &at, &actor, &verb, &payload); err != nil {
			return e, err
		}
		e.At = fromMicros(at)
		if err := json.Unmarshal(actor, &e.By); err != nil {
			return e, fmt.Errorf("actor of entry %d: %w", e.Seq, err)
		}
		event, err := ledger.Decode(verb, payload)
		e.Event = event
		return e, err
	}, q, after, limit)
}

// insert runs a statement that makes one row, and turns a violated constraint
// into a Conflict with the given message.
func (tx *Tx) insert(ctx context.Context, conflict, q string, args ...any) error {
	_, err := tx.exec(ctx, q, args...)
	if err != nil && tx.dialect.fault(err) == faultUnique {
		return &packhouse.Error{Kind: packhouse.Conflict, Message: conflict, Err: err}
	}
	return err
}

// change runs a statement that must change at least one row, and returns a
// NotFound with the given message when it changed none.
func (tx *Tx) change(ctx context.Context, missing, q string, args ...any) error {
	res, err := tx.exec(ctx, q, args...)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return packhouse.Errorf(packhouse.NotFound, "%s", missing)
	}
	return err
}

// scanner is the part of a row that reading it needs.
type scanner interface{ Scan(dest ...any) error }

// collect runs a query and reads all its rows.
func collect[T any](ctx context.Context, tx *Tx, read func(scanner) (T, error), q string, args ...any) ([]T, error) {
	rows, err := tx.query(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := read(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// found reports whether a look-up by row found something.
func found(err error) (bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }

// jsonOf encodes a value for a nullable text column.
func jsonOf(v any) (sql.NullString, error) {
	b, err := json.Marshal(v)
	if err != nil || string(b) == "null" {
		return sql.NullString{}, err
	}
	return sql.NullString{String: string(b), Valid: true}, nil
}

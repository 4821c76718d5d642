package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
)

// Tx is a transaction. It belongs to the function it was handed to.
type Tx struct {
	session *session
	dialect dialect
	writing bool
	now     time.Time // one time for all entries of a batch
	heads   heads
	entries []ledger.Entry // appended and not yet committed
	failed  error          // why the update under way can no longer succeed
	lost    error          // why the engine gave up the transaction
	shrink  bool           // give freed space back after the commit
	batch   []byte         // a random name of this transaction, of a shared store
}

// Now is the time that entries of this transaction carry, in whole microseconds;
// the zero time in a View.
func (tx *Tx) Now() time.Time { return tx.now }

// Append writes an event into the ledger and applies it to the tables. It is
// the only way in which anything that a reader can see changes. It returns the
// entry's number.
//
// A constraint that decides against the change gives a packhouse.Conflict, or a
// packhouse.NotFound when the event is about something that is not there (any
// more). The update must then end with an error; it fails if it does not.
// packhouse.Invalid: text in the event is not UTF-8.
func (tx *Tx) Append(ctx context.Context, by ledger.By, event ledger.Event) (int64, error) {
	entry := ledger.Entry{Seq: tx.heads.seq + 1, At: tx.now, By: by, Event: event}
	if err := tx.write(ctx, entry); err != nil {
		return 0, err
	}
	return entry.Seq, nil
}

// write takes an entry into the ledger and the tables.
func (tx *Tx) write(ctx context.Context, entry ledger.Entry) error {
	if !tx.writing {
		return errReading
	}
	tx.heads.seq = entry.Seq
	tx.heads.include(entry.Event)
	if err := tx.apply(ctx, entry); err != nil {
		return tx.fail(err)
	}
	if err := tx.insertEntry(ctx, entry); err != nil {
		return tx.fail(err)
	}
	tx.entries = append(tx.entries, entry)
	return nil
}

var errReading = errors.New("store: a change in a transaction that only reads")

func (tx *Tx) insertEntry(ctx context.Context, e ledger.Entry) error {
	actor, err := json.Marshal(e.By)
	if err != nil {
		return fmt.Errorf("encode actor: %w", err)
	}
	payload, err := json.Marshal(e.Event)
	if err != nil {
		return fmt.Errorf("encode %s: %w", e.Event.Verb(), err)
	}
	if bytes.Contains(payload, []byte(`\ufffd`)) && !sameDecoded(e.Event.Verb(), payload) {
		return packhouse.Errorf(packhouse.Invalid, "400 Bad request - text has to be valid UTF-8")
	}
	sum := sha256.Sum256(payload)
	const q = `
		INSERT INTO entries (seq, at, actor, level, target_id, author_id, verb, object, sha256, payload)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	about := ledger.About(e.Event)
	_, err = tx.exec(ctx, q, e.Seq, e.At.UnixMicro(), string(actor), about.Level, about.ID, e.By.UserID, e.Event.Verb(), e.Event.Object(), sum[:], string(payload))
	return err
}

// sameDecoded reports whether an event that is read back from its payload is the
// same event. JSON writes what is not UTF-8 as U+FFFD, and a replay would then
// apply something else than what was applied at first.
func sameDecoded(verb string, payload []byte) bool {
	event, err := ledger.Decode(verb, payload)
	if err != nil {
		return false
	}
	again, err := json.Marshal(event)
	return err == nil && bytes.Equal(again, payload)
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
			seq, at        int64
			verb           string
			actor, payload []byte
		)
		if err := row.Scan(&seq, &at, &actor, &verb, &payload); err != nil {
			return ledger.Entry{}, err
		}
		return entryOf(seq, at, actor, verb, payload)
	}, q, after, limit)
}

package store

import (
	"context"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
)

const missingPublisher = "404 Trusted Publisher Not Found"

func (tx *Tx) applyPublisherPut(ctx context.Context, e *ledger.PublisherPut) error {
	record, err := jsonOf(e.Publisher)
	if err != nil {
		return err
	}
	if !e.Create {
		return tx.change(ctx, missingPublisher, `UPDATE publishers SET record = $2 WHERE id = $1`, e.Publisher.ID, record)
	}
	return tx.insert(ctx, "id has already been taken",
		`INSERT INTO publishers (id, record) VALUES ($1, $2)`, e.Publisher.ID, record)
}

func (tx *Tx) applyPublisherRemove(ctx context.Context, e *ledger.PublisherRemove) error {
	return tx.change(ctx, missingPublisher, `DELETE FROM publishers WHERE id = $1`, e.ID)
}

// Publishers reads all trusted publishers.
func (tx *Tx) Publishers(ctx context.Context) ([]ledger.Publisher, error) {
	return records[ledger.Publisher](ctx, tx, `SELECT record FROM publishers ORDER BY id`)
}

// Publisher finds a trusted publisher by its id. packhouse.NotFound: there is
// none.
func (tx *Tx) Publisher(ctx context.Context, id int64) (*ledger.Publisher, error) {
	return oneRecord[ledger.Publisher](ctx, tx, missingPublisher, `SELECT record FROM publishers WHERE id = $1`, id)
}

// ExchangeOnce remembers that a token of another issuer was exchanged, until it
// runs out, and forgets those that have. packhouse.Conflict: it was exchanged
// before.
func (tx *Tx) ExchangeOnce(ctx context.Context, token packhouse.Digest, until time.Time) error {
	if _, err := tx.exec(ctx, `DELETE FROM exchanged WHERE until < $1`, tx.now.UnixMicro()); err != nil {
		return err
	}
	return tx.insert(ctx, "the token was exchanged already",
		`INSERT INTO exchanged (digest, until) VALUES ($1, $2)`, token[:], until.UnixMicro())
}

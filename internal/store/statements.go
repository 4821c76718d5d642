package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"packhouse"
)

// exec runs a statement that returns no rows.
func (tx *Tx) exec(ctx context.Context, q string, args ...any) (sql.Result, error) {
	if tx.failed != nil {
		return nil, tx.failed
	}
	if tx.refuses(args) {
		return nil, tx.fail(errText)
	}
	res, err := tx.session.exec(ctx, q, args...)
	return res, tx.fail(err)
}

// row runs a query that gives at most one row and scans it. It returns
// sql.ErrNoRows when there is none.
func (tx *Tx) row(ctx context.Context, q string, args []any, dest ...any) error {
	if tx.failed != nil {
		return tx.failed
	}
	if tx.refuses(args) {
		return errText
	}
	err := tx.session.row(ctx, q, args, dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return tx.fail(err)
}

// query runs a query and calls read for each of its rows until that says false.
func (tx *Tx) query(ctx context.Context, q string, args []any, read func(scanner) (bool, error)) error {
	if tx.failed != nil {
		return tx.failed
	}
	if tx.refuses(args) {
		return nil // nothing that is stored is like it
	}
	rows, err := tx.session.query(ctx, q, args...)
	if err != nil {
		return tx.fail(err)
	}
	defer rows.Close()
	for rows.Next() {
		if more, err := read(rows); err != nil || !more {
			return err
		}
	}
	return tx.fail(rows.Err())
}

// errText is the answer to text that the engine cannot store. Asked whether
// there is something of that name, it is not found, as with every other engine.
var errText error = packhouse.Errorf(packhouse.Invalid, "400 Bad request - text has to be valid UTF-8 without NUL")

// refuses reports whether the engine stores one of the arguments in no table.
func (tx *Tx) refuses(args []any) bool {
	return tx.dialect.refuses != nil && slices.ContainsFunc(args, tx.dialect.refuses)
}

// fail remembers the first failure of an update. Nothing more is done in it: a
// failed statement may have ended the transaction, and one that follows would
// then be committed by itself.
func (tx *Tx) fail(err error) error {
	if tx.writing && tx.failed == nil {
		tx.failed = err
	}
	return err
}

// insert runs a statement that makes one row, and turns a violated constraint
// into a Conflict with the given message.
func (tx *Tx) insert(ctx context.Context, conflict, q string, args ...any) error {
	_, err := tx.exec(ctx, q, args...)
	return tx.conflict(conflict, err)
}

// conflict turns a violated constraint into a Conflict with the given message.
func (tx *Tx) conflict(message string, err error) error {
	if err != nil && tx.dialect.fault(err) == faultUnique {
		return &packhouse.Error{Kind: packhouse.Conflict, Message: message, Err: err}
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
	var all []T
	err := tx.query(ctx, q, args, func(row scanner) (bool, error) {
		v, err := read(row)
		all = append(all, v)
		return true, err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// found reports whether a look-up by row found something.
func found(err error) (bool, error) {
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, errText) {
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

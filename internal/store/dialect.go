package store

import (
	"context"
	"database/sql"
	"errors"

	"packhouse"
)

// dialect is all that differs between database engines. Queries do not: they
// use $n parameters, ON CONFLICT, RETURNING and partial unique indexes, which
// SQLite and PostgreSQL read alike.
type dialect struct {
	connect    func(source string) (*sql.DB, error)
	create     func(ctx context.Context, source string) error // before the first connection; nil when there is nothing to do
	migrate    func(ctx context.Context, source string, db *sql.DB) error
	current    func(context.Context, *sql.DB) error // fails unless the schema is this program's
	shared     bool                                 // other processes may write to the database too
	writeSetup string                               // run once on the connection that writes; "" for nothing
	readOnly   string                               // run once on a connection that only reads; it makes writes fail
	beginRead  string
	beginWrite string
	forUpdate  string // appended to the query that takes the heads row
	fault      func(error) fault
	refuses    func(arg any) bool // tells text that cannot be stored; nil when all can
	// newTidy makes what the writer calls with its connection between batches;
	// nil for an engine that looks after itself.
	check   func(context.Context, *session) error // looks for damage; nil for an engine that cannot
	relieve func(context.Context, *session) error // makes room after a full disk; nil when there is nothing to do
	shrink  func(context.Context, *session) error // gives freed space back; nil when the engine does by itself
	newTidy func() func(context.Context, *session) error
}

// fault is what a database error means to us.
type fault uint8

const (
	faultOther    fault = iota
	faultUnique         // a constraint decided against the statement
	faultFull           // no room on the disk
	faultBusy           // another process holds a lock; trying again may help
	faultDisk           // the disk refused a write or did not confirm it
	faultLost           // the connection is gone, or leads to no server that writes
	faultConflict       // another transaction stood in the way; running this one again helps
	faultText           // text that the engine cannot store
)

// translate gives a database error its meaning. Errors that already carry one
// pass unchanged.
func (d dialect) translate(err error) error {
	var known *packhouse.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	switch d.fault(err) {
	case faultFull:
		return &packhouse.Error{
			Kind: packhouse.Full, Rule: "disk", Err: err,
			Message: "the server has no space left to store this",
			Fix:     "an administrator frees or adds disk space; then try again",
		}
	case faultBusy:
		return &packhouse.Error{Kind: packhouse.Unavailable, Message: "the database is busy, try again", Err: err}
	case faultLost:
		return &packhouse.Error{
			Kind: packhouse.Unavailable, Rule: "database", Err: err,
			Message: "the database cannot be reached",
			Fix:     "try again in a moment; an administrator looks after the database if that goes on",
		}
	case faultConflict:
		return &packhouse.Error{Kind: packhouse.Unavailable, Rule: "database", Message: "the database had too many changes at once", Fix: "try again", Err: err}
	case faultText:
		return &packhouse.Error{Kind: packhouse.Invalid, Message: "400 Bad request - text has to be valid UTF-8, without NUL, and not overly long", Err: err}
	}
	return err
}

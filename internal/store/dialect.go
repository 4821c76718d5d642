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
	driver     string
	source     func(string) string                            // data source name for database/sql
	create     func(ctx context.Context, source string) error // before the first connection; nil when there is nothing to do
	migrate    func(context.Context, *sql.DB) error
	current    func(context.Context, *sql.DB) error // fails unless the schema is this program's
	readOnly   string                               // run once on a connection that only reads; it makes writes fail
	beginRead  string
	beginWrite string
	forUpdate  string // appended to the query that takes the heads row
	fault      func(error) fault
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
	faultOther  fault = iota
	faultUnique       // a constraint decided against the statement
	faultFull         // no room on the disk
	faultBusy         // another process holds a lock; trying again may help
	faultDisk         // the disk refused a write or did not confirm it
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
	}
	return err
}

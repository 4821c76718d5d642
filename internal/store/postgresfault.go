package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
)

// postgresFault reads PostgreSQL's codes
// (https://www.postgresql.org/docs/15/errcodes-appendix.html) and the errors of
// a connection that went away.
func postgresFault(err error) fault {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return connectionFault(err)
	}
	if f, ok := postgresFaults[e.Code]; ok {
		return f
	}
	return postgresFaults[e.Code[:min(2, len(e.Code))]]
}

// postgresFaults are what codes, or the classes that are their first two
// characters, mean to us. All others are faultOther.
var postgresFaults = map[string]fault{
	"23505": faultUnique,   // unique_violation
	"40001": faultConflict, // serialization_failure
	"40P01": faultConflict, // deadlock_detected
	"53100": faultFull,     // disk_full
	"53":    faultBusy,     // insufficient resources
	"55P03": faultBusy,     // lock_not_available: lock_timeout
	"57014": faultBusy,     // query_canceled: statement_timeout
	"53300": faultLost,     // too_many_connections
	"08":    faultLost,     // connection exception
	"57P01": faultLost,     // admin_shutdown
	"57P02": faultLost,     // crash_shutdown
	"57P03": faultLost,     // cannot_connect_now
	"57P05": faultLost,     // idle_session_timeout
	"25P03": faultLost,     // idle_in_transaction_session_timeout
	"25006": faultLost,     // read_only_sql_transaction: this is no primary any more
	"22021": faultText,     // character_not_in_repertoire
	"22P05": faultText,     // untranslatable_character
	"54000": faultText,     // program_limit_exceeded: longer than an index takes
}

// connectionFault tells whether an error came from the connection and not from
// the server behind it.
func connectionFault(err error) fault {
	var (
		connecting *pgconn.ConnectError
		network    *net.OpError
	)
	switch {
	case errors.As(err, &connecting), errors.As(err, &network),
		errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, net.ErrClosed),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return faultLost
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return faultOther
	case pgconn.SafeToRetry(err): // "conn closed"
		return faultLost
	}
	return faultOther
}

// refusesText reports whether an argument is text that PostgreSQL does not store:
// it takes no NUL, and nothing that is not UTF-8.
func refusesText(arg any) bool {
	var text string
	switch v := arg.(type) {
	case string:
		text = v
	case sql.NullString:
		text = v.String
	}
	return strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text)
}

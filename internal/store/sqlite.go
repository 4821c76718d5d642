package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"net/url"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations/sqlite/*.sql
var sqliteMigrations embed.FS

// sqliteDialect is the embedded engine. The write-ahead log lets readers go on
// while the one writer commits, and synchronous=FULL syncs it at every commit,
// so that a committed transaction survives a power cut
// (https://www.sqlite.org/pragma.html#pragma_synchronous).
var sqliteDialect = dialect{
	driver: "sqlite",
	source: func(path string) string {
		q := url.Values{"_pragma": {
			"auto_vacuum(INCREMENTAL)", // counts on a new file alone, before all else
			"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)",
			"cache_size(-2048)", // KiB for each connection; the page cache of the system does the rest
			"temp_store(MEMORY)", "journal_size_limit(67108864)",
			"wal_autocheckpoint(0)", // the writer does it, see wal.go
		}}
		return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
	},
	migrate: func(ctx context.Context, db *sql.DB) error {
		return migrate(ctx, db, goose.DialectSQLite3, sqliteMigrations, "migrations/sqlite")
	},
	readOnly:   "PRAGMA query_only = ON",
	beginRead:  "BEGIN",
	beginWrite: "BEGIN IMMEDIATE",
	fault:      sqliteFault,
	shrink:     shrinkSQLite,
	newTidy: func() func(context.Context, *session) error {
		return (&wal{every: 1000, long: 4000}).keepShort
	},
}

// sqliteFault reads SQLite's result codes (https://www.sqlite.org/rescode.html).
func sqliteFault(err error) fault {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return faultOther
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return faultUnique
	case sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC:
		return faultDisk
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return faultFull
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return faultBusy
	}
	return faultOther
}

// migrate brings the schema up to date. Migrations only add: the release before
// keeps working on the schema of the one after it.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, files fs.FS, dir string) error {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, sub, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

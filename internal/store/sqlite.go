package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
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
	connect: func(path string) (*sql.DB, error) { return sql.Open("sqlite", sqliteSource(path)) },
	create:  createSQLite,
	migrate: func(ctx context.Context, _ string, db *sql.DB) error {
		return migrate(ctx, db, goose.DialectSQLite3, sqliteMigrations, "migrations/sqlite")
	},
	current: func(ctx context.Context, db *sql.DB) error {
		return current(ctx, db, goose.DialectSQLite3, sqliteMigrations, "migrations/sqlite")
	},
	check:      checkSQLite,
	readOnly:   "PRAGMA query_only = ON",
	beginRead:  "BEGIN",
	beginWrite: "BEGIN IMMEDIATE",
	fault:      sqliteFault,
	shrink:     shrinkSQLite,
	newTidy: func() func(context.Context, *session) error {
		return (&wal{every: 1000, long: 4000}).keepShort
	},
}

// sqliteSource is the data source name of a database file.
func sqliteSource(path string) string {
	q := url.Values{"_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)",
		"cache_size(-2048)", // KiB for each connection; the page cache of the system does the rest
		"temp_store(MEMORY)", "journal_size_limit(67108864)",
		"wal_autocheckpoint(0)", // the writer does it, see wal.go
	}}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// createSQLite gives a new file the form in which it can be shrunk: that counts
// before all else is written. It is no pragma of every connection, because SQLite
// writes to the file then, which a reader cannot when the disk is full.
func createSQLite(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?_pragma=auto_vacuum(INCREMENTAL)&_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	defer db.Close()
	var pages int64
	if err := db.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil || pages > 0 {
		return err
	}
	_, err = db.ExecContext(ctx, "PRAGMA user_version = 1") // writes the first page
	return err
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

// checkSQLite reads every page (https://www.sqlite.org/pragma.html#pragma_integrity_check).
func checkSQLite(ctx context.Context, conn *session) error {
	var found string
	err := conn.row(ctx, "PRAGMA integrity_check(1)", nil, &found)
	if err == nil && found != "ok" {
		err = errors.New(found)
	}
	return err
}

// migrate brings the schema up to date. Migrations only add: the release before
// keeps working on the schema of the one after it.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, files fs.FS, dir string, how ...goose.ProviderOption) error {
	p, err := migrations(db, dialect, files, dir, how...)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// current fails unless all migrations were made and no newer ones.
func current(ctx context.Context, db *sql.DB, dialect goose.Dialect, files fs.FS, dir string) error {
	p, err := migrations(db, dialect, files, dir)
	if err != nil {
		return err
	}
	is, want, err := p.GetVersions(ctx)
	if err == nil && is != want {
		err = fmt.Errorf("its schema has version %d and this program's has %d: use the program that serves it, or serve it once with this one", is, want)
	}
	return err
}

func migrations(db *sql.DB, dialect goose.Dialect, files fs.FS, dir string, how ...goose.ProviderOption) (*goose.Provider, error) {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialect, db, sub, append(how, goose.WithDisableGlobalRegistry(true))...)
}

package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/postgres/*.sql
var postgresMigrations embed.FS

// OpenPostgres opens the PostgreSQL database at an address, such as
// postgres://user:password@host/database, and migrates it as needed. Any number
// of processes may have it open: each of them sees what the others write, see
// Fresh.
//
// Limits of time that the address does not name are set by us: statement_timeout
// to 30 s, lock_timeout to 10 s, idle_in_transaction_session_timeout to 60 s,
// connect_timeout to 5 s.
func OpenPostgres(ctx context.Context, address string, opts Options) (*Store, error) {
	return open(ctx, postgresDialect, address, opts)
}

// postgresDialect is the engine that several nodes share. Its writers take turns
// at the row of heads, so that what each of them reads under READ COMMITTED is
// what all before it have committed.
var postgresDialect = dialect{
	connect: func(address string) (*sql.DB, error) { return connectPostgres(address, nil) },
	migrate: migratePostgres,
	current: func(ctx context.Context, db *sql.DB) error {
		return current(ctx, db, goose.DialectPostgres, postgresMigrations, "migrations/postgres")
	},
	shared:     true,
	writeSetup: "SET idle_in_transaction_session_timeout = '10s'", // or a node that froze keeps all others from writing
	beginRead:  "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
	beginWrite: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
	forUpdate:  " FOR UPDATE",
	fault:      postgresFault,
	refuses:    refusesText,
}

// limits are the settings of every connection, unless the address has others.
var limits = map[string]string{
	"application_name":                    "packhouse",
	"statement_timeout":                   "30000", // milliseconds
	"lock_timeout":                        "10000",
	"idle_in_transaction_session_timeout": "60000",
}

// connectPostgres makes a pool of connections. Settings come after what the
// address and limits say.
func connectPostgres(address string, settings map[string]string) (*sql.DB, error) {
	c, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, err // it has no password in it
	}
	for name, value := range limits {
		if _, ok := c.RuntimeParams[name]; !ok {
			c.RuntimeParams[name] = value
		}
	}
	for name, value := range settings {
		c.RuntimeParams[name] = value
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 5 * time.Second
	}
	dialer := net.Dialer{
		Control:         giveUpOnSilence,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 4},
	}
	c.DialFunc = dialer.DialContext
	return stdlib.OpenDB(*c), nil
}

// silence is how long a server may not confirm what was sent to it before the
// connection counts as lost.
const silence = 12 * time.Second

// migratePostgres brings the schema up to date. Of several nodes that start
// together one does it, and the others wait.
func migratePostgres(ctx context.Context, address string, _ *sql.DB) error {
	db, err := connectPostgres(address, map[string]string{"statement_timeout": "0", "lock_timeout": "60000"})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := checkDurable(ctx, db); err != nil {
		return err
	}
	one, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600))
	if err != nil {
		return err
	}
	return migrate(ctx, db, goose.DialectPostgres, postgresMigrations, "migrations/postgres", goose.WithSessionLocker(one))
}

// checkDurable refuses a database that confirms what it has not written: nothing
// that is acknowledged here may get lost.
func checkDurable(ctx context.Context, db *sql.DB) error {
	var commit, encoding string
	const q = `SELECT current_setting('synchronous_commit'), current_setting('server_encoding')`
	if err := db.QueryRowContext(ctx, q).Scan(&commit, &encoding); err != nil {
		return err
	}
	switch {
	case commit == "off":
		return errors.New("synchronous_commit is off, so a crash of PostgreSQL would lose what was acknowledged; turn it on for this database")
	case encoding != "UTF8":
		return fmt.Errorf("the encoding of the database is %s; it has to be UTF8", encoding)
	}
	return nil
}

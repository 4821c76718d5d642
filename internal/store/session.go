package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"regexp"

	"github.com/jackc/pgx/v5/stdlib"
)

// session is one database connection with its prepared statements. Statements
// are prepared once per text, so texts must be constant. It belongs to one
// goroutine at a time.
type session struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	// steady sessions finish every statement, whatever becomes of the caller's
	// context: SQLite answers an interrupted write by undoing the whole
	// transaction, and with it the work of everybody else in it.
	steady bool
	cut    func() // breaks the connection, whoever is using it; of a shared store alone
}

func (s *session) lasting(ctx context.Context) context.Context {
	if s.steady {
		return context.Background()
	}
	return ctx
}

// openSession takes a connection and runs a statement on it first, unless it is
// empty.
func openSession(ctx context.Context, db *sql.DB, first string) (*session, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn, stmts: map[string]*sql.Stmt{}, cut: cutter(conn)}
	if first == "" {
		return s, nil
	}
	if _, err := s.exec(ctx, first); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// cutter makes what breaks a connection of PostgreSQL from outside.
func cutter(conn *sql.Conn) (cut func()) {
	_ = conn.Raw(func(driverConn any) error {
		if c, ok := driverConn.(*stdlib.Conn); ok {
			wire := c.Conn().PgConn().Conn()
			cut = func() { _ = wire.Close() }
		}
		return nil
	})
	return cut
}

// boundLimit is a limit that is given when a statement runs. SQLite looks at its value
// to plan with, and so parses the statement again for each run; not at that of an
// expression.
var boundLimit = regexp.MustCompile(`LIMIT \$[0-9]+`)

func (s *session) prepare(ctx context.Context, q string) (*sql.Stmt, error) {
	if stmt, ok := s.stmts[q]; ok {
		return stmt, nil
	}
	stmt, err := s.conn.PrepareContext(s.lasting(ctx), boundLimit.ReplaceAllString(q, "$0 + 0"))
	if err != nil {
		return nil, err
	}
	s.stmts[q] = stmt
	return stmt, nil
}

func (s *session) exec(ctx context.Context, q string, args ...any) (sql.Result, error) {
	stmt, err := s.prepare(ctx, q)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(s.lasting(ctx), args...)
}

func (s *session) query(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	stmt, err := s.prepare(ctx, q)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(s.lasting(ctx), args...)
}

// row runs a query that gives at most one row and scans it. It returns
// sql.ErrNoRows when there is none.
func (s *session) row(ctx context.Context, q string, args []any, dest ...any) error {
	stmt, err := s.prepare(ctx, q)
	if err != nil {
		return err
	}
	return stmt.QueryRowContext(s.lasting(ctx), args...).Scan(dest...)
}

// close closes the connection itself instead of giving it back to the pool: what
// may still be open on it, a snapshot or a transaction, ends with it.
func (s *session) close() {
	for _, stmt := range s.stmts {
		stmt.Close()
	}
	_ = s.conn.Raw(func(any) error { return driver.ErrBadConn })
	s.conn.Close()
}

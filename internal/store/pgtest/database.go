package pgtest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver

	"packhouse/internal/store"
)

// shared is the server of this test process.
var shared struct {
	sync.Once
	cluster *Cluster
	err     error
	count   atomic.Int64
}

// template is the database that all others of a cluster are copies of.
const template = "packhouse_template"

// Database makes an empty, migrated database on the server of this test process,
// which is started when it is needed first, and returns its address. It is
// dropped when the test ends.
func Database(t testing.TB) string {
	t.Helper()
	shared.Do(func() {
		if shared.cluster, shared.err = start(); shared.err == nil {
			shared.err = shared.cluster.makeTemplate()
		}
	})
	if shared.err != nil {
		t.Fatalf("start PostgreSQL: %v", shared.err)
	}
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), shared.count.Add(1))
	c := shared.cluster
	if err := c.Exec("postgres", "CREATE DATABASE "+quoted(name)+" TEMPLATE "+template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Exec("postgres", "DROP DATABASE "+quoted(name)+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return c.URL(name)
}

func (c *Cluster) makeTemplate() error {
	if err := c.Exec("postgres", "CREATE DATABASE "+template); err != nil {
		return err
	}
	s, err := store.OpenPostgres(context.Background(), c.URL(template), store.Options{})
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	return c.Exec(template, "DELETE FROM nodes")
}

// Exec runs a statement in a database, as an administrator beside the store does.
func (c *Cluster) Exec(database, statement string, args ...any) error {
	db, err := sql.Open("pgx", c.URL(database))
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Exec(statement, args...); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

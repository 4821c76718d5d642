package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"os"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"packhouse"
)

// channel is where a node that has committed entries tells the others so.
const channel = "packhouse_ledger"

// heartbeatEvery is how often a node says that it is there; the row of one that
// has not for nodeLife is removed.
const (
	heartbeatEvery = 10 * time.Second
	nodeLife       = 24 * time.Hour
)

// Node is a process that has the database open.
type Node struct {
	ID        string
	Name      string // of its machine
	Place     string // where it keeps files
	StartedAt time.Time
	SeenAt    time.Time
	Position  int64 // of the ledger, up to which it has seen it
}

// Nodes lists the processes that had the database open during the last day, and
// did not end in good order, the oldest first. A store that is not shared has
// none.
func (tx *Tx) Nodes(ctx context.Context) ([]Node, error) {
	return collect(ctx, tx, func(row scanner) (n Node, err error) {
		var started, seen int64
		err = row.Scan(&n.ID, &n.Name, &n.Place, &started, &seen, &n.Position)
		n.StartedAt, n.SeenAt = fromMicros(started), fromMicros(seen)
		return n, err
	}, `SELECT id, name, place, started_at, seen_at, position FROM nodes ORDER BY started_at, id`)
}

// Texts of a shared store alone.
const (
	insertNode = `INSERT INTO nodes (id, name, started_at, seen_at, position) VALUES ($1, $2, $3, $3, $4)`
	deleteNode = `DELETE FROM nodes WHERE id = $1`
	seeNode    = `UPDATE nodes SET seen_at = $2, position = $3 WHERE id = $1`
	forget     = `DELETE FROM nodes WHERE seen_at < $1`
	batchOf    = `SELECT batch FROM nodes WHERE id = $1`

	// endBatch writes down the heads, and in the node's own row which batch it is.
	endBatch = `
		WITH this AS (UPDATE nodes SET batch = $13, seen_at = $14, position = $1 WHERE id = $15)
		` + updateHeads
	// endTold does the same and has the other nodes told at the commit.
	endTold = endBatch + ` RETURNING pg_notify('` + channel + `', '')`

	whoami = `
		SELECT pid, CAST(EXTRACT(EPOCH FROM backend_start) * 1000000 AS BIGINT)
		FROM pg_stat_activity WHERE pid = pg_backend_pid()`
	endProcess = `
		SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE pid = $1 AND CAST(EXTRACT(EPOCH FROM backend_start) * 1000000 AS BIGINT) = $2`
)

// alive is for how long a node that said nothing may still be there.
const alive = 3 * heartbeatEvery

// Meet tells the other nodes where this one keeps files. packhouse.Conflict:
// another one is there that keeps them elsewhere, so that each would lack what
// the other was given. Places that are "" are everywhere. A store that is not
// shared has nobody to meet.
func (s *Store) Meet(ctx context.Context, place string) error {
	return s.meet(ctx, place, func(n Node) error {
		if n.Place == place || n.Place == "" || place == "" {
			return nil
		}
		return packhouse.Errorf(packhouse.Conflict,
			"another server with this database keeps its files in %s, and this one in %s: servers that share a database have to share the files; a server that was killed counts for %v", n.Place, place, alive)
	})
}

// Alone makes sure that no other process has the database open.
// packhouse.Conflict: one has.
func (s *Store) Alone(ctx context.Context) error {
	return s.meet(ctx, "", func(n Node) error {
		return packhouse.Errorf(packhouse.Conflict, "a server on %s uses this database: stop it first; one that was killed counts for %v", n.Name, alive)
	})
}

// meet writes down this node's place and asks about each other node that is
// alive.
func (s *Store) meet(ctx context.Context, place string, judge func(Node) error) error {
	if !s.dialect.shared {
		return nil
	}
	return s.Update(ctx, func(tx *Tx) error { // one node meets the others at a time
		if _, err := tx.exec(ctx, `UPDATE nodes SET place = $2 WHERE id = $1`, s.node, place); err != nil {
			return err
		}
		list, err := tx.Nodes(ctx)
		if err != nil {
			return err
		}
		for _, n := range list {
			if n.ID == s.node || s.now().Sub(n.SeenAt) >= alive {
				continue
			}
			if err := judge(n); err != nil {
				return err
			}
		}
		return nil
	})
}

// register writes this process down as a node.
func (s *Store) register(ctx context.Context, conn *session) error {
	s.node = rand.Text()
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	_, err = conn.exec(ctx, insertNode, s.node, name, s.now().UnixMicro(), s.position.Load())
	return err
}

// follow catches up whenever another node says that it wrote something, and now
// and then anyway, until the store is closed.
func (s *Store) follow() {
	ctx, cancel := context.WithCancel(context.Background())
	told := make(chan struct{}, 1)
	s.following.Go(func() { s.listen(ctx, told) })
	s.following.Go(func() {
		defer cancel()
		poll, beat := time.NewTicker(pollEvery), time.NewTicker(heartbeatEvery)
		defer poll.Stop()
		defer beat.Stop()
		for lost := false; ; {
			select {
			case <-s.quit:
				return
			case <-told:
			case <-poll.C:
			case <-beat.C:
				s.heartbeat(ctx)
			}
			err := s.Fresh(ctx)
			if err != nil && !lost && !errors.Is(err, errClosed) {
				s.log.Warn("entries of other nodes not read", "error", err)
			}
			if err == nil && lost {
				s.log.Info("entries of other nodes read again")
			}
			lost = err != nil
		}
	})
}

func (s *Store) heartbeat(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	now := s.now()
	res, err := s.db.ExecContext(ctx, seeNode, s.node, now.UnixMicro(), s.position.Load())
	if err == nil {
		// It is not written anew: a row without the last batch would be a wrong
		// answer to what became of it.
		if n, countErr := res.RowsAffected(); countErr == nil && n == 0 {
			s.log.Error("this server was silent for so long that others took it for gone, restart it")
		}
		_, err = s.db.ExecContext(ctx, forget, now.Add(-nodeLife).UnixMicro())
	}
	if err != nil {
		s.log.Warn("heartbeat not written", "error", err)
	}
}

// listen waits for notifications until ctx ends. Should it miss some, because
// its connection is gone, polling makes up for it.
func (s *Store) listen(ctx context.Context, told chan<- struct{}) {
	for ctx.Err() == nil {
		_ = s.listenOnce(ctx, told) // the writer and the follower report the same trouble
		pause(ctx, time.Second, s.quit)
	}
}

func (s *Store) listenOnce(ctx context.Context, told chan<- struct{}) error {
	conn, err := openSession(ctx, s.db, "LISTEN "+channel)
	if err != nil {
		return err
	}
	defer conn.close()
	return conn.conn.Raw(func(driverConn any) error {
		wire := driverConn.(*stdlib.Conn).Conn()
		for {
			if _, err := wire.WaitForNotification(ctx); err != nil {
				return err
			}
			select {
			case told <- struct{}{}:
			default: // it is going to look anyway
			}
		}
	})
}

// process identifies a connection's process at the server, so that no other is
// taken for it.
type process struct{ id, since int64 }

func processOf(ctx context.Context, conn *session) (p process, err error) {
	err = conn.row(ctx, whoami, nil, &p.id, &p.since)
	return p, err
}

// committed finds out whether a batch of this node was committed although the
// answer to that got lost. It ends the process that had the transaction, and
// takes the row of heads, which it gets when the transaction is over. What the
// node's own row says then is final.
func (s *Store) committed(ctx context.Context, conn *session, by process, batch []byte) (bool, error) {
	var ended bool
	if err := conn.row(ctx, endProcess, []any{by.id, by.since}, &ended); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	if _, err := conn.exec(ctx, s.dialect.beginWrite); err != nil {
		return false, err
	}
	var h heads
	if err := conn.row(ctx, selectHeads+s.dialect.forUpdate, nil, h.fields()...); err != nil {
		return false, err
	}
	var last []byte
	if err := conn.row(ctx, batchOf, []any{s.node}, &last); err != nil {
		return false, err
	}
	_, err := conn.exec(ctx, "ROLLBACK")
	return string(last) == string(batch), err
}

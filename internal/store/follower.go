package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
)

// pollEvery is how often a node looks for entries of others when nobody asks and
// no notification comes.
const pollEvery = 500 * time.Millisecond

// patience is how long a change or a question waits for a database that went
// away, before it is refused. It covers a restart of PostgreSQL.
const patience = 5 * time.Second

// Fresh returns once this process has seen, and told its subscribers of, all
// that was committed before the call by any process. On a store that is not
// shared it returns at once. Calls that come together share a single query.
//
// packhouse.Unavailable: the database cannot be asked.
func (s *Store) Fresh(ctx context.Context) error {
	if s.follower == nil {
		return nil
	}
	return s.follower.fresh(ctx)
}

// follower keeps a shared store up to date with the entries of other nodes.
type follower struct {
	store *Store
	conn  *session // nil when it has to be opened; the round under way has it
	down  bool     // the last round found no database

	mu      sync.Mutex
	next    *round // begins when the one under way is over; nil when nobody waits
	running bool
	ended   sync.WaitGroup
}

// round is one look at the database, for all who asked before it began.
type round struct {
	done chan struct{}
	err  error
}

func (f *follower) fresh(ctx context.Context) error {
	select {
	case <-f.store.quit:
		return errClosed
	default:
	}
	r := f.join()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// join returns the next round to begin, and sees to it that it does.
func (f *follower) join() *round {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.next == nil {
		f.next = &round{done: make(chan struct{})}
	}
	if !f.running {
		f.running = true
		f.ended.Go(f.rounds)
	}
	return f.next
}

// rounds goes round while somebody waits.
func (f *follower) rounds() {
	for {
		f.mu.Lock()
		r := f.next
		f.next = nil
		f.running = r != nil
		f.mu.Unlock()
		if r == nil {
			return
		}
		r.err = f.store.dialect.translate(f.look())
		close(r.done)
	}
}

// look catches up, on a new connection where the last one is gone. The first
// time that it finds no database it waits for it; after that it says so at once.
func (f *follower) look() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := f.attempt(ctx)
		if err == nil {
			f.down = false
			return nil
		}
		if f.store.dialect.fault(err) != faultLost {
			return err
		}
		if f.down || !pause(ctx, 50*time.Millisecond, f.store.quit) {
			f.down = true
			return err
		}
	}
}

func (f *follower) attempt(ctx context.Context) (err error) {
	if f.conn == nil {
		if f.conn, err = openSession(ctx, f.store.db, ""); err != nil {
			return lostAt(ctx, err)
		}
	}
	if err = f.store.catchUp(ctx, f.conn); err != nil {
		f.conn.close()
		f.conn = nil
	}
	return lostAt(ctx, err)
}

// lostAt gives an error that came of the end of a context's time the meaning
// that it has here: the database did not answer.
func lostAt(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", sql.ErrConnDone, err)
	}
	return err
}

// pause waits, and reports whether that went undisturbed.
func pause(ctx context.Context, d time.Duration, quit <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-quit:
	}
	return false
}

// close waits for the round under way.
func (f *follower) close() {
	f.ended.Wait()
	if f.conn != nil {
		f.conn.close()
	}
}

// newsAtOnce is how many entries one query fetches.
const newsAtOnce = 1000

// selectNews reads the head of the ledger, and what comes after a position, in
// one question.
const selectNews = `
	SELECT h.seq, e.seq, e.at, e.actor, e.verb, e.payload FROM heads h
	LEFT JOIN (SELECT seq, at, actor, verb, payload FROM entries WHERE seq > $1 ORDER BY seq LIMIT $2) e ON TRUE
	WHERE h.one = 1 ORDER BY e.seq`

// catchUp reads the entries that this process does not know yet and tells its
// subscribers of them.
func (s *Store) catchUp(ctx context.Context, conn *session) error {
	for {
		position := s.position.Load()
		head, entries, err := readNews(ctx, conn, position)
		if err != nil {
			return err
		}
		if head < position {
			return s.wentBack(head, position)
		}
		s.published(entries)
		if len(entries) < newsAtOnce {
			return nil
		}
	}
}

func readNews(ctx context.Context, conn *session, position int64) (head int64, entries []ledger.Entry, err error) {
	rows, err := conn.query(ctx, selectNews, position, newsAtOnce)
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var (
			seq, at        sql.NullInt64
			verb           sql.NullString
			actor, payload []byte
		)
		if err := rows.Scan(&head, &seq, &at, &actor, &verb, &payload); err != nil {
			return 0, nil, err
		}
		if !seq.Valid {
			break
		}
		e, err := entryOf(seq.Int64, at.Int64, actor, verb.String, payload)
		if err != nil {
			return 0, nil, &packhouse.Error{
				Kind: packhouse.Unavailable, Rule: "version", Err: err,
				Message: "another node wrote something that this one does not know; it is of a later version",
				Fix:     "an administrator upgrades this node",
			}
		}
		entries = append(entries, e)
	}
	return head, entries, rows.Err()
}

// entryOf decodes an entry from its columns.
func entryOf(seq, at int64, actor []byte, verb string, payload []byte) (e ledger.Entry, err error) {
	e.Seq, e.At = seq, fromMicros(at)
	if err := json.Unmarshal(actor, &e.By); err != nil {
		return e, fmt.Errorf("actor of entry %d: %w", e.Seq, err)
	}
	e.Event, err = ledger.Decode(verb, payload)
	return e, err
}

var errWentBack = errors.New("store: the ledger is shorter than it was")

// wentBack is the answer when the database lacks entries that this process has
// seen: it was restored from a backup, or a replica took over that had not got
// them. What is remembered here is then of no use.
func (s *Store) wentBack(head, position int64) error {
	s.log.Error("the database has lost entries of the ledger, restart this server", "head", head, "seen", position)
	return &packhouse.Error{
		Kind: packhouse.Unavailable, Rule: "database", Err: errWentBack,
		Message: "the database has lost changes that it had confirmed",
		Fix:     "an administrator restarts this server",
	}
}

package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"packhouse"
)

// maxBatch bounds how many updates share a commit, and with it how long the
// first of them waits for the others.
const maxBatch = 128

// update is a call of Store.Update on its way through the writer.
type update struct {
	ctx      context.Context
	fn       func(*Tx) error
	done     chan error // receives exactly one value
	panicked any
}

// writer owns the one connection that writes. It takes whatever updates are
// waiting, runs them one after the other in a single transaction, each behind
// a savepoint of its own, and commits them together.
type writer struct {
	store *Store
	conn  *session
	tidy  func(context.Context, *session) error // nil when the engine needs none
	// broken is set when the disk failed in a way that leaves open what is on
	// it. Nothing is written after that until the store is opened again.
	broken error
}

func (s *Store) newWriter(ctx context.Context) (*writer, error) {
	conn, err := openSession(ctx, s.db, "")
	if err != nil {
		return nil, err
	}
	conn.steady = true
	w := &writer{store: s, conn: conn}
	if s.dialect.newTidy != nil {
		w.tidy = s.dialect.newTidy()
	}
	var h heads
	if err := conn.row(ctx, selectHeads, nil, h.fields()...); err != nil {
		conn.close()
		return nil, err
	}
	s.position.Store(h.seq)
	return w, nil
}

func (w *writer) run() {
	defer close(w.store.finished)
	defer w.conn.close()
	for {
		select {
		case u := <-w.store.queue:
			w.commit(u)
		case <-w.store.quit:
			for u := w.waiting(); u != nil; u = w.waiting() {
				w.commit(u)
			}
			return
		}
	}
}

// commit runs first and the updates that queue up behind it, and answers each.
func (w *writer) commit(first *update) {
	if w.broken != nil {
		first.done <- w.broken
		return
	}
	ctx := context.Background() // one caller's cancellation must not undo the others' work
	tx, err := w.begin(ctx)
	if err != nil {
		first.done <- err
		return
	}
	var done []*update
	for u, tried := first, 1; u != nil; tried++ {
		if err := w.try(ctx, tx, u); err != nil {
			u.done <- err
		} else {
			done = append(done, u)
		}
		u = nil
		if tx.lost == nil && tried < maxBatch {
			u = w.waiting()
		}
	}
	err = w.end(ctx, tx)
	switch {
	case err == nil && tx.shrink:
		w.upkeep(ctx, "shrink", w.store.dialect.shrink)
	case w.store.dialect.fault(err) == faultFull:
		w.upkeep(ctx, "relieve", w.store.dialect.relieve)
	}
	for _, u := range done {
		u.done <- err
	}
	w.upkeep(ctx, "copy the log", w.tidy)
}

// upkeep does between batches what the engine offers for it. What does not
// succeed is tried again when it is called for again.
func (w *writer) upkeep(ctx context.Context, what string, do func(context.Context, *session) error) {
	if do == nil || w.broken != nil {
		return
	}
	if err := do(ctx, w.conn); w.failed(err) == nil && err != nil {
		w.store.log.Warn("database upkeep failed", "what", what, "error", err)
	}
}

// waiting takes the next update from the queue, or returns nil when none waits.
// Whoever takes one answers it.
func (w *writer) waiting() *update {
	select {
	case u := <-w.store.queue:
		return u
	default:
		return nil
	}
}

func (w *writer) begin(ctx context.Context) (*Tx, error) {
	if _, err := w.conn.exec(ctx, w.store.dialect.beginWrite); err != nil {
		w.rollback(ctx) // should an earlier transaction still be open, the next one can begin
		return nil, err
	}
	tx := &Tx{session: w.conn, dialect: w.store.dialect, writing: true, now: w.store.now().UTC().Truncate(time.Microsecond)}
	if err := w.conn.row(ctx, selectHeads+w.store.dialect.forUpdate, nil, tx.heads.fields()...); err != nil {
		w.rollback(ctx)
		return nil, err
	}
	return tx, nil
}

// try runs one update behind a savepoint. After an error nothing of it is left.
func (w *writer) try(ctx context.Context, tx *Tx, u *update) (err error) {
	if err := u.ctx.Err(); err != nil {
		return err
	}
	if _, err := w.conn.exec(ctx, "SAVEPOINT one"); err != nil {
		tx.lost = err
		return w.gaveUp(err)
	}
	heads, entries := tx.heads, len(tx.entries)
	defer func() {
		u.panicked = recover()
		if u.panicked != nil {
			err = errPanicked
		}
		if err == nil && tx.failed != nil {
			err = fmt.Errorf("store: an update went on after a failure: %w", tx.failed)
		}
		if err == nil {
			if _, err = w.conn.exec(ctx, "RELEASE SAVEPOINT one"); err == nil {
				return
			}
		}
		tx.failed, tx.heads, tx.entries = nil, heads, tx.entries[:entries]
		_, undoErr := w.conn.exec(ctx, "ROLLBACK TO SAVEPOINT one")
		if undoErr != nil || w.store.dialect.fault(err) == faultDisk {
			// SQLite gives up the whole transaction on some errors, a full disk
			// among them (https://www.sqlite.org/lang_transaction.html).
			tx.lost = errors.Join(err, undoErr)
		}
	}()
	return u.fn(tx)
}

var errPanicked = errors.New("update panicked")

// end commits, tells the subscribers, and thereby makes the batch visible.
func (w *writer) end(ctx context.Context, tx *Tx) error {
	if tx.lost != nil {
		w.rollback(ctx)
		if err := w.failed(tx.lost); err != nil {
			return err
		}
		return w.gaveUp(tx.lost)
	}
	if len(tx.entries) > 0 {
		if _, err := w.conn.exec(ctx, updateHeads, tx.heads.values()...); err != nil {
			w.rollback(ctx)
			return err
		}
	}
	if _, err := w.conn.exec(ctx, "COMMIT"); err != nil {
		w.rollback(ctx)
		if err := w.failed(err); err != nil {
			return err
		}
		return fmt.Errorf("commit: %w", err)
	}
	w.store.published(tx.entries)
	return nil
}

// failed stops all writing when err says that the disk failed: after that nobody
// knows what it holds, and asking it again would not tell
// (https://wiki.postgresql.org/wiki/Fsync_Errors). It returns the answer to
// whoever wants to write, or nil.
func (w *writer) failed(err error) error {
	if err == nil || w.store.dialect.fault(err) != faultDisk {
		return nil
	}
	w.broken = &packhouse.Error{
		Kind: packhouse.Unavailable, Rule: "disk", Err: err,
		Message: "the database could not be written to disk; the server refuses writes until it is restarted",
		Fix:     "an administrator checks the disk and restarts the server",
	}
	w.store.log.Error("database not written to disk, refusing writes", "error", err)
	return w.broken
}

// gaveUp is the answer to an update whose transaction the engine gave up because
// of another one in it. A full disk is everybody's reason, others are not.
func (w *writer) gaveUp(cause error) error {
	if w.store.dialect.fault(cause) == faultFull {
		return w.store.dialect.translate(cause)
	}
	return &packhouse.Error{
		Kind: packhouse.Unavailable, Err: cause,
		Message: "the database gave up a transaction that this change was part of; nothing of it was written",
		Fix:     "try again",
	}
}

func (w *writer) rollback(ctx context.Context) {
	// SQLite may have rolled back by itself, so an error here says nothing.
	_, _ = w.conn.exec(ctx, "ROLLBACK")
}

package store

import (
	"context"
	"crypto/rand"
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
	store   *Store
	conn    *session                              // nil when the last one was lost
	process process                               // that serves conn, of a shared store
	tidy    func(context.Context, *session) error // nil when the engine needs none
	// broken is set when the disk failed in a way that leaves open what is on
	// it. Nothing is written after that until the store is opened again.
	broken error
}

func (s *Store) newWriter(ctx context.Context) (*writer, error) {
	w := &writer{store: s}
	if s.dialect.newTidy != nil {
		w.tidy = s.dialect.newTidy()
	}
	if err := w.connect(ctx); err != nil {
		return nil, err
	}
	var h heads
	if err := w.conn.row(ctx, selectHeads, nil, h.fields()...); err != nil {
		w.conn.close()
		return nil, err
	}
	s.position.Store(h.seq)
	if s.dialect.shared {
		if err := s.register(ctx, w.conn); err != nil {
			w.conn.close()
			return nil, err
		}
	}
	return w, nil
}

// connect opens the connection that writes.
func (w *writer) connect(ctx context.Context) (err error) {
	conn, err := openSession(ctx, w.store.db, w.store.dialect.writeSetup)
	if err != nil {
		return err
	}
	conn.steady = true
	if w.store.dialect.shared {
		if w.process, err = processOf(ctx, conn); err != nil {
			conn.close()
			return err
		}
	}
	w.conn = conn
	return nil
}

func (w *writer) run() {
	defer close(w.store.finished)
	defer w.disconnect()
	for {
		select {
		case u := <-w.store.queue:
			w.commit(u)
		case <-w.store.quit:
			for u := w.waiting(); u != nil; u = w.waiting() {
				w.commit(u)
			}
			w.leave()
			return
		}
	}
}

// leave removes this process from the nodes.
func (w *writer) leave() {
	if !w.store.dialect.shared || w.conn == nil {
		return
	}
	if _, err := w.conn.exec(context.Background(), deleteNode, w.store.node); err != nil {
		w.store.log.Warn("node not removed from the list", "error", err)
	}
}

func (w *writer) disconnect() {
	if w.conn != nil {
		w.conn.close()
		w.conn = nil
	}
}

// commit runs first and the updates that queue up behind it, and answers each.
// What comes to nothing because of other nodes, or because the database went
// away, is run again for a while.
func (w *writer) commit(first *update) {
	if w.broken != nil {
		first.done <- w.broken
		return
	}
	ctx := context.Background() // one caller's cancellation must not undo the others' work
	batch, err := w.attempt(ctx, []*update{first})
	for begun, tries := time.Now(), 1; len(batch) > 0 && w.again(err, begun, tries); tries++ {
		pause(ctx, min(time.Second, time.Duration(tries)*20*time.Millisecond), nil)
		batch, err = w.attempt(ctx, batch)
	}
	for _, u := range batch {
		u.done <- err
	}
	w.upkeep(ctx, "copy the log", w.tidy)
}

// mostTries is how often a batch that meets others is run.
const mostTries = 8

// again reports whether a batch that failed is worth running again. Whatever is
// uncertain carries a meaning of its own by now, and is not.
func (w *writer) again(err error, begun time.Time, tries int) bool {
	var known *packhouse.Error
	if err == nil || errors.As(err, &known) {
		return false
	}
	switch w.store.dialect.fault(err) {
	case faultConflict:
		return tries < mostTries
	case faultLost:
		return time.Since(begun) < patience
	}
	return false
}

// attempt runs a batch, and what queues up behind it, in one transaction. It
// answers the updates that failed by themselves and returns the others with what
// became of the transaction.
func (w *writer) attempt(ctx context.Context, batch []*update) (done []*update, err error) {
	tx, err := w.begin(ctx)
	if err != nil {
		return batch, err
	}
	defer w.watch()()
	tried := 0
	for u := batch[0]; u != nil; {
		err := w.try(ctx, tx, u)
		switch {
		case err == nil, w.passing(tx.lost) && u.panicked == nil:
			done = append(done, u)
		default:
			u.done <- err
		}
		tried++
		switch {
		case tx.lost != nil:
			u = nil
		case tried < len(batch):
			u = batch[tried]
		case tried < maxBatch:
			u = w.waiting()
		default:
			u = nil
		}
	}
	err = w.end(ctx, tx)
	switch {
	case err == nil && tx.shrink:
		w.upkeep(ctx, "shrink", w.store.dialect.shrink)
	case w.store.dialect.fault(err) == faultFull:
		w.upkeep(ctx, "relieve", w.store.dialect.relieve)
	}
	if tried < len(batch) {
		done = append(done, batch[tried:]...)
	}
	return done, err
}

// passing reports whether running the transaction again may help.
func (w *writer) passing(err error) bool {
	f := w.store.dialect.fault(err)
	return f == faultLost || f == faultConflict
}

// hung is how long a batch of a shared store may take. A server that says nothing
// for so long, and yet keeps the connection, has stopped.
const hung = 45 * time.Second

// watch sees to it that a batch ends, and returns what ends the watch.
func (w *writer) watch() func() {
	if !w.store.dialect.shared {
		return func() {}
	}
	t := time.AfterFunc(hung, w.conn.cut)
	return func() { t.Stop() }
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
	if w.conn == nil {
		if err := w.connect(ctx); err != nil {
			return nil, err
		}
	}
	defer w.watch()()
	if _, err := w.conn.exec(ctx, w.store.dialect.beginWrite); err != nil {
		w.rollback(ctx) // should an earlier transaction still be open, the next one can begin
		return nil, err
	}
	tx := &Tx{session: w.conn, dialect: w.store.dialect, writing: true, now: w.store.now().UTC().Truncate(time.Microsecond)}
	err := w.conn.row(ctx, selectHeads+w.store.dialect.forUpdate, nil, tx.heads.fields()...)
	if err == nil && w.store.dialect.shared {
		err = w.meet(ctx, tx)
	}
	if err != nil {
		w.rollback(ctx)
		return nil, err
	}
	return tx, nil
}

// meet takes notice of what other nodes have committed, now that nobody else
// writes, and names the transaction.
func (w *writer) meet(ctx context.Context, tx *Tx) error {
	if tx.heads.seq != w.store.position.Load() {
		if err := w.store.catchUp(ctx, w.conn); err != nil {
			return err
		}
	}
	// Clocks of nodes differ; the ledger's time does not run backwards.
	if latest := fromMicros(w.store.latest.Load()); tx.now.Before(latest) {
		tx.now = latest
	}
	tx.batch = []byte(rand.Text())
	return nil
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
		cause := tx.failed
		tx.failed, tx.heads, tx.entries = nil, heads, tx.entries[:entries]
		_, undoErr := w.conn.exec(ctx, "ROLLBACK TO SAVEPOINT one")
		if undoErr != nil || w.store.dialect.fault(err) == faultDisk || w.passing(cause) {
			// SQLite gives up the whole transaction on some errors, a full disk
			// among them (https://www.sqlite.org/lang_transaction.html).
			tx.lost = errors.Join(cause, err, undoErr)
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
		if w.passing(tx.lost) {
			return tx.lost
		}
		return w.gaveUp(tx.lost)
	}
	if err := w.writeHeads(ctx, tx); err != nil {
		w.rollback(ctx)
		return err
	}
	if _, err := w.conn.exec(ctx, "COMMIT"); err != nil {
		w.rollback(ctx)
		if err := w.failed(err); err != nil {
			return err
		}
		if w.store.dialect.fault(err) != faultLost {
			return fmt.Errorf("commit: %w", err)
		}
		if err := w.settle(ctx, tx, err); err != nil {
			return err
		}
	}
	w.store.published(tx.entries)
	return nil
}

// writeHeads writes down how far the transaction got.
func (w *writer) writeHeads(ctx context.Context, tx *Tx) error {
	q, values := updateHeads, tx.heads.values()
	switch {
	case w.store.dialect.shared && len(tx.entries) > 0:
		q, values = endTold, append(values, tx.batch, w.store.now().UnixMicro(), w.store.node)
	case w.store.dialect.shared:
		q, values = endBatch, append(values, tx.batch, w.store.now().UnixMicro(), w.store.node)
	case len(tx.entries) == 0:
		return nil
	}
	_, err := w.conn.exec(ctx, q, values...)
	return err
}

// uncertain is how long to ask what became of a batch.
const uncertain = time.Minute

// settle finds out what became of a batch whose COMMIT was not answered: nil when
// it was committed, and the cause when it certainly was not.
func (w *writer) settle(ctx context.Context, tx *Tx, cause error) error {
	old := w.process
	w.disconnect()
	for begun := time.Now(); time.Since(begun) < uncertain; pause(ctx, 100*time.Millisecond, nil) {
		if w.conn == nil {
			if err := w.connect(ctx); err != nil {
				continue
			}
		}
		done, err := w.store.committed(ctx, w.conn, old, tx.batch)
		if err != nil {
			w.disconnect()
			continue
		}
		w.store.log.Warn("connection lost at a commit", "committed", done, "error", cause)
		if done {
			return nil
		}
		return fmt.Errorf("commit: %w", cause)
	}
	return &packhouse.Error{
		Kind: packhouse.Unavailable, Rule: "database", Err: cause,
		Message: "the database went away while this was being written, and cannot be asked whether it was",
		Fix:     "look whether it is there, then try again",
	}
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
	// SQLite may have rolled back by itself, so an error here says nothing there.
	_, err := w.conn.exec(ctx, "ROLLBACK")
	if err != nil && w.store.dialect.shared {
		w.disconnect() // another transaction begins on another connection
	}
}

package store

import (
	"context"
	"errors"
	"fmt"

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
	// broken is set when a commit failed in a way that leaves open what is on
	// the disk. Nothing is written after that until the store is opened again.
	broken error
}

func (s *Store) newWriter(ctx context.Context) (*writer, error) {
	conn, err := openSession(ctx, s.db)
	if err != nil {
		return nil, err
	}
	w := &writer{store: s, conn: conn}
	var h heads
	if err := conn.row(ctx, selectHeads, nil, h.fields()...); err != nil {
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
			for {
				select {
				case u := <-w.store.queue:
					w.commit(u)
				default:
					return
				}
			}
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
	for u := first; u != nil && tx.lost == nil; u = w.next(len(done)) {
		if err := w.try(ctx, tx, u); err != nil {
			u.done <- err
			continue
		}
		done = append(done, u)
	}
	err = w.end(ctx, tx)
	for _, u := range done {
		u.done <- err
	}
}

// next returns an update that is already waiting, or nil.
func (w *writer) next(have int) *update {
	if have >= maxBatch {
		return nil
	}
	select {
	case u := <-w.store.queue:
		return u
	default:
		return nil
	}
}

func (w *writer) begin(ctx context.Context) (*Tx, error) {
	if _, err := w.conn.exec(ctx, w.store.dialect.beginWrite); err != nil {
		return nil, err
	}
	tx := &Tx{session: w.conn, dialect: w.store.dialect, writing: true, now: w.store.now().UTC()}
	if err := tx.row(ctx, selectHeads+w.store.dialect.forUpdate, nil, tx.heads.fields()...); err != nil {
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
	if _, err := tx.exec(ctx, "SAVEPOINT one"); err != nil {
		return err
	}
	heads, entries := tx.heads, len(tx.entries)
	defer func() {
		u.panicked = recover()
		if err == nil && u.panicked == nil {
			_, err = tx.exec(ctx, "RELEASE SAVEPOINT one")
			return
		}
		tx.heads, tx.entries = heads, tx.entries[:entries]
		if _, undoErr := tx.exec(ctx, "ROLLBACK TO SAVEPOINT one"); undoErr != nil {
			// SQLite gives up the whole transaction on some errors, a full disk
			// among them (https://www.sqlite.org/lang_transaction.html).
			tx.lost = errors.Join(err, undoErr)
		}
		if u.panicked != nil {
			err = errPanicked
		}
	}()
	return u.fn(tx)
}

var errPanicked = errors.New("update panicked")

// end commits, tells the subscribers, and thereby makes the batch visible.
func (w *writer) end(ctx context.Context, tx *Tx) error {
	if tx.lost != nil {
		w.rollback(ctx)
		return tx.lost
	}
	if len(tx.entries) > 0 {
		if _, err := tx.exec(ctx, updateHeads, tx.heads.values()...); err != nil {
			w.rollback(ctx)
			return err
		}
	}
	if _, err := w.conn.exec(ctx, "COMMIT"); err != nil {
		w.rollback(ctx)
		if w.store.dialect.fault(err) == faultSync {
			w.broken = &packhouse.Error{
				Kind: packhouse.Unavailable, Rule: "disk",
				Message: "the database could not be written to disk; the server refuses writes until it is restarted",
				Err:     err,
			}
			w.store.log.Error("database sync failed, refusing writes", "error", err)
			return w.broken
		}
		return fmt.Errorf("commit: %w", err)
	}
	w.store.published(tx.entries)
	return nil
}

func (w *writer) rollback(ctx context.Context) {
	// SQLite may have rolled back by itself, so an error here says nothing.
	_, _ = w.conn.exec(ctx, "ROLLBACK")
}

// heads is the row that whoever writes holds: the position of the ledger and
// the last id given out of each kind.
type heads struct {
	seq                                                 int64
	user, namespace, project, token, pkg, version, file int64
}

const (
	selectHeads = `
		SELECT seq, user_id, namespace_id, project_id, token_id, package_id, version_id, file_id
		FROM heads WHERE one = 1`
	updateHeads = `
		UPDATE heads SET seq = $1, user_id = $2, namespace_id = $3, project_id = $4, token_id = $5,
			package_id = $6, version_id = $7, file_id = $8
		WHERE one = 1`
)

func (h *heads) fields() []any {
	return []any{&h.seq, &h.user, &h.namespace, &h.project, &h.token, &h.pkg, &h.version, &h.file}
}

func (h *heads) values() []any {
	return []any{h.seq, h.user, h.namespace, h.project, h.token, h.pkg, h.version, h.file}
}

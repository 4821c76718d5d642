// Package store keeps the registry's state in a SQL database: the ledger, and
// the tables that follow from it.
//
// Everything is written through Store.Update, and within it through Tx.Append:
// one entry of the ledger, applied to the tables in the same transaction.
// Updates that wait for each other are committed together, so concurrent
// publishes share one sync of the disk. Reads go through Store.View, which sees
// one consistent state and never waits for a writer.
//
// The SQL is one text for every engine; what differs stands in a dialect.
package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
)

// Options configure a Store. The zero value works.
type Options struct {
	Readers int              // most connections for reading; 0 means 8. Others are Overhead
	Now     func() time.Time // the clock; nil means time.Now
	Log     *slog.Logger     // nil means slog.Default
	// Reading opens a database that is there, of this program's schema, and changes
	// nothing in it; Update fails. Another process may be writing to it.
	Reading bool
}

// Overhead is how many connections a Store has beside those for reading: one
// each to write, to follow other nodes, to be told by them, and to say that it is
// there.
const Overhead = 4

// Store is an open database. Its methods may be called concurrently.
type Store struct {
	dialect dialect
	db      *sql.DB
	readers *readers
	now     func() time.Time
	log     *slog.Logger
	reading bool // opened for nothing but reading

	queue    chan *update
	quit     chan struct{} // closed when Close begins
	finished chan struct{} // closed when the writer has ended
	close    func() error  // does the work of Close once
	position atomic.Int64
	latest   atomic.Int64 // when the entry at position was written, microseconds
	secrets  sync.Map     // name to []byte

	node      string    // our id among those who share the database
	follower  *follower // nil when the store is not shared
	following sync.WaitGroup

	mu          sync.Mutex // held while subscribers are called and while one is added
	subscribers []func([]ledger.Entry)
}

// OpenSQLite opens the database file at path, creating and migrating it as
// needed. A single process may have it open; the caller sees to that.
func OpenSQLite(ctx context.Context, path string, opts Options) (*Store, error) {
	return open(ctx, sqliteDialect, path, opts)
}

func open(ctx context.Context, d dialect, source string, opts Options) (*Store, error) {
	if opts.Readers == 0 {
		opts.Readers = 8
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if d.create != nil && !opts.Reading {
		if err := d.create(ctx, source); err != nil {
			return nil, fmt.Errorf("create database: %w", d.translate(err))
		}
	}
	db, err := d.connect(source)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db.SetMaxOpenConns(opts.Readers + Overhead)
	db.SetMaxIdleConns(opts.Readers + Overhead)
	if opts.Reading {
		err = d.current(ctx, db)
	} else {
		err = d.migrate(ctx, source, db)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("migrate database: %w", d.translate(err))
	}
	s := &Store{
		dialect: d, db: db, now: opts.Now, log: opts.Log,
		readers:  newReaders(opts.Readers),
		queue:    make(chan *update, maxBatch),
		quit:     make(chan struct{}),
		finished: make(chan struct{}),
	}
	s.close = sync.OnceValue(s.shut)
	if opts.Reading {
		s.reading = true
		close(s.finished)
		return s, nil
	}
	w, err := s.newWriter(ctx)
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("open database for writing: %w", d.translate(err))
	}
	go w.run()
	if d.shared {
		s.follower = &follower{store: s}
		s.follow()
	}
	return s, nil
}

// Close finishes the updates and views that have begun and closes the database.
// Those that come later fail. Closing again does nothing.
func (s *Store) Close() error { return s.close() }

func (s *Store) shut() error {
	close(s.quit)
	<-s.finished
	s.following.Wait()
	if s.follower != nil {
		s.follower.close()
	}
	s.readers.close()
	return s.db.Close()
}

// Position is the number of the newest entry that this process knows to be
// committed. Whatever it covers, every subscriber has been told of.
func (s *Store) Position() int64 { return s.position.Load() }

// Shared reports whether other processes may write to the same database.
func (s *Store) Shared() bool { return s.dialect.shared }

// Subscribe has fn called with every batch of entries committed from now on, in
// order, before the updates that wrote them return. It must be quick and must
// not call the store.
func (s *Store) Subscribe(fn func([]ledger.Entry)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers = append(s.subscribers, fn)
}

// published tells the subscribers of committed entries, but for those that they
// were told of: entries of a shared store are found in several ways.
func (s *Store) published(entries []ledger.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for position := s.position.Load(); len(entries) > 0 && entries[0].Seq <= position; {
		entries = entries[1:]
	}
	if len(entries) == 0 {
		return
	}
	for _, fn := range s.subscribers {
		fn(entries)
	}
	last := entries[len(entries)-1]
	s.latest.Store(last.At.UnixMicro())
	s.position.Store(last.Seq)
}

// View calls fn with a transaction that sees one consistent state of the
// database and cannot change it. The Tx must not outlive fn.
func (s *Store) View(ctx context.Context, fn func(*Tx) error) (err error) {
	if err := s.readers.wait(ctx, s.quit); err != nil {
		return err
	}
	conn, err := s.snapshot(ctx, s.readers.take())
	defer func() { s.readers.done(conn) }()
	if err != nil {
		return s.dialect.translate(err)
	}
	// Whether a snapshot stands open must not depend on when ctx ends.
	lasting := context.WithoutCancel(ctx)
	defer func() {
		// Ending a read gives up its snapshot. If even that fails the
		// connection is of no more use.
		if _, endErr := conn.exec(lasting, "ROLLBACK"); endErr != nil {
			conn.close()
			conn = nil
		}
	}()
	return s.dialect.translate(fn(&Tx{session: conn, dialect: s.dialect}))
}

// snapshot begins to read, on an idle connection or a new one. One that was idle
// may have lost its server meanwhile.
func (s *Store) snapshot(ctx context.Context, idle *session) (conn *session, err error) {
	if conn = idle; conn == nil {
		if conn, err = openSession(ctx, s.db, s.dialect.readOnly); err != nil {
			return nil, err
		}
	}
	if _, err = conn.exec(context.WithoutCancel(ctx), s.dialect.beginRead); err == nil {
		return conn, nil
	}
	conn.close()
	if idle != nil && s.dialect.fault(err) == faultLost {
		return s.snapshot(ctx, nil)
	}
	return nil, err
}

// Update calls fn with a transaction that can change the database, and returns
// once the change is durable: a nil error means committed and synced to disk.
// An error of fn undoes what fn did and nothing else, and a panic of fn does the
// same and goes on in the caller. fn may be called again after a conflict
// between engines' transactions, so it touches nothing outside, does no other
// I/O and does not call the store.
//
// Cancelling ctx gives up an update that waits for its turn. One that has begun
// is finished, whatever becomes of the contexts that fn uses.
//
// packhouse.Full: there is no room. packhouse.Unavailable: the store is closing
// or has stopped writing, or the engine gave up the transaction.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	if s.reading {
		return errReading
	}
	u := &update{ctx: ctx, fn: fn, done: make(chan error, 1)}
	select {
	case s.queue <- u:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.quit:
		return errClosed
	}
	err := errClosed
	select {
	case err = <-u.done:
	case <-s.finished:
		select { // it may have been answered just before
		case err = <-u.done:
		default:
		}
	}
	if u.panicked != nil {
		panic(u.panicked)
	}
	return s.dialect.translate(err)
}

var errClosed error = &packhouse.Error{Kind: packhouse.Unavailable, Message: "the server is shutting down"}

// Check has the engine look through its own files for damage. An engine that cannot
// is left alone.
func (s *Store) Check(ctx context.Context) error {
	if s.dialect.check == nil {
		return nil
	}
	return s.View(ctx, func(tx *Tx) error { return s.dialect.check(ctx, tx.session) })
}

// Shrink gives space that removed rows have left back to the file system, a
// bounded part of it at a time. An engine that does so by itself is left alone.
func (s *Store) Shrink(ctx context.Context) error {
	if s.dialect.shrink == nil {
		return nil
	}
	return s.Update(ctx, func(tx *Tx) error {
		tx.shrink = true
		return nil
	})
}

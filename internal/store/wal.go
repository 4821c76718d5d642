package store

import (
	"context"

	"modernc.org/sqlite"
)

// wal keeps SQLite's write-ahead log short. A checkpoint copies the log into
// the database file; the next write then begins the log anew, unless somebody
// is still reading from it. SQLite would do that inside a commit, which makes
// somebody wait, and readers that overlap without a pause would let the log
// grow for ever (https://www.sqlite.org/wal.html#avoiding_excessively_large_wal_files).
// So the writer does it between batches, and when the log has become long it
// waits a moment for the readers: whoever begins to read after a complete
// checkpoint does not need the log.
//
// All its numbers are pages of 4 KiB.
type wal struct {
	every int // how much to write before copying it
	long  int // how much the log has to grow before waiting for readers

	pages  int // written since the last checkpoint
	waited int // length of the log when it last waited for readers
}

// keepShort is called after every batch.
func (l *wal) keepShort(ctx context.Context, conn *session) error {
	written, err := pagesWritten(conn)
	if err != nil {
		return err
	}
	if l.pages += written; l.pages < l.every {
		return nil
	}
	l.pages = 0
	length, err := checkpoint(ctx, conn, "PRAGMA wal_checkpoint(PASSIVE)")
	if err != nil {
		return err
	}
	if length < l.waited {
		l.waited = 0 // it began anew
	}
	if length-l.waited < l.long {
		return nil
	}
	l.waited = length
	return waitForReaders(ctx, conn, "PRAGMA wal_checkpoint(RESTART)")
}

// waitForReaders checkpoints so that the next write begins the log anew. A
// reader that takes longer than a moment makes it give up until later.
func waitForReaders(ctx context.Context, conn *session, how string) error {
	if _, err := conn.exec(ctx, "PRAGMA busy_timeout = 200"); err != nil {
		return err
	}
	_, err := checkpoint(ctx, conn, how)
	if _, resetErr := conn.exec(ctx, "PRAGMA busy_timeout = 5000"); err == nil {
		err = resetErr
	}
	return err
}

// A shrinkSQLite gives back at most shrinkSteps times shrinkPages, 20 MiB, because
// writers wait for it. The steps are small because each first needs as much room
// in the log as it gives back, on a disk that may be full.
const (
	shrinkPages = "256"
	shrinkSteps = 20
)

// shrinkSQLite moves pages that removed rows have left to the end of the database
// file and cuts them off. The file gets shorter when the log has been copied into
// it. A reader that keeps it from that makes it give up until later.
func shrinkSQLite(ctx context.Context, conn *session) error {
	for range shrinkSteps {
		var free int
		if err := conn.row(ctx, "PRAGMA freelist_count", nil, &free); err != nil || free == 0 {
			return err
		}
		if _, err := conn.exec(ctx, "PRAGMA incremental_vacuum("+shrinkPages+")"); err != nil {
			return err
		}
		if err := emptyLog(ctx, conn); err != nil {
			return err
		}
	}
	return nil
}

// emptyLog copies the log into the database file and cuts the log off.
func emptyLog(ctx context.Context, conn *session) error {
	return waitForReaders(ctx, conn, "PRAGMA wal_checkpoint(TRUNCATE)")
}

// checkpoint returns the length of the log. That readers kept some of
// it from being copied is no error.
func checkpoint(ctx context.Context, conn *session, q string) (length int, err error) {
	var busy, copied int
	err = conn.row(ctx, q, nil, &busy, &length, &copied)
	return length, err
}

// pagesWritten counts the pages that a connection wrote since the last call.
func pagesWritten(conn *session) (pages int, err error) {
	err = conn.conn.Raw(func(driverConn any) error {
		pages, _, err = driverConn.(sqlite.DBStatus).Status(sqlite.DBStatusCacheWrite, true)
		return err
	})
	return pages, err
}

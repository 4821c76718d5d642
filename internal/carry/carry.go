// Package carry takes a whole registry from one pair of database and blob
// store to another. That is what backup, restore and moving to other stores are.
//
// It replays the ledger, from which all tables follow, and then asks the
// destination which bytes its files miss. So it can be stopped and begun again at
// any time, a second run carries only what has come since, and the source may be
// serving: where bytes are gone in the meantime, the ledger has gone on and says
// so.
package carry

import (
	"context"
	"errors"
	"fmt"

	"packhouse/internal/blob"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// Pair is where a registry is kept.
type Pair struct {
	Store *store.Store
	Blobs blob.Store
}

// Options say how a registry is carried. The zero value works.
type Options struct {
	Workers  int            // files carried at once; 0 means 4
	Progress func(Progress) // told from one goroutine at a time; may be nil
}

// Progress is how far it is.
type Progress struct {
	Entries, AllEntries int64 // of the ledger
	Files, AllFiles     int64 // digests carried by this run
	Bytes, AllBytes     int64
}

// Report is what was done.
type Report struct {
	Position int64 // of the ledger that both have
	Files    int64 // digests carried by this run
	Bytes    int64
	Problems []Problem
}

// Problem is a file that could not be carried because its source is damaged. All
// others are.
type Problem struct {
	Bytes store.Bytes
	Err   error
}

const (
	entriesAtOnce = 200
	digestsAtOnce = 10_000
	asidesAtOnce  = 1_000
	// mostRounds bounds how often the source may take bytes away while they are
	// being carried. One more round is enough unless it purges again meanwhile.
	mostRounds = 10
)

// Registry makes to hold what from holds. It writes to the destination alone, which
// must be empty or hold an earlier state of the same registry, and which nobody
// may be serving. What it has carried stays when it fails.
//
// Files that are damaged in the source are left out and named in the report.
func Registry(ctx context.Context, from, to Pair, opts Options) (Report, error) {
	if opts.Workers == 0 {
		opts.Workers = 4
	}
	if opts.Progress == nil {
		opts.Progress = func(Progress) {}
	}
	c := &copier{from: from, to: to, opts: opts}
	err := c.run(ctx)
	c.report.Position = c.progress.Entries
	return c.report, err
}

type copier struct {
	from, to Pair
	opts     Options
	progress Progress
	report   Report
}

func (c *copier) run(ctx context.Context) error {
	if err := c.begin(ctx); err != nil {
		return err
	}
	// Before the ledger, so that no row is about what the ledger does not know yet.
	for _, a := range store.Asides {
		if err := c.aside(ctx, a); err != nil {
			return fmt.Errorf("carry the %s: %w", a, err)
		}
	}
	for round := 1; ; round++ {
		before := c.progress.Entries
		if err := c.ledger(ctx); err != nil {
			return fmt.Errorf("carry the ledger: %w", err)
		}
		still := round > 1 && c.progress.Entries == before
		problems, err := c.files(ctx)
		if err != nil {
			return fmt.Errorf("carry the files: %w", err)
		}
		if len(problems) == 0 || still || round == mostRounds {
			c.report.Problems = problems
			break
		}
	}
	return c.compare(ctx)
}

// begin refuses a destination that is not an earlier state of the source.
func (c *copier) begin(ctx context.Context) error {
	at, err := position(ctx, c.to.Store)
	if err != nil {
		return err
	}
	c.progress.Entries = at
	if at == 0 {
		return nil
	}
	of := func(s *store.Store) (list []store.Written, err error) {
		return list, s.View(ctx, func(tx *store.Tx) (err error) {
			list, err = tx.EntryDigests(ctx, at-1, 1)
			return err
		})
	}
	theirs, err := of(c.from.Store)
	if err != nil {
		return err
	}
	ours, err := of(c.to.Store)
	if err != nil {
		return err
	}
	if len(theirs) == 0 || len(ours) == 0 || theirs[0].Digest != ours[0].Digest {
		return ErrOther
	}
	return nil
}

// ErrOther means that the destination holds something else than an earlier state
// of the source.
var ErrOther = errors.New("the destination holds another registry, or a newer state of this one; choose an empty one")

func position(ctx context.Context, s *store.Store) (seq int64, err error) {
	return seq, s.View(ctx, func(tx *store.Tx) (err error) {
		seq, err = tx.Position(ctx)
		return err
	})
}

// ledger replays entries until the destination has all that the source has now.
func (c *copier) ledger(ctx context.Context) error {
	for {
		var entries []ledger.Entry
		err := c.from.Store.View(ctx, func(tx *store.Tx) (err error) {
			if c.progress.AllEntries, err = tx.Position(ctx); err != nil {
				return err
			}
			entries, err = tx.Entries(ctx, c.progress.Entries, entriesAtOnce)
			return err
		})
		c.opts.Progress(c.progress)
		if err != nil || len(entries) == 0 {
			return err
		}
		if err := c.replay(ctx, entries); err != nil {
			return err
		}
		c.progress.Entries += int64(len(entries))
	}
}

func (c *copier) replay(ctx context.Context, entries []ledger.Entry) error {
	var gone []string
	err := c.to.Store.Update(ctx, func(tx *store.Tx) error {
		gone = nil // it may be called again
		if err := tx.Replay(ctx, entries); err != nil {
			return err
		}
		for _, e := range entries {
			var keys []string
			var err error
			switch purge := e.Event.(type) {
			case *ledger.Purge:
				keys, err = tx.DropPurged(ctx, purge.FileIDs)
			case *ledger.TrashPurge:
				keys, err = tx.DropPurged(ctx, purge.FileIDs)
			case *ledger.PartPurge:
				keys, err = tx.DropPurgedParts(ctx, purge.IDs)
			}
			if err != nil {
				return err
			}
			gone = append(gone, keys...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, key := range gone {
		if err := c.to.Blobs.Delete(ctx, blob.Key(key)); err != nil {
			return err
		}
	}
	return nil
}

// aside carries a table that does not follow from the ledger.
func (c *copier) aside(ctx context.Context, a store.Aside) error {
	var after []any
	for {
		var rows [][]any
		err := c.from.Store.View(ctx, func(tx *store.Tx) (err error) {
			rows, err = tx.AsideRows(ctx, a, after, asidesAtOnce)
			return err
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := c.to.Store.Update(ctx, func(tx *store.Tx) error { return tx.PutAsideRows(ctx, a, rows) }); err != nil {
			return err
		}
		after = rows[len(rows)-1]
	}
}

// compare reads both ledgers from the beginning: every entry has to be the same,
// by the digest that was taken when it was written.
func (c *copier) compare(ctx context.Context) error {
	for at := int64(0); at < c.progress.Entries; {
		var theirs, ours []store.Written
		read := func(s *store.Store, into *[]store.Written) error {
			return s.View(ctx, func(tx *store.Tx) (err error) {
				*into, err = tx.EntryDigests(ctx, at, int(min(digestsAtOnce, c.progress.Entries-at)))
				return err
			})
		}
		if err := errors.Join(read(c.from.Store, &theirs), read(c.to.Store, &ours)); err != nil {
			return fmt.Errorf("compare the ledgers: %w", err)
		}
		for i, w := range theirs {
			if i >= len(ours) || ours[i].Seq != w.Seq || ours[i].Digest != w.Digest {
				return fmt.Errorf("entry %d of the ledger is not the same in the destination; what is there is of no use", w.Seq)
			}
		}
		if len(theirs) == 0 {
			return fmt.Errorf("the source has no entry after %d", at)
		}
		at += int64(len(theirs))
	}
	return nil
}

package house

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"packhouse/internal/carry"
	"packhouse/internal/store"
)

// Pair is the database and the blob store of a registry without the rooms around
// them, for commands that look through or carry all of it.
type Pair struct {
	carry.Pair

	lock  *os.File // nil for reading
	files io.Closer
}

// PairOptions say what to open.
type PairOptions struct {
	Data     string // the data folder; "" when the two below are in its stead
	Database string // the address of a PostgreSQL database instead of the one in Data
	Blobs    string // the address of a bucket instead of the files in Data
	Reading  bool   // open what is there and change nothing; a server may be running
	Reserve  int64  // bytes of free disk to leave alone
	Log      *slog.Logger
}

// OpenPair opens a pair. For writing it makes what is not there, and nobody else
// may have it open.
func OpenPair(ctx context.Context, opts PairOptions) (p *Pair, err error) {
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	p = &Pair{}
	defer func() {
		if err != nil {
			p.Close() // what it says is less than err
			p = nil
		}
	}()
	if !opts.Reading && opts.Data != "" {
		if p.lock, err = lockFolder(opts.Data); err != nil {
			return p, err
		}
	}
	if p.Store, err = opts.openStore(ctx); err != nil {
		return p, err
	}
	p.Blobs, p.files, err = openBlobs(ctx, opts.Blobs, opts.Data, opts.Reserve, opts.Log)
	return p, err
}

// openStore opens the database that the options name.
func (o *PairOptions) openStore(ctx context.Context) (*store.Store, error) {
	how := store.Options{Reading: o.Reading, Log: o.Log}
	if o.Database != "" {
		s, err := store.OpenPostgres(ctx, o.Database, how) // what it says has no password in it
		if err == nil && !o.Reading {
			if err = s.Alone(ctx); err != nil {
				s.Close()
			}
		}
		return s, err
	}
	file := filepath.Join(o.Data, databaseFile)
	if o.Reading {
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("%s holds no registry: %w", o.Data, err)
		}
	}
	s, err := store.OpenSQLite(ctx, file, how)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", file, err)
	}
	return s, nil
}

// Close closes both and gives the folder free.
func (p *Pair) Close() error {
	var errs []error
	if p.Store != nil {
		errs = append(errs, p.Store.Close())
	}
	if p.files != nil {
		errs = append(errs, p.files.Close())
	}
	if p.lock != nil {
		errs = append(errs, p.lock.Close())
	}
	return errors.Join(errs...)
}

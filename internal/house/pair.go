package house

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"packhouse/internal/blob/disk"
	"packhouse/internal/carry"
	"packhouse/internal/store"
)

// Pair is the database and the blob store of a registry without the rooms around
// them, for commands that look through or carry all of it.
type Pair struct {
	carry.Pair

	lock  *os.File // nil for reading
	files *disk.Store
}

// PairOptions say what to open.
type PairOptions struct {
	Data    string // the data folder
	Reading bool   // open what is there and change nothing; a server may be running
	Reserve int64  // bytes of free disk to leave alone
	Log     *slog.Logger
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
	database := filepath.Join(opts.Data, databaseFile)
	if opts.Reading {
		if _, err := os.Stat(database); err != nil {
			return p, fmt.Errorf("%s holds no registry: %w", opts.Data, err)
		}
	} else if p.lock, err = lockFolder(opts.Data); err != nil {
		return p, err
	}
	if p.Store, err = store.OpenSQLite(ctx, database, store.Options{Reading: opts.Reading, Log: opts.Log}); err != nil {
		return p, fmt.Errorf("open %s: %w", database, err)
	}
	p.files, err = disk.New(filepath.Join(opts.Data, filesFolder), disk.Options{Reserve: opts.Reserve, Log: opts.Log})
	if err != nil {
		return p, fmt.Errorf("open the folder of files: %w", err)
	}
	p.Blobs = p.files
	return p, nil
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

package house

import (
	"context"
	"os"
	"path/filepath"

	"packhouse/internal/blob/s3"
	"packhouse/internal/store"
)

// openStore opens the database that the options name.
func openStore(ctx context.Context, opts *Options) (*store.Store, error) {
	if opts.Database == "" {
		return store.OpenSQLite(ctx, filepath.Join(opts.Data, databaseFile), store.Options{Log: opts.Log})
	}
	readers := 0
	if opts.DatabasePool > 0 {
		readers = max(1, opts.DatabasePool-store.Overhead)
	}
	return store.OpenPostgres(ctx, opts.Database, store.Options{Log: opts.Log, Readers: readers})
}

// placeOf says where the files are: in a bucket, which nodes may reach by different
// addresses, or in a data folder. No other server has that folder, whatever one of
// its own is called.
func placeOf(bucket, data string) string {
	if at, err := s3.Parse(bucket); err == nil {
		return "s3://" + at.Bucket + "/" + at.Prefix
	}
	if whole, err := filepath.Abs(data); err == nil {
		data = whole
	}
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	return "folder " + data + " of " + name
}

// fresh is what the gate waits for, so that a request sees what any node has
// acknowledged; nil when there is but this one.
func (h *House) fresh() func(context.Context) error {
	if !h.Store.Shared() {
		return nil
	}
	return h.Store.Fresh
}

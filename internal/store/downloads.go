package store

import (
	"context"
	"time"
)

// Downloads is how often a file was downloaded on one day.
type Downloads struct {
	FileID int64
	Day    int64 // days since 1970-01-01 UTC
	Count  int64
	Last   time.Time
}

// AddDownloads adds to the counters. They are no part of the ledger: losing the
// last moments of them in a crash loses nobody's package.
func (tx *Tx) AddDownloads(ctx context.Context, list []Downloads) error {
	const q = `
		INSERT INTO downloads (file_id, day, count, last_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (file_id, day) DO UPDATE SET count = downloads.count + excluded.count,
			last_at = CASE WHEN excluded.last_at > downloads.last_at THEN excluded.last_at ELSE downloads.last_at END`
	for _, d := range list {
		if _, err := tx.exec(ctx, q, d.FileID, d.Day, d.Count, d.Last.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// LastDownload is when a file of a version was last downloaded; the zero time
// when none was.
func (tx *Tx) LastDownload(ctx context.Context, versionID int64) (time.Time, error) {
	const q = `
		SELECT COALESCE(MAX(d.last_at), 0) FROM downloads d JOIN files f ON f.id = d.file_id WHERE f.version_id = $1`
	var us int64
	if err := tx.row(ctx, q, []any{versionID}, &us); err != nil || us == 0 {
		return time.Time{}, err
	}
	return fromMicros(us), nil
}

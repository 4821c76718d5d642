package registry

import (
	"context"
	"sync"
	"time"

	"packhouse/internal/store"
)

// downloads adds up downloads in memory, so that reading a file writes nothing.
type downloads struct {
	mu     sync.Mutex
	counts map[downloadKey]*store.Downloads
}

type downloadKey struct{ file, day int64 }

func newDownloads() *downloads {
	return &downloads{counts: map[downloadKey]*store.Downloads{}}
}

func (d *downloads) add(file int64, at time.Time) {
	key := downloadKey{file, at.Unix() / (24 * 60 * 60)}
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.counts[key]
	if c == nil {
		c = &store.Downloads{FileID: file, Day: key.day}
		d.counts[key] = c
	}
	c.Count++
	c.Last = at
}

// take returns what was added up and starts again from nothing.
func (d *downloads) take() []store.Downloads {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := make([]store.Downloads, 0, len(d.counts))
	for _, c := range d.counts {
		list = append(list, *c)
	}
	clear(d.counts)
	return list
}

// SaveDownloads writes the download counters that have added up in memory.
// Counts whose writing fails are lost.
func (r *Registry) SaveDownloads(ctx context.Context) error {
	list := r.downloads.take()
	if len(list) == 0 {
		return nil
	}
	return r.store.Update(ctx, func(tx *store.Tx) error { return tx.AddDownloads(ctx, list) })
}

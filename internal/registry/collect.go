package registry

import (
	"context"
	"time"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// Collected is what Purge or Sweep did.
type Collected struct {
	Images  int // manifests and blobs of images that nothing needed any more
	Files   int // deleted files whose bytes were given up
	Blobs   int // blobs that no file needed any more
	Uploads int // uploads that nobody will finish
	Orphans int // blobs that no transaction ever knew, left by a crash
}

const (
	purgeBatch = 500
	// orphanAge is how long nothing must have happened to an upload or blob
	// before the collector looks at it. Whether it then removes it is decided by
	// the list of uploads under way and by the database, not by this.
	orphanAge = time.Hour
	// sharedAge is the same where other processes write to the blob store, whose
	// uploads are not on the list. There it does decide, so it is twice the time
	// within which received bytes must be published (docs/adr/0051-s3.md).
	sharedAge = 24 * time.Hour
)

// age is how old a leftover must be.
func (r *Registry) age() time.Duration {
	if _, shared := r.blobs.Store.(blob.Sharer); shared {
		return sharedAge
	}
	return orphanAge
}

// fresh refuses to publish bytes that were received so long ago that another
// process could take them for a leftover before the transaction is over. It is
// asked inside of that, by the clock of the wall: a machine that was asleep has
// to notice.
func (r *Registry) fresh(files []*Received) error {
	if r.age() != sharedAge {
		return nil
	}
	for _, f := range files {
		if f.file.Blob.Key != "" && r.now().Round(0).Sub(f.at) > sharedAge/2 {
			return &packhouse.Error{
				Kind: packhouse.Unavailable, Rule: "age", Message: "the file was received too long ago to be published", Fix: "send it again",
			}
		}
	}
	return nil
}

// Sweep removes what crashes left behind: unfinished uploads, and blobs whose
// publish never committed. It runs beside publishes: a key belongs to a single
// upload (see package blob), so a copy that no transaction refers to and that is
// not under way can never be referred to later.
func (r *Registry) Sweep(ctx context.Context) (done Collected, err error) {
	if err := r.expireUploads(ctx); err != nil {
		return done, err
	}
	if err := r.sweepUploads(ctx, &done); err != nil {
		return done, err
	}
	return done, r.sweepOrphans(ctx, &done)
}

// Purge deletes parts of images that nothing has needed for a while, and gives up
// the bytes of deleted files and parts whose retention is over. Rows first,
// bytes second: a crash in between leaves an orphan for Sweep.
func (r *Registry) Purge(ctx context.Context) (done Collected, err error) {
	if done.Images, err = r.collectImages(ctx); err != nil {
		return done, err
	}
	before := r.now().Add(-r.options.Retention)
	for {
		var (
			keys  []string
			files int
		)
		err := r.store.Update(ctx, func(tx *store.Tx) (err error) {
			keys, files, err = tx.Purge(ctx, ledger.By{}, before, purgeBatch)
			return err
		})
		if err != nil {
			return done, err
		}
		for _, key := range keys {
			if err := r.blobs.Delete(ctx, blob.Key(key)); err != nil {
				return done, err
			}
		}
		done.Files += files
		done.Blobs += len(keys)
		if files < purgeBatch {
			break
		}
	}
	if done.Files == 0 {
		return done, nil
	}
	return done, r.store.Shrink(ctx)
}

func (r *Registry) sweepUploads(ctx context.Context, done *Collected) error {
	for u, err := range r.blobs.Uploads(ctx) {
		if err != nil {
			return err
		}
		if r.now().Sub(u.ModTime) < r.age() || r.blobs.underWay(u.ID) {
			continue
		}
		wanted := false
		err := r.store.View(ctx, func(tx *store.Tx) (err error) {
			wanted, err = tx.HasUpload(ctx, u.ID)
			return err
		})
		if err != nil {
			return err
		}
		if wanted {
			continue // its client may go on with it
		}
		upload, err := r.blobs.Resume(ctx, u.ID)
		if err != nil {
			continue // it ended meanwhile
		}
		if err := upload.Abort(ctx); err != nil {
			return err
		}
		done.Uploads++
	}
	return nil
}

func (r *Registry) sweepOrphans(ctx context.Context, done *Collected) error {
	for info, err := range r.blobs.List(ctx, "") {
		if err != nil {
			return err
		}
		orphan, err := r.orphan(ctx, info)
		if err != nil {
			return err
		}
		if !orphan {
			continue
		}
		if err := r.blobs.Delete(ctx, info.Key); err != nil {
			return err
		}
		done.Orphans++
	}
	return nil
}

// orphan reports whether a blob belongs to no file and never will. The order
// matters: an upload that is not under way has committed its transaction or
// never will, so what the database says afterwards is final. What it does not
// know is asked again in an update, because a store that stopped writing after a
// failed sync does not know whether the last one happened: that refuses, and the
// bytes stay.
func (r *Registry) orphan(ctx context.Context, info blob.Info) (bool, error) {
	_, id, ok := info.Key.Split()
	if !ok || r.now().Sub(info.ModTime) < r.age() || r.blobs.underWay(id) {
		return false, nil
	}
	known := false
	err := r.store.View(ctx, func(tx *store.Tx) (err error) {
		known, err = tx.HasBlobKey(ctx, string(info.Key))
		return err
	})
	if err != nil || known {
		return false, err
	}
	orphan := false
	err = r.store.Update(ctx, func(tx *store.Tx) (err error) {
		orphan, err = tx.Abandon(ctx, string(info.Key))
		return err
	})
	return err == nil && orphan, err
}

// release removes the bytes of a file that was received and not published.
func (r *Registry) release(key string) {
	if key == "" {
		return
	}
	// The request may be over; the clean-up is not.
	r.drop(context.Background(), blob.Key(key))
	r.blobs.settle(blob.Key(key))
}

// drop removes a copy that nothing refers to. Should that fail, the collector
// finds it later.
func (r *Registry) drop(ctx context.Context, key blob.Key) {
	if err := r.blobs.Delete(context.WithoutCancel(ctx), key); err != nil {
		r.log.Warn("unneeded blob not removed", "error", err)
	}
}

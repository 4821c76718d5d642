package carry

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/store"
)

const filesAtOnce = 256

// files carries the bytes that files of the destination miss. It goes through
// all of them once and returns those that could not be read.
func (c *copier) files(ctx context.Context) ([]Problem, error) {
	err := c.to.Store.View(ctx, func(tx *store.Tx) error {
		count, size, err := tx.MissingTotal(ctx)
		c.progress.AllFiles, c.progress.AllBytes = c.progress.Files+count, c.progress.Bytes+size
		return err
	})
	if err != nil {
		return nil, err
	}
	c.opts.Progress(c.progress)
	var (
		problems []Problem
		after    packhouse.Digest
	)
	for {
		missing, err := c.missing(ctx, after)
		if err != nil || len(missing) == 0 {
			return problems, err
		}
		after = missing[len(missing)-1].Digest
		more, err := c.carry(ctx, missing)
		if err != nil {
			return problems, err
		}
		problems = append(problems, more...)
	}
}

// missing is the next part of what the destination misses, with where the source
// has it.
func (c *copier) missing(ctx context.Context, after packhouse.Digest) (list []store.Bytes, err error) {
	err = c.to.Store.View(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.MissingBytes(ctx, after, filesAtOnce)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, c.from.Store.View(ctx, func(tx *store.Tx) error {
		for i, b := range list {
			at, err := tx.BlobOf(ctx, b.Digest)
			if err != nil && packhouse.KindOf(err) != packhouse.NotFound {
				return err
			}
			list[i].Blob = at
		}
		return nil
	})
}

// carry brings bytes over: small ones, which are in the database, in one
// transaction, others several at a time.
func (c *copier) carry(ctx context.Context, list []store.Bytes) (problems []Problem, err error) {
	var (
		small   []store.Bytes
		mu      sync.Mutex
		workers errgroup.Group
	)
	workers.SetLimit(c.opts.Workers)
	done := func(b store.Bytes, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			problems = append(problems, Problem{b, err})
			return
		}
		c.progress.Files++
		c.progress.Bytes += b.Size
		c.report.Files++
		c.report.Bytes += b.Size
		c.opts.Progress(c.progress)
	}
	for _, b := range list {
		switch {
		case b.Blob.Key != "":
			workers.Go(func() error {
				damage, err := c.carryBlob(ctx, b)
				if err == nil {
					done(b, damage)
				}
				return err
			})
		case b.Blob.Data == nil:
			done(b, blob.ErrNotFound)
		case sha256.Sum256(b.Blob.Data) != b.Digest:
			done(b, errAltered)
		default:
			small = append(small, b)
		}
	}
	if err := errors.Join(c.carrySmall(ctx, small), workers.Wait()); err != nil {
		return problems, err
	}
	for _, b := range small {
		done(b, nil)
	}
	return problems, nil
}

var errAltered = errors.New("its bytes are not those that were published")

func (c *copier) carrySmall(ctx context.Context, list []store.Bytes) error {
	if len(list) == 0 {
		return nil
	}
	return c.to.Store.Update(ctx, func(tx *store.Tx) error {
		for _, b := range list {
			if _, err := tx.KeepBytes(ctx, b); err != nil {
				return err
			}
		}
		return nil
	})
}

// carryBlob brings one blob over. Damage is what is wrong with the source.
func (c *copier) carryBlob(ctx context.Context, b store.Bytes) (damage, err error) {
	r, err := c.from.Blobs.Open(ctx, blob.Key(b.Blob.Key))
	if err != nil {
		return err, nil
	}
	defer r.Close()
	info, _, err := blob.Put(ctx, c.to.Blobs, r, blob.PutOptions{Want: b.Digest})
	var read *blob.ReadError
	switch {
	case packhouse.KindOf(err) == packhouse.Invalid:
		return errAltered, nil
	case errors.As(err, &read):
		return err, nil
	case err != nil:
		return nil, err
	}
	var spare bool
	err = c.to.Store.Update(ctx, func(tx *store.Tx) (err error) {
		spare, err = tx.KeepBytes(ctx, store.Bytes{Digest: b.Digest, Size: info.Size, Blob: store.Blob{Key: string(info.Key)}})
		return err
	})
	if err == nil && !spare {
		return nil, nil
	}
	if failed := c.to.Blobs.Delete(context.WithoutCancel(ctx), info.Key); failed != nil {
		err = errors.Join(err, fmt.Errorf("delete blob %s: %w", info.Key, failed))
	}
	return nil, err
}

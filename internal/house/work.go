package house

import (
	"context"
	"time"

	"packhouse/internal/jobs"
	"packhouse/internal/ledger"
)

// work starts the background work.
func (h *House) work(ctx context.Context) error {
	handlers := map[string]jobs.Handler{}
	for kind, job := range map[string]struct {
		every time.Duration
		run   func(context.Context) (more bool, err error)
	}{
		"purge":  {h.options.PurgeEvery, once(h.purge)},
		"sweep":  {h.options.SweepEvery, once(h.sweep)},
		"remove": {h.options.RemoveEvery, once(h.remove)},
		"clean":  {h.options.CleanEvery, once(h.clean)},
		"images": {h.options.CleanEvery, h.cleanImages},
	} {
		handlers[kind] = func(ctx context.Context, _ string) (time.Duration, error) {
			if job.every <= 0 {
				return 0, nil // left from a start with other options; this ends it
			}
			more, err := job.run(ctx)
			if more {
				return time.Millisecond, err // after whatever else is due
			}
			return job.every, err
		}
		if job.every <= 0 {
			continue
		}
		// A first run soon after the start finds what a crash left behind.
		if err := jobs.Every(ctx, h.Store, kind, time.Now().Add(min(job.every, time.Minute))); err != nil {
			return err
		}
	}
	ctx, h.stop = context.WithCancel(context.WithoutCancel(ctx))
	runner := jobs.New(jobs.Options{Store: h.Store, Handlers: handlers, Log: h.options.Log})
	h.working.Go(func() { runner.Run(ctx) })
	h.working.Go(func() { h.saveDownloads(ctx) })
	return nil
}

// once makes a job that is done when it returns.
func once(run func(context.Context) error) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) { return false, run(ctx) }
}

// cleanImages follows the cleanup policies of container images, a while at a time.
func (h *House) cleanImages(ctx context.Context) (more bool, err error) {
	_, more, err = h.Registry.CleanImages(ctx)
	return more, err
}

func (h *House) purge(ctx context.Context) error {
	done, err := h.Registry.Purge(ctx)
	if done.Files+done.Images > 0 {
		h.options.Log.Info("deleted files purged", "images", done.Images, "files", done.Files, "blobs", done.Blobs)
	}
	return err
}

func (h *House) sweep(ctx context.Context) error {
	done, err := h.Registry.Sweep(ctx)
	if done.Uploads+done.Orphans > 0 {
		h.options.Log.Info("leftovers swept", "uploads", done.Uploads, "blobs", done.Orphans)
	}
	return err
}

func (h *House) clean(ctx context.Context) error {
	runs, err := h.Registry.Cleanups(ctx)
	if runs > 0 {
		h.options.Log.Info("packages cleaned up", "projects", runs)
	}
	return err
}

func (h *House) remove(ctx context.Context) error {
	removed, err := h.Changes.RemoveDue(ctx, ledger.By{})
	if removed > 0 {
		h.options.Log.Info("marked for deletion and now removed", "groups and projects", removed)
	}
	return err
}

// downloadsEvery is how often the download counters are written.
const downloadsEvery = 10 * time.Second

func (h *House) saveDownloads(ctx context.Context) {
	tick := time.NewTicker(downloadsEvery)
	defer tick.Stop()
	for running := true; running; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			running = false
		}
		if err := h.Registry.SaveDownloads(context.WithoutCancel(ctx)); err != nil {
			h.options.Log.Warn("download counters not written", "error", err)
		}
		if err := h.authn.SaveUses(context.WithoutCancel(ctx)); err != nil {
			h.options.Log.Warn("uses of tokens not written", "error", err)
		}
	}
}

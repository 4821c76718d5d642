// Package jobs runs background work. Jobs are rows of the store: they survive a
// restart, are held by one process at a time under a lease, are tried again with
// growing pauses after a failure, and are safe to run twice.
package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"packhouse"
	"packhouse/internal/store"
)

// Handler does one kind of job. When it returns again > 0 the job runs again
// after that time; otherwise it is done. After an error, or a panic, it is tried
// again later. Its context ends with the lease or the server.
type Handler func(ctx context.Context, payload string) (again time.Duration, err error)

// Options configure a Runner.
type Options struct {
	Store    *store.Store
	Handlers map[string]Handler // by kind
	Poll     time.Duration      // how often to look for due jobs; 0 means every second
	Lease    time.Duration      // how long a job may run; 0 means 15 minutes
	Now      func() time.Time   // nil means time.Now
	Log      *slog.Logger       // nil means slog.Default
}

// Runner looks for due jobs and runs them, one at a time.
type Runner struct{ options Options }

// New makes a Runner.
func New(opts Options) *Runner {
	if opts.Poll == 0 {
		opts.Poll = time.Second
	}
	if opts.Lease == 0 {
		opts.Lease = 15 * time.Minute
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	return &Runner{opts}
}

// Run runs jobs until ctx ends, and returns when the one under way is over.
func (r *Runner) Run(ctx context.Context) {
	tick := time.NewTicker(r.options.Poll)
	defer tick.Stop()
	for {
		for r.RunDue(ctx) {
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// RunDue runs the job that has been due the longest, and reports whether there
// was one.
func (r *Runner) RunDue(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	job, err := r.lease(ctx)
	if err != nil {
		if packhouse.KindOf(err) != packhouse.NotFound && ctx.Err() == nil {
			r.options.Log.Error("job not leased", "error", err)
		}
		return false
	}
	r.work(ctx, job)
	return true
}

func (r *Runner) lease(ctx context.Context) (job *store.Job, err error) {
	due := false
	err = r.options.Store.View(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.DueJob(ctx, r.options.Now())
		return err
	})
	if err != nil {
		return nil, err
	}
	if !due {
		return nil, packhouse.Errorf(packhouse.NotFound, "no job is due")
	}
	err = r.options.Store.Update(ctx, func(tx *store.Tx) (err error) {
		job, err = tx.LeaseJob(ctx, r.options.Now(), r.options.Lease)
		return err
	})
	return job, err
}

func (r *Runner) work(ctx context.Context, job *store.Job) {
	start := time.Now()
	again, err := r.handle(ctx, job)
	// What became of the job is written down even when the server is stopping.
	ctx = context.WithoutCancel(ctx)
	failed := r.options.Store.Update(ctx, func(tx *store.Tx) error {
		switch {
		case err != nil:
			return tx.RetryJob(ctx, job.ID, r.options.Now().Add(pause(job.Attempts)), err.Error())
		case again > 0:
			return tx.RetryJob(ctx, job.ID, r.options.Now().Add(again), "")
		}
		return tx.RemoveJob(ctx, job.ID)
	})
	log := r.options.Log.With("kind", job.Kind, "key", job.Key, "attempt", job.Attempts, "ms", time.Since(start).Milliseconds())
	switch {
	case err != nil:
		log.Error("job failed", "error", err)
	case failed != nil:
		log.Error("job done but not written down", "error", failed)
	default:
		log.Debug("job done")
	}
}

func (r *Runner) handle(ctx context.Context, job *store.Job) (again time.Duration, err error) {
	handler := r.options.Handlers[job.Kind]
	if handler == nil {
		return 0, fmt.Errorf("no handler for jobs of kind %q", job.Kind)
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.Lease)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return handler(ctx, job.Payload)
}

// pause is how long to wait after a number of failed attempts: a second, doubled
// each time, up to an hour.
func pause(attempts int) time.Duration {
	return min(time.Hour, time.Second<<min(attempts, 12))
}

// Every makes sure that a job of a kind that repeats exists. When it runs next
// is up to its handler.
func Every(ctx context.Context, s *store.Store, kind string, first time.Time) error {
	return s.Update(ctx, func(tx *store.Tx) error { return tx.AddJob(ctx, kind, "", "", first) })
}

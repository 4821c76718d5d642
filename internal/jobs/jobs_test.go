package jobs_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"packhouse/internal/jobs"
	"packhouse/internal/store"
)

// clock is a time that tests move.
type clock struct{ now atomic.Int64 }

func (c *clock) Now() time.Time          { return time.UnixMicro(c.now.Load()) }
func (c *clock) forward(d time.Duration) { c.now.Add(d.Microseconds()) }

func setup(t *testing.T, handlers map[string]jobs.Handler) (*store.Store, *jobs.Runner, *clock) {
	t.Helper()
	c := &clock{}
	c.now.Store(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro())
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := store.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "db"), store.Options{Now: c.Now, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, jobs.New(jobs.Options{Store: s, Handlers: handlers, Now: c.Now, Log: quiet, Lease: time.Minute}), c
}

func TestJobRunsOnceAndIsGone(t *testing.T) {
	ran := 0
	s, r, c := setup(t, map[string]jobs.Handler{"k": func(_ context.Context, payload string) (time.Duration, error) {
		ran++
		return 0, nil
	}})
	for range 2 { // the second is the same job
		if err := jobs.Every(t.Context(), s, "k", c.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if !r.RunDue(t.Context()) || r.RunDue(t.Context()) || ran != 1 {
		t.Fatalf("job ran %d times, want once", ran)
	}
}

func TestJobRepeats(t *testing.T) {
	ran := 0
	s, r, c := setup(t, map[string]jobs.Handler{"k": func(context.Context, string) (time.Duration, error) {
		ran++
		return time.Hour, nil
	}})
	if err := jobs.Every(t.Context(), s, "k", c.Now()); err != nil {
		t.Fatal(err)
	}
	r.RunDue(t.Context())
	c.forward(59 * time.Minute)
	if r.RunDue(t.Context()) {
		t.Fatal("job ran before its time")
	}
	c.forward(time.Minute)
	if !r.RunDue(t.Context()) || ran != 2 {
		t.Fatalf("job ran %d times, want 2", ran)
	}
}

func TestFailedJobIsTriedAgainLater(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("no") },
		"panic": func() error { panic("no") },
	} {
		t.Run(name, func(t *testing.T) {
			ran := 0
			s, r, c := setup(t, map[string]jobs.Handler{"k": func(context.Context, string) (time.Duration, error) {
				ran++
				if ran < 3 {
					return 0, fail()
				}
				return 0, nil
			}})
			if err := jobs.Every(t.Context(), s, "k", c.Now()); err != nil {
				t.Fatal(err)
			}
			r.RunDue(t.Context())
			if r.RunDue(t.Context()) {
				t.Fatal("a failed job ran again at once")
			}
			c.forward(10 * time.Second)
			r.RunDue(t.Context())
			c.forward(10 * time.Second)
			if !r.RunDue(t.Context()) || ran != 3 {
				t.Fatalf("job ran %d times, want 3", ran)
			}
		})
	}
}

// A process that died holding a job must not keep it for ever, and two
// processes must not run it at the same time.
func TestLeaseKeepsOthersAwayUntilItRunsOut(t *testing.T) {
	s, r, c := setup(t, map[string]jobs.Handler{"k": func(context.Context, string) (time.Duration, error) { return 0, nil }})
	if err := jobs.Every(t.Context(), s, "k", c.Now()); err != nil {
		t.Fatal(err)
	}
	err := s.Update(t.Context(), func(tx *store.Tx) error {
		_, err := tx.LeaseJob(t.Context(), c.Now(), time.Minute) // and dies
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.RunDue(t.Context()) {
		t.Fatal("a leased job was run by somebody else")
	}
	c.forward(61 * time.Second)
	if !r.RunDue(t.Context()) {
		t.Fatal("a job whose lease ran out was not run")
	}
}

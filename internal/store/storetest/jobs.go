package storetest

import (
	"context"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/store"
)

var jobTests = map[string]func(*testing.T, *fixture){
	"jobs/lease":        testJobLease,
	"jobs/retry":        testJobRetry,
	"jobs/one of each":  testJobOnce,
	"jobs/oldest first": testJobOrder,
	"jobs/ids":          testJobIDs,
	"downloads/add up":  testDownloads,
}

func (f *fixture) addJob(kind, key string, at time.Time) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx *store.Tx) error { return tx.AddJob(ctx, kind, key, "payload of "+key, at) })
}

// lease takes a job for a minute; nil when none is due.
func (f *fixture) lease() (job *store.Job) {
	f.t.Helper()
	ctx, due := f.t.Context(), false
	f.view(func(ctx context.Context, tx *store.Tx) (err error) {
		due, err = tx.DueJob(ctx, f.clock.Now())
		return err
	})
	err := f.Update(ctx, func(tx *store.Tx) (err error) {
		job, err = tx.LeaseJob(ctx, f.clock.Now(), time.Minute)
		return err
	})
	if due != (err == nil) {
		f.t.Errorf("DueJob = %t, but LeaseJob = %v", due, err)
	}
	if packhouse.KindOf(err) == packhouse.NotFound && err != nil {
		return nil
	}
	f.must(err)
	return job
}

func testJobLease(t *testing.T, f *fixture) {
	at := f.clock.Now().Add(time.Second)
	f.addJob("sweep", "k", at)
	if job := f.lease(); job != nil {
		t.Errorf("LeaseJob before its time = %+v, want none", job)
	}
	f.clock.Advance(time.Second)
	job := f.lease()
	f.wantEqual("leased", job, &store.Job{ID: job.ID, Kind: "sweep", Key: "k", Payload: "payload of k", RunAt: at, Attempts: 1})
	if again := f.lease(); again != nil {
		t.Errorf("LeaseJob of a job that is held = %+v, want none", again)
	}
	f.clock.Advance(time.Minute)
	if again := f.lease(); again == nil || again.ID != job.ID || again.Attempts != 2 {
		t.Errorf("LeaseJob after the lease ran out = %+v, want the second attempt", again)
	}
	f.update(func(ctx context.Context, tx *store.Tx) error { return tx.RemoveJob(ctx, job.ID) })
	f.clock.Advance(time.Hour)
	if again := f.lease(); again != nil {
		t.Errorf("LeaseJob of a removed job = %+v, want none", again)
	}
}

func testJobRetry(t *testing.T, f *fixture) {
	f.addJob("sweep", "k", f.clock.Now())
	for attempt, problem := range []string{"first", "second", ""} {
		job := f.lease()
		f.wantEqual("attempts", job.Attempts, attempt+1)
		f.clock.Advance(time.Second)
		f.update(func(ctx context.Context, tx *store.Tx) error { return tx.RetryJob(ctx, job.ID, f.clock.Now(), problem) })
	}
	job := f.lease()
	f.wantEqual("attempts after a success", job.Attempts, 1)
	f.wantEqual("error after a success", job.Error, "")
}

func testJobOnce(t *testing.T, f *fixture) {
	f.addJob("sweep", "k", f.clock.Now())
	f.addJob("sweep", "k", f.clock.Now())
	f.addJob("sweep", "other", f.clock.Now())
	f.addJob("purge", "k", f.clock.Now())
	count := 0
	for f.lease() != nil {
		count++
	}
	f.wantEqual("jobs", count, 3)
}

func testJobOrder(t *testing.T, f *fixture) {
	for i, key := range []string{"late", "early", "middle"} {
		f.addJob("sweep", key, f.clock.Now().Add(time.Duration([]int{3, 1, 2}[i])*time.Second))
	}
	f.clock.Advance(time.Minute)
	for _, want := range []string{"early", "middle", "late"} {
		f.wantEqual("key", f.lease().Key, want)
	}
}

// A worker whose lease ran out may end a job late. It must not end another one.
func testJobIDs(t *testing.T, f *fixture) {
	f.addJob("sweep", "a", f.clock.Now())
	first := f.lease().ID
	f.update(func(ctx context.Context, tx *store.Tx) error { return tx.RemoveJob(ctx, first) })
	f.addJob("sweep", "b", f.clock.Now())
	if second := f.lease().ID; second == first {
		t.Errorf("job id %d was given to two jobs", first)
	}
}

func testDownloads(t *testing.T, f *fixture) {
	out := f.published(publication("1.0", "a", "b"))
	last := func() (at time.Time) {
		f.view(func(ctx context.Context, tx *store.Tx) (err error) {
			at, err = tx.LastDownload(ctx, out.Version.ID)
			return err
		})
		return at
	}
	f.wantEqual("LastDownload of a file that nobody wants", last(), time.Time{})
	for i, file := range []int64{out.Files[0].ID, out.Files[1].ID, out.Files[0].ID, 999} {
		at := f.clock.Now().Add(time.Duration(i) * time.Second)
		f.update(func(ctx context.Context, tx *store.Tx) error {
			return tx.AddDownloads(ctx, []store.Downloads{{FileID: file, Day: 20000, Count: 2, Last: at}})
		})
	}
	f.wantEqual("LastDownload", last(), f.clock.Now().Add(2*time.Second))
	f.update(func(ctx context.Context, tx *store.Tx) error {
		return tx.AddDownloads(ctx, []store.Downloads{{FileID: out.Files[0].ID, Day: 20000, Count: 1, Last: f.clock.Now()}})
	})
	f.wantEqual("LastDownload after an earlier one was saved late", last(), f.clock.Now().Add(2*time.Second))
	f.wantEqual("entries", len(f.entries()), 1)
}

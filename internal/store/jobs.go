package store

import (
	"context"
	"time"

	"packhouse"
)

// Job is one piece of background work that is waiting or under way.
type Job struct {
	ID       int64
	Kind     string
	Key      string // tells jobs of a kind apart; one of each waits at a time
	Payload  string
	RunAt    time.Time
	Attempts int
	Error    string // of the last attempt
}

// AddJob makes a job, unless one of the same kind and key is there already.
func (tx *Tx) AddJob(ctx context.Context, kind, key, payload string, at time.Time) error {
	const q = `
		INSERT INTO jobs (kind, key, payload, run_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (kind, key) DO NOTHING`
	_, err := tx.exec(ctx, q, kind, key, payload, at.UnixMicro())
	return err
}

// LeaseJob takes the job that has been due the longest and that nobody holds,
// for the given time. packhouse.NotFound: there is none.
func (tx *Tx) LeaseJob(ctx context.Context, now time.Time, hold time.Duration) (*Job, error) {
	const q = `
		UPDATE jobs SET lease_until = $2, attempts = attempts + 1
		WHERE id = (SELECT id FROM jobs WHERE run_at <= $1 AND lease_until <= $1 ORDER BY run_at, id LIMIT 1)
		RETURNING id, kind, key, payload, run_at, attempts, error`
	var (
		j  Job
		at int64
	)
	known, err := found(tx.row(ctx, q, []any{now.UnixMicro(), now.Add(hold).UnixMicro()},
		&j.ID, &j.Kind, &j.Key, &j.Payload, &at, &j.Attempts, &j.Error))
	if err == nil && !known {
		err = packhouse.Errorf(packhouse.NotFound, "no job is due")
	}
	j.RunAt = fromMicros(at)
	return &j, err
}

// DueJob reports whether LeaseJob would find a job, without writing.
func (tx *Tx) DueJob(ctx context.Context, now time.Time) (bool, error) {
	var one int
	return found(tx.row(ctx, `SELECT 1 FROM jobs WHERE run_at <= $1 AND lease_until <= $1 LIMIT 1`, []any{now.UnixMicro()}, &one))
}

// RetryJob gives a leased job back, to run again at the given time. A job that
// repeats is given back without an error and counts its attempts anew.
func (tx *Tx) RetryJob(ctx context.Context, id int64, at time.Time, problem string) error {
	const q = `
		UPDATE jobs SET run_at = $2, lease_until = 0, error = $3, attempts = CASE WHEN $3 = '' THEN 0 ELSE attempts END
		WHERE id = $1`
	_, err := tx.exec(ctx, q, id, at.UnixMicro(), problem)
	return err
}

// RemoveJob ends a job.
func (tx *Tx) RemoveJob(ctx context.Context, id int64) error {
	_, err := tx.exec(ctx, `DELETE FROM jobs WHERE id = $1`, id)
	return err
}

package s3

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"

	"packhouse/internal/blob"
)

const (
	// longestPause is the longest wait between two attempts, in first ones.
	longestPause = 30
	// perTimeout is how many bytes must have moved for each time-out that a
	// request takes: 273 KiB a second unless Options say otherwise.
	perTimeout = 8 << 20
	// joinedPerTimeout is the same for bytes that the server copies or joins.
	joinedPerTimeout = 32 * perTimeout
)

// call does one request, and does it again when it failed in a way that another
// attempt may not meet: everything that is asked of the bucket here has the same
// outcome once or twice. It gives up after Options.Attempts, or when the time is
// over that they might have taken if half of them had hung.
//
// size is how many bytes the request moves, which gives it more time. The error
// is one of package blob's, or ctx.Err().
func (s *Store) call(ctx context.Context, size int64, do func(context.Context) error) error {
	limit := s.options.Timeout + time.Duration(float64(s.options.Timeout)*float64(size)/perTimeout)
	end := time.Now().Add(limit * time.Duration(s.options.Attempts) / 2)
	for attempt := 1; ; attempt++ {
		err := within(ctx, limit, do)
		if err == nil {
			return nil
		}
		if over := ctx.Err(); over != nil {
			return over
		}
		if attempt == s.options.Attempts || !transient(err) || time.Now().After(end) {
			return explain(err)
		}
		if err := s.pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// joined is the size to give to call when the server moves n bytes by itself.
func joined(n int64) int64 { return n * perTimeout / joinedPerTimeout }

func within(ctx context.Context, limit time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return do(ctx)
}

// pause waits before the next attempt: longer each time, and never as long as
// the others who were told to slow down at the same moment.
func (s *Store) pause(ctx context.Context, attempt int) error {
	longest := s.options.Pause * time.Duration(min(longestPause, 1<<min(attempt, 10)))
	timer := time.NewTimer(longest/2 + rand.N(longest/2))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// corrupted are refusals of a request that was changed on its way, which may go
// again, or whose key ran out, which is renewed. Other refusals are final.
var corrupted = map[string]bool{
	"BadDigest": true, "IncompleteBody": true, "RequestTimeout": true, "XAmzContentSHA256Mismatch": true,
	"InvalidDigest": true, "ExpiredToken": true, "SignatureDoesNotMatch": true,
}

// transient reports whether another attempt may succeed. An error that is no
// answer of the server is one of the network.
func transient(err error) bool {
	var r minio.ErrorResponse
	if !errors.As(err, &r) {
		return true
	}
	return r.StatusCode >= 500 || r.StatusCode == http.StatusTooManyRequests ||
		r.StatusCode == http.StatusRequestTimeout || r.StatusCode < 300 || corrupted[r.Code]
}

// explain adds the meaning to an error of the server. What it does not know is
// a store that cannot be used at the moment, be it for a key that was withdrawn.
func explain(err error) error {
	if errors.Is(err, blob.ErrUnavailable) || errors.Is(err, blob.ErrNotFound) {
		return err
	}
	var r minio.ErrorResponse
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		// Our own time-out. Who looks for the caller's must not find it.
		return fmt.Errorf("%w: no answer in time: %s", blob.ErrUnavailable, err.Error())
	case !errors.As(err, &r):
		return fmt.Errorf("%w: %w", blob.ErrUnavailable, err)
	}
	switch r.Code {
	case minio.NoSuchKey, minio.NoSuchUpload:
		return fmt.Errorf("%w: %w", blob.ErrNotFound, err)
	case "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientCapacity", "EntityTooLarge":
		return fmt.Errorf("%w: %w", blob.ErrFull, err)
	}
	if r.StatusCode == http.StatusInsufficientStorage {
		return fmt.Errorf("%w: %w", blob.ErrFull, err)
	}
	return fmt.Errorf("%w: %s: %w", blob.ErrUnavailable, r.Code, err)
}

// gone turns ErrNotFound of something that has to be there into ErrUnavailable:
// somebody has removed it meanwhile, and a new upload may do better.
func gone(err error) error {
	if errors.Is(err, blob.ErrNotFound) {
		return fmt.Errorf("%w: it was removed meanwhile (%s)", blob.ErrUnavailable, err.Error())
	}
	return err
}

// absent drops ErrNotFound: what is to be removed and is not there is removed.
func absent(err error) error {
	if errors.Is(err, blob.ErrNotFound) {
		return nil
	}
	return err
}

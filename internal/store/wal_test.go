package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"packhouse/internal/store"
)

// TestLogStaysShort publishes and reads without a pause, with readers that
// overlap, so that at every moment somebody reads from the write-ahead log.
func TestLogStaysShort(t *testing.T) {
	t.Parallel()
	path := filepath.Join(memoryDir(t), "db")
	s := openShaped(t, path, store.Shape{})
	const limit = 64 << 20
	var (
		working   sync.WaitGroup
		longest   atomic.Int64
		published atomic.Int64
		end       = time.Now().Add(3 * time.Second)
	)
	for range 4 {
		working.Go(func() {
			for time.Now().Before(end) {
				err := s.View(t.Context(), func(tx *store.Tx) error {
					if _, err := tx.Position(t.Context()); err != nil {
						return err
					}
					time.Sleep(20 * time.Millisecond) // the snapshot stands
					return nil
				})
				if err != nil {
					t.Errorf("View = %v, want success", err)
				}
			}
		})
	}
	for w := range 4 {
		working.Go(func() {
			for i := 0; time.Now().Before(end); i++ {
				if err := s.Update(t.Context(), publishing(t, fmt.Sprintf("%d.%d", w, i), 16<<10)); err != nil {
					t.Errorf("publish = %v, want success", err)
					return
				}
				published.Add(1)
				if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > longest.Load() {
					longest.Store(info.Size())
				}
			}
		})
	}
	working.Wait()
	t.Logf("%d publishes of 16 KiB, the log reached %d KiB", published.Load(), longest.Load()>>10)
	if longest.Load() > limit {
		t.Errorf("the log grew to %d MiB, want at most %d", longest.Load()>>20, limit>>20)
	}
	// However slow the machine: the log begins anew instead of growing on.
	if written := published.Load() * 16 << 10; written > 2*limit && longest.Load() > written/2 {
		t.Errorf("the log grew to %d MiB for %d MiB written", longest.Load()>>20, written>>20)
	}
}

// TestLongReader: somebody who reads for long holds nobody up for long.
func TestLongReader(t *testing.T) {
	t.Parallel()
	s := openShaped(t, filepath.Join(memoryDir(t), "db"), store.Shape{Checkpoint: 50})
	var slowest time.Duration
	err := s.View(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.Position(t.Context()); err != nil {
			return err
		}
		for i := range 150 {
			began := time.Now()
			if err := s.Update(t.Context(), publishing(t, fmt.Sprint(i), 16<<10)); err != nil {
				return err
			}
			slowest = max(slowest, time.Since(began))
		}
		seq, err := tx.Position(t.Context())
		if seq != 0 {
			t.Errorf("Position in an old View = %d, want 0", seq)
		}
		return err
	})
	if err != nil {
		t.Errorf("View = %v, want success", err)
	}
	if slowest > 2*time.Second {
		t.Errorf("a publish beside a long reader took %v, want less than 2 s", slowest)
	}
	if err := s.Update(t.Context(), publishing(t, "after", contentSize)); err != nil {
		t.Errorf("publish after it = %v, want success", err)
	}
}

package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
	"packhouse/internal/blob/mem"
)

func TestSmallPutStartsNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	seen := 0
	body := &during{
		Reader: bytes.NewReader(blobtest.Bytes(blob.BufferSize-1, 1)),
		at:     2, // the read that meets the end
		do:     func() { seen = runtime.NumGoroutine() },
	}
	if _, _, err := blob.Put(t.Context(), mem.New(), body, blob.PutOptions{Also: allHashes}); err != nil {
		t.Fatalf("Put = %v, want success", err)
	}
	if seen != before {
		t.Errorf("%d goroutines while a small body is read, %d before", seen, before)
	}
}

func TestPutLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	body := blobtest.Bytes(6*blob.BufferSize, 1)
	for call := range 7 { // 0 does not fail
		plan := blobtest.Plan{{Op: blobtest.Write, Call: call, Err: errors.New("injected fault")}}
		s := blobtest.Faulty(mem.New(), plan)
		blob.Put(t.Context(), s, bytes.NewReader(body), blob.PutOptions{Also: allHashes})
	}
	// A goroutine whose function has returned is counted for a moment longer.
	for patience := 100; runtime.NumGoroutine() > before && patience > 0; patience-- {
		time.Sleep(10 * time.Millisecond)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines after Put, %d before", after, before)
	}
}

// TestConcurrentPutsStaySmall holds 32 uploads in the middle and looks at the
// heap: 2 MiB for each is the most they may take.
func TestConcurrentPutsStaySmall(t *testing.T) {
	const uploads = 32
	var before, within runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var arrived, done sync.WaitGroup
	release := make(chan struct{})
	arrived.Add(uploads)
	for range uploads {
		done.Go(func() {
			pause := func() { arrived.Done(); <-release }
			body := io.LimitReader(&during{Reader: endless{}, at: 20, do: pause}, 30*blob.BufferSize)
			if _, _, err := blob.Put(t.Context(), discard{mem.New()}, body, blob.PutOptions{}); err != nil {
				t.Errorf("Put = %v, want success", err)
			}
		})
	}
	arrived.Wait()
	runtime.GC()
	runtime.ReadMemStats(&within)
	close(release)
	done.Wait()
	if grown := int64(within.HeapAlloc) - int64(before.HeapAlloc); grown > uploads*2<<20 {
		t.Errorf("%d uploads hold %d bytes, want at most 2 MiB each", uploads, grown)
	}
}

// discard counts the bytes written instead of keeping them.
type discard struct{ blob.Store }

func (s discard) Create(ctx context.Context) (blob.Upload, error) {
	u, err := s.Store.Create(ctx)
	return &discardUpload{Upload: u}, err
}

type discardUpload struct {
	blob.Upload
	size int64
}

func (u *discardUpload) Size() int64 { return u.size }

func (u *discardUpload) Write(p []byte) (int, error) {
	u.size += int64(len(p))
	return len(p), nil
}

package formattest

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

// What one request may cost the server and the test together. The memory is all that
// is allocated while it runs, which is more than is ever held at once.
const (
	maxTime   = Slowness * time.Second
	maxMemory = Slowness * 64 << 20
)

// Cheap fails t if send, which makes one request, takes more than a second or
// allocates more than 64 MiB, each as many times as Slowness says. What takes too
// long is done twice more, for the machine may have been busy with something else.
// Tests that use it run beside no others.
func Cheap(t *testing.T, name string, send func()) {
	t.Helper()
	best := time.Hour
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		send()
		best = min(best, time.Since(began))
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > maxMemory {
			t.Errorf("%s: allocated %d MiB, want at most %d", name, used>>20, maxMemory>>20)
		}
		if best <= maxTime {
			return
		}
	}
	t.Errorf("%s: took %v, want at most %v", name, best, maxTime)
}

// Clients is how many clients come at once.
const Clients = 64

// Together runs a function in as many goroutines as there are Clients, all released
// at once, and returns what it returned in each.
func Together[T any](do func(i int) T) []T {
	results := make([]T, Clients)
	var ready, done sync.WaitGroup
	ready.Add(Clients)
	for i := range Clients {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			results[i] = do(i)
		})
	}
	done.Wait()
	return results
}

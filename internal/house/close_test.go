package house_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"packhouse"
	"packhouse/internal/ledger"
)

// Whoever writes while the house closes is told whether it was written, and the
// next start agrees.
func TestCloseDuringUpdates(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	for round := range 4 {
		h := start(t, data)
		var (
			mu              sync.Mutex
			written, denied []string
			workers         sync.WaitGroup
			busy            = make(chan struct{}, 1000)
		)
		for i := range 64 {
			workers.Go(func() {
				for n := 0; ; n++ {
					name := fmt.Sprintf("u%d-%d-%d", round, i, n)
					_, err := h.Changes.CreateUser(t.Context(), ledger.By{}, ledger.User{Username: name})
					mu.Lock()
					if err != nil {
						denied = append(denied, name)
						mu.Unlock()
						if packhouse.KindOf(err) != packhouse.Unavailable {
							t.Errorf("CreateUser while closing = %v, want Unavailable", err)
						}
						return
					}
					written = append(written, name)
					mu.Unlock()
					select {
					case busy <- struct{}{}:
					default:
					}
				}
			})
		}
		for range 100 {
			<-busy
		}
		must(t, h.Close())
		workers.Wait()
		h = start(t, data)
		for _, name := range written {
			if h.Directory.UserByName(name) == nil {
				t.Errorf("%s was acknowledged and is gone", name)
			}
		}
		for _, name := range denied {
			if h.Directory.UserByName(name) != nil {
				t.Errorf("%s was refused and is there", name)
			}
		}
		must(t, h.Close())
		t.Logf("%d written, %d refused", len(written), len(denied))
	}
}

// A closed house answers that it is closed, and does not hang or panic.
func TestClosed(t *testing.T) {
	t.Parallel()
	h := start(t, filepath.Join(t.TempDir(), "data"))
	token := h.Root.Token
	must(t, h.Close())
	if err := h.Ready(t.Context()); err == nil || packhouse.KindOf(err) != packhouse.Unavailable {
		t.Errorf("Ready = %v, want Unavailable", err)
	}
	if got := is(t, h, token); got != "503 Service Unavailable" {
		t.Errorf("GET /user = %s, want 503", got)
	}
}

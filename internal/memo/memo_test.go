package memo_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"packhouse/internal/memo"
)

func TestMemoRemembersUntilTouched(t *testing.T) {
	m := memo.New[string, int](10, nil)
	place := memo.Place("p")
	loads := 0
	get := func() int {
		v, err := m.Get("k", place, func() (int, error) { loads++; return loads, nil })
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if a, b := get(), get(); a != 1 || b != 1 {
		t.Fatalf("Get twice = %d, %d, want 1, 1", a, b)
	}
	m.Touch(place)
	if v := get(); v != 2 {
		t.Fatalf("Get after Touch = %d, want 2", v)
	}
}

func TestMemoDoesNotRememberErrors(t *testing.T) {
	m := memo.New[string, int](10, nil)
	failed := errors.New("failed")
	if _, err := m.Get("k", 1, func() (int, error) { return 0, failed }); !errors.Is(err, failed) {
		t.Fatalf("Get = %v, want %v", err, failed)
	}
	if v, err := m.Get("k", 1, func() (int, error) { return 7, nil }); v != 7 || err != nil {
		t.Fatalf("Get after an error = %d, %v, want 7, nil", v, err)
	}
}

// A value that was read before a change and stored after it must not be served.
func TestMemoForgetsWhatWasReadBeforeATouch(t *testing.T) {
	m := memo.New[string, int](10, nil)
	_, _ = m.Get("k", 1, func() (int, error) {
		m.Touch(1) // the change is acknowledged while the old value is being read
		return 1, nil
	})
	if v, _ := m.Get("k", 1, func() (int, error) { return 2, nil }); v != 2 {
		t.Fatalf("Get = %d, want 2", v)
	}
}

func TestMemoNeverServesStale(t *testing.T) {
	m := memo.New[int, int64](100, nil)
	var truth, acknowledged atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20_000 {
				known := acknowledged.Load()
				v, _ := m.Get(1, 1, func() (int64, error) { return truth.Load(), nil })
				if v < known {
					t.Errorf("Get = %d after %d was acknowledged", v, known)
					return
				}
			}
		})
	}
	wg.Go(func() {
		for range 20_000 {
			n := truth.Add(1)
			m.Touch(1)
			acknowledged.Store(n)
		}
	})
	wg.Wait()
}

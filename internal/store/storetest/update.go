package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

var updateTests = map[string]func(*testing.T, *fixture){
	"update/error undoes it alone":  testUpdateError,
	"update/panic undoes it alone":  testUpdatePanic,
	"update/cancelled in the queue": testUpdateCancelled,
	"update/cancelled under way":    testUpdateCancelledUnderWay,
	"update/subscribers":            testSubscribers,
	"close/finishes and refuses":    testClose,
	"close/again":                   testCloseAgain,
}

// crowd starts updates that are waiting for their turn together: the first one
// holds the writer until all others are under way. It returns their errors.
func (f *fixture) crowd(n int, fn func(i int, tx *store.Tx) error) []error {
	f.t.Helper()
	errs := make([]error, n)
	held, release := make(chan struct{}), make(chan struct{})
	var working sync.WaitGroup
	working.Go(func() {
		f.check(f.Update(f.t.Context(), func(*store.Tx) error { close(held); <-release; return nil }))
	})
	<-held
	for i := range n {
		working.Go(func() { errs[i] = f.Update(f.t.Context(), func(tx *store.Tx) error { return fn(i, tx) }) })
	}
	// Most of them are in the queue by now; the test is right either way.
	time.Sleep(20 * time.Millisecond)
	close(release)
	working.Wait()
	return errs
}

func testUpdateError(t *testing.T, f *fixture) {
	errs := f.crowd(30, func(i int, tx *store.Tx) error {
		if _, err := tx.Append(t.Context(), ledger.By{}, groupAt(tx.NewNamespaceID(), numbered("g%d", 30)[i])); err != nil {
			return err
		}
		if i%3 == 0 {
			return errRefused
		}
		return nil
	})
	for i, err := range errs {
		if (i%3 == 0) != errors.Is(err, errRefused) {
			t.Errorf("Update %d = %v, want an error exactly from every third", i, err)
		}
	}
	f.wantEqual("entries", len(f.entries()), 20)
	f.wantEqual("Position", f.Position(), int64(20))
}

func testUpdatePanic(t *testing.T, f *fixture) {
	caught := make([]any, 12)
	errs := make([]error, 12)
	var working sync.WaitGroup
	for i := range 12 {
		working.Go(func() {
			defer func() { caught[i] = recover() }()
			errs[i] = f.Update(t.Context(), func(tx *store.Tx) error {
				if _, err := tx.Append(t.Context(), ledger.By{}, groupAt(tx.NewNamespaceID(), numbered("g%d", 12)[i])); err != nil {
					return err
				}
				if i%2 == 0 {
					panic(i)
				}
				return nil
			})
		})
	}
	working.Wait()
	for i := range 12 {
		var want any
		if i%2 == 0 {
			want = i
		}
		f.wantEqual("value of the panic in the caller", caught[i], want)
		f.must(errs[i])
	}
	f.wantEqual("entries", len(f.entries()), 6)
	f.must(f.append(groupAt(100, "next")))
}

func testUpdateCancelled(t *testing.T, f *fixture) {
	ctx, cancel := context.WithCancel(t.Context())
	held, release, answer := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		answer <- f.Update(t.Context(), func(*store.Tx) error { close(held); <-release; return nil })
	}()
	<-held
	go func() {
		answer <- f.Update(ctx, func(*store.Tx) error { t.Error("a cancelled update ran"); return nil })
	}()
	time.Sleep(5 * time.Millisecond) // it is in the queue
	cancel()
	close(release)
	var errs []error
	for range 2 {
		errs = append(errs, <-answer)
	}
	if err := errors.Join(errs...); !errors.Is(err, context.Canceled) {
		t.Errorf("Update = %v, want Canceled", err)
	}
}

// A client that goes away in the middle of its update harms nobody else.
func testUpdateCancelledUnderWay(t *testing.T, f *fixture) {
	ctx, cancel := context.WithCancel(t.Context())
	errs := f.crowd(20, func(i int, tx *store.Tx) error {
		if i == 7 {
			cancel()
		}
		_, err := tx.Publish(ctx, ledger.By{}, publication(numbered("%d.0", 20)[i], "a"), refuse)
		return err
	})
	f.must(errors.Join(errs...))
	f.wantEqual("entries", len(f.entries()), 20)
}

func testSubscribers(t *testing.T, f *fixture) {
	var mu sync.Mutex
	told := map[string][]int64{}
	subscribe := func(name string) {
		f.Subscribe(func(entries []ledger.Entry) {
			mu.Lock()
			defer mu.Unlock()
			for _, e := range entries {
				told[name] = append(told[name], e.Seq)
			}
		})
	}
	f.must(f.append(groupAt(1, "before anybody listens")))
	subscribe("first")
	errs := f.crowd(40, func(i int, tx *store.Tx) error {
		if i == 0 {
			return errRefused
		}
		_, err := tx.Append(t.Context(), ledger.By{}, groupAt(tx.NewNamespaceID(), numbered("g%d", 40)[i]))
		return err
	})
	f.wantError("the first of many updates", errs[0], errRefused)
	f.must(errors.Join(errs[1:]...))
	subscribe("second")
	f.update(func(ctx context.Context, tx *store.Tx) error {
		for _, path := range []string{"x", "y"} {
			if _, err := tx.Append(ctx, ledger.By{}, groupAt(tx.NewNamespaceID(), path)); err != nil {
				return err
			}
		}
		return nil
	})
	mu.Lock()
	defer mu.Unlock()
	var all []int64
	for seq := int64(2); seq <= 42; seq++ {
		all = append(all, seq)
	}
	f.wantEqual("told to the first subscriber", told["first"], all)
	f.wantEqual("told to the second", told["second"], []int64{41, 42})
}

func testClose(t *testing.T, f *fixture) {
	held, release := make(chan struct{}), make(chan struct{})
	first, queued, closed := make(chan error, 1), make(chan error, 1), make(chan error, 1)
	go func() {
		first <- f.Update(t.Context(), func(tx *store.Tx) error {
			close(held)
			<-release
			_, err := tx.Append(t.Context(), ledger.By{}, groupAt(1, "a"))
			return err
		})
	}()
	<-held
	told := make(chan int64, 2)
	f.Subscribe(func(entries []ledger.Entry) { told <- entries[len(entries)-1].Seq })
	go func() { queued <- f.append(groupAt(2, "b")) }()
	time.Sleep(20 * time.Millisecond) // it is in the queue
	go func() { closed <- f.Close() }()
	time.Sleep(5 * time.Millisecond)
	close(release)
	f.must(<-first)
	f.must(<-queued)
	f.must(<-closed)
	last := <-told
	for last != 2 {
		last = <-told
	}
	f.wantKind("Update after Close", f.append(groupAt(3, "c")), packhouse.Unavailable)
	f.wantKind("View after Close", f.View(t.Context(), func(*store.Tx) error { return nil }), packhouse.Unavailable)
}

func testCloseAgain(t *testing.T, f *fixture) {
	var working sync.WaitGroup
	for range 3 {
		working.Go(func() { f.check(f.Close()) })
	}
	working.Wait()
	f.must(f.Close())
}

package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

var viewTests = map[string]func(*testing.T, *fixture){
	"view/one consistent state": testViewConsistent,
	"view/cannot write":         testViewCannotWrite,
	"view/panic":                testViewPanic,
	"view/cancelled":            testViewCancelled,
	"view/waits for a turn":     testViewWaits,
	"view/sees what returned":   testViewSeesUpdates,
}

// The tables of one View agree with each other and with the ledger, however
// long it takes and whatever is published meanwhile.
func testViewConsistent(t *testing.T, f *fixture) {
	stop := make(chan struct{})
	var working sync.WaitGroup
	working.Go(func() {
		for _, version := range numbered("%d.0", 10_000) {
			select {
			case <-stop:
				return
			default:
				f.check(f.Update(t.Context(), func(tx *store.Tx) error {
					_, err := tx.Publish(t.Context(), ledger.By{}, publication(version, "a"), refuse)
					return err
				}))
			}
		}
	})
	for range 20 {
		f.view(func(ctx context.Context, tx *store.Tx) error {
			seq, err := tx.Position(ctx)
			f.must(err)
			time.Sleep(2 * time.Millisecond)
			entries, err := tx.Entries(ctx, 0, 1<<30)
			f.must(err)
			_, total, err := tx.Versions(ctx, store.VersionFilter{ProjectIDs: []int64{1}}, store.Page{Limit: 1})
			f.wantEqual("entries and position", int64(len(entries)), seq)
			f.wantEqual("versions and position", int64(total), seq)
			return err
		})
	}
	close(stop)
	working.Wait()
}

func testViewCannotWrite(t *testing.T, f *fixture) {
	ctx := t.Context()
	out := f.published(publication("1.0", "a"))
	f.addJob("sweep", "", f.clock.Now())
	f.deleteVersion(f.published(publication("2.0", "a")).Version)
	before := f.Position()
	for what, fn := range map[string]func(*store.Tx) error{
		"Append": func(tx *store.Tx) error { _, err := tx.Append(ctx, ledger.By{}, groupAt(1, "a")); return err },
		"Publish": func(tx *store.Tx) error {
			_, err := tx.Publish(ctx, ledger.By{}, publication("1.0", "b"), allow)
			return err
		},
		"Replay": func(tx *store.Tx) error {
			return tx.Replay(ctx, []ledger.Entry{{Seq: 1, Event: groupAt(1, "a")}})
		},
		"Purge": func(tx *store.Tx) error {
			_, _, err := tx.Purge(ctx, ledger.By{}, f.clock.Now().Add(time.Hour), 1)
			return err
		},
		"AddJob":    func(tx *store.Tx) error { return tx.AddJob(ctx, "purge", "", "", f.clock.Now()) },
		"RetryJob":  func(tx *store.Tx) error { return tx.RetryJob(ctx, 1, f.clock.Now(), "") },
		"RemoveJob": func(tx *store.Tx) error { return tx.RemoveJob(ctx, 1) },
		"LeaseJob":  func(tx *store.Tx) error { _, err := tx.LeaseJob(ctx, f.clock.Now(), time.Hour); return err },
		"AddDownloads": func(tx *store.Tx) error {
			return tx.AddDownloads(ctx, []store.Downloads{{FileID: out.Files[0].ID, Last: f.clock.Now()}})
		},
	} {
		if err := f.View(ctx, fn); err == nil {
			t.Errorf("%s in a View succeeded, want an error", what)
		}
	}
	f.wantEqual("Position", f.Position(), before)
	f.wantEqual("leased", f.lease().Attempts, 1)
	f.must(f.append(groupAt(1, "a")))
}

func testViewPanic(t *testing.T, f *fixture) {
	f.published(publication("1.0", "a"))
	for range 40 { // more than there are connections
		func() {
			defer func() { f.wantEqual("recovered", recover(), "thrown") }()
			f.must(f.View(t.Context(), func(tx *store.Tx) error {
				for range tx.Locate(t.Context(), 1, ref("1.0", "a")) {
					panic("thrown")
				}
				return nil
			}))
		}()
	}
	f.published(publication("2.0", "a"))
	f.wantEqual("located", len(f.locate(1, ref("2.0", "a"))), 1)
}

// A reader that goes away leaves no old snapshot behind for the next one.
func testViewCancelled(t *testing.T, f *fixture) {
	f.published(publication("1.0", numbered("file-%d", 200)...))
	for i := range 40 {
		ctx, cancel := context.WithCancel(t.Context())
		err := f.View(ctx, func(tx *store.Tx) error {
			if _, err := tx.Position(ctx); err != nil {
				return err
			}
			if i%2 == 0 {
				time.AfterFunc(time.Duration(i)*5*time.Microsecond, cancel)
			} else {
				cancel()
			}
			for {
				if _, err := tx.Entries(ctx, 0, 10); err != nil {
					return err
				}
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("View = %v, want Canceled", err)
		}
		cancel()
		f.published(publication(numbered("%d.x", 40)[i], "a"))
		f.wantEqual("located by the next reader", len(f.locate(1, ref(numbered("%d.x", 40)[i], "a"))), 1)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := f.View(ctx, func(tx *store.Tx) error { _, err := tx.Position(ctx); return err })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("View with a context that has ended = %v, want Canceled", err)
	}
}

// More readers than connections take turns; one that waits can be cancelled.
func testViewWaits(t *testing.T, f *fixture) {
	release := make(chan struct{})
	var started, working sync.WaitGroup
	const connections = 64 // at least as many as any store has
	ctx, cancel := context.WithCancel(t.Context())
	for range connections {
		started.Add(1)
		working.Go(func() {
			began := sync.OnceFunc(started.Done)
			defer began()
			err := f.View(ctx, func(*store.Tx) error { began(); <-release; return nil })
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("View = %v, want success or Canceled", err)
			}
		})
	}
	time.Sleep(10 * time.Millisecond)
	cancel()
	close(release)
	started.Wait()
	working.Wait()
	f.wantEqual("entries", len(f.entries()), 0)
}

func testViewSeesUpdates(t *testing.T, f *fixture) {
	var working sync.WaitGroup
	for i := range 8 {
		working.Go(func() {
			for _, version := range numbered("%d.0", 25) {
				p := publication(version, "a")
				p.ProjectID = int64(i + 1)
				out, err := f.publish(p, refuse)
				if err != nil {
					t.Errorf("Publish = %v, want success", err)
					return
				}
				err = f.View(t.Context(), func(tx *store.Tx) error {
					for l, err := range tx.Locate(t.Context(), p.ProjectID, ref(version, "a")) {
						f.wantEqual("located", l.File.ID, out.Files[0].ID)
						return err
					}
					return errors.New("nothing located")
				})
				f.check(err)
			}
		})
	}
	working.Wait()
}

package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
	"packhouse/internal/store/pgtest"
)

// told remembers the numbers that a subscriber is told.
type told struct {
	mu   sync.Mutex
	seqs []int64
}

func follow(s *store.Store) *told {
	l := new(told)
	s.Subscribe(func(entries []ledger.Entry) {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, e := range entries {
			l.seqs = append(l.seqs, e.Seq)
		}
	})
	return l
}

func (l *told) all() []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.seqs)
}

func upTo(n int64) (list []int64) {
	for seq := int64(1); seq <= n; seq++ {
		list = append(list, seq)
	}
	return list
}

// TestNodesWriteTogether: three nodes write at once, into the same version too.
// The ledger has no gap, every node is told of every entry once and in order,
// and of those who want the same name one gets it.
func TestNodesWriteTogether(t *testing.T) {
	t.Parallel()
	const nodes, writers, changes = 3, 4, 15
	address := pgtest.Database(t)
	var stores []*store.Store
	var heard []*told
	for range nodes {
		s := openPostgres(t, address, store.Options{})
		stores, heard = append(stores, s), append(heard, follow(s))
	}
	var working sync.WaitGroup
	won := make([]int, nodes*writers)
	for w := range nodes * writers {
		working.Go(func() {
			s := stores[w%nodes]
			for i := range changes {
				mustPublish(t, s, fmt.Sprintf("w%d-%d", w, i), 1)
				if publishVersion(s, fmt.Sprintf("wanted-%d", i), 1) == nil {
					won[w]++
				}
			}
		})
	}
	working.Wait()
	total := int64(nodes*writers*changes + changes)
	sum := 0
	for _, n := range won {
		sum += n
	}
	if sum != changes {
		t.Errorf("%d publishes of %d wanted versions succeeded, want one each", sum, changes)
	}
	for i, s := range stores {
		if err := s.Fresh(t.Context()); err != nil {
			t.Errorf("Fresh of node %d = %v, want success", i, err)
		}
		if s.Position() != total {
			t.Errorf("Position of node %d = %d, want %d", i, s.Position(), total)
		}
		if diff := cmp.Diff(upTo(total), heard[i].all()); diff != "" {
			t.Errorf("entries told to node %d (-want +got):\n%s", i, diff)
		}
	}
	if err := stores[0].View(t.Context(), func(tx *store.Tx) error { return checkLedger(t.Context(), tx) }); err != nil {
		t.Error(err)
	}
}

// TestFreshSeesTheOthers: what was acknowledged on one node is known on another
// after Fresh, however short ago.
func TestFreshSeesTheOthers(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	a, b := openPostgres(t, address, store.Options{}), openPostgres(t, address, store.Options{})
	heard := follow(b)
	for i := range int64(50) {
		mustPublish(t, a, fmt.Sprint(i), 1)
		var asking sync.WaitGroup
		for range 10 {
			asking.Go(func() {
				if err := b.Fresh(t.Context()); err != nil || b.Position() != i+1 {
					t.Errorf("after Fresh: Position %d, %v, want %d", b.Position(), err, i+1)
				}
			})
		}
		asking.Wait()
	}
	if diff := cmp.Diff(upTo(50), heard.all()); diff != "" {
		t.Errorf("entries told (-want +got):\n%s", diff)
	}
}

// TestTail: a node that nobody asks anything hears of the others within a second.
func TestTail(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	a, b := openPostgres(t, address, store.Options{}), openPostgres(t, address, store.Options{})
	for i := range int64(5) {
		mustPublish(t, a, fmt.Sprint(i), 1)
		begun := time.Now()
		for b.Position() != i+1 && time.Since(begun) < 10*time.Second {
			time.Sleep(time.Millisecond)
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("entry %d was heard of after %v, want within a second", i+1, took)
		}
	}
}

// TestManyNews: a node that was far behind gets everything, in order.
func TestManyNews(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	a, b := openPostgres(t, address, store.Options{}), openPostgres(t, address, store.Options{})
	heard := follow(b)
	const n = 2345
	err := a.Update(t.Context(), func(tx *store.Tx) error {
		for i := range n {
			event := &ledger.UserPut{Create: true, User: ledger.User{ID: tx.NewUserID(), Username: fmt.Sprint("u", i)}}
			if _, err := tx.Append(t.Context(), ledger.By{}, event); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("Update = %v, want success", err)
	}
	mustPublish(t, b, "own", 1) // meets them at its turn
	if diff := cmp.Diff(upTo(n+1), heard.all()); diff != "" {
		t.Errorf("entries told (-want +got):\n%s", diff)
	}
}

// TestTimeGoesOn: a node whose clock is behind does not turn back the ledger's.
func TestTimeGoesOn(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	late := func() time.Time { return time.Now().Add(-time.Hour) }
	a, b := openPostgres(t, address, store.Options{}), openPostgres(t, address, store.Options{Now: late})
	mustPublish(t, a, "1", 1)
	mustPublish(t, b, "2", 1)
	err := a.View(t.Context(), func(tx *store.Tx) error {
		entries, err := tx.Entries(t.Context(), 0, 10)
		if err == nil && entries[1].At.Before(entries[0].At) {
			t.Errorf("entry 2 is of %v, before entry 1 of %v", entries[1].At, entries[0].At)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestNodesAreListed: who has the database open can be seen.
func TestNodesAreListed(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	a := openPostgres(t, address, store.Options{})
	b, err := store.OpenPostgres(t.Context(), address, store.Options{Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(nodesOf(t, a)); n != 2 {
		t.Errorf("%d nodes, want 2", n)
	}
	if err := b.Close(); err != nil {
		t.Errorf("Close = %v, want success", err)
	}
	if n := len(nodesOf(t, a)); n != 1 {
		t.Errorf("%d nodes after one ended, want 1", n)
	}
}

func nodesOf(t *testing.T, s *store.Store) (list []store.Node) {
	t.Helper()
	err := s.View(t.Context(), func(tx *store.Tx) (err error) {
		list, err = tx.Nodes(context.Background())
		return err
	})
	if err != nil {
		t.Fatalf("Nodes = %v, want success", err)
	}
	return list
}

// TestStartTogether: nodes that start at once on an empty database migrate it
// once.
func TestStartTogether(t *testing.T) {
	t.Parallel()
	c := pgtest.New(t)
	if err := c.Exec("postgres", "CREATE DATABASE fresh"); err != nil {
		t.Fatal(err)
	}
	var starting sync.WaitGroup
	for range 4 {
		starting.Go(func() {
			s, err := store.OpenPostgres(t.Context(), c.URL("fresh"), store.Options{Log: quiet})
			if err != nil {
				t.Errorf("OpenPostgres = %v, want success", err)
				return
			}
			if err := s.Close(); err != nil {
				t.Errorf("Close = %v, want success", err)
			}
		})
	}
	starting.Wait()
}

// TestAbandoned: the collector of one node gives up bytes of which a publish is
// under way at another one. The publish does not end up without its bytes.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	a, b := openPostgres(t, address, store.Options{}), openPostgres(t, address, store.Options{})
	publish := func(key string) error {
		p := versionOf(key, 1, contentSize)
		p.Files[0].Blob = store.Blob{Key: key}
		return a.Update(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Publish(t.Context(), ledger.By{}, p, refuseAll)
			return err
		})
	}
	abandon := func(key string) (done bool) {
		err := b.Update(t.Context(), func(tx *store.Tx) (err error) {
			done, err = tx.Abandon(t.Context(), key)
			return err
		})
		if err != nil {
			t.Errorf("Abandon(%s) = %v, want success", key, err)
		}
		return done
	}
	if err := publish("early"); err != nil || abandon("early") {
		t.Errorf("publish = %v, and its key was given up, want neither", err)
	}
	if !abandon("late") {
		t.Error("a key that nobody knows was not given up")
	}
	if err := publish("late"); packhouse.KindOf(err) != packhouse.Unavailable {
		t.Errorf("publish of a key that was given up = %v, want Unavailable", err)
	}
}

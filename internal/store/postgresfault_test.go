package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"packhouse"
	"packhouse/internal/store"
	"packhouse/internal/store/pgtest"
)

// migrated makes a cluster of its own with one empty database, "registry".
func migrated(t *testing.T) *pgtest.Cluster {
	t.Helper()
	c := pgtest.New(t)
	if err := c.Exec("postgres", "CREATE DATABASE registry"); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCutAtCommit: the connection goes away at a COMMIT, before the server heard
// of it, after it was done, or while. The caller is told the truth, and nothing
// is done twice.
func TestCutAtCommit(t *testing.T) {
	t.Parallel()
	c := migrated(t)
	p := pgtest.NewProxy(t, c)
	s := openPostgres(t, p.URL("registry"), store.Options{})
	heard := follow(s)
	const rounds = 8
	for i := range rounds {
		for _, how := range []pgtest.Cut{pgtest.BeforeCommit, pgtest.AfterCommit, pgtest.DuringCommit} {
			p.CutNext(how)
			mustPublish(t, s, fmt.Sprintf("%d-%d", how, i), 1)
		}
	}
	if n := p.Cuts.Load(); n != 3*rounds {
		t.Errorf("%d commits were cut, want %d", n, 3*rounds)
	}
	if diff := cmp.Diff(upTo(3*rounds), heard.all()); diff != "" {
		t.Errorf("entries told (-want +got):\n%s", diff)
	}
	if err := s.View(t.Context(), func(tx *store.Tx) error { return checkLedger(t.Context(), tx) }); err != nil {
		t.Error(err)
	}
}

// load publishes on several nodes until it is stopped, and remembers the answers.
type load struct {
	working sync.WaitGroup
	stop    context.CancelFunc

	mu      sync.Mutex
	answers map[string]error
}

func startLoad(t *testing.T, stores ...*store.Store) *load {
	ctx, stop := context.WithCancel(t.Context())
	l := &load{stop: stop, answers: map[string]error{}}
	for w := range 2 * len(stores) {
		l.working.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				version := fmt.Sprintf("w%d-%d", w, i)
				err := publishVersion(stores[w%len(stores)], version, 1)
				l.mu.Lock()
				l.answers[version] = err
				l.mu.Unlock()
			}
		})
	}
	return l
}

// count is how many publishes were acknowledged so far.
func (l *load) count() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, err := range l.answers {
		if err == nil {
			n++
		}
	}
	return n
}

// await waits until n more publishes were acknowledged.
func (l *load) await(t *testing.T, n int) {
	t.Helper()
	want := l.count() + n
	for begun := time.Now(); l.count() < want; time.Sleep(5 * time.Millisecond) {
		if time.Since(begun) > time.Minute {
			t.Fatalf("no %d publishes within a minute", n)
		}
	}
}

// check ends the load and compares what was answered with what is there.
func (l *load) check(t *testing.T, s *store.Store) {
	t.Helper()
	l.stop()
	l.working.Wait()
	refused := 0
	for version, err := range l.answers {
		files := 1
		if err != nil {
			files, refused = 0, refused+1
			if packhouse.KindOf(err) != packhouse.Unavailable {
				t.Errorf("publish of %s = %v, want success or Unavailable", version, err)
			}
		}
		if err := countFiles(s, version, files); err != nil {
			t.Errorf("%s was answered with %v: %v", version, l.answers[version], err)
		}
	}
	t.Logf("%d publishes, %d refused", len(l.answers), refused)
	if err := s.View(t.Context(), func(tx *store.Tx) error { return checkLedger(t.Context(), tx) }); err != nil {
		t.Error(err)
	}
}

// TestConnectionsKilled: an administrator's script ends connections again and
// again while nodes write.
func TestConnectionsKilled(t *testing.T) {
	t.Parallel()
	c := migrated(t)
	a, b := openPostgres(t, c.URL("registry"), store.Options{}), openPostgres(t, c.URL("registry"), store.Options{})
	l := startLoad(t, a, b)
	for range 25 {
		l.await(t, 3)
		if err := c.Exec("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'registry'"); err != nil {
			t.Fatal(err)
		}
	}
	l.check(t, a)
	if err := errors.Join(a.Fresh(t.Context()), b.Fresh(t.Context())); err != nil || a.Position() != b.Position() {
		t.Errorf("positions %d and %d, %v, want the same", a.Position(), b.Position(), err)
	}
}

// TestRestart: the server is stopped in good order and by a crash, and comes
// back, while nodes write.
func TestRestart(t *testing.T) {
	t.Parallel()
	c := migrated(t)
	a, b := openPostgres(t, c.URL("registry"), store.Options{}), openPostgres(t, c.URL("registry"), store.Options{})
	l := startLoad(t, a, b)
	for _, mode := range []string{"fast", "immediate", "fast", "immediate"} {
		l.await(t, 10)
		if err := c.Stop(mode); err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
	}
	l.await(t, 10)
	l.check(t, b)
}

// TestNoServer: while the database is gone everything is refused as unavailable,
// soon, and it goes on when it is back.
func TestNoServer(t *testing.T) {
	t.Parallel()
	c := migrated(t)
	s := openPostgres(t, c.URL("registry"), store.Options{})
	mustPublish(t, s, "before", 1)
	if err := c.Stop("fast"); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	for what, err := range map[string]error{
		"Fresh":  s.Fresh(t.Context()),
		"View":   s.View(t.Context(), func(*store.Tx) error { return nil }),
		"Update": publishVersion(s, "lost", 1),
	} {
		if packhouse.KindOf(err) != packhouse.Unavailable {
			t.Errorf("%s without a server = %v, want Unavailable", what, err)
		}
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("it took %v to refuse", took)
	}
	begun = time.Now()
	if err := s.Fresh(t.Context()); packhouse.KindOf(err) != packhouse.Unavailable || time.Since(begun) > 3*time.Second {
		t.Errorf("Fresh again = %v after %v, want Unavailable at once", err, time.Since(begun))
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	mustPublish(t, s, "after", 1)
	for version, files := range map[string]int{"before": 1, "lost": 0, "after": 1} {
		if err := countFiles(s, version, files); err != nil {
			t.Error(err)
		}
	}
}

// TestLedgerWentBack: a replica that lacks acknowledged entries has taken over.
// A node that has seen them neither reads nor writes until it is started anew.
func TestLedgerWentBack(t *testing.T) {
	t.Parallel()
	c := migrated(t)
	s := openPostgres(t, c.URL("registry"), store.Options{})
	mustPublish(t, s, "1", 1)
	mustPublish(t, s, "2", 1)
	for _, q := range []string{"UPDATE heads SET seq = 1", "DELETE FROM entries WHERE seq > 1"} {
		if err := c.Exec("registry", q); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Fresh(t.Context()); packhouse.KindOf(err) != packhouse.Unavailable {
		t.Errorf("Fresh = %v, want Unavailable", err)
	}
	if err := publishVersion(s, "3", 1); packhouse.KindOf(err) != packhouse.Unavailable {
		t.Errorf("publish = %v, want Unavailable", err)
	}
}

// TestTextThatCannotBeStored is refused for what it is, and not found where it is
// looked for.
func TestTextThatCannotBeStored(t *testing.T) {
	t.Parallel()
	s := openPostgres(t, pgtest.Database(t), store.Options{})
	for _, name := range []string{"a\x00b", "\xff"} {
		if err := publishVersion(s, name, 1); packhouse.KindOf(err) != packhouse.Invalid {
			t.Errorf("publish of %q = %v, want Invalid", name, err)
		}
		if err := countFiles(s, name, 0); err != nil {
			t.Errorf("reading %q: %v", name, err)
		}
	}
	mustPublish(t, s, "next", 1)
}

// TestNotDurable: a database that confirms what it has not written is refused.
func TestNotDurable(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t) + "&synchronous_commit=off"
	if s, err := store.OpenPostgres(t.Context(), address, store.Options{Log: quiet}); err == nil {
		t.Error("OpenPostgres with synchronous_commit=off succeeded, want a refusal")
		s.Close()
	}
}

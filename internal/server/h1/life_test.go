package h1

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// closedWithin reads conn to its end and returns how long that took.
func closedWithin(t *testing.T, conn net.Conn) time.Duration {
	t.Helper()
	start := time.Now()
	_, err := io.Copy(io.Discard, conn)
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		t.Fatal("the connection stays open")
	}
	return time.Since(start)
}

func TestTimeouts(t *testing.T) {
	const timeout = 200 * time.Millisecond
	hour := time.Hour
	for _, tc := range []struct {
		name string
		opts Options
		send []string // with pauses of a quarter of the timeout
	}{
		{"silent", Options{HeadTimeout: timeout, IdleTimeout: hour}, nil},
		{"idle", Options{IdleTimeout: timeout, HeadTimeout: hour}, []string{simple}},
		{"slow head", Options{HeadTimeout: timeout, IdleTimeout: hour}, strings.Split("GET / HTTP/1.1\r\n", "")},
		{"slow second head", Options{HeadTimeout: timeout, IdleTimeout: hour}, append([]string{simple}, strings.Split("GET / HT", "")...)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := front(t, tc.opts, func(http.ResponseWriter, *http.Request) {})
			conn := dial(t, l)
			go func() {
				for _, part := range tc.send {
					io.WriteString(conn, part)
					time.Sleep(timeout / 4)
				}
			}()
			if d := closedWithin(t, conn); d < timeout*3/4 || d > 10*timeout {
				t.Errorf("closed after %v, want about %v", d, timeout)
			}
		})
	}
}

func TestSlowReader(t *testing.T) {
	const size = 64 << 20
	failed := make(chan error, 1)
	handler := func(w http.ResponseWriter, _ *http.Request) {
		set(w, "Content-Length", "67108864")
		_, err := w.Write(make([]byte, size))
		failed <- err
	}
	t.Run("stalled", func(t *testing.T) {
		l := front(t, Options{WriteTimeout: 200 * time.Millisecond}, handler)
		conn := dial(t, l)
		io.WriteString(conn, simple)
		select {
		case err := <-failed:
			if err == nil {
				t.Error("Write() succeeded for a client that does not read")
			}
		case <-time.After(8 * time.Second):
			t.Fatal("the write is not cut")
		}
	})
	t.Run("slow but steady", func(t *testing.T) {
		l := front(t, Options{WriteTimeout: 500 * time.Millisecond}, handler)
		conn := dial(t, l)
		io.WriteString(conn, simple)
		buf := make([]byte, 4<<20)
		for range 16 {
			if _, err := io.ReadFull(conn, buf); err != nil {
				t.Fatal(err)
			}
			time.Sleep(60 * time.Millisecond)
		}
		if err := <-failed; err != nil {
			t.Errorf("Write() = %v", err)
		}
	})
}

func TestClientDisconnect(t *testing.T) {
	entered, gone := make(chan bool, 1), make(chan bool)
	failed := make(chan error, 1)
	l := front(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
		entered <- true
		<-gone
		var err error
		for range 100 {
			if _, err = w.Write(make([]byte, 1<<20)); err != nil {
				break
			}
		}
		failed <- err
	})
	conn := dial(t, l)
	io.WriteString(conn, simple)
	<-entered
	conn.Close()
	close(gone)
	if err := <-failed; err == nil {
		t.Error("100 MiB were written to a client that left")
	}
	waitFor(t, func() bool { return connections(l) == 0 })
}

func TestPanicIsLogged(t *testing.T) {
	var out bytes.Buffer
	l := front(t, Options{Log: slog.New(slog.NewTextHandler(&out, nil))}, func(_ http.ResponseWriter, r *http.Request) { panic("broken " + r.URL.Path) })
	conn := dial(t, l)
	io.WriteString(conn, simple)
	closedWithin(t, conn)
	waitFor(t, func() bool { return connections(l) == 0 })
	if text := out.String(); !strings.Contains(text, "broken /") || !strings.Contains(text, "TestPanicIsLogged") {
		t.Errorf("log %q has no panic with its stack", text)
	}
}

func TestShutdown(t *testing.T) {
	entered, release := make(chan bool, 1), make(chan bool)
	l := front(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			return
		}
		entered <- true
		<-release
		if err := r.Context().Err(); err != nil {
			t.Errorf("Err() while shutting down = %v", err)
		}
		io.WriteString(w, "done")
	})
	silent, kept, busy := dial(t, l), dial(t, l), dial(t, l)
	ask(t, kept, bufio.NewReader(kept))
	io.WriteString(busy, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
	<-entered
	// The connection that was answered becomes idle just after its answer.
	waitFor(t, func() bool { return l.Active() == 1 })
	result := make(chan error, 1)
	go func() { result <- l.Shutdown(context.Background()) }()
	closedWithin(t, silent)
	closedWithin(t, kept)
	close(release)
	answer, err := io.ReadAll(busy)
	if err != nil || !strings.HasSuffix(string(answer), "\r\n\r\ndone") || !strings.Contains(string(answer), "Connection: close") {
		t.Errorf("the active request got %q, %v", answer, err)
	}
	if err := <-result; err != nil {
		t.Errorf("Shutdown() = %v", err)
	}
	if conn, err := net.Dial("tcp", l.Addr().String()); err == nil {
		conn.Close()
		t.Error("connected after Shutdown")
	}
}

func TestForcedShutdown(t *testing.T) {
	entered := make(chan bool, 1)
	var cancelled atomic.Bool
	l := front(t, Options{}, func(_ http.ResponseWriter, r *http.Request) {
		entered <- true
		<-r.Context().Done()
		cancelled.Store(true)
	})
	conn := dial(t, l)
	io.WriteString(conn, simple)
	<-entered
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := l.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown() = %v", err)
	}
	waitFor(t, cancelled.Load)
}

func TestHandedOverConnectionStays(t *testing.T) {
	l := front(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		if _, fast := w.(*response); fast {
			t.Error("served by the listener after it was handed over")
		}
	})
	conn := dial(t, l)
	r := bufio.NewReader(conn)
	io.WriteString(conn, "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n")
	if _, err := http.ReadResponse(r, nil); err != nil {
		t.Fatal(err)
	}
	ask(t, conn, r)
	if n := l.Stats().HandedOver; n != 1 {
		t.Errorf("HandedOver = %d, want 1", n)
	}
}

func connections(l *Listener) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.conns)
}

func waitFor(t *testing.T, what func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !what(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited 5 s in vain")
		}
	}
}

package server

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// logBuffer is a log that can be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// running is a server that a test started.
type running struct {
	*Server
	addr string
	stop context.CancelFunc
	done chan error
	log  *logBuffer
}

// run starts a server on a free port; it is stopped when the test ends.
func run(t *testing.T, opts Options) *running {
	t.Helper()
	r := &running{log: new(logBuffer), done: make(chan error, 1)}
	bound := make(chan net.Addr, 1)
	opts.Listen = "127.0.0.1:0"
	opts.Ready = func(a net.Addr) { bound <- a }
	opts.Log = slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	srv, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	r.Server = srv
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	finished := make(chan struct{})
	go func() {
		r.done <- srv.Run(ctx)
		close(finished)
	}()
	select {
	case a := <-bound:
		r.addr = a.String()
	case <-time.After(5 * time.Second):
		t.Fatalf("not ready: %s", r.log)
	}
	t.Cleanup(func() {
		cancel()
		<-finished
	})
	return r
}

func (r *running) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn
}

// waitStopping waits until the server has begun to stop.
func (r *running) waitStopping(t *testing.T) {
	t.Helper()
	for range 1000 {
		if strings.Contains(r.log.String(), "msg=stopping") {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("the server does not stop")
}

func respond(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text+" "+r.RequestURI) }
}

func TestPathsArriveAsWritten(t *testing.T) {
	for _, noFast := range []bool{false, true} {
		r := run(t, Options{Handler: respond("got"), NoFastPath: noFast})
		for _, request := range []string{
			"GET //a/../b/./c%2Fd?x HTTP/1.1", "PUT //a//b/../c%2F HTTP/1.1", "HEAD /.. HTTP/1.1", "OPTIONS * HTTP/1.1",
		} {
			conn := r.dial(t)
			fmt.Fprintf(conn, "%s\r\nHost: x\r\nConnection: close\r\n\r\n", request)
			answer, err := io.ReadAll(conn)
			want := "got " + strings.Fields(request)[1]
			if strings.HasPrefix(request, "HEAD") {
				want = "\r\n\r\n"
			}
			if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200") || !strings.HasSuffix(string(answer), want) {
				t.Errorf("%s: %q, %v", request, answer, err)
			}
		}
	}
}

func TestLargeHeaders(t *testing.T) {
	r := run(t, Options{Handler: respond("got")})
	for size, status := range map[int]int{6 << 10: 200, 40 << 10: 200, 80 << 10: 431} {
		conn := r.dial(t)
		fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nJob-Token: %s\r\nConnection: close\r\n\r\n", strings.Repeat("j", size))
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != status {
			t.Errorf("head of %d bytes: %v, %v, want %d", size, resp, err, status)
		}
	}
}

func TestFileThroughNetHTTP(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	path := filepath.Join(t.TempDir(), "f.bin")
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	r := run(t, Options{NoFastPath: true, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, path) })})
	resp, err := http.Get("http://" + r.addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes that differ from the %d of the file, %v", len(got), len(want), err)
	}
}

func TestAddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	srv, err := New(Options{Handler: respond(""), Listen: taken.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	err = srv.Run(context.Background())
	want := taken.Addr().String() + " is in use by another program; choose another with --listen"
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("Run() = %v, want %q", err, want)
	}
}

func TestExplain(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{syscall.EACCES, "this user may not listen on :80: ports below 1024 need root"},
		{syscall.EADDRNOTAVAIL, ":80 is not an address of this machine; choose another with --listen"},
		{io.EOF, `cannot listen on ":80", the value of --listen: listen: EOF`},
	} {
		if got := explain(":80", "--listen", &net.OpError{Op: "listen", Err: tc.err}).Error(); !strings.HasPrefix(got, tc.want) {
			t.Errorf("explain(%v) = %q, want %q", tc.err, got, tc.want)
		}
	}
}

func TestBadAddress(t *testing.T) {
	srv, err := New(Options{Handler: respond(""), Listen: "nonsense"})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("Run() = %v, want an error that names --listen", err)
	}
}

func TestErrorLogLevels(t *testing.T) {
	r := run(t, Options{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("broken handler") })})
	conn := r.dial(t)
	fmt.Fprint(conn, "DELETE / HTTP/1.1\r\nHost: x\r\n\r\n")
	io.Copy(io.Discard, conn)
	if text := r.log.String(); !strings.Contains(text, "level=WARN msg=net/http") || !strings.Contains(text, "broken handler") {
		t.Errorf("log %q lacks the panic", text)
	}
}

package h1

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// front starts a Listener with handler and returns it; it is shut down when the
// test ends.
func front(t testing.TB, opts Options, handler http.HandlerFunc) *Listener {
	var l *Listener
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	serve(t, handler, func(inner net.Listener) *Listener {
		l = New(context.Background(), inner, handler, opts)
		return l
	})
	return l
}

func dial(t testing.TB, l *Listener) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn
}

const simple = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

func ask(t testing.TB, conn net.Conn, r *bufio.Reader) (*http.Response, []byte) {
	t.Helper()
	if _, err := io.WriteString(conn, simple); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

func TestUndeclaredLength(t *testing.T) {
	for _, tc := range []struct {
		size, step int
		length     int64
	}{
		{0, 1, 0},
		{4 << 10, 100, 4 << 10},
		{maxBuffered, 1000, maxBuffered},
		{maxBuffered + 1, 1000, -1},
		{1 << 20, 7777, -1},
		{1 << 20, 1 << 20, -1},
	} {
		t.Run(fmt.Sprint(tc.size, " by ", tc.step), func(t *testing.T) {
			want := bytes.Repeat([]byte("0123456789abcdef"), tc.size/16+1)[:tc.size]
			l := front(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
				for rest := want; len(rest) > 0; {
					n, err := w.Write(rest[:min(tc.step, len(rest))])
					if err != nil {
						t.Errorf("Write() = %v", err)
						return
					}
					rest = rest[n:]
				}
			})
			conn := dial(t, l)
			r := bufio.NewReader(conn)
			for range 3 {
				resp, got := ask(t, conn, r)
				if resp.ContentLength != tc.length || !bytes.Equal(got, want) {
					t.Fatalf("length %d and %d bytes, want %d and %d equal ones", resp.ContentLength, len(got), tc.length, len(want))
				}
			}
		})
	}
}

func TestInvalidLengthIsReplaced(t *testing.T) {
	l := front(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "-5")
		io.WriteString(w, "hello")
	})
	conn := dial(t, l)
	resp, body := ask(t, conn, bufio.NewReader(conn))
	if resp.ContentLength != 5 || string(body) != "hello" {
		t.Errorf("length %d body %q", resp.ContentLength, body)
	}
}

func TestFilesLeaveBySendfile(t *testing.T) {
	for _, tc := range []struct {
		size     int
		sendfile bool
	}{{0, false}, {4 << 10, false}, {maxBuffered, false}, {maxBuffered + 1, true}, {3 << 20, true}} {
		t.Run(fmt.Sprint(tc.size), func(t *testing.T) {
			want := bytes.Repeat([]byte("0123456789abcdef"), tc.size/16+1)[:tc.size]
			path := filepath.Join(t.TempDir(), "f.bin")
			if err := os.WriteFile(path, want, 0o600); err != nil {
				t.Fatal(err)
			}
			l := front(t, Options{}, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, path) })
			conn := dial(t, l)
			r := bufio.NewReader(conn)
			for range 2 {
				if _, got := ask(t, conn, r); !bytes.Equal(got, want) {
					t.Fatalf("%d bytes that differ from the %d of the file", len(got), len(want))
				}
			}
			sent := l.Stats().SentFile
			if tc.sendfile && sent < int64(2*(tc.size-maxCopied)) || !tc.sendfile && sent != 0 {
				t.Errorf("%d bytes went by sendfile", sent)
			}
		})
	}
}

func TestShortFileClosesTheConnection(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, make([]byte, 200<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	l := front(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
		f, err := os.Open(path)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		set(w, "Content-Length", "300000", "Content-Type", "x/y")
		if n, err := io.Copy(w, f); n != 200<<10 || err != nil {
			t.Errorf("Copy() = %d, %v", n, err)
		}
	})
	conn := dial(t, l)
	io.WriteString(conn, simple)
	all, err := io.ReadAll(conn)
	if _, body, _ := bytes.Cut(all, []byte("\r\n\r\n")); err != nil || len(body) != 200<<10 {
		t.Errorf("%d bytes and %v, want the file and the end", len(body), err)
	}
}

func TestTooLongFileIsCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, make([]byte, 200<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	l := front(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
		f, err := os.Open(path)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		set(w, "Content-Length", "100000", "Content-Type", "x/y")
		if n, err := io.CopyN(w, f, 150000); n != 100000 || !errors.Is(err, http.ErrContentLength) {
			t.Errorf("CopyN() = %d, %v", n, err)
		}
	})
	conn := dial(t, l)
	io.WriteString(conn, simple)
	all, err := io.ReadAll(conn)
	if _, body, _ := bytes.Cut(all, []byte("\r\n\r\n")); err != nil || len(body) != 100000 {
		t.Errorf("%d bytes and %v, want what was declared and the end", len(body), err)
	}
}

func TestRequestStringsMayBeKept(t *testing.T) {
	var kept []string
	l := front(t, Options{}, func(_ http.ResponseWriter, r *http.Request) {
		kept = append(kept, r.RequestURI+" "+r.URL.Path+" "+r.Host+" "+r.Header.Get("X"), r.URL.Path, r.Host, r.Header.Get("X"))
	})
	conn := dial(t, l)
	r := bufio.NewReader(conn)
	for i := range 50 {
		fmt.Fprintf(conn, "GET /path%d HTTP/1.1\r\nHost: host%d\r\nX: value%d\r\n\r\n", i, i, i)
		if _, err := http.ReadResponse(r, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 50 {
		want := fmt.Sprintf("/path%d /path%d host%d value%d", i, i, i, i)
		if got := kept[4*i]; got != want || strings.Join(kept[4*i+1:4*i+4], " ") != want[strings.Index(want, " ")+1:] {
			t.Errorf("kept %q, want %q", kept[4*i:4*i+4], want)
		}
	}
}

func TestContextEndsWithTheHandler(t *testing.T) {
	contexts := make(chan context.Context, 10)
	l := front(t, Options{}, func(_ http.ResponseWriter, r *http.Request) {
		child, cancel := context.WithCancel(r.Context())
		context.AfterFunc(r.Context(), cancel)
		if err := child.Err(); err != nil {
			t.Errorf("Err() in the handler = %v", err)
		}
		contexts <- child
	})
	conn := dial(t, l)
	r := bufio.NewReader(conn)
	for range 3 {
		ask(t, conn, r)
		select {
		case <-(<-contexts).Done():
		case <-time.After(5 * time.Second):
			t.Fatal("the context outlives the handler")
		}
	}
}

package h1

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// pair is the same handler behind net/http alone and behind a Listener.
type pair struct {
	alone, fronted string
	fast           atomic.Int64 // requests that the Listener served
}

func newPair(t testing.TB) *pair {
	p := new(pair)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := w.(*response); ok {
			p.fast.Add(1)
		}
		echo(w, r)
	})
	p.alone = serve(t, handler, nil)
	p.fronted = serve(t, handler, func(inner net.Listener) *Listener {
		return New(context.Background(), inner, handler, Options{Log: slog.New(slog.DiscardHandler)})
	})
	return p
}

// serve runs an http.Server, behind a Listener if front makes one.
func serve(t testing.TB, handler http.Handler, front func(net.Listener) *Listener) string {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	ln := inner
	if front != nil {
		l := front(inner)
		ln = l
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			if err := l.Shutdown(ctx); err != nil {
				t.Errorf("Shutdown() = %v", err)
			}
		})
	}
	done := make(chan struct{})
	go func() {
		srv.Serve(ln)
		close(done)
	}()
	t.Cleanup(func() {
		srv.Close()
		<-done
	})
	return inner.Addr().String()
}

// echo answers with what it was asked, or as the path says.
func echo(w http.ResponseWriter, r *http.Request) {
	if shape, ok := shapes[r.URL.Path]; ok {
		shape(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %q %s %d.%d\n", r.Method, r.RequestURI, r.Proto, r.ProtoMajor, r.ProtoMinor)
	fmt.Fprintf(&b, "url %q host %q close %v length %d te %q trailer %d\n",
		r.URL, r.Host, r.Close, r.ContentLength, r.TransferEncoding, len(r.Trailer))
	fmt.Fprintf(&b, "path %q raw %q query %q force %v\n", r.URL.Path, r.URL.RawPath, r.URL.RawQuery, r.URL.ForceQuery)
	names := []string{}
	for name := range r.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%q: %q\n", name, r.Header[name])
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	fmt.Fprintf(&b, "from %s tls %v nobody %v body %q %v\n", host, r.TLS, r.Body == http.NoBody, body, err)
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.Write(b.Bytes())
}

var dates = regexp.MustCompile(`(?m)^Date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r$`)

// talk sends the parts, then a request that asks to close, then the end of the
// stream, and returns all that comes back. Whether the last request is answered,
// and as what, shows what became of the connection.
func talk(addr string, parts ...string) (string, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	parts = slices.Clone(parts)
	parts[len(parts)-1] += "GET /last HTTP/1.1\r\nHost: last\r\nConnection: close\r\n\r\n"
	for i, part := range parts {
		if i > 0 {
			time.Sleep(300 * time.Microsecond)
		}
		if _, err := io.WriteString(conn, part); err != nil {
			break // the server may have closed on the first part
		}
	}
	conn.(*net.TCPConn).CloseWrite()
	answer, err := io.ReadAll(conn)
	if errors.Is(err, syscall.ECONNRESET) {
		err = nil
	}
	return string(dates.ReplaceAll(answer, []byte("Date: now\r"))), err
}

func (p *pair) compare(t *testing.T, parts ...string) {
	t.Helper()
	want, err := talk(p.alone, parts...)
	if err != nil {
		t.Fatalf("net/http alone: %v", err)
	}
	got, err := talk(p.fronted, parts...)
	if err != nil {
		t.Fatalf("behind h1: %v", err)
	}
	if got != want {
		t.Errorf("request %q\n--- net/http alone:\n%s\n--- behind h1:\n%s", strings.Join(parts, "|"), want, got)
	}
}

func TestSameAsNetHTTP(t *testing.T) {
	p := newPair(t)
	for _, tc := range cases() {
		t.Run(tc.name, func(t *testing.T) {
			before := p.fast.Load()
			p.compare(t, tc.raw)
			if served := p.fast.Load() > before; served != tc.fast {
				t.Errorf("served by the listener: %v, want %v\n%q", served, tc.fast, tc.raw)
			}
		})
	}
	if n := len(cases()); n < 150 {
		t.Errorf("%d cases, want at least 150", n)
	}
}

func TestSplitAtEveryByte(t *testing.T) {
	p := newPair(t)
	for _, raw := range []string{
		"GET /a%2Fb?x=1 HTTP/1.1\r\nHost: example.org\r\nuser-AGENT: x\r\n\r\n",
		"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: b\r\n\r\n",
		"PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
		"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"GET /bare HTTP/1.1\nHost: a\n\n",
		"GET /odd HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n",
	} {
		t.Run(raw[:8], func(t *testing.T) {
			t.Parallel()
			for i := 1; i < len(raw); i++ {
				p.compare(t, raw[:i], raw[i:])
			}
		})
	}
}

func TestByteByByte(t *testing.T) {
	p := newPair(t)
	p.compare(t, strings.Split("GET /slow?q HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n", "")...)
}

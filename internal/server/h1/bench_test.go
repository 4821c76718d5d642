//go:build unix

package h1

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
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// clientEnv makes the test binary a load generator: address, connections, requests
// (0 to keep the connections idle). A process of its own keeps the client's CPU out of the measure.
const clientEnv = "H1_BENCH_CLIENT"

func benchHandler(body []byte) http.HandlerFunc {
	length := []string{strconv.Itoa(len(body))}
	kind := []string{"application/octet-stream"}
	return func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h["Content-Length"], h["Content-Type"] = length, kind
		w.Write(body)
	}
}

// BenchmarkServe reports the server's CPU time of a small GET on 16 keep-alive
// connections, behind the Listener, with net/http alone, and as the floor with a
// bare loop of one read and one write.
func BenchmarkServe(b *testing.B) {
	for _, size := range []int{1 << 10, 4 << 10, 64 << 10} {
		body := bytes.Repeat([]byte("x"), size)
		handler := benchHandler(body)
		for name, start := range map[string]func() string{
			"h1": func() string {
				return serve(b, handler, func(inner net.Listener) *Listener {
					return New(context.Background(), inner, handler, Options{Log: slog.New(slog.DiscardHandler)})
				})
			},
			"nethttp": func() string { return serve(b, handler, nil) },
			"bare":    func() string { return serveBare(b, body) },
		} {
			b.Run(fmt.Sprint(name, "/", size>>10, "KiB"), func(b *testing.B) {
				addr := start()
				runClient(b, addr, 16, 1000)
				before := cpu(b)
				b.ResetTimer()
				runClient(b, addr, 16, b.N)
				b.StopTimer()
				b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-us/op")
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
			})
		}
	}
}

// serveBare answers anything that ends in a blank line with the same bytes.
func serveBare(b *testing.B, body []byte) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { ln.Close() })
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buf := make([]byte, 4<<10)
				for {
					if _, err := conn.Read(buf); err != nil {
						return
					}
					if _, err := conn.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return ln.Addr().String()
}

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func runClient(b *testing.B, addr string, conns, requests int) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestBenchClient$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d", clientEnv, addr, conns, requests))
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("client: %v\n%s", err, out)
	}
}

// TestBenchClient is the load generator of BenchmarkServe. Without its
// environment variable there is nothing to do.
func TestBenchClient(t *testing.T) {
	var addr string
	var conns, requests int
	if n, _ := fmt.Sscan(os.Getenv(clientEnv), &addr, &conns, &requests); n != 3 {
		return
	}
	if requests == 0 {
		if err := holdIdle(addr, conns); err != nil {
			t.Error(err)
		}
		return
	}
	var left atomic.Int64
	left.Store(int64(requests))
	var wg sync.WaitGroup
	for range conns {
		wg.Go(func() {
			if err := load(addr, &left); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// load sends requests one after another, as a package client writes them.
func load(addr string, left *atomic.Int64) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	request := []byte("GET /api/v4/projects/1/packages/generic/tool/1.0.0/tool.tar.gz HTTP/1.1\r\nHost: " + addr +
		"\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\nPrivate-Token: glpat-0123456789abcdefghij\r\nAccept-Encoding: identity\r\n\r\n")
	buf := make([]byte, 128<<10)
	size := 0 // of a whole answer, known after the first
	for left.Add(-1) >= 0 {
		if _, err := conn.Write(request); err != nil {
			return err
		}
		for got := 0; size == 0 || got < size; {
			n, err := conn.Read(buf[got:])
			if err != nil {
				return err
			}
			got += n
			if head, _, ok := bytes.Cut(buf[:got], []byte("\r\n\r\n")); ok && size == 0 {
				_, after, _ := strings.Cut(string(head), "Content-Length: ")
				length, _, _ := strings.Cut(after, "\r\n")
				body, err := strconv.Atoi(length)
				if err != nil || !bytes.HasPrefix(head, []byte("HTTP/1.1 200")) {
					return fmt.Errorf("unexpected answer %q", head)
				}
				size = len(head) + 4 + body
			}
		}
	}
	return nil
}

// BenchmarkIdle reports what a keep-alive connection costs in memory while it
// waits, after one request was answered on each of 10,000. It needs a limit of as
// many open files; the kernel's share of the memory is not included.
func BenchmarkIdle(b *testing.B) {
	handler := benchHandler(make([]byte, 4<<10))
	for name, start := range map[string]func() string{
		"h1": func() string {
			return serve(b, handler, func(inner net.Listener) *Listener {
				return New(context.Background(), inner, handler, Options{})
			})
		},
		"nethttp": func() string { return serve(b, handler, nil) },
	} {
		b.Run(name, func(b *testing.B) {
			const count = 10000
			fresh := memory()
			addr := start()
			cmd := exec.Command(os.Args[0], "-test.run=^TestBenchClient$")
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d 0", clientEnv, addr, count))
			cmd.Stderr = os.Stderr
			hold, _ := cmd.StdinPipe()
			ready, _ := cmd.StdoutPipe()
			if err := cmd.Start(); err != nil {
				b.Fatal(err)
			}
			if line, err := bufio.NewReader(ready).ReadString('\n'); line != "ready\n" {
				b.Fatalf("client: %q, %v", line, err)
			}
			each := float64(memory()-fresh) / count / 1024
			hold.Close()
			cmd.Wait()
			for b.Loop() {
				// What is measured is above and has no repetition.
			}
			b.ReportMetric(each, "KiB/conn")
		})
	}
}

// holdIdle asks once on each of conns connections, says so on standard output,
// and keeps them open until standard input ends.
func holdIdle(addr string, conns int) error {
	for range conns {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return err
		}
		defer conn.Close()
		io.WriteString(conn, simple)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return err
		}
		io.Copy(io.Discard, resp.Body)
	}
	fmt.Println("ready")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// memory is what the Go runtime holds from the system and has not given back,
// after a collection.
func memory() uint64 {
	runtime.GC()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys - m.HeapReleased
}

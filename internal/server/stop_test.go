package server

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// counting answers with the number of bytes of the request body.
var counting = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
	}
	fmt.Fprintf(w, "%d bytes, error %v", n, err)
})

func TestStopFinishesUpload(t *testing.T) {
	r := run(t, Options{Handler: counting})
	idle, upload := r.dial(t), r.dial(t)
	fmt.Fprint(upload, "PUT /f HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello")
	for r.inFlight.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	r.stop()
	r.waitStopping(t)
	if n, err := io.Copy(io.Discard, idle); n != 0 || err != nil {
		t.Errorf("the idle connection got %d bytes, %v", n, err)
	}
	if _, err := net.Dial("tcp", r.addr); err == nil {
		t.Error("connected to a server that stops")
	}
	fmt.Fprint(upload, "world")
	answer, err := io.ReadAll(upload)
	if err != nil || !strings.HasSuffix(string(answer), "10 bytes, error <nil>") {
		t.Errorf("the upload got %q, %v", answer, err)
	}
	if err := <-r.done; err != nil {
		t.Errorf("Run() = %v", err)
	}
	if text := r.log.String(); !strings.Contains(text, "msg=stopping in_flight=1") || !strings.Contains(text, "msg=stopped") {
		t.Errorf("log %q", text)
	}
}

func TestStopCutsAfterGrace(t *testing.T) {
	for method, entry := range map[string]string{"PUT": "Content-Length: 10\r\n", "GET": ""} {
		t.Run(method, func(t *testing.T) {
			entered, cancelled := make(chan bool, 1), make(chan bool, 1)
			r := run(t, Options{ShutdownGrace: 100 * time.Millisecond, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				entered <- true
				<-r.Context().Done()
				cancelled <- true
			})})
			conn := r.dial(t)
			fmt.Fprintf(conn, "%s /f HTTP/1.1\r\nHost: x\r\n%s\r\n", method, entry)
			<-entered
			start := time.Now()
			r.stop()
			if err := <-r.done; err != nil {
				t.Errorf("Run() = %v", err)
			}
			if d := time.Since(start); d < 100*time.Millisecond || d > 3*time.Second {
				t.Errorf("stopped after %v, want the grace of 100ms", d)
			}
			<-cancelled
			if text := r.log.String(); !strings.Contains(text, `msg="grace is over, requests are cut" in_flight=1`) {
				t.Errorf("log %q", text)
			}
		})
	}
}

func TestStalledUploadIsCut(t *testing.T) {
	const timeout = 200 * time.Millisecond
	r := run(t, Options{Handler: counting, StallTimeout: timeout})
	t.Run("stalled", func(t *testing.T) {
		conn := r.dial(t)
		fmt.Fprint(conn, "PUT /f HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello")
		start := time.Now()
		answer, err := io.ReadAll(conn)
		if d := time.Since(start); d < timeout*3/4 || d > 10*timeout {
			t.Errorf("cut after %v, want about %v", d, timeout)
		}
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400") || !strings.Contains(string(answer), "5 bytes, error the upload made no progress for 200ms") {
			t.Errorf("got %q, %v", answer, err)
		}
	})
	t.Run("slow but steady", func(t *testing.T) {
		conn := r.dial(t)
		fmt.Fprint(conn, "PUT /f HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\n")
		for range 10 {
			time.Sleep(timeout / 4)
			fmt.Fprint(conn, "x")
		}
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasSuffix(string(answer), "10 bytes, error <nil>") {
			t.Errorf("got %q, %v", answer, err)
		}
	})
	t.Run("not read by the handler", func(t *testing.T) {
		r := run(t, Options{StallTimeout: timeout, Handler: respond("refused")})
		conn := r.dial(t)
		fmt.Fprint(conn, "PUT /f HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhello")
		start := time.Now()
		answer, err := io.ReadAll(conn)
		if d := time.Since(start); err != nil || d > 10*timeout || !strings.Contains(string(answer), "refused") {
			t.Errorf("got %q, %v after %v", answer, err, d)
		}
	})
}

func TestStalledDownloadIsCut(t *testing.T) {
	failed := make(chan error, 1)
	r := run(t, Options{NoFastPath: true, StallTimeout: 200 * time.Millisecond, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(make([]byte, 64<<20))
		failed <- err
	})})
	conn := r.dial(t)
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	select {
	case err := <-failed:
		if err == nil {
			t.Error("64 MiB were written to a client that does not read")
		}
	case <-time.After(8 * time.Second):
		t.Error("the write is not cut")
	}
}

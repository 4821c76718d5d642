package h1

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// shapes are the answers that a handler can give, by path. A body of undeclared
// length stays below 2 KiB, the only place where net/http and this package differ.
var shapes = map[string]http.HandlerFunc{
	"/nothing": func(http.ResponseWriter, *http.Request) {},
	"/text":    func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") },
	"/html":    func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<"); io.WriteString(w, "html>") },
	"/empty":   func(w http.ResponseWriter, _ *http.Request) { w.Write(nil) },
	"/notype":  func(w http.ResponseWriter, _ *http.Request) { w.Header()["Content-Type"] = nil; w.Write([]byte("x")) },
	"/gzip":    func(w http.ResponseWriter, _ *http.Request) { set(w, "Content-Encoding", "gzip"); w.Write([]byte("x")) },
	"/nodate":  func(w http.ResponseWriter, _ *http.Request) { w.Header()["Date"] = nil },
	"/owndate": func(w http.ResponseWriter, _ *http.Request) { set(w, "Date", "then") },
	"/201":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201) },
	"/204": func(w http.ResponseWriter, _ *http.Request) {
		set(w, "Content-Length", "3")
		w.WriteHeader(204)
		w.Write([]byte("abc"))
	},
	"/304": func(w http.ResponseWriter, _ *http.Request) {
		set(w, "Content-Length", "3", "Content-Type", "text/x", "Etag", `"e"`)
		w.WriteHeader(304)
	},
	"/404":       func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) },
	"/599":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(599); w.Write([]byte("x")) },
	"/999":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(999) },
	"/badstatus": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(99) },
	"/101":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(101) },
	"/103": func(w http.ResponseWriter, _ *http.Request) {
		set(w, "Link", "</x>", "Content-Length", "1")
		w.WriteHeader(103)
		w.WriteHeader(200)
		w.Write([]byte("x"))
	},
	"/twice":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202); w.WriteHeader(500) },
	"/late":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200); set(w, "X-Late", "1") },
	"/redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
	"/many": func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Vary"] = []string{"a", "b"}
		set(w, "Z-Last", "1", "A-First", "2", "Etag", `"x"`)
		w.Header()["lower-case"] = []string{"kept"}
	},
	"/crlf": func(w http.ResponseWriter, _ *http.Request) {
		set(w, "X", "a\r\nInjected: yes", "Y", " \tpadded ")
		w.Header()["Bad Name"] = []string{"1"}
		w.Header()["Bad\r\nName"] = []string{"1"}
		w.Header()[""] = []string{"1"}
	},
	"/length": func(w http.ResponseWriter, _ *http.Request) { set(w, "Content-Length", "5"); w.Write([]byte("hello")) },
	"/short":  func(w http.ResponseWriter, _ *http.Request) { set(w, "Content-Length", "9"); w.Write([]byte("hello")) },
	"/long": func(w http.ResponseWriter, _ *http.Request) {
		set(w, "Content-Length", "5")
		w.Write([]byte("hello"))
		if _, err := w.Write([]byte("more")); err != http.ErrContentLength {
			panic(err)
		}
	},
	"/large": func(w http.ResponseWriter, _ *http.Request) {
		set(w, "Content-Length", "300000", "Content-Type", "text/x")
		for range 3 {
			w.Write(bytes.Repeat([]byte("abcdefghij"), 10000))
		}
	},
	"/close":     func(w http.ResponseWriter, _ *http.Request) { set(w, "Connection", "close"); w.Write([]byte("x")) },
	"/closelist": func(w http.ResponseWriter, _ *http.Request) { set(w, "Connection", "x, close"); w.Write([]byte("x")) },
	"/keepalive": func(w http.ResponseWriter, _ *http.Request) { set(w, "Connection", "keep-alive"); w.Write([]byte("x")) },
	"/flush": func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "one ")
		http.NewResponseController(w).Flush()
		io.WriteString(w, "two")
	},
	"/flushfirst": func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush() },
	"/flushknown": func(w http.ResponseWriter, _ *http.Request) {
		set(w, "Content-Length", "3")
		w.(http.Flusher).Flush()
		io.WriteString(w, "two")
	},
	"/chunked": func(w http.ResponseWriter, _ *http.Request) {
		set(w, "Transfer-Encoding", "chunked")
		w.(http.Flusher).Flush()
	},
	"/deadline": func(w http.ResponseWriter, _ *http.Request) {
		http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Hour))
	},
	"/content": func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "x.json", time.Unix(1e9, 0), strings.NewReader("{}"))
	},
	"/file": func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "doc.go") },
	"/bigfile": func(w http.ResponseWriter, r *http.Request) {
		f, err := os.CreateTemp("", "")
		if err != nil {
			panic(err)
		}
		defer f.Close()
		os.Remove(f.Name())
		f.Write(bytes.Repeat([]byte("0123456789abcdef"), 50000))
		http.ServeContent(w, r, "x.bin", time.Unix(1e9, 0), f)
	},
	"/abort": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	"/panic": func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("lost")); panic("test") },
	"/flushpanic": func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("seen"))
		w.(http.Flusher).Flush()
		panic("test")
	},
}

func set(w http.ResponseWriter, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		w.Header().Set(pairs[i], pairs[i+1])
	}
}

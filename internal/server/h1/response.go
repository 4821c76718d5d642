package h1

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	// maxBuffered is how many bytes of a body of undeclared length are kept to
	// find its length, and how large a file is sent from memory.
	maxBuffered = 64 << 10
	// maxCopied is how much of a body is copied behind the head to leave in one
	// write; larger parts leave by writev, without a copy.
	maxCopied = 16 << 10
	// sniffLen is how many bytes http.DetectContentType looks at.
	sniffLen = 512
)

// response is the http.ResponseWriter of plain requests. What is sent is byte for
// byte what net/http would send, with one exception: a body of undeclared
// length gets a Content-Length up to 64 KiB instead of 2 KiB.
//
// WriteHeader puts the handler's header lines into out. The head is completed with
// the lines the transport adds as soon as those are certain: at once when the
// handler declared length and type, else when enough of the body is there.
type response struct {
	c      *conn
	x      *exchange
	header http.Header
	isHEAD bool

	wroteHeader bool
	sealed      bool // the head in out is complete
	chunked     bool
	hasType     bool // Content-Type and alike are settled by the handler
	hasDate     bool
	closeSet    bool // the handler wrote "Connection: close" itself
	closing     bool // the connection ends after this response
	deadlines   bool // the handler set a deadline
	status      int
	length      int64 // declared or found; -1 when not known
	written     int64 // by the handler, whether sent or not

	out   []byte  // head and what follows it, not sent yet
	body  []byte  // body while the head is not sealed; backed by big
	big   *[]byte // borrowed from the listener
	lines []headerLine
	vec   [2][]byte
	bufs  net.Buffers
	err   error // first failure of the socket
}

// begin readies w for the request in x.
func (w *response) begin(c *conn, x *exchange) {
	w.c, w.x = c, x
	w.isHEAD = x.request.Method == http.MethodHead
	w.closing = x.request.Close
	w.length = -1
}

// reset readies w for the next begin, keeping its memory.
func (w *response) reset() {
	w.returnBig()
	if w.deadlines {
		_ = w.c.tcp.SetDeadline(time.Time{})
	}
	header, out, lines := w.header, w.out[:0], w.lines[:0]
	clear(header)
	*w = response{header: header, out: out, lines: lines}
}

// Header returns the header to send. Changes after WriteHeader have no effect.
func (w *response) Header() http.Header { return w.header }

// WriteHeader fixes status and header. Like net/http it sends informational
// statuses at once, panics on a status that is not three digits, and ignores,
// with a line in the log, a second call.
func (w *response) WriteHeader(status int) {
	if w.wroteHeader {
		w.c.l.opts.Log.Warn("superfluous call of WriteHeader", "status", status, "path", w.x.request.URL.Path)
		return
	}
	if status < 100 || status > 999 {
		panic("invalid WriteHeader code " + strconv.Itoa(status))
	}
	if status < 200 && status != http.StatusSwitchingProtocols {
		w.statusLine(status)
		w.headerLines(true)
		w.out = append(w.out, '\r', '\n')
		w.flush()
		return
	}
	w.wroteHeader, w.status = true, status
	w.settle()
	if w.length >= 0 && w.hasType || !w.bodyAllowed() {
		w.seal(nil)
	}
}

// bodyAllowed reports whether the status permits a body, RFC 9110 6.4.1.
func (w *response) bodyAllowed() bool {
	return w.status >= 200 && w.status != http.StatusNoContent && w.status != http.StatusNotModified
}

// Write sends p or keeps a copy of it. It returns http.ErrBodyNotAllowed and
// http.ErrContentLength as net/http does.
func (w *response) Write(p []byte) (int, error) {
	if !w.wroteHeader {
		w.WriteHeader(http.StatusOK)
	}
	if len(p) == 0 {
		return 0, nil
	}
	if !w.bodyAllowed() {
		return 0, http.ErrBodyNotAllowed
	}
	w.written += int64(len(p))
	if w.length >= 0 && w.written > w.length {
		return 0, http.ErrContentLength
	}
	if !w.sealed && w.keep(p) {
		return len(p), nil
	}
	if w.isHEAD {
		return len(p), nil
	}
	w.send(p)
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// WriteString is Write for a string.
func (w *response) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// keep holds p back until the head can be sealed. When there is more than needs
// to be held back, it seals the head, sends what was kept, and reports false.
func (w *response) keep(p []byte) bool {
	limit := maxBuffered
	if w.length >= 0 {
		limit = sniffLen
	}
	if len(w.body)+len(p) <= limit {
		if w.body == nil {
			w.body = w.borrowBig()[:0]
		}
		w.body = append(w.body, p...)
		return true
	}
	sample := w.body
	if len(sample) == 0 {
		sample = p
	}
	w.seal(sample)
	w.sendKept()
	return false
}

func (w *response) sendKept() {
	if len(w.body) > 0 && !w.isHEAD {
		w.send(w.body)
	}
	w.body = nil
}

// Flush sends what was written so far.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError is Flush that tells whether the socket failed.
func (w *response) FlushError() error {
	if !w.wroteHeader {
		w.WriteHeader(http.StatusOK)
	}
	if !w.sealed {
		w.seal(w.body)
		w.sendKept()
	}
	w.flush()
	return w.err
}

// finish sends the rest after the handler returned and reports whether the
// connection may serve another request.
func (w *response) finish() (keep bool) {
	if !w.wroteHeader {
		w.WriteHeader(http.StatusOK)
	}
	if !w.sealed {
		// The whole body is at hand, so its length is known. A HEAD without a
		// body may come from a handler that did not care to write one.
		if w.length < 0 && (!w.isHEAD || w.written > 0) {
			w.length = w.written
		}
		w.seal(w.body)
		w.sendKept()
	}
	if w.chunked {
		w.out = append(w.out, "0\r\n\r\n"...)
	}
	w.flush()
	short := !w.isHEAD && w.bodyAllowed() && w.length >= 0 && w.length != w.written
	return !w.closing && !short && w.err == nil
}

// SetReadDeadline serves http.ResponseController.
func (w *response) SetReadDeadline(t time.Time) error {
	w.deadlines = true
	return w.c.tcp.SetReadDeadline(t)
}

// SetWriteDeadline serves http.ResponseController. It comes on top of the
// listener's WriteTimeout.
func (w *response) SetWriteDeadline(t time.Time) error {
	w.deadlines = true
	return w.c.tcp.SetWriteDeadline(t)
}

// EnableFullDuplex serves http.ResponseController. There is no request body, so
// there is nothing to do.
func (w *response) EnableFullDuplex() error { return nil }

var (
	_ http.Flusher    = (*response)(nil)
	_ io.ReaderFrom   = (*response)(nil)
	_ io.StringWriter = (*response)(nil)
)

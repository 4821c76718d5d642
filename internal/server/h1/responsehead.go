package h1

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settle puts status line and the handler's header lines into out and notes what
// they leave to the transport. Order and rules are those of net/http: lines
// sorted by name, then Date, Content-Length, Content-Type, Connection and
// Transfer-Encoding.
func (w *response) settle() {
	w.statusLine(w.status)
	if v, ok := w.header["Content-Length"]; ok {
		w.declare(v)
	}
	_, typed := w.header["Content-Type"]
	w.hasType = typed || w.header.Get("Content-Encoding") != ""
	_, w.hasDate = w.header["Date"]
	w.closing = w.closing || w.c.l.stopping.Load()
	if v := w.header["Connection"]; len(v) > 0 {
		w.closing = w.closing || v[0] == "close"
		w.closeSet = hasToken(v[0], "close")
	}
	w.headerLines(false)
}

// declare takes over the handler's Content-Length, and drops one that is none.
func (w *response) declare(values []string) {
	if len(values) > 0 {
		if n, err := strconv.ParseInt(values[0], 10, 64); err == nil && n >= 0 {
			w.length = n
			return
		}
	}
	delete(w.header, "Content-Length")
	w.c.l.opts.Log.Warn("handler set an invalid Content-Length", "value", values, "path", w.x.request.URL.Path)
}

func (w *response) statusLine(status int) {
	w.out = append(w.out, "HTTP/1.1 "...)
	if text := http.StatusText(status); text != "" {
		w.out = strconv.AppendInt(w.out, int64(status), 10)
		w.out = append(w.out, ' ')
		w.out = append(w.out, text...)
	} else {
		w.out = fmt.Appendf(w.out, "%03d status code %d", status, status)
	}
	w.out = append(w.out, '\r', '\n')
}

// headerLine is a name with its values, on its way from the header to the wire.
type headerLine struct {
	name   string
	values []string
}

// headerLines writes the handler's header, sorted by name.
func (w *response) headerLines(informational bool) {
	w.lines = w.lines[:0]
	for name, values := range w.header {
		w.lines = append(w.lines, headerLine{name, values})
	}
	slices.SortFunc(w.lines, func(a, b headerLine) int { return strings.Compare(a.name, b.name) })
	for i := range w.lines {
		l := &w.lines[i]
		if w.skips(l.name, informational) {
			continue
		}
		for _, v := range l.values {
			w.line(l.name, oneLine(v))
		}
	}
}

// skips reports whether a line the handler set is not sent.
func (w *response) skips(name string, informational bool) bool {
	switch name {
	case "Transfer-Encoding":
		return true
	case "Content-Length":
		// RFC 9110 8.6: none with 1xx and 204. net/http leaves it out of 304 too.
		return informational || w.length < 0 || !w.bodyAllowed()
	case "Content-Type":
		return !informational && w.status == http.StatusNotModified
	case "Connection":
		return !informational && w.closing && !w.closeSet
	}
	for i := range len(name) {
		if classes[name[i]]&inToken == 0 {
			return true
		}
	}
	return name == ""
}

// seal completes the head. sample is the beginning of the body, for its type.
func (w *response) seal(sample []byte) {
	w.sealed = true
	if !w.hasDate {
		w.out = w.c.l.appendDate(w.out)
	}
	if w.length >= 0 && w.bodyAllowed() && len(w.header["Content-Length"]) == 0 {
		w.line("Content-Length", strconv.FormatInt(w.length, 10))
	}
	if w.bodyAllowed() && !w.hasType && len(sample) > 0 {
		w.line("Content-Type", http.DetectContentType(sample))
	}
	if w.closing && !w.closeSet {
		w.line("Connection", "close")
	}
	if w.length < 0 && w.bodyAllowed() && !w.isHEAD {
		w.chunked = true
		w.line("Transfer-Encoding", "chunked")
	}
	w.out = append(w.out, '\r', '\n')
}

func (w *response) line(name, value string) {
	w.out = append(w.out, name...)
	w.out = append(w.out, ':', ' ')
	w.out = append(w.out, value...)
	w.out = append(w.out, '\r', '\n')
}

// oneLine trims v and makes line breaks in it blanks, so that a value can never
// become a line of its own.
func oneLine(v string) string {
	if strings.IndexByte(v, '\n') >= 0 || strings.IndexByte(v, '\r') >= 0 {
		v = breaks.Replace(v)
	}
	if v != "" && (v[0] <= ' ' || v[len(v)-1] <= ' ') {
		return strings.Trim(v, " \t")
	}
	return v
}

var breaks = strings.NewReplacer("\n", " ", "\r", " ")

// hasToken reports whether the comma-separated list v has the token, which is in
// lower case.
func hasToken(v, token string) bool {
	for part := range strings.SplitSeq(v, ",") {
		if strings.EqualFold(strings.Trim(part, " \t"), token) {
			return true
		}
	}
	return false
}

// dateLine is a finished Date line and the second it is for.
type dateLine struct {
	second int64
	line   []byte
}

// appendDate appends the Date line, which is rendered once a second.
func (l *Listener) appendDate(b []byte) []byte {
	now := time.Now()
	d := l.date.Load()
	if d == nil || d.second != now.Unix() {
		line := append([]byte("Date: "), now.UTC().Format(http.TimeFormat)...)
		d = &dateLine{now.Unix(), append(line, '\r', '\n')}
		l.date.Store(d)
	}
	return append(b, d.line...)
}

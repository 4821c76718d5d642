package formattest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Answer is an HTTP answer with its body read. The zero Answer is that of a
// server that closed the connection without one.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	// Interim are the 1xx answers that came before. Only Conn.Answer fills it.
	Interim []int
}

// JSON decodes the answer's body, or fails the test.
func (w *World) JSON(a Answer, into any) {
	w.t.Helper()
	if err := json.Unmarshal(a.Body, into); err != nil {
		w.t.Fatalf("answer %d %s is no JSON: %v", a.Status, a.Body, err)
	}
}

// Do sends a request and follows no redirect. Header fields are given as
// "Name: value"; empty ones are left out. A request that gets no answer fails
// the test.
func (w *World) Do(method, path string, body io.Reader, header ...string) Answer {
	w.t.Helper()
	a, err := w.Try(method, path, body, header...)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

// Try is Do for other goroutines than the test's.
func (w *World) Try(method, path string, body io.Reader, header ...string) (Answer, error) {
	r, err := http.NewRequest(method, w.URL+path, body)
	if err != nil {
		return Answer{}, err
	}
	for _, field := range header {
		if name, value, ok := strings.Cut(field, ": "); ok {
			r.Header.Set(name, value)
		}
	}
	resp, err := w.transport.RoundTrip(r)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: data}, err
}

// API sends a management request as the administrator and decodes its answer,
// or fails the test unless it succeeds. body is JSON, or "".
func (w *World) API(method, path, body string, into any) {
	w.t.Helper()
	a := w.Do(method, "/api/v4"+path, strings.NewReader(body), Root, "Content-Type: application/json")
	if a.Status/100 != 2 {
		w.t.Fatalf("%s %s: %d %s", method, path, a.Status, a.Body)
	}
	if into != nil {
		w.JSON(a, into)
	}
}

// patience is how long a test waits for bytes on a socket.
const patience = 20 * time.Second

// Conn is a connection on which a test writes whatever it likes.
type Conn struct {
	*net.TCPConn
	w      *World
	reader *bufio.Reader
}

// Dial opens a connection to the server. The test closes it.
func (w *World) Dial() *Conn {
	w.t.Helper()
	c, err := net.Dial("tcp", w.address)
	if err != nil {
		w.t.Fatalf("dial: %v", err)
	}
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		w.t.Fatalf("set deadline: %v", err)
	}
	return &Conn{c.(*net.TCPConn), w, bufio.NewReader(c)}
}

// Send writes text as it is. The server may have stopped reading, so an error
// is not looked at.
func (c *Conn) Send(text string) { _, _ = io.WriteString(c, text) }

// Answer reads the final answer to a request of the given method.
func (c *Conn) Answer(method string) Answer {
	var interim []int
	for {
		resp, err := http.ReadResponse(c.reader, &http.Request{Method: method})
		if err != nil {
			return Answer{Interim: interim}
		}
		data, _ := io.ReadAll(resp.Body) // a torn body is the test's to notice
		resp.Body.Close()
		if resp.StatusCode >= 200 {
			return Answer{Status: resp.StatusCode, Header: resp.Header, Body: data, Interim: interim}
		}
		interim = append(interim, resp.StatusCode)
	}
}

// Raw sends a whole request byte by byte as given and reads its answer.
func (w *World) Raw(request string) Answer {
	w.t.Helper()
	c := w.Dial()
	defer c.Close()
	c.Send(request)
	method, _, _ := strings.Cut(request, " ")
	return c.Answer(method)
}

// Head is the start of a raw request: request line, Host and the given fields,
// without the empty line.
func (w *World) Head(method, target string, header ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, target, w.address)
	for _, field := range header {
		b.WriteString(field + "\r\n")
	}
	return b.String()
}

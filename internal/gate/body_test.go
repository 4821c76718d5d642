package gate_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
	"packhouse/internal/format/formattest"
)

const (
	mega     = 1 << 20
	badToken = "Private-Token: glpat-nobodynobodynobodyno"
)

// refusals are requests with a body that is refused, each for another reason.
func refusals(project int64) []struct {
	method, target, header string
	want                   int
} {
	p := fmt.Sprintf("/api/v4/projects/%d", project)
	return []struct {
		method, target, header string
		want                   int
	}{
		{"PUT", p + "/packages/generic/tool/1.0/f", badToken, 401},
		{"PUT", p + "/packages/generic/tool/1.0/f", "", 401},
		{"PUT", "/api/v4/projects/999/packages/generic/tool/1.0/f", formattest.Root, 404},
		{"PUT", p + "/packages/generic/tool/..", formattest.Root, 400},
		{"PUT", p + "/packages/generic/tool/1.0/~", formattest.Root, 400},
		{"PATCH", p + "/packages/generic/tool/1.0/f", formattest.Root, 405},
		{"POST", "/nothing", "", 404},
		{"POST", "/api/v4/users", badToken, 401},
		{"POST", "/api/v4/groups", "", 401},
		{"POST", "/api/v4/groups", formattest.Root + "\r\nContent-Type: application/json", 413},
	}
}

// A client that sends without asking has its refused body read, so that it gets
// to read the answer and the connection serves its next request.
func TestRefusedBodyIsDrained(t *testing.T) {
	t.Parallel()
	w := formattest.Start(t)
	project := w.Project("tools", w.Group("acme", 0, "private"), "private")
	long := `{"name":"` + strings.Repeat("x", 5*mega) + `"}`
	for _, one := range refusals(project) {
		for framing, body := range map[string]string{
			fmt.Sprintf("Content-Length: %d", len(long)): long,
			"Transfer-Encoding: chunked":                 fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(long), long),
		} {
			c := w.Dial()
			c.Send(head(w, one.method, one.target, one.header, framing) + body)
			if a := c.Answer(one.method); a.Status != one.want {
				t.Errorf("%s %s, %.14s = %d %s, want %d", one.method, one.target, framing, a.Status, a.Body, one.want)
			}
			c.Send(head(w, "GET", "/-/health"))
			if a := c.Answer("GET"); a.Status != 200 {
				t.Errorf("%s %s, %.14s: the next request on the connection = %d, want 200", one.method, one.target, framing, a.Status)
			}
			c.Close()
		}
	}
}

// head is the start of a request with the fields that are not empty.
func head(w *formattest.World, method, target string, fields ...string) string {
	var given []string
	for _, field := range fields {
		if field != "" {
			given = append(given, field)
		}
	}
	return w.Head(method, target, given...) + "\r\n"
}

// A client that asks first gets its refusal at once, and is never told to go on.
func TestRefusedBodyIsNotAskedFor(t *testing.T) {
	t.Parallel()
	w := formattest.Start(t)
	project := w.Project("tools", w.Group("acme", 0, "private"), "private")
	for _, one := range refusals(project) {
		if one.want == 413 {
			continue // is refused for its body
		}
		c := w.Dial()
		c.Send(head(w, one.method, one.target, one.header, "Content-Length: 5242880", "Expect: 100-continue"))
		if a := c.Answer(one.method); a.Status != one.want || len(a.Interim) != 0 {
			t.Errorf("%s %s = %d after %v, want %d at once", one.method, one.target, a.Status, a.Interim, one.want)
		}
		c.Close()
	}
	c := w.Dial()
	defer c.Close()
	c.Send(head(w, "PUT", fmt.Sprintf("/api/v4/projects/%d/packages/generic/tool/1.0/f", project), formattest.Root, "Content-Length: 5", "Expect: 100-continue") + "hello")
	if a := c.Answer("PUT"); a.Status != 201 || len(a.Interim) != 1 || a.Interim[0] != 100 {
		t.Errorf("PUT that is welcome = %d after %v, want 201 after 100", a.Status, a.Interim)
	}
}

// What a handler leaves of a body is read as well when it fails, whatever it has
// wrapped the body in.
func TestUnreadBodyIsDrained(t *testing.T) {
	t.Parallel()
	r := open(t)
	r.Log = slog.New(slog.DiscardHandler)
	api := r.API.(*fake)
	for name, fail := range map[string]func() error{
		"refuses": func() error { return packhouse.Errorf(packhouse.Conflict, "no") },
		"fails":   func() error { return io.ErrShortWrite },
		"panics":  func() error { panic("oops") },
	} {
		api.on(packhouse.Instance, "PUT", "/"+name, authz.Anyone, func(_ http.ResponseWriter, r *http.Request, _ *format.Call) error {
			r.Body = http.MaxBytesReader(nil, r.Body, 10)
			_, _ = io.ReadAll(r.Body)
			return fail()
		})
	}
	g := r.gate(t)
	for name, want := range map[string]int{"refuses": 409, "fails": 500, "panics": 500} {
		body := strings.NewReader(strings.Repeat("x", mega))
		request := httptest.NewRequest("PUT", "/api/v4/"+name, io.NopCloser(body))
		if a := carry(g, request); a.Code != want || body.Len() != 0 {
			t.Errorf("%s = %d with %d bytes unread, want %d with none", name, a.Code, body.Len(), want)
		}
		body = strings.NewReader(strings.Repeat("x", mega))
		request = httptest.NewRequest("PUT", "/api/v4/"+name, io.NopCloser(body))
		request.Header.Set("Expect", "100-continue")
		if a := carry(g, request); a.Code != want || body.Len() < mega-100 {
			t.Errorf("%s, asked first = %d with %d bytes unread, want %d with all but those that the handler read", name, a.Code, body.Len(), want)
		}
	}
}

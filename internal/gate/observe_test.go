package gate_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
	"packhouse/internal/gate"
)

// observed is what Observe was told, kept.
type observed struct {
	mu   sync.Mutex
	list []gate.Observation
}

func (o *observed) add(seen *gate.Observation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.list = append(o.list, *seen)
}

// take returns what came since the last call.
func (o *observed) take() []gate.Observation {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := o.list
	o.list = nil
	return list
}

// endings are all the ways in which a handler can end.
var endings = map[string]handler{
	"text": func(w http.ResponseWriter, _ *http.Request, _ *format.Call) error {
		_, err := io.WriteString(w, "hello")
		return err
	},
	"created": func(w http.ResponseWriter, _ *http.Request, _ *format.Call) error {
		w.WriteHeader(http.StatusCreated)
		w.WriteHeader(http.StatusAccepted) // net/http keeps the first
		return nil
	},
	"early": func(w http.ResponseWriter, _ *http.Request, _ *format.Call) error {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusNoContent)
		return nil
	},
	"silent": func(http.ResponseWriter, *http.Request, *format.Call) error { return nil },
	"flushed": func(w http.ResponseWriter, _ *http.Request, _ *format.Call) error {
		return http.NewResponseController(w).Flush()
	},
	"copied": func(w http.ResponseWriter, _ *http.Request, _ *format.Call) error {
		_, err := io.Copy(w, strings.NewReader("0123456789"))
		return err
	},
	"conflict": func(http.ResponseWriter, *http.Request, *format.Call) error {
		return fmt.Errorf("publish: %w", packhouse.Errorf(packhouse.Conflict, "it is there"))
	},
	"failed":   func(http.ResponseWriter, *http.Request, *format.Call) error { return io.ErrShortWrite },
	"panicked": func(http.ResponseWriter, *http.Request, *format.Call) error { panic("oops") },
	"wild": func(http.ResponseWriter, *http.Request, *format.Call) error {
		var none *format.Call
		none.Actor.Name = "x"
		return nil
	},
	"aborted": func(http.ResponseWriter, *http.Request, *format.Call) error { panic(http.ErrAbortHandler) },
	"late": func(w http.ResponseWriter, _ *http.Request, _ *format.Call) error {
		_, _ = io.WriteString(w, "half")
		return io.ErrUnexpectedEOF
	},
	"late panic": func(w http.ResponseWriter, _ *http.Request, _ *format.Call) error {
		_, _ = io.WriteString(w, "half")
		panic("oops")
	},
	"late flushed": func(w http.ResponseWriter, _ *http.Request, _ *format.Call) error {
		_ = http.NewResponseController(w).Flush()
		return io.ErrUnexpectedEOF
	},
}

// Observe is called once for every request, whatever becomes of it, and is told
// what the client got.
func TestObserve(t *testing.T) {
	t.Parallel()
	r := open(t)
	seen := new(observed)
	r.Observe = seen.add
	r.Log = slog.New(slog.DiscardHandler)
	box := &fake{name: "box"}
	for name, handle := range endings {
		box.on(packhouse.Project, "GET", "/"+name, authz.ReadPackages, handle)
	}
	r.Formats = append(r.Formats, box)
	g := r.gate(t)
	dana := "Private-Token: " + r.token(t, r.dana)
	const cut = -1 // the gate panics with http.ErrAbortHandler
	for _, test := range []struct {
		path   string
		status int // of the observation
		got    int // what the client got
		bytes  int64
		kind   packhouse.Kind
		err    bool
	}{
		{"text", 200, 200, 5, 0, false},
		{"created", 201, 201, 0, 0, false},
		{"early", 204, http.StatusEarlyHints, 0, 0, false}, // httptest takes the first for the last
		{"silent", 200, 200, 0, 0, false},
		{"flushed", 200, 200, 0, 0, false},
		{"copied", 200, 200, 10, 0, false},
		{"conflict", 409, 409, int64(len("box says it is there")), packhouse.Conflict, true},
		{"failed", 500, 500, int64(len("box says internal error")), packhouse.Internal, true},
		{"panicked", 500, 500, int64(len("box says internal error")), packhouse.Internal, true},
		{"wild", 500, 500, int64(len("box says internal error")), packhouse.Internal, true},
		{"aborted", 0, cut, 0, 0, false},
		{"late", 200, cut, 4, packhouse.Internal, true},
		{"late%20panic", 200, cut, 4, packhouse.Internal, true},
		{"late%20flushed", 200, cut, 0, packhouse.Internal, true},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			a := ask(g, method, "/api/v4/projects/acme%2Ftools/packages/box/"+test.path, nil, dana)
			if (test.got == cut) != (a.panicked == http.ErrAbortHandler) || test.got != cut && a.Code != test.got {
				t.Errorf("%s %s = %d, panic %v, want %d", method, test.path, a.Code, a.panicked, test.got)
			}
			list := seen.take()
			if len(list) != 1 {
				t.Fatalf("%s %s: %d observations, want one", method, test.path, len(list))
			}
			o := list[0]
			bytes := test.bytes
			if method == "HEAD" {
				bytes = 0
			}
			if o.Status != test.status || o.Bytes != bytes || (o.Err != nil) != test.err || o.Err != nil && o.Err.Kind != test.kind {
				t.Errorf("%s %s: observed %d with %d bytes and error %v, want %d with %d", method, test.path, o.Status, o.Bytes, o.Err, test.status, bytes)
			}
			if o.Protocol != "box" || o.Route != "/"+strings.ReplaceAll(test.path, "%20", " ") || o.Actor.Name != "dana" || o.Target.Path != "acme/tools" ||
				o.RequestID != a.Header().Get("X-Request-Id") || o.Took <= 0 || o.Request == nil || !o.Remote.IsValid() {
				t.Errorf("%s %s: observed %+v", method, test.path, o)
			}
		}
	}
}

// What is refused before a handler is reached is observed with as much as is
// known by then.
func TestObserveRefusals(t *testing.T) {
	t.Parallel()
	r := mounts(t)
	seen := new(observed)
	r.Observe = seen.add
	g := r.gate(t)
	dana := "Private-Token: " + r.token(t, r.dana)
	const p = "/api/v4/projects/acme%2Ftools"
	for _, test := range []struct {
		method, target, header string
		protocol, route        string
		actor, path            string
		status                 int
	}{
		{"GET", "/..", "", "root", "", "", "", 400},
		{"GET", "/none", "", "root", "", "", "", 404},
		{"GET", "/api/v4/none", "", "api", "", "", "", 404},
		{"POST", p + "/packages/box/n/f", "", "box", "", "", "", 405},
		{"GET", p + "/packages/box/n/f", "Private-Token: glpat-none", "box", "/{name}/{file...}", "", "", 401},
		{"PUT", p + "/packages/box/n/f", "", "box", "/{name}/{file...}", "", "acme/tools", 401},
		{"DELETE", p + "/packages/box/n/f", dana, "box", "/{name}/{file...}", "dana", "acme/tools", 403},
		{"GET", "/api/v4/projects/none/packages/box/n/f", dana, "box", "/{name}/{file...}", "dana", "", 404},
		{"GET", "/api/v4/groups/acme", dana, "api", "/", "dana", "acme", 200},
	} {
		a := ask(g, test.method, test.target, nil, test.header)
		list := seen.take()
		if len(list) != 1 {
			t.Fatalf("%s %s: %d observations, want one", test.method, test.target, len(list))
		}
		o := list[0]
		if a.Code != test.status || o.Status != test.status || o.Protocol != test.protocol || o.Route != test.route ||
			o.Actor.Name != test.actor || o.Target.Path != test.path || (o.Err != nil) != (test.status >= 400) || o.Bytes != int64(a.Body.Len()) {
			t.Errorf("%s %s = %d, observed %+v, want %+v", test.method, test.target, a.Code, o, test)
		}
	}
}

// A handler that panics is answered for with 500 and the request's id, and the
// log tells where.
func TestPanicIsLogged(t *testing.T) {
	t.Parallel()
	r := open(t)
	var log bytes.Buffer
	r.Log = slog.New(slog.NewTextHandler(&log, nil))
	api := r.API.(*fake)
	for _, name := range []string{"panicked", "failed", "aborted"} {
		api.on(packhouse.Instance, "GET", "/"+name, authz.Anyone, endings[name])
	}
	g := r.gate(t)
	for name, want := range map[string][]string{
		"panicked": {"request panicked", "panic=oops", "observe_test.go"},
		"failed":   {"request failed", "short write"},
	} {
		log.Reset()
		a := ask(g, "GET", "/api/v4/"+name, nil)
		for _, text := range append(want, "request_id="+a.Header().Get("X-Request-Id"), "route=/"+name) {
			if !strings.Contains(log.String(), text) {
				t.Errorf("%s: the log does not say %q: %s", name, text, log.String())
			}
		}
		if a.Code != 500 || strings.Contains(a.Body.String(), "oops") || strings.Contains(a.Body.String(), "short write") {
			t.Errorf("%s: answer %d %s, want 500 without the cause", name, a.Code, a.Body)
		}
	}
	log.Reset()
	if a := ask(g, "GET", "/api/v4/aborted", nil); a.panicked != http.ErrAbortHandler || log.Len() > 0 {
		t.Errorf("aborted: panic %v and log %q, want http.ErrAbortHandler and no line", a.panicked, log.String())
	}
}

// What fails because the client went away is no fault of ours: it is not logged
// as one.
func TestClientWentAway(t *testing.T) {
	t.Parallel()
	r := open(t)
	var log bytes.Buffer
	seen := new(observed)
	r.Observe, r.Log = seen.add, slog.New(slog.NewTextHandler(&log, nil))
	ctx, leave := context.WithCancel(t.Context())
	r.API.(*fake).on(packhouse.Instance, "GET", "/slow", authz.Anyone, func(_ http.ResponseWriter, r *http.Request, _ *format.Call) error {
		leave()
		return fmt.Errorf("read: %w", r.Context().Err())
	})
	carry(r.gate(t), httptest.NewRequest("GET", "/api/v4/slow", nil).WithContext(ctx))
	if o := seen.take()[0]; o.Status != 503 || o.Err.Kind != packhouse.Unavailable || log.Len() > 0 {
		t.Errorf("observed %d %v, logged %q, want 503 and no line", o.Status, o.Err, log.String())
	}
}

// broken is a protocol whose errors cannot be written.
type broken struct{ *fake }

func (broken) WriteError(http.ResponseWriter, *http.Request, *packhouse.Error) { panic("no words") }

// Even then the request is observed, once, and the server hears of the panic.
func TestErrorThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	r := open(t)
	seen := new(observed)
	r.Observe, r.Log = seen.add, slog.New(slog.DiscardHandler)
	r.Formats = append(r.Formats, broken{(&fake{name: "box"}).on(packhouse.Project, "GET", "/x", authz.ReadPackages, endings["conflict"])})
	a := ask(r.gate(t), "GET", "/api/v4/projects/acme%2Ftools/packages/box/x", nil)
	if list := seen.take(); a.panicked == nil || len(list) != 1 || list[0].Route != "/x" {
		t.Errorf("panic %v, %d observations, want a panic and one", a.panicked, len(list))
	}
}

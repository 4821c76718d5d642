package gate_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
)

// spy is a connection that can do what net/http's can, and remembers who asked.
type spy struct {
	*httptest.ResponseRecorder
	source   io.Reader // what ReadFrom was given
	flushed  int
	deadline time.Time
}

// ReadFrom implements io.ReaderFrom.
func (s *spy) ReadFrom(r io.Reader) (int64, error) {
	s.source = r
	return io.Copy(s.ResponseRecorder, r)
}

// FlushError implements what http.ResponseController looks for.
func (s *spy) FlushError() error { s.flushed++; return nil }

// SetWriteDeadline implements what http.ResponseController looks for.
func (s *spy) SetWriteDeadline(t time.Time) error { s.deadline = t; return nil }

// A file reaches the connection as a file, for sendfile(2), and what a
// connection can do is not lost on the way.
func TestConnectionFeatures(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(name, []byte("0123456789"), 0o600))
	deadline := time.Now().Add(time.Hour)
	r := open(t)
	seen := new(observed)
	r.Observe = seen.add
	r.API.(*fake).on(packhouse.Instance, "GET", "/file", authz.Anyone, func(w http.ResponseWriter, _ *http.Request, _ *format.Call) error {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		control := http.NewResponseController(w)
		_, err = io.CopyN(w, f, 10) // as http.ServeContent does
		return errors.Join(err, control.Flush(), control.SetWriteDeadline(deadline))
	})
	connection := &spy{ResponseRecorder: httptest.NewRecorder()}
	r.gate(t).ServeHTTP(connection, httptest.NewRequest("GET", "/api/v4/file", nil))
	if connection.Body.String() != "0123456789" || connection.Code != 200 {
		t.Errorf("answer %d %s, want the file", connection.Code, connection.Body)
	}
	part, _ := connection.source.(*io.LimitedReader)
	if part == nil {
		t.Fatalf("the connection was to read from %T, want a part of the file", connection.source)
	}
	if _, ok := part.R.(*os.File); !ok {
		t.Errorf("the connection was to read from %T, want the file", part.R)
	}
	if connection.flushed != 1 || !connection.deadline.Equal(deadline) {
		t.Errorf("flushed %d times with deadline %v, want once with %v", connection.flushed, connection.deadline, deadline)
	}
	if o := seen.take()[0]; o.Bytes != 10 || o.Status != 200 {
		t.Errorf("observed %d with %d bytes, want 200 with 10", o.Status, o.Bytes)
	}
}

// An error after the answer has begun cuts the connection: a client that counts
// bytes or chunks sees that what it has is not whole.
func TestErrorCutsTheConnection(t *testing.T) {
	t.Parallel()
	r := open(t)
	seen := new(observed)
	r.Observe, r.Log = seen.add, slog.New(slog.DiscardHandler)
	api := r.API.(*fake)
	long := bytes.Repeat([]byte("x"), 64<<10)
	for name, fail := range map[string]func() error{
		"error": func() error { return io.ErrUnexpectedEOF },
		"panic": func() error { panic("oops") },
		"abort": func() error { panic(http.ErrAbortHandler) },
	} {
		api.on(packhouse.Instance, "GET", "/"+name, authz.Anyone, func(w http.ResponseWriter, _ *http.Request, _ *format.Call) error {
			_, _ = w.Write(long)
			return fail()
		})
	}
	s := httptest.NewServer(r.gate(t))
	defer s.Close()
	for _, name := range []string{"error", "panic", "abort"} {
		resp, err := s.Client().Get(s.URL + "/api/v4/" + name)
		must(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: reading the answer = %v, want %v", name, err, io.ErrUnexpectedEOF)
		}
		if o := seen.take(); len(o) != 1 || o[0].Status != 200 || o[0].Bytes != int64(len(long)) {
			t.Errorf("%s: observed %+v", name, o)
		}
	}
}

package telemetry

import (
	"bytes"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"packhouse"
	"packhouse/internal/gate"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); if that is meant, run go test -update\n%s", path, diff)
	}
}

func clock() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 250_000_000, time.UTC) }

// download is a request that went well.
func download() *gate.Observation {
	return &gate.Observation{
		Request:   httptest.NewRequest(http.MethodGet, "/api/v4/projects/31/packages/generic/app/1.0.0/app.tar.gz", nil),
		RequestID: "a1b2c3d4e5f6-1", Remote: netip.MustParseAddr("192.0.2.7"),
		Protocol: "generic", Route: "/{package}/{version}/{path...}",
		Actor:  packhouse.Actor{Kind: packhouse.PersonalToken, UserID: 1, Name: "root"},
		Target: packhouse.Target{Level: packhouse.Project, ID: 31, Path: "acme/lib"},
		Status: 200, Bytes: 16384, Took: 123456 * time.Nanosecond,
	}
}

// observations are one of each sort, and what is special about it.
func observations() []*gate.Observation {
	anonymous := download()
	anonymous.Actor, anonymous.Status, anonymous.Bytes = packhouse.Actor{}, 401, 95
	anonymous.Err = &packhouse.Error{Kind: packhouse.Unauthenticated, Rule: "sign-in", Message: "401 Unauthorized"}

	refused := download()
	refused.Request.Method, refused.Status = "PUT", 403
	refused.Err = &packhouse.Error{
		Kind: packhouse.Forbidden, Rule: "role", Message: `403 Forbidden - "root" may not`, Err: errors.New("a cause for nobody"),
	}

	failed := download()
	failed.Status, failed.Took = 500, 2500*time.Millisecond
	failed.Err = &packhouse.Error{Message: "internal error", Err: errors.New("disk is on fire")}

	unmatched := &gate.Observation{
		Request:   httptest.NewRequest("BREW", "/caf%C3%A9%0A/%3Fprivate_token=x?private_token=y", nil),
		RequestID: "a1b2c3d4e5f6-2", Status: 404, Took: time.Microsecond,
		Err: &packhouse.Error{Kind: packhouse.NotFound, Rule: "route", Message: "404 Not Found"},
	}

	long := download()
	long.Request = httptest.NewRequest(http.MethodGet, "/"+strings.Repeat("a", 2000), nil)
	return []*gate.Observation{download(), anonymous, refused, failed, unmatched, long}
}

func TestLines(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		tel, err := New(Options{Log: NewLog(&out, slog.LevelInfo, format), Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range observations() {
			tel.Observe(o)
		}
		golden(t, "lines."+format, out.String())
	}
}

func TestLevels(t *testing.T) {
	for level, want := range map[slog.Level]int{
		slog.LevelDebug: 6, slog.LevelInfo: 6, slog.LevelWarn: 1, slog.LevelError: 1, slog.LevelError + 1: 0,
	} {
		var out bytes.Buffer
		tel, err := New(Options{Log: NewLog(&out, level, "text")})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range observations() {
			tel.Observe(o)
		}
		if got := strings.Count(out.String(), "\n"); got != want {
			t.Errorf("at level %v there are %d lines, want %d", level, got, want)
		}
	}
}

// TestNoCredentials sends a token in every way that a client can and looks for
// it in all that comes out.
func TestNoCredentials(t *testing.T) {
	const canary = "canary-4f1d9a"
	request := func(change func(*http.Request)) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/api/v4/projects/31", nil)
		change(r)
		return r
	}
	header := func(name, value string) *http.Request {
		return request(func(r *http.Request) { r.Header.Set(name, value) })
	}
	query := func(q string) *http.Request { return request(func(r *http.Request) { r.URL.RawQuery = q }) }
	for name, r := range map[string]*http.Request{
		"private token":      header("Private-Token", canary),
		"job token":          header("Job-Token", canary),
		"deploy token":       header("Deploy-Token", canary),
		"nuget key":          header("X-NuGet-ApiKey", canary),
		"bearer":             header("Authorization", "Bearer "+canary),
		"bare authorization": header("Authorization", canary),
		"cookie":             header("Cookie", "session="+canary),
		"basic password":     request(func(r *http.Request) { r.SetBasicAuth("root", canary) }),
		"basic user":         request(func(r *http.Request) { r.SetBasicAuth(canary, "") }),
		"query":              query("page=1&private_token=" + canary),
		"job in the query":   query("job_token=" + canary),
		"encoded query":      query("private_token=%63anary-4f1d9a"),
		"question mark":      httptest.NewRequest(http.MethodGet, "/api/v4/projects/31%3Fprivate_token="+canary, nil),
		"user in the URL":    httptest.NewRequest(http.MethodGet, "http://"+canary+":"+canary+"@example.com/", nil),
		"method":             request(func(r *http.Request) { r.Method = canary }),
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			tel, err := New(Options{Log: NewLog(&out, slog.LevelDebug, "json")})
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range observations() {
				o.Request = r
				if o.Err != nil {
					o.Err.Message += ": " + credential(r)
					o.Err.Err = errors.New("parse " + r.URL.RawQuery + " " + credential(r))
				}
				tel.Observe(o)
			}
			out.WriteString(get(t, tel, "/-/metrics").Body.String())
			if got := out.String(); strings.Contains(got, canary) || strings.Count(got, "\n") < 20 {
				t.Errorf("the credential came out, or nothing did:\n%s", got)
			}
		})
	}
}

// credential is what an error could quote from a request's head.
func credential(r *http.Request) string {
	user, password, _ := r.BasicAuth()
	all := []string{user, password, r.URL.Query().Get("private_token"), r.URL.Query().Get("job_token")}
	for name, values := range r.Header {
		if name != "Cookie" {
			all = append(all, values...)
		}
	}
	return strings.Join(all, " ")
}

func BenchmarkObserve(b *testing.B) {
	for _, format := range []string{"text", "json"} {
		b.Run(format, func(b *testing.B) {
			out := NewBuffer(discard{})
			defer out.Close()
			tel, err := New(Options{Log: NewLog(out, slog.LevelInfo, format)})
			if err != nil {
				b.Fatal(err)
			}
			o := download()
			b.ReportAllocs()
			for b.Loop() {
				tel.Observe(o)
			}
		})
	}
}

// discard is a writer that, unlike io.Discard, slog does not recognise.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func quiet() *slog.Logger { return NewLog(discard{}, slog.LevelInfo, "text") }

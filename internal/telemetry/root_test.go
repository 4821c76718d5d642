package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/gate"
)

// get asks a page as the gate would, from this machine.
func get(t *testing.T, tel *Telemetry, path string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr = "127.0.0.1:4711"
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	for _, route := range tel.Root().Routes() {
		if route.Path != path {
			continue
		}
		if err := route.Handle(w, r, &format.Call{}); err != nil {
			tel.Root().WriteError(w, r, packhouse.AsError(err))
		}
		return w
	}
	t.Fatalf("no route has the path %s", path)
	return nil
}

func TestPages(t *testing.T) {
	full := &packhouse.Error{Kind: packhouse.Full, Message: "secret cause"}
	for _, tt := range []struct {
		path   string
		ready  func(context.Context) error
		status int
		body   string
	}{
		{"/-/health", nil, 200, "ok\n"},
		{"/-/liveness", nil, 200, `{"status":"ok"}`},
		{"/-/readiness", nil, 200, `{"status":"ok"}`},
		{"/-/readiness", func(context.Context) error { return nil }, 200, `{"status":"ok"}`},
		{"/-/readiness", func(context.Context) error { return errors.New("secret cause") }, 503, `{"message":"503 Service Unavailable - not ready: failure","rule":"failure","request_id":""}`},
		{"/-/readiness", func(context.Context) error { return fmt.Errorf("secret cause: %w", full) }, 503, `{"message":"503 Service Unavailable - not ready: full","rule":"full","request_id":""}`},
		{"/-/readiness", func(context.Context) error { return packhouse.Errorf(packhouse.Unavailable, "secret cause") }, 503, `{"message":"503 Service Unavailable - not ready: unavailable","rule":"unavailable","request_id":""}`},
		{"/-/readiness", func(context.Context) error { return &packhouse.Error{Rule: "database", Message: "secret cause"} }, 503, `{"message":"503 Service Unavailable - not ready: database","rule":"database","request_id":""}`},
		{"/-/readiness", func(ctx context.Context) error { return context.DeadlineExceeded }, 503, `{"message":"503 Service Unavailable - not ready: timeout","rule":"timeout","request_id":""}`},
		{"/", nil, 200, welcome},
	} {
		tel, err := New(Options{Ready: tt.ready})
		if err != nil {
			t.Fatal(err)
		}
		w := get(t, tel, tt.path)
		if w.Code != tt.status || w.Body.String() != tt.body {
			t.Errorf("GET %s = %d %s, want %d %s", tt.path, w.Code, w.Body, tt.status, tt.body)
		}
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("GET %s: Cache-Control is %q, want no-store", tt.path, got)
		}
	}
}

func TestReadinessEnds(t *testing.T) {
	var deadline bool
	tel, err := New(Options{Ready: func(ctx context.Context) error {
		_, deadline = ctx.Deadline()
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	get(t, tel, "/-/readiness")
	if !deadline {
		t.Error("the probe waits for ever")
	}
}

// TestTheGateTakesTheRoutes mounts the pages as the server does.
func TestTheGateTakesTheRoutes(t *testing.T) {
	tel, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gate.New(gate.Options{API: tel.Root(), Root: tel.Root(), Observe: tel.Observe}); err != nil {
		t.Error(err)
	}
}

func TestMetricsAllowed(t *testing.T) {
	office := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, tt := range []struct {
		name    string
		allowed []netip.Prefix
		peer    string
		headers map[string]string
		want    int
	}{
		{"this machine", nil, "127.0.0.1:1", nil, 200},
		{"this machine by IPv6", nil, "[::1]:1", nil, 200},
		{"this machine by mapped address", nil, "[::ffff:127.0.0.1]:1", nil, 200},
		{"another machine", nil, "10.0.0.1:1", nil, 404},
		{"no address", nil, "@", nil, 404},
		{"configured", office, "10.0.0.1:1", nil, 200},
		{"configured, with a zone", office, "[fd00::1%eth0]:1", nil, 200},
		{"not configured", office, "127.0.0.1:1", nil, 404},
		{"nobody", []netip.Prefix{}, "127.0.0.1:1", nil, 404},
		{"stranger behind a proxy here", nil, "127.0.0.1:1", map[string]string{"X-Forwarded-For": "192.0.2.7"}, 404},
		{"stranger who lies behind a proxy here", nil, "127.0.0.1:1", map[string]string{"X-Forwarded-For": "127.0.0.1, 192.0.2.7"}, 404},
		{"stranger behind two proxies here", nil, "127.0.0.1:1", map[string]string{"X-Forwarded-For": "192.0.2.7, 127.0.0.1"}, 404},
		{"friend behind a proxy here", nil, "127.0.0.1:1", map[string]string{"X-Forwarded-For": "::1, 127.0.0.2"}, 200},
		{"stranger behind nginx", nil, "127.0.0.1:1", map[string]string{"X-Real-Ip": "192.0.2.7"}, 404},
		{"unknown hop", nil, "127.0.0.1:1", map[string]string{"X-Forwarded-For": "unknown"}, 404},
		{"forwarded", nil, "127.0.0.1:1", map[string]string{"Forwarded": "for=127.0.0.1"}, 404},
		{"stranger who claims to be here", nil, "192.0.2.7:1", map[string]string{"X-Forwarded-For": "127.0.0.1"}, 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tel, err := New(Options{MetricsAllowed: tt.allowed})
			if err != nil {
				t.Fatal(err)
			}
			w := get(t, tel, "/-/metrics", func(r *http.Request) {
				r.RemoteAddr = tt.peer
				for name, value := range tt.headers {
					r.Header.Set(name, value)
				}
			})
			if w.Code != tt.want {
				t.Errorf("status %d, want %d", w.Code, tt.want)
			}
			if tt.want == 404 && w.Body.String() != `{"error":"404 Not Found","rule":"route","request_id":""}` {
				t.Errorf("body %s, want that of a page that does not exist", w.Body)
			}
		})
	}
}

func TestMetrics(t *testing.T) {
	tel, err := New(Options{Log: quiet(), Version: "1.2.3", Gauges: []Gauge{
		{Name: "ledger_position", Help: "Number of the last entry.", Value: func() float64 { return 42 }},
		{Name: "cache_bytes", Help: "Bytes in a cache.", Labels: map[string]string{"cache": "contents"}, Value: func() float64 { return 1 }},
		{Name: "cache_bytes", Help: "Bytes in a cache.", Labels: map[string]string{"cache": "located"}, Value: func() float64 { return 2 }},
		{Name: "sent_file_bytes_total", Help: "Bytes sent by sendfile.", Total: true, Value: func() float64 { return 3 }},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range append(observations(), observations()...) {
		tel.Observe(o)
	}
	odd := download()
	odd.Status = 999
	tel.Observe(odd)
	w := get(t, tel, "/-/metrics", func(r *http.Request) { r.Header.Set("Accept-Encoding", "gzip") })
	if got, want := w.Header().Get("Content-Type"), "text/plain; version=0.0.4; charset=utf-8"; !strings.HasPrefix(got, want) {
		t.Errorf("Content-Type is %s, want %s", got, want)
	}
	var ours []string
	for line := range strings.Lines(w.Body.String()) {
		if strings.Contains(line, "packhouse_") && !strings.HasPrefix(line, "packhouse_build_info") {
			ours = append(ours, line)
		}
	}
	golden(t, "metrics.txt", strings.Join(ours, ""))
	for _, want := range []string{`packhouse_build_info{go_version="go1.`, "go_goroutines ", "process_open_fds "} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}

// TestStrangersMakeNoSeries sends what strangers choose.
func TestStrangersMakeNoSeries(t *testing.T) {
	tel, err := New(Options{Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		o := observations()[4]
		o.Request.Method, o.Request.URL.Path = fmt.Sprint("M", i), fmt.Sprint("/", i)
		o.Status = 600 + i
		tel.Observe(o)
	}
	if got := len(*tel.metrics.known.Load()); got != 1 {
		t.Errorf("%d series, want 1", got)
	}
}

func TestBadGauges(t *testing.T) {
	one := Gauge{Name: "x", Help: "X.", Value: func() float64 { return 0 }}
	for _, gauges := range [][]Gauge{{one, one}, {{Name: "a b\xff", Value: one.Value}}} {
		if _, err := New(Options{Gauges: gauges}); err == nil {
			t.Errorf("New with %d gauges = nil, want an error", len(gauges))
		}
	}
}

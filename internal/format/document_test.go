package format

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"packhouse/internal/registry"
)

func TestServeDocument(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("an index document, ", 100)
	d := registry.NewDocument("application/json", []byte(body))
	zippedTag := strings.TrimSuffix(d.ETag, `"`) + `-gzip"`
	for _, test := range []struct {
		name, method string
		header       string // name: value
		status       int
		zipped       bool
		etag         string
	}{
		{"plain", "GET", "", 200, false, d.ETag},
		{"compressed", "GET", "Accept-Encoding: br;q=1.0, gzip;q=0.8", 200, true, zippedTag},
		{"anything", "GET", "Accept-Encoding: *", 200, true, zippedTag},
		{"gzip refused", "GET", "Accept-Encoding: gzip;q=0", 200, false, d.ETag},
		{"gzip refused at length", "GET", "Accept-Encoding: gzip; q=0.000", 200, false, d.ETag},
		{"identity", "GET", "Accept-Encoding: identity", 200, false, d.ETag},
		{"known", "GET", "If-None-Match: " + d.ETag, 304, false, d.ETag},
		{"known compressed", "GET", "If-None-Match: " + zippedTag, 304, false, d.ETag},
		{"known weakly, among others", "GET", `If-None-Match: "x", W/` + d.ETag, 304, false, d.ETag},
		{"any", "GET", "If-None-Match: *", 304, false, d.ETag},
		{"another", "GET", `If-None-Match: "x"`, 200, false, d.ETag},
		{"head", "HEAD", "", 200, false, d.ETag},
	} {
		r := httptest.NewRequest(test.method, "/", nil)
		if name, value, ok := strings.Cut(test.header, ": "); ok {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		ServeDocument(w, r, d)
		got := w.Result()
		sent, err := io.ReadAll(got.Body)
		if err == nil && got.Header.Get("Content-Encoding") == "gzip" {
			sent = unzip(t, sent)
		}
		want := body
		if test.status == 304 || test.method == "HEAD" {
			want = ""
		}
		if err != nil || got.StatusCode != test.status || string(sent) != want || got.Header.Get("Etag") != test.etag ||
			(got.Header.Get("Content-Encoding") == "gzip") != test.zipped || got.Header.Get("Vary") == "" {
			t.Errorf("%s = %d %v with %d bytes, %v", test.name, got.StatusCode, got.Header, len(sent), err)
		}
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	ServeDocument(w, r, registry.NewDocument("text/plain", []byte("small")))
	if w.Body.String() != "small" || w.Header().Get("Content-Encoding") != "" {
		t.Errorf("a small document = %v %q, want it as it is", w.Header(), w.Body)
	}
}

func unzip(t *testing.T, data []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

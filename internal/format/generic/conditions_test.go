package generic_test

import (
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Ranges (RFC 9110, 14) of files in the database and of files on disk.
func TestRanges(t *testing.T) {
	t.Parallel()
	s := start(t, "public")
	for _, size := range sizes[1:] {
		file, body := fmt.Sprintf("tool/1.0/%d", size), content(size, 1)
		s.mustPut(t, file, body)
		etag := `"` + sha256of(body) + `"`
		for _, test := range []struct {
			header []string
			want   int
			from   int
			to     int // exclusive
		}{
			{[]string{"Range: bytes=0-0"}, 206, 0, 1},
			{[]string{"Range: bytes=-1"}, 206, size - 1, size},
			{[]string{"Range: bytes=0-"}, 206, 0, size},
			{[]string{fmt.Sprintf("Range: bytes=%d-", size-1)}, 206, size - 1, size},
			{[]string{fmt.Sprintf("Range: bytes=0-%d", size+100)}, 206, 0, size},
			{[]string{fmt.Sprintf("Range: bytes=-%d", size+100)}, 206, 0, size},
			{[]string{"Range: bytes=0-0", "If-Range: " + etag}, 206, 0, 1},
			{[]string{"Range: bytes=0-0", `If-Range: "other"`}, 200, 0, size},
			{[]string{"Range: bytes=0-0", "If-Range: W/" + etag}, 200, 0, size},
		} {
			a := s.Do("GET", s.at(file), nil, test.header...)
			if a.Status != test.want || string(a.Body) != body[test.from:test.to] {
				t.Errorf("GET of %d bytes with %v = %d with %d bytes, want %d with [%d:%d]", size, test.header, a.Status, len(a.Body), test.want, test.from, test.to)
			}
			if got, want := a.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-%d/%d", test.from, test.to-1, size); a.Status == 206 && got != want {
				t.Errorf("Content-Range = %q, want %q", got, want)
			}
			if a.Header.Get("X-Checksum-Sha256") != sha256of(body) || a.Header.Get("Etag") != etag {
				t.Errorf("GET with %v: header %v lacks the checksum", test.header, a.Header)
			}
		}
		for _, value := range []string{fmt.Sprintf("bytes=%d-", size), fmt.Sprintf("bytes=%d-%d", size+1, size+2), "bytes=1-0", "bytes=a-b", "bytes=--1", "lines=0-1"} {
			a := s.Do("GET", s.at(file), nil, "Range: "+value)
			if a.Status != 416 {
				t.Errorf("GET of %d bytes with Range: %s = %d, want 416", size, value, a.Status)
			}
		}
	}
}

// Several ranges come as one multipart body.
func TestSeveralRanges(t *testing.T) {
	t.Parallel()
	s := start(t, "public")
	for _, size := range both[1:] {
		body := content(size, 1)
		s.mustPut(t, "tool/1.0/f", body)
		a := s.Do("GET", s.at("tool/1.0/f"), nil, "Range: bytes=0-4,10-19,-7")
		kind, params, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
		if a.Status != 206 || err != nil || kind != "multipart/byteranges" {
			t.Fatalf("GET = %d %s, want 206 multipart/byteranges", a.Status, a.Header.Get("Content-Type"))
		}
		parts := multipart.NewReader(strings.NewReader(string(a.Body)), params["boundary"])
		for _, want := range []string{body[0:5], body[10:20], body[size-7:]} {
			part, err := parts.NextPart()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(part); err != nil || string(got) != want {
				t.Errorf("part = %q, %v, want %q", got, err, want)
			}
		}
	}
}

// An empty file has no ranges; it is served whole.
func TestRangeOfNothing(t *testing.T) {
	t.Parallel()
	s := start(t, "public")
	s.mustPut(t, "tool/1.0/f", "")
	for _, value := range []string{"bytes=0-", "bytes=0-0"} {
		if a := s.Do("GET", s.at("tool/1.0/f"), nil, "Range: "+value); a.Status != 200 || len(a.Body) != 0 {
			t.Errorf("GET of nothing with Range: %s = %d with %d bytes, want 200 with none", value, a.Status, len(a.Body))
		}
	}
}

// Conditions (RFC 9110, 13) on the ETag, which is the SHA-256, and on the time.
func TestConditions(t *testing.T) {
	t.Parallel()
	s := start(t, "public")
	for _, size := range append([]int{0}, both...) {
		file, body := fmt.Sprintf("tool/1.0/%d", size), content(size, 1)
		s.mustPut(t, file, body)
		etag := `"` + sha256of(body) + `"`
		modified, err := http.ParseTime(s.Do("HEAD", s.at(file), nil).Header.Get("Last-Modified"))
		if err != nil || time.Since(modified) > time.Minute {
			t.Fatalf("Last-Modified = %v, %v, want now", modified, err)
		}
		at, before := modified.Format(http.TimeFormat), modified.Add(-time.Hour).Format(http.TimeFormat)
		for _, test := range []struct {
			header string
			want   int
		}{
			{"If-None-Match: " + etag, 304}, {"If-None-Match: *", 304}, {"If-None-Match: W/" + etag, 304},
			{`If-None-Match: "a", ` + etag, 304}, {`If-None-Match: "other"`, 200},
			{"If-Modified-Since: " + at, 304}, {"If-Modified-Since: " + before, 200}, {"If-Modified-Since: yesterday", 200},
			{"If-Match: " + etag, 200}, {`If-Match: "other"`, 412}, {"If-Match: *", 200},
			{"If-Unmodified-Since: " + at, 200}, {"If-Unmodified-Since: " + before, 412},
		} {
			for _, method := range []string{"GET", "HEAD"} {
				a := s.Do(method, s.at(file), nil, test.header)
				if a.Status != test.want || a.Status == 304 && (len(a.Body) > 0 || a.Header.Get("Etag") != etag) {
					t.Errorf("%s with %s = %d with %d bytes and ETag %s, want %d", method, test.header, a.Status, len(a.Body), a.Header.Get("Etag"), test.want)
				}
			}
		}
		// A new file of the name is a new ETag.
		s.mustPut(t, file, body+"!")
		if a := s.Do("GET", s.at(file), nil, "If-None-Match: "+etag); a.Status != 200 || string(a.Body) != body+"!" {
			t.Errorf("GET of the next file with the old ETag = %d, want 200", a.Status)
		}
	}
}

package generic_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// attack is a request that must be refused, without its credential.
type attack struct {
	name, line, rest string
	// protocol says that net/http may answer for us, with 501 and 505 where the
	// HTTP specification wants those.
	protocol bool
	// want is the one status that will do; 0 for any of the refusals.
	want int
}

func attacks(s scene) []attack {
	const rest = "Content-Length: 1\r\n\r\nx"
	var all []attack
	for i, place := range hostilePlaces {
		for _, part := range hostileParts {
			want := 0
			if i < namePlaces && part != "" {
				want = http.StatusBadRequest
			}
			target := strings.Replace(strings.Replace(place.target, "{p}", fmt.Sprint(s.project), 1), "*", part, 1)
			for _, method := range []string{"PUT", "GET"} {
				all = append(all, attack{name: place.name + " " + method, line: method + " " + target + " HTTP/1.1", rest: rest, want: want})
			}
		}
	}
	file := s.at("n/1.0/f")
	for _, line := range hostileLines {
		line = strings.Replace(line, "*", file, 1)
		all = append(all, attack{name: "line", line: line, rest: rest, protocol: true})
	}
	for _, rest := range hostileHeads {
		all = append(all, attack{name: "head", line: "PUT " + file + " HTTP/1.1", rest: rest, protocol: true})
	}
	return all
}

// refusals are the statuses with which a request may be refused here.
var refusals = []int{
	http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed,
	http.StatusExpectationFailed, http.StatusRequestHeaderFieldsTooLarge,
}

// Hundreds of requests that mean no good, as raw bytes, with the administrator's
// token and without: all are refused, none is redirected, nothing is stored.
func TestHostile(t *testing.T) {
	t.Parallel()
	s := start(t, "public")
	all := attacks(s)
	before := s.Names()
	for _, token := range []string{root + "\r\n", ""} {
		for _, a := range all {
			got := s.Raw(a.line + "\r\nHost: x\r\nConnection: close\r\n" + token + a.rest)
			refused := slices.Contains(refusals, got.Status) ||
				a.protocol && (got.Status == http.StatusNotImplemented || got.Status == http.StatusHTTPVersionNotSupported)
			if a.want != 0 && token != "" {
				refused = got.Status == a.want
			}
			if !refused || got.Header.Get("Location") != "" || got.Header.Get("X-Evil") != "" {
				t.Errorf("%s: %.200q %.60q = %d %.100s %v", a.name, a.line, a.rest, got.Status, got.Body, got.Header)
			}
		}
	}
	s.empty(t)
	if after := s.Names(); !slices.Equal(after, before) {
		t.Errorf("files below the data folder = %v, before %v", after, before)
	}
	if log := s.Logged(); strings.Contains(log, "panic") || strings.Contains(log, "request failed") {
		t.Errorf("log = %s", log)
	}
	t.Logf("%d attacks, each with and without a token", len(all))
}

// Names that mean something to a file system, a shell or this server are only
// names: they work, and no file on disk is called so.
func TestStrangeNames(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	before := s.Names()
	names := []string{
		"CON", "NUL", "aux", "COM1", "LPT1.txt", "con.tar.gz", "a.", "...", "....", "-rf", "--help", "+", ".git", ".htaccess", ".env", "root-token",
		"packhouse.db", "lock", "index.html", "authorize", "uploads", "blobs", "0", "-", "_", "null", "nil", "true", "1e9", "a.exe", "desktop.ini",
	}
	for i, name := range names {
		s.mustPut(t, name+"/1.0/"+name, fmt.Sprint(i))
	}
	for i, name := range names {
		s.mustGet(t, name+"/1.0/"+name, fmt.Sprint(i))
	}
	if after := s.Names(); !slices.Equal(after, before) {
		t.Errorf("files below the data folder = %v, before %v", after, before)
	}
	if list := s.Packages(s.project, ""); len(list) != len(names) {
		t.Errorf("%d packages, want %d", len(list), len(names))
	}
}

// Many overlapping ranges cost no more than the file.
func TestHostileRanges(t *testing.T) {
	t.Parallel()
	s := start(t, "public")
	for _, size := range both[1:] {
		s.mustPut(t, "n/1.0/f", content(size, 1))
		a := s.Do("GET", s.at("n/1.0/f"), nil, "Range: bytes=0-"+strings.Repeat(",0-", 5000))
		if a.Status != 200 && a.Status != 416 || len(a.Body) > size {
			t.Errorf("GET with 5000 ranges = %d with %d bytes, want at most %d", a.Status, len(a.Body), size)
		}
	}
}

package gate_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
	"packhouse/internal/gate"
)

// addressed are rooms with an endpoint that answers the server's public address.
func addressed(t *testing.T, edit func(*gate.Options)) (http.Handler, *observed) {
	t.Helper()
	seen := new(observed)
	api := (&fake{name: "api"}).on(packhouse.Instance, "GET", "/base", authz.Anyone,
		func(w http.ResponseWriter, _ *http.Request, c *format.Call) error {
			_, err := io.WriteString(w, c.Base().String())
			return err
		})
	r := open(t)
	r.API, r.Observe = api, seen.add
	r.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	edit(&r.Options)
	return r.gate(t), seen
}

// from sends GET /api/v4/base as it comes from an address.
func from(g http.Handler, remote string, header ...string) answer {
	r := httptest.NewRequest("GET", "/api/v4/base", nil)
	r.RemoteAddr, r.Host = remote, "pkgs.example.net"
	for _, field := range header {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Add(name, value)
		if name == "Host" {
			r.Host = value
		}
	}
	return carry(g, r)
}

// Who sent a request is the last in X-Forwarded-For that is no proxy of ours; a
// client that invents the header invents only what stands before that.
func TestRemote(t *testing.T) {
	t.Parallel()
	g, seen := addressed(t, func(*gate.Options) {})
	const xff = "X-Forwarded-For: "
	for _, test := range []struct {
		remote string
		header []string
		want   string
	}{
		{"192.0.2.1:5", nil, "192.0.2.1"},
		{"192.0.2.1:5", []string{xff + "203.0.113.9"}, "192.0.2.1"},
		{"[::ffff:192.0.2.1]:5", nil, "192.0.2.1"},
		{"10.0.0.1:5", nil, "10.0.0.1"},
		{"10.0.0.1:5", []string{xff + "203.0.113.9"}, "203.0.113.9"},
		{"10.0.0.1:5", []string{xff + "1.1.1.1, 203.0.113.9"}, "203.0.113.9"},
		{"10.0.0.1:5", []string{xff + "1.1.1.1, 203.0.113.9, 10.9.9.9"}, "203.0.113.9"},
		{"10.0.0.1:5", []string{xff + "1.1.1.1", xff + "203.0.113.9"}, "203.0.113.9"},
		{"10.0.0.1:5", []string{xff + "10.0.0.3,10.0.0.2"}, "10.0.0.3"},
		{"10.0.0.1:5", []string{xff + "203.0.113.9, unknown"}, "10.0.0.1"},
		{"10.0.0.1:5", []string{xff + "203.0.113.9,"}, "10.0.0.1"},
		{"10.0.0.1:5", []string{xff + "\"><script>"}, "10.0.0.1"},
		{"[::ffff:10.0.0.1]:5", []string{xff + "::ffff:203.0.113.9"}, "203.0.113.9"},
		{"[fd00::1]:5", []string{xff + "2001:db8::1"}, "2001:db8::1"},
		{"[fd00::1%eth0]:5", []string{xff + "fe80::1%evil"}, "fe80::1"},
		{"nonsense", []string{xff + "203.0.113.9"}, "invalid IP"},
	} {
		from(g, test.remote, test.header...)
		if got := seen.take()[0].Remote.String(); got != test.want {
			t.Errorf("from %s with %v: remote = %s, want %s", test.remote, test.header, got, test.want)
		}
	}
}

// The public address is as configured, else as a trusted proxy says, else as the
// client wrote it, and never what ends a link early.
func TestBase(t *testing.T) {
	t.Parallel()
	g, _ := addressed(t, func(*gate.Options) {})
	const proxy, client = "10.0.0.1:5", "192.0.2.1:5"
	for _, test := range []struct {
		remote string
		header []string
		want   string
	}{
		{client, nil, "http://pkgs.example.net"},
		{client, []string{"Host: pkgs.example.net:8080"}, "http://pkgs.example.net:8080"},
		{client, []string{"Host: [2001:db8::1]:8080"}, "http://[2001:db8::1]:8080"},
		{client, []string{"Host: [2001:db8::1]"}, "http://[2001:db8::1]"},
		{client, []string{"Host: my_registry"}, "http://my_registry"},
		{client, []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example"}, "http://pkgs.example.net"},
		{proxy, []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: public.example.net"}, "https://public.example.net"},
		{proxy, []string{"X-Forwarded-Host: public.example.net:8443"}, "http://public.example.net:8443"},
		{proxy, []string{"X-Forwarded-Proto: javascript"}, "http://pkgs.example.net"},
		{proxy, []string{"X-Forwarded-Host: a b"}, "http://pkgs.example.net"},
		{proxy, []string{"X-Forwarded-Host: one, two"}, "http://pkgs.example.net"},
		{proxy, []string{"X-Forwarded-Host: user@evil.example"}, "http://pkgs.example.net"},
		{proxy, []string{"X-Forwarded-Host: evil.example/x?", "Host: b@d"}, "http://localhost"},
	} {
		if a := from(g, test.remote, test.header...); a.Body.String() != test.want {
			t.Errorf("from %s with %q: base = %s, want %s", test.remote, test.header, a.Body, test.want)
		}
	}
	for _, host := range []string{
		"", "user@evil.example", "evil.example/x", "evil.example?x", "evil.example#", `evil.example"`, "evil.example>", "<script>", "a b",
		"a\\b", "a,b", "a;b", "a%2fb", "é.example", "evil.example:80@b", "evil.example:", ":80", "a:b", "a:99999", "a:-1", "a:1:2", "[::1", "::1", "[::1]x", "[a]",
		"[]", "[1.2.3.4]", "[fe80::1%25x]", strings.Repeat("a", 256),
	} {
		if a := from(g, client, "Host: "+host); a.Body.String() != "http://localhost" {
			t.Errorf("Host %q: base = %s, want http://localhost", host, a.Body)
		}
	}
}

// With a configured address nobody changes links.
func TestBaseConfigured(t *testing.T) {
	t.Parallel()
	g, _ := addressed(t, func(o *gate.Options) { o.External = &url.URL{Scheme: "https", Host: "pkgs.example.net", Path: "/sub"} })
	for _, remote := range []string{"10.0.0.1:5", "192.0.2.1:5"} {
		a := from(g, remote, "Host: evil.example", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: http")
		if a.Body.String() != "https://pkgs.example.net/sub" {
			t.Errorf("from %s: base = %s, want the configured one", remote, a.Body)
		}
	}
}

// A request's id is taken over from trusted proxies when it can stand in a log.
func TestRequestID(t *testing.T) {
	t.Parallel()
	g, seen := addressed(t, func(*gate.Options) {})
	ours := regexp.MustCompile(`^[0-9a-f]{12}-[0-9a-z]+$`)
	for _, test := range []struct {
		remote, id string
		kept       bool
	}{
		{"10.0.0.1:5", "abc-DEF_123", true},
		{"10.0.0.1:5", strings.Repeat("a", 64), true},
		{"10.0.0.1:5", strings.Repeat("a", 65), false},
		{"10.0.0.1:5", "", false},
		{"10.0.0.1:5", "a b", false},
		{"10.0.0.1:5", `a"b`, false},
		{"10.0.0.1:5", "a=b", false},
		{"10.0.0.1:5", "é", false},
		{"192.0.2.1:5", "abc-DEF_123", false},
	} {
		got := from(g, test.remote, "X-Request-Id: "+test.id).Header().Get("X-Request-Id")
		if test.kept && got != test.id || !test.kept && !ours.MatchString(got) {
			t.Errorf("from %s with id %q: id = %q, kept: want %v", test.remote, test.id, got, test.kept)
		}
		if o := seen.take(); o[0].RequestID != got {
			t.Errorf("observed id %q, answered %q", o[0].RequestID, got)
		}
	}
}

func TestRequestIDsAreUnique(t *testing.T) {
	t.Parallel()
	g, _ := addressed(t, func(o *gate.Options) { o.Observe = nil })
	var ids sync.Map
	var workers sync.WaitGroup
	for range 16 {
		workers.Go(func() {
			for range 200 {
				id := from(g, "192.0.2.1:5").Header().Get("X-Request-Id")
				if _, twice := ids.LoadOrStore(id, true); twice {
					t.Error(fmt.Errorf("the id %s was given twice", id))
				}
			}
		})
	}
	workers.Wait()
}

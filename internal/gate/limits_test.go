package gate_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
	"packhouse/internal/limit"
)

// Who asks too much is told when to come back, in the headers that GitLab's
// clients read; others and other limits are not touched.
func TestRates(t *testing.T) {
	t.Parallel()
	w := formattest.Start(t, func(o *house.Options) {
		o.Rates = limit.Limits{
			Packages: limit.Rate{Requests: 3, Period: 30 * time.Second}, PackagesAnonymous: limit.Rate{Requests: 2, Period: time.Minute},
			API: limit.Rate{Requests: 100, Period: time.Minute},
		}
	})
	project := w.Project("tools", w.Group("acme", 0, "public"), "public")
	_, dana := w.User("dana")
	_, erin := w.User("erin")
	packages := fmt.Sprintf("/api/v4/projects/%d/packages", project)
	file := packages + "/generic/tool/1.0/f"
	for i, want := range []struct {
		status    int
		remaining string
	}{{200, "2"}, {200, "1"}, {404, "0"}, {429, "0"}, {429, "0"}} {
		path := packages
		if i == 2 {
			path = file
		}
		a := w.Do("GET", path, nil, "Private-Token: "+dana)
		h := a.Header
		reset, err := strconv.ParseInt(h.Get("RateLimit-Reset"), 10, 64)
		if a.Status != want.status || h.Get("RateLimit-Limit") != "6" || h.Get("RateLimit-Remaining") != want.remaining ||
			h.Get("RateLimit-Observed") != fmt.Sprint(i+1) || h.Get("RateLimit-Name") != "throttle_authenticated_packages_api" ||
			err != nil || reset < time.Now().Unix() || reset > time.Now().Unix()+32 {
			t.Errorf("request %d = %d %v", i+1, a.Status, h)
		}
		if again := h.Get("Retry-After"); (again != "") != (want.status == 429) || (h.Get("RateLimit-ResetTime") != "") != (want.status == 429) {
			t.Errorf("request %d: Retry-After %q, ResetTime %q", i+1, again, h.Get("RateLimit-ResetTime"))
		}
		if want.status == 429 && !strings.Contains(string(a.Body), "429 Too Many Requests") {
			t.Errorf("request %d: %s", i+1, a.Body)
		}
	}
	for _, one := range []struct {
		what, path, header string
		want               int
	}{
		{"another user", packages, "Private-Token: " + erin, 200},
		{"the API, by the same user", "/api/v4/user", "Private-Token: " + dana, 200},
		{"a visitor", packages, "", 200},
		{"the visitor again", packages, "", 200},
		{"the visitor once more", packages, "", 429},
		{"a wrong token", packages, "Private-Token: glpat-nobody", 429}, // counts as the visitor that it is
		{"the API, by the visitor", "/api/v4/version", "", 401},
		{"health", "/-/health", "", 200},
	} {
		if a := w.Do("GET", one.path, nil, one.header); a.Status != one.want {
			t.Errorf("%s = %d %s, want %d", one.what, a.Status, a.Body, one.want)
		}
	}
}

// By default nothing is limited, and no header says so: client-go would slow
// itself down.
func TestNoRates(t *testing.T) {
	t.Parallel()
	w := formattest.Start(t)
	if a := w.Do("GET", "/api/v4/user", nil, formattest.Root); a.Status != 200 || a.Header.Get("RateLimit-Limit") != "" {
		t.Errorf("GET /user = %d %v, want 200 without RateLimit headers", a.Status, a.Header)
	}
}

// Who guesses is refused for a while, whatever they send then; what needs no
// credential goes on.
func TestBan(t *testing.T) {
	t.Parallel()
	w := formattest.Start(t, func(o *house.Options) {
		o.Failures = limit.FailureOptions{Most: 5, Ban: 2 * time.Second}
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	from := func(addr string) string { return "X-Forwarded-For: " + addr }
	guess := func(addr string, n int) int {
		return w.Do("GET", "/api/v4/user", nil, from(addr), fmt.Sprintf("Private-Token: glpat-guess-%d", n)).Status
	}
	good := func(addr string) int { return w.Do("GET", "/api/v4/user", nil, from(addr), formattest.Root).Status }
	for n := range 4 {
		guess("192.0.2.1", n)
	}
	if s := good("192.0.2.1"); s != 200 {
		t.Errorf("after four wrong ones a good one = %d, want 200", s)
	}
	for n := range 4 {
		guess("192.0.2.1", n)
	}
	if s := good("192.0.2.1"); s != 200 {
		t.Errorf("after success the count goes on: %d, want 200", s)
	}
	for range 50 {
		if s := guess("192.0.2.2", 1); s != 401 {
			t.Fatalf("one wrong token over and over = %d, want 401", s)
		}
	}
	for n := range 50 {
		for _, header := range []string{"Job-Token: glcbt-", "Private-Token: glcbt-", "Job-Token: x"} {
			if s := w.Do("GET", "/api/v4/job", nil, from("192.0.2.3"), header+fmt.Sprint(n)).Status; s != 401 {
				t.Fatalf("wrong job token = %d, want 401", s)
			}
		}
	}
	for n := range 5 {
		if s := guess("2001:db8::"+fmt.Sprint(n+1), n); s != 401 {
			t.Errorf("guess %d = %d, want 401", n, s)
		}
	}
	a := w.Do("GET", "/api/v4/user", nil, from("2001:db8::99"), formattest.Root)
	if a.Status != 403 || !strings.Contains(string(a.Body), `"rule":"banned"`) {
		t.Errorf("a good token from the same network = %d %s, want 403", a.Status, a.Body)
	}
	if a := w.Do("POST", "/-/sign-in", strings.NewReader("login=root&password=12345678"), from("2001:db8::99"), "Content-Type: application/x-www-form-urlencoded"); a.Status != 403 {
		t.Errorf("a sign-in from there = %d %s, want 403", a.Status, a.Body)
	}
	if s := w.Do("GET", "/api/v4/projects/999", nil, from("2001:db8::99")).Status; s != 404 {
		t.Errorf("a visitor from there = %d, want 404", s)
	}
	if s := good("2001:db8:1::1"); s != 200 {
		t.Errorf("a good token from elsewhere = %d, want 200", s)
	}
	time.Sleep(2100 * time.Millisecond)
	if s := good("2001:db8::99"); s != 200 {
		t.Errorf("after the ban = %d, want 200", s)
	}
}

// Wrong passwords count, also those of one's own that are asked for again.
func TestBanForPasswords(t *testing.T) {
	t.Parallel()
	w := formattest.Start(t, func(o *house.Options) { o.Failures = limit.FailureOptions{Most: 4} })
	for n := range 4 {
		body := fmt.Sprintf(`{"login":"root","password":"guess guess %d"}`, n)
		if a := w.Do("POST", "/-/sign-in", strings.NewReader(body), "Content-Type: application/json"); a.Status != 401 {
			t.Errorf("guess %d = %d %s, want 401", n, a.Status, a.Body)
		}
	}
	if a := w.Do("GET", "/api/v4/user", nil, formattest.Root); a.Status != 403 {
		t.Errorf("after four wrong passwords = %d, want 403", a.Status)
	}
}

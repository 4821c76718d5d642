package pypi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"packhouse"
)

// A yanked version stays listed, marked with its reason, on every page at once,
// and can be downloaded; files that come later are marked too.
func TestYank(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, version := range []string{"1.0", "2.0"} {
		s.mustPost(t, upload("My.Lib", version, "my_lib-"+version+".tar.gz", sdistOf("my_lib", version)))
	}
	put := func(version, contentType, body string) {
		t.Helper()
		a := s.Do("PUT", at(s.project, "/yanked/My_Lib/"+version), strings.NewReader(body), root, "Content-Type: "+contentType)
		if a.Status != 200 || !strings.Contains(string(a.Body), `"yanked":true`) {
			t.Fatalf("PUT = %d %s, want 200", a.Status, a.Body)
		}
	}
	check := func(json, html string) {
		t.Helper()
		for _, page := range []string{at(s.project, "/simple/my-lib/"), inGroup("acme", "/my-lib"), "/api/v4/packages/pypi/simple/my-lib/"} {
			a, b := s.get(page, "Accept: "+typeJSON), s.get(page)
			if !strings.Contains(string(a.Body), json) || !strings.Contains(string(b.Body), html) || strings.Count(string(a.Body), `"yanked":false`) != 1 {
				t.Errorf("GET %s = %s %s, want %s and %s", page, a.Body, b.Body, json, html)
			}
			s.follow(t, s.document(t, page), "")
		}
	}
	put("2", "", "")
	check(`"yanked":true`, ` data-yanked=""`)
	put("2.0", "application/json", `{"reason":" <broken> \"build\" "}`)
	check(`"yanked":"\u003cbroken\u003e \"build\""`, ` data-yanked="&lt;broken&gt; &#34;build&#34;"`)
	s.mustPost(t, upload("my-lib", "2.0", "my_lib-2.0-py3-none-any.whl", wheelOf("my_lib", "2.0")))
	put("v2.0.0", "application/x-www-form-urlencoded", "reason=wrong+name")
	check(`"yanked":"wrong name"`, ` data-yanked="wrong name"`)
	position := s.position(t)
	put("2.0", "application/x-www-form-urlencoded", "reason=wrong+name")
	if s.position(t) != position {
		t.Error("yanking for the same reason again was written down")
	}
	for range 2 {
		if a := s.Do("DELETE", at(s.project, "/yanked/my-lib/2.0"), nil, root); a.Status != 204 {
			t.Errorf("DELETE = %d %s, want 204", a.Status, a.Body)
		}
	}
	if page := s.get(at(s.project, "/simple/my-lib/"), "Accept: "+typeJSON); strings.Count(string(page.Body), `"yanked":false`) != 3 {
		t.Errorf("page after DELETE = %s", page.Body)
	}
}

// position is that of the newest entry of the ledger that the audit shows.
func (s scene) position(t *testing.T) int64 {
	t.Helper()
	var events []struct{ ID int64 }
	s.API("GET", fmt.Sprintf("/projects/%d/audit_events?per_page=1", s.project), "", &events)
	if len(events) == 0 {
		t.Fatal("there are no audit events")
	}
	return events[0].ID
}

// A version that was deleted and published anew is not yanked any more.
func TestYankEndsWithVersion(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.mustPost(t, upload("lib", "1.0", "lib-1.0.tar.gz", sdistOf("lib", "1.0")))
	s.Do("PUT", at(s.project, "/yanked/lib/1.0"), nil, root)
	s.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d", s.project, s.Packages(s.project, "")[0].ID), "", nil)
	s.mustPost(t, upload("lib", "1.0", "lib-1.0.tar.gz", sdistOf("lib", "1.0")))
	if page := s.get(at(s.project, "/simple/lib/"), "Accept: "+typeJSON); !strings.Contains(string(page.Body), `"yanked":false`) {
		t.Errorf("page = %s", page.Body)
	}
}

// Who may delete may yank.
func TestYankRights(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.mustPost(t, upload("lib", "1.0", "lib-1.0.tar.gz", sdistOf("lib", "1.0")))
	for _, test := range []struct {
		who    string
		header string
		want   int
	}{
		{"nobody", "X: y", 401},
		{"a Reporter", "Private-Token: " + s.AccessToken("projects", s.project, packhouse.Reporter, "api"), 403},
		{"a Developer", "Private-Token: " + s.AccessToken("projects", s.project, packhouse.Developer, "api"), 403},
		{"a Maintainer", "Private-Token: " + s.AccessToken("projects", s.project, packhouse.Maintainer, "api"), 200},
		{"a Maintainer who reads", "Private-Token: " + s.AccessToken("projects", s.project, packhouse.Maintainer, "read_api"), 403},
		{"a deploy token that reads", "Deploy-Token: " + s.DeployToken("projects", s.project, "read_package_registry"), 403},
		{"a deploy token that writes", "Deploy-Token: " + s.DeployToken("projects", s.project, "write_package_registry"), 200},
	} {
		if a := s.Do("PUT", at(s.project, "/yanked/lib/1.0"), nil, test.header); a.Status != test.want {
			t.Errorf("%s: PUT = %d %s, want %d", test.who, a.Status, a.Body, test.want)
		}
	}
	for path, want := range map[string]int{"lib/9.9": 404, "other/1.0": 404} {
		if a := s.Do("PUT", at(s.project, "/yanked/"+path), nil, root); a.Status != want {
			t.Errorf("PUT %s = %d %s, want %d", path, a.Status, a.Body, want)
		}
	}
}

// hostileYanks are requests to yank that are refused.
func hostileYanks() (all []attack) {
	for _, body := range []string{
		"{", "[]", `"x"`, `{"reason":1}`, `{"reason":{}}`, `{"reason":"a\u0000b"}`, `{"reason":"a\nb"}`, "{\"reason\":\"\xff\"}", `{"reason":"\u001b[31m"}`,
		`{"reason":"` + strings.Repeat("a", 1001) + `"}`, `{"reason":"` + strings.Repeat("a", 1<<20) + `"}`, strings.Repeat(`{"a":`, 3000), strings.Repeat("[", 100_000),
	} {
		all = append(all, attack{name: fmt.Sprintf("yank %.30q", body), method: "PUT", path: "/yanked/lib/1.0", contentType: "application/json", body: body})
	}
	for _, body := range []string{"reason=%zz", "reason=%00", "reason=%ff", "reason=a%0ab", "a;b"} {
		all = append(all, attack{name: "yank " + body, method: "PUT", path: "/yanked/lib/1.0", contentType: "application/x-www-form-urlencoded", body: body})
	}
	all = append(all, attack{name: "yank as text", method: "PUT", path: "/yanked/lib/1.0", contentType: "text/plain", body: "x"})
	for _, path := range []string{"l%20b/1.0", "lib/x", "..%2flib/1.0", "lib/1.0%00", "%ff/1.0"} {
		all = append(all, attack{name: "yank " + path, method: "PUT", path: "/yanked/" + path}, attack{name: "unyank " + path, method: "DELETE", path: "/yanked/" + path})
	}
	return slices.Clip(all)
}

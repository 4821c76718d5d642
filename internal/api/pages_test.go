package api_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
)

// linked reads a Link header as client-go does: parts at commas, fields at
// semicolons.
func linked(t *testing.T, a formattest.Answer) map[string]*url.URL {
	t.Helper()
	links := map[string]*url.URL{}
	for part := range strings.SplitSeq(a.Header.Get("Link"), ",") {
		target, rel, ok := strings.Cut(part, ";")
		m := regexp.MustCompile(`^ rel="(\w+)"$`).FindStringSubmatch(rel)
		target = strings.TrimSpace(target)
		if !ok || m == nil || !strings.HasPrefix(target, "<") || !strings.HasSuffix(target, ">") {
			t.Fatalf("Link %q cannot be read at %q", a.Header.Get("Link"), part)
		}
		links[m[1]] = parse(t, strings.Trim(target, "<>"))
	}
	return links
}

// Following rel="next" from the first page visits everything once, whatever the
// list.
func TestPages(t *testing.T) {
	t.Parallel()
	s := start(t)
	scope := fmt.Sprintf("/projects/%d/job_token_scope", s.project)
	for i := range 7 {
		s.publish(s.project, fmt.Sprintf("tool/%d/f", i), "hello")
		s.publish(s.project, fmt.Sprintf("many/1/f%d", i), "hello")
		group := s.Group(fmt.Sprintf("g%d", i), 0, "private")
		s.made(root, "POST", scope+"/allowlist", fmt.Sprintf(`{"target_project_id":%d}`, s.Project("p", group, "private")))
		s.made(root, "POST", scope+"/groups_allowlist", fmt.Sprintf(`{"target_group_id":%d}`, group))
		s.AccessToken("projects", s.project, 20, "api")
		s.DeployToken("groups", s.group, "read_package_registry")
	}
	many := s.list(root, fmt.Sprintf("/projects/%d/packages?package_name=many", s.project))[0]["id"]
	for path, total := range map[string]int{
		fmt.Sprintf("/projects/%d/packages?package_name=tool&sort=desc", s.project): 7,
		fmt.Sprintf("/projects/%d/packages/%v/package_files", s.project, many):      7,
		fmt.Sprintf("/projects/%d/access_tokens?state=active", s.project):           7,
		fmt.Sprintf("/groups/%d/deploy_tokens", s.group):                            7,
		scope + "/allowlist": 8, scope + "/groups_allowlist": 7,
	} {
		sep := map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]
		next, seen, page := path+sep+"per_page=3", map[string]bool{}, 0
		for next != "" {
			page++
			a := s.send(root, "GET", next, "")
			var list []map[string]any
			s.JSON(a, &list)
			for _, item := range list {
				seen[fmt.Sprint(item["id"])] = true
			}
			links := linked(t, a)
			s.headers(a, page, (total+2)/3, total)
			if next = ""; links["next"] != nil {
				if got := links["next"].Scheme + "://" + links["next"].Host; got != s.URL {
					t.Errorf("the next page of %s is on %s, want %s", path, got, s.URL)
				}
				next = strings.TrimPrefix(links["next"].RequestURI(), "/api/v4")
			}
			if page > 10 {
				t.Fatalf("%s has no end", path)
			}
		}
		if len(seen) != total {
			t.Errorf("%s: %d of %d items were on its pages", path, len(seen), total)
		}
	}
}

// headers checks what an answer says of its place in a list with 3 per page.
func (s *scene) headers(a formattest.Answer, page, pages, total int) {
	s.t.Helper()
	want := map[string]string{
		"X-Page": fmt.Sprint(page), "X-Per-Page": "3", "X-Total": fmt.Sprint(total), "X-Total-Pages": fmt.Sprint(pages),
		"X-Next-Page": fmt.Sprint(page + 1), "X-Prev-Page": fmt.Sprint(page - 1),
	}
	rels := []string{"first", "last", "next", "prev"}
	if page == pages {
		want["X-Next-Page"], rels[2] = "", ""
	}
	if page == 1 {
		want["X-Prev-Page"], rels[3] = "", ""
	}
	for name, value := range want {
		if got := a.Header[name]; len(got) != 1 || got[0] != value {
			s.t.Errorf("page %d: %s = %q, want %q", page, name, got, value)
		}
	}
	links := linked(s.t, a)
	for i, rel := range []string{"first", "last", "next", "prev"} {
		if (links[rel] != nil) != (rels[i] != "") {
			s.t.Errorf("page %d of %d: Link %q, want rel=%s: %v", page, pages, a.Header.Get("Link"), rel, rels[i] != "")
		}
	}
}

// A link to another page repeats the filters, whatever characters they have, and
// not the token.
func TestPageLinks(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *house.Options) { o.External = parse(t, "https://pkgs.example.net/sub") })
	for i := range 3 {
		s.publish(s.project, fmt.Sprintf("tool/%d/f", i), "hello")
	}
	filters := url.Values{
		"package_name": {""}, "odd": {`a,b;c d&e=f#g?h<i>"j"`}, "ids[]": {"1", "2"}, "per_page": {"1"},
		"private_token": {formattest.RootToken}, "job_token": {""},
	}
	a := s.Do("GET", "/api/v4/projects/ACME%2Ftools/packages?"+filters.Encode(), nil)
	if a.Status != 200 {
		t.Fatalf("GET = %d %s", a.Status, a.Body)
	}
	if header := a.Header.Get("Link"); strings.Contains(header, formattest.RootToken) || strings.Contains(header, "_token") {
		t.Errorf("Link = %s, want no token in it", header)
	}
	for rel, page := range map[string]string{"next": "2", "first": "1", "last": "3"} {
		link := linked(t, a)[rel]
		if link == nil {
			t.Fatalf("Link %q has no %s", a.Header.Get("Link"), rel)
		}
		if got := link.Scheme + "://" + link.Host + link.EscapedPath(); got != "https://pkgs.example.net/sub/api/v4/projects/ACME%2Ftools/packages" {
			t.Errorf("%s is at %s", rel, got)
		}
		q := link.Query()
		if q.Get("odd") != filters.Get("odd") || len(q["ids[]"]) != 2 || q.Get("per_page") != "1" || q.Get("page") != page || len(q["page"]) != 1 {
			t.Errorf("%s has the query %v", rel, q)
		}
	}
}

// How many items a page can have, and how far pages go.
func TestPageBounds(t *testing.T) {
	t.Parallel()
	s := start(t)
	list := fmt.Sprintf("/projects/%d/packages", s.project)
	for query, want := range map[string]string{
		"": "20", "?per_page=1": "1", "?per_page=100": "100", "?per_page=101": "100", "?per_page=9223372036854775807": "100", "?page=2": "20",
	} {
		if a := s.want(root, "GET", list+query, "", 200, "[]"); a.Header.Get("X-Per-Page") != want || a.Header.Get("X-Total") != "0" || a.Header.Get("X-Total-Pages") != "1" {
			t.Errorf("GET %s: header %v, want %s per page", query, a.Header, want)
		}
	}
	const far = `{"error":"Offset pagination has a maximum allowed offset of 50000 for requests that return objects"}`
	for query, want := range map[string]int{
		"?page=2501": 200, "?page=2502": 405, "?page=501&per_page=100": 200, "?page=502&per_page=100": 405,
		"?page=50001&per_page=1": 200, "?page=50002&per_page=1": 405, "?page=9223372036854775807": 405,
	} {
		a := s.want(root, "GET", list+query, "", want, "")
		if want == 405 && essence(a) != far {
			t.Errorf("GET %s = %s, want %s", query, a.Body, far)
		}
	}
	s.want(root, "GET", list+"?page=99999999999999999999", "", 400, `{"error":"page is invalid"}`)
}

package web_test

import (
	"fmt"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/format/formattest"
)

const asPage = "Accept: text/html"

// scene is a registry with the private project acme/tools and what is in it.
type scene struct {
	*formattest.World
	t       *testing.T
	project int64
	people  map[string]string // the header with each one's token; "" for a visitor
}

func start(t *testing.T) *scene {
	t.Helper()
	s := &scene{World: formattest.Start(t), t: t, people: map[string]string{"visitor": ""}}
	group := s.Group("acme", 0, "private")
	s.project = s.Project("tools", group, "private")
	for name, role := range map[string]packhouse.Role{"owner": packhouse.Owner, "reporter": packhouse.Reporter, "guest": packhouse.Guest, "stranger": packhouse.NoAccess} {
		id, token := s.User(name)
		s.people[name] = "Private-Token: " + token
		if role != packhouse.NoAccess {
			s.Member("groups", group, id, role)
		}
	}
	return s
}

// publish publishes a file of a generic package.
func (s *scene) publish(path, content string) {
	s.t.Helper()
	a := s.Do("PUT", fmt.Sprintf("/api/v4/projects/%d/packages/generic/%s", s.project, path), strings.NewReader(content), s.people["owner"])
	if a.Status != 201 {
		s.t.Fatalf("publish %s = %d %s", path, a.Status, a.Body)
	}
}

func (s *scene) get(who, path string) formattest.Answer {
	s.t.Helper()
	if header := s.people[who]; header != "" {
		return s.Do("GET", path, nil, asPage, header)
	}
	return s.Do("GET", path, nil, asPage)
}

// Every page shows what the person may see; what is private is not there for others.
func TestPages(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish("tool/1.0/dir/app.txt", "hello")
	for _, test := range []struct {
		path string
		want map[string]int // by person
		says string         // to those who see it
	}{
		{"/", map[string]int{"owner": 200, "reporter": 200, "guest": 200, "stranger": 200, "visitor": 200}, "Find a package"},
		{"/explore/packages", map[string]int{"owner": 200, "reporter": 200, "guest": 200, "stranger": 200, "visitor": 200}, "<h1>Packages</h1>"},
		{"/groups/acme", map[string]int{"owner": 200, "reporter": 200, "guest": 200, "stranger": 404, "visitor": 404}, "acme/tools"},
		{"/groups/acme/-/packages", map[string]int{"owner": 200, "reporter": 200, "guest": 403, "stranger": 404, "visitor": 404}, "<h1>Packages</h1>"},
		{"/acme/tools", map[string]int{"owner": 200, "reporter": 200, "guest": 200, "stranger": 404, "visitor": 404}, "acme/tools"},
		{"/acme/tools/-/packages", map[string]int{"owner": 200, "reporter": 200, "guest": 403, "stranger": 404, "visitor": 404}, "tool"},
		{"/acme/tools/-/packages?q=too&type=generic&version=1.0", map[string]int{"owner": 200, "stranger": 404, "visitor": 404}, ">tool</a>"},
		{"/acme/tools/-/packages/1", map[string]int{"owner": 200, "reporter": 200, "guest": 403, "stranger": 404, "visitor": 404}, "dir/app.txt"},
		{"/acme/tools/-/package_files/1/download", map[string]int{"owner": 200, "reporter": 200, "guest": 403, "stranger": 404, "visitor": 404}, "hello"},
		{"/acme/tools/-/container_registry", map[string]int{"owner": 200, "reporter": 200, "guest": 403, "stranger": 404, "visitor": 404}, "No image has been pushed"},
		{"/acme/tools/-/container_registry/1", map[string]int{"owner": 404, "stranger": 404, "visitor": 404}, ""},
		{"/acme/tools/-/packages/2", map[string]int{"owner": 404, "stranger": 404, "visitor": 404}, ""},
		{"/acme/tools/-/packages/x", map[string]int{"owner": 404}, ""},
		{"/acme/tools/-/packages?status=x", map[string]int{"owner": 400, "stranger": 404}, ""},
		{"/acme/tools/-/packages?after=x", map[string]int{"owner": 400}, ""},
		{"/acme/tools/-/nothing", map[string]int{"owner": 404, "visitor": 404}, ""},
		{"/acme/nothing", map[string]int{"owner": 404, "visitor": 404}, ""},
		{"/groups/nothing", map[string]int{"owner": 404, "visitor": 404}, ""},
		{"/nothing", map[string]int{"owner": 404, "visitor": 404}, ""},
	} {
		for who, want := range test.want {
			a := s.get(who, test.path)
			if a.Status != want || want == 200 && !strings.Contains(string(a.Body), test.says) {
				t.Errorf("%s: GET %s = %d, want %d with %q:\n%.3000s", who, test.path, a.Status, want, test.says, a.Body)
			}
			kind, policy := a.Header.Get("Content-Type"), a.Header.Get("Content-Security-Policy")
			if !strings.Contains(test.path, "download") && (!strings.HasPrefix(kind, "text/html") || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe")) {
				t.Errorf("%s: GET %s is %q with the policy %q, want a page with a strict one", who, test.path, kind, policy)
			}
		}
	}
}

// Who may not see a page learns as much of it as of one that is not there.
func TestHidden(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish("tool/1.0/app.txt", "hello")
	for _, who := range []string{"stranger", "visitor"} {
		for hidden, absent := range map[string]string{
			"/acme/tools": "/acme/toolz", "/acme/tools/-/packages/1": "/acme/toolz/-/packages/1", "/groups/acme": "/groups/acmf",
			"/acme/tools/-/package_files/1/download": "/acme/toolz/-/package_files/1/download",
		} {
			a, b := s.get(who, hidden), s.get(who, absent)
			clean := func(a formattest.Answer) string {
				text := strings.ReplaceAll(string(a.Body), a.Header.Get("X-Request-Id"), "ID")
				return strings.NewReplacer("toolz", "tools", "acmf", "acme").Replace(text)
			}
			if a.Status != b.Status || clean(a) != clean(b) {
				t.Errorf("%s: GET %s = %d %s\nbut %s = %d %s", who, hidden, a.Status, clean(a), absent, b.Status, clean(b))
			}
		}
		for _, path := range []string{"/", "/explore/packages", "/explore/packages?q=tool"} {
			if a := s.get(who, path); strings.Contains(string(a.Body), "acme") {
				t.Errorf("%s: GET %s tells of acme: %s", who, path, a.Body)
			}
		}
	}
}

// A list goes on where its page ended, and back.
func TestOlderAndNewer(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i := range 45 {
		s.publish(fmt.Sprintf("tool/1.%d/app.txt", i), "hello")
	}
	// versions are those of the page, as "first…last", and the address of another.
	read := func(path, rel string) (string, string) {
		text := string(s.get("owner", "/acme/tools/-/packages"+path).Body)
		var numbers []string
		for _, part := range strings.Split(text, `<td class="mono">`)[1:] {
			number, _, _ := strings.Cut(part, "<")
			numbers = append(numbers, number)
		}
		if len(numbers) == 0 {
			t.Fatalf("GET %s lists nothing: %s", path, text)
		}
		_, link, _ := strings.Cut(text, `rel="`+rel+`" href="`)
		link, _, _ = strings.Cut(link, `"`)
		return numbers[0] + "…" + numbers[len(numbers)-1], strings.ReplaceAll(link, "&amp;", "&")
	}
	for begin, want := range map[string][]string{
		"?sort=desc": {"1.44…1.25", "1.24…1.5", "1.4…1.0", "1.24…1.5", "1.44…1.25"},
		"?sort=asc":  {"1.0…1.19", "1.20…1.39", "1.40…1.44", "1.20…1.39", "1.0…1.19"},
	} {
		at, rels := begin, []string{"next", "next", "prev", "prev", "prev"}
		for i, rel := range rels {
			got, link := read(at, rel)
			if got != want[i] {
				t.Errorf("from %s, page %d at %s lists %s, want %s", begin, i+1, at, got, want[i])
			}
			if last := i == len(rels)-1; last != (link == "") {
				t.Fatalf("from %s, page %d at %s has the link %q", begin, i+1, at, link)
			}
			at = link
		}
	}
}

package api_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const root = formattest.Root

// scene is a world with the private project acme/tools and somebody of every
// role in it, by the name of the role: "guest" … "owner". "stranger" has none.
type scene struct {
	*formattest.World
	t              *testing.T
	group, project int64
	ids            map[string]int64
	tokens         map[string]string
}

func start(t *testing.T, edit ...func(*house.Options)) *scene {
	t.Helper()
	return startAs(t, "private", edit...)
}

// startAs is start with another visibility.
func startAs(t *testing.T, visibility string, edit ...func(*house.Options)) *scene {
	t.Helper()
	s := &scene{World: formattest.Start(t, edit...), t: t, ids: map[string]int64{}, tokens: map[string]string{}}
	s.group = s.Group("acme", 0, visibility)
	s.project = s.Project("tools", s.group, visibility)
	return s
}

// person makes a user with a role in the group acme; NoAccess for none.
func (s *scene) person(name string, role packhouse.Role) {
	s.t.Helper()
	s.ids[name], s.tokens[name] = s.User(name)
	if role != packhouse.NoAccess {
		s.Member("groups", s.group, s.ids[name], role)
	}
}

// people makes somebody of every role in the group acme.
func (s *scene) people() {
	s.t.Helper()
	for _, role := range append([]packhouse.Role{packhouse.NoAccess}, packhouse.Roles...) {
		name := strings.ToLower(role.String())
		if role == packhouse.NoAccess {
			name = "stranger"
		}
		s.person(name, role)
	}
}

// as is the header of a person, or of the administrator.
func (s *scene) as(name string) string {
	if name == "root" {
		return root
	}
	return "Private-Token: " + s.tokens[name]
}

// send sends a management request with a JSON body, or none when it is "".
func (s *scene) send(who, method, path, body string) formattest.Answer {
	s.t.Helper()
	header := []string{who}
	if body != "" {
		header = append(header, "Content-Type: application/json")
	}
	return s.Do(method, "/api/v4"+path, strings.NewReader(body), header...)
}

// want sends a request and compares status and essence; "" stands for any.
func (s *scene) want(who, method, path, body string, status int, answer string) formattest.Answer {
	s.t.Helper()
	a := s.send(who, method, path, body)
	if a.Status != status || answer != "" && essence(a) != answer {
		s.t.Errorf("%s %s %s = %d %s, want %d %s", method, path, body, a.Status, essence(a), status, answer)
	}
	return a
}

// essence is an answer's body without what the product adds to GitLab's errors.
func essence(a formattest.Answer) string {
	var e struct {
		Message json.RawMessage `json:"message,omitempty"`
		Error   json.RawMessage `json:"error,omitempty"`
	}
	if a.Status < 400 || json.Unmarshal(a.Body, &e) != nil {
		return string(a.Body)
	}
	text, err := json.Marshal(e)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// made sends a request that has to succeed and returns the field "id".
func (s *scene) made(who, method, path, body string) int64 {
	s.t.Helper()
	var made struct{ ID int64 }
	a := s.send(who, method, path, body)
	if a.Status/100 != 2 {
		s.t.Fatalf("%s %s %s = %d %s", method, path, body, a.Status, a.Body)
	}
	s.JSON(a, &made)
	return made.ID
}

// list sends a GET that has to give a list.
func (s *scene) list(who, path string) (list []map[string]any) {
	s.t.Helper()
	a := s.send(who, "GET", path, "")
	if a.Status != 200 {
		s.t.Fatalf("GET %s = %d %s", path, a.Status, a.Body)
	}
	s.JSON(a, &list)
	return list
}

// column picks a field of each item of a list.
func column(list []map[string]any, name string) string {
	var values []string
	for _, item := range list {
		values = append(values, fmt.Sprint(item[name]))
	}
	return strings.Join(values, " ")
}

// publish publishes a file of a generic package, as the administrator unless
// header fields say otherwise.
func (s *scene) publish(project int64, file, content string, header ...string) {
	s.t.Helper()
	if len(header) == 0 {
		header = []string{root}
	}
	path := fmt.Sprintf("/api/v4/projects/%d/packages/generic/%s", project, file)
	if a := s.Do("PUT", path, strings.NewReader(content), header...); a.Status != 201 {
		s.t.Fatalf("PUT %s = %d %s", path, a.Status, a.Body)
	}
}

// masks replace what differs from run to run.
var masks = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`), "TIME"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d`), "DATE"},
	{regexp.MustCompile(`gl(pat|dt|cbt)-[A-Za-z0-9_-]{20}`), "gl$1-SECRET"},
	{regexp.MustCompile(`http://127\.0\.0\.1:\d+`), "http://HOST"},
	{regexp.MustCompile(`"127\.0\.0\.1:\d+/`), `"HOST/`},
	{regexp.MustCompile(`"request_id": "[^"]*"`), `"request_id": "ID"`},
	{regexp.MustCompile(`"sha256": "[^"]*"`), `"sha256": "DIGEST"`},
	{regexp.MustCompile(`"duration": [0-9.e-]+`), `"duration": 0`},
	{regexp.MustCompile(`11258999068426\d\d`), "UNNUMBERED"},
}

// shown is an answer as it stands in golden files.
func shown(a formattest.Answer) string {
	var b strings.Builder
	fmt.Fprintln(&b, a.Status)
	var names []string
	for name := range a.Header {
		if name != "Date" && name != "X-Request-Id" && name != "Content-Length" && name != "Last-Modified" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(a.Header[name], ", "))
	}
	if body := string(a.Body); json.Valid(a.Body) {
		out, err := json.MarshalIndent(json.RawMessage(a.Body), "", "  ")
		if err != nil {
			out = []byte(err.Error())
		}
		fmt.Fprintf(&b, "\n%s\n", out)
	} else if body != "" {
		fmt.Fprintf(&b, "\n%q\n", body)
	}
	text := b.String()
	for _, m := range masks {
		text = m.pattern.ReplaceAllString(text, m.with)
	}
	return text
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs from what was there before (see -update): got\n%s", path, got)
	}
}

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

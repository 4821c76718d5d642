package formattest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Case is what the suite has to know about a format. Paths are escaped and
// below the format's mount, such as /api/v4/projects/1/packages/generic.
type Case struct {
	Format string // the format's path segment: "generic"

	// Publish publishes one file to a project's mount, with the given header
	// fields for a credential.
	Publish func(w *World, mount string, header ...string) Answer
	File    string // where that file is read then
	Content string // what it holds

	// Absent are paths of things that nobody published.
	Absent []string
	// Bad are paths that are refused with 400 to read and to write, whoever
	// asks. The suite adds those that no format may accept.
	Bad []string

	// Group says that File can be read from a group as well.
	Group bool
	// Quiet says that the format's 401 carry no challenge, as npm's.
	Quiet bool
}

// Run takes a format through what every format has to do.
func Run(t *testing.T, c Case) {
	w := Start(t)
	s := &suite{Case: c, w: w}
	s.secret = w.Project("secret", w.Group("hidden", 0, "private"), "private")
	s.open = w.Project("open", w.Group("shown", 0, "public"), "public")
	_, stranger := w.User("stranger")
	s.stranger = "Private-Token: " + stranger
	for _, project := range []int64{s.secret, s.open} {
		if a := c.Publish(w, s.mount(project), Root); a.Status/100 != 2 {
			t.Fatalf("Publish = %d %s, want 2xx", a.Status, a.Body)
		}
	}
	t.Run("reads", s.reads)
	t.Run("addresses", s.addresses)
	t.Run("challenge", s.challenge)
	t.Run("private is absent", s.privateIsAbsent)
	t.Run("head", s.head)
	t.Run("methods", s.methods)
	t.Run("bad paths", s.badPaths)
	t.Run("secrets", s.secrets)
}

// suite is a Case with a world: a private project whose group is private, a
// public one, and somebody who is a member of neither.
type suite struct {
	Case
	w            *World
	secret, open int64
	stranger     string
}

// nobody is the id of a project or group that does not exist.
const nobody = 999_999

func (s *suite) mount(project any) string {
	return fmt.Sprintf("/api/v4/projects/%v/packages/%s", project, s.Format)
}

func (s *suite) groupMount(group any) string {
	return fmt.Sprintf("/api/v4/groups/%v/-/packages/%s", group, s.Format)
}

// reads: the file comes back as it went in, as an attachment, without a detour.
func (s *suite) reads(t *testing.T) {
	for _, header := range []string{Root, s.stranger, ""} {
		a := s.w.Do("GET", s.mount(s.open)+s.File, nil, header)
		if a.Status != 200 || string(a.Body) != s.Content {
			t.Errorf("GET %s = %d %q, want 200 %q", s.File, a.Status, a.Body, s.Content)
		}
		if a.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(a.Header.Get("Content-Disposition"), "attachment") {
			t.Errorf("GET %s: a browser might run it: %v", s.File, a.Header)
		}
		if a.Header.Get("X-Request-Id") == "" {
			t.Errorf("GET %s has no X-Request-Id", s.File)
		}
	}
}

// addresses: a project and a group are named by id or by escaped path, in any
// case of the letters.
func (s *suite) addresses(t *testing.T) {
	for _, ref := range []string{"hidden%2Fsecret", "hidden%2fsecret", "Hidden%2FSecret"} {
		if a := s.w.Do("GET", s.mount(ref)+s.File, nil, Root); a.Status != 200 {
			t.Errorf("GET from project %s = %d %s, want 200", ref, a.Status, a.Body)
		}
	}
	if !s.Group {
		return
	}
	if a := s.w.Do("GET", s.groupMount("hidden")+s.File, nil, Root); a.Status != 200 || string(a.Body) != s.Content {
		t.Errorf("GET from the group = %d %s, want 200", a.Status, a.Body)
	}
}

// challenge: whoever shows no credential is asked for one, whatever is there;
// Maven and NuGet send theirs only then.
func (s *suite) challenge(t *testing.T) {
	want := `Basic realm="GitLab Packages Registry"`
	if s.Quiet {
		want = ""
	}
	check := func(what string, a Answer) {
		if got := a.Header.Get("Www-Authenticate"); a.Status != 401 || got != want {
			t.Errorf("%s without a credential = %d with challenge %q, want 401 with %q", what, a.Status, got, want)
		}
	}
	for _, project := range []any{s.secret, nobody, "hidden%2Fsecret", "no%2Fbody"} {
		check("GET", s.w.Do("GET", s.mount(project)+s.File, nil))
		check("publish", s.Publish(s.w, s.mount(project)))
	}
	check("publish to a public project", s.Publish(s.w, s.mount(s.open)))
	check("GET with a bad token", s.w.Do("GET", s.mount(s.open)+s.File, nil, "Private-Token: glpat-nobodynobodynobody12"))
	if s.Group {
		for _, group := range []any{"hidden", nobody, "no%2Fbody"} {
			check("GET from a group", s.w.Do("GET", s.groupMount(group)+s.File, nil))
		}
	}
}

// requestID is what differs between two answers that must not differ.
var requestID = regexp.MustCompile(`"request_id":"[^"]*"`)

// Masked is an answer's body without its request id.
func Masked(body []byte) string {
	return requestID.ReplaceAllString(string(body), `"request_id":"-"`)
}

// privateIsAbsent: to those who may not know, what is private answers as what
// does not exist, byte by byte.
func (s *suite) privateIsAbsent(t *testing.T) {
	for _, header := range []string{"", s.stranger} {
		for _, file := range append(s.Absent, s.File) {
			s.same(t, "GET "+file, s.w.Do("GET", s.mount(s.secret)+file, nil, header), s.w.Do("GET", s.mount(nobody)+file, nil, header))
		}
		s.same(t, "publish", s.Publish(s.w, s.mount(s.secret), header), s.Publish(s.w, s.mount(nobody), header))
		if s.Group {
			s.same(t, "GET from a group", s.w.Do("GET", s.groupMount("hidden")+s.File, nil, header), s.w.Do("GET", s.groupMount(nobody)+s.File, nil, header))
		}
	}
	if a := s.w.Do("GET", s.mount(s.secret)+s.File, nil, s.stranger); a.Status != 404 {
		t.Errorf("GET by a stranger = %d, want 404", a.Status)
	}
	for _, file := range s.Absent {
		if a := s.w.Do("GET", s.mount(s.secret)+file, nil, Root); a.Status != 404 {
			t.Errorf("GET %s, which nobody published, = %d, want 404", file, a.Status)
		}
	}
}

func (s *suite) same(t *testing.T, what string, private, absent Answer) {
	t.Helper()
	if private.Status != absent.Status || Masked(private.Body) != Masked(absent.Body) {
		t.Errorf("%s: private = %d %s, absent = %d %s, want the same", what, private.Status, private.Body, absent.Status, absent.Body)
	}
	if p, a := fieldNames(private), fieldNames(absent); !slices.Equal(p, a) {
		t.Errorf("%s: private has the header %v, absent %v, want the same", what, p, a)
	}
}

// fieldNames are the names in an answer's header.
func fieldNames(a Answer) []string {
	var names []string
	for name := range a.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// head: HEAD answers as GET does, without the body.
func (s *suite) head(t *testing.T) {
	for _, file := range append(s.Absent, s.File) {
		get, head := s.w.Do("GET", s.mount(s.open)+file, nil), s.w.Do("HEAD", s.mount(s.open)+file, nil)
		if head.Status != get.Status || len(head.Body) != 0 {
			t.Errorf("HEAD %s = %d with %d bytes, want %d with none", file, head.Status, len(head.Body), get.Status)
		}
		for name := range get.Header {
			same := head.Header.Get(name) == get.Header.Get(name) || name == "Date" || name == "X-Request-Id" ||
				name == "Content-Length" && get.Status != 200 // the request id in an error varies in length
			if !same {
				t.Errorf("HEAD %s: %s = %q, GET has %q", file, name, head.Header.Get(name), get.Header.Get(name))
			}
		}
	}
}

// methods: what nobody declared is not allowed, for anybody.
func (s *suite) methods(t *testing.T) {
	for _, method := range []string{"TRACE", "PROPFIND", "get", "X", "LINK", "MKCOL", "COPY", "LOCK"} {
		for _, header := range []string{Root, ""} {
			if a := s.w.Do(method, s.mount(s.open)+s.File, nil, header); a.Status != 405 {
				t.Errorf("%s %s = %d, want 405", method, s.File, a.Status)
			}
		}
	}
}

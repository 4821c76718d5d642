package formattest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// never are paths that no format may accept.
var never = []string{
	"//x", "/x//y", "/./x", "/../x", "/x/../y", "/x/..", "/%2e%2e/x", "/x%2f..%2fy", "/x/%2E%2E/y", "/x/%2e/y", "/..%2fx/y/z",
	"/x%5cy/1/f", "/x/1/..%5cf", "/x%00/1/f", "/x/1/f%0d%0aSet-Cookie:a=b", "/x/1/%7f", "/x%2f%2fy/1/f", "/x%2f/1/f", "/%2fx/1/f",
}

// badPaths: what could climb out, or be read in two ways, is refused at once
// and never redirected.
func (s *suite) badPaths(t *testing.T) {
	for _, path := range slices.Concat(never, s.Bad) {
		for _, method := range []string{"GET", "PUT"} {
			request := s.w.Head(method, s.mount(s.open)+path, Root, "Content-Length: 1", "Connection: close") + "\r\nx"
			if a := s.w.Raw(request); a.Status != 400 || a.Header.Get("Location") != "" {
				t.Errorf("%s %s = %d %s, want 400", method, path, a.Status, a.Body)
			}
		}
	}
}

// secrets: a token is neither logged nor answered nor stored, good or bad.
func (s *suite) secrets(t *testing.T) {
	const bad = "glpat-canarycanarycanary00"
	user, good := s.w.User("canary")
	job := s.w.JobToken(s.open, user)
	for _, token := range []string{bad, good, job} {
		for _, header := range []string{"Private-Token: ", "Job-Token: ", "Deploy-Token: ", "Authorization: Bearer ", "Authorization: "} {
			for _, method := range []string{"GET", "PUT", "X"} {
				s.unsaid(t, token, s.w.Do(method, s.mount(s.secret)+s.File, nil, header+token))
			}
		}
		s.unsaid(t, token, s.w.Do("GET", s.mount(s.secret)+s.File+"?private_token="+url.QueryEscape(token), nil))
		s.unsaid(t, token, s.w.Do("GET", s.mount(s.secret)+"/../x?job_token="+url.QueryEscape(token), nil))
	}
	log := s.w.Logged()
	if !strings.Contains(log, "actor=canary") {
		t.Error("the log does not tell who was there; it proves nothing")
	}
	for _, token := range []string{bad, good, job} {
		if strings.Contains(log, token) {
			t.Errorf("the log holds the token %s", token)
		}
		if names := s.w.Holds(token); len(names) > 0 {
			t.Errorf("the token %s is stored in %v", token, names)
		}
	}
}

func (s *suite) unsaid(t *testing.T, token string, a Answer) {
	t.Helper()
	if strings.Contains(string(a.Body)+fmt.Sprint(a.Header), token) {
		t.Errorf("the answer %d %s repeats the token", a.Status, a.Body)
	}
}

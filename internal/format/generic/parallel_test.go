package generic_test

import (
	"fmt"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
)

const clients = formattest.Clients

// tally counts the answers by status; 0 stands for none.
func tally(answers []formattest.Answer) map[int]int {
	n := map[int]int{}
	for _, a := range answers {
		n[a.Status]++
	}
	return n
}

// try publishes from any goroutine.
func (s scene) try(file, body string) formattest.Answer {
	a, err := s.Try("PUT", s.at(file), strings.NewReader(body), root)
	if err != nil {
		return formattest.Answer{Body: []byte(err.Error())}
	}
	return a
}

// Many files into one new version: GitLab's create race answers 500 here.
func TestParallelFiles(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, size := range both {
		name := fmt.Sprintf("tool%d", size)
		file := func(i int) string { return fmt.Sprintf("%s/1.0/f%d", name, i) }
		got := tally(formattest.Together(func(i int) formattest.Answer { return s.try(file(i), content(size, uint64(i))) }))
		if got[201] != clients {
			t.Errorf("%d PUTs of %d bytes = %v, want all 201", clients, size, got)
		}
		list := s.Packages(s.project, "package_name="+name)
		if len(list) != 1 || len(s.Files(s.project, list[0].ID)) != clients {
			t.Errorf("packages = %+v, want one of %d files", list, clients)
		}
		for i := range clients {
			s.mustGet(t, file(i), content(size, uint64(i)))
		}
	}
}

// Many versions of one new package, and many new packages, at once.
func TestParallelVersions(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	got := tally(formattest.Together(func(i int) formattest.Answer { return s.try(fmt.Sprintf("tool/%d/f", i), fmt.Sprint(i)) }))
	also := tally(formattest.Together(func(i int) formattest.Answer { return s.try(fmt.Sprintf("tool%d/1.0/f", i), "the same") }))
	if got[201] != clients || also[201] != clients || len(s.Packages(s.project, "")) != 2*clients {
		t.Errorf("PUTs = %v and %v, packages = %d, want all 201", got, also, len(s.Packages(s.project, "")))
	}
}

// The same file from many clients: all of them, or exactly one.
func TestParallelDuplicates(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, size := range both {
		for _, allowed := range []bool{true, false} {
			for _, equal := range []bool{true, false} { // the bytes too
				s.Settings("projects", s.project, fmt.Sprintf(`{"generic_duplicates_allowed":%v}`, allowed))
				name := fmt.Sprintf("tool-%d-%v-%v", size, allowed, equal)
				body := func(i int) string {
					if equal {
						i = 0
					}
					return content(size, uint64(i))
				}
				before := s.Stored().Blobs
				answers := formattest.Together(func(i int) formattest.Answer { return s.try(name+"/1.0/f", body(i)) })
				got := tally(answers)
				want := map[bool]map[int]int{true: {201: clients}, false: {201: 1, 400: clients - 1}}[allowed]
				if got[201] != want[201] || got[400] != want[400] {
					t.Errorf("%s: %v, want %v", name, got, want)
				}
				list := s.Packages(s.project, "package_name="+name)
				if len(list) != 1 || len(s.Files(s.project, list[0].ID)) != want[201] {
					t.Errorf("%s: packages = %+v, want one of %d files", name, list, want[201])
				}
				s.oneOf(t, name+"/1.0/f", answers, body)
				if got := s.Stored(); got.Uploads != 0 || got.Blobs-before > want[201] || equal && got.Blobs-before > 1 {
					t.Errorf("%s: stored = %+v after %d blobs", name, got, before)
				}
			}
		}
	}
}

// oneOf checks that a file is what one of the acknowledged uploads sent.
func (s scene) oneOf(t *testing.T, file string, answers []formattest.Answer, body func(int) string) {
	t.Helper()
	got := s.Do("GET", s.at(file), nil, root)
	for i, a := range answers {
		if a.Status == 201 && got.Status == 200 && string(got.Body) == body(i) {
			return
		}
	}
	t.Errorf("GET %s = %d with %d bytes, which nobody published", file, got.Status, len(got.Body))
}

package nuget_test

import (
	"fmt"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
)

const clients = formattest.Clients

// Versions of one new id at once: all succeed, and all are listed.
func TestParallelVersions(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, a := range formattest.Together(func(i int) formattest.Answer {
		return s.put(at(s.project, "/"), nupkg("Lib", fmt.Sprintf("1.%d.0", i)))
	}) {
		if a.Status != 201 {
			t.Errorf("PUT = %d %s, want 201", a.Status, a.Body)
		}
	}
	if got := len(strings.Fields(s.versions(t, "lib"))); got != clients {
		t.Errorf("%d versions, want %d", got, clients)
	}
	if list := s.Packages(s.project, ""); len(list) != clients {
		t.Errorf("%d packages in the API, want %d", len(list), clients)
	}
}

// One version at once, spelled in several ways: one is accepted, and the others are
// told so in a way that --skip-duplicate knows.
func TestParallelDuplicates(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.Settings("groups", s.group, `{"nuget_duplicates_allowed":false}`)
	won := 0
	for _, a := range formattest.Together(func(i int) formattest.Answer {
		ids, numbers := []string{"My.Lib", "my.lib", "MY.LIB"}, []string{"1.0", "1.0.0", "1.0.0.0", "1.0.0+b"}
		return s.put(at(s.project, "/"), nupkg(ids[i%3], numbers[i%4], fmt.Sprintf("<tags>t%d</tags>", i)))
	}) {
		switch {
		case a.Status == 201:
			won++
		case a.Status != 409:
			t.Errorf("PUT = %d %s, want 201 or 409", a.Status, a.Body)
		}
	}
	if won != 1 {
		t.Errorf("%d of one version were accepted, want 1", won)
	}
	if list := s.Packages(s.project, ""); len(list) != 1 || len(s.Files(s.project, list[0].ID)) != 1 {
		t.Errorf("packages in the API = %v, want one with one file", list)
	}
}

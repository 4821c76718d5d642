package npm_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
)

// attack is a request that must be refused, and leave nothing.
type attack struct {
	name         string
	method, path string // PUT to the project's mount when empty
	body         string
	header       []string
	// want are the statuses that will do; none for 400.
	want []int
}

// of is an attack that publishes a package.
func of(name string, p pkg) attack {
	return attack{name: name, path: "lib", body: p.body()}
}

// Hundreds of requests that mean no good: each is refused with a message, quickly
// and cheaply, and nothing is stored.
//
// It does not run beside other tests, since it measures.
func TestHostile(t *testing.T) {
	s := start(t, "private")
	var all []attack
	for _, list := range [][]attack{
		hostileNames(), hostileVersions(), hostileTags(), hostileBodies(), hostileAttachments(),
		hostileManifests(), hostileArchives(), hostileTrees(), hostileAddresses(),
	} {
		all = append(all, list...)
	}
	before := s.Names()
	for i := range all {
		s.attack(t, &all[i])
	}
	s.Untouched(s.project, before)
	if len(all) < 300 {
		t.Errorf("%d attacks, want 300", len(all))
	}
	t.Logf("%d attacks", len(all))
}

// attack sends a request.
func (s scene) attack(t *testing.T, a *attack) {
	t.Helper()
	method, path, want := a.method, a.path, a.want
	if method == "" {
		method = "PUT"
	}
	if want == nil {
		want = []int{400}
	}
	header := append([]string{root, "Content-Type: application/json"}, a.header...)
	formattest.Cheap(t, a.name, func() {
		got := s.Do(method, at(s.project, path), strings.NewReader(a.body), header...)
		var e struct{ Message, Error string }
		if !slices.Contains(want, got.Status) || json.Unmarshal(got.Body, &e) != nil || e.Message == "" || e.Error == "" {
			t.Errorf("%s: %s %.100s = %d %.300s, want %d with a message", a.name, method, path, got.Status, got.Body, want)
		}
	})
}

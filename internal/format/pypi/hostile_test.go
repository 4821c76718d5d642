package pypi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
)

// attack is a request that must be refused, and leave nothing.
type attack struct {
	name         string
	method, path string // POST to the project's mount when empty
	contentType  string
	body         string
	header       []string
	// want is the one status that will do; 0 for 400.
	want int
}

// form is an attack that sends a form.
func form(name string, parts ...part) attack {
	contentType, data := body(parts)
	return attack{name: name, contentType: contentType, body: string(data)}
}

// Hundreds of uploads and addresses that mean no good: each is refused with a
// message, quickly and cheaply, and nothing is stored.
//
// It does not run beside other tests, since it measures.
func TestHostile(t *testing.T) {
	s := start(t, "private")
	var all []attack
	for _, list := range [][]attack{
		hostileNames(), hostileVersions(), hostileFilenames(), hostileForms(), hostileMetadata(),
		hostileWheels(), hostileZips(), hostileSdists(), hostileAddresses(), hostileYanks(), hostileAttestations(),
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
	method, path := a.method, a.path
	if method == "" {
		method = "POST"
	}
	want := 400
	if a.want != 0 {
		want = a.want
	}
	header := append([]string{root, "Content-Type: " + a.contentType}, a.header...)
	formattest.Cheap(t, a.name, func() {
		got := s.Do(method, at(s.project, path), strings.NewReader(a.body), header...)
		var says struct{ Message, Error any }
		if err := json.Unmarshal(got.Body, &says); got.Status != want || err != nil || says.Message == nil && says.Error == nil {
			t.Errorf("%s = %d %.300s, want %d with a message", a.name, got.Status, got.Body, want)
		}
	})
}

package npm_test

import (
	"fmt"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
)

const clients = formattest.Clients

// Versions of one new package at once: all succeed, the documents list all, and
// latest is the highest.
func TestParallelVersions(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, a := range formattest.Together(func(i int) formattest.Answer {
		return s.publish(pkg{name: "@acme/lib", version: fmt.Sprintf("1.%d.0", i), files: map[string]string{"x": strings.Repeat("x", i*1000)}})
	}) {
		if a.Status != 200 {
			t.Errorf("publish = %d %s, want 200", a.Status, a.Body)
		}
	}
	for _, page := range []string{at(s.project, "@acme%2flib"), inGroup("acme", "@acme%2flib"), onInstance("@acme%2flib")} {
		p := s.packument(page)
		if len(p.Versions) != clients || p.Tags["latest"] != fmt.Sprintf("1.%d.0", clients-1) {
			t.Errorf("%s lists %d versions with latest %v, want %d and the highest", page, len(p.Versions), p.Tags, clients)
		}
		for version, m := range p.Versions {
			a := s.get(strings.TrimPrefix(m.Dist.Tarball, s.URL))
			if a.Status != 200 || shasum(a.Body) != m.Dist.Shasum {
				t.Errorf("the tarball of %s = %d, want the checksum", version, a.Status)
			}
		}
	}
	if list := s.Packages(s.project, ""); len(list) != clients {
		t.Errorf("%d packages in the API, want %d", len(list), clients)
	}
}

// One version at once, small and large: one is accepted, and the others are told
// so in the documented words.
func TestParallelDuplicates(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for size, version := range map[int]string{10: "1.0.0", 100_000: "2.0.0"} {
		won := 0
		for _, a := range formattest.Together(func(i int) formattest.Answer {
			return s.publish(pkg{name: "@acme/lib", version: version, files: map[string]string{"x": noise(size + i)}})
		}) {
			var e struct{ Message, Error string }
			switch {
			case a.Status == 200:
				won++
			case a.Status != 403:
				t.Errorf("publish = %d %s, want 200 or 403", a.Status, a.Body)
			default:
				if s.JSON(a, &e); e.Message != "Package already exists." || e.Error != "Package already exists." {
					t.Errorf("publish = %s, want the documented words", a.Body)
				}
			}
		}
		if won != 1 {
			t.Errorf("%d of %s were accepted, want 1", won, version)
		}
	}
	if got := s.Stored(); got != (formattest.Stored{Blobs: 1}) {
		t.Errorf("stored = %+v, want the one large tarball", got)
	}
}

// Publishing, deleting, tagging and reading at once: no answer of 500, and no
// document that names what cannot be had.
func TestParallelChanges(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.mustPublish(pkg{name: "lib", version: "1.0.0"})
	for _, a := range formattest.Together(func(i int) formattest.Answer {
		version := fmt.Sprintf("1.0.%d", i%8+1)
		switch i % 4 {
		case 0:
			return s.publish(pkg{name: "lib", version: version})
		case 1:
			a, err := s.Try("DELETE", at(s.project, "lib/-/lib-"+version+".tgz/-rev/undefined"), nil, root)
			if err != nil {
				return formattest.Answer{Body: []byte(err.Error())}
			}
			return a
		case 2:
			return put(s.World, at(s.project, "-/package/lib/dist-tags/beta"), `"`+version+`"`)
		}
		a, err := s.Try("GET", at(s.project, "lib"), nil, root)
		if err != nil {
			return formattest.Answer{Body: []byte(err.Error())}
		}
		return a
	}) {
		if a.Status == 0 || a.Status >= 500 {
			t.Errorf("= %d %s", a.Status, a.Body)
		}
	}
	p := s.packument(at(s.project, "lib"))
	for tag, version := range p.Tags {
		if p.Versions[version].Version != version {
			t.Errorf("the tag %s is for %s, which is not there", tag, version)
		}
	}
	for version, m := range p.Versions {
		if a := s.get(strings.TrimPrefix(m.Dist.Tarball, s.URL)); a.Status != 200 || shasum(a.Body) != m.Dist.Shasum {
			t.Errorf("the tarball of %s = %d", version, a.Status)
		}
	}
}

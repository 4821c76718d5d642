package npm_test

import (
	"encoding/json"
	"testing"

	"packhouse/internal/format/formattest"
)

// What every format has to do.
func TestSuite(t *testing.T) {
	t.Parallel()
	p := pkg{name: "@shown/tool", version: "1.0.0"}
	formattest.Run(t, formattest.Case{
		Format: "npm",
		Publish: func(w *formattest.World, mount string, header ...string) formattest.Answer {
			if header == nil {
				header = []string{""}
			}
			return put(w, mount+"/@shown%2ftool", p.body(), header...)
		},
		File: "/@shown/tool/-/@shown/tool-1.0.0.tgz", Content: p.pack(), Group: true, Quiet: true,
		Absent: []string{
			"/@shown/tool/-/tool-2.0.0.tgz", "/@shown/tool/-/other-1.0.0.tgz", "/@shown%2fother", "/other", "/@shown/tool/2.0.0",
			"/@shown/tool/next", "/-/package/other/dist-tags", "/-/npm/v1/attestations/@shown%2ftool@1.0.0", "/-/npm/v1/keys",
		},
		Bad: []string{"/@shown", "/@/x", "/a%20b", "/.bin", "/node_modules", "/caf%C3%A9", "/@x.git%2fy"},
	})
}

// Every spelling of an address finds the same.
func TestSpellings(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	scoped, plain := pkg{name: "@acme/lib", version: "1.0.0"}, pkg{name: "lib", version: "1.0.0"}
	s.mustPublish(scoped, plain)
	for _, level := range []string{at(s.project, ""), at("acme%2fweb", ""), inGroup("acme", ""), inGroup(s.group, ""), onInstance("")} {
		for _, name := range []string{"@acme%2flib", "@acme%2Flib", "@acme/lib", "%40acme%2flib", "%40acme/lib"} {
			if p := s.packument(level + name); p.Name != "@acme/lib" || p.Versions["1.0.0"].Dist.Tarball != s.URL+level+"@acme/lib/-/@acme/lib-1.0.0.tgz" {
				t.Errorf("GET %s%s = %+v", level, name, p)
			}
			for _, file := range []string{"/-/@acme/lib-1.0.0.tgz", "/-/@acme%2flib-1.0.0.tgz", "/-/lib-1.0.0.tgz"} {
				if a := s.get(level + name + file); a.Status != 200 || string(a.Body) != scoped.pack() {
					t.Errorf("GET %s%s%s = %d", level, name, file, a.Status)
				}
			}
			for _, which := range []string{"/1.0.0", "/latest"} {
				var m struct{ Version string }
				if a := s.get(level + name + which); json.Unmarshal(a.Body, &m) != nil || m.Version != "1.0.0" {
					t.Errorf("GET %s%s%s = %d %s", level, name, which, a.Status, a.Body)
				}
			}
			if a := s.get(level + "-/package/" + name + "/dist-tags"); string(a.Body) != `{"latest":"1.0.0"}` {
				t.Errorf("tags of %s%s = %d %s", level, name, a.Status, a.Body)
			}
		}
	}
	for _, level := range []string{at(s.project, ""), inGroup("acme", "")} {
		if a := s.get(level + "lib/-/lib-1.0.0.tgz"); a.Status != 200 || string(a.Body) != plain.pack() {
			t.Errorf("GET %slib = %d", level, a.Status)
		}
	}
	for _, path := range []string{onInstance("lib"), onInstance("lib/-/lib-1.0.0.tgz"), onInstance("@nobody%2flib")} {
		if a := s.get(path); a.Status != 404 {
			t.Errorf("GET %s = %d, want 404", path, a.Status)
		}
	}
}

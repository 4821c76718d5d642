package maven_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"packhouse/internal/format/formattest"
)

// Files of one new version, and versions of one new artifact, at once: all are there.
func TestParallelDeploys(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, a := range formattest.Together(func(i int) formattest.Answer {
		return s.put(at(s.project, fmt.Sprintf("com/example/app/1.0/app-1.0-c%d.jar", i)), fmt.Sprint("file ", i))
	}) {
		if a.Status != 200 {
			t.Errorf("PUT = %d %s, want 200", a.Status, a.Body)
		}
	}
	for _, a := range formattest.Together(func(i int) formattest.Answer {
		version := fmt.Sprintf("2.%d", i)
		return s.put(at(s.project, "com/example/app/"+version+"/app-"+version+".pom"), pom("com.example", "app", version))
	}) {
		if a.Status != 200 {
			t.Errorf("PUT = %d %s, want 200", a.Status, a.Body)
		}
	}
	for i := range formattest.Clients {
		if got := s.text(t, at(s.project, fmt.Sprintf("com/example/app/1.0/app-1.0-c%d.jar", i))); got != fmt.Sprint("file ", i) {
			t.Errorf("file %d = %q", i, got)
		}
	}
	if got := between(s.text(t, at(s.project, "com/example/app/maven-metadata.xml")), "version"); len(got) != formattest.Clients {
		t.Errorf("%d versions, want %d", len(got), formattest.Clients)
	}
}

// One file at once, with duplicates off: one is taken, the others are told so.
func TestParallelDuplicates(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.Settings("groups", s.group, `{"maven_duplicates_allowed":false}`)
	won := 0
	for _, a := range formattest.Together(func(i int) formattest.Answer {
		return s.put(at(s.project, jar), fmt.Sprint("bytes of ", i))
	}) {
		switch {
		case a.Status == 200:
			won++
		case a.Status != 400 || !strings.Contains(string(a.Body), "Duplicate"):
			t.Errorf("PUT = %d %s, want 200 or 400", a.Status, a.Body)
		}
	}
	if won != 1 {
		t.Errorf("%d were accepted, want 1", won)
	}
}

// Clients that read metadata and then its checksum, while others deploy: the two
// always agree. Each reads over a connection of its own, as builds do.
func TestChecksumsUnderLoad(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.release(t, s.project, "1.0")
	var done atomic.Bool
	var running sync.WaitGroup
	var mu sync.Mutex
	reads, seen := 0, map[string]bool{}
	for range 4 {
		conn := s.Dial()
		running.Go(func() {
			defer conn.Close()
			get := func(path string) formattest.Answer {
				conn.Send(s.Head("GET", at(s.project, path), root) + "\r\n")
				return conn.Answer("GET")
			}
			for !done.Load() {
				const path = "com/example/app/maven-metadata.xml"
				text, sum := get(path), get(path+".sha1")
				if text.Status != 200 || sumsOf(text.Body)["sha1"] != string(sum.Body) {
					t.Errorf("metadata %d %s, sha1 %s", text.Status, text.Body, sum.Body)
					return
				}
				mu.Lock()
				reads++
				seen[string(sum.Body)] = true
				mu.Unlock()
			}
		})
	}
	for i := range 200 {
		s.release(t, s.project, fmt.Sprintf("2.%d", i))
	}
	done.Store(true)
	running.Wait()
	if reads < 50 || len(seen) < 10 {
		t.Errorf("%d reads of %d states prove nothing", reads, len(seen))
	}
}

// Two deployments of the same snapshots at once, thirty modules each in four threads:
// all that was accepted can be read, and the metadata is whole.
func TestReactors(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	const modules = 30
	var running sync.WaitGroup
	for run := range 2 {
		for thread := range 4 {
			running.Go(func() {
				for module := thread; module < modules; module += 4 {
					s.deploySnapshot(t, module, run)
				}
			})
		}
	}
	running.Wait()
	for module := range modules {
		folder := fmt.Sprintf("com/example/m%d/1.0-SNAPSHOT/", module)
		text := s.text(t, at(s.project, folder+"maven-metadata.xml"))
		values := between(text, "value")
		if len(values) != 3 || !slices.Equal(between(text, "buildNumber"), []string{"1"}) {
			t.Fatalf("metadata = %s, want three files", text)
		}
		for i, ending := range []string{".jar", ".pom", "-sources.jar"} {
			s.text(t, at(s.project, fmt.Sprintf("%sm%d-%s%s", folder, module, values[i], ending)))
		}
		index := s.text(t, at(s.project, fmt.Sprintf("com/example/m%d/maven-metadata.xml", module)))
		if got := between(index, "version"); !slices.Equal(got, []string{"1.0-SNAPSHOT"}) {
			t.Errorf("versions = %v", got)
		}
	}
}

// deploySnapshot sends what Maven sends for one module.
func (s scene) deploySnapshot(t *testing.T, module, run int) {
	artifact := fmt.Sprintf("m%d", module)
	folder := "com/example/" + artifact + "/1.0-SNAPSHOT/"
	stem := fmt.Sprintf("%s%s-1.0-20260102.03040%d-1", folder, artifact, run)
	index := "<metadata><groupId>com.example</groupId><artifactId>" + artifact + "</artifactId><versioning><versions><version>1.0-SNAPSHOT</version></versions></versioning></metadata>"
	if a := s.get(at(s.project, folder+"maven-metadata.xml")); a.Status != 200 && a.Status != 404 {
		t.Errorf("GET of metadata = %d %s", a.Status, a.Body)
	}
	for _, file := range []struct{ path, body string }{
		{stem + ".jar", fmt.Sprint("jar ", module, run)}, {stem + ".pom", pom("com.example", artifact, "1.0-SNAPSHOT")}, {stem + "-sources.jar", "sources"},
		{folder + "maven-metadata.xml", index}, {"com/example/" + artifact + "/maven-metadata.xml", index},
	} {
		if a := s.put(at(s.project, file.path), file.body); a.Status != 200 {
			t.Errorf("PUT %s = %d %s, want 200", file.path, a.Status, a.Body)
		}
		for ending, status := range map[string]int{"sha1": 204, "md5": 200} {
			if a := s.put(at(s.project, file.path+"."+ending), sumsOf([]byte(file.body))[ending]); a.Status != status {
				t.Errorf("PUT %s.%s = %d %s, want %d", file.path, ending, a.Status, a.Body, status)
			}
		}
	}
}

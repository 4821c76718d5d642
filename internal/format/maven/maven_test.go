package maven_test

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
)

const root = formattest.Root

// scene is a world with one project in it.
type scene struct {
	*formattest.World
	group, project int64
}

func start(t testing.TB, visibility string, edit ...func(*house.Options)) scene {
	t.Helper()
	w := formattest.Start(t, edit...)
	group := w.Group("acme", 0, visibility)
	return scene{w, group, w.Project("tools", group, visibility)}
}

// at is a path below the format's mount in a project.
func at(project any, path string) string {
	return fmt.Sprintf("/api/v4/projects/%v/packages/maven/%s", project, path)
}

func inGroup(group any, path string) string {
	return fmt.Sprintf("/api/v4/groups/%v/-/packages/maven/%s", group, path)
}

func inInstance(path string) string { return "/api/v4/packages/maven/" + path }

// pom writes a project's description; more goes into it.
func pom(group, artifact, version string, more ...string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>` + group + `</groupId><artifactId>` +
		artifact + `</artifactId><version>` + version + `</version>` + strings.Join(more, "") + `</project>`
}

// put sends a body, with the administrator's token unless another header is given.
func (s scene) put(path, body string, header ...string) formattest.Answer {
	if header == nil {
		header = []string{root}
	}
	a, err := s.Try("PUT", path, strings.NewReader(body), header...)
	if err != nil {
		return formattest.Answer{Body: []byte(err.Error())}
	}
	return a
}

func (s scene) mustPut(t testing.TB, path, body string) {
	t.Helper()
	if a := s.put(path, body); a.Status/100 != 2 {
		t.Fatalf("PUT %s = %d %s, want 2xx", path, a.Status, a.Body)
	}
}

// release deploys a pom and a jar of com.example:app.
func (s scene) release(t testing.TB, project int64, version string) {
	t.Helper()
	folder := "com/example/app/" + version + "/app-" + version
	s.mustPut(t, at(project, folder+".jar"), "jar of "+version)
	s.mustPut(t, at(project, folder+".pom"), pom("com.example", "app", version))
}

func (s scene) get(path string, header ...string) formattest.Answer {
	if header == nil {
		header = []string{root}
	}
	return s.Do("GET", path, nil, header...)
}

// text reads a document and checks that all checksums beside it are its own.
func (s scene) text(t testing.TB, path string) string {
	t.Helper()
	a := s.get(path)
	if a.Status != 200 {
		t.Fatalf("GET %s = %d %s, want 200", path, a.Status, a.Body)
	}
	for ending, sum := range sumsOf(a.Body) {
		if b := s.get(path + "." + ending); b.Status != 200 || string(b.Body) != sum || b.Header.Get("Content-Type") != "text/plain" {
			t.Errorf("GET %s.%s = %d %s, want %s", path, ending, b.Status, b.Body, sum)
		}
		if got := a.Header.Get("X-Checksum-" + ending); got != sum {
			t.Errorf("GET %s: checksum in the header = %s, want %s", path, got, sum)
		}
	}
	return string(a.Body)
}

func sumsOf(data []byte) map[string]string {
	all := map[string]string{}
	for ending, h := range map[string]hash.Hash{"md5": md5.New(), "sha1": sha1.New(), "sha256": sha256.New(), "sha512": sha512.New()} {
		_, _ = h.Write(data) // never fails
		all[ending] = hex.EncodeToString(h.Sum(nil))
	}
	return all
}

// between are the texts of an element in a document, in order.
func between(text, element string) (all []string) {
	for _, part := range strings.Split(text, "<"+element+">")[1:] {
		inside, _, _ := strings.Cut(part, "</")
		all = append(all, inside)
	}
	return all
}

func TestSuite(t *testing.T) {
	t.Parallel()
	const content = "the bytes of a jar"
	formattest.Run(t, formattest.Case{
		Format: "maven",
		Publish: func(w *formattest.World, mount string, header ...string) formattest.Answer {
			a, err := w.Try("PUT", mount+"/com/example/app/1.0.0/app-1.0.0.jar", io.MultiReader(strings.NewReader(content)), header...)
			if err != nil {
				return formattest.Answer{Body: []byte(err.Error())}
			}
			return a
		},
		File: "/com/example/app/1.0.0/app-1.0.0.jar", Content: content, Group: true,
		Absent: []string{
			"/com/example/app/2.0.0/app-2.0.0.jar", "/com/example/app/1.0.0/app-1.0.0.pom", "/com/example/app/1.0.0/app-1.0.0.pom.sha1",
			"/com/example/app/1.0.0/app-1.0.0.jar.sha1.md5", "/com/example/other/maven-metadata.xml", "/com/example/other/maven-metadata.xml.sha1",
			"/com/example/app/1.0-SNAPSHOT/maven-metadata.xml", "/com/example/maven-metadata.xml", "/com/example/app/maven-metadata.xml.asc",
		},
		Bad: []string{
			"/com/ex%20ample/app/1.0/app.jar", "/com/example/app/1..0/app.jar", "/com/example/app/1.0/a%c3%a4.jar", "/app.jar", "/1.0/app.jar",
			"/com/example/app/$%25123/app.jar", "/com/example/app/1.0/app%2fb.jar%00", "/com/@example/app/1.0/app.jar",
		},
	})
}

package generic_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
	"packhouse/internal/registry"
)

const root = formattest.Root

// scene is a world with one project in it.
type scene struct {
	*formattest.World
	group, project int64
}

// start makes a world with the project acme/tools.
func start(t *testing.T, visibility string, edit ...func(*house.Options)) scene {
	t.Helper()
	w := formattest.Start(t, edit...)
	group := w.Group("acme", 0, visibility)
	return scene{w, group, w.Project("tools", group, visibility)}
}

// at is the path of a file of a project: at(1, "tool/1.0/app.tar.gz").
func at(project int64, file string) string {
	return fmt.Sprintf("/api/v4/projects/%d/packages/generic/%s", project, file)
}

// inGroup is the path of a file as it is asked for in a group.
func inGroup(group any, file string) string {
	return fmt.Sprintf("/api/v4/groups/%v/-/packages/generic/%s", group, file)
}

func (s scene) at(file string) string { return at(s.project, file) }

// put publishes as the administrator and returns the answer.
func (s scene) put(file, content string, header ...string) formattest.Answer {
	return s.Do("PUT", s.at(file), strings.NewReader(content), append([]string{root}, header...)...)
}

// mustPut publishes as the administrator, or fails the test.
func (s scene) mustPut(t *testing.T, file, content string) {
	t.Helper()
	if a := s.put(file, content); a.Status != 201 {
		t.Fatalf("PUT %s = %d %s, want 201", file, a.Status, a.Body)
	}
}

// mustGet reads as the administrator and compares, or fails the test.
func (s scene) mustGet(t *testing.T, file, want string) {
	t.Helper()
	a := s.Do("GET", s.at(file), nil, root)
	if a.Status != 200 || string(a.Body) != want {
		t.Fatalf("GET %s = %d with %d bytes, want 200 with %d", file, a.Status, len(a.Body), len(want))
	}
}

// empty checks that nothing at all is stored.
func (s scene) empty(t *testing.T) {
	t.Helper()
	if list := append(s.Packages(s.project, ""), s.Packages(s.project, "status=hidden")...); len(list) != 0 {
		t.Errorf("packages = %+v, want none", list)
	}
	if got := s.Stored(); got != (formattest.Stored{}) {
		t.Errorf("stored = %+v, want nothing", got)
	}
}

// sizes are those at which the way of storing a file changes, in bytes.
var sizes = []int{0, 1, registry.InlineLimit - 1, registry.InlineLimit, registry.InlineLimit + 1, 5 << 20}

// both are a size that is kept in the database and one that is kept in a file.
var both = []int{5, 100_000}

// content is bytes of a size that differs from seed to seed.
func content(size int, seed uint64) string {
	b := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(size)}).Read(b) // never fails
	return string(b)
}

func sha256of(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file in testdata, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
	}
}

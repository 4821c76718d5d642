package generic_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
)

// shown is an answer as text: what a client sees but for what differs from run
// to run.
func shown(a formattest.Answer) string {
	var b strings.Builder
	fmt.Fprintln(&b, a.Status)
	var names []string
	for name := range a.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := strings.Join(a.Header[name], ", ")
		switch name {
		case "Date", "Last-Modified", "X-Request-Id":
			value = "-"
		case "Content-Length":
			if strings.Contains(string(a.Body), "request_id") {
				value = "-"
			}
		}
		fmt.Fprintf(&b, "%s: %s\n", name, value)
	}
	fmt.Fprintf(&b, "\n%s\n", formattest.Masked(a.Body))
	return b.String()
}

var times = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)

// The documents of the protocol.
func TestDocuments(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	golden(t, "created", []byte(shown(s.put("tool/1.0/app.tar.gz", "hello"))))
	golden(t, "download", []byte(shown(s.Do("GET", s.at("tool/1.0/app.tar.gz"), nil, root))))
	s.mustPut(t, "tool/1.0/dir/big.bin", strings.Repeat("0123456789", 5000))
	golden(t, "head", []byte(shown(s.Do("HEAD", s.at("tool/1.0/dir/big.bin"), nil, root))))
	golden(t, "range", []byte(shown(s.Do("GET", s.at("tool/1.0/dir/big.bin"), nil, root, "Range: bytes=10-19"))))
}

// The file object, the same by id and by path of the project.
func TestPackageFileDocument(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, target := range []string{
		s.at("tool/1.0/dir/app.tar.gz?select=package_file"),
		"/api/v4/projects/acme%2Ftools/packages/generic/tool/1.0/dir/app.tar.gz?select=package_file",
	} {
		a := s.Do("PUT", target, strings.NewReader("hello"), root, "X-Checksum-Md5: 5d41402abc4b2a76b9719d911017c592")
		if a.Status != 200 {
			t.Fatalf("PUT ?select=package_file = %d %s, want 200", a.Status, a.Body)
		}
		var record struct {
			ID   int64
			File struct{ URL string }
		}
		s.JSON(a, &record)
		got := times.ReplaceAllString(strings.Replace(string(a.Body), fmt.Sprintf(`"id":%d,`, record.ID), `"id":1,`, 1), "-")
		golden(t, "package_file", []byte(indented(t, got)))
		if got := s.Do("GET", record.File.URL, nil, root); got.Status != 200 || string(got.Body) != "hello" {
			t.Errorf("GET of file.url %s = %d, want the file", record.File.URL, got.Status)
		}
	}
}

func indented(t *testing.T, doc string) string {
	t.Helper()
	var v json.RawMessage = []byte(doc)
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out) + "\n"
}

// Every refusal, as the person at the other end reads it.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := start(t, "public", func(o *house.Options) { o.Directory.Sizes = map[string]int64{"generic": 1000} })
	other := s.Project("other", s.group, "private")
	off := s.Project("off", s.group, "private", `"package_registry_access_level":"disabled"`)
	user, token := s.User("gina")
	guest := "Private-Token: " + token
	s.Member("projects", s.project, user, 10)
	job := "Job-Token: " + s.JobToken(s.project, 1)
	reader := "Deploy-Token: " + s.DeployToken("projects", s.project, "read_package_registry")
	s.mustPut(t, "tool/1.0/f", "hello")
	s.Settings("projects", s.project, `{"generic_duplicates_allowed":false}`)
	put := func(target, body string, header ...string) formattest.Answer {
		return s.Do("PUT", target, strings.NewReader(body), header...)
	}
	var b strings.Builder
	for _, one := range []struct {
		name string
		a    formattest.Answer
	}{
		{"401 publish without a credential", put(s.at("a/1/f"), "x")},
		{"401 bad token", s.Do("GET", s.at("tool/1.0/f"), nil, "Private-Token: glpat-badbadbadbadbadbadba")},
		{"401 bad job token", s.Do("GET", s.at("tool/1.0/f"), nil, "Authorization: Basic Z2l0bGFiLWNpLXRva2VuOmJhZA==")},
		{"404 project", s.Do("GET", at(other, "tool/1.0/f"), nil, guest)},
		{"404 package", s.Do("GET", s.at("tool/9/f"), nil, root)},
		{"404 group file", s.Do("GET", inGroup("acme", "tool/9/f"), nil, root)},
		{"404 route", s.Do("GET", s.at("tool/1.0"), nil, root)},
		{"403 guest publishes", put(s.at("a/1/f"), "x", guest)},
		{"403 read-only deploy token publishes", put(s.at("a/1/f"), "x", reader)},
		{"403 allowlist", put(at(other, "a/1/f"), "x", job)},
		{"403 registry off", put(at(off, "a/1/f"), "x", root)},
		{"405 group publish", put(inGroup("acme", "a/1/f"), "x", root)},
		{"400 name", put(s.at("a@b/1/f"), "x", root)},
		{"400 version", put(s.at("a/1%2F2/f"), "x", root)},
		{"400 file", put(s.at("a/1/~f"), "x", root)},
		{"400 directory", put(s.at("a/1/~d/f"), "x", root)},
		{"400 no file name", put(s.at("a/1/d/"), "x", root)},
		{"400 traversal", put(s.at("a/1/%2e%2e%2ff"), "x", root)},
		{"400 status", put(s.at("a/1/f?status=processing"), "x", root)},
		{"400 select", put(s.at("a/1/f?select=x"), "x", root)},
		{"400 no body", s.Raw(s.Head("PUT", s.at("a/1/f"), root) + "\r\n")},
		{"400 form", put(s.at("a/1/f"), "--b--", root, "Content-Type: multipart/form-data; boundary=b")},
		{"400 too large", put(s.at("a/1/f"), strings.Repeat("x", 1001), root)},
		{"400 checksum", put(s.at("a/1/f"), "x", root, "X-Checksum-Md5: 00")},
		{"400 no checksum", put(s.at("a/1/f"), "x", root, "X-Checksum-Sha256: 00")},
		{"400 duplicate", put(s.at("tool/1.0/f"), "x", root)},
	} {
		fmt.Fprintf(&b, "# %s\n%s\n", one.name, shown(one.a))
	}
	golden(t, "refusals", []byte(b.String()))
}

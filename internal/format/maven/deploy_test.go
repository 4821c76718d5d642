package maven_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"packhouse"
)

const jar = "com/example/app/1.0/app-1.0.jar"

// Checksums are answered as GitLab answers them, but that all are compared.
func TestChecksums(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.mustPut(t, at(s.project, jar), "bytes")
	right := sumsOf([]byte("bytes"))
	for ending, status := range map[string]int{"md5": 200, "sha1": 204, "sha256": 204, "sha512": 204} {
		for _, test := range []struct {
			what, path, body string
			want             int
		}{
			{"right", jar, right[ending], status}, {"upper case, with a name", jar, strings.ToUpper(right[ending]) + "  app-1.0.jar\n", status},
			{"wrong", jar, sumsOf([]byte("other"))[ending], 409}, {"of nothing", "com/example/app/1.0/none.jar", right[ending], 404},
			{"no checksum", jar, "hello", 400}, {"empty", jar, "", 400}, {"of another length", jar, right[ending] + "00", 400},
		} {
			if a := s.put(at(s.project, test.path+"."+ending), test.body); a.Status != test.want || a.Status < 300 && len(a.Body) > 0 {
				t.Errorf("PUT .%s, %s = %d %s, want %d", ending, test.what, a.Status, a.Body, test.want)
			}
		}
		if a := s.get(at(s.project, jar+"."+ending)); a.Status != 200 || string(a.Body) != right[ending] {
			t.Errorf("GET .%s = %d %s, want the checksum of the bytes", ending, a.Status, a.Body)
		}
	}
	if files := s.Files(s.project, s.Packages(s.project, "")[0].ID); len(files) != 1 {
		t.Errorf("files = %v, want the jar alone", files)
	}
	// Announced in the header, a wrong one keeps the file out.
	for ending := range right {
		if a := s.put(at(s.project, jar), "changed", root, "X-Checksum-"+ending+": "+right[ending]); a.Status != 400 {
			t.Errorf("PUT with another %s = %d %s, want 400", ending, a.Status, a.Body)
		}
	}
	if got := s.text(t, at(s.project, jar)); got != "bytes" {
		t.Errorf("jar = %q, want what it was", got)
	}
}

// The checksum of metadata that a client puts is of what it put, however that differs
// from what is served.
func TestChecksumOfHint(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	const path, body = "com/example/app/maven-metadata.xml", "<metadata><groupId>com.example</groupId></metadata>"
	s.mustPut(t, at(s.project, path), body)
	for ending, sum := range sumsOf([]byte(body)) {
		for _, test := range []struct {
			sent string
			want int
		}{{sum, 204}, {"hello", 400}} {
			if test.want == 204 && ending == "md5" {
				test.want = 200
			}
			if a := s.put(at(s.project, path+"."+ending), test.sent); a.Status != test.want {
				t.Errorf("PUT .%s %s = %d %s, want %d", ending, test.sent, a.Status, a.Body, test.want)
			}
		}
	}
}

// With duplicates off releases are immutable and builds of snapshots are free.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	const build = "com/example/app/1.1-SNAPSHOT/app-1.1-20260102.03040%d-%[1]d.jar"
	s.mustPut(t, at(s.project, jar), "first")
	s.mustPut(t, at(s.project, jar), "second")
	if got := s.text(t, at(s.project, jar)); got != "second" {
		t.Errorf("jar = %q, want the newest", got)
	}
	// The checksum of either copy may come yet.
	for _, body := range []string{"first", "second"} {
		if a := s.put(at(s.project, jar+".sha1"), sumsOf([]byte(body))["sha1"]); a.Status != 204 {
			t.Errorf("PUT of the checksum of the %s = %d %s, want 204", body, a.Status, a.Body)
		}
	}
	for _, test := range []struct {
		settings  string
		path      string
		want      int
		mentioned string
	}{
		{`{"maven_duplicates_allowed":false}`, jar, 400, "Duplicate package is not allowed: com/example/app 1.0"},
		{"", "com/example/app/1.0/app-1.0-javadoc.jar", 200, ""},
		{"", fmt.Sprintf(build, 1), 200, ""},
		{"", fmt.Sprintf(build, 2), 200, ""},
		{"", fmt.Sprintf(build, 2), 400, "Duplicate"},
		{"", "com/example/app/2.0/app-2.0.jar", 200, ""},
		{`{"maven_duplicates_allowed":false,"maven_duplicate_exception_regex":".*SNAPSHOT"}`, fmt.Sprintf(build, 2), 200, ""},
		{"", jar, 400, "Duplicate"},
		{`{"maven_duplicates_allowed":false,"maven_duplicate_exception_regex":"com/example/.*"}`, jar, 200, ""},
		{`{"maven_duplicates_allowed":true,"maven_duplicate_exception_regex":"1\\.0"}`, jar, 400, "Duplicate"},
	} {
		if test.settings != "" {
			s.Settings("groups", s.group, test.settings)
		}
		a := s.put(at(s.project, test.path), "again")
		if a.Status != test.want || !strings.Contains(string(a.Body), test.mentioned) {
			t.Errorf("%s: PUT %s = %d %s, want %d %s", test.settings, test.path, a.Status, a.Body, test.want, test.mentioned)
		}
	}
	if a := s.put(at(s.project, "com/example/app/maven-metadata.xml"), "<metadata/>"); a.Status != 200 {
		t.Errorf("PUT of metadata = %d %s, want 200: it is never a duplicate", a.Status, a.Body)
	}
}

// Every kind of token, in every place where Maven puts one.
func TestTokens(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	user, _ := s.User("dev")
	s.Member("projects", s.project, user, packhouse.Developer)
	basic := func(login, secret string) string {
		return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(login+":"+secret))
	}
	personal, job := s.PersonalToken(user, "api"), s.JobToken(s.project, user)
	writer := s.DeployToken("projects", s.project, "write_package_registry")
	reader := s.DeployToken("groups", s.group, "read_package_registry")
	_, guest := s.User("guest")
	for i, test := range []struct {
		header    string
		put, read int
	}{
		{"Private-Token: " + personal, 200, 200}, {"Job-Token: " + job, 200, 200}, {"Deploy-Token: " + writer, 200, 200},
		{basic("dev", personal), 200, 200}, {basic("gitlab-ci-token", job), 200, 200}, {basic("any", writer), 200, 200},
		{"Deploy-Token: " + reader, 403, 200}, {basic("deploy-token-username", reader), 403, 200},
		{"Private-Token: " + guest, 404, 404}, {"X: y", 401, 401},
	} {
		version := fmt.Sprintf("1.%d", i)
		if a := s.put(at(s.project, "com/example/app/"+version+"/app-"+version+".pom"), pom("com.example", "app", version), test.header); a.Status != test.put {
			t.Errorf("PUT with %.30s = %d %s, want %d", test.header, a.Status, a.Body, test.put)
		}
		for _, path := range []string{at(s.project, "com/example/app/1.0/app-1.0.pom"), at(s.project, "com/example/app/maven-metadata.xml"), inGroup("acme", "com/example/app/1.0/app-1.0.pom")} {
			if a := s.get(path, test.header); a.Status != test.read && !(test.header == "Deploy-Token: "+writer || strings.Contains(test.header, "any") || test.put == 200 && a.Status == 404) {
				t.Errorf("GET %s with %.30s = %d %s, want %d", path, test.header, a.Status, a.Body, test.read)
			}
		}
	}
	if a := s.get(at(s.project, "com/example/app/maven-metadata.xml"), "Deploy-Token: "+writer); a.Status != 200 {
		t.Errorf("GET of metadata with a token that deploys = %d %s, want 200", a.Status, a.Body)
	}
}

// What a job deploys is linked with its pipeline.
func TestPipeline(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	user, _ := s.User("dev")
	s.Member("projects", s.project, user, packhouse.Developer)
	job := s.JobToken(s.project, user, `"pipeline":{"id":574}`)
	if a := s.put(at(s.project, jar), "bytes", "Job-Token: "+job); a.Status != 200 {
		t.Fatalf("PUT = %d %s, want 200", a.Status, a.Body)
	}
	files := s.Files(s.project, s.Packages(s.project, "package_type=maven")[0].ID)
	if len(files) != 1 || len(files[0].Pipelines) != 1 || files[0].Pipelines[0].ID != 574 {
		t.Errorf("files = %+v, want one of pipeline 574", files)
	}
}

// Maven 3.9 prints the detail of a problem.
func TestProblems(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.Settings("groups", s.group, `{"maven_duplicates_allowed":false}`)
	s.mustPut(t, at(s.project, jar), "bytes")
	for _, header := range []string{"Accept: application/json, application/problem+json", "User-Agent: Apache-Maven/3.9.16 (Java 17.0.15; Linux 6.1)"} {
		a := s.put(at(s.project, jar), "again", root, header)
		var problem struct {
			Status        int
			Title, Detail string
		}
		if err := json.Unmarshal(a.Body, &problem); err != nil || a.Header.Get("Content-Type") != "application/problem+json" ||
			problem.Status != 400 || a.Status != 400 || problem.Title != "Bad Request" || !strings.Contains(problem.Detail, "Duplicate package is not allowed") {
			t.Errorf("PUT with %s = %d %s, want a problem", header, a.Status, a.Body)
		}
	}
	// What Maven acts upon is no problem: it would stop.
	for path, header := range map[string]string{at(s.project, "com/example/none/maven-metadata.xml"): root, at(s.project, jar): "X: y"} {
		if a := s.get(path, header, "User-Agent: Apache-Maven/3.9.16", "Accept: application/problem+json"); a.Status/100 != 4 || a.Header.Get("Content-Type") != "application/json" {
			t.Errorf("GET %s = %d %v, want GitLab's error", path, a.Status, a.Header)
		}
	}
}

// A pom belongs where it is deployed to.
func TestPom(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	const path = "com/example/app/1.0/app-1.0.pom"
	inherited := `<project><parent><groupId>com.example</groupId><artifactId>up</artifactId><version>1.0</version></parent><artifactId>app</artifactId></project>`
	for _, body := range []string{
		pom("com.example", "app", "1.0"), inherited, pom("com.example", "app", "${revision}"), pom("${group}", "app", "1.0${changelist}"),
		"\xef\xbb\xbf" + pom("com.example", "app", "1.0"), pom("com.example", "app", "1.0", "<developers><developer><name>J&oslash;rgen</name></developer></developers>"),
		strings.Replace(pom("com.example", "app", "1.0", "<name>\xe9</name>"), "UTF-8", "ISO-8859-1", 1), " \n" + strings.SplitN(pom("com.example", "app", "1.0"), "\n", 2)[1],
	} {
		s.mustPut(t, at(s.project, path), body)
		if got := s.text(t, at(s.project, path)); got != body {
			t.Errorf("pom = %q, want %q", got, body)
		}
	}
	for _, body := range []string{pom("com.example", "other", "1.0"), pom("com.other", "app", "1.0"), pom("com.example", "app", "1.1"), pom("", "app", "1.0")} {
		if a := s.put(at(s.project, path), body); a.Status != 400 || !strings.Contains(string(a.Body), "pom") {
			t.Errorf("PUT of %s = %d %s, want 400", body, a.Status, a.Body)
		}
	}
}

// Requests that builds send again and again.
func TestConditions(t *testing.T) {
	t.Parallel()
	s := start(t, "public")
	s.release(t, s.project, "1.0")
	for _, path := range []string{jar, "com/example/app/maven-metadata.xml"} {
		first := s.get(at(s.project, path))
		if a := s.get(at(s.project, path), "If-None-Match: "+first.Header.Get("Etag")); a.Status != 304 {
			t.Errorf("GET %s again = %d, want 304", path, a.Status)
		}
		head := s.Do("HEAD", at(s.project, path), nil)
		if head.Status != 200 || head.Header.Get("X-Checksum-Sha1") != sumsOf(first.Body)["sha1"] || head.Header.Get("Content-Length") != fmt.Sprint(len(first.Body)) {
			t.Errorf("HEAD %s = %d %v", path, head.Status, head.Header)
		}
	}
	if a := s.Do("GET", at(s.project, jar), nil, "Range: bytes=0-2"); a.Status != 206 || string(a.Body) != "jar" {
		t.Errorf("GET of a range = %d %q", a.Status, a.Body)
	}
}

// What Gradle's maven-publish sends for a snapshot: its metadata before anything is
// there, four checksums of each file, and module metadata that it reads before the pom.
func TestGradle(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	const folder = "com/example/app/1.0-SNAPSHOT/"
	metadata := `<?xml version="1.0" encoding="UTF-8"?><metadata modelVersion="1.1.0"><groupId>com.example</groupId><artifactId>app</artifactId><version>1.0-SNAPSHOT</version>` +
		`<versioning><snapshot><timestamp>20260102.030405</timestamp><buildNumber>1</buildNumber></snapshot></versioning></metadata>`
	const stem = folder + "app-1.0-20260102.030405-1"
	for _, file := range []struct{ path, body string }{
		{folder + "maven-metadata.xml", metadata}, {stem + ".jar", "jar"}, {stem + ".module", `{"formatVersion":"1.1"}`}, {stem + ".pom", pom("com.example", "app", "1.0-SNAPSHOT")},
		{"com/example/app/maven-metadata.xml", "<metadata><groupId>com.example</groupId><artifactId>app</artifactId><versioning><versions><version>1.0-SNAPSHOT</version></versions></versioning></metadata>"},
	} {
		s.mustPut(t, at(s.project, file.path), file.body)
		for ending, sum := range sumsOf([]byte(file.body)) {
			s.mustPut(t, at(s.project, file.path+"."+ending), sum)
		}
	}
	text := s.text(t, at(s.project, folder+"maven-metadata.xml"))
	if got := between(text, "extension"); len(got) != 3 {
		t.Errorf("metadata = %s, want jar, module and pom", text)
	}
	for _, ending := range []string{".module", ".jar", ".pom"} {
		if a := s.Do("HEAD", inGroup("acme", stem+ending), nil, root); a.Status != 200 {
			t.Errorf("HEAD %s = %d, want 200", ending, a.Status)
		}
	}
	for _, absent := range []string{"com/example/none/1.0/none-1.0.module", "com/example/none/1.0/none-1.0.pom", "com/example/none/maven-metadata.xml"} {
		if a := s.Do("HEAD", inGroup("acme", absent), nil, root); a.Status != 404 {
			t.Errorf("HEAD %s = %d, want 404", absent, a.Status)
		}
	}
	if files := s.Files(s.project, s.Packages(s.project, "")[0].ID); len(files) != 3 {
		t.Errorf("files = %v, want no checksums and no metadata among them", files)
	}
}

// Ivy's own layout has a folder more. Its files are kept as they are named.
func TestIvyLayout(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, path := range []string{"com.example/app/1.0/jars/app.jar", "com.example/app/1.0/ivys/ivy.xml"} {
		s.mustPut(t, at(s.project, path), "bytes of "+path)
		if got := s.text(t, inGroup("acme", path)); got != "bytes of "+path {
			t.Errorf("GET %s = %q", path, got)
		}
	}
}

package npm_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/format/formattest"
)

func shasum(data []byte) string {
	sum := sha1.Sum(data)
	return hex.EncodeToString(sum[:])
}

// noise is text that does not compress, the same for the same length.
func noise(n int) string {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return string(data)
}

// deprecation sends a packument back with a text at some versions, as npm does.
func (s scene) deprecation(name, why string, versions []string, header ...string) formattest.Answer {
	s.t.Helper()
	var doc object
	s.JSON(s.get(at(s.project, escaped(name)+"?write=true")), &doc)
	for _, version := range versions {
		doc["versions"].(object)[version].(object)["deprecated"] = why
	}
	return put(s.World, at(s.project, escaped(name)), encode(doc), header...)
}

func TestDeprecate(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.mustPublish(rich("1.0.0"), rich("1.1.0"), rich("2.0.0"))
	user, token := s.User("dev")
	s.Member("projects", s.project, user, packhouse.Developer)
	dev := "Authorization: Bearer " + token
	for _, header := range [][]string{{dev, "Npm-Command: deprecate"}, {dev}} {
		if a := s.deprecation("@acme/lib", "no", []string{"1.0.0"}, header...); a.Status != 403 {
			t.Errorf("deprecate by a developer = %d %s, want 403", a.Status, a.Body)
		}
	}
	for i, header := range [][]string{{root, "Npm-Command: deprecate"}, {root}} {
		why := []string{"use 2.x", `use <3> & "more"`}[i]
		if a := s.deprecation("@acme/lib", why, []string{"1.0.0", "1.1.0"}, header...); a.Status != 200 {
			t.Fatalf("deprecate = %d %s, want 200", a.Status, a.Body)
		}
		for _, page := range []string{at(s.project, "@acme%2flib"), inGroup("acme", "@acme%2flib")} {
			for _, accept := range []string{"", short} {
				p := s.packument(page, accept)
				if p.Versions["1.0.0"].Deprecated != why || p.Versions["1.1.0"].Deprecated != why || p.Versions["2.0.0"].Deprecated != "" {
					t.Errorf("%s as %q = %+v, want the two deprecated", page, accept, p.Versions)
				}
				if p.Versions["1.0.0"].Dependencies["left"] != "^1.0.0" || p.Versions["1.0.0"].Dist.Shasum == "" {
					t.Errorf("deprecating lost the manifest: %+v", p.Versions["1.0.0"])
				}
			}
		}
	}
	if a := s.deprecation("@acme/lib", "", []string{"1.0.0"}, root, "Npm-Command: deprecate"); a.Status != 200 {
		t.Fatalf("undeprecate = %d %s", a.Status, a.Body)
	}
	a := s.get(at(s.project, "@acme%2flib/1.0.0"))
	if p := s.packument(at(s.project, "@acme%2flib")); p.Versions["1.0.0"].Deprecated != "" || p.Versions["1.1.0"].Deprecated == "" || bytes.Contains(a.Body, []byte("deprecated")) {
		t.Errorf("after taking it back: %s", a.Body)
	}
	for what, test := range map[string]struct {
		body   string
		status int
	}{
		"no versions":         {`{"name":"@acme/lib","versions":{}}`, 400},
		"no texts":            {`{"name":"@acme/lib","versions":{"1.0.0":{}}}`, 400},
		"another name":        {`{"name":"@acme/other","versions":{"1.0.0":{"deprecated":"x"}}}`, 400},
		"a text that is none": {`{"name":"@acme/lib","versions":{"1.0.0":{"deprecated":[1]}}}`, 400},
		"a long text":         {`{"name":"@acme/lib","versions":{"1.0.0":{"deprecated":"` + strings.Repeat("x", 5000) + `"}}}`, 400},
		"an attachment":       {`{"name":"@acme/lib","versions":{"1.0.0":{"deprecated":"x"}},"_attachments":{}}`, 400},
		"a version like __":   {`{"name":"@acme/lib","versions":{"__proto__":{"deprecated":"x"}}}`, 200},
	} {
		if a := put(s.World, at(s.project, "@acme%2flib"), test.body, root, "Npm-Command: deprecate"); a.Status != test.status {
			t.Errorf("deprecate with %s = %d %s, want %d", what, a.Status, a.Body, test.status)
		}
	}
	if a := put(s.World, at(s.project, "none"), `{"name":"none","versions":{"1.0.0":{"deprecated":"x"}}}`, root, "Npm-Command: deprecate"); a.Status != 404 {
		t.Errorf("deprecate of nothing = %d %s, want 404", a.Status, a.Body)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.mustPublish(pkg{name: "@acme/lib", version: "1.0.0"}, pkg{name: "@acme/lib", version: "2.0.0"})
	user, token := s.User("dev")
	s.Member("projects", s.project, user, packhouse.Developer)
	guest, reporter := s.User("reporter")
	s.Member("projects", s.project, guest, packhouse.Reporter)
	for _, level := range []string{at(s.project, ""), inGroup("acme", ""), onInstance("")} {
		tags := level + "-/package/@acme%2flib/dist-tags/"
		for _, test := range []struct {
			method, tag, body, header string
			status                    int
		}{
			{"PUT", "old", `"1.0.0"`, "Authorization: Bearer " + reporter, 403},
			{"PUT", "old", `"1.0.0"`, "", 401},
			{"PUT", "old", `"1.0.0"`, "Authorization: Bearer " + token, 204},
			{"PUT", "latest", `"1.0.0"`, root, 204},
			{"PUT", "latest", `"2.0.0"`, root, 204},
			{"PUT", "old", `"3.0.0"`, root, 404},
			{"PUT", "old", `"1"`, root, 400},
			{"PUT", "old", `""`, root, 400},
			{"PUT", "old", `" "`, root, 400},
			{"PUT", "old", `1.0.0`, root, 400},
			{"PUT", "old", ``, root, 400},
			{"PUT", "1.x", `"1.0.0"`, root, 400},
			{"PUT", "v1", `"1.0.0"`, root, 400},
			{"PUT", "%20", `"1.0.0"`, root, 400},
			{"PUT", "a%2fb", `"1.0.0"`, root, 400},
			{"DELETE", "old", "", "Authorization: Bearer " + token, 403},
			{"DELETE", "old", "", root, 204},
			{"DELETE", "old", "", root, 404},
		} {
			a := s.Do(test.method, tags+test.tag, strings.NewReader(test.body), test.header)
			if a.Status != test.status || test.status == 204 && len(a.Body) != 0 {
				t.Errorf("%s %s%s %s = %d %s, want %d", test.method, tags, test.tag, test.body, a.Status, a.Body, test.status)
			}
		}
		if p := s.packument(level + "@acme%2flib"); len(p.Tags) != 1 || p.Tags["latest"] != "2.0.0" {
			t.Errorf("tags at %s = %v", level, p.Tags)
		}
		for path, status := range map[string]int{"-/package/none/dist-tags": 404, "-/package/%20/dist-tags": 400, "-/package/none/dist-tags/x": 404} {
			if a := s.Do("GET", level+path, nil, root); a.Status != status && !(level == onInstance("") && a.Status == 404) {
				t.Errorf("GET %s%s = %d, want %d", level, path, a.Status, status)
			}
		}
	}
}

// npm unpublish, as npm does it, with both paths of the tarball.
func TestUnpublish(t *testing.T) {
	t.Parallel()
	for _, doubled := range []bool{false, true} {
		s := start(t, "private")
		s.mustPublish(rich("1.0.0"), rich("1.1.0"), rich("2.0.0"))
		doc := func() (o object) {
			s.JSON(s.get(at(s.project, "@acme%2flib?write=true")), &o)
			return o
		}
		o := doc()
		delete(o["versions"].(object), "2.0.0")
		delete(o["dist-tags"].(object), "latest")
		if a := put(s.World, at(s.project, "@acme%2flib/-rev/1-0"), encode(o)); a.Status != 409 {
			t.Errorf("with another revision = %d %s, want 409", a.Status, a.Body)
		}
		if a := put(s.World, at(s.project, "@acme%2flib/-rev/"+o["_rev"].(string)), encode(o)); a.Status != 200 {
			t.Fatalf("first step = %d %s, want 200", a.Status, a.Body)
		}
		p := s.packument(at(s.project, "@acme%2flib"))
		if len(p.Versions) != 2 || p.Tags["latest"] != "1.1.0" {
			t.Errorf("after the first step: %v, want latest 1.1.0", p.Tags)
		}
		prefix := at(s.project, "")
		if doubled {
			prefix += strings.TrimPrefix(prefix, "/")
		}
		for range 2 {
			if a := s.Do("DELETE", prefix+"@acme/lib/-/@acme/lib-2.0.0.tgz/-rev/"+p.Rev, nil, root); a.Status != 200 {
				t.Errorf("second step = %d %s, want 200", a.Status, a.Body)
			}
		}
		if a := s.get(at(s.project, "@acme/lib/-/@acme/lib-2.0.0.tgz")); a.Status != 404 {
			t.Errorf("the tarball after that = %d, want 404", a.Status)
		}
		if a := s.Do("DELETE", prefix+"@acme/lib/-/@acme/lib-1.1.0.tgz/-rev/x", nil, root); a.Status != 409 {
			t.Errorf("the tarball of a live version by another revision = %d %s, want 409", a.Status, a.Body)
		}
		if a := s.Do("DELETE", prefix+"@acme/lib/-/@acme/lib-1.1.0.tgz/-rev/"+p.Rev, nil, root); a.Status != 200 {
			t.Errorf("the tarball of a live version = %d %s, want 200", a.Status, a.Body)
		}
		if p := s.packument(at(s.project, "@acme%2flib")); len(p.Versions) != 1 || p.Tags["latest"] != "1.0.0" {
			t.Errorf("after that: %v", p.Tags)
		}
		user, token := s.User("dev")
		s.Member("projects", s.project, user, packhouse.Developer)
		if a := s.Do("DELETE", at(s.project, "@acme%2flib/-rev/x"), nil, "Authorization: Bearer "+token); a.Status != 403 {
			t.Errorf("unpublish by a developer = %d, want 403", a.Status)
		}
		if a := s.Do("DELETE", at(s.project, "@acme%2flib/-rev/x"), nil, root); a.Status != 200 {
			t.Errorf("unpublish of all = %d %s, want 200", a.Status, a.Body)
		}
		if a := s.get(at(s.project, "@acme%2flib")); a.Status != 404 {
			t.Errorf("after that = %d, want 404", a.Status)
		}
		if a := s.Do("DELETE", at(s.project, "@acme%2flib/-rev/x"), nil, root); a.Status != 404 {
			t.Errorf("unpublish of nothing = %d, want 404", a.Status)
		}
		s.mustPublish(rich("2.0.0"))
	}
}

// What npm login asks, with a token as the password.
func TestLogin(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	_, token := s.User("ann")
	basic := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("ann:"+token))
	wrong := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("ann:wrong"))
	for _, level := range []string{at(s.project, ""), inGroup("acme", ""), onInstance("")} {
		user := level + "-/user/org.couchdb.user:ann"
		for _, test := range []struct {
			method, path, header string
			status               int
			holds                string
		}{
			{"GET", level + "-/ping", "", 200, "{}"},
			{"GET", level + "-/ping?write=true", "", 200, "{}"},
			{"GET", level + "-/whoami", "", 401, `"error":"Unauthorized`},
			{"GET", level + "-/whoami", "Authorization: Bearer " + token, 200, `{"username":"ann"}`},
			{"GET", level + "-/whoami", "Authorization: Bearer " + s.DeployToken("projects", s.project, "read_package_registry"), 200, "username"},
			{"POST", level + "-/v1/login", "", 404, ""},
			{"PUT", user, "", 409, ""},
			{"GET", user + "?write=true", "", 200, `"_rev":"1-0"`},
			{"PUT", user + "/-rev/1-0", "", 401, ""},
			{"PUT", user + "/-rev/1-0", wrong, 401, ""},
			{"PUT", user + "/-rev/1-0", basic, 201, `"token":"` + token + `"`},
			{"PUT", level + "-/user/other/-rev/1-0", basic, 404, ""},
			{"DELETE", level + "-/user/token/" + token, "Authorization: Bearer " + token, 200, "{"},
			{"GET", level + "-/whoami", "Authorization: Bearer " + token, 200, "ann"},
			{"GET", level + "-/npm/v1/tokens", "", 404, "/api/v4/personal_access_tokens"},
			{"GET", level + "-/package/@acme%2flib/collaborators", "", 404, "roles in the project"},
			{"GET", level + "-/package/@acme%2flib/visibility", "", 404, "its project"},
			{"GET", level + "-/org/acme/package", "", 404, "roles in the project"},
			{"GET", level + "-/team/acme/devs/user", "", 404, "roles in the project"},
		} {
			a := s.Do(test.method, test.path, strings.NewReader("{}"), test.header)
			if a.Status != test.status || !strings.Contains(string(a.Body), test.holds) || a.Header.Get("Www-Authenticate") != "" {
				t.Errorf("%s %s = %d %s, want %d with %s", test.method, test.path, a.Status, a.Body, test.status, test.holds)
			}
		}
	}
}

// Where npm packages are not admitted any more, those that are there can be unpublished.
func TestUnpublishWhereNotAdmitted(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.mustPublish(rich("1.0.0"))
	s.Settings("projects", s.project, `{"allowed_package_formats":"pypi"}`)
	if a := s.publish(rich("2.0.0")); a.Status != 403 || !strings.Contains(string(a.Body), "allowed_package_formats") {
		t.Errorf("publish = %d %s, want 403", a.Status, a.Body)
	}
	if a := s.Do("DELETE", at(s.project, "@acme%2flib/-rev/x"), nil, root); a.Status != 200 {
		t.Errorf("unpublish = %d %s, want 200", a.Status, a.Body)
	}
}

// Audits are answered, and told to nobody else.
func TestAudit(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, level := range []string{at(s.project, ""), inGroup("acme", ""), onInstance("")} {
		for path, want := range map[string]string{"advisories/bulk": "{}", "audits/quick": `"advisories":{}`, "audits": `"vulnerabilities"`} {
			a := s.Do("POST", level+"-/npm/v1/security/"+path, strings.NewReader("\x1f\x8b no gzip"), root, "Content-Encoding: gzip")
			if a.Status != 200 || !strings.Contains(string(a.Body), want) {
				t.Errorf("POST %s = %d %s, want %s", level+path, a.Status, a.Body, want)
			}
		}
	}
}

// A bundle that says where a package comes from is kept beside it and served.
func TestProvenance(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	statement := encode(object{"predicateType": "https://slsa.dev/provenance/v1", "subject": []object{{"name": "pkg:npm/%40acme/lib@1.0.0"}}})
	text := encode(object{
		"mediaType":    "application/vnd.dev.sigstore.bundle.v0.3+json",
		"dsseEnvelope": object{"payload": base64.StdEncoding.EncodeToString([]byte(statement)), "signatures": []object{{"sig": noiseText}}},
	})
	with := func(text string) pkg {
		p := rich("1.0.0")
		p.edit = func(body, _ object) {
			body["_attachments"].(object)["@acme/lib-1.0.0.sigstore"] = object{
				"content_type": "application/vnd.dev.sigstore.bundle.v0.3+json", "data": text, "length": len(text),
			}
		}
		return p
	}
	for _, bad := range []string{"", "{}", "x", encode(object{"mediaType": "application/vnd.dev.sigstore.bundle+json"}), strings.Replace(text, "sigstore", "sig", 1)} {
		if a := s.publish(with(bad)); bad != "" && a.Status != 400 {
			t.Errorf("publish with the bundle %q = %d %s, want 400", bad, a.Status, a.Body)
		} else if a.Status == 200 {
			s.Do("DELETE", at(s.project, "@acme%2flib/-rev/x"), nil, root)
		}
	}
	s.mustPublish(with(text))
	for _, level := range []string{at(s.project, ""), inGroup("acme", ""), onInstance("")} {
		m := s.packument(level + "@acme%2flib").Versions["1.0.0"]
		if m.Dist.Attestations == nil || !strings.HasPrefix(m.Dist.Attestations.URL, s.URL+level+"-/npm/v1/attestations/") {
			t.Fatalf("dist = %+v, want the address of attestations", m.Dist)
		}
		path := strings.TrimPrefix(m.Dist.Attestations.URL, s.URL)
		for _, path := range []string{path, strings.TrimSuffix(level, "/") + path} { // npm ≤ 8 doubles the path
			a := s.get(path)
			var got struct {
				Attestations []struct {
					PredicateType string
					Bundle        json.RawMessage
				}
			}
			s.JSON(a, &got)
			if a.Status != 200 || len(got.Attestations) != 1 || got.Attestations[0].PredicateType != "https://slsa.dev/provenance/v1" || string(got.Attestations[0].Bundle) != text {
				t.Errorf("GET %s = %d %s", path, a.Status, a.Body)
			}
		}
	}
	if files := s.Files(s.project, s.Packages(s.project, "")[0].ID); len(files) != 2 {
		t.Errorf("files = %+v, want tarball and bundle", files)
	}
}

const noiseText = "c2lnbmF0dXJl"

package nuget_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/format/formattest"
)

func basic(user, secret string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+secret))
}

// Every kind of token reads all documents of a group, however it is carried; one of
// somebody else, or one that has ended, reads none.
func TestGroupTokens(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	content := nupkg("My.Lib", "1.0.0", "<tags>t1</tags>")
	s.mustPut(t, content)
	user, _ := s.User("reader")
	s.Member("groups", s.group, user, packhouse.Reporter)
	strange, _ := s.User("stranger")
	elsewhere := s.Group("elsewhere", 0, "private")
	foreign := s.Project("foreign", elsewhere, "private")
	s.Member("projects", foreign, strange, packhouse.Maintainer)
	carriers := []func(string) string{
		func(secret string) string { return basic("whoever", secret) },
		func(secret string) string { return "X-NuGet-ApiKey: " + secret },
		func(secret string) string { return "Authorization: Bearer " + secret },
	}
	documents := map[string]string{
		"/download/my.lib/index.json":               `{"versions":["1.0.0"]}`,
		"/download/my.lib/1.0.0/my.lib.1.0.0.nupkg": string(content),
		"/metadata/my.lib/index.json":               `"tags":"t1"`,
		"/metadata/my.lib/1.0.0.json":               `"listed":true`,
		"/query?q=my":                               `"totalHits":1`,
		"/autocomplete?q=my":                        `"My.Lib"`,
		"/v2/FindPackagesById()?id='My.Lib'":        "<d:Id>My.Lib</d:Id>",
		"/v2/Packages(Id='My.Lib',Version='1.0.0')": "<d:Id>My.Lib</d:Id>",
		"/v2/Search()/$count?searchTerm='my'":       "1",
		"/v2/download/My.Lib/1.0.0":                 string(content),
		"/download/my.lib/1.0.0/my.lib.nuspec":      "<id>My.Lib</id>",
		"/v2/Search()?searchTerm='my'&$orderby=Id":  "<d:Id>My.Lib</d:Id>",
		"/FindPackagesById()?id='My.Lib'":           "<d:Id>My.Lib</d:Id>",
		"/download/MY.LIB/1.0/My.Lib.1.0.0.0.nupkg": string(content),
	}
	for kind, token := range map[string]struct{ good, bad, own string }{
		"personal": {s.PersonalToken(user, "read_api"), s.PersonalToken(strange, "read_api"), "Private-Token"},
		"deploy": {
			s.DeployToken("groups", s.group, "read_package_registry"), s.DeployToken("groups", elsewhere, "read_package_registry"), "Deploy-Token",
		},
		"job":          {s.JobToken(s.project, user), s.JobToken(foreign, strange), "Job-Token"},
		"access token": {s.AccessToken("groups", s.group, packhouse.Reporter, "read_api"), s.AccessToken("groups", elsewhere, packhouse.Reporter, "read_api"), "Private-Token"},
	} {
		own := func(secret string) string { return token.own + ": " + secret }
		for _, carry := range append(carriers, own) {
			for path, want := range documents {
				a := s.Do("GET", inGroup("acme", path), nil, carry(token.good))
				if a.Status != 200 || !strings.Contains(string(a.Body), want) {
					t.Errorf("%s: GET %s with %.24s = %d %s, want 200", kind, path, carry("…"), a.Status, a.Body)
				}
				if a := s.Do("GET", inGroup("acme", path), nil, carry(token.bad)); a.Status != 404 || bytes.Contains(a.Body, []byte("My.Lib")) {
					t.Errorf("%s of another: GET %s with %.24s = %d %s, want 404", kind, path, carry("…"), a.Status, a.Body)
				}
			}
		}
		s.Revoke(token.good)
		for _, carry := range append(carriers, own) {
			if a := s.Do("GET", inGroup("acme", "/query"), nil, carry(token.good)); a.Status != 401 || a.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s that was revoked: GET with %.24s = %d, want 401 and a challenge", kind, carry("…"), a.Status)
			}
		}
	}
}

// A large package over HTTP: the index names its pages, and each page has what the
// index says, in order. All versions are on exactly one.
func TestPagedRegistration(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	const versions = 520
	formattest.Together(func(i int) bool {
		for v := i; v < versions; v += clients {
			if a := s.put(at(s.project, "/"), nupkg("Lib", fmt.Sprintf("1.%d.0", v))); a.Status != 201 {
				t.Errorf("PUT = %d %s", a.Status, a.Body)
			}
		}
		return true
	})
	for _, mount := range []string{at(s.project, ""), inGroup("acme", "")} {
		index := s.decode(t, mount+"/metadata/lib/index.json")
		pages := index["items"].([]any)
		if len(pages) != 9 || fmt.Sprint(index["count"]) != "9" {
			t.Fatalf("%d pages, count %v, want 9", len(pages), index["count"])
		}
		next := 0
		for _, one := range pages {
			page := one.(map[string]any)
			if page["items"] != nil {
				t.Errorf("page %v has its versions in the index", page["@id"])
			}
			u, err := url.Parse(page["@id"].(string))
			if err != nil || !strings.HasPrefix(page["@id"].(string), s.URL+mount) {
				t.Fatalf("page %v: %v", page["@id"], err)
			}
			whole := s.decode(t, u.EscapedPath())
			leaves := whole["items"].([]any)
			if fmt.Sprint(len(leaves)) != fmt.Sprint(page["count"]) || whole["lower"] != page["lower"] || whole["upper"] != page["upper"] {
				t.Errorf("page %v has %d, %v to %v", page, len(leaves), whole["lower"], whole["upper"])
			}
			for _, leaf := range leaves {
				entry := leaf.(map[string]any)["catalogEntry"].(map[string]any)
				if want := fmt.Sprintf("1.%d.0", next); entry["version"] != want {
					t.Fatalf("version %v, want %s", entry["version"], want)
				}
				next++
			}
			if page["upper"] != fmt.Sprintf("1.%d.0", next-1) {
				t.Errorf("page ends with %v, has 1.%d.0", page["upper"], next-1)
			}
		}
		if next != versions {
			t.Errorf("%d versions on all pages, want %d", next, versions)
		}
		for path, want := range map[string]int{
			"/metadata/lib/page/1.0.0/1.62.0.json": 200, "/metadata/lib/page/1.0.0/1.64.0.json": 404, "/metadata/lib/page/1.63.0/1.0.0.json": 404, "/metadata/lib/page/x/1.0.0.json": 400,
			"/metadata/other/page/1.0.0/1.63.0.json": 404, "/metadata/lib/519.json": 400, "/metadata/lib/1.519.0.json": 200,
		} {
			if a := s.get(mount + path); a.Status != want {
				t.Errorf("GET %s = %d, want %d", path, a.Status, want)
			}
		}
	}
	if got := len(strings.Fields(s.versions(t, "lib"))); got != versions {
		t.Errorf("%d versions in the flat container, want %d", got, versions)
	}
}

// exchange is a request of a client and how it is answered.
type exchange struct {
	path string
	auth bool
	want int
}

// The requests of `dotnet add package My.Lib --source gitlab`, and of restore behind
// it, with the nuget.config that `dotnet nuget add source` writes: newer SDKs than the
// one that the scripts have look up the name. A credential comes after 401 alone, and
// every address but the first is one that an answer gave.
func TestAddPackageBySourceName(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	content := nupkg("My.Lib", "1.0.0")
	s.mustPut(t, content)
	deploy := s.DeployToken("groups", s.group, "read_package_registry")
	login := basic("deploy-token-username", deploy) // UserName and ClearTextPassword of the file
	client := []string{
		"User-Agent: NuGet .NET Core MSBuild Task/6.8.0 (Linux)", "X-NuGet-Client-Version: 6.8.0", "X-NuGet-Session-Id: 5b0b0c2c-1d0e-4a6f-9f58-3f0f3fd9a6f1",
		"Accept-Encoding: gzip, deflate", "Accept: application/json, */*",
	}
	for _, mount := range []string{at(s.project, ""), inGroup(s.group, ""), inGroup("acme", "")} {
		ask := func(e exchange) formattest.Answer {
			t.Helper()
			header := client
			if e.auth {
				header = append(header[:len(header):len(header)], login)
			}
			a := s.Do("GET", e.path, nil, header...)
			if a.Status != e.want {
				t.Errorf("GET %s = %d %s, want %d", e.path, a.Status, a.Body, e.want)
			}
			if challenge := a.Header.Get("WWW-Authenticate"); a.Status == 401 && !strings.HasPrefix(challenge, "Basic ") {
				t.Errorf("GET %s: challenge %q, want Basic", e.path, challenge)
			}
			return a
		}
		index := s.decode(t, mount+"/index.json")
		ask(exchange{mount + "/index.json", false, 200})
		base := resource(t, index, "PackageBaseAddress/3.0.0")
		for _, path := range []string{base + "my.lib/index.json", base + "my.lib/1.0.0/my.lib.1.0.0.nupkg"} {
			path = strings.TrimPrefix(path, s.URL)
			ask(exchange{path, false, 401})
			ask(exchange{path, true, 200})
		}
		a := ask(exchange{strings.TrimPrefix(base, s.URL) + "my.lib/1.0.0/my.lib.1.0.0.nupkg", true, 200})
		if !bytes.Equal(a.Body, content) {
			t.Errorf("the package has %d bytes, want %d", len(a.Body), len(content))
		}
		ask(exchange{strings.TrimPrefix(base, s.URL) + "absent/index.json", true, 404}) // not on this source
		registration := strings.TrimPrefix(resource(t, index, "RegistrationsBaseUrl/3.6.0"), s.URL)
		ask(exchange{registration + "my.lib/index.json", false, 401})
		ask(exchange{registration + "my.lib/index.json", true, 200})
		search := strings.TrimPrefix(resource(t, index, "SearchQueryService"), s.URL)
		ask(exchange{search + "?q=My.Lib&skip=0&take=20&prerelease=false&semVerLevel=2.0.0", true, 200})
	}
}

// resource is the address of a service in an index.
func resource(t *testing.T, index map[string]any, kind string) string {
	t.Helper()
	for _, one := range index["resources"].([]any) {
		if r := one.(map[string]any); r["@type"] == kind {
			return r["@id"].(string)
		}
	}
	t.Fatalf("%s is not in %v", kind, index)
	return ""
}

// The requests of `dotnet nuget push --source gitlab` with the same file: without a
// key the body is sent twice, to the address of the index with a slash behind it.
func TestPushBySourceName(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	login := basic("USERNAME", strings.TrimPrefix(root, "Private-Token: "))
	to := strings.TrimPrefix(resource(t, s.decode(t, at(s.project, "/index.json")), "PackagePublish/2.0.0"), s.URL) + "/"
	symbols := strings.TrimPrefix(resource(t, s.decode(t, at(s.project, "/index.json")), "SymbolPackagePublish/4.9.0"), s.URL) + "/"
	for _, push := range []struct {
		path string
		data []byte
	}{{to, nupkg("My.Lib", "1.0.0", "<!--"+string(bytes.Repeat([]byte("x"), 200<<10))+"-->")}, {symbols, nupkg("My.Lib", "1.0.0", symbolsType)}} {
		const agent = "User-Agent: NuGet xplat/6.8.0"
		if a := s.put(push.path, push.data, agent); a.Status != http.StatusUnauthorized {
			t.Errorf("PUT %s without a credential = %d %s, want 401 after the whole body", push.path, a.Status, a.Body)
		}
		if a := s.put(push.path, push.data, agent, login); a.Status != http.StatusCreated {
			t.Errorf("PUT %s = %d %s, want 201", push.path, a.Status, a.Body)
		}
	}
	group := s.decode(t, inGroup("acme", "/index.json"))
	for _, one := range group["resources"].([]any) {
		if kind := fmt.Sprint(one.(map[string]any)["@type"]); strings.Contains(kind, "Publish") {
			t.Errorf("a group has %s, and nothing can be pushed to groups", kind)
		}
	}
}

package nuget_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
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

func start(t *testing.T, visibility string, edit ...func(*house.Options)) scene {
	t.Helper()
	w := formattest.Start(t, edit...)
	group := w.Group("acme", 0, visibility)
	return scene{w, group, w.Project("tools", group, visibility)}
}

// at is a path below the format's mount in a project.
func at(project any, path string) string {
	return fmt.Sprintf("/api/v4/projects/%v/packages/nuget%s", project, path)
}

func inGroup(group any, path string) string {
	return fmt.Sprintf("/api/v4/groups/%v/-/packages/nuget%s", group, path)
}

// item is an entry of an archive.
type item struct{ name, content string }

func zipped(items ...item) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, i := range items {
		e, err := w.Create(i.name)
		if err == nil && !strings.HasSuffix(i.name, "/") {
			_, err = io.WriteString(e, i.content)
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// spec writes a nuspec; more goes into its metadata.
func spec(id, version, more string) string {
	return `<?xml version="1.0" encoding="utf-8"?><package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata><id>` + id +
		`</id><version>` + version + `</version><authors>A, B</authors><description>It &lt;does&gt; things</description>` + more + `</metadata></package>`
}

func nupkg(id, version string, more ...string) []byte {
	return zipped(item{id + ".nuspec", spec(id, version, strings.Join(more, ""))}, item{"lib/netstandard2.0/a.dll", "MZ" + strings.Join(more, "")})
}

const symbolsType = `<packageTypes><packageType name="SymbolsPackage"/></packageTypes>`

// boundary and form write a push as dotnet does: no quotes around the names.
const boundary = "7f4c1d5e-0000-4000-8000-000000000000"

func form(data []byte) []byte {
	return []byte("--" + boundary + "\r\nContent-Type: application/octet-stream\r\n" +
		"Content-Disposition: form-data; name=package; filename=package.nupkg; filename*=utf-8''package.nupkg\r\n\r\n" + string(data) + "\r\n--" + boundary + "--\r\n")
}

// put pushes, with the administrator's token unless another header is given. The
// body is sent in chunks.
func (s scene) put(path string, data []byte, header ...string) formattest.Answer {
	if header == nil {
		header = []string{root}
	}
	return raw(s.World, path, form(data), header...)
}

func raw(w *formattest.World, path string, body []byte, header ...string) formattest.Answer {
	a, err := w.Try("PUT", path, io.MultiReader(bytes.NewReader(body)), append(header, `Content-Type: multipart/form-data; boundary="`+boundary+`"`)...)
	if err != nil {
		return formattest.Answer{Body: []byte(err.Error())}
	}
	return a
}

func (s scene) mustPut(t *testing.T, data []byte) {
	t.Helper()
	if a := s.put(at(s.project, "/"), data); a.Status != 201 {
		t.Fatalf("PUT = %d %s, want 201", a.Status, a.Body)
	}
}

func (s scene) get(path string, header ...string) formattest.Answer {
	return s.Do("GET", path, nil, append([]string{root}, header...)...)
}

// decode reads JSON from a path.
func (s scene) decode(t *testing.T, path string) (v map[string]any) {
	t.Helper()
	a := s.get(path)
	if a.Status != 200 || json.Unmarshal(a.Body, &v) != nil {
		t.Fatalf("GET %s = %d %s, want JSON", path, a.Status, a.Body)
	}
	return v
}

func (s scene) versions(t *testing.T, id string) string {
	t.Helper()
	return fmt.Sprint(s.decode(t, at(s.project, "/download/"+id+"/index.json"))["versions"])
}

func TestSuite(t *testing.T) {
	t.Parallel()
	content := nupkg("My.Lib", "1.0.0")
	formattest.Run(t, formattest.Case{
		Format: "nuget",
		Publish: func(w *formattest.World, mount string, header ...string) formattest.Answer {
			return raw(w, mount+"/", form(content), header...)
		},
		File: "/download/my.lib/1.0.0/my.lib.1.0.0.nupkg", Content: string(content), Group: true,
		Absent: []string{
			"/download/other/index.json", "/download/my.lib/2.0.0/my.lib.2.0.0.nupkg", "/metadata/other/index.json", "/metadata/my.lib/2.0.0.json",
			"/download/my.lib/1.0.0/other.1.0.0.nupkg", "/v2/Packages(Id='Other',Version='1.0.0')", "/download/my.lib/1.0.0/icon",
		},
	})
}

// Versions that are one for NuGet are one here, in whatever way they are written.
func TestEquivalentVersions(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.Settings("groups", s.group, `{"nuget_duplicates_allowed":false}`)
	s.mustPut(t, nupkg("My.Lib", "1.02.0.0-RC.1+abc"))
	for _, v := range []string{"1.2-rc.1", "1.2.0-Rc.1", "1.2.0.0-RC.1", "01.2.0-rc.1+def"} {
		if a := s.put(at(s.project, "/"), nupkg("my.LIB", v)); a.Status != 409 || !strings.Contains(string(a.Body), "A package with the same name and version already exists") {
			t.Errorf("PUT %s = %d %s, want 409", v, a.Status, a.Body)
		}
		path := at(s.project, "/download/MY.lib/"+strings.ReplaceAll(v, "+", "%2B")+"/my.Lib."+strings.ReplaceAll(v, "+", "%2B")+".nupkg")
		if a := s.get(path); a.Status != 200 {
			t.Errorf("GET %s = %d, want 200", path, a.Status)
		}
	}
	if got := s.versions(t, "MY.LIB"); got != "[1.2.0-rc.1]" {
		t.Errorf("versions = %s", got)
	}
	s.mustPut(t, nupkg("My.Lib", "1.0.0.5"))
	s.mustPut(t, nupkg("My.Lib", "1.10"))
	s.mustPut(t, nupkg("My.Lib", "1.2"))
	s.mustPut(t, nupkg("My.Lib", "1.2.0-alpha.9"))
	if got := s.versions(t, "my.lib"); got != "[1.0.0.5 1.2.0-alpha.9 1.2.0-rc.1 1.2.0 1.10.0]" {
		t.Errorf("versions = %s", got)
	}
}

// What was published is described in every document of the very next request, in
// the project and in the group.
func TestDocuments(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.mustPut(t, zipped(item{"My.Lib.nuspec", spec("My.Lib", "1.0.0+b.1", `<tags>t1 t2</tags><icon>img\i.png</icon><readme>R.md</readme><license type="expression">MIT</license>`+
		`<dependencies><group targetFramework=".NETStandard2.0"><dependency id="Newtonsoft.Json" version="13.0.1"/></group><group targetFramework="net6.0"/></dependencies>`)},
		item{"img/i.png", "\x89PNG\r\n\x1a\n1"}, item{"R.md", "# hello"}))
	for _, in := range []func(string) string{
		func(p string) string { return at(s.project, p) }, func(p string) string { return inGroup("acme", p) },
	} {
		for path, want := range map[string][]string{
			"/index.json":                          {`"PackageBaseAddress/3.0.0"`, s.URL + in("/download/")},
			"/download/my.lib/index.json":          {`{"versions":["1.0.0"]}`},
			"/download/my.lib/1.0.0/my.lib.nuspec": {"<id>My.Lib</id>"},
			"/download/my.lib/1.0.0/icon":          {"PNG"},
			"/download/my.lib/1.0.0/readme":        {"# hello"},
			"/metadata/my.lib/index.json": {`"count":1`, `"lower":"1.0.0"`, `"version":"1.0.0+b.1"`, `"range":"[13.0.1, )"`, `"targetFramework":"net6.0"}`,
				`"listed":true`, `"packageHash":"`, s.URL + in("/download/my.lib/1.0.0/my.lib.1.0.0.nupkg"), `"licenseExpression":"MIT"`, in("/download/my.lib/1.0.0/icon")},
			"/metadata/my.lib/1.0.0.json":             {`"catalogEntry":{`, `"tags":"t1 t2"`},
			"/query?q=LIB&prerelease=false":           {`"totalHits":1`, `"id":"My.Lib"`},
			"/query?q=packageid:my":                   {`{"data":[],"totalHits":0}`},
			"/autocomplete?q=my":                      {`{"data":["My.Lib"],"totalHits":1}`},
			"/autocomplete?id=MY.lib":                 {`"data":["1.0.0"]`},
			"/v2":                                     {`<collection href="Packages">`},
			"/v2/$metadata":                           {`FunctionImport Name="Search"`},
			"/v2/FindPackagesById()?id='My.Lib'":      {"<d:Version>1.0.0+b.1</d:Version>", "Newtonsoft.Json:[13.0.1, ):.NETStandard2.0|::net6.0", "It &lt;does&gt; things"},
			"/v2/FindPackagesById()?id='Nobody'":      {"<m:count>0</m:count>"},
			"/FindPackagesById()?id='My.Lib'":         {"<d:Id>My.Lib</d:Id>"},
			"/v2/Packages(Id='my.lib',Version='1.0')": {`<d:IsLatestVersion m:type="Edm.Boolean">true<`},
			"/v2/Packages()?$filter=(tolower(Id)%20eq%20'my.lib')%20and%20IsLatestVersion": {"<d:Id>My.Lib</d:Id>"},
			"/v2/Search()?searchTerm='lib'&includePrerelease=false":                        {"<d:Id>My.Lib</d:Id>"},
			"/v2/Search()/$count?searchTerm='lib'":                                         {"1"},
			"/v2/download/My.Lib/1.0.0":                                                    {"PK"},
		} {
			a := s.get(in(path))
			if a.Status != 200 {
				t.Errorf("GET %s = %d %s, want 200", in(path), a.Status, a.Body)
			}
			for _, part := range want {
				if !strings.Contains(string(a.Body), part) {
					t.Errorf("GET %s = %s, want %s in it", in(path), a.Body, part)
				}
			}
		}
	}
	for _, path := range []string{"/index.json", "/v2", "/v2/$metadata"} {
		known, unknown := s.Do("GET", at(s.project, path), nil), s.Do("GET", at(999999, path), nil)
		if known.Status != unknown.Status {
			t.Errorf("GET %s tells a visitor that a project is there: %d, %d", path, known.Status, unknown.Status)
		}
		if known.Status != 200 {
			t.Errorf("GET %s by a visitor = %d %s, want 200", path, known.Status, known.Body)
		}
	}
}

// Deleting, unlisting and listing again; who may not is refused.
func TestChanges(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.mustPut(t, nupkg("Lib", "1.0.0"))
	s.mustPut(t, nupkg("Lib", "2.0.0"))
	hits := func() string { return string(s.get(at(s.project, "/query?q=lib")).Body) }
	if a := s.Do("DELETE", at(s.project, "/listed/LIB/2.0"), nil, root); a.Status != 200 || !strings.Contains(hits(), `"version":"1.0.0"`) || strings.Contains(hits(), "2.0.0") {
		t.Errorf("unlist = %d %s, search %s", a.Status, a.Body, hits())
	}
	if got := s.versions(t, "lib"); got != "[1.0.0 2.0.0]" {
		t.Errorf("versions of what is unlisted = %s", got)
	}
	if a := s.Do("POST", at(s.project, "/Lib/2.0.0"), nil, root); a.Status != 200 || !strings.Contains(hits(), `"version":"2.0.0"`) {
		t.Errorf("relist = %d %s, search %s", a.Status, a.Body, hits())
	}
	user, token := s.User("dev")
	s.Member("projects", s.project, user, 30)
	for path, want := range map[string]int{"/Lib/1.0.0": 403, "/v2/Lib/1.0.0": 403} {
		if a := s.Do("DELETE", at(s.project, path), nil, "X-NuGet-ApiKey: "+token); a.Status != want {
			t.Errorf("DELETE by a developer = %d, want %d", a.Status, want)
		}
	}
	if a := s.Do("DELETE", at(s.project, "/Lib/1.0"), nil, strings.Replace(root, "Private-Token", "X-NuGet-ApiKey", 1)); a.Status != 204 {
		t.Errorf("DELETE = %d %s, want 204", a.Status, a.Body)
	}
	for path, want := range map[string]int{"/Lib/1.0.0": 404, "/%20/1.0.0": 400, "/Lib/1": 400, "/..%2F../1.0.0": 400} {
		if a := s.Do("DELETE", at(s.project, path), nil, root); a.Status != want {
			t.Errorf("DELETE %s = %d, want %d", path, a.Status, want)
		}
	}
}

// A package that is published again where that is allowed: the newest is served, and
// its dependencies are those that are shown.
func TestDuplicatesAllowed(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.mustPut(t, nupkg("Lib", "1.0.0"))
	again := nupkg("Lib", "1.0", `<dependencies><dependency id="Other" version="[1,2)"/></dependencies>`)
	s.mustPut(t, again)
	if a := s.get(at(s.project, "/download/lib/1.0.0/lib.1.0.0.nupkg")); a.Status != 200 || !bytes.Equal(a.Body, again) {
		t.Errorf("GET = %d, want the newest", a.Status)
	}
	if a := s.get(at(s.project, "/metadata/lib/1.0.0.json")); !strings.Contains(string(a.Body), `"range":"[1, 2)"`) {
		t.Errorf("leaf = %s, want the newest dependencies", a.Body)
	}
	s.Settings("groups", s.group, `{"nuget_duplicates_allowed":false,"nuget_duplicate_exception_regex":"li.*"}`)
	s.mustPut(t, nupkg("Lib", "1.0.0"))
	s.mustPut(t, nupkg("Zed", "1.0.0"))
	if a := s.put(at(s.project, "/"), nupkg("Zed", "1.0.0")); a.Status != 409 {
		t.Errorf("PUT again = %d %s, want 409", a.Status, a.Body)
	}
}

// Symbols belong to a version that is there.
func TestSymbols(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	symbols := nupkg("Lib", "1.0.0", symbolsType)
	if a := s.put(at(s.project, "/symbolpackage/"), symbols); a.Status != 404 || !strings.Contains(string(a.Body), "404 Package Not Found") {
		t.Errorf("PUT of symbols alone = %d %s, want 404", a.Status, a.Body)
	}
	s.mustPut(t, nupkg("Lib", "1.0.0"))
	if a := s.put(at(s.project, "/symbolpackage"), symbols); a.Status != 201 {
		t.Errorf("PUT of symbols = %d %s, want 201", a.Status, a.Body)
	}
	if a := s.get(at(s.project, "/download/lib/1.0.0/lib.1.0.0.snupkg")); a.Status != 200 || !bytes.Equal(a.Body, symbols) {
		t.Errorf("GET of symbols = %d", a.Status)
	}
	for path, data := range map[string][]byte{"/": symbols, "/symbolpackage": nupkg("Lib", "1.0.0")} {
		if a := s.put(at(s.project, path), data); a.Status != 400 {
			t.Errorf("PUT to the wrong address = %d %s, want 400", a.Status, a.Body)
		}
	}
	if got := s.versions(t, "lib"); got != "[1.0.0]" {
		t.Errorf("versions = %s", got)
	}
}

// nuget 2.8.7 on mono ends the lines of its form with CR LF, but for the one before
// the last boundary, and that not at all. Others write LF alone.
func TestOldForm(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	content := nupkg("Lib", "1.0.0", "<summary>"+strings.Repeat("a b ", 20000)+"</summary>")
	for _, nl := range []string{"\n", "\r\n"} {
		body := "--" + boundary + nl + `Content-Disposition: form-data; name="package"; filename="package"` + nl + "Content-Type: application/octet-stream" + nl + nl +
			string(content) + "\n--" + boundary + "--"
		if a := raw(s.World, at(s.project, "/v2/"), []byte(body), root); a.Status != 201 {
			t.Errorf("PUT = %d %s, want 201", a.Status, a.Body)
		}
		if a := s.get(at(s.project, "/download/lib/1.0.0/lib.1.0.0.nupkg")); !bytes.Equal(a.Body, content) {
			t.Errorf("GET = %d bytes, want %d", len(a.Body), len(content))
		}
	}
}

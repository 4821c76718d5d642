package pypi_test

import (
	"html/template"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"packhouse/internal/format/pypi"
)

// The snippets can be shown on a page, have nothing left to fill in but the token,
// are commands that a shell can read, and say what a second index risks.
func TestSnippets(t *testing.T) {
	t.Parallel()
	panel := template.Must(template.New("panel").Parse(`{{range .}}<h3>{{.Client}}</h3><p>{{.Risk}}</p><pre>{{.Text}}</pre>{{end}}`))
	place := pypi.Place{Base: "https://registry.example.com/api/v4/projects/1/packages/pypi", Package: "My.Lib", Version: "1!1.0+a", Publish: true}
	all := pypi.Snippets(place)
	var page strings.Builder
	if err := panel.Execute(&page, all); err != nil || strings.Count(page.String(), "<pre>") != len(all) || strings.Contains(page.String(), pypi.Token) {
		t.Errorf("panel = %s, %v", page.String(), err)
	}
	for _, s := range all {
		if strings.Contains(s.Text, "{r") || strings.Contains(s.Text, "{i") || strings.Contains(s.Text, "{n") || strings.Contains(s.Text, "{c") || !strings.Contains(s.Text, "registry.example.com") {
			t.Errorf("%s: %s is not filled in", s.Client, s.Text)
		}
		if second := strings.Contains(s.Text, "extra-index"); second != (s.Risk != "") {
			t.Errorf("%s: %s with the risk %q", s.Client, s.Text, s.Risk)
		}
		if s.File != "" {
			continue
		}
		if out, err := exec.Command("bash", "-n", "-c", strings.ReplaceAll(s.Text, pypi.Token, "x")).CombinedOutput(); err != nil {
			t.Errorf("%s: %s: %v %s", s.Client, s.Text, err, out)
		}
	}
	for _, place := range []pypi.Place{{Base: place.Base}, {Base: place.Base, Package: "lib"}} {
		for _, s := range pypi.Snippets(place) {
			if s.Does == "publish" || s.Does == "install" && place.Package == "" || strings.Contains(s.Text, "==") {
				t.Errorf("%+v has %+v", place, s)
			}
		}
	}
}

// The commands for twine, uv and pip do what they say, as they stand.
func TestSnippetsWork(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "dist"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "dist", good), []byte(wheelOf("lib", "1.0")), 0o600); err != nil {
		t.Fatal(err)
	}
	token := s.AccessToken("projects", s.project, 30, "api")
	run := func(client, does, more string) {
		t.Helper()
		for _, one := range pypi.Snippets(pypi.Place{Base: s.URL + at(s.project, ""), Package: "lib", Version: "1.0", Publish: true}) {
			if one.Client != client || one.Does != does || one.File != "" {
				continue
			}
			cmd := exec.Command("bash", "-c", strings.ReplaceAll(one.Text, pypi.Token, token)+more)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PATH="+tool(t, "python/bin")+":"+tool(t, "uv/bin")+":"+os.Getenv("PATH"), "UV_NO_CACHE=1", "PIP_NO_CACHE_DIR=1",
				"PYTHON_KEYRING_BACKEND=keyring.backends.null.Keyring", "HOME="+dir, "UV_PYTHON="+tool(t, "python/bin/python"))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", one.Text, err, out)
			}
			return
		}
		t.Errorf("there is no snippet to %s with %s", does, client)
	}
	run("twine", "publish", "")
	run("pip", "install", " --target a")
	run("uv", "install", " --target b")
	for _, name := range []string{"a/mod.py", "b/mod.py"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("after the install: %v", err)
		}
	}
	s.API("DELETE", "/projects/acme%2Ftools/packages/"+itoa(s.Packages(s.project, "")[0].ID), "", nil)
	run("uv", "publish", "")
	if d := s.document(t, at(s.project, "/simple/lib/")); len(d.Files) != 1 {
		t.Errorf("files = %v, want the one that uv published", d.names())
	}
}

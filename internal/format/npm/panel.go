package npm

import (
	"fmt"
	"strings"
	"text/template"
)

// Place is what a page says of where packages are.
type Place struct {
	Host     string // of the server, with a port where it has one: "packages.example.com"
	Secure   bool   // reached by https
	Path     string // of the registry, from the host's root, with a slash at its end
	Package  string // "" where the page is about no package
	Version  string // "" for the latest
	Group    string // path of the top-level group, the scope to set up where no package is named
	Writable bool   // a project, to which can be published
}

// Snippet is a text for one client to copy. Tokens stand in it as the name of a
// variable, never as themselves, and versions are exact where one is known.
type Snippet struct {
	Client string // "npm"
	Title  string // "Install"
	File   string // where the text belongs; "" for a command
	Text   string
}

// snippets are the texts of the panel, by client, in the order in which they are
// shown. A text that comes out empty is left out.
var snippets = []struct {
	client, title, file string
	text                *template.Template
}{
	{"npm", "Set up", ".npmrc", compile(rc)},
	{"npm", "Install", "", compile(`{{if .Package}}npm install {{.Package}}@{{or .Version "latest"}} --save-exact{{end}}`)},
	{"npm", "Publish", "", compile(`{{if .Writable}}npm publish{{end}}`)},
	{"pnpm", "Set up", ".npmrc", compile(rc)},
	{"pnpm", "Install", "", compile(`{{if .Package}}pnpm add {{.Package}}@{{or .Version "latest"}} --save-exact{{end}}`)},
	{"pnpm", "Publish", "", compile(`{{if .Writable}}pnpm publish{{end}}`)},
	{"Yarn", "Set up", ".yarnrc.yml", compile(yarnrc)},
	{"Yarn", "Install", "", compile(`{{if .Package}}yarn add {{.Package}}@{{or .Version "latest"}} --exact{{end}}`)},
	{"Yarn", "Publish", "", compile(`{{if .Writable}}yarn npm publish{{end}}`)},
	{"Yarn 1", "Set up", ".npmrc", compile(rc)},
	{"Yarn 1", "Install", "", compile(`{{if .Package}}yarn add {{.Package}}@{{or .Version "latest"}} --exact{{end}}`)},
	{"Bun", "Set up", ".npmrc", compile(rc)},
	{"Bun", "Install", "", compile(`{{if .Package}}bun add {{.Package}}@{{or .Version "latest"}} --exact{{end}}`)},
	{"Bun", "Publish", "", compile(`{{if .Writable}}bun publish{{end}}`)},
	{"CI", "Publish from a job", ".gitlab-ci.yml", compile(job)},
}

// A scope is sent here and nowhere else, so that nobody who takes its name on a
// public registry is asked for it. A name without a scope needs the registry as
// the default one.
const rc = `{{if .Scope}}@{{.Scope}}:{{end}}registry={{.URL}}
//{{.Host}}{{.Path}}:_authToken=${PACKHOUSE_TOKEN}
`

const yarnrc = `{{if .Scope}}npmScopes:
  {{.Scope}}:
    npmRegistryServer: "{{.URL}}"
{{if .Writable}}    npmPublishRegistry: "{{.URL}}"
{{end}}    npmAuthToken: "${PACKHOUSE_TOKEN}"
{{else}}npmRegistryServer: "{{.URL}}"
npmAuthToken: "${PACKHOUSE_TOKEN}"
{{end}}`

const job = `{{if .Writable}}publish:
  script:
    - echo "{{if .Scope}}@{{.Scope}}:{{end}}registry={{.URL}}" >> .npmrc
    - echo "//{{.Host}}{{.Path}}:_authToken=\${CI_JOB_TOKEN}" >> .npmrc
    - npm publish
{{end}}`

func compile(text string) *template.Template {
	return template.Must(template.New("snippet").Option("missingkey=error").Parse(text))
}

// Scope is the scope of the package or, where there is no package, that of the
// group. It is "" for a package without one.
func (p Place) Scope() string {
	if p.Package == "" {
		return p.Group
	}
	scope, _ := splitScope(p.Package)
	return scope
}

// URL is the address of the registry.
func (p Place) URL() string {
	if p.Secure {
		return "https://" + p.Host + p.Path
	}
	return "http://" + p.Host + p.Path
}

// Snippets are the texts for a place. A package or version that nobody could have
// published gives an error.
func Snippets(p Place) ([]Snippet, error) {
	if p.Package != "" {
		if _, err := nameKey(p.Package); err != nil {
			return nil, err
		}
	}
	if p.Version != "" {
		if _, err := parseVersion(p.Version); err != nil {
			return nil, err
		}
	}
	var all []Snippet
	for _, s := range snippets {
		var b strings.Builder
		if err := s.text.Execute(&b, p); err != nil {
			return nil, fmt.Errorf("render snippet %s %s: %w", s.client, s.title, err)
		}
		if b.Len() > 0 {
			all = append(all, Snippet{Client: s.client, Title: s.title, File: s.file, Text: b.String()})
		}
	}
	return all, nil
}

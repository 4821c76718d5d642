package container

import (
	"fmt"
	"strings"
	"text/template"

	"packhouse"
)

// Place is what a page says of where images are.
type Place struct {
	Host     string // of the registry, with a port where it has one: "packages.example.com"
	Name     string // of the repository: "acme/shop/api"
	Tag      string // "" for latest
	Digest   string // of what the tag points at; "" where that is not known
	Writable bool   // can be pushed to
}

// Snippet is a text for one client to copy. Tokens stand in it as the name of a
// variable, never as themselves, and images by digest where one is known.
type Snippet struct {
	Client string // "docker"
	Title  string // "Pull"
	File   string // where the text belongs; "" for a command
	Text   string
}

// snippets are the texts of the panel, by client, in the order in which they are
// shown. A text that comes out empty is left out. A token goes in by standard
// input, so that no list of processes and no history of a shell has it.
var snippets = []struct {
	client, title, file string
	text                *template.Template
}{
	{"docker", "Log in", "", compile(`echo "$PACKHOUSE_TOKEN" | docker login {{.Host}} --username "$PACKHOUSE_USER" --password-stdin`)},
	{"docker", "Pull", "", compile(`docker pull {{.Pinned}}`)},
	{"docker", "Push", "", compile(`{{if .Writable}}docker build -t {{.Image}} .
docker push {{.Image}}{{end}}`)},
	{"podman", "Log in", "", compile(`echo "$PACKHOUSE_TOKEN" | podman login {{.Host}} --username "$PACKHOUSE_USER" --password-stdin`)},
	{"podman", "Pull", "", compile(`podman pull {{.Pinned}}`)},
	{"skopeo", "Copy", "", compile(`skopeo copy --all docker://{{.Pinned}} oci:image`)},
	{"crane", "List tags", "", compile(`crane ls {{.Host}}/{{.Name}}`)},
	{"Kubernetes", "Secret to pull with", "", compile(`kubectl create secret docker-registry packhouse --docker-server={{.Host}} --docker-username="$PACKHOUSE_USER" --docker-password="$PACKHOUSE_TOKEN"`)},
	{"CI", "Push from a job", ".gitlab-ci.yml", compile(job)},
}

const job = `{{if .Writable}}push:
  script:
    - echo "$CI_JOB_TOKEN" | docker login "$CI_REGISTRY" --username gitlab-ci-token --password-stdin
    - docker build -t {{.Host}}/{{.Name}}:$CI_COMMIT_SHA .
    - docker push {{.Host}}/{{.Name}}:$CI_COMMIT_SHA
{{end}}`

func compile(text string) *template.Template {
	return template.Must(template.New("snippet").Option("missingkey=error").Parse(text))
}

// Image is the image by its tag.
func (p Place) Image() string {
	tag := p.Tag
	if tag == "" {
		tag = "latest"
	}
	return p.Host + "/" + p.Name + ":" + tag
}

// Pinned is the image by its digest, so that it stays what it is; by its tag where
// that is not known.
func (p Place) Pinned() string {
	if p.Digest == "" {
		return p.Image()
	}
	return p.Host + "/" + p.Name + "@" + p.Digest
}

// Snippets are the texts for a place. A name, tag or digest that nobody could have
// pushed gives an error.
func Snippets(p Place) ([]Snippet, error) {
	if err := checkName(p.Name); err != nil {
		return nil, err
	}
	if p.Tag != "" {
		if err := checkTag(p.Tag); err != nil {
			return nil, err
		}
	}
	if p.Digest != "" {
		if _, err := packhouse.ParsePartRef(p.Digest); err != nil {
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

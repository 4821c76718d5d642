package terraform

import (
	"slices"
	"strings"

	"packhouse/internal/format"
)

// Place is what snippets are about.
type Place struct {
	Host    string // of the server, with a port where it has one
	Base    string // "https://registry.example.com/api/v4/projects/1/packages/terraform"
	Group   string // path of the top-level group
	Name    string // of a module, or "terraform-provider-NAME"; "" for none
	System  string // of a module
	Version string
	Publish bool // Base is in a project
}

// snippets are those of every client. Tokens stand in them as the names of variables.
var snippets = []format.Snippet{
	{Client: "Terraform, OpenTofu", Does: "configure", File: "~/.terraformrc", Text: "credentials \"{host}\" {\n  token = \"<token>\"\n}\n"},
	{Client: "Terraform, OpenTofu", Does: "configure", File: "", Text: "export TF_TOKEN_{variable}=\"<token>\""},
	{Client: "Terraform, OpenTofu", Does: "use", File: "main.tf", Text: "module \"{name}\" {\n  source  = \"{host}/{group}/{name}/{system}\"\n  version = \"{version}\"\n}\n"},
	{Client: "curl", Does: "publish", File: "", Text: "tar -czf module.tgz -C . .\ncurl --fail-with-body --header \"PRIVATE-TOKEN: $TOKEN\" --upload-file module.tgz {base}/modules/{name}/{system}/{version}/file"},
	{Client: "GitLab CI", Does: "publish", File: ".gitlab-ci.yml", Text: "publish:\n  script:\n    - tar -czf module.tgz -C . .\n    - 'curl --fail-with-body --header \"JOB-TOKEN: $CI_JOB_TOKEN\" --upload-file module.tgz \"{base}/modules/{name}/{system}/$CI_COMMIT_TAG/file\"'\n  rules:\n    - if: $CI_COMMIT_TAG\n"},
}

// byURL is how a module is used whose system cannot stand in an address.
const byURL = "module \"{name}\" {\n  source = \"{base}/modules/{name}/{system}/{version}\"\n}\n"

// Snippets are the texts for a place, plain text that the page has to escape.
func Snippets(p Place) []format.Snippet {
	if isProvider(p.Name) && p.System == "" {
		return providerSnippets(p)
	}
	named := p.Name != ""
	for _, of := range []struct {
		text      *string
		otherwise string
	}{{&p.Name, "my-module"}, {&p.System, "aws"}, {&p.Version, "1.0.0"}} {
		if *of.text == "" {
			*of.text = of.otherwise
		}
	}
	fill := strings.NewReplacer("{host}", p.Host, "{variable}", variableOf(p.Host), "{base}", p.Base, "{group}", p.Group,
		"{name}", p.Name, "{system}", p.System, "{version}", p.Version)
	var list []format.Snippet
	for _, s := range snippets {
		switch {
		case s.Does == "publish" && !p.Publish, s.Does == "use" && !named,
			strings.Contains(s.Text, "{variable}") && strings.Contains(p.Host, ":"): // no variable names a port
			continue
		case s.Does == "use" && !addressable.MatchString(p.System):
			s.Text = byURL
		}
		s.Text = fill.Replace(s.Text)
		list = append(list, s)
	}
	return list
}

// variableOf ends the name of the variable that holds the token for a host: a dot is an
// underscore in it, and a hyphen is two.
func variableOf(host string) string { return strings.NewReplacer(".", "_", "-", "__").Replace(host) }

// ofProviders are the texts about a provider.
var ofProviders = []format.Snippet{
	{Client: "Terraform, OpenTofu", Does: "use", File: "main.tf", Text: "terraform {\n  required_providers {\n    {name} = {\n      source  = \"{host}/{group}/{name}\"\n      version = \"{version}\"\n    }\n  }\n}\n"},
	{Client: "curl", Does: "publish", File: "", Text: "for file in *_{version}_*; do\n  curl --fail-with-body --header \"PRIVATE-TOKEN: $TOKEN\" --upload-file \"$file\" \"{base}/providers/{name}/{version}/$file\"\ndone"},
}

// providerSnippets are the texts for a provider: those to configure a client, and those
// about it.
func providerSnippets(p Place) (list []format.Snippet) {
	fill := strings.NewReplacer("{host}", p.Host, "{variable}", variableOf(p.Host), "{base}", p.Base, "{group}", p.Group,
		"{name}", strings.TrimPrefix(p.Name, providerPrefix), "{version}", p.Version)
	for _, s := range append(slices.Clone(snippets[:2]), ofProviders...) {
		if s.Does == "publish" && !p.Publish || strings.Contains(s.Text, "{variable}") && strings.Contains(p.Host, ":") {
			continue
		}
		s.Text = fill.Replace(s.Text)
		list = append(list, s)
	}
	return list
}

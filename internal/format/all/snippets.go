package all

import (
	"fmt"
	"net/url"
	"strings"

	"packhouse/internal/format"
	"packhouse/internal/format/maven"
	"packhouse/internal/format/npm"
	"packhouse/internal/format/nuget"
	"packhouse/internal/format/pypi"
	"packhouse/internal/format/terraform"
)

// Snippets are the texts about a version for the clients of a format, in the order
// in which they are shown; none when the format has none.
func Snippets(name string, p format.SnippetPlace) []format.Snippet {
	if of := snippets[name]; of != nil {
		return of(p, fmt.Sprintf("/api/v4/projects/%d/packages/", p.ProjectID))
	}
	return nil
}

// snippets are those of each format, which is given the path that it is mounted
// below.
var snippets = map[string]func(p format.SnippetPlace, below string) []format.Snippet{
	"generic":          ofGeneric,
	"maven":            ofMaven,
	"npm":              ofNPM,
	"nuget":            ofNuGet,
	"pypi":             ofPyPI,
	"terraform_module": ofTerraform,
}

func ofGeneric(p format.SnippetPlace, below string) []format.Snippet {
	if p.File == "" {
		return nil
	}
	var file strings.Builder
	for part := range strings.SplitSeq(p.Package+"/"+p.Version+"/"+p.File, "/") {
		file.WriteString("/" + url.PathEscape(part))
	}
	address := quoted(p.Base + below + "generic" + file.String())
	return []format.Snippet{
		{Client: "curl", Does: "Download", Text: `curl --fail --location --remote-name --header "PRIVATE-TOKEN: $PACKHOUSE_TOKEN" ` + address},
		{Client: "wget", Does: "Download", Text: `wget --header "PRIVATE-TOKEN: $PACKHOUSE_TOKEN" ` + address},
		{Client: "CI", Does: "Download in a job", Text: `curl --fail --location --remote-name --header "JOB-TOKEN: $CI_JOB_TOKEN" ` + address},
	}
}

// quoted is a text that a shell takes for one word, and nothing in it for its own.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func ofNPM(p format.SnippetPlace, below string) (list []format.Snippet) {
	u, err := url.Parse(p.Base)
	if err != nil {
		return nil
	}
	found, err := npm.Snippets(npm.Place{Host: u.Host, Secure: u.Scheme == "https", Path: u.Path + below + "npm/", Package: p.Package, Version: p.Version, Group: p.Group})
	if err != nil {
		return nil
	}
	for _, s := range found {
		list = append(list, format.Snippet{Client: s.Client, Does: s.Title, File: s.File, Text: s.Text})
	}
	return list
}

func ofMaven(p format.SnippetPlace, below string) []format.Snippet {
	return maven.Snippets(maven.Place{Base: p.Base + below + "maven", Package: p.Package, Version: p.Version})
}

func ofNuGet(p format.SnippetPlace, below string) []format.Snippet {
	return nuget.Snippets(nuget.Place{Base: p.Base + below + "nuget", Package: p.Package, Version: p.Version})
}

func ofPyPI(p format.SnippetPlace, below string) []format.Snippet {
	return pypi.Snippets(pypi.Place{Base: p.Base + below + "pypi", Package: p.Package, Version: p.Version})
}

func ofTerraform(p format.SnippetPlace, below string) []format.Snippet {
	u, err := url.Parse(p.Base)
	if err != nil {
		return nil
	}
	name, system, _ := strings.Cut(p.Package, "/")
	place := terraform.Place{Host: u.Host, Base: p.Base + below + "terraform", Group: p.Group, Name: name, System: system, Version: p.Version}
	return terraform.Snippets(place)
}

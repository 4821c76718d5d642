package nuget

import (
	"strings"

	"packhouse/internal/format"
)

// Place is what snippets are about.
type Place struct {
	// Base is where the format is mounted, without a slash at the end:
	// "https://registry.example.com/api/v4/projects/1/packages/nuget".
	Base string
	// Package and Version are named in commands that install; with no Package
	// those are left out, with no Version the newest is installed.
	Package, Version string
	// Publish says that packages can be published there: it is a project.
	Publish bool
}

// Token is what stands in a snippet for the reader's token.
const Token = "<token>"

// snippets are those of every client. A configuration names this source alone: a
// client that has two takes a package from either, so that whoever registers its id
// in the other decides what is installed. A second source belongs into a package
// source mapping.
var snippets = []format.Snippet{
	{Client: "dotnet", Does: "configure", Text: "dotnet nuget add source {base}/index.json --name packhouse --username token --password '" + Token + "' --store-password-in-clear-text"},
	{Client: "dotnet", Does: "configure", File: "nuget.config", Text: "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<configuration>\n  <packageSources>\n    <clear />\n    <add key=\"packhouse\" value=\"{base}/index.json\" />\n  </packageSources>\n" +
		"  <packageSourceCredentials>\n    <packhouse>\n      <add key=\"Username\" value=\"token\" />\n      <add key=\"ClearTextPassword\" value=\"%PACKHOUSE_TOKEN%\" />\n    </packhouse>\n  </packageSourceCredentials>\n</configuration>\n"},
	{Client: "dotnet", Does: "install", Text: "dotnet add package {package}{dotnet version} --source packhouse"},
	{Client: "nuget", Does: "install", Text: "nuget install {package}{nuget version} -Source packhouse"},
	{Client: "Chocolatey", Does: "install", Text: "choco install {package}{choco version} --source {base}/v2 --user token --password '" + Token + "'"},
	{Client: "dotnet", Does: "publish", Text: "dotnet nuget push 'bin/Release/*.nupkg' --source {base}/index.json --api-key '" + Token + "'"},
	{Client: "nuget", Does: "publish", Text: "nuget push '*.nupkg' '" + Token + "' -Source {base}/index.json"},
	{Client: "Chocolatey", Does: "publish", Text: "choco push --source {base}/v2 --api-key '" + Token + "'"},
	{Client: "GitLab CI", Does: "publish", File: ".gitlab-ci.yml", Text: "publish:\n  script:\n    - dotnet pack --configuration Release\n    - dotnet nuget push 'bin/Release/*.nupkg' --source {base}/index.json --api-key $CI_JOB_TOKEN\n"},
}

// Snippets are the texts for a place, plain text that the page has to escape. A
// package or version that nobody could have published gives none.
func Snippets(p Place) []format.Snippet {
	pairs := []string{"{base}", p.Base, "{package}", p.Package, "{dotnet version}", "", "{nuget version}", "", "{choco version}", ""}
	if p.Package != "" {
		if _, err := idKey(p.Package); err != nil {
			return nil
		}
	}
	if p.Version != "" {
		if _, err := parseVersion(p.Version); err != nil {
			return nil
		}
		pairs[5], pairs[7], pairs[9] = " --version "+p.Version, " -Version "+p.Version, " --version "+p.Version
	}
	fill := strings.NewReplacer(pairs...)
	var list []format.Snippet
	for _, s := range snippets {
		if s.Does == "publish" && !p.Publish || s.Does == "install" && p.Package == "" {
			continue
		}
		s.Text = fill.Replace(s.Text)
		list = append(list, s)
	}
	return list
}

package pypi

import (
	"net/url"
	"strings"

	"packhouse/internal/format"
)

// Place is what snippets are about.
type Place struct {
	// Base is where the format is mounted, without a slash at the end:
	// "https://registry.example.com/api/v4/projects/1/packages/pypi".
	Base string
	// Package and Version are named in commands that install; with no Package
	// those are left out, with no Version the newest is installed.
	Package, Version string
	// Publish says that packages can be published there: it is a project.
	Publish bool
}

// Token is what stands in a snippet for the reader's token.
const Token = "<token>"

// riskOfTwo is what pip does with more than one index.
const riskOfTwo = "pip takes the highest version that any of its indexes has. Whoever registers the name of a package of yours " +
	"in the other index decides what gets installed. Use it only if all your names are yours in both, or use uv or poetry, which can tie a package to one index."

// snippets are those of every client; the safe ones come first. {index} is the
// simple index, {credited} the same with a credential in it.
var snippets = []format.Snippet{
	{Client: "pip", Does: "install", Text: "pip install --index-url {credited} '{requirement}'"},
	{Client: "uv", Does: "install", Text: "uv pip install --index-url {credited} '{requirement}'"},
	{Client: "uv", Does: "install", File: "pyproject.toml", Text: "[[tool.uv.index]]\nname = \"packhouse\"\nurl = \"{index}\"\nexplicit = true\n\n" +
		"[tool.uv.sources]\n{name} = { index = \"packhouse\" }\n"},
	{Client: "poetry", Does: "install", Text: "poetry source add --priority=explicit packhouse {index}\npoetry config http-basic.packhouse __token__ '" + Token + "'\npoetry add --source packhouse '{requirement}'"},
	{Client: "pip", Does: "configure", File: "pip.conf", Text: "[global]\nindex-url = {credited}\n"},
	{Client: "pip", Does: "configure", File: "pip.conf, beside another index", Risk: riskOfTwo, Text: "[global]\nextra-index-url = {credited}\n"},
	{Client: "twine", Does: "publish", Text: "TWINE_USERNAME=__token__ TWINE_PASSWORD='" + Token + "' twine upload --repository-url {repository} dist/*"},
	{Client: "twine", Does: "publish", File: ".pypirc", Text: "[distutils]\nindex-servers =\n    packhouse\n\n[packhouse]\nrepository = {repository}\nusername = __token__\npassword = " + Token + "\n"},
	{Client: "uv", Does: "publish", Text: "UV_PUBLISH_TOKEN='" + Token + "' uv publish --publish-url {repository}"},
	{Client: "poetry", Does: "publish", Text: "poetry config repositories.packhouse {repository}\npoetry config http-basic.packhouse __token__ '" + Token + "'\npoetry publish --build -r packhouse"},
	{Client: "flit", Does: "publish", Text: "FLIT_INDEX_URL={repository} FLIT_USERNAME=__token__ FLIT_PASSWORD='" + Token + "' flit publish"},
	{Client: "hatch", Does: "publish", Text: "HATCH_INDEX_REPO={repository} HATCH_INDEX_USER=__token__ HATCH_INDEX_AUTH='" + Token + "' hatch publish"},
	{Client: "GitLab CI", Does: "publish", File: ".gitlab-ci.yml", Text: "publish:\n  image: python:3\n  script:\n    - pip install build twine\n    - python -m build\n" +
		"    - TWINE_USERNAME=gitlab-ci-token TWINE_PASSWORD=$CI_JOB_TOKEN twine upload --repository-url {repository} dist/*\n"},
}

// Snippets are the texts for a place, plain text that the page has to escape.
func Snippets(p Place) []format.Snippet {
	index := p.Base + "/simple"
	credited := index
	if u, err := url.Parse(index); err == nil {
		// Written by hand: a token in angle brackets would be escaped in a URL.
		credited = u.Scheme + "://__token__:" + Token + "@" + u.Host + u.EscapedPath()
	}
	requirement := p.Package
	if p.Version != "" {
		requirement += "==" + p.Version
	}
	fill := strings.NewReplacer("{index}", index, "{credited}", credited, "{repository}", p.Base, "{requirement}", requirement, "{name}", p.Package)
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

package web

import (
	"bytes"
	"encoding/json"
	"html/template"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

// about is what formats keep of a version under names that they share. What is of
// another kind there is left out.
type about struct {
	Description, License, Home, Deprecated, Readme string
}

func (a *about) text() string { return a.Readme }

func aboutOf(metadata []byte) (a about) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(metadata, &fields) != nil {
		return a // there is none
	}
	var manifest, root map[string]json.RawMessage
	_ = json.Unmarshal(fields["manifest"], &manifest) // npm's; others have none
	_ = json.Unmarshal(fields["root"], &root)         // Terraform's; others have none
	for into, names := range map[*string][]string{
		&a.Description: {"description", "summary"}, &a.License: {"license"}, &a.Home: {"homepage", "project_url", "home_page"},
		&a.Deprecated: {"deprecated"}, &a.Readme: {"readme"},
	} {
		for _, name := range names {
			for _, in := range []map[string]json.RawMessage{fields, manifest, root} {
				if *into == "" {
					_ = json.Unmarshal(in[name], into) // what is no text is left out
				}
			}
		}
	}
	return a
}

// maxReadme bounds the text that is turned into a page, in bytes.
const maxReadme = 256 << 10

var (
	markdown = goldmark.New(goldmark.WithExtensions(extension.GFM))
	clean    = cleaner()
)

// cleaner lets through what text is made of. Images are left out: they would tell
// other servers who reads what.
func cleaner() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowStandardURLs()
	p.AllowAttrs("href").OnElements("a")
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	p.AllowElements("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong", "del",
		"table", "thead", "tbody", "tr", "th", "td")
	return p
}

// readme turns Markdown into HTML that is safe in any page.
func readme(text string) template.HTML {
	if len(text) > maxReadme {
		text = text[:maxReadme]
	}
	var b bytes.Buffer
	if err := markdown.Convert([]byte(text), &b); err != nil {
		return template.HTML(template.HTMLEscapeString(text)) //nolint:gosec // escaped
	}
	return template.HTML(clean.SanitizeBytes(b.Bytes())) //nolint:gosec // cleaned
}

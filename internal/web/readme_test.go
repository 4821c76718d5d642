package web

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzReadme: what comes out of a README has nothing that runs, whatever went in.
func FuzzReadme(f *testing.F) {
	for _, text := range []string{
		"# Title\n\nText with **weight** and [a link](https://example.com).", "[x](javascript:alert(1))", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>",
		"![x](http://evil.example.net/x.png)", "```\n</code><script>\n```", "| a |\n|---|\n| b |", "<a href=\"javascript:x\" onclick=x>y</a>",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := strings.ToLower(string(readme(text)))
		for _, bad := range []string{"<script", "<img", "<iframe", "<svg", "<style", "href=\"javascript:", "href=\"data:", "href=\"vbscript:"} {
			if strings.Contains(got, bad) {
				t.Errorf("readme(%q) = %q", text, got)
			}
		}
	})
}

// A README is shown as what it is written as.
func TestReadme(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"# Title":                   "<h1>Title</h1>",
		"[a](https://example.com/)": `<a href="https://example.com/" rel="nofollow noreferrer">a</a>`,
		"a **b** `c`":               "<strong>b</strong> <code>c</code>",
		"[a](javascript:alert(1))":  "<p>a</p>",
		"":                          "",
	} {
		if got := string(readme(text)); !strings.Contains(got, want) {
			t.Errorf("readme(%q) = %q, want %q", text, got, want)
		}
	}
}

// What formats keep is found where they keep it; what is of another kind is left out.
func TestAbout(t *testing.T) {
	t.Parallel()
	for metadata, want := range map[string]about{
		``:   {},
		`[]`: {},
		`{"readme":"r","deprecated":"old","manifest":{"description":"d","license":"MIT","homepage":"https://example.com"}}`: {"d", "MIT", "https://example.com", "old", "r"},
		`{"root":{"readme":"r"}}`:                          {Readme: "r"},
		`{"description":["x"],"summary":"s","license":{}}`: {Description: "s"},
	} {
		if got := aboutOf(json.RawMessage(metadata)); got != want {
			t.Errorf("aboutOf(%s) = %+v, want %+v", metadata, got, want)
		}
	}
}

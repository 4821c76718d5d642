package web_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"packhouse/internal/format/formattest"
)

// payloads are what would run, or load something, in a page that let it through.
var payloads = append([]string{
	`<script>alert(1)</script>`, `"><script>alert(1)</script>`, `'><script>alert(1)</script>`, `</title><script>alert(1)</script>`,
	`</textarea><script>alert(1)</script>`, `</pre><script>alert(1)</script>`, `</code></pre><img src=x onerror=alert(1)>`,
	`<img src=x onerror=alert(1)>`, `<img/src=x/onerror=alert(1)>`, `"><img src=x onerror=alert(1)>`, `<svg onload=alert(1)>`, `<svg/onload=alert(1)>`,
	`<svg><script>alert(1)</script></svg>`, `<svg><animate onbegin=alert(1) attributeName=x dur=1s>`, `<body onload=alert(1)>`, `<iframe src=javascript:alert(1)>`,
	`<iframe srcdoc="<script>alert(1)</script>">`, `<object data=javascript:alert(1)>`, `<embed src=javascript:alert(1)>`, `<math href=javascript:alert(1)>x</math>`,
	`<a href="javascript:alert(1)">x</a>`, `<a href="JaVaScRiPt:alert(1)">x</a>`, `<a href="java&#10;script:alert(1)">x</a>`, `<a href="&#106;avascript:alert(1)">x</a>`,
	`<a href="data:text/html,<script>alert(1)</script>">x</a>`, `<a href="vbscript:x">x</a>`, `<form action=javascript:alert(1)><button>x</button></form>`,
	`<input onfocus=alert(1) autofocus>`, `<button formaction=javascript:alert(1)>x</button>`, `<details open ontoggle=alert(1)>`, `<video><source onerror=alert(1)></video>`,
	`<audio src=x onerror=alert(1)>`, `<marquee onstart=alert(1)>x</marquee>`, `<style>@import 'http://evil.example.net'</style>`, `<p style="background:url(javascript:alert(1))">x</p>`,
	`<link rel=stylesheet href=http://evil.example.net/x.css>`, `<base href=http://evil.example.net/>`, `<meta http-equiv=refresh content="0;url=javascript:alert(1)">`,
	`<template><script>alert(1)</script></template>`, `<noscript><p title="</noscript><img src=x onerror=alert(1)>">`, `<!--><script>alert(1)</script>-->`,
	`<![CDATA[<script>alert(1)</script>]]>`, `<scr<script>ipt>alert(1)</scr</script>ipt>`, `<SCRIPT>alert(1)</SCRIPT>`, `<script/x>alert(1)</script>`,
	`" onmouseover=alert(1) x="`, `' onmouseover=alert(1) x='`, "` onmouseover=alert(1)", `" autofocus onfocus=alert(1) "`, `{{.}}`, `${alert(1)}`, `&lt;script&gt;alert(1)&lt;/script&gt;`,
	`%3Cscript%3Ealert(1)%3C/script%3E`, "<\u200bscript>alert(1)</script>", "<script\u2028>alert(1)</script>", `javascript:alert(1)`, `javascript://%0aalert(1)`,
	`<xss id=x tabindex=1 onfocus=alert(1)></xss>`, `<select><option onclick=alert(1)>`, `<keygen autofocus onfocus=alert(1)>`, `<table background=javascript:alert(1)>`,
}, markdowns...)

// markdowns are those that Markdown makes something of.
var markdowns = []string{
	`[x](javascript:alert(1))`, `[x](JAVASCRIPT:alert(1))`, `[x](java&#115;cript:alert(1))`, `[x](data:text/html;base64,PHNjcmlwdD4=)`, `[x](vbscript:x)`,
	`![x](http://evil.example.net/x.png)`, `![x](javascript:alert(1))`, `![x" onerror="alert(1)](x)`, `[x](x "\" onmouseover=\"alert(1)")`, `<javascript:alert(1)>`,
	"[x]: javascript:alert(1)\n\n[x]", "```\n</code></pre><script>alert(1)</script>\n```", "`</code><script>alert(1)</script>`", "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
}

// harmful reports what in a page comes from nowhere but a hostile text: elements
// that our templates have not, attributes that run something, addresses elsewhere.
func harmful(t *testing.T, page []byte) (found []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(string(page)))
	if err != nil {
		t.Fatal(err)
	}
	scripts := 0
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if slices.Contains([]string{"img", "iframe", "object", "embed", "svg", "math", "style", "base", "template", "video", "audio", "marquee", "xss", "keygen", "textarea", "noscript"}, n.Data) {
			found = append(found, "<"+n.Data+">")
		}
		if n.Data == "script" {
			if scripts++; scripts > 1 || n.FirstChild != nil {
				found = append(found, "a script")
			}
		}
		for _, a := range n.Attr {
			value := strings.ToLower(strings.TrimSpace(a.Val))
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc", a.Key == "formaction", a.Key == "http-equiv", a.Key == "background":
				found = append(found, a.Key+"="+a.Val)
			case slices.Contains([]string{"href", "src", "action"}, a.Key):
				if u, err := url.Parse(value); err != nil || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "mailto" {
					found = append(found, a.Key+"="+a.Val)
				}
			}
		}
	}
	return found
}

func (s *scene) wantHarmless(what string, a formattest.Answer) {
	s.t.Helper()
	if a.Status >= 500 || len(harmful(s.t, a.Body)) > 0 {
		s.t.Errorf("%s gives %d with %q", what, a.Status, harmful(s.t, a.Body))
	}
}

// What is hostile comes from an address and stays text in every page.
func TestHostileAddresses(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish("tool/1.0/app.txt", "hello")
	if len(payloads) < 60 {
		t.Fatalf("there are %d payloads, want 60", len(payloads))
	}
	for _, text := range payloads {
		q := url.QueryEscape(text)
		for _, path := range []string{
			"/explore/packages?q=" + q, "/acme/tools/-/packages?q=" + q + "&type=" + q + "&version=" + q, "/acme/tools/-/packages?status=" + q, "/?" + q,
			"/acme/tools/-/packages/" + url.PathEscape(text), "/" + url.PathEscape(text) + "/x", "/groups/" + url.PathEscape(text), "/-/sign-in?return_to=" + q,
		} {
			s.wantHarmless("GET "+path, s.get("owner", path))
		}
	}
}

// What is hostile in a description of a project stays text.
func TestHostileDescriptions(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, text := range payloads {
		body, err := json.Marshal(map[string]string{"description": text})
		if err != nil {
			t.Fatal(err)
		}
		s.API("PUT", fmt.Sprintf("/projects/%d", s.project), string(body), nil)
		page := s.get("owner", "/acme/tools")
		s.wantHarmless("the project "+text, page)
		if text == `<script>alert(1)</script>` && !strings.Contains(string(page.Body), "&lt;script&gt;alert(1)&lt;/script&gt;") {
			t.Errorf("the page lacks its description: %s", page.Body)
		}
		s.wantHarmless("the list with "+text, s.get("owner", "/"))
	}
}

package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"packhouse"
	"packhouse/internal/authn"
	"packhouse/internal/format"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed assets/*
var assetFiles embed.FS

// templates are the pages by name, each with the frame around it.
var templates = readTemplates()

func readTemplates() map[string]*template.Template {
	frame := template.Must(template.New("frame.html").Funcs(functions).ParseFS(pageFiles, "pages/frame.html", "pages/parts.html"))
	all := map[string]*template.Template{}
	for _, name := range []string{"home", "group", "project", "packages", "version", "images", "tags", "problem"} {
		all[name] = template.Must(template.Must(frame.Clone()).ParseFS(pageFiles, "pages/"+name+".html"))
	}
	return all
}

var functions = template.FuncMap{
	"size":  func(n int64) string { return humanize.IBytes(uint64(max(n, 0))) },
	"ago":   func(t time.Time) string { return humanize.Time(t) },
	"exact": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
	"stamp": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"short": func(s string) string { return s[:min(len(s), 8)] },
	"label": label,
	"badge": func(kind string) string { return kind[:min(2, len(kind))] },
	"count": func(n int) string { return humanize.Comma(int64(n)) },
}

// labels are how people write the formats.
var labels = map[string]string{
	"generic": "Generic", "npm": "npm", "nuget": "NuGet", "pypi": "PyPI", "terraform_module": "Terraform module", "maven": "Maven",
	"composer": "Composer", "conan": "Conan", "debian": "Debian", "rubygems": "RubyGems", "helm": "Helm", "golang": "Go", "cargo": "Cargo",
}

func label(kind string) string {
	if text := labels[kind]; text != "" {
		return text
	}
	return kind
}

// frame is what stands around every page, and what the page is made of.
type frame struct {
	Title  string
	Prefix string // of paths on this server
	Here   string // of the page on this server, to come back to after the sign-in
	User   string // of who is signed in; "" for a visitor
	CSRF   string
	Crumbs []crumb
	Tabs   []tab
	Query  string // in the search box
	API    string // the REST call behind the page
	Data   any
}

// crumb is a part of where the page is.
type crumb struct{ Name, Link string }

// tab is a page beside this one.
type tab struct {
	Name, Link string
	Current    bool
}

// show answers with a page.
func (p *Protocol) show(q *request, name string, f frame) error {
	f.Prefix, f.Here = q.Base().EscapedPath(), q.URL.RequestURI()
	if q.Actor.Kind != packhouse.Anonymous {
		f.User = q.Actor.Name
		if secret := authn.SessionSecret(q.Request); secret != "" {
			f.CSRF = authn.CSRF(secret)
		}
	}
	return write(q.w, http.StatusOK, name, f)
}

// policy lets a page have what this server has, and nothing run in it but that.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func write(w http.ResponseWriter, status int, name string, f frame) error {
	var b bytes.Buffer
	if err := templates[name].ExecuteTemplate(&b, "frame.html", f); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "private, no-store") // it is for this person
	h.Set("Vary", "Accept")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that went away needs no answer
	return nil
}

// WriteError implements format.Protocol: as a page for who reads pages.
func (p *Protocol) WriteError(w http.ResponseWriter, r *http.Request, e *packhouse.Error) {
	if !WantsPage(r) {
		format.GitLabError(w, e)
		return
	}
	f := frame{Title: title(e.Kind), Here: r.URL.RequestURI()}
	if p.External != nil {
		f.Prefix = p.External.EscapedPath()
	}
	f.Data = problem{Kind: e.Kind, Fix: fix(e), RequestID: w.Header().Get("X-Request-Id"), NotFound: e.Kind == packhouse.NotFound}
	if err := write(w, e.Kind.Status(), "problem", f); err != nil {
		panic(err) // the template and its content are ours
	}
}

// problem is what a page says that could not be shown.
type problem struct {
	Kind      packhouse.Kind
	Fix       string
	RequestID string
	NotFound  bool // it says nothing but that: it may be there, and hidden
}

func title(k packhouse.Kind) string {
	switch k {
	case packhouse.NotFound:
		return "Not found"
	case packhouse.Unauthenticated:
		return "Sign in"
	case packhouse.Internal:
		return "Something went wrong on the server"
	}
	return http.StatusText(k.Status())
}

func fix(e *packhouse.Error) string {
	switch {
	case e.Kind == packhouse.Internal, e.Kind == packhouse.NotFound, e.Kind == packhouse.Unauthenticated:
		return ""
	case e.Fix != "":
		return strings.ToUpper(e.Fix[:1]) + e.Fix[1:] + "."
	}
	return e.Message
}

// asset answers with the style sheet or the script.
func (p *Protocol) asset(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	name := c.Arg("name")
	data, err := fs.ReadFile(assetFiles, "assets/"+name)
	if err != nil {
		return &packhouse.Error{Kind: packhouse.NotFound, Rule: "route", Message: "404 Not Found", Err: err}
	}
	sum := sha256.Sum256(data)
	h := w.Header()
	h.Set("Content-Type", map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}[path.Ext(name)])
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Etag", `"`+hex.EncodeToString(sum[:16])+`"`)
	h.Set("Cache-Control", "public, no-cache") // asked about each time, so that no old one outlives an upgrade
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	return nil
}

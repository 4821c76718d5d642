package signin

import (
	"bytes"
	_ "embed" // for the page
	"html/template"
	"net/http"
	"strconv"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// content is what the page shows.
type content struct {
	Problem   string
	RequestID string
	ReturnTo  string
	Providers []Provider
	Username  string // of who is signed in
	CSRF      string
	Prefix    string // of paths on this server
}

func (p *Protocol) page(w http.ResponseWriter, status int, c content) {
	if p.External != nil {
		c.Prefix = p.External.Path
	}
	c.Providers = p.Providers
	var b bytes.Buffer
	if err := page.Execute(&b, c); err != nil {
		panic(err) // the template and its content are ours
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that went away needs no answer
}

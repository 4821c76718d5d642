package format

import (
	"net/http"
	"strconv"
	"strings"

	"packhouse/internal/registry"
)

// ServeDocument answers with an index document, compressed if the client takes
// that. A client that has it already gets 304 (RFC 9110, 13.1.2). Headers that
// the caller has set stay; the caller sets Vary for what it chose the document
// by.
func ServeDocument(w http.ResponseWriter, r *http.Request, d *registry.Document) {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding, Authorization")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "private, max-age=0, must-revalidate")
	}
	h.Set("Content-Type", d.Type)
	h.Set("X-Content-Type-Options", "nosniff")
	etag, body := d.ETag, d.Body
	if acceptsGzip(r.Header) {
		if zipped := d.Gzip(); zipped != nil {
			// Another representation has another strong tag (RFC 9110, 8.8.3.3).
			etag, body = strings.TrimSuffix(etag, `"`)+`-gzip"`, zipped
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Etag", etag)
	if matches(r.Header, d.ETag) {
		h.Del("Content-Encoding")
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that went away needs no answer
	}
}

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3).
func acceptsGzip(h http.Header) bool {
	for _, line := range h["Accept-Encoding"] {
		for one := range strings.SplitSeq(line, ",") {
			coding, weight, _ := strings.Cut(one, ";")
			quality, weighted := strings.CutPrefix(strings.TrimSpace(weight), "q=")
			refused := weighted && strings.Trim(quality, "0.") == ""
			if coding = strings.TrimSpace(coding); (coding == "gzip" || coding == "*") && !refused {
				return true
			}
		}
	}
	return false
}

// matches reports whether the client has the document, in whichever encoding:
// the comparison is weak, as If-None-Match wants it.
func matches(h http.Header, etag string) bool {
	plain := strings.Trim(etag, `"`)
	for _, line := range h["If-None-Match"] {
		for one := range strings.SplitSeq(line, ",") {
			one = strings.Trim(strings.TrimPrefix(strings.TrimSpace(one), "W/"), `"`)
			if one == "*" || one == plain || one == plain+"-gzip" {
				return true
			}
		}
	}
	return false
}

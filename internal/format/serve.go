package format

import (
	"bytes"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"

	"packhouse"
	"packhouse/internal/registry"
)

// ServeFile answers with a file as an attachment, so that no browser ever runs
// what a user uploaded, and counts the download. It answers ranges and
// conditional requests (RFC 9110, 13 and 14); the ETag is the SHA-256. Headers
// that the caller has set stay.
func ServeFile(w http.ResponseWriter, r *http.Request, c *registry.Content) error {
	own := w.Header()
	prepared := c.Derived(func() any { return headersOf(c.File()) }).(*headers)
	for _, f := range prepared.fields {
		if _, set := own[f.name]; !set {
			own[f.name] = f.value
		}
	}
	if c.File().Size == 0 {
		r.Header.Del("Range") // nothing has no parts, and net/http miscounts them
	}
	data, small := c.Bytes()
	switch {
	case c.Links() && linkable(r, c.File()):
		return link(w, r, c)
	case small && !conditional(r.Header):
		own["Content-Length"] = prepared.length
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(data) // a client that went away needs no answer
	case small:
		http.ServeContent(w, r, "", c.File().CreatedAt, bytes.NewReader(data))
	default:
		http.ServeContent(w, r, "", c.File().CreatedAt, c.Reader())
	}
	if r.Method == http.MethodGet && delivered(w) {
		c.Downloaded()
	}
	return nil
}

// link sends the client to where the bytes are. They come from there with the
// type, the disposition and the caching that they would have from here.
func link(w http.ResponseWriter, r *http.Request, c *registry.Content) error {
	own := w.Header()
	address, err := c.Link(r.Context(), registry.LinkHeader{
		ContentType: own.Get("Content-Type"), ContentDisposition: own.Get("Content-Disposition"), CacheControl: own.Get("Cache-Control"),
	})
	if err != nil {
		return err
	}
	// These are of the bytes. The checksum stays, for those who look for it here.
	for _, name := range []string{"Content-Type", "Content-Disposition", "Etag", "Last-Modified", "Accept-Ranges"} {
		own.Del(name)
	}
	own.Set("Location", address)
	own.Set("Cache-Control", "private, no-store") // the address is somebody's, for minutes
	own.Set("Content-Length", "0")
	w.WriteHeader(http.StatusFound)
	c.Downloaded()
	return nil
}

// linkable reports whether a request is for the bytes, or a part of them, and
// not for an answer that depends on the ETag: the other place has one of its
// own.
func linkable(r *http.Request, f *packhouse.File) bool {
	if r.Method != http.MethodGet || f.Size == 0 {
		return false
	}
	for _, name := range []string{"If-Match", "If-Range", "If-Modified-Since", "If-Unmodified-Since"} {
		if _, ok := r.Header[name]; ok {
			return false
		}
	}
	known := r.Header.Get("If-None-Match")
	return known != "*" && !strings.Contains(known, f.SHA256.String())
}

// delivered reports whether an answer gave the file from its start: one that is
// resumed was counted when it began.
func delivered(w http.ResponseWriter) bool {
	answer, ok := w.(interface{ Status() int })
	if !ok {
		return true
	}
	switch answer.Status() {
	case http.StatusOK:
		return true
	case http.StatusPartialContent:
		return strings.HasPrefix(w.Header().Get("Content-Range"), "bytes 0-")
	}
	return false
}

// field is a header field in the form in which it is stored in a http.Header.
// Its value is shared between answers and never changed.
type field struct {
	name  string
	value []string
}

// headers are what an answer with a file says about it.
type headers struct {
	fields []field  // in every answer
	length []string // Content-Length of one with the whole file
}

func headersOf(f *packhouse.File) *headers {
	digest := f.SHA256.String()
	return &headers{length: []string{strconv.FormatInt(f.Size, 10)}, fields: []field{
		{"Content-Type", []string{"application/octet-stream"}},
		{"Content-Disposition", []string{Attachment(path.Base(f.Path))}},
		{"X-Checksum-Sha256", []string{digest}},
		{"Etag", []string{`"` + digest + `"`}},
		{"X-Content-Type-Options", []string{"nosniff"}},
		{"Accept-Ranges", []string{"bytes"}},
		{"Last-Modified", []string{f.CreatedAt.Format(http.TimeFormat)}},
	}}
}

// conditional reports whether a request may be answered with anything but the
// whole file.
func conditional(h http.Header) bool {
	for _, name := range []string{"Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range"} {
		if _, ok := h[name]; ok {
			return true
		}
	}
	return false
}

// Attachment writes a Content-Disposition with the file name in both forms, as
// clients of either age read it (RFC 6266, 4.3 and appendix D).
func Attachment(name string) string {
	plain := strings.Map(func(c rune) rune {
		if c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			return '_'
		}
		return c
	}, name)
	return fmt.Sprintf(`attachment; filename="%s"; filename*=UTF-8''%s`, plain, extValue(name))
}

// extValue percent-encodes all but the attr-char of RFC 5987, 3.2.1.
func extValue(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$&+-.^_`|~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

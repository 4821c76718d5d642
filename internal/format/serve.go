package format

import (
	"bytes"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"

	"packhouse/internal/registry"
)

// ServeFile answers with a file as an attachment, so that no browser ever runs
// what a user uploaded, and counts the download. It answers ranges and
// conditional requests (RFC 9110, 13 and 14); the ETag is the SHA-256. Headers
// that the caller has set stay.
func ServeFile(w http.ResponseWriter, r *http.Request, c *registry.Content) error {
	digest := c.File.SHA256.String()
	h := w.Header()
	setDefault(h, "Content-Type", "application/octet-stream")
	setDefault(h, "Content-Disposition", Attachment(path.Base(c.File.Path)))
	h["X-Checksum-Sha256"] = []string{digest}
	h["Etag"] = []string{`"` + digest + `"`}
	h["X-Content-Type-Options"] = noSniff
	if r.Method == http.MethodGet {
		c.Downloaded()
	}
	data, small := c.Bytes()
	if small && !conditional(r.Header) {
		h["Content-Length"] = []string{strconv.Itoa(len(data))}
		h["Accept-Ranges"] = acceptRanges
		h["Last-Modified"] = []string{c.File.CreatedAt.Format(http.TimeFormat)}
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(data) // a client that went away needs no answer
		return nil
	}
	if small {
		http.ServeContent(w, r, "", c.File.CreatedAt, bytes.NewReader(data))
		return nil
	}
	http.ServeContent(w, r, "", c.File.CreatedAt, c.Reader())
	return nil
}

var (
	noSniff      = []string{"nosniff"}
	acceptRanges = []string{"bytes"}
)

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

func setDefault(h http.Header, name, value string) {
	if _, ok := h[name]; !ok {
		h[name] = []string{value}
	}
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

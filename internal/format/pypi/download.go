package pypi

import (
	"net/http"
	"strings"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// besideFiles are the files that are kept beside a file: what their addresses end with,
// and their media type.
var besideFiles = []struct{ ending, mediaType string }{
	{metadataEnding, "text/plain; charset=utf-8"},
	{provenanceEnding, "application/vnd.pypi.integrity.v1+json"},
}

// isBeside reports whether a file is one that is kept beside another.
func isBeside(name string) bool {
	for _, b := range besideFiles {
		if strings.HasSuffix(name, b.ending) {
			return true
		}
	}
	return false
}

// download serves a file, or what is kept beside it. The address has the file's
// digest, so what is there never changes.
func (PyPI) download(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	name, mediaType := c.Arg("file"), ""
	for _, b := range besideFiles {
		if stem, ok := strings.CutSuffix(name, b.ending); ok {
			name, mediaType = stem, b.mediaType
			break
		}
	}
	d, err := parseFilename(name)
	if err != nil {
		return err
	}
	content, err := open(r, c, d, name)
	if err != nil {
		return err
	}
	defer content.Close()
	h := w.Header()
	if mediaType != "" {
		about, err := open(r, c, d, c.Arg("file"))
		if err != nil {
			return err
		}
		defer about.Close()
		if metadataOf(about.File()).Of != content.File().SHA256 {
			return errAbsent()
		}
		content = about
		h.Set("Content-Type", mediaType)
	}
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	return format.ServeFile(w, r, content)
}

// open finds a file of a distribution. The file itself must have the digest of
// the address.
func open(r *http.Request, c *format.Call, d distribution, name string) (*registry.Content, error) {
	content, err := c.Source.Open(r.Context(), packhouse.FileRef{Format: "pypi", Package: d.pkg, Version: d.version, Path: name})
	if err != nil {
		return nil, err
	}
	if !isBeside(name) && !strings.EqualFold(content.File().SHA256.String(), c.Arg("sha256")) {
		content.Close()
		return nil, errAbsent()
	}
	return content, nil
}

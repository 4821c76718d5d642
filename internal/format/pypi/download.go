package pypi

import (
	"net/http"
	"strings"

	"packhouse"
	"packhouse/internal/format"
)

// download serves a file, or the metadata of a wheel. The address has the file's
// digest, so what is there never changes.
func (PyPI) download(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	file := c.Arg("file")
	name, metadata := strings.CutSuffix(file, metadataEnding)
	d, err := parseFilename(name)
	if err != nil {
		return err
	}
	ref := packhouse.FileRef{Format: "pypi", Package: d.pkg, Version: d.version, Path: file}
	content, err := c.Source.Open(r.Context(), ref)
	if err != nil {
		return err
	}
	defer content.Close()
	digest := content.File().SHA256
	if metadata {
		digest = metadataOf(content.File()).Of
	}
	if !strings.EqualFold(digest.String(), c.Arg("sha256")) {
		return packhouse.Errorf(packhouse.NotFound, "404 Package Not Found")
	}
	h := w.Header()
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	if metadata {
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	return format.ServeFile(w, r, content)
}

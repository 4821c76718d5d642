package container

import (
	"net/http"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// repository is what the actor may read at the name of a request. The gate has
// decided that they may.
func repository(c *format.Call) (*registry.Repository, error) {
	if imager, ok := c.Source.(registry.Imager); ok {
		return imager.Repository(c.Rest), nil
	}
	return nil, packhouse.Errorf(packhouse.NotFound, "repository not found")
}

// getBlob serves a blob that the repository has. That another one has it is no
// reason.
func getBlob(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	repo, err := repository(c)
	if err != nil {
		return err
	}
	digest := c.Arg("digest")
	if _, err := packhouse.ParsePartRef(digest); err != nil {
		return err
	}
	content, err := repo.Blob(r.Context(), digest)
	if err != nil {
		return err
	}
	defer content.Close()
	h := w.Header()
	h["Docker-Content-Digest"] = []string{digest}
	h["Etag"] = []string{`"` + digest + `"`}
	h["Cache-Control"] = forAYear
	return format.ServeFile(w, r, content)
}

var forAYear = []string{"private, max-age=31536000, immutable"}

// deleteBlob takes a blob out of the repository, unless a manifest there names it.
func deleteBlob(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	ref, err := packhouse.ParsePartRef(c.Arg("digest"))
	if err != nil {
		return err
	}
	if err := c.Hosted.Repository(c.Rest).Delete(r.Context(), false, ref); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

package container

import (
	"errors"
	"io"
	"net/http"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// getManifest serves a manifest as it was pushed, whatever the client accepts: those
// who ask too narrowly have the media type to find that out.
func getManifest(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	repo, err := repository(c)
	if err != nil {
		return err
	}
	reference := c.Arg("reference")
	if registry.IsDigest(reference) {
		if _, err := packhouse.ParsePartRef(reference); err != nil {
			return err
		}
	}
	content, err := repo.Manifest(r.Context(), reference)
	if err != nil {
		return err
	}
	defer content.Close()
	part := content.Part()
	digest := part.Digest
	if registry.IsDigest(reference) {
		digest = reference
	}
	h := w.Header()
	h["Content-Type"] = []string{part.MediaType}
	h["Docker-Content-Digest"] = []string{digest}
	h["Etag"] = []string{`"` + digest + `"`}
	h["Cache-Control"] = askAgain
	h["Last-Modified"] = nil // a tag may move back to an older manifest
	r.Header.Del("Range")
	return format.ServeFile(w, r, content)
}

var askAgain = []string{"private, no-cache"}

// mostTags bounds the tags that one request puts on a manifest.
const mostTags = 50

// putManifest stores a manifest and points tags at it. It is the one step that makes
// an image visible, and all that it names is there by then.
func putManifest(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	reference, tags := c.Arg("reference"), r.URL.Query()["tag"]
	var ref packhouse.PartRef
	digest := ""
	if registry.IsDigest(reference) {
		var err error
		if ref, err = packhouse.ParsePartRef(reference); err != nil {
			return err
		}
		digest = reference
	} else {
		tags = []string{reference}
	}
	if len(tags) > mostTags {
		return packhouse.Errorf(packhouse.Invalid, "more than %d tags", mostTags)
	}
	for _, tag := range tags {
		if err := checkTag(tag); err != nil {
			return err
		}
	}
	data, err := readManifest(w, r)
	if err != nil {
		return err
	}
	m, err := parseManifest(data, r.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	m.Digest, m.Ref, m.Tags = digest, ref, tags
	part, err := c.Hosted.Repository(c.Rest).PutManifest(r.Context(), m)
	if err != nil {
		return err
	}
	if digest == "" {
		digest = part.Digest
	}
	h := w.Header()
	if m.Subject != "" {
		h.Set("OCI-Subject", m.Subject) // clients need no tag that says the same
	}
	if registry.IsDigest(reference) {
		for _, tag := range tags {
			h.Add("OCI-Tag", tag)
		}
	}
	h.Set("Location", "/v2/"+c.Arg("name")+"/manifests/"+digest)
	h.Set("Docker-Content-Digest", digest)
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	return nil
}

// readManifest reads a manifest into memory, up to a size.
func readManifest(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	tooLarge := &packhouse.Error{
		Kind: packhouse.TooLarge, Rule: "manifest-size", Message: "the manifest has more than 8 MiB", Fix: "move what is large into a blob",
	}
	if r.ContentLength > maxManifest {
		return nil, tooLarge
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxManifest))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, tooLarge
	case err != nil:
		return nil, &packhouse.Error{Kind: packhouse.Invalid, Rule: "body", Message: "the manifest ended before it was complete", Fix: "send it again", Err: err}
	}
	return data, nil
}

// deleteManifest takes a tag away, or ends a manifest with all its tags.
func deleteManifest(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	reference := c.Arg("reference")
	if !registry.IsDigest(reference) {
		return deleteTag(w, r, c)
	}
	ref, err := packhouse.ParsePartRef(reference)
	if err != nil {
		return err
	}
	if err := c.Hosted.Repository(c.Rest).Delete(r.Context(), true, ref); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// deleteTag takes a tag away. The manifest and its other tags stay.
func deleteTag(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	if err := c.Hosted.Repository(c.Rest).Untag(r.Context(), c.Arg("reference")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusAccepted)
	return nil
}

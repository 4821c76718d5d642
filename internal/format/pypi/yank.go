package pypi

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// versionMetadata is what is kept with a version.
type versionMetadata struct {
	Yanked *yanked `json:"yanked,omitempty"`
}

// yanked marks a version that installers pass over unless it is asked for by its
// exact number (PEP 592).
type yanked struct {
	Reason string `json:"reason,omitempty"`
}

func versionMetadataOf(v *packhouse.Version) (m versionMetadata) {
	_ = json.Unmarshal(v.Metadata, &m) // we wrote it; a version without it is not yanked
	return m
}

// Limits on a request to yank.
const (
	maxYank   = 16 << 10 // bytes of the body
	maxReason = 1000     // bytes
)

// yank marks all files of a version, those that are published later too. What is
// yanked already gets the new reason.
func (PyPI) yank(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	reason, err := readReason(r)
	if err != nil {
		return err
	}
	if err := putYanked(r, c, &yanked{reason}); err != nil {
		return err
	}
	format.WriteJSON(w, http.StatusOK, map[string]any{"name": c.Arg("name"), "version": c.Arg("version"), "yanked": true, "reason": reason})
	return nil
}

// unyank takes the mark away. What is not yanked stays so.
func (PyPI) unyank(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	if err := putYanked(r, c, nil); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func putYanked(r *http.Request, c *format.Call, y *yanked) error {
	key, err := normalise(c.Arg("name"))
	if err != nil {
		return err
	}
	version, err := versionKey(c.Arg("version"))
	if err != nil {
		return err
	}
	return c.Hosted.Edit(r.Context(), key, func(e *registry.Edit) error {
		v, err := e.Version(version)
		if err != nil {
			return err
		}
		m := versionMetadataOf(v)
		if m.Yanked == y || m.Yanked != nil && y != nil && *m.Yanked == *y {
			return nil // nothing changes, so nothing is written down
		}
		m.Yanked = y
		return e.SetMetadata(v, mustJSON(m))
	})
}

// readReason reads why a version is yanked: the field "reason" of JSON, of a form
// or of the query. It may be absent.
func readReason(r *http.Request) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r.Body, maxYank+1))
	if err != nil {
		return "", errForm(err)
	}
	bad := packhouse.InvalidParam("reason", "is invalid")
	bad.Fix = `send {"reason": "…"} as JSON, or reason=… as a form: one line of at most 1000 bytes`
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	var reason string
	switch query := r.URL.Query(); {
	case len(data) > maxYank:
		return "", bad
	case len(data) == 0:
		reason = query.Get("reason")
	case kind == "application/json":
		var body struct{ Reason string }
		if err := json.Unmarshal(data, &body); err != nil || !utf8.Valid(data) {
			return "", bad
		}
		reason = body.Reason
	case kind == "application/x-www-form-urlencoded":
		fields, err := url.ParseQuery(string(data))
		if err != nil {
			return "", bad
		}
		reason = fields.Get("reason")
	default:
		return "", bad
	}
	reason = strings.TrimSpace(reason)
	if len(reason) > maxReason || !utf8.ValidString(reason) || strings.ContainsFunc(reason, unicode.IsControl) {
		return "", bad
	}
	return reason, nil
}

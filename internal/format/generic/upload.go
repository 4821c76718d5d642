package generic

import (
	"mime"
	"net/http"
	"net/url"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// upload publishes one file. It answers 201 once the file would survive a power
// cut, or 200 with the file's record when asked for it.
func (Generic) upload(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	at, err := parse(c)
	if err != nil {
		return err
	}
	status, selected, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	if err := checkBody(r); err != nil {
		return err
	}
	file, err := c.Hosted.Receive(r.Context(), registry.Incoming{
		Path: at.path, Size: r.ContentLength, Body: r.Body, Check: checksums(r.Header),
	})
	if err != nil {
		return err
	}
	defer file.Release()
	out, err := c.Hosted.Publish(r.Context(), registry.Draft{
		Package: at.name, PackageKey: at.name, Version: at.version, VersionKey: at.version,
		Status: status, Files: []*registry.Received{file},
	})
	if err != nil {
		return err
	}
	if selected {
		format.WriteJSON(w, http.StatusOK, newRecord(out, c.Target.ID))
		return nil
	}
	format.WriteJSON(w, http.StatusCreated, map[string]string{"message": "201 Created"})
	return nil
}

// parseQuery reads ?status= and ?select=. Without a status, a later upload
// leaves the version's as it is. A query that cannot be read whole is refused:
// dropping a part of it could show to everybody what was meant to be hidden.
func parseQuery(raw string) (status packhouse.Status, selected bool, err error) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return "", false, packhouse.Errorf(packhouse.Invalid, "the query cannot be read")
	}
	if query.Has("status") {
		switch status = packhouse.Status(query.Get("status")); status {
		case packhouse.StatusDefault, packhouse.StatusHidden:
		default:
			return "", false, packhouse.InvalidParam("status", "does not have a valid value")
		}
	}
	if selected = query.Has("select"); selected && query.Get("select") != "package_file" {
		return "", false, packhouse.InvalidParam("select", "does not have a valid value")
	}
	return status, selected, nil
}

// checkBody refuses requests that carry no file, or carry it in an envelope
// that would be stored with it.
func checkBody(r *http.Request) error {
	// The type is known even where its parameters cannot be read.
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "multipart/form-data" {
		return &packhouse.Error{
			Kind: packhouse.Invalid, Rule: "body",
			Message: "400 Bad request - the file must be the request's body, not a form",
			Fix:     "use curl --upload-file FILE instead of -F file=@FILE",
		}
	}
	if r.ContentLength == 0 && r.Header.Get("Content-Length") == "" {
		return packhouse.InvalidParam("file", "is missing")
	}
	return nil
}

// checksums reads the headers by which a client may say what it sends. GitLab
// has none; these are the names that Maven repositories use.
func checksums(h http.Header) registry.Checksums {
	return registry.Checksums{
		SHA256: h.Get("X-Checksum-Sha256"), SHA512: h.Get("X-Checksum-Sha512"),
		SHA1: h.Get("X-Checksum-Sha1"), MD5: h.Get("X-Checksum-Md5"),
	}
}

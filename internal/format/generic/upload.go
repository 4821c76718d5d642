package generic

import (
	"fmt"
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
	query := r.URL.Query()
	status, err := parseStatus(query)
	if err != nil {
		return err
	}
	sel := query.Get("select")
	if sel != "" && sel != "package_file" {
		return packhouse.InvalidParam("select", "does not have a valid value")
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
	if sel == "" {
		format.WriteJSON(w, http.StatusCreated, map[string]string{"message": "201 Created"})
		return nil
	}
	format.WriteJSON(w, http.StatusOK, newRecord(out, c.Mount))
	return nil
}

// parseStatus reads ?status=. Without one, a later upload leaves the version's
// status as it is.
func parseStatus(query url.Values) (packhouse.Status, error) {
	if !query.Has("status") {
		return "", nil
	}
	switch s := packhouse.Status(query.Get("status")); s {
	case packhouse.StatusDefault, packhouse.StatusHidden:
		return s, nil
	}
	return "", packhouse.InvalidParam("status", "does not have a valid value")
}

// checkBody refuses requests that carry no file, or carry it in an envelope
// that would be stored with it.
func checkBody(r *http.Request) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && kind == "multipart/form-data" {
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

// record is the file object of ?select=package_file. client-go wants an object
// in file and a number in file_store.
type record struct {
	ID        int64            `json:"id"`
	PackageID int64            `json:"package_id"`
	CreatedAt string           `json:"created_at"`
	UpdatedAt string           `json:"updated_at"`
	Size      int64            `json:"size"`
	FileName  string           `json:"file_name"`
	MD5       *string          `json:"file_md5"`
	SHA1      *string          `json:"file_sha1"`
	SHA256    packhouse.Digest `json:"file_sha256"`
	FileStore int              `json:"file_store"`
	Status    string           `json:"status"`
	File      struct {
		URL string `json:"url"`
	} `json:"file"`
}

func newRecord(p *registry.Published, mount string) record {
	f := p.Files[0]
	at := f.CreatedAt.Format(format.Time)
	out := record{
		ID: f.ID, PackageID: f.VersionID, CreatedAt: at, UpdatedAt: at, Size: f.Size,
		FileName: url.PathEscape(f.Path), MD5: optional(f.MD5), SHA1: optional(f.SHA1), SHA256: f.SHA256,
		FileStore: 1, Status: string(packhouse.StatusDefault),
	}
	out.File.URL = fmt.Sprintf("%s/%s/%s/%s", mount, p.Version.Package.Name, p.Version.Number, f.Path)
	return out
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

package generic

import (
	"fmt"
	"net/url"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

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

func newRecord(p *registry.Published, projectID int64) record {
	f := p.Files[0]
	at := f.CreatedAt.Format(format.Time)
	out := record{
		ID: f.ID, PackageID: f.VersionID, CreatedAt: at, UpdatedAt: at, Size: f.Size,
		FileName: url.PathEscape(f.Path), MD5: optional(f.MD5), SHA1: optional(f.SHA1), SHA256: f.SHA256,
		FileStore: 1, Status: string(packhouse.StatusDefault),
	}
	// Names and paths hold nothing that a URL would have to escape. The project
	// stands as its id: that stays when it moves.
	out.File.URL = fmt.Sprintf("/api/v4/projects/%d/packages/generic/%s/%s/%s", projectID, p.Version.Package.Name, p.Version.Number, f.Path)
	return out
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

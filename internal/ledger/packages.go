package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"packhouse"
)

// Site names a version by where it is. Every event about packages carries one,
// so that caches know what to drop without asking the store.
type Site struct {
	ProjectID  int64  `json:"project_id"`
	Format     string `json:"format"`
	PackageKey string `json:"package_key"`
	VersionKey string `json:"version_key"`
}

// String returns the site as a path: "projects/31/generic/tool/1.0.0".
func (s Site) String() string {
	return fmt.Sprintf("projects/%d/%s/%s/%s", s.ProjectID, s.Format, s.PackageKey, s.VersionKey)
}

// Where returns the site itself. It makes every event that carries one Sited.
func (s Site) Where() Site { return s }

// Sited is an event about one package.
type Sited interface {
	Event
	Where() Site
}

// FileAdded is one file of a Publish.
type FileAdded struct {
	ID     int64            `json:"id"`
	Path   string           `json:"path"`
	Copy   int              `json:"copy,omitempty"`
	Size   int64            `json:"size"`
	SHA256 packhouse.Digest `json:"sha256"`
	MD5    string           `json:"md5,omitempty"`
	SHA1   string           `json:"sha1,omitempty"`
	SHA512 string           `json:"sha512,omitempty"`

	Metadata json.RawMessage `json:"metadata,omitempty"` // what the format derived from the file
}

// The events of packages.
type (
	// Publish adds files to a version, making the version and the package first
	// where they are new.
	Publish struct {
		Site
		PackageID   int64               `json:"package_id"`
		PackageName string              `json:"package_name,omitempty"` // set when the package is new
		VersionID   int64               `json:"version_id"`
		Version     string              `json:"version,omitempty"`  // number as published; set when the version is new
		Status      packhouse.Status    `json:"status,omitempty"`   // of a new version
		Metadata    json.RawMessage     `json:"metadata,omitempty"` // of a new version; what the format derived from its files
		CreatorID   int64               `json:"creator_id,omitempty"`
		Pipeline    *packhouse.Pipeline `json:"pipeline,omitempty"`
		Files       []FileAdded         `json:"files"`
	}
	// StatusChange shows or hides a version.
	StatusChange struct {
		Site
		VersionID int64            `json:"version_id"`
		Status    packhouse.Status `json:"status"`
	}
	// MetadataPut replaces what a version says about itself: npm's deprecation,
	// PyPI's yank.
	MetadataPut struct {
		Site
		VersionID int64           `json:"version_id"`
		Metadata  json.RawMessage `json:"metadata,omitempty"`
	}
	// VersionDelete ends a version and all its files.
	VersionDelete struct {
		Site
		Deletion
		VersionID int64 `json:"version_id"`
		Whole     bool  `json:"whole,omitempty"` // the deletion is of the whole package
	}
	// FileDelete ends one file.
	FileDelete struct {
		Site
		Deletion
		VersionID int64 `json:"version_id"`
		FileID    int64 `json:"file_id"`
	}
	// TagPut points a tag of a package at a version, moving it if it exists.
	TagPut struct {
		Site             // of the version it points at
		PackageID int64  `json:"package_id"`
		VersionID int64  `json:"version_id"`
		Name      string `json:"name"`
	}
	// TagRemove takes a tag off a package.
	TagRemove struct {
		Site             // VersionKey is empty
		PackageID int64  `json:"package_id"`
		Name      string `json:"name"`
	}
	// Purge gives up the bytes of deleted files for good. Their rows stay, as
	// tombstones with name and hash.
	Purge struct {
		FileIDs []int64   `json:"file_ids"`
		Before  time.Time `json:"before"` // they were deleted before this time
	}
)

var (
	verbPublish       = register[Publish]("version.publish")
	verbStatusChange  = register[StatusChange]("version.status")
	verbMetadataPut   = register[MetadataPut]("version.metadata")
	verbVersionDelete = register[VersionDelete]("version.delete")
	verbFileDelete    = register[FileDelete]("file.delete")
	verbTagPut        = register[TagPut]("tag.put")
	verbTagRemove     = register[TagRemove]("tag.remove")
	verbPurge         = register[Purge]("file.purge")
)

// Verb implements Event.
func (*Publish) Verb() string { return verbPublish }

// Verb implements Event.
func (*StatusChange) Verb() string { return verbStatusChange }

// Verb implements Event.
func (*MetadataPut) Verb() string { return verbMetadataPut }

// Verb implements Event.
func (*VersionDelete) Verb() string { return verbVersionDelete }

// Verb implements Event.
func (*FileDelete) Verb() string { return verbFileDelete }

// Verb implements Event.
func (*TagPut) Verb() string { return verbTagPut }

// Verb implements Event.
func (*TagRemove) Verb() string { return verbTagRemove }

// Verb implements Event.
func (*Purge) Verb() string { return verbPurge }

// Object implements Event.
func (e *Publish) Object() string { return e.Site.String() }

// Object implements Event.
func (e *StatusChange) Object() string { return e.Site.String() }

// Object implements Event.
func (e *MetadataPut) Object() string { return e.Site.String() }

// Object implements Event.
func (e *VersionDelete) Object() string { return e.Site.String() }

// Object implements Event.
func (e *FileDelete) Object() string { return fmt.Sprintf("%s/files/%d", e.Site, e.FileID) }

// Object implements Event.
func (e *TagPut) Object() string { return fmt.Sprintf("%s/tags/%s", e.Site, e.Name) }

// Object implements Event.
func (e *TagRemove) Object() string { return fmt.Sprintf("%s/tags/%s", e.Site, e.Name) }

// Object implements Event.
func (e *Purge) Object() string { return fmt.Sprintf("files/%d", len(e.FileIDs)) }

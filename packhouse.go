// Package packhouse holds the nouns of the registry: what is addressed
// (Target), what is published (Package, Version, File), who asks (Actor), with
// what standing (Role), and how a request is refused (Error).
//
// It does no I/O and imports nothing of ours, so every other package can speak
// these words. docs/glossary.md explains them.
package packhouse

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"
)

// Level is the breadth of what a request addresses. Levels are bits, so that
// one route can be declared for several: Group | Project.
type Level uint8

// The three levels, from broad to narrow.
const (
	Instance Level = 1 << iota
	Group
	Project
)

// String returns the level's name as it appears in messages: "project".
func (l Level) String() string {
	switch l {
	case Instance:
		return "instance"
	case Group:
		return "group"
	case Project:
		return "project"
	}
	return fmt.Sprintf("level(%d)", uint8(l))
}

// Target is the instance, group or project that a request addresses.
// The zero Target addresses nothing.
type Target struct {
	Level Level  `json:"level"`
	ID    int64  `json:"id,omitempty"`   // 0 for the instance
	Path  string `json:"path,omitempty"` // full path, "acme/tools/lib"; "" for the instance
}

// Projects is a set of projects.
type Projects struct {
	IDs []int64 // ascending; not to be changed
	Key string  // the same for the same ids, and for no others
}

// ProjectsOf returns the set of those ids, which are ascending.
func ProjectsOf(ids []int64) Projects {
	key := make([]byte, 0, 3*len(ids))
	for _, id := range ids {
		key = binary.AppendVarint(key, id)
	}
	return Projects{IDs: ids, Key: string(key)}
}

// Package is a name under which a project publishes versions of one format.
type Package struct {
	ID        int64
	ProjectID int64
	Format    string // "npm", "generic": the API's package_type
	Name      string // as first published
	Key       string // Name in the format's normalised form; unique per project and format
}

// Version is one published version of a package. GitLab's API calls this a
// package, and Version.ID is that API's package id.
type Version struct {
	ID        int64
	Package   Package
	Number    string // as published
	Key       string // Number in the format's normalised form; unique among a package's live versions
	Status    Status
	Metadata  []byte // JSON that the format derived from the files; nil for none
	CreatedAt time.Time
	CreatorID int64 // the user who published it; 0 for a deploy token
	Pipeline  *Pipeline
}

// File is one file of a version.
type File struct {
	ID        int64
	VersionID int64
	Path      string // slash-separated, below the version: "dir/app.tar.gz"
	Copy      int    // 0 for the first file of this path, 1 for the next duplicate, …
	Size      int64
	SHA256    Digest
	MD5       string // hex; "" when not computed
	SHA1      string // hex; "" when not computed
	SHA512    string // hex; "" when not computed
	Metadata  []byte // JSON that the format derived from the file; nil for none
	CreatedAt time.Time
	Pipeline  *Pipeline
}

// Tag is a movable name for a version of a package: an npm dist-tag.
type Tag struct {
	Name      string
	VersionID int64
	Seq       int64 // the ledger position from which it points there; a later one is newer
}

// FileRef names a file the way a client does, by normalised keys.
type FileRef struct {
	Format  string
	Package string // package key
	Version string // version key
	Path    string
}

// Status says who sees a version. It is GitLab's package status.
type Status string

// The statuses a version can have. Hidden versions are left out of lists but
// can be downloaded by name; errored ones are listed but cannot.
const (
	StatusDefault Status = "default"
	StatusHidden  Status = "hidden"
	StatusError   Status = "error"
)

// Downloadable reports whether files of a version with this status are served.
func (s Status) Downloadable() bool { return s == StatusDefault || s == StatusHidden }

// Digest is the SHA-256 of some bytes. It names them everywhere.
type Digest [32]byte

// ParseDigest reads 64 hexadecimal digits in either case.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	if len(s) != hex.EncodedLen(len(d)) {
		return d, Errorf(Invalid, "a SHA-256 has 64 hexadecimal digits, not %d", len(s))
	}
	if _, err := hex.Decode(d[:], []byte(s)); err != nil {
		return Digest{}, Errorf(Invalid, "a SHA-256 is written in hexadecimal digits")
	}
	return d, nil
}

// String returns the digest as 64 lower-case hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// IsZero reports whether d is the zero Digest, which names nothing.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText writes the digest as hexadecimal, and the zero Digest as "".
func (d Digest) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return nil, nil
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Digest{}
		return nil
	}
	parsed, err := ParseDigest(string(text))
	*d = parsed
	return err
}

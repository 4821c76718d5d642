package packhouse

import (
	"strings"
	"time"
)

// Repository is where a project keeps container images. Its name is what follows
// the project's path in an image's name; "" for the repository that is called as
// the project.
type Repository struct {
	ID        int64
	ProjectID int64
	Name      string
	CreatedAt time.Time
	CleanedAt time.Time // when a cleanup policy came to it last; zero for never
}

// Part is what a repository holds: a manifest, or a blob that manifests name.
type Part struct {
	ID           int64
	RepositoryID int64
	Manifest     bool
	SHA256       Digest // of the bytes
	SHA512       string // hex; "" when not computed
	Digest       string // by which it was pushed: "sha256:…" or "sha512:…"
	Size         int64
	MediaType    string // of a manifest
	Subject      string // digest of the manifest that this one is about; "" for none
	ArtifactType string // of a manifest, as the referrers API shows it; "" for none
	Annotations  []byte // JSON, of a manifest with a subject; nil for none
	CreatedAt    time.Time
	IdleAt       time.Time // since when nothing may need it; zero while something does
}

// ImageTag is a movable name for a manifest.
type ImageTag struct {
	Name     string
	PartID   int64
	PushedAt time.Time
}

// PartRef names a part by one of its digests; the other is zero.
type PartRef struct {
	SHA256 Digest
	SHA512 string // hex, lower case
}

// ParsePartRef reads a digest as images write it: "sha256:" or "sha512:" and its
// lower-case hexadecimal digits.
func ParsePartRef(digest string) (ref PartRef, err error) {
	algorithm, digits, ok := strings.Cut(digest, ":")
	for i := range len(digits) {
		if c := digits[i]; c < '0' || c > '9' && c < 'a' || c > 'f' {
			ok = false
		}
	}
	switch {
	case ok && algorithm == "sha256" && len(digits) == 64:
		if ref.SHA256, err = ParseDigest(digits); err != nil || !ref.SHA256.IsZero() {
			return ref, err // the zero Digest stands for none elsewhere, and nothing has it
		}
	case ok && algorithm == "sha512" && len(digits) == 128:
		return PartRef{SHA512: digits}, nil
	}
	return ref, &Error{Kind: Invalid, Rule: "digest", Message: "the digest is not valid", Fix: "write it as sha256: and 64, or sha512: and 128, lower-case hexadecimal digits"}
}

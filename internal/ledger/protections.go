package ledger

import (
	"fmt"
	"regexp"
	"time"

	"packhouse"
)

// Protection is a rule that keeps packages, or container images, from people whose
// role is too low to push or delete them. It never grants anything.
type Protection struct {
	ID     int64            `json:"id"`
	Target packhouse.Target `json:"target"` // level and id: a project, or a group with all projects below
	Kind   ProtectionKind   `json:"kind,omitempty"`
	Format string           `json:"format"`
	// Packages and Versions are patterns (packhouse.Matches) without regard to
	// case; "" for Versions means all. Other kinds have a pattern of their own in
	// Packages, and no Versions.
	Packages string `json:"packages"`
	Versions string `json:"versions,omitempty"`

	Push   packhouse.Role `json:"push,omitempty"`   // the least that pushes; 0: anybody who otherwise may
	Delete packhouse.Role `json:"delete,omitempty"` // the least that deletes
	From   Origin         `json:"from,omitempty"`   // where pushes have to come from
	// Immutable, of a rule about tags without levels: a tag stays where it points,
	// for everybody.
	Immutable bool `json:"immutable,omitempty"`

	CreatorID int64     `json:"creator_id,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// ProtectionKind says what a protection is about, and so how its pattern is read.
type ProtectionKind string

// The kinds of protection.
const (
	// ProtectsPackages: packages of a format.
	ProtectsPackages ProtectionKind = ""
	// ProtectsRepositories: repositories of container images. Packages covers what
	// follows the project's path in their names, with the slash in front ("/api*"),
	// so that it holds when the project moves.
	ProtectsRepositories ProtectionKind = "repositories"
	// ProtectsTags: tags in all repositories of a project. Packages is RE2, and is
	// found anywhere in a tag, with regard to case.
	ProtectsTags ProtectionKind = "tags"
)

// MaxTagPattern bounds the pattern of a rule about tags, in characters, as in GitLab.
const MaxTagPattern = 100

// CompileTags reads the pattern of a rule about tags: RE2, found anywhere in a tag.
func CompileTags(pattern string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, packhouse.Errorf(packhouse.Invalid, "not valid RE2 syntax: %v", err)
	}
	return re, nil
}

// Images is the format of what is protected in the container registry.
const Images = "container"

// Subject is what a pattern is there once for, at a target: the format, or the kind
// of what it is about in the container registry.
func (p *Protection) Subject() string { return p.Kind.Subject(p.Format) }

// Subject is Protection.Subject of the protections of a kind.
func (k ProtectionKind) Subject(format string) string {
	if k == ProtectsPackages {
		return format
	}
	return Images + "/" + string(k)
}

// Origin is where a push comes from.
type Origin string

// The origins that a protection may ask for; "" is any.
const (
	FromProtectedRefs     Origin = "protected_refs"     // jobs of protected branches and tags
	FromTrustedPublishers Origin = "trusted_publishers" // jobs that one of them vouches for
)

type (
	// ProtectionPut creates or replaces a protection.
	ProtectionPut struct {
		Create     bool       `json:"create,omitempty"`
		Protection Protection `json:"protection"`
	}
	// ProtectionRemove ends a protection.
	ProtectionRemove struct {
		Target packhouse.Target `json:"target"`
		ID     int64            `json:"id"`
	}
)

var (
	verbProtectionPut    = register[ProtectionPut]("protection.put")
	verbProtectionRemove = register[ProtectionRemove]("protection.remove")
)

// Verb implements Event.
func (*ProtectionPut) Verb() string { return verbProtectionPut }

// Verb implements Event.
func (*ProtectionRemove) Verb() string { return verbProtectionRemove }

// Object implements Event.
func (e *ProtectionPut) Object() string {
	return protectionObject(e.Protection.Target, e.Protection.ID)
}

// Object implements Event.
func (e *ProtectionRemove) Object() string { return protectionObject(e.Target, e.ID) }

func protectionObject(t packhouse.Target, id int64) string {
	return fmt.Sprintf("%s/protections/%d", targetObject(t), id)
}

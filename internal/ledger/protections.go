package ledger

import (
	"fmt"
	"time"

	"packhouse"
)

// Protection is a rule that keeps packages from people whose role is too low to
// push or delete them. It never grants anything.
type Protection struct {
	ID     int64            `json:"id"`
	Target packhouse.Target `json:"target"` // level and id: a project, or a group with all projects below
	Format string           `json:"format"`
	// Packages and Versions are patterns (packhouse.Matches) without regard to
	// case; "" for Versions means all.
	Packages string `json:"packages"`
	Versions string `json:"versions,omitempty"`

	Push   packhouse.Role `json:"push,omitempty"`   // the least that pushes; 0: anybody who otherwise may
	Delete packhouse.Role `json:"delete,omitempty"` // the least that deletes
	From   Origin         `json:"from,omitempty"`   // where pushes have to come from

	CreatorID int64     `json:"creator_id,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
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

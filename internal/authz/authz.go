// Package authz decides. Decide is a pure function of who asks, what they want
// to do and what they want to do it to: it performs no I/O, keeps no state and
// reads no clock, so its whole behaviour stands in one golden file that a
// reviewer can read (testdata/matrix.golden).
//
// The gate calls it once per request. Nobody else decides anything.
package authz

import "packhouse"

// Object is what an actor wants to act on, with everything a decision needs
// already looked up by the directory. For what does not exist, Target.Level and
// the switches of the instance are set all the same: otherwise the answer would
// tell the absent from the private.
type Object struct {
	Target     packhouse.Target
	Exists     bool // not looked at for the instance
	Visibility packhouse.Visibility
	Registry   packhouse.RegistryAccess // projects only
	Images     packhouse.RegistryAccess // the same of the container registry

	// Role is the strongest role that the user behind the actor has here, by
	// membership here or above. NoAccess for deploy tokens and visitors.
	Role packhouse.Role
	// MemberBelow: for a group, the user has a role on something below it and
	// may therefore see that the group exists. A role on the group itself, which
	// everything below inherits, does not count.
	MemberBelow bool
	// OpenBelow: for a group, some project below it has RegistryPublic, so that
	// anyone may ask the group's registry, and gets that project's packages.
	OpenBelow bool
	// Bound: the actor's token reaches this object. True for unlimited tokens,
	// and for tokens of this object or of a group above it.
	Bound bool
	// Admits: the object's allowlist admits the job's project. Only looked at
	// for job tokens.
	Admits bool

	Archived bool // read-only
	Deleting bool // scheduled for deletion: hidden from all but owners

	GuestsPull       bool // instance or top-level group lets Guests and Planners pull from private projects
	AnyonePull       bool // instance honours RegistryPublic
	PackagesDisabled bool // instance has the package registry switched off
}

// Outcome is the kind of answer that a Decision stands for.
type Outcome uint8

// The outcomes.
const (
	Allow     Outcome = iota + 1
	Challenge         // 401: come back with a credential
	Forbid            // 403: you may know that it exists
	Hide              // 404: as if it did not exist
)

// Decision is the answer to one request.
type Decision struct {
	Outcome Outcome
	Rule    string // what decided, a stable word: "role", "scope", "allowlist", "visibility", "feature-off", "archived", "bound", "kind", "sign-in"
	Reason  string // for the person who asked
	Fix     string // what they, or somebody they can ask, can do about it
}

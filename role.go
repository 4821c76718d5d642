package packhouse

import "fmt"

// Role is a member's standing in a group or project. The numbers are GitLab's
// access levels and travel in the API.
type Role int

// The roles, from weak to strong. An effective role is the strongest of all
// that apply, so roles compare with <.
const (
	NoAccess   Role = 0
	Guest      Role = 10
	Planner    Role = 15
	Reporter   Role = 20
	Developer  Role = 30
	Maintainer Role = 40
	Owner      Role = 50
)

// Roles lists every role a member can be given, weakest first.
var Roles = []Role{Guest, Planner, Reporter, Developer, Maintainer, Owner}

var roleNames = map[Role]string{
	NoAccess: "nobody", Guest: "Guest", Planner: "Planner", Reporter: "Reporter",
	Developer: "Developer", Maintainer: "Maintainer", Owner: "Owner",
}

// String returns the role's name as people write it: "Maintainer".
func (r Role) String() string {
	if name, ok := roleNames[r]; ok {
		return name
	}
	return fmt.Sprintf("role %d", int(r))
}

// ParseRole reads an access level such as 30.
func ParseRole(level int) (Role, error) {
	r := Role(level)
	if _, ok := roleNames[r]; !ok || r == NoAccess {
		return NoAccess, Errorf(Invalid, "access_level does not have a valid value")
	}
	return r, nil
}

// Visibility says who may know that a group or project exists.
type Visibility int8

// The visibilities, from closed to open: a child is never more open than its
// parent.
const (
	VisibilityPrivate  Visibility = iota // members only
	VisibilityInternal                   // every signed-in user who is not external
	VisibilityPublic                     // everybody
)

var visibilityNames = []string{"private", "internal", "public"}

// String returns the API's word: "private", "internal" or "public".
func (v Visibility) String() string { return visibilityNames[v] }

// ParseVisibility reads the API's word.
func ParseVisibility(s string) (Visibility, error) {
	for i, name := range visibilityNames {
		if s == name {
			return Visibility(i), nil
		}
	}
	return VisibilityPrivate, Errorf(Invalid, "visibility does not have a valid value")
}

// MarshalText writes the API's word.
func (v Visibility) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads the API's word.
func (v *Visibility) UnmarshalText(text []byte) (err error) {
	*v, err = ParseVisibility(string(text))
	return err
}

// RegistryAccess is a project's package_registry_access_level: who may read
// its packages, apart from who may see the project.
type RegistryAccess int8

// The registry access levels. The zero value follows the project's visibility.
const (
	RegistryEnabled  RegistryAccess = iota // follows the project's visibility
	RegistryPrivate                        // members only, whatever the visibility
	RegistryPublic                         // anyone may pull, whatever the visibility
	RegistryDisabled                       // nobody; the data is kept
)

var registryAccessNames = []string{"enabled", "private", "public", "disabled"}

// String returns the API's word: "enabled", "private", "public" or "disabled".
func (a RegistryAccess) String() string { return registryAccessNames[a] }

// ParseRegistryAccess reads the API's word.
func ParseRegistryAccess(s string) (RegistryAccess, error) {
	for i, name := range registryAccessNames {
		if s == name {
			return RegistryAccess(i), nil
		}
	}
	return RegistryEnabled, Errorf(Invalid, "package_registry_access_level does not have a valid value")
}

// MarshalText writes the API's word.
func (a RegistryAccess) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the API's word.
func (a *RegistryAccess) UnmarshalText(text []byte) (err error) {
	*a, err = ParseRegistryAccess(string(text))
	return err
}

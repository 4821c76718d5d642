package ledger

import "fmt"

type (
	// PasswordSet tells that a user's password was set. The password is not part
	// of it, nor is its hash.
	PasswordSet struct {
		UserID int64 `json:"user_id"`
	}
	// IdentityPut says who a user is at a provider of single sign-on.
	IdentityPut struct {
		Provider string `json:"provider"`
		Subject  string `json:"subject"` // the provider's own name for the user, which never changes
		UserID   int64  `json:"user_id"`
	}
)

var (
	verbPasswordSet = register[PasswordSet]("password.set")
	verbIdentityPut = register[IdentityPut]("identity.put")
)

// Verb implements Event.
func (*PasswordSet) Verb() string { return verbPasswordSet }

// Verb implements Event.
func (*IdentityPut) Verb() string { return verbIdentityPut }

// Object implements Event.
func (e *PasswordSet) Object() string { return fmt.Sprintf("users/%d/password", e.UserID) }

// Object implements Event.
func (e *IdentityPut) Object() string {
	return fmt.Sprintf("users/%d/identities/%s", e.UserID, e.Provider)
}

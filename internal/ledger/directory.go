package ledger

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"packhouse"
)

// The records of the directory: what the events below carry whole, what the
// store keeps in rows, and what the directory keeps in memory.

// User is a person, or the bot behind a project or group token.
type User struct {
	ID        int64     `json:"id"`
	Username  string    `json:"username"` // unique without regard to case
	Name      string    `json:"name"`
	Email     string    `json:"email,omitempty"`
	Admin     bool      `json:"admin,omitempty"`
	External  bool      `json:"external,omitempty"`
	Bot       bool      `json:"bot,omitempty"`
	Blocked   bool      `json:"blocked,omitempty"` // older entries; newer ones have State
	State     UserState `json:"state,omitempty"`
	Note      string    `json:"note,omitempty"`      // of administrators about the user
	NoGroups  bool      `json:"no_groups,omitempty"` // may not make top-level groups
	CreatedAt time.Time `json:"created_at"`
}

// UserState says why the tokens of a user do not work; "" means that they do.
type UserState string

// The states of a user other than active, in GitLab's words.
const (
	UserBlocked     UserState = "blocked"
	UserDeactivated UserState = "deactivated"
	UserBanned      UserState = "banned"
)

// Standing returns the user's state as GitLab shows it: "active", "blocked", ….
func (u *User) Standing() string {
	switch {
	case u.State != "":
		return string(u.State)
	case u.Blocked:
		return string(UserBlocked)
	}
	return "active"
}

// Namespace is a group, or the personal namespace of a user.
type Namespace struct {
	ID          int64                `json:"id"`
	ParentID    int64                `json:"parent_id,omitempty"` // 0 at the top
	UserID      int64                `json:"user_id,omitempty"`   // set for a personal namespace
	Path        string               `json:"path"`                // full path, "acme/tools"; unique without regard to case, with projects
	Name        string               `json:"name"`
	Description string               `json:"description,omitempty"`
	Visibility  packhouse.Visibility `json:"visibility"`
	CreatedAt   time.Time            `json:"created_at"`
	// DeletedAt is when it was marked for deletion, with all that is below it.
	DeletedAt time.Time `json:"deleted_at,omitzero"`
}

// Project is where packages are published.
type Project struct {
	ID          int64                    `json:"id"`
	NamespaceID int64                    `json:"namespace_id"`
	Path        string                   `json:"path"` // full path, "acme/tools/lib"
	Name        string                   `json:"name"`
	Description string                   `json:"description,omitempty"`
	Visibility  packhouse.Visibility     `json:"visibility"`
	Registry    packhouse.RegistryAccess `json:"registry"`
	Archived    bool                     `json:"archived,omitempty"`
	OpenToJobs  bool                     `json:"open_to_jobs,omitempty"` // the job-token allowlist is switched off
	CreatorID   int64                    `json:"creator_id,omitempty"`
	CreatedAt   time.Time                `json:"created_at"`
	DeletedAt   time.Time                `json:"deleted_at,omitzero"` // when it was marked for deletion
	// UpstreamID is its id in the GitLab that Packhouse stands beside, by which
	// "upstream:20" names it; 0 for none.
	UpstreamID int64 `json:"upstream_id,omitempty"`
	// Features are access levels of what GitLab has and Packhouse has not. They do
	// nothing; Terraform's provider reads back what it wrote.
	Features map[string]string `json:"features,omitempty"`
	// ImageCleanup is which tags of its container images go by themselves; nil for
	// what nobody has ever said.
	ImageCleanup *ImageCleanup `json:"image_cleanup,omitempty"`
}

// Member gives a user a role in a group or project and all below it.
type Member struct {
	Target    packhouse.Target `json:"target"` // level and id
	UserID    int64            `json:"user_id"`
	Role      packhouse.Role   `json:"role"`
	ExpiresAt time.Time        `json:"expires_at,omitzero"` // zero: never
	CreatedAt time.Time        `json:"created_at"`
	// Source is what gives the role and takes it away: "sso/<provider>" for the
	// groups that somebody has at a provider of single sign-on; "" for people.
	Source string `json:"source,omitempty"`
}

// Share gives the members of a group a role in another group, or in a project,
// and all below it: the role that they have in their group, up to Role.
type Share struct {
	Target    packhouse.Target `json:"target"` // level and id of what is shared
	GroupID   int64            `json:"group_id"`
	Role      packhouse.Role   `json:"role"`
	ExpiresAt time.Time        `json:"expires_at,omitzero"` // zero: never
	CreatedAt time.Time        `json:"created_at"`
}

// Token is a credential. The secret itself is never stored: Digest is its
// SHA-256, which identifies a value of 120 random bits as well as the value.
type Token struct {
	ID        int64               `json:"id"`
	Kind      packhouse.ActorKind `json:"kind"`
	Digest    packhouse.Digest    `json:"digest"`
	Name      string              `json:"name"`
	Username  string              `json:"username,omitempty"` // deploy tokens: the name to log in with
	UserID    int64               `json:"user_id,omitempty"`  // whom it acts as; 0 for deploy tokens
	Target    packhouse.Target    `json:"target,omitzero"`    // level and id that it is limited to
	Role      packhouse.Role      `json:"role,omitempty"`     // of the bot, for project and group tokens
	Scopes    packhouse.Scopes    `json:"scopes,omitempty"`
	Job       *packhouse.Job      `json:"job,omitempty"`
	CreatorID int64               `json:"creator_id,omitempty"`
	CreatedAt time.Time           `json:"created_at"`
	ExpiresAt time.Time           `json:"expires_at,omitzero"` // zero: never
	// FamilyID is the first of the tokens that follow from each other by
	// rotation; 0 for one that was not made by rotating another.
	FamilyID int64 `json:"family_id,omitempty"`
	// Description says more about it than its name.
	Description string `json:"description,omitempty"`
	// Impersonation marks a personal token that an administrator made for
	// somebody else.
	Impersonation bool      `json:"impersonation,omitempty"`
	RevokedAt     time.Time `json:"revoked_at,omitzero"`
}

// Active reports whether the token can be used at the given time.
func (t *Token) Active(now time.Time) bool {
	return t.RevokedAt.IsZero() && (t.ExpiresAt.IsZero() || now.Before(t.ExpiresAt))
}

// Admission lets the jobs of a project, or of all projects of a group, use
// their job tokens on another project.
type Admission struct {
	ProjectID int64            `json:"project_id"` // whose allowlist it is
	Admitted  packhouse.Target `json:"admitted"`   // level and id
}

// Settings are the package settings of the instance, a group or a project.
// What is nil is inherited from above.
type Settings struct {
	Target     packhouse.Target      `json:"target"` // level and id
	Duplicates map[string]Duplicates `json:"duplicates,omitempty"`
	GuestsPull *bool                 `json:"guests_pull,omitempty"` // instance and top-level groups
	// Formats are the formats that may be published here; nil for any. What is above
	// has to admit a format as well.
	Formats []string `json:"formats,omitempty"`
	// Cleanup is what is deleted from time to time; nil follows what is above. The
	// instance has none.
	Cleanup *Cleanup `json:"cleanup,omitempty"`
	// Flags are settings of one format alone, by the names that the format gives
	// them.
	Flags map[string]bool `json:"flags,omitempty"`
	// Switches are the application settings of the instance, JSON by GitLab's
	// names. Only the instance has them.
	Switches map[string]json.RawMessage `json:"switches,omitempty"`
	// Sizes are the largest files by format, in bytes; 0 for any. Only the
	// instance has them.
	Sizes map[string]int64 `json:"sizes,omitempty"`
}

// Duplicates says, for one format, whether something may be published again
// under the same name. Except turns the answer round for the packages and
// versions that it matches whole (GitLab's <format>_duplicate_exception_regex).
type Duplicates struct {
	Allowed *bool   `json:"allowed,omitempty"`
	Except  *string `json:"except,omitempty"`
}

// MaxExceptLength bounds a duplicates exception, in bytes.
const MaxExceptLength = 255

// CompileExcept reads an exception in RE2 syntax, anchored at both ends.
// An empty one matches nothing and gives nil.
func CompileExcept(expr string) (*regexp.Regexp, error) {
	if expr == "" {
		return nil, nil
	}
	if len(expr) > MaxExceptLength {
		return nil, packhouse.Errorf(packhouse.Invalid, "is too long (maximum is %d characters)", MaxExceptLength)
	}
	re, err := regexp.Compile(`\A(?:` + expr + `)\z`)
	if err != nil {
		return nil, packhouse.Errorf(packhouse.Invalid, "not valid RE2 syntax: %v", err)
	}
	return re, nil
}

// The events of the directory. A Put event creates the record or replaces it as
// a whole; which of the two is said by Create, so that a creation that loses a
// race is refused instead of overwriting the winner.
type (
	// UserPut creates or replaces a user.
	UserPut struct {
		Create bool `json:"create,omitempty"`
		User   User `json:"user"`
	}
	// NamespacePut creates or replaces a group or personal namespace.
	NamespacePut struct {
		Create    bool      `json:"create,omitempty"`
		Namespace Namespace `json:"namespace"`
	}
	// ProjectPut creates or replaces a project.
	ProjectPut struct {
		Create  bool    `json:"create,omitempty"`
		Project Project `json:"project"`
	}
	// MemberPut creates or replaces a membership.
	MemberPut struct {
		Create bool   `json:"create,omitempty"`
		Member Member `json:"member"`
	}
	// MemberRemove ends a membership.
	MemberRemove struct {
		Target packhouse.Target `json:"target"`
		UserID int64            `json:"user_id"`
	}
	// SharePut shares a group or project with a group, or changes how.
	SharePut struct {
		Create bool  `json:"create,omitempty"`
		Share  Share `json:"share"`
	}
	// ShareRemove shares it no more.
	ShareRemove struct {
		Target  packhouse.Target `json:"target"`
		GroupID int64            `json:"group_id"`
	}
	// UserRemove removes a user for good, with memberships and personal namespace.
	// The user must own no projects.
	UserRemove struct {
		UserID      int64 `json:"user_id"`
		NamespaceID int64 `json:"namespace_id,omitempty"` // the personal one; 0 for a bot
	}
	// NamespaceRemove removes a group for good, with its members, shares and
	// settings. Nothing must be left in it.
	NamespaceRemove struct {
		NamespaceID int64 `json:"namespace_id"`
	}
	// ProjectRemove removes a project for good, with its members, shares,
	// allowlist and settings. No version must be left in it.
	ProjectRemove struct {
		ProjectID int64 `json:"project_id"`
	}
	// TokenPut creates a token or replaces its record, as when it is revoked.
	TokenPut struct {
		Create bool  `json:"create,omitempty"`
		Token  Token `json:"token"`
	}
	// AdmissionPut adds to a project's job-token allowlist.
	AdmissionPut struct {
		Admission Admission `json:"admission"`
	}
	// AdmissionRemove takes from a project's job-token allowlist.
	AdmissionRemove struct {
		Admission Admission `json:"admission"`
	}
	// SettingsPut replaces the package settings of a target.
	SettingsPut struct {
		Settings Settings `json:"settings"`
	}
)

var (
	verbUserPut         = register[UserPut]("user.put")
	verbNamespacePut    = register[NamespacePut]("namespace.put")
	verbProjectPut      = register[ProjectPut]("project.put")
	verbMemberPut       = register[MemberPut]("member.put")
	verbMemberRemove    = register[MemberRemove]("member.remove")
	verbSharePut        = register[SharePut]("share.put")
	verbShareRemove     = register[ShareRemove]("share.remove")
	verbUserRemove      = register[UserRemove]("user.remove")
	verbNamespaceRemove = register[NamespaceRemove]("namespace.remove")
	verbProjectRemove   = register[ProjectRemove]("project.remove")
	verbTokenPut        = register[TokenPut]("token.put")
	verbAdmissionPut    = register[AdmissionPut]("admission.put")
	verbAdmissionRemove = register[AdmissionRemove]("admission.remove")
	verbSettingsPut     = register[SettingsPut]("settings.put")
)

// Verb implements Event.
func (*UserPut) Verb() string { return verbUserPut }

// Verb implements Event.
func (*NamespacePut) Verb() string { return verbNamespacePut }

// Verb implements Event.
func (*ProjectPut) Verb() string { return verbProjectPut }

// Verb implements Event.
func (*MemberPut) Verb() string { return verbMemberPut }

// Verb implements Event.
func (*MemberRemove) Verb() string { return verbMemberRemove }

// Verb implements Event.
func (*SharePut) Verb() string { return verbSharePut }

// Verb implements Event.
func (*ShareRemove) Verb() string { return verbShareRemove }

// Verb implements Event.
func (*UserRemove) Verb() string { return verbUserRemove }

// Verb implements Event.
func (*NamespaceRemove) Verb() string { return verbNamespaceRemove }

// Verb implements Event.
func (*ProjectRemove) Verb() string { return verbProjectRemove }

// Verb implements Event.
func (*TokenPut) Verb() string { return verbTokenPut }

// Verb implements Event.
func (*AdmissionPut) Verb() string { return verbAdmissionPut }

// Verb implements Event.
func (*AdmissionRemove) Verb() string { return verbAdmissionRemove }

// Verb implements Event.
func (*SettingsPut) Verb() string { return verbSettingsPut }

// Object implements Event.
func (e *UserPut) Object() string { return fmt.Sprintf("users/%d", e.User.ID) }

// Object implements Event.
func (e *NamespacePut) Object() string { return fmt.Sprintf("groups/%d", e.Namespace.ID) }

// Object implements Event.
func (e *ProjectPut) Object() string { return fmt.Sprintf("projects/%d", e.Project.ID) }

// Object implements Event.
func (e *MemberPut) Object() string { return memberObject(e.Member.Target, e.Member.UserID) }

// Object implements Event.
func (e *MemberRemove) Object() string { return memberObject(e.Target, e.UserID) }

// Object implements Event.
func (e *SharePut) Object() string { return shareObject(e.Share.Target, e.Share.GroupID) }

// Object implements Event.
func (e *ShareRemove) Object() string { return shareObject(e.Target, e.GroupID) }

// Object implements Event.
func (e *UserRemove) Object() string { return fmt.Sprintf("users/%d", e.UserID) }

// Object implements Event.
func (e *NamespaceRemove) Object() string { return fmt.Sprintf("groups/%d", e.NamespaceID) }

// Object implements Event.
func (e *ProjectRemove) Object() string { return fmt.Sprintf("projects/%d", e.ProjectID) }

// Object implements Event.
func (e *TokenPut) Object() string { return fmt.Sprintf("tokens/%d", e.Token.ID) }

// Object implements Event.
func (e *AdmissionPut) Object() string { return e.Admission.object() }

// Object implements Event.
func (e *AdmissionRemove) Object() string { return e.Admission.object() }

// Object implements Event.
func (e *SettingsPut) Object() string { return targetObject(e.Settings.Target) + "/settings" }

func (a Admission) object() string {
	return fmt.Sprintf("projects/%d/allowlist/%s", a.ProjectID, targetObject(a.Admitted))
}

func memberObject(t packhouse.Target, userID int64) string {
	return fmt.Sprintf("%s/members/%d", targetObject(t), userID)
}

func shareObject(t packhouse.Target, groupID int64) string {
	return fmt.Sprintf("%s/shares/%d", targetObject(t), groupID)
}

func targetObject(t packhouse.Target) string {
	if t.Level == packhouse.Instance {
		return "instance"
	}
	return fmt.Sprintf("%ss/%d", t.Level, t.ID)
}

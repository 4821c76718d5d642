package packhouse

import (
	"strings"
	"time"
)

// ActorKind is the kind of credential a request came with.
type ActorKind uint8

// The kinds of actor. The zero Actor is Anonymous.
const (
	Anonymous     ActorKind = iota
	PersonalToken           // a user's own token, or one made for them by an administrator
	ProjectToken            // acts as a bot user that is a member of one project
	GroupToken              // acts as a bot user that is a member of one group
	DeployToken             // acts as itself, on one project or below one group
	JobToken                // acts as the user who started a CI job, narrowed by allowlists
	Session                 // a user who has signed in with a browser
)

var actorKindNames = []string{"anonymous", "personal", "project", "group", "deploy", "job", "session"}

// String returns the kind's name as stored and shown: "deploy".
func (k ActorKind) String() string { return actorKindNames[k] }

// MarshalText writes the kind's name.
func (k ActorKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the kind's name.
func (k *ActorKind) UnmarshalText(text []byte) error {
	for i, name := range actorKindNames {
		if string(text) == name {
			*k = ActorKind(i)
			return nil
		}
	}
	return Errorf(Invalid, "%q is no kind of token", text)
}

// Actor is who makes a request. It is decided once, by the gate, and passed on
// as a value. The zero Actor is an anonymous visitor.
type Actor struct {
	Kind     ActorKind
	UserID   int64  // the person or bot acting; 0 for anonymous visitors and deploy tokens
	Name     string // user name, or a deploy token's user name
	Admin    bool   // an instance administrator
	External bool   // a stranger on internal projects
	TokenID  int64
	SudoID   int64 // the administrator who acts as this user; 0 for nobody
	Scopes   Scopes
	Bound    Target // what a project, group or deploy token is limited to; zero when unlimited
	Job      *Job   // set exactly when Kind is JobToken
	Pass     *Pass  // what the credential was exchanged for; nil when it was sent itself
}

// Job is the CI job behind a job token.
type Job struct {
	ID          int64     `json:"id"`
	ProjectID   int64     `json:"project_id"`   // the project whose pipeline runs the job
	ProjectPath string    `json:"project_path"` // of the same
	Name        string    `json:"name,omitempty"`
	Stage       string    `json:"stage,omitempty"`
	WebURL      string    `json:"web_url,omitempty"`
	Ref         string    `json:"ref,omitempty"`
	Tag         bool      `json:"tag,omitempty"`       // Ref is a tag
	Protected   bool      `json:"protected,omitempty"` // Ref is protected
	Pipeline    Pipeline  `json:"pipeline"`
	Publish     bool      `json:"publish"` // false when minted with READ_PACKAGES alone
	StartedAt   time.Time `json:"started_at"`
	Trust       *Trust    `json:"trust,omitempty"` // set when a trusted publisher vouched for it
}

// Pipeline is the CI run that published something, as its CI system told it.
type Pipeline struct {
	ID     int64  `json:"id"`
	IID    int64  `json:"iid,omitempty"`
	SHA    string `json:"sha,omitempty"`
	Ref    string `json:"ref,omitempty"`
	Source string `json:"source,omitempty"`
	Status string `json:"status,omitempty"`
	WebURL string `json:"web_url,omitempty"`
	// ProjectID is the project whose pipeline ran, UserID who started it.
	ProjectID int64 `json:"project_id,omitempty"`
	UserID    int64 `json:"user_id,omitempty"`
}

// Scopes is the set of things a token is limited to.
type Scopes uint32

// The scopes that grant something.
const (
	ScopeAPI Scopes = 1 << iota
	ScopeReadAPI
	ScopeReadUser
	ScopeReadPackages
	ScopeWritePackages
	ScopeReadRegistry
	ScopeWriteRegistry
	ScopeReadVirtual
	ScopeWriteVirtual
	ScopeSelfRotate
	ScopeSudo
	// ScopeReadRepository is one of ScopesKept: deploy tokens may have it.
	ScopeReadRepository
)

// ScopesKept are those that GitLab knows and that grant nothing here, because
// there is nothing that they are about. Tokens may have them, so that what sets
// up GitLab's tokens sets up ours.
const ScopesKept = ^(ScopeReadRepository - 1)

var scopeNames = []string{
	"api", "read_api", "read_user", "read_package_registry", "write_package_registry",
	"read_registry", "write_registry", "read_virtual_registry", "write_virtual_registry",
	"self_rotate", "sudo",
	// Those from here on are kept and grant nothing.
	"read_repository", "write_repository", "admin_mode", "ai_features", "create_runner", "manage_runner", "k8s_proxy",
	"read_service_ping", "read_observability", "write_observability",
}

// ParseScopes reads GitLab's scope names. An unknown name, or none at all, is
// an error.
func ParseScopes(names []string) (Scopes, error) {
	var s Scopes
next:
	for _, name := range names {
		for i, known := range scopeNames {
			if name == known {
				s |= 1 << i
				continue next
			}
		}
		return 0, Errorf(Invalid, "scopes does not have a valid value: %q is not one of %s", name, strings.Join(scopeNames, ", "))
	}
	if s == 0 {
		return 0, Errorf(Invalid, "scopes is missing")
	}
	return s, nil
}

// Has reports whether s holds any of the given scopes.
func (s Scopes) Has(any Scopes) bool { return s&any != 0 }

// Names lists the scopes in GitLab's words, in a fixed order.
func (s Scopes) Names() []string {
	names := []string{}
	for i, name := range scopeNames {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

package authz

import (
	"fmt"

	"packhouse"
)

// Action is what a request wants to do. Every route names one, and the gate
// has it decided before the handler runs. The zero Action is none: a route
// with it must not start.
type Action uint8

// The actions. Rights are in the table below; roles and scopes follow
// GitLab's permission tables.
const (
	Anyone      Action = iota + 1 // health and the like: always allowed
	SignedIn                      // GET /user, /version: any credential with a user behind it
	SelfToken                     // read, rotate or revoke the access token that was sent
	OwnAccount                    // what is one's own: access tokens, sessions, the password
	RotateToken                   // replace the access token that was sent by a new one
	OwnJob                        // GET /job: ask what job the job token belongs to

	ReadPackages    // pull and search, by a package protocol
	PublishPackages // push, retag, by a package protocol
	DeletePackages  // delete, deprecate, untag, by a package protocol
	ListPackages    // the REST packages API: what ReadPackages allows
	RemovePackages  // the REST packages API: what DeletePackages allows

	ReadTrash       // list what was deleted
	RestorePackages // bring back what was deleted
	PurgePackages   // give up for good what was deleted

	PullImages   // the container registry: pull
	PushImages   // the container registry: push, retag
	DeleteImages // the container registry: delete
	ListImages   // the REST API of container images: what PullImages allows
	UntagImages  // the REST API of container images: delete a tag
	RemoveImages // the REST API of container images: delete many, or a repository

	ReadProject   // see a project, its members and its settings
	ManageProject // settings, members, deploy tokens, access tokens, allowlist
	OwnProject    // visibility, archive, transfer, delete
	MintJobTokens // make a job token for a job of the project

	ReadGroup      // see a group and what is below it
	CreateProject  // make a project in a group, or in one's own namespace
	CreateSubgroup // make a group in a group
	ManageGroup    // read a group's deploy tokens
	OwnGroup       // settings, members, deploy tokens, access tokens

	CreateGroup   // make a top-level group
	AdminInstance // instance settings, users, tokens of others
)

// family says how refusals look to somebody without a credential.
type family uint8

const (
	// rest hides what is private: a visitor gets 404, and 401 only where
	// nobody can pass without a credential.
	rest family = iota
	// protocol asks for a credential for everything that is absent or not
	// readable: Maven, NuGet, pip, apt and Helm send theirs only after a 401.
	protocol
)

// way says what allows an action, apart from the token's scope.
type way uint8

const (
	byNothing    way = iota // always allowed
	byCredential            // holding a credential of the right kind
	bySight                 // seeing that the object exists
	byReading               // being let into its packages
	byRole                  // the role, or a deploy token that reaches the object
	byInsider               // being a user who is not external, with an unlimited token
	byAdmin                 // being an administrator
)

// kinds is a set of packhouse.ActorKind.
type kinds uint8

const (
	accessTokens kinds = 1<<packhouse.PersonalToken | 1<<packhouse.ProjectToken | 1<<packhouse.GroupToken
	sessions     kinds = 1 << packhouse.Session
	// people are those who look after things. Package clients have no sessions,
	// so what only they do takes none.
	people       kinds = accessTokens | sessions
	deployTokens kinds = 1 << packhouse.DeployToken
	jobTokens    kinds = 1 << packhouse.JobToken
)

func (k kinds) has(kind packhouse.ActorKind) bool { return k&(1<<kind) != 0 }

// rule is one row of the table: all that is special about one action.
type rule struct {
	name   string
	doing  string // for people, with the preposition: "publishing to"
	levels packhouse.Level
	family family
	by     way
	role   packhouse.Role // for byRole: the least role that allows it

	// kinds are the credentials that the endpoint reads. Others count as none,
	// as on GitLab's routes.
	kinds kinds
	// scopes are those of which an access token needs one; 0 for no need.
	scopes packhouse.Scopes
	// deploy are the scopes of which a deploy token needs one, and deployOf is
	// where such a token must come from: a group's deploy token publishes below
	// the group but does not delete.
	deploy   packhouse.Scopes
	deployOf packhouse.Level

	packages bool // obeys the switches of the package registry
	images   bool // obeys those of the container registry instead
	// writes marks a change to packages or a new thing below: refused on what is
	// archived and to jobs that may only read. Administration is not counted, so
	// that an archived project can be unarchived and its tokens revoked.
	writes bool
}

const (
	anyLevel = packhouse.Instance | packhouse.Group | packhouse.Project
	owned    = packhouse.Group | packhouse.Project

	api       = packhouse.ScopeAPI
	apiRead   = packhouse.ScopeAPI | packhouse.ScopeReadAPI
	userRead  = apiRead | packhouse.ScopeReadUser
	deployPut = packhouse.ScopeWritePackages
	deployGet = packhouse.ScopeReadPackages | packhouse.ScopeWritePackages
	// GitLab knows the package scopes on deploy tokens only. Here access tokens
	// may carry them too, so that a person's token can be limited to packages.
	packageRead  = apiRead | deployGet
	packageWrite = api | deployPut
	// Of images, as GitLab has it, the right to write does not bring the right to
	// read along.
	imageRead = apiRead | packhouse.ScopeReadRegistry
	imagePush = api | packhouse.ScopeWriteRegistry
)

var rules = [...]rule{
	Anyone: {name: "Anyone", doing: "asking", levels: anyLevel, by: byNothing},
	SignedIn: {name: "SignedIn", doing: "asking who you are on", levels: anyLevel, by: byCredential,
		kinds: people, scopes: userRead},
	SelfToken: {name: "SelfToken", doing: "handling your own token on", levels: anyLevel, by: byCredential,
		kinds: accessTokens},
	OwnAccount: {name: "OwnAccount", doing: "managing your own account on", levels: anyLevel, by: byCredential,
		kinds: people, scopes: api},
	RotateToken: {name: "RotateToken", doing: "rotating your own token on", levels: anyLevel, by: byCredential,
		kinds: accessTokens, scopes: packhouse.ScopeAPI | packhouse.ScopeSelfRotate},
	OwnJob: {name: "OwnJob", doing: "asking for your own job on", levels: anyLevel, by: byCredential,
		kinds: jobTokens},

	ReadPackages: {name: "ReadPackages", doing: "pulling from", levels: anyLevel, family: protocol, by: byReading,
		kinds: people | deployTokens | jobTokens, scopes: packageRead,
		deploy: deployGet, deployOf: owned, packages: true},
	PublishPackages: {name: "PublishPackages", doing: "publishing to", levels: packhouse.Project, family: protocol,
		by: byRole, role: packhouse.Developer,
		kinds: accessTokens | deployTokens | jobTokens, scopes: packageWrite,
		deploy: deployPut, deployOf: owned, packages: true, writes: true},
	DeletePackages: {name: "DeletePackages", doing: "deleting packages from", levels: packhouse.Project, family: protocol,
		by: byRole, role: packhouse.Maintainer,
		kinds: accessTokens | deployTokens | jobTokens, scopes: packageWrite,
		deploy: deployPut, deployOf: packhouse.Project, packages: true, writes: true},
	ListPackages: {name: "ListPackages", doing: "listing packages of", levels: anyLevel, by: byReading,
		kinds: people | deployTokens | jobTokens, scopes: packageRead,
		deploy: deployGet, deployOf: owned, packages: true},
	RemovePackages: {name: "RemovePackages", doing: "deleting packages from", levels: packhouse.Project,
		by: byRole, role: packhouse.Maintainer,
		kinds: people | jobTokens, scopes: packageWrite, packages: true, writes: true},

	ReadTrash: {name: "ReadTrash", doing: "listing what was deleted from", levels: packhouse.Group | packhouse.Project,
		by: byRole, role: packhouse.Maintainer, kinds: people, scopes: apiRead, packages: true},
	RestorePackages: {name: "RestorePackages", doing: "restoring packages of", levels: packhouse.Project,
		by: byRole, role: packhouse.Maintainer, kinds: people, scopes: api, packages: true, writes: true},
	PurgePackages: {name: "PurgePackages", doing: "deleting packages for good from", levels: packhouse.Project,
		by: byRole, role: packhouse.Owner, kinds: people, scopes: api, packages: true, writes: true},

	PullImages: {name: "PullImages", doing: "pulling images from", levels: packhouse.Project, family: protocol, by: byReading,
		kinds: people | deployTokens | jobTokens, scopes: imageRead,
		deploy: packhouse.ScopeReadRegistry, deployOf: owned, packages: true, images: true},
	PushImages: {name: "PushImages", doing: "pushing images to", levels: packhouse.Project, family: protocol,
		by: byRole, role: packhouse.Developer,
		kinds: accessTokens | deployTokens | jobTokens, scopes: imagePush,
		deploy: packhouse.ScopeWriteRegistry, deployOf: owned, packages: true, images: true, writes: true},
	DeleteImages: {name: "DeleteImages", doing: "deleting images from", levels: packhouse.Project, family: protocol,
		by: byRole, role: packhouse.Maintainer,
		kinds: accessTokens | jobTokens, scopes: api, packages: true, images: true, writes: true},
	ListImages: {name: "ListImages", doing: "listing images of", levels: packhouse.Project, by: byReading,
		kinds: people | jobTokens, scopes: imageRead, packages: true, images: true},
	UntagImages: {name: "UntagImages", doing: "deleting tags of images from", levels: packhouse.Project,
		by: byRole, role: packhouse.Developer,
		kinds: people | jobTokens, scopes: api, packages: true, images: true, writes: true},
	RemoveImages: {name: "RemoveImages", doing: "deleting images from", levels: packhouse.Project,
		by: byRole, role: packhouse.Maintainer,
		kinds: people | jobTokens, scopes: api, packages: true, images: true, writes: true},

	ReadProject: {name: "ReadProject", doing: "reading", levels: packhouse.Project, by: bySight,
		kinds: people, scopes: apiRead},
	ManageProject: {name: "ManageProject", doing: "managing", levels: packhouse.Project,
		by: byRole, role: packhouse.Maintainer, kinds: people, scopes: api},
	OwnProject: {name: "OwnProject", doing: "changing the visibility or existence of", levels: packhouse.Project,
		by: byRole, role: packhouse.Owner, kinds: people, scopes: api},
	MintJobTokens: {name: "MintJobTokens", doing: "making job tokens for", levels: packhouse.Project,
		by: byRole, role: packhouse.Maintainer, kinds: people, scopes: api, writes: true},

	ReadGroup: {name: "ReadGroup", doing: "reading", levels: packhouse.Group, by: bySight,
		kinds: people, scopes: apiRead},
	CreateProject: {name: "CreateProject", doing: "creating a project in", levels: packhouse.Group,
		by: byRole, role: packhouse.Developer, kinds: people, scopes: api, writes: true},
	CreateSubgroup: {name: "CreateSubgroup", doing: "creating a group in", levels: packhouse.Group,
		by: byRole, role: packhouse.Maintainer, kinds: people, scopes: api, writes: true},
	ManageGroup: {name: "ManageGroup", doing: "reading the deploy tokens of", levels: packhouse.Group,
		by: byRole, role: packhouse.Maintainer, kinds: people, scopes: apiRead},
	OwnGroup: {name: "OwnGroup", doing: "managing", levels: packhouse.Group,
		by: byRole, role: packhouse.Owner, kinds: people, scopes: api},

	CreateGroup: {name: "CreateGroup", doing: "creating a top-level group on", levels: packhouse.Instance,
		by: byInsider, kinds: people, scopes: api},
	AdminInstance: {name: "AdminInstance", doing: "administering", levels: packhouse.Instance,
		by: byAdmin, kinds: people, scopes: api},
}

// Valid reports whether a is one of the actions.
func (a Action) Valid() bool { return a > 0 && int(a) < len(rules) }

// Fits reports whether a can be asked at every one of the given levels. A route
// whose action does not fit its levels is a mistake: Decide refuses every
// request for it, so check at start.
func (a Action) Fits(level packhouse.Level) bool {
	return a.Valid() && level != 0 && rules[a].levels&level == level
}

// String returns the action's name: "PublishPackages".
func (a Action) String() string {
	if !a.Valid() {
		return fmt.Sprintf("action(%d)", uint8(a))
	}
	return rules[a].name
}

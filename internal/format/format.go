// Package format is what a package format looks like to the rest of the house:
// a name, a naming, a protocol written as a table of routes, and a way to write
// errors. Each format lives in a folder of its own below this one and is listed
// in all/all.go; nothing else needs to know it.
package format

import (
	"net/http"
	"net/url"
	"strings"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/ledger"
	"packhouse/internal/registry"
)

// Protocol is a table of routes with a way to write errors: a package format,
// or the management API.
type Protocol interface {
	// Routes lists the endpoints. The first route that matches a path decides,
	// so narrow ones come before wide ones.
	Routes() []Route
	// WriteError answers with an error in the shape that the protocol's clients
	// read. It runs for every refusal, also those before a handler is reached.
	WriteError(w http.ResponseWriter, r *http.Request, e *packhouse.Error)
}

// Rooted is a Protocol whose errors hold absolute addresses of the server, such as
// where to ask for a token.
type Rooted interface {
	WriteErrorAt(w http.ResponseWriter, r *http.Request, base *url.URL, e *packhouse.Error)
}

// Format is a package protocol and ecosystem.
type Format interface {
	Protocol
	// Name is the API's package_type and, unless it is Addressed, the format's path
	// segment: "npm".
	Name() string
	// Naming says which names and versions are the same.
	Naming() Naming
}

// Addressed is a format whose path segment is another word than its name.
type Addressed interface {
	Segment() string
}

// Segment is the path segment below which a format is mounted.
func Segment(f Format) string {
	if a, ok := f.(Addressed); ok {
		return a.Segment()
	}
	return f.Name()
}

// Flagged is a format with settings of its own that are true or false, for a project,
// or for a group and all below it. What is set nowhere is false.
type Flagged interface {
	Flags() []Flag
}

// Flag is such a setting. Its name begins with the format's.
type Flag struct {
	Name string
	Doc  string // what true does
}

// Mounter is a format that is addressed elsewhere too, because its protocol, or
// GitLab, fixes where.
type Mounter interface {
	Mounts() []Mount
}

// Mount is a protocol below a word of its own.
type Mount struct {
	// Word is the segment that the protocol's paths begin with:
	//
	//	/{word}/…                       Instance and Project level
	//	/api/v4/projects/{id}/{word}/…  when API is set, and so for groups and the instance
	//
	// Below the root of the host a route at Project level says by Within which
	// project it is about. Path of a route is relative to the word.
	Word string
	API  bool
	// Passes: requests may come with what Call.Passes makes.
	Passes bool
	// Images: it is the protocol of container images, which may have a host or a
	// listener of its own.
	Images bool
	Protocol
}

// Naming normalises what clients write. Every decision is made on keys; names
// are kept for show. All functions are pure.
type Naming struct {
	// Package returns the key of a package name. Two names with one key are one
	// package. An invalid name is a packhouse.Invalid error.
	Package func(name string) (key string, err error)
	// Version returns the key of a version number.
	Version func(number string) (key string, err error)
}

// Route is one endpoint.
type Route struct {
	// Level says at which levels the route exists. Path is relative to where
	// the format is mounted at that level:
	//
	//	Project   /api/v4/projects/{id}/packages/{format}
	//	Group     /api/v4/groups/{id}/-/packages/{format}
	//	Instance  /api/v4/packages/{format}
	Level  packhouse.Level
	Method string // GET routes answer HEAD too
	Path   string // a pattern, see Match
	// Action is decided before Handle runs. A route without one stops the
	// server from starting.
	Action authz.Action
	Handle func(w http.ResponseWriter, r *http.Request, c *Call) error
	// Within names the parameter whose value begins with the full path of the
	// project that the route is about, as the name of a container image does. What
	// follows it is Call.Rest. Only below the root of the host; see Mount.
	Within string
	// Access is what a pass must have been made for; nil for nothing. A route that
	// has one takes passes wherever it is.
	Access func(c *Call) packhouse.Access
	// Late takes a pass that ran out within the last day, for what was begun
	// before that.
	Late bool
	// Unread leaves the credential of a request alone: the gate takes its sender
	// for a visitor, and the handler reads what it came with, such as the ID token
	// of a CI job, which is no token of ours.
	Unread bool
	// Locate names the target and the action of a request that says them in its
	// body, as when a project is made in a group. The gate decides about those
	// then. It is not asked on behalf of anonymous visitors. May be nil.
	Locate func(r *http.Request, c *Call) (packhouse.Target, authz.Action, error)
}

// Call is a request that the gate has let through, with all that the gate found
// out about it. It is only valid until the handler returns.
type Call struct {
	Actor     packhouse.Actor
	Target    packhouse.Target
	Source    registry.Source  // what may be read here
	Hosted    *registry.Hosted // what may be changed here; nil unless Target is a project and the method can change it
	By        ledger.By        // the actor, as the ledger records it
	RequestID string
	Slash     bool      // the path ended with a slash
	Parsed    any       // what Locate has read of the request's body, for Handle
	Exchanger Exchanger // makes job tokens for ID tokens; nil when there is none
	Passes    Passes    // makes passes for credentials
	Rest      string    // what follows the project's path in the parameter of Route.Within; "" for nothing

	args  Args
	way   Way
	mount []string
}

// Way is how a request got here. The gate fills it in, for what is worked out
// only when a handler asks for it.
type Way interface {
	// Base is the server's public address.
	Base() *url.URL
	// ImageHost is the host, with its port, that names of container images begin with.
	ImageHost() string
	// Below is what the call's actor may read in or below the group, personal
	// namespace or project of a full path: nothing when there is none.
	Below(c *Call, path string) registry.Source
	// In decides about an action on a project and returns what can be changed
	// there, for a request whose body or package says what it is about.
	In(c *Call, projectID int64, action authz.Action) (*registry.Hosted, error)
	// Decide decides about an action on another target than the call's.
	Decide(c *Call, t packhouse.Target, action authz.Action) (packhouse.Target, error)
	// Flag is the setting of that name that holds at the call's target.
	Flag(c *Call, name string) bool
	// Named finds the project whose full path a name begins with, and what follows
	// it there.
	Named(name string) (t packhouse.Target, rest string, ok bool)
	// Explain says what would be decided about a request of some actor.
	Explain(who packhouse.Actor, method string, u *url.URL) Explanation
}

// NewCall makes a Call from what a route's pattern matched, the way the request
// came, and the decoded segments below which the protocol is mounted.
func NewCall(args Args, way Way, mount []string) Call {
	return Call{args: args, way: way, mount: mount}
}

// Base is the server's public address, for absolute links. It is shared and not
// to be changed.
func (c *Call) Base() *url.URL { return c.way.Base() }

// ImageHost is what the names of container images begin with: the host that they are
// pushed to, with its port unless that is the usual one.
func (c *Call) ImageHost() string { return c.way.ImageHost() }

// Below narrows what may be read to what is in or below a group, personal namespace
// or project, for protocols that name one where the address does not.
func (c *Call) Below(path string) registry.Source { return c.way.Below(c, path) }

// In has the gate decide about a further action, or one on another project than
// the target, once the handler has read what the request is about. It returns
// what can be changed there, or the refusal.
func (c *Call) In(projectID int64, action authz.Action) (*registry.Hosted, error) {
	return c.way.In(c, projectID, action)
}

// Decide has the gate decide about a further action, on the group, project or
// instance of that level and id. It returns the target with its path, or the
// refusal.
func (c *Call) Decide(level packhouse.Level, id int64, action authz.Action) (packhouse.Target, error) {
	return c.way.Decide(c, packhouse.Target{Level: level, ID: id}, action)
}

// Named finds the project whose full path a name begins with, as the name of a
// container image does, and what follows it there. Whether the actor may know of
// it is for Decide to say.
func (c *Call) Named(name string) (t packhouse.Target, rest string, ok bool) {
	return c.way.Named(name)
}

// Flag reports whether a setting of the format, see Flagged, holds at the target.
func (c *Call) Flag(name string) bool { return c.way.Flag(c, name) }

// Mount is the path below Base at which the format was addressed, escaped:
// "/api/v4/projects/acme%2Ftools/packages/npm".
func (c *Call) Mount() string {
	var b strings.Builder
	for _, segment := range c.mount {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(segment))
	}
	return b.String()
}

// Arg returns what a parameter of the route's pattern matched, decoded: for
// "{name}" one segment, for "{path...}" segments joined by slashes. An unknown
// name is a mistake in the handler and gives "".
func (c *Call) Arg(name string) string {
	for _, a := range c.args {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

package directory

import (
	"encoding/json"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
)

// Instance is how the whole installation is set at a time: what was set by API
// over what the server was started with. It must not be changed.
type Instance struct {
	AnyonePull          bool                   // projects may open their registry to everybody
	ProjectVisibility   packhouse.Visibility   // of new projects where nobody says
	GroupVisibility     packhouse.Visibility   // of new groups where nobody says
	Restricted          []packhouse.Visibility // what only administrators choose
	TokenPrefix         string                 // of the secrets of access tokens
	TokenLife           time.Duration          // the most that an access token may live; 0 for as long as anybody likes
	NoPersonalTokens    bool                   // personal tokens count for administrators alone
	AllowlistEnforced   bool                   // no project switches its job-token allowlist off
	DeletionDelay       time.Duration          // from the mark for deletion to the removal
	Packages, Anonymous Throttle               // of the package registry, with a credential and without one

	sizes map[string]int64
}

// Throttle is how many requests a client may send in a time. Where it is not Set
// what the server was started with holds.
type Throttle struct {
	Set      bool
	Requests int64
	Period   time.Duration
}

// Instance is how the whole installation is set now.
func (d *Directory) Instance() *Instance { return d.instance.Load() }

// Size is the largest file of a format, in bytes; 0 for any.
func (i *Instance) Size(format string) int64 { return i.sizes[format] }

// switches are those of the application settings that do something here.
type switches struct {
	AnyonePull        *bool                  `json:"package_registry_allow_anyone_to_pull_option"`
	ProjectVisibility packhouse.Visibility   `json:"default_project_visibility"`
	GroupVisibility   packhouse.Visibility   `json:"default_group_visibility"`
	Restricted        []packhouse.Visibility `json:"restricted_visibility_levels"`
	TokenPrefix       *string                `json:"personal_access_token_prefix"`
	TokenDays         int64                  `json:"max_personal_access_token_lifetime"`
	NoPersonalTokens  bool                   `json:"disable_personal_access_tokens"`
	AllowlistEnforced bool                   `json:"enforce_ci_inbound_job_token_scope_enabled"`
	DeletionDays      *int64                 `json:"deletion_adjourned_period"`

	Packages          *bool `json:"throttle_authenticated_packages_api_enabled"`
	PackagesRequests  int64 `json:"throttle_authenticated_packages_api_requests_per_period"`
	PackagesPeriod    int64 `json:"throttle_authenticated_packages_api_period_in_seconds"`
	Anonymous         *bool `json:"throttle_unauthenticated_packages_api_enabled"`
	AnonymousRequests int64 `json:"throttle_unauthenticated_packages_api_requests_per_period"`
	AnonymousPeriod   int64 `json:"throttle_unauthenticated_packages_api_period_in_seconds"`
}

// DefaultThrottle is what a throttle of packages allows that was switched on
// without saying how many requests: GitLab's 1,000 in 15 seconds.
var DefaultThrottle = Throttle{Set: true, Requests: 1000, Period: 15 * time.Second}

const day = 24 * time.Hour

// instance lays settings over the options. What cannot be read is left out; the
// API lets nothing in that cannot.
func (o Options) instance(s ledger.Settings) *Instance {
	i := &Instance{AnyonePull: o.AnyonePull, TokenPrefix: "glpat-", DeletionDelay: o.DeletionDelay, sizes: map[string]int64{}}
	for format, size := range o.Sizes {
		i.sizes[format] = size
	}
	for format, size := range s.Sizes {
		i.sizes[format] = size
	}
	var set switches
	if data, err := json.Marshal(s.Switches); err != nil || json.Unmarshal(data, &set) != nil {
		return i
	}
	if set.AnyonePull != nil {
		i.AnyonePull = *set.AnyonePull
	}
	if set.TokenPrefix != nil {
		i.TokenPrefix = *set.TokenPrefix
	}
	if set.DeletionDays != nil {
		i.DeletionDelay = time.Duration(*set.DeletionDays) * day
	}
	i.ProjectVisibility, i.GroupVisibility, i.Restricted = set.ProjectVisibility, set.GroupVisibility, set.Restricted
	i.TokenLife = time.Duration(set.TokenDays) * day
	i.NoPersonalTokens, i.AllowlistEnforced = set.NoPersonalTokens, set.AllowlistEnforced
	i.Packages = throttle(set.Packages, set.PackagesRequests, set.PackagesPeriod)
	i.Anonymous = throttle(set.Anonymous, set.AnonymousRequests, set.AnonymousPeriod)
	return i
}

func throttle(on *bool, requests, seconds int64) Throttle {
	switch {
	case on == nil:
		return Throttle{}
	case !*on:
		return Throttle{Set: true}
	}
	t := DefaultThrottle
	if requests > 0 {
		t.Requests = requests
	}
	if seconds > 0 {
		t.Period = time.Duration(seconds) * time.Second
	}
	return t
}

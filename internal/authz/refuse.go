package authz

import (
	"fmt"
	"strings"

	"packhouse"
)

// The words of Decision.Rule. They travel in the X-Registry-Denied header, so
// they stay.
const (
	ruleSignIn     = "sign-in"     // no credential that counts
	ruleKind       = "kind"        // the wrong kind of token
	ruleVisibility = "visibility"  // absent or hidden
	ruleFeatureOff = "feature-off" // the registry is switched off
	ruleArchived   = "archived"    // read-only
	ruleBound      = "bound"       // the token belongs elsewhere
	ruleRole       = "role"        // too little standing
	ruleAllowlist  = "allowlist"   // the project does not admit the job's project
	ruleScope      = "scope"       // the token is limited to less
)

var notFound = map[packhouse.Level]string{
	packhouse.Group:   "Group Not Found",
	packhouse.Project: "Project Not Found",
}

// hidden is the one refusal for what is absent and what is invisible. The
// words are GitLab's; scripts look for them after the status.
func hidden(level packhouse.Level) Decision {
	reason, ok := notFound[level]
	if !ok {
		reason = "Not Found"
	}
	return Decision{Hide, ruleVisibility, reason,
		"check the path; if it is right, ask one of its members for a role there"}
}

// hiddenFromVisitor is hidden, to somebody who may not know that what they
// sent counts for nothing here.
func (r *rule) hiddenFromVisitor(level packhouse.Level) Decision {
	d := hidden(level)
	d.Fix = "check the path; what is not public is shown only to " + r.tokens()
	return d
}

// switchedOff hides the package registry of the whole instance, from
// administrators as well.
func switchedOff() Decision {
	return Decision{Hide, ruleFeatureOff, "the package registry is switched off on this instance",
		"ask the operator to start it with --packages-enabled"}
}

// challenge asks for a credential. It does not look at the object.
func (r *rule) challenge(who *packhouse.Actor) Decision {
	if who.Kind == packhouse.Anonymous {
		return Decision{Challenge, ruleSignIn, "this needs a token, and none that is valid was sent",
			"send " + r.tokens()}
	}
	return Decision{Challenge, ruleKind, fmt.Sprintf("a %s is not accepted here", credential(who)),
		"send " + r.tokens()}
}

// registryOff refuses to everybody who sees the project, its Owner included.
func (r *rule) registryOff(on *Object) Decision {
	if r.images {
		return Decision{Forbid, ruleFeatureOff, "the container registry of " + place(on) + " is switched off",
			fmt.Sprintf("ask a Maintainer of %s to set container_registry_access_level to enabled", place(on))}
	}
	return Decision{Forbid, ruleFeatureOff, "the package registry of " + place(on) + " is switched off",
		fmt.Sprintf("ask a Maintainer of %s to set package_registry_access_level to enabled", place(on))}
}

func (r *rule) archived(on *Object) Decision {
	return Decision{Forbid, ruleArchived,
		fmt.Sprintf("%s is archived and read-only; %s it is refused", place(on), r.doing),
		fmt.Sprintf("ask an Owner of %s to unarchive it", place(on))}
}

// tooWeak refuses to somebody who sees the object and may not do this to it.
func (r *rule) tooWeak(who *packhouse.Actor, s standing, on *Object) Decision {
	switch {
	case s.deploy != 0:
		return Decision{Forbid, ruleKind,
			fmt.Sprintf("a deploy token of a %s is not enough for %s %s", s.deploy, r.doing, place(on)),
			fmt.Sprintf("use a deploy token of %s itself, or an access token with the role %s", place(on), r.role)}
	case !on.Bound:
		fix := "use a personal access token"
		if on.Target.Level != packhouse.Instance {
			fix += ", or a token that was made in " + place(on)
		}
		return Decision{Forbid, ruleBound,
			fmt.Sprintf("this %s is limited to %s, so it gives no role in %s", credential(who), who.Bound.Path, place(on)), fix}
	case r.by == byAdmin:
		return Decision{Forbid, ruleRole, "this is for administrators of the instance",
			"ask an administrator to do it"}
	case r.by == byInsider:
		return Decision{Forbid, ruleRole, "external users do not create top-level groups",
			"ask an administrator to create the group, or to make you an internal user"}
	}
	needed, also := r.role, ""
	if r.by == byReading {
		needed = packhouse.Reporter
		if !r.images {
			also = "; an administrator can also let Guests pull (guest_can_pull_private)"
		}
	}
	return Decision{Forbid, ruleRole,
		fmt.Sprintf("%s %s needs the role %s; %s", r.doing, place(on), needed, held(who, s.role)),
		fmt.Sprintf("ask %s for the role %s%s", granter(needed, on), needed, also)}
}

// notAdmitted names both projects, who can admit one to the other, and how.
func (r *rule) notAdmitted(who *packhouse.Actor, on *Object) Decision {
	var source packhouse.Job
	if who.Job != nil {
		source = *who.Job
	}
	if r.images && r.writes {
		return Decision{Forbid, ruleAllowlist,
			fmt.Sprintf("job token of project %s changes images of its own project alone, not of %s", source.ProjectPath, place(on)),
			"use a deploy token with write_registry, or an access token"}
	}
	return Decision{Forbid, ruleAllowlist,
		fmt.Sprintf("job token of project %s is not on the allowlist of %s", source.ProjectPath, place(on)),
		fmt.Sprintf("a Maintainer of %s adds %s: POST /api/v4/projects/%d/job_token_scope/allowlist with target_project_id=%d",
			place(on), source.ProjectPath, on.Target.ID, source.ProjectID)}
}

// outOfScope refuses what the person may do and the token may not.
func (r *rule) outOfScope(who *packhouse.Actor, on *Object) Decision {
	if who.Kind == packhouse.JobToken {
		return Decision{Forbid, ruleScope,
			fmt.Sprintf("the job token was minted with READ_PACKAGES only; %s %s needs ADMIN_PACKAGES", r.doing, place(on)),
			"have the token minted with the permission ADMIN_PACKAGES"}
	}
	needed := r.scopes
	if who.Kind == packhouse.DeployToken {
		needed = r.deploy
	}
	return Decision{Forbid, ruleScope,
		fmt.Sprintf("the token has the scope %s; %s %s needs %s", list(who.Scopes, "and"), r.doing, place(on), list(needed, "or")),
		"make a token with the scope " + list(needed, "or")}
}

// tokens says which credentials the action takes, and with which scope.
func (r *rule) tokens() string {
	var takes []string
	if r.kinds.has(packhouse.PersonalToken) {
		s := "a personal, project or group access token"
		if r.scopes != 0 {
			s += " with the scope " + list(r.scopes, "or")
		}
		takes = append(takes, s)
	}
	if r.kinds.has(packhouse.DeployToken) {
		takes = append(takes, "a deploy token with the scope "+list(r.deploy, "or"))
	}
	if r.kinds.has(packhouse.JobToken) {
		takes = append(takes, "a job token")
	}
	return strings.Join(takes, ", or ")
}

// place names the object, for people who are known to see it.
func place(on *Object) string {
	switch {
	case on.Target.Level == packhouse.Instance:
		return "this instance"
	case on.Target.Path == "":
		return fmt.Sprintf("%s %d", on.Target.Level, on.Target.ID)
	}
	return on.Target.Path
}

func credential(who *packhouse.Actor) string {
	switch who.Kind {
	case packhouse.DeployToken:
		return "deploy token"
	case packhouse.JobToken:
		return "job token"
	case packhouse.Session:
		return "session"
	}
	return who.Kind.String() + " access token"
}

// granter says who can give somebody a role. Members of a group are its Owners'
// business, and nobody gives more than they have.
func granter(role packhouse.Role, on *Object) string {
	if role >= packhouse.Owner || on.Target.Level == packhouse.Group {
		return "an Owner of " + place(on)
	}
	return "a Maintainer of " + place(on)
}

// held says what role the actor has, and who the actor is where that may
// surprise: a job acts as a person, a project token as a bot.
func held(who *packhouse.Actor, role packhouse.Role) string {
	holder := "you have"
	switch who.Kind {
	case packhouse.ProjectToken, packhouse.GroupToken:
		holder = "this token has"
	case packhouse.JobToken:
		holder = who.Name + ", who started the job, has"
	}
	if role == packhouse.NoAccess {
		return holder + " none"
	}
	return holder + " " + role.String()
}

func list(s packhouse.Scopes, last string) string {
	names := s.Names()
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " " + last + " " + names[len(names)-1]
}

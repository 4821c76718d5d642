package authz

import "packhouse"

// Decide says whether who may do act on the object, and if not, how to refuse:
// in which order things are looked at is part of the contract, because it
// decides who learns what.
//
//  1. A package registry that is switched off hides every package action.
//  2. A visitor without a credential, or with one that the action does not
//     take, passes, is challenged or finds nothing. A visitor is never
//     forbidden anything.
//  3. A job token is held to the allowlist of the project.
//  4. What the actor may not see is hidden, as if it did not exist.
//  5. What it sees is forbidden for the first of these: registry off, archived,
//     role too low, scope missing.
//
// Every refusal has a Rule, a Reason and a Fix. Those of Hide and Challenge
// depend on who asks and on the action, never on the object. An unknown action,
// or one that does not fit the object's level, is hidden from everybody.
//
// Decide is a pure function, safe for concurrent use. It allocates only to
// refuse.
func Decide(who packhouse.Actor, act Action, on Object) Decision {
	if act == Anyone {
		return Decision{Outcome: Allow}
	}
	if !act.Fits(on.Target.Level) {
		return hidden(on.Target.Level)
	}
	r := &rules[act]
	if r.images {
		on = ofImages(&who, r, on)
	}
	if r.packages && on.PackagesDisabled {
		return switchedOff()
	}
	if !r.takes(&who) {
		return r.visitor(&who, &on)
	}
	d := r.judge(&who, &on)
	if who.Kind == packhouse.JobToken && r.packages && on.Target.Level == packhouse.Project && !on.Admits {
		d = r.unadmitted(&who, &on, d)
	}
	if d.Outcome == Allow && !r.covers(&who) {
		return r.outOfScope(&who, &on)
	}
	return d
}

// ofImages is an object as the container registry sees it, which has switches of
// its own: nobody is let in beyond the visibility of the project, Guests pull
// nothing from a private one, and jobs push to their own project alone, whatever
// its allowlist says.
func ofImages(who *packhouse.Actor, r *rule, on Object) Object {
	on.Registry, on.GuestsPull, on.AnyonePull, on.PackagesDisabled = on.Images, false, false, false
	if r.writes && who.Job != nil && who.Job.ProjectID != on.Target.ID {
		on.Admits = false
	}
	return on
}

// takes reports whether the action reads the actor's kind of credential at all.
// A deploy token has no business in the REST API but to list packages, and
// there only with a package scope.
func (r *rule) takes(who *packhouse.Actor) bool {
	if !r.kinds.has(who.Kind) {
		return false
	}
	return who.Kind != packhouse.DeployToken || r.family == protocol || who.Scopes.Has(r.deploy)
}

// covers reports whether the credential's scopes reach as far as the action.
func (r *rule) covers(who *packhouse.Actor) bool {
	switch who.Kind {
	case packhouse.JobToken:
		return !r.writes || who.Job != nil && who.Job.Publish
	case packhouse.DeployToken:
		return who.Scopes.Has(r.deploy)
	}
	return r.scopes == 0 || who.Scopes.Has(r.scopes)
}

// grants reports whether somebody of that standing may do the action.
func (r *rule) grants(s standing, on *Object) bool {
	switch r.by {
	case byCredential:
		return true
	case bySight:
		return s.sees(on)
	case byReading:
		return s.reads(on)
	case byRole:
		return s.present(on) && (s.role >= r.role || s.deploy&r.deployOf != 0)
	case byInsider:
		return s.insider
	case byAdmin:
		return s.admin
	}
	return false
}

// visible reports whether somebody of that standing may know what the action
// is about.
func (r *rule) visible(s standing, on *Object) bool {
	if r.packages {
		return s.seesPackages(on)
	}
	return s.sees(on)
}

// visitor decides for somebody who has shown nothing that counts here.
func (r *rule) visitor(who *packhouse.Actor, on *Object) Decision {
	open := r.by == bySight || r.by == byReading
	switch {
	case open && r.grants(standing{}, on):
		return Decision{Outcome: Allow}
	case open && r.family == rest:
		return r.hiddenFromVisitor(on.Target.Level)
	}
	return r.challenge(who)
}

// judge decides for somebody with a credential, scopes and allowlist aside.
func (r *rule) judge(who *packhouse.Actor, on *Object) Decision {
	if r.by == byCredential {
		return Decision{Outcome: Allow}
	}
	s := standingOf(who, on)
	switch {
	case !r.visible(s, on):
		return hidden(on.Target.Level)
	case r.packages && on.Registry == packhouse.RegistryDisabled:
		return r.registryOff(on)
	case r.writes && on.Archived:
		return r.archived(on)
	case !r.grants(s, on):
		return r.tooWeak(who, s, on)
	}
	return Decision{Outcome: Allow}
}

// unadmitted decides for a job token that the project's allowlist does not
// admit, given what its user would get. The job keeps what is open to anybody,
// so that it is never worse off without its token. Where the allowlist alone
// stands in the way, it is named: its user could see the project anyway.
func (r *rule) unadmitted(who *packhouse.Actor, on *Object, user Decision) Decision {
	s := standingOf(who, on)
	left := s.unadmitted()
	switch {
	case r.grants(left, on):
		return user
	case user.Outcome == Allow:
		return r.notAdmitted(who, on)
	case r.visible(left, on):
		return user
	case r.family == rest && r.visible(s, on):
		return r.notAdmitted(who, on)
	}
	return hidden(on.Target.Level)
}

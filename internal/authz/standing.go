package authz

import "packhouse"

// standing is what an actor is to one object, scopes aside. The zero standing
// is a stranger's: an anonymous visitor, or a token that belongs elsewhere.
type standing struct {
	role    packhouse.Role // Owner for administrators
	admin   bool
	insider bool // a user to whom internal things are open
	below   bool // a member of something below the group
	// deploy is the level that a deploy token comes from, when it reaches the
	// object: it opens what its scopes say, without any role.
	deploy packhouse.Level
}

// standingOf looks up what who is to on.
//
// A token that does not reach the object gets nothing from its user, not even
// what is internal. GitLab lets project tokens into every internal project,
// which its users keep reporting as a hole (gitlab-org/gitlab#383882).
// Membership below a group counts all the same: a project token's bot is a
// member of its own project and of nothing else.
func standingOf(who *packhouse.Actor, on *Object) standing {
	switch who.Kind {
	case packhouse.PersonalToken, packhouse.ProjectToken, packhouse.GroupToken, packhouse.JobToken, packhouse.Session:
		s := standing{below: on.MemberBelow}
		if !on.Bound {
			return s
		}
		s.role, s.insider = on.Role, !who.External
		if who.Admin {
			s.role, s.admin, s.insider = packhouse.Owner, true, true
		}
		return s
	case packhouse.DeployToken:
		if on.Bound {
			return standing{deploy: who.Bound.Level}
		}
	}
	return standing{}
}

// unadmitted is what remains of a job's standing where the allowlist does not
// admit its project: what is open to everybody whom the user is one of.
func (s standing) unadmitted() standing { return standing{insider: s.insider} }

// member reports whether something ties the actor to the object, beyond its
// being open.
func (s standing) member() bool { return s.role > packhouse.NoAccess || s.deploy != 0 }

// open reports whether visibility alone lets the actor see the object.
func (s standing) open(on *Object) bool {
	return on.Visibility == packhouse.VisibilityPublic ||
		on.Visibility == packhouse.VisibilityInternal && s.insider
}

// present reports whether the object is there at all for the actor. The
// instance always is; what is being deleted is there for owners only.
func (s standing) present(on *Object) bool {
	if on.Target.Level == packhouse.Instance {
		return true
	}
	return on.Exists && (!on.Deleting || s.role >= packhouse.Owner)
}

// sees reports whether the actor may know that the object exists.
func (s standing) sees(on *Object) bool {
	return s.present(on) &&
		(on.Target.Level == packhouse.Instance || s.member() || s.below || s.open(on))
}

// reads reports whether the actor may read the packages of the object. At the
// instance and in a group this is the right to ask: the answer holds only
// packages of projects that the actor may read.
func (s standing) reads(on *Object) bool {
	if !s.present(on) {
		return false
	}
	floor := packhouse.Reporter
	if on.GuestsPull {
		floor = packhouse.Guest
	}
	member := s.role >= floor || s.deploy != 0
	switch on.Target.Level {
	case packhouse.Instance:
		return true
	case packhouse.Group:
		return member || s.below || s.open(on) || on.OpenBelow && on.AnyonePull
	}
	switch on.Registry {
	case packhouse.RegistryEnabled:
		return member || s.open(on)
	case packhouse.RegistryPublic:
		return member || s.open(on) || on.AnyonePull
	case packhouse.RegistryPrivate:
		return member
	}
	return false
}

// seesPackages reports whether the actor may know that there is a registry
// here: whoever reads it, and whoever sees the object unless the registry is
// for members only.
func (s standing) seesPackages(on *Object) bool {
	return s.reads(on) ||
		s.sees(on) && (on.Registry != packhouse.RegistryPrivate || s.member())
}

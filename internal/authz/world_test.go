package authz

import (
	"iter"

	"packhouse"
)

// The acting and the acted upon that all tests of this package are made of.
var (
	lib  = packhouse.Target{Level: packhouse.Project, ID: 31, Path: "acme/lib"}
	acme = packhouse.Target{Level: packhouse.Group, ID: 7, Path: "acme"}
	here = packhouse.Target{Level: packhouse.Instance}

	everyRole       = append([]packhouse.Role{packhouse.NoAccess}, packhouse.Roles...)
	everyVisibility = []packhouse.Visibility{packhouse.VisibilityPrivate, packhouse.VisibilityInternal, packhouse.VisibilityPublic}
	everyRegistry   = []packhouse.RegistryAccess{packhouse.RegistryEnabled, packhouse.RegistryPrivate, packhouse.RegistryPublic, packhouse.RegistryDisabled}
	bools           = []bool{true, false}

	// readScopes are those that change nothing; oneOfEach has one scope of
	// each effect.
	readScopes = []packhouse.Scopes{packhouse.ScopeReadAPI, packhouse.ScopeReadUser, packhouse.ScopeReadPackages,
		packhouse.ScopeReadRegistry, packhouse.ScopeWriteRegistry, packhouse.ScopeReadVirtual, packhouse.ScopeWriteVirtual,
		packhouse.ScopeSelfRotate, packhouse.ScopeSudo}
	oneOfEach = []packhouse.Scopes{packhouse.ScopeAPI, packhouse.ScopeWritePackages, packhouse.ScopeReadAPI,
		packhouse.ScopeReadPackages, packhouse.ScopeReadUser}

	anonymous packhouse.Actor
)

// everyAction is every valid action, in order.
func everyAction() []Action {
	var all []Action
	for a := Action(1); a.Valid(); a++ {
		all = append(all, a)
	}
	return all
}

func person(scopes packhouse.Scopes) packhouse.Actor {
	return packhouse.Actor{Kind: packhouse.PersonalToken, UserID: 12, Name: "dana", Scopes: scopes}
}

func projectToken(scopes packhouse.Scopes) packhouse.Actor {
	return packhouse.Actor{Kind: packhouse.ProjectToken, UserID: 13, Name: "project_31_bot", Scopes: scopes, Bound: lib}
}

func groupToken(scopes packhouse.Scopes) packhouse.Actor {
	return packhouse.Actor{Kind: packhouse.GroupToken, UserID: 14, Name: "group_7_bot", Scopes: scopes, Bound: acme}
}

func deployToken(of packhouse.Target, scopes packhouse.Scopes) packhouse.Actor {
	return packhouse.Actor{Kind: packhouse.DeployToken, Name: "gitlab+deploy-token-5", Scopes: scopes, Bound: of}
}

func job(publish bool) packhouse.Actor {
	return packhouse.Actor{Kind: packhouse.JobToken, UserID: 12, Name: "dana",
		Job: &packhouse.Job{ID: 9001, ProjectID: 20, ProjectPath: "acme/app", Publish: publish}}
}

func session() packhouse.Actor {
	return packhouse.Actor{Kind: packhouse.Session, UserID: 12, Name: "dana", Scopes: packhouse.ScopeAPI}
}

func external(a packhouse.Actor) packhouse.Actor { a.External = true; return a }
func admin(a packhouse.Actor) packhouse.Actor    { a.Admin = true; return a }

// jobs are those of an ordinary, of an external user and of an administrator.
func jobs() []packhouse.Actor {
	return []packhouse.Actor{job(true), external(job(true)), admin(job(true)),
		job(false), external(job(false)), admin(job(false))}
}

func deploysTokens(scopes []packhouse.Scopes) []packhouse.Actor {
	var all []packhouse.Actor
	for _, s := range scopes {
		all = append(all, deployToken(lib, s), deployToken(acme, s))
	}
	return all
}

// usersTokens is a token of each kind that has a user, for each of the scopes,
// and the tokens of an external user and of an administrator.
func usersTokens(scopes []packhouse.Scopes) []packhouse.Actor {
	all := []packhouse.Actor{external(person(packhouse.ScopeAPI)), session(), external(session()), admin(session())}
	for _, s := range scopes {
		all = append(all, person(s), admin(person(s)), projectToken(s), groupToken(s))
	}
	return all
}

func everyActor() []packhouse.Actor {
	all := append([]packhouse.Actor{anonymous}, usersTokens(oneOfEach)...)
	return append(append(all, deploysTokens(oneOfEach)...), jobs()...)
}

// objects is the product of all that an object can be, for an actor of who's
// kind: what Decide never looks at for that kind has one value only.
func objects(who packhouse.Actor) iter.Seq[Object] {
	roles, bound, admits := everyRole, []bool{true}, []bool{true}
	if who.Kind == packhouse.Anonymous || who.Kind == packhouse.DeployToken {
		roles = roles[:1]
	}
	if who.Bound.Level != 0 {
		bound = bools
	}
	if who.Kind == packhouse.JobToken {
		admits = bools
	}
	return func(yield func(Object) bool) {
		for o := range places() {
			for _, o.Role = range roles {
				for _, o.Bound = range bound {
					for _, o.Admits = range admits {
						if !yield(o) {
							return
						}
					}
				}
			}
		}
	}
}

// places is every object as it is before anybody looks at it, the absent
// included.
func places() iter.Seq[Object] {
	return func(yield func(Object) bool) {
		for o := range switches() {
			ok := yield(with(o, here)) && levels(o, yield)
			o.Exists = true
			for _, o.Visibility = range everyVisibility {
				o.Archived, o.Deleting = false, false
				ok = ok && levels(o, yield)
				o.Archived = true
				ok = ok && levels(o, yield)
				o.Deleting = true
				ok = ok && levels(o, yield)
			}
			if !ok {
				return
			}
		}
	}
}

func with(o Object, target packhouse.Target) Object { o.Target = target; return o }

// levels yields o as a project with each registry access, and as a group with
// each kind of thing below.
func levels(o Object, yield func(Object) bool) bool {
	o.Target = lib
	for _, o.Registry = range everyRegistry {
		if !yield(o) {
			return false
		}
	}
	o.Target, o.Registry = acme, packhouse.RegistryEnabled
	for _, o.MemberBelow = range bools {
		for _, o.OpenBelow = range bools {
			if !yield(o) {
				return false
			}
		}
	}
	return true
}

// switches is every setting of the instance, with the registry off only once.
func switches() iter.Seq[Object] {
	return func(yield func(Object) bool) {
		ok := yield(Object{GuestsPull: true, AnyonePull: true, PackagesDisabled: true})
		for _, guests := range bools {
			for _, anyone := range bools {
				ok = ok && yield(Object{GuestsPull: guests, AnyonePull: anyone})
			}
		}
	}
}

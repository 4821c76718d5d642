package authz

import (
	"slices"
	"testing"

	"packhouse"
)

// writing is every action that changes something other than the token itself.
var writing = []Action{PublishPackages, DeletePackages, RemovePackages, ManageProject, OwnProject, MintJobTokens,
	CreateProject, CreateSubgroup, OwnGroup, CreateGroup, AdminInstance}

// rank orders outcomes by how far they let somebody in.
var rank = map[Outcome]int{Hide: 0, Challenge: 0, Forbid: 1, Allow: 2}

// always checks that ok holds for every actor, object and fitting action of the
// product, and logs how many there were.
func always(t *testing.T, actors []packhouse.Actor, actions []Action, claim string,
	ok func(who packhouse.Actor, act Action, on Object) bool) {
	t.Helper()
	t.Parallel()
	n := 0
	byLevel := fitting(actions)
	for _, who := range actors {
		for on := range objects(who) {
			for _, act := range byLevel[on.Target.Level] {
				n++
				if !ok(who, act, on) {
					t.Fatalf("not so: %s\nDecide(%+v, %v, %+v) = %+v", claim, who, act, on, Decide(who, act, on))
				}
			}
		}
	}
	t.Logf("%d assertions: %s", n, claim)
}

func TestMoreRoleIsNeverLess(t *testing.T) {
	users := append(usersTokens(oneOfEach[:2]), jobs()...)
	always(t, users, everyAction(), "a stronger role never gets less",
		func(who packhouse.Actor, act Action, on Object) bool {
			weak := rank[Decide(who, act, on).Outcome]
			on.Role = next(on.Role)
			return rank[Decide(who, act, on).Outcome] >= weak
		})
}

func TestMoreVisibilityIsNeverLess(t *testing.T) {
	always(t, everyActor(), everyAction(), "a more visible object never allows less",
		func(who packhouse.Actor, act Action, on Object) bool {
			open := on
			open.Visibility = min(on.Visibility+1, packhouse.VisibilityPublic)
			return Decide(who, act, on).Outcome != Allow || Decide(who, act, open).Outcome == Allow
		})
}

func TestJobIsNeverBetterThanItsUser(t *testing.T) {
	actions := without(everyAction(), OwnJob)
	always(t, jobs(), actions, "what a job may do, its user's personal token with api may do",
		func(who packhouse.Actor, act Action, on Object) bool {
			user := person(packhouse.ScopeAPI)
			user.Admin, user.External = who.Admin, who.External
			return rank[Decide(who, act, on).Outcome] <= rank[Decide(user, act, on).Outcome]
		})
}

func TestJobIsNeverWorseThanAVisitor(t *testing.T) {
	always(t, jobs(), everyAction(), "what a visitor may do, a job may do",
		func(who packhouse.Actor, act Action, on Object) bool {
			return Decide(anonymous, act, on).Outcome != Allow || Decide(who, act, on).Outcome == Allow
		})
}

func TestVisitorIsNeverForbidden(t *testing.T) {
	always(t, []packhouse.Actor{anonymous}, everyAction(), "a visitor is never forbidden anything",
		func(who packhouse.Actor, act Action, on Object) bool {
			return Decide(who, act, on).Outcome != Forbid
		})
}

func TestVisitorPullsOnlyPublicWithoutAnyone(t *testing.T) {
	always(t, []packhouse.Actor{anonymous}, []Action{ReadPackages, ListPackages}, "without AnyonePull a visitor pulls from public things only",
		func(who packhouse.Actor, act Action, on Object) bool {
			public := on.Visibility == packhouse.VisibilityPublic || on.Target.Level == packhouse.Instance
			return on.AnyonePull || public || Decide(who, act, on).Outcome == Challenge || Decide(who, act, on).Outcome == Hide
		})
}

func TestVisitorNeverWrites(t *testing.T) {
	always(t, []packhouse.Actor{anonymous}, writing, "a visitor never writes",
		func(who packhouse.Actor, act Action, on Object) bool {
			return Decide(who, act, on).Outcome != Allow
		})
}

func TestHiddenLooksAbsent(t *testing.T) {
	always(t, everyActor(), everyAction(), "a refusal to somebody who sees nothing is what the absent gives",
		func(who packhouse.Actor, act Action, on Object) bool {
			d := Decide(who, act, on)
			if d.Outcome != Hide && d.Outcome != Challenge {
				return true
			}
			absent := Object{Target: packhouse.Target{Level: on.Target.Level}, PackagesDisabled: on.PackagesDisabled}
			return d == Decide(who, act, absent)
		})
}

func TestNothingIsDoneToTheAbsent(t *testing.T) {
	actions := without(everyAction(), Anyone, SignedIn, SelfToken, OwnAccount, RotateToken, OwnJob)
	always(t, everyActor(), actions, "nothing is done to what does not exist, and nobody is told that it does not",
		func(who packhouse.Actor, act Action, on Object) bool {
			return on.Exists || on.Target.Level == packhouse.Instance || rank[Decide(who, act, on).Outcome] == 0
		})
}

func TestArchivedIsReadOnly(t *testing.T) {
	always(t, everyActor(), []Action{PublishPackages, DeletePackages, RemovePackages, MintJobTokens, CreateProject, CreateSubgroup},
		"nobody writes to what is archived",
		func(who packhouse.Actor, act Action, on Object) bool {
			return !on.Archived || on.Target.Level == packhouse.Instance || Decide(who, act, on).Outcome != Allow
		})
}

func TestDeletingIsForOwners(t *testing.T) {
	actions := without(everyAction(), Anyone, SignedIn, SelfToken, OwnAccount, RotateToken, OwnJob)
	always(t, everyActor(), actions, "what is being deleted is there for owners and administrators only",
		func(who packhouse.Actor, act Action, on Object) bool {
			owner := on.Bound && (on.Role == packhouse.Owner || who.Admin)
			return !on.Deleting || owner || on.Target.Level == packhouse.Instance || rank[Decide(who, act, on).Outcome] == 0
		})
}

func TestSwitchedOffIsOffForAll(t *testing.T) {
	packages := []Action{ReadPackages, PublishPackages, DeletePackages, ListPackages, RemovePackages}
	always(t, everyActor(), packages, "no registry, no packages: 404 for the instance, never allowed for the project",
		func(who packhouse.Actor, act Action, on Object) bool {
			d := Decide(who, act, on)
			instance := !on.PackagesDisabled || d.Outcome == Hide
			project := on.Registry != packhouse.RegistryDisabled || d.Outcome != Allow
			return instance && project
		})
}

func TestDeployTokenIsAVisitorInREST(t *testing.T) {
	actions := without(everyAction(), ReadPackages, PublishPackages, DeletePackages, ListPackages, PullImages, PushImages)
	always(t, deploysTokens(append(readScopes, packhouse.ScopeWritePackages)), actions, "outside of packages a deploy token counts as none",
		func(who packhouse.Actor, act Action, on Object) bool {
			return Decide(who, act, on).Outcome == Decide(anonymous, act, on).Outcome
		})
}

func TestReadScopesNeverWrite(t *testing.T) {
	actors := append(deploysTokens(readScopes), job(false), admin(job(false)))
	for _, s := range readScopes {
		actors = append(actors, admin(person(s)), projectToken(s), groupToken(s))
	}
	always(t, actors, writing, "a token that may only read never writes",
		func(who packhouse.Actor, act Action, on Object) bool {
			return Decide(who, act, on).Outcome != Allow
		})
}

func TestTokenFromElsewhereIsAStranger(t *testing.T) {
	actors := deploysTokens(oneOfEach)
	for _, s := range oneOfEach {
		actors = append(actors, projectToken(s), groupToken(s))
	}
	actions := without(everyAction(), SignedIn, SelfToken, OwnAccount, RotateToken)
	always(t, actors, actions, "a token from elsewhere gets nothing that a visitor does not, but by membership below",
		func(who packhouse.Actor, act Action, on Object) bool {
			visitor := Decide(anonymous, act, on).Outcome == Allow
			return on.Bound || on.MemberBelow || visitor || Decide(who, act, on).Outcome != Allow
		})
}

func TestRefusalsExplain(t *testing.T) {
	always(t, everyActor(), everyAction(), "every refusal has a rule, a reason and a fix, and no permission has",
		func(who packhouse.Actor, act Action, on Object) bool {
			d := Decide(who, act, on)
			if d.Outcome == Allow {
				return d == Decision{Outcome: Allow}
			}
			return d.Rule != "" && d.Reason != "" && d.Fix != ""
		})
}

// fitting sorts the actions by the levels that they fit.
func fitting(actions []Action) map[packhouse.Level][]Action {
	by := map[packhouse.Level][]Action{}
	for _, level := range []packhouse.Level{packhouse.Instance, packhouse.Group, packhouse.Project} {
		by[level] = slices.DeleteFunc(slices.Clone(actions), func(a Action) bool { return !a.Fits(level) })
	}
	return by
}

// next is the role above r, and Owner above Owner.
func next(r packhouse.Role) packhouse.Role {
	i := slices.Index(everyRole, r)
	return everyRole[min(i+1, len(everyRole)-1)]
}

// without returns the actions but for some.
func without(all []Action, some ...Action) []Action {
	return slices.DeleteFunc(all, func(a Action) bool { return slices.Contains(some, a) })
}

package directory

import (
	"cmp"
	"iter"
	"maps"
	"slices"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// Container finds a group or personal namespace by its full path.
func (d *Directory) Container(path string) (packhouse.Target, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	t, ok := d.routes[store.Key(path)]
	return t, ok && t.Level == packhouse.Group
}

func (d *Directory) targetOf(projectID int64) packhouse.Target {
	return packhouse.Target{Level: packhouse.Project, ID: projectID, Path: d.projects[projectID].Path}
}

// ProjectFilter selects projects for a list.
type ProjectFilter struct {
	Below      packhouse.Target // only what is in this group or namespace and below it; zero: anywhere
	Membership bool             // only where the actor has a role
	MinRole    packhouse.Role   // only where the actor has at least this role
	After      int64            // only those with a higher id; with Down, with a lower one. 0: all
	Down       bool             // from the highest id down
}

// Projects visits the projects that an actor sees, in the order of their ids.
// What it costs grows with what it visits, not with how many projects there are.
// The directory does not change while it is visited, so visit must not call it.
func (d *Directory) Projects(who packhouse.Actor, f ProjectFilter) iter.Seq[*ledger.Project] {
	return func(visit func(*ledger.Project) bool) {
		d.mu.RLock()
		defer d.mu.RUnlock()
		inside := f.Below.Level == packhouse.Group
		for id := range union(d.candidates(who, f), f.After, f.Down) {
			o := d.object(who, d.targetOf(id), d.options.Now())
			switch {
			case inside && !d.within(place{packhouse.Project, id}, placeOf(f.Below)),
				f.Membership && o.Role == packhouse.NoAccess,
				o.Role < f.MinRole,
				authz.Decide(who, authz.ReadProject, o).Outcome != authz.Allow:
			default:
				if !visit(d.projects[id]) {
					return
				}
			}
		}
	}
}

// candidates are lists that together hold all projects that an actor may see,
// and few others.
func (d *Directory) candidates(who packhouse.Actor, f ProjectFilter) []ids {
	everything := []ids{d.all}
	if f.Below.Level == packhouse.Group {
		everything = []ids{d.inside[f.Below.ID]}
	}
	if who.Admin && !f.Membership {
		return everything
	}
	var lists []ids
	if !f.Membership && f.MinRole == packhouse.NoAccess {
		lists = append(lists, d.open[0], d.open[1])
	}
	invited := map[int64]bool{}
	for at := range d.places[who.UserID] {
		lists = append(lists, d.projectsAt(at))
		if at.level == packhouse.Group {
			invited[at.id] = true
		}
	}
	if own := d.personal[who.UserID]; who.UserID != 0 && own != 0 {
		lists = append(lists, d.inside[own])
	}
	if len(invited) > 0 {
		for at, shares := range d.shares {
			for group := range shares {
				if d.membership(who.UserID, place{packhouse.Group, group}, d.options.Now()) > packhouse.NoAccess {
					lists = append(lists, d.projectsAt(at))
					break
				}
			}
		}
	}
	if len(everything[0]) < 1000 { // fewer than what is open, mostly
		return everything
	}
	return lists
}

// projectsAt are those at a place and below it.
func (d *Directory) projectsAt(at place) ids {
	if at.level == packhouse.Project {
		return ids{at.id}
	}
	return d.inside[at.id]
}

// GroupFilter selects groups for a list.
type GroupFilter struct {
	Parent     int64          // only those directly in this group; 0 with TopLevel
	Below      int64          // only those anywhere below this group
	TopLevel   bool           // only those that are in no other
	MinRole    packhouse.Role // only where the actor has at least this role
	Membership bool           // only where the actor has a role
}

// Groups visits the groups that an actor sees, in the order of their ids in each
// group. The directory does not change while it is visited, so visit must not
// call it.
func (d *Directory) Groups(who packhouse.Actor, f GroupFilter) iter.Seq[*ledger.Namespace] {
	return func(visit func(*ledger.Namespace) bool) {
		d.mu.RLock()
		defer d.mu.RUnlock()
		d.groups(who, f, max(f.Parent, f.Below), f.Parent == 0 && !f.TopLevel, visit)
	}
}

func (d *Directory) groups(who packhouse.Actor, f GroupFilter, in int64, deep bool, visit func(*ledger.Namespace) bool) bool {
	for _, id := range d.subgroups[in] {
		n := d.namespaces[id]
		if n.UserID != 0 {
			continue
		}
		o := d.object(who, packhouse.Target{Level: packhouse.Group, ID: id, Path: n.Path}, d.options.Now())
		if o.Role >= f.MinRole && (!f.Membership || o.Role > packhouse.NoAccess) &&
			authz.Decide(who, authz.ReadGroup, o).Outcome == authz.Allow && !visit(n) {
			return false
		}
		if deep && !d.groups(who, f, id, deep, visit) {
			return false
		}
	}
	return true
}

// Users visits all users, in the order of their ids.
func (d *Directory) Users() iter.Seq[*ledger.User] {
	d.mu.RLock()
	list := slices.SortedFunc(maps.Values(d.users), func(a, b *ledger.User) int { return cmp.Compare(a.ID, b.ID) })
	d.mu.RUnlock()
	return slices.Values(list)
}

// MembershipsOf lists where a user is a member, groups before projects, with
// the paths of the places.
func (d *Directory) MembershipsOf(userID int64) []ledger.Member {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var list []ledger.Member
	for at := range d.places[userID] {
		m := d.members[at][userID]
		m.Target.Path = d.pathOf(at)
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b ledger.Member) int {
		return cmp.Or(cmp.Compare(a.Target.Level, b.Target.Level), cmp.Compare(a.Target.ID, b.Target.ID))
	})
	return list
}

// Members lists the memberships of a group or project itself, in the order of
// the users' ids; inherited adds those from above and from shares, of which each
// user has the strongest.
func (d *Directory) Members(t packhouse.Target, inherited bool) []ledger.Member {
	d.mu.RLock()
	defer d.mu.RUnlock()
	now := d.options.Now()
	strongest := map[int64]ledger.Member{}
	add := func(m ledger.Member, atMost packhouse.Role) {
		m.Role = min(m.Role, atMost)
		if old, known := strongest[m.UserID]; counts(m.ExpiresAt, now) && (!known || m.Role > old.Role) {
			strongest[m.UserID] = m
		}
	}
	at := placeOf(t)
	for _, m := range d.members[at] {
		add(m, packhouse.Owner)
	}
	for here, first := at, true; inherited && here.id != 0; first = false {
		if !first {
			for _, m := range d.members[here] {
				add(m, packhouse.Owner)
			}
		}
		for group, share := range d.shares[here] {
			if !counts(share.ExpiresAt, now) {
				continue
			}
			for invited := (place{packhouse.Group, group}); invited.id != 0; invited = (place{packhouse.Group, d.above(invited)}) {
				for _, m := range d.members[invited] {
					add(m, share.Role)
				}
			}
		}
		here = place{packhouse.Group, d.above(here)}
	}
	return slices.SortedFunc(maps.Values(strongest), func(a, b ledger.Member) int { return cmp.Compare(a.UserID, b.UserID) })
}

// Shares lists the shares of a group or project, by the invited group's id.
func (d *Directory) Shares(t packhouse.Target) []ledger.Share {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.SortedFunc(maps.Values(d.shares[placeOf(t)]), func(a, b ledger.Share) int { return cmp.Compare(a.GroupID, b.GroupID) })
}

// Taken reports whether a full path belongs to something.
func (d *Directory) Taken(path string) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	_, taken := d.routes[store.Key(path)]
	return taken
}

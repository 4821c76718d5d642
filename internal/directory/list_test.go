package directory_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
)

// crowd is a world with random groups, projects, members and shares.
type crowd struct {
	*world
	random   *rand.Rand
	groups   []int64
	projects []int64
	people   []packhouse.Actor
}

func newCrowd(t *testing.T, seed uint64) *crowd {
	c := &crowd{world: newWorld(t, directory.Options{AnyonePull: true}), random: rand.New(rand.NewPCG(seed, 1))}
	for n := range 6 {
		a := c.user(fmt.Sprintf("user%d", n))
		a.Scopes, a.External = packhouse.ScopeAPI, n == 5
		c.people = append(c.people, a)
	}
	for n := range 12 {
		parent := int64(0)
		if len(c.groups) > 0 && n%3 != 0 {
			parent = c.groups[c.random.IntN(len(c.groups))]
		}
		visibility := packhouse.Visibility(c.random.IntN(3))
		if above := c.Directory.Namespace(parent); above != nil {
			visibility = min(visibility, above.Visibility)
		}
		g, err := c.CreateGroup(t.Context(), ledger.By{}, ledger.Namespace{Name: "g", Path: fmt.Sprintf("g%d", n), ParentID: parent, Visibility: visibility})
		c.must(err)
		c.groups = append(c.groups, g.ID)
	}
	for n := range 40 {
		in := c.Directory.Namespace(c.groups[c.random.IntN(len(c.groups))])
		p, err := c.CreateProject(t.Context(), ledger.By{}, ledger.Project{
			Name: "p", Path: fmt.Sprintf("p%d", n), NamespaceID: in.ID, Visibility: min(packhouse.Visibility(c.random.IntN(3)), in.Visibility),
		})
		c.must(err)
		c.projects = append(c.projects, p.ID)
	}
	for range 12 {
		c.change()
	}
	return c
}

func (c *crowd) place() packhouse.Target {
	if c.random.IntN(2) == 0 {
		return packhouse.Target{Level: packhouse.Group, ID: c.groups[c.random.IntN(len(c.groups))]}
	}
	return packhouse.Target{Level: packhouse.Project, ID: c.projects[c.random.IntN(len(c.projects))]}
}

// change changes something; what is refused is refused.
func (c *crowd) change() {
	ctx, by := c.t.Context(), ledger.By{}
	at, user, group := c.place(), c.people[c.random.IntN(len(c.people))], c.groups[c.random.IntN(len(c.groups))]
	role := packhouse.Roles[c.random.IntN(len(packhouse.Roles))]
	switch c.random.IntN(6) {
	case 0:
		_, _ = c.AddMember(ctx, by, ledger.Member{Target: at, UserID: user.UserID, Role: role})
	case 1:
		_ = c.RemoveMember(ctx, by, at, user.UserID)
	case 2:
		_ = c.ShareWith(ctx, by, ledger.Share{Target: at, GroupID: group, Role: role})
	case 3:
		_ = c.Unshare(ctx, by, at, group)
	case 4:
		_, _ = c.UpdateGroup(ctx, by, group, func(n *ledger.Namespace) error {
			n.ParentID = []int64{0, c.groups[c.random.IntN(len(c.groups))]}[c.random.IntN(2)]
			n.Visibility = packhouse.Visibility(c.random.IntN(3))
			return nil
		})
	case 5:
		_, _ = c.UpdateProject(ctx, by, c.projects[c.random.IntN(len(c.projects))], func(p *ledger.Project) error {
			p.Visibility = packhouse.Visibility(c.random.IntN(3))
			return nil
		})
	}
}

// The ordered lists hold what a look at everything finds, for everybody, after
// any changes, and what was loaded from the store holds the same.
func TestListsAreWhole(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		c := newCrowd(t, seed)
		for range 25 {
			c.change()
			c.compare(c.Directory)
		}
		again, err := directory.Open(t.Context(), c.store, directory.Options{AnyonePull: true, Now: c.clock.Now})
		c.must(err)
		c.compare(again)
	}
}

func (c *crowd) compare(d *directory.Directory) {
	c.t.Helper()
	admin := packhouse.Actor{Kind: packhouse.PersonalToken, UserID: c.people[0].UserID, Scopes: packhouse.ScopeAPI, Admin: true}
	for _, who := range append([]packhouse.Actor{{}, admin}, c.people...) {
		for _, f := range []directory.ProjectFilter{
			{}, {Down: true}, {After: 20}, {After: 20, Down: true}, {Membership: true}, {MinRole: packhouse.Developer, Membership: true},
			{Below: packhouse.Target{Level: packhouse.Group, ID: c.groups[1]}},
		} {
			var got, want []int64
			for p := range d.Projects(who, f) {
				got = append(got, p.ID)
			}
			for _, id := range c.projects {
				if c.wanted(d, who, f, id) {
					want = append(want, id)
				}
			}
			if f.Down {
				slices.Reverse(want)
			}
			if !slices.Equal(got, want) {
				c.t.Fatalf("Projects(%s, %+v) = %v, want %v", who.Name, f, got, want)
			}
		}
		var readable []int64
		for _, id := range c.projects {
			t := packhouse.Target{Level: packhouse.Project, ID: id, Path: d.Project(id).Path}
			if authz.Decide(who, authz.ReadPackages, d.Object(who, t)).Outcome == authz.Allow {
				readable = append(readable, id)
			}
		}
		reader := d.Reader(who, packhouse.Target{Level: packhouse.Instance})
		for range 2 { // it remembers
			if got := reader.All(); !slices.Equal(got.IDs, readable) || got.Key != packhouse.ProjectsOf(readable).Key {
				c.t.Fatalf("All of the reader %s = %v, want %v", who.Name, got, readable)
			}
		}
		if got := reader.Among(c.projects); !slices.Equal(got, readable) {
			c.t.Fatalf("Among of the reader %s = %v, want %v", who.Name, got, readable)
		}
	}
}

// wanted is what a filter means, asked of one project.
func (c *crowd) wanted(d *directory.Directory, who packhouse.Actor, f directory.ProjectFilter, id int64) bool {
	t := packhouse.Target{Level: packhouse.Project, ID: id, Path: d.Project(id).Path}
	o := d.Object(who, t)
	below := f.Below.ID == 0
	for at := d.Project(id).NamespaceID; at != 0 && !below; at = d.Namespace(at).ParentID {
		below = at == f.Below.ID
	}
	after := f.After == 0 || !f.Down && id > f.After || f.Down && id < f.After
	return below && after && (!f.Membership || o.Role > packhouse.NoAccess) && o.Role >= f.MinRole &&
		authz.Decide(who, authz.ReadProject, o).Outcome == authz.Allow
}

package directory

import (
	"iter"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
)

// below sums up what is below a group, so that a question about it costs the
// same however much that is.
type below struct {
	open    int                           // projects whose registry is open to everybody
	shared  map[int64]int                 // shares of what is below, by invited group
	lasting map[int64]int                 // memberships without an end, by user
	ending  map[int64]map[place]time.Time // when the others end, by user
}

// member reports whether a user has a membership that counts at the given time.
func (b *below) member(userID int64, now time.Time) bool {
	if b.lasting[userID] > 0 {
		return true
	}
	for _, end := range b.ending[userID] {
		if now.Before(end) {
			return true
		}
	}
	return false
}

// count adds a membership at a place below, or takes it out again (n = -1).
func (b *below) count(at place, m ledger.Member, n int) {
	if m.ExpiresAt.IsZero() {
		if b.lasting[m.UserID] += n; b.lasting[m.UserID] == 0 {
			delete(b.lasting, m.UserID)
		}
		return
	}
	if b.ending[m.UserID] == nil {
		b.ending[m.UserID] = map[place]time.Time{}
	}
	b.ending[m.UserID][at] = m.ExpiresAt
	if n < 0 {
		delete(b.ending[m.UserID], at)
	}
	if len(b.ending[m.UserID]) == 0 {
		delete(b.ending, m.UserID)
	}
}

// groupsAbove visits the groups that a group or project is in, inner ones first.
func (d *Directory) groupsAbove(at place) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for id := d.above(at); id != 0; id = d.above(place{packhouse.Group, id}) {
			if !yield(id) {
				return
			}
		}
	}
}

func (d *Directory) belowOf(group int64) *below {
	b := d.below[group]
	if b == nil {
		b = &below{shared: map[int64]int{}, lasting: map[int64]int{}, ending: map[int64]map[place]time.Time{}}
		d.below[group] = b
	}
	return b
}

// countMember adds a membership to the groups above its place.
func (d *Directory) countMember(at place, m ledger.Member, n int) {
	for group := range d.groupsAbove(at) {
		d.belowOf(group).count(at, m, n)
	}
}

// countProject adds a project, and the memberships in it, to the groups above.
func (d *Directory) countProject(p *ledger.Project, n int) {
	at := place{packhouse.Project, p.ID}
	if p.Registry == packhouse.RegistryPublic {
		for group := range d.groupsAbove(at) {
			d.belowOf(group).open += n
		}
	}
	for _, m := range d.members[at] {
		d.countMember(at, m, n)
	}
	for group := range d.shares[at] {
		d.countShare(at, group, n)
	}
	d.indexProject(p, n > 0)
}

// countShare adds a share at a place to the groups above it.
func (d *Directory) countShare(at place, invited int64, n int) {
	for group := range d.groupsAbove(at) {
		b := d.belowOf(group)
		if b.shared[invited] += n; b.shared[invited] == 0 {
			delete(b.shared, invited)
		}
	}
}

// indexProject puts a project into the ordered lists, or takes it out of them.
func (d *Directory) indexProject(p *ledger.Project, in bool) {
	change := func(list ids) ids {
		if in {
			return list.with(p.ID)
		}
		return list.without(p.ID)
	}
	d.all = change(d.all)
	switch p.Visibility {
	case packhouse.VisibilityPublic:
		d.open[0] = change(d.open[0])
	case packhouse.VisibilityInternal:
		d.open[1] = change(d.open[1])
	}
	for namespace := range d.groupsAbove(place{packhouse.Project, p.ID}) {
		d.inside[namespace] = change(d.inside[namespace])
	}
}

// recount counts everything again, after a group went elsewhere with all that is
// below it, or came after what is below it.
func (d *Directory) recount() {
	clear(d.below)
	clear(d.inside)
	d.all, d.open = nil, [2]ids{}
	for _, p := range d.projects {
		d.countProject(p, 1)
	}
	for at, members := range d.members {
		for _, m := range members {
			if at.level == packhouse.Group {
				d.countMember(at, m, 1)
			}
		}
	}
	for at, shares := range d.shares {
		for group := range shares {
			if at.level == packhouse.Group {
				d.countShare(at, group, 1)
			}
		}
	}
}

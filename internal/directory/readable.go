package directory

import (
	"slices"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/store"
)

// Container finds a group or personal namespace by its full path.
func (d *Directory) Container(path string) (packhouse.Target, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	t, ok := d.routes[store.Key(path)]
	return t, ok && t.Level == packhouse.Group
}

// ReadableProjects lists the projects at or below a target whose packages an
// actor may read, by id.
func (d *Directory) ReadableProjects(who packhouse.Actor, below packhouse.Target) []int64 {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var ids []int64
	for id, p := range d.projects {
		t := packhouse.Target{Level: packhouse.Project, ID: id, Path: p.Path}
		if below.Level != packhouse.Instance && !d.within(placeOf(t), placeOf(below)) {
			continue
		}
		if authz.Decide(who, authz.ReadPackages, d.object(who, t)).Outcome == authz.Allow {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

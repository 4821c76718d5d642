package directory

import (
	"strconv"
	"strings"

	"packhouse"
	"packhouse/internal/store"
)

// upstreamPrefix is what an id of a project begins with that is one of the
// GitLab beside this server: "upstream:20".
const upstreamPrefix = "upstream:"

// Resolve finds a group or project by its id in decimal digits or its full path
// in any case, a project also by the id that it has upstream ("upstream:20"). A
// path that it had once will do until something else has that path. A personal
// namespace is no group. ok is false when there is none; the target then carries
// the level alone.
func (d *Directory) Resolve(level packhouse.Level, ref string) (t packhouse.Target, ok bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	t = d.resolve(level, ref)
	if t.Level != level || level == packhouse.Group && d.namespaces[t.ID].UserID != 0 {
		return packhouse.Target{Level: level}, false
	}
	return t, true
}

// resolve returns the zero target when nothing has the reference.
func (d *Directory) resolve(level packhouse.Level, ref string) packhouse.Target {
	if allDigits(ref) {
		id, _ := strconv.ParseInt(ref, 10, 64) // what is out of range is nobody's id
		return d.target(place{level, id})
	}
	if number, ok := strings.CutPrefix(ref, upstreamPrefix); ok && level == packhouse.Project {
		id, _ := strconv.ParseInt(number, 10, 64)
		return d.target(place{level, d.upstream[id]})
	}
	key := store.Key(ref)
	if t, ok := d.routes[key]; ok {
		return t
	}
	return d.target(d.old[key])
}

// target returns the zero target when there is nothing at the place.
func (d *Directory) target(at place) packhouse.Target {
	if path := d.pathOf(at); path != "" {
		return packhouse.Target{Level: at.level, ID: at.id, Path: path}
	}
	return packhouse.Target{}
}

// mostBelow is how many segments a name may have after the path of its project
// (GitLab has two).
const mostBelow = 2

// Named finds the project whose full path a name begins with, in any case, and
// what follows it there. A project's path is no other's beginning, because what is
// a project is no group. A path that a project had once will do until something
// else has that path.
func (d *Directory) Named(name string) (t packhouse.Target, rest string, ok bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	path := name
	for range mostBelow + 1 {
		if !strings.Contains(path, "/") {
			break // every project is in something
		}
		key := store.Key(path)
		t, known := d.routes[key]
		if !known {
			t = d.target(d.old[key])
		}
		if t.Level == packhouse.Project {
			return t, strings.TrimPrefix(name[len(path):], "/"), true
		}
		path = path[:strings.LastIndexByte(path, '/')]
	}
	return packhouse.Target{Level: packhouse.Project}, "", false
}

// Moved reports whether a reference is a path that the group or project which it
// finds had once and has no more.
func (d *Directory) Moved(t packhouse.Target, ref string) bool {
	return strings.Contains(ref, "/") && store.Key(ref) != store.Key(t.Path)
}

// settle takes a path for what has it now.
func (d *Directory) settle(t packhouse.Target) {
	key := store.Key(t.Path)
	d.routes[key] = t
	delete(d.old, key)
}

// leave remembers a path as an earlier one.
func (d *Directory) leave(t packhouse.Target) {
	key := store.Key(t.Path)
	delete(d.routes, key)
	d.old[key] = placeOf(t)
}

// removeNamespace forgets a group or personal namespace, in which there is
// nothing any more.
func (d *Directory) removeNamespace(id int64) {
	n, at := d.namespaces[id], place{packhouse.Group, id}
	if n == nil {
		return
	}
	d.removePlace(at, n.Path)
	for other, shares := range d.shares {
		if _, invited := shares[id]; invited {
			d.removeShare(other, id)
		}
	}
	delete(d.namespaces, id)
	delete(d.below, id)
	delete(d.inside, id)
	d.subgroups[n.ParentID] = d.subgroups[n.ParentID].without(id)
}

func (d *Directory) removeProject(id int64) {
	p := d.projects[id]
	if p == nil {
		return
	}
	d.removePlace(place{packhouse.Project, id}, p.Path)
	d.countProject(p, -1)
	delete(d.upstream, p.UpstreamID)
	delete(d.admissions, id)
	delete(d.projects, id)
}

// removePlace forgets what is known about a group or project. Who belongs there
// goes first, while it is still known what it is in.
func (d *Directory) removePlace(at place, path string) {
	t := packhouse.Target{Level: at.level, ID: at.id}
	for user := range d.members[at] {
		d.removeMember(t, user)
	}
	for group := range d.shares[at] {
		d.removeShare(at, group)
	}
	delete(d.members, at)
	delete(d.shares, at)
	delete(d.settings, at)
	delete(d.routes, store.Key(path))
	for _, list := range d.admissions {
		delete(list, at)
	}
	for key, old := range d.old {
		if old == at {
			delete(d.old, key)
		}
	}
}

package directory

import (
	"sync"
	"time"

	"packhouse"
	"packhouse/internal/authz"
)

// Reader tells what an actor may read at or below a target: it is how group
// endpoints choose among projects.
type Reader struct {
	directory *Directory
	who       packhouse.Actor
	below     packhouse.Target
}

// Reader returns the reader of an actor at or below a target.
func (d *Directory) Reader(who packhouse.Actor, below packhouse.Target) *Reader {
	return &Reader{d, who, below}
}

// Among returns those of some projects that are at or below the target and whose
// packages the actor may read, in the order given.
func (r *Reader) Among(ids []int64) (readable []int64) {
	d, now := r.directory, r.directory.options.Now()
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, id := range ids {
		if d.projects[id] == nil || r.below.Level != packhouse.Instance && !d.within(place{packhouse.Project, id}, placeOf(r.below)) {
			continue
		}
		if d.readable(r.who, id, now) {
			readable = append(readable, id)
		}
	}
	return readable
}

func (d *Directory) readable(who packhouse.Actor, projectID int64, now time.Time) bool {
	return authz.Decide(who, authz.ReadPackages, d.object(who, d.targetOf(projectID), now)).Outcome == authz.Allow
}

// All returns all projects at or below the target whose packages the actor may
// read. To decide about each costs the more the more there are, so what was decided
// is remembered for as long as nothing changes in the directory, and no longer than
// the second in which it was, because memberships end with time.
func (r *Reader) All() packhouse.Projects {
	d, now := r.directory, r.directory.options.Now()
	d.mu.RLock()
	defer d.mu.RUnlock()
	as := occasion{d.changes, now.Unix()}
	if known, ok := d.reaches.get(r, as); ok {
		return known
	}
	candidates := d.all
	switch r.below.Level {
	case packhouse.Group:
		candidates = d.inside[r.below.ID]
	case packhouse.Project:
		candidates = []int64{r.below.ID}
	}
	var ids []int64
	for _, id := range candidates {
		if d.readable(r.who, id, now) {
			ids = append(ids, id)
		}
	}
	all := packhouse.ProjectsOf(ids)
	d.reaches.put(r, as, all)
	return all
}

// occasion is when something was decided: after how many changes, in which second.
type occasion struct {
	changes uint64
	second  int64
}

// reaches remembers what readers reach, on one occasion.
type reaches struct {
	mu   sync.Mutex
	as   occasion
	left int // of mostReached
	of   map[reachKey]packhouse.Projects
}

// mostReached bounds how many ids are remembered.
const mostReached = 1 << 20

// reachKey is a reader. Actors with a job are not remembered: each request makes a
// job anew.
type reachKey struct {
	who   packhouse.Actor
	below place
}

func (r *reaches) get(reader *Reader, as occasion) (packhouse.Projects, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.as != as {
		return packhouse.Projects{}, false
	}
	known, ok := r.of[reachKey{reader.who, placeOf(reader.below)}]
	return known, ok
}

func (r *reaches) put(reader *Reader, as occasion, all packhouse.Projects) {
	if reader.who.Job != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.as != as {
		r.as, r.left, r.of = as, mostReached, map[reachKey]packhouse.Projects{}
	}
	if r.left -= 1 + len(all.IDs); r.left > 0 {
		r.of[reachKey{reader.who, placeOf(reader.below)}] = all
	}
}

// SameRoot reports whether two targets are in the same top-level group, or belong
// to the same person.
func (d *Directory) SameRoot(a, b packhouse.Target) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.root(placeOf(a)) == d.root(placeOf(b))
}

func (d *Directory) root(at place) (top int64) {
	for group := range d.groupsAbove(at) {
		top = group
	}
	return top
}

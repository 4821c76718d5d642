// Package directory knows who and where: users, groups, projects, members,
// job-token allowlists and package settings.
//
// It holds all of them in memory, so that neither finding the target of a
// request nor deciding about it costs a query. It is loaded from the store at
// start and kept fresh by the ledger: every committed change is applied before
// the call that made it returns.
package directory

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// Options are the instance's switches. The zero value is GitLab's default,
// but that anonymous pulls are honoured only when AnyonePull says so.
type Options struct {
	GuestsPull       bool             // Guests and Planners may pull from private projects
	AnyonePull       bool             // projects may open their registry to everybody
	PackagesDisabled bool             // there is no package registry
	Sizes            map[string]int64 // largest file by format, in bytes; 0 or absent for any
	DeletionDelay    time.Duration    // from the mark for deletion to the removal
	Now              func() time.Time
}

// Directory answers from memory. Its methods may be called concurrently.
type Directory struct {
	options Options

	mu         sync.RWMutex
	position   int64
	changes    uint64 // entries that changed something here
	reaches    reaches
	users      map[int64]*ledger.User
	usernames  map[string]int64
	routes     map[string]packhouse.Target
	namespaces map[int64]*ledger.Namespace
	projects   map[int64]*ledger.Project
	personal   map[int64]int64                   // personal namespaces by user id
	members    map[place]map[int64]ledger.Member // by user id
	below      map[int64]*below                  // by group
	admissions map[int64]map[place]bool
	settings   map[place]ledger.Settings
	shares     map[place]map[int64]ledger.Share // by invited group
	places     map[int64]map[place]bool         // where a user is a member, by user id
	subgroups  map[int64]ids                    // directly in a group; at the top: 0
	open       [2]ids                           // projects that are public, or internal
	inside     map[int64]ids                    // projects in a namespace and all below it
	all        ids                              // projects
	publishers publishers
	protected  protections
	old        map[string]place // by paths that they had once
	upstream   map[int64]int64  // projects by their id in the GitLab beside us
	instance   atomic.Pointer[Instance]
}

// place is a target without its path.
type place struct {
	level packhouse.Level
	id    int64
}

func placeOf(t packhouse.Target) place { return place{t.Level, t.ID} }

// Open loads the directory from a store and subscribes to the store's ledger.
func Open(ctx context.Context, s *store.Store, opts Options) (*Directory, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	d := &Directory{
		options: opts,
		users:   map[int64]*ledger.User{}, usernames: map[string]int64{},
		routes: map[string]packhouse.Target{}, namespaces: map[int64]*ledger.Namespace{},
		projects: map[int64]*ledger.Project{}, members: map[place]map[int64]ledger.Member{},
		below: map[int64]*below{}, personal: map[int64]int64{},
		admissions: map[int64]map[place]bool{}, settings: map[place]ledger.Settings{},
		shares: map[place]map[int64]ledger.Share{}, places: map[int64]map[place]bool{},
		subgroups: map[int64]ids{}, inside: map[int64]ids{},
		publishers: newPublishers(), protected: newProtections(),
		old: map[string]place{}, upstream: map[int64]int64{},
	}
	d.instance.Store(opts.instance(ledger.Settings{}))
	// Entries that are committed while we load wait at the lock, and those that
	// the load has seen already are told apart by their number.
	d.mu.Lock()
	defer d.mu.Unlock()
	s.Subscribe(d.Apply)
	return d, s.View(ctx, func(tx *store.Tx) error { return d.load(ctx, tx) })
}

func (d *Directory) load(ctx context.Context, tx *store.Tx) (err error) {
	if d.position, err = tx.Position(ctx); err != nil {
		return err
	}
	if err := each(ctx, tx.Users, d.putUser); err != nil {
		return err
	}
	if err := each(ctx, tx.Namespaces, d.putNamespace); err != nil {
		return err
	}
	if err := each(ctx, tx.Projects, d.putProject); err != nil {
		return err
	}
	if err := each(ctx, tx.Members, d.putMember); err != nil {
		return err
	}
	if err := each(ctx, tx.Shares, d.putShare); err != nil {
		return err
	}
	if err := each(ctx, tx.Admissions, d.putAdmission); err != nil {
		return err
	}
	if err := each(ctx, tx.Publishers, d.publishers.put); err != nil {
		return err
	}
	if err := each(ctx, tx.Protections, d.protected.put); err != nil {
		return err
	}
	if err := each(ctx, tx.OldPaths, func(p store.OldPath) { d.old[p.Key] = placeOf(p.Target) }); err != nil {
		return err
	}
	return each(ctx, tx.Settings, d.putSettings)
}

func each[T any](ctx context.Context, read func(context.Context) ([]T, error), put func(T)) error {
	list, err := read(ctx)
	for _, v := range list {
		put(v)
	}
	return err
}

// Apply brings the directory up to date with committed entries.
func (d *Directory) Apply(entries []ledger.Entry) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, entry := range entries {
		if entry.Seq <= d.position {
			continue
		}
		d.position = entry.Seq
		d.changes++
		switch e := entry.Event.(type) {
		case *ledger.UserPut:
			d.putUser(e.User)
		case *ledger.NamespacePut:
			d.putNamespace(e.Namespace)
		case *ledger.ProjectPut:
			d.putProject(e.Project)
		case *ledger.MemberPut:
			d.putMember(e.Member)
		case *ledger.MemberRemove:
			d.removeMember(e.Target, e.UserID)
		case *ledger.SharePut:
			d.putShare(e.Share)
		case *ledger.ShareRemove:
			d.removeShare(placeOf(e.Target), e.GroupID)
		case *ledger.UserRemove:
			d.removeUser(e)
		case *ledger.NamespaceRemove:
			d.removeNamespace(e.NamespaceID)
		case *ledger.ProjectRemove:
			d.removeProject(e.ProjectID)
		case *ledger.AdmissionPut:
			d.putAdmission(e.Admission)
		case *ledger.AdmissionRemove:
			delete(d.admissions[e.Admission.ProjectID], placeOf(e.Admission.Admitted))
		case *ledger.SettingsPut:
			d.putSettings(e.Settings)
		case *ledger.PublisherPut:
			d.publishers.put(e.Publisher)
		case *ledger.PublisherRemove:
			d.publishers.remove(e.ID)
		case *ledger.ProtectionPut:
			d.protected.put(e.Protection)
		case *ledger.ProtectionRemove:
			d.protected.remove(e.ID)
		default:
			d.changes--
		}
	}
}

func (d *Directory) putUser(u ledger.User) {
	if old := d.users[u.ID]; old != nil {
		delete(d.usernames, store.Key(old.Username))
	}
	d.users[u.ID] = &u
	d.usernames[store.Key(u.Username)] = u.ID
}

func (d *Directory) putNamespace(n ledger.Namespace) {
	old := d.namespaces[n.ID]
	if old != nil {
		d.leave(packhouse.Target{Level: packhouse.Group, ID: n.ID, Path: old.Path})
		delete(d.personal, old.UserID)
	}
	if old == nil || old.ParentID != n.ParentID {
		if old != nil {
			d.subgroups[old.ParentID] = d.subgroups[old.ParentID].without(n.ID)
		}
		d.subgroups[n.ParentID] = d.subgroups[n.ParentID].with(n.ID)
	}
	d.namespaces[n.ID] = &n
	d.settle(packhouse.Target{Level: packhouse.Group, ID: n.ID, Path: n.Path})
	if n.UserID != 0 {
		d.personal[n.UserID] = n.ID
	}
	moved := old != nil && old.ParentID != n.ParentID
	late := old == nil && (d.below[n.ID] != nil || d.inside[n.ID] != nil || d.members[place{packhouse.Group, n.ID}] != nil)
	if moved || late {
		d.recount()
	}
}

func (d *Directory) putProject(p ledger.Project) {
	if old := d.projects[p.ID]; old != nil {
		d.leave(packhouse.Target{Level: packhouse.Project, ID: p.ID, Path: old.Path})
		delete(d.upstream, old.UpstreamID)
		d.countProject(old, -1)
	}
	d.projects[p.ID] = &p
	d.settle(packhouse.Target{Level: packhouse.Project, ID: p.ID, Path: p.Path})
	if p.UpstreamID != 0 {
		d.upstream[p.UpstreamID] = p.ID
	}
	d.countProject(&p, 1)
}

func (d *Directory) putMember(m ledger.Member) {
	d.removeMember(m.Target, m.UserID)
	at := placeOf(m.Target)
	if d.members[at] == nil {
		d.members[at] = map[int64]ledger.Member{}
	}
	d.members[at][m.UserID] = m
	if d.places[m.UserID] == nil {
		d.places[m.UserID] = map[place]bool{}
	}
	d.places[m.UserID][at] = true
	d.countMember(at, m, 1)
}

func (d *Directory) removeMember(t packhouse.Target, userID int64) {
	at := placeOf(t)
	if old, known := d.members[at][userID]; known {
		d.countMember(at, old, -1)
		delete(d.members[at], userID)
		delete(d.places[userID], at)
	}
}

func (d *Directory) removeUser(e *ledger.UserRemove) {
	for at := range d.places[e.UserID] {
		d.removeMember(packhouse.Target{Level: at.level, ID: at.id}, e.UserID)
	}
	delete(d.places, e.UserID)
	if u := d.users[e.UserID]; u != nil {
		delete(d.usernames, store.Key(u.Username))
	}
	delete(d.users, e.UserID)
	delete(d.personal, e.UserID)
	if e.NamespaceID != 0 {
		d.removeNamespace(e.NamespaceID)
	}
}

func (d *Directory) putShare(s ledger.Share) {
	at := placeOf(s.Target)
	d.removeShare(at, s.GroupID)
	if d.shares[at] == nil {
		d.shares[at] = map[int64]ledger.Share{}
	}
	d.shares[at][s.GroupID] = s
	d.countShare(at, s.GroupID, 1)
}

func (d *Directory) removeShare(at place, groupID int64) {
	if _, known := d.shares[at][groupID]; known {
		d.countShare(at, groupID, -1)
		delete(d.shares[at], groupID)
	}
}

func (d *Directory) putAdmission(a ledger.Admission) {
	if d.admissions[a.ProjectID] == nil {
		d.admissions[a.ProjectID] = map[place]bool{}
	}
	d.admissions[a.ProjectID][placeOf(a.Admitted)] = true
}

func (d *Directory) putSettings(s ledger.Settings) {
	d.settings[placeOf(s.Target)] = s
	if s.Target.Level == packhouse.Instance {
		d.instance.Store(d.options.instance(s))
	}
}

// above returns the id of the group that a group or project is directly in, or
// 0 at the top.
func (d *Directory) above(at place) int64 {
	switch at.level {
	case packhouse.Project:
		if p := d.projects[at.id]; p != nil {
			return p.NamespaceID
		}
	case packhouse.Group:
		if n := d.namespaces[at.id]; n != nil {
			return n.ParentID
		}
	}
	return 0
}

// User returns a user by id, or nil. Records that the directory returns are
// shared and must not be changed.
func (d *Directory) User(id int64) *ledger.User {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.users[id]
}

// UserByName returns a user by user name, or nil.
func (d *Directory) UserByName(name string) *ledger.User {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.users[d.usernames[store.Key(name)]]
}

// Namespace returns a group or personal namespace by id, or nil.
func (d *Directory) Namespace(id int64) *ledger.Namespace {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.namespaces[id]
}

// Personal returns the personal namespace of a user, or nil.
func (d *Directory) Personal(userID int64) *ledger.Namespace {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.namespaces[d.personal[userID]]
}

// Project returns a project by id, or nil.
func (d *Directory) Project(id int64) *ledger.Project {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.projects[id]
}

// PathOf returns the full path of a group or project, or "" when there is none.
func (d *Directory) PathOf(t packhouse.Target) string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.pathOf(placeOf(t))
}

func (d *Directory) pathOf(at place) string {
	switch at.level {
	case packhouse.Project:
		if p := d.projects[at.id]; p != nil {
			return p.Path
		}
	case packhouse.Group:
		if n := d.namespaces[at.id]; n != nil {
			return n.Path
		}
	}
	return ""
}

// Admissions lists whom a project's job-token allowlist admits, groups before
// projects, in the order of their ids.
func (d *Directory) Admissions(projectID int64) []packhouse.Target {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var list []packhouse.Target
	for at := range d.admissions[projectID] {
		list = append(list, packhouse.Target{Level: at.level, ID: at.id, Path: d.pathOf(at)})
	}
	slices.SortFunc(list, func(a, b packhouse.Target) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(a.ID, b.ID))
	})
	return list
}

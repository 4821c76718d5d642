package web

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"packhouse"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// Bounds of what stands on one page.
const (
	someRows = 30 // of a list that has a page of its own, or none
	pageRows = 20 // of a list in pages
)

// kindCount is how many versions of a format there are.
type kindCount struct {
	Kind string
	N    int
}

func countsOf(byKind map[string]int) (list []kindCount) {
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		list = append(list, kindCount{kind, byKind[kind]})
	}
	slices.SortStableFunc(list, func(a, b kindCount) int { return cmp.Compare(b.N, a.N) })
	return list
}

type placeRow struct{ Path, Link, Description, Visibility string }

func (q *request) projectRow(p *ledger.Project) placeRow {
	link := placeLink(q.Base().EscapedPath(), packhouse.Target{Level: packhouse.Project, Path: p.Path})
	return placeRow{p.Path, link, p.Description, p.Visibility.String()}
}

func (q *request) groupRow(n *ledger.Namespace) placeRow {
	link := placeLink(q.Base().EscapedPath(), packhouse.Target{Level: packhouse.Group, Path: n.Path})
	return placeRow{n.Path, link, n.Description, n.Visibility.String()}
}

// projects are the first that the reader sees.
func (p *Protocol) projects(q *request, f directory.ProjectFilter, keep func(*ledger.Project) bool) (list []placeRow) {
	for one := range p.Directory.Projects(q.Actor, f) {
		if keep(one) {
			list = append(list, q.projectRow(one))
		}
		if len(list) == someRows {
			break
		}
	}
	return list
}

func (p *Protocol) groups(q *request, f directory.GroupFilter) (list []placeRow) {
	for one := range p.Directory.Groups(q.Actor, f) {
		if list = append(list, q.groupRow(one)); len(list) == someRows {
			break
		}
	}
	return list
}

// home is where to begin.
func (p *Protocol) home(q *request) error {
	if !WantsPage(q.Request) {
		q.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = q.w.Write([]byte("Packhouse, a package registry. The API is at /api/v4.\n")) // a client that went away needs no answer
		return nil
	}
	var data struct {
		Groups, Projects []placeRow
		Recent           []packageRow
		Mine             bool
	}
	data.Mine = q.Actor.UserID != 0
	data.Groups = p.groups(q, directory.GroupFilter{Membership: data.Mine, TopLevel: !data.Mine})
	data.Projects = p.projects(q, directory.ProjectFilter{Membership: data.Mine, Down: true}, func(*ledger.Project) bool { return true })
	filter := store.VersionFilter{ProjectIDs: p.readable(q), Statuses: []packhouse.Status{packhouse.StatusDefault}}
	versions, err := p.versionsAfter(q, filter, store.KeysetPage{Limit: 10, Descending: true})
	if err != nil {
		return err
	}
	data.Recent = p.rows(q, versions)
	return p.show(q, "home", frame{Title: "Home", API: "/api/v4/projects", Data: data})
}

// readable are the projects at or below the target whose packages the reader may
// read.
func (p *Protocol) readable(q *request) []int64 {
	if q.Target.Level == packhouse.Project {
		return []int64{q.Target.ID} // as the gate has decided
	}
	t := q.Target
	if t.Level == 0 {
		t.Level = packhouse.Instance
	}
	return p.Directory.Reader(q.Actor, t).All().IDs
}

func (p *Protocol) counts(q *request, projectIDs []int64) (list []kindCount, err error) {
	err = p.Store.View(q.Context(), func(tx *store.Tx) error {
		byKind, err := tx.VersionCounts(q.Context(), projectIDs)
		list = countsOf(byKind)
		return err
	})
	return list, err
}

// group shows what is in a group.
func (p *Protocol) group(q *request) error {
	n := p.Directory.Namespace(q.Target.ID)
	var data struct {
		Place               placeRow
		Subgroups, Projects []placeRow
		Counts              []kindCount
		Packages            string
	}
	data.Place, data.Packages = q.groupRow(n), q.tabs("")[1].Link
	data.Subgroups = p.groups(q, directory.GroupFilter{Parent: n.ID})
	data.Projects = p.projects(q, directory.ProjectFilter{Below: q.Target}, func(one *ledger.Project) bool { return one.NamespaceID == n.ID })
	var err error
	if data.Counts, err = p.counts(q, p.readable(q)); err != nil {
		return err
	}
	return p.show(q, "group", frame{Title: n.Path, Crumbs: p.crumbs(q), Tabs: q.tabs("Overview"), API: "/api/v4/groups/" + itoa(n.ID), Data: data})
}

// project shows what a project has.
func (p *Protocol) project(q *request) error {
	one := p.Directory.Project(q.Target.ID)
	var data struct {
		Place    placeRow
		ID       int64
		Archived bool
		Readable bool
		Counts   []kindCount
		Packages string
		Recent   []packageRow
	}
	data.Place, data.ID, data.Archived, data.Packages = q.projectRow(one), one.ID, one.Archived, q.tabs("")[1].Link
	// To see a project is less than to read its packages.
	ids := p.Directory.Reader(q.Actor, q.Target).Among([]int64{one.ID})
	if data.Readable = len(ids) > 0; data.Readable {
		var err error
		if data.Counts, err = p.counts(q, ids); err != nil {
			return err
		}
		filter := store.VersionFilter{ProjectIDs: ids, Statuses: []packhouse.Status{packhouse.StatusDefault}}
		recent, err := p.versionsAfter(q, filter, store.KeysetPage{Limit: 10, Descending: true})
		if err != nil {
			return err
		}
		data.Recent = p.rows(q, recent)
	}
	return p.show(q, "project", frame{Title: one.Path, Crumbs: p.crumbs(q), Tabs: q.tabs("Overview"), API: "/api/v4/projects/" + itoa(one.ID), Data: data})
}

// crumbs are the groups down to the target, and the target.
func (p *Protocol) crumbs(q *request) (list []crumb) {
	prefix := q.Base().EscapedPath()
	parts := strings.Split(q.Target.Path, "/")
	for i := range parts {
		t := packhouse.Target{Level: packhouse.Group, Path: strings.Join(parts[:i+1], "/")}
		if i == len(parts)-1 {
			t.Level = q.Target.Level
		}
		list = append(list, crumb{parts[i], placeLink(prefix, t)})
	}
	return list
}

func (q *request) tabs(current string) []tab {
	at := placeLink(q.Base().EscapedPath(), q.Target)
	list := []tab{{Name: "Overview", Link: at}, {Name: "Packages", Link: at + "/-/packages"}}
	if q.Target.Level == packhouse.Project {
		list = append(list, tab{Name: "Images", Link: at + "/-/container_registry"})
	}
	for i := range list {
		list[i].Current = list[i].Name == current
	}
	return list
}

package api

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"packhouse"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

func (a *API) listProjects(q *request) (any, error) {
	return a.answerProjects(q, directory.ProjectFilter{}, func(*ledger.Project) bool { return true })
}

func (a *API) listGroupProjects(q *request) (any, error) {
	deep, err := q.params.flag("include_subgroups", false)
	if err != nil {
		return nil, err
	}
	return a.answerProjects(q, directory.ProjectFilter{Below: q.Target}, func(p *ledger.Project) bool {
		return deep || p.NamespaceID == q.Target.ID
	})
}

func (a *API) listUserProjects(q *request) (any, error) {
	u, err := a.namedInPath(q)
	if err != nil {
		return nil, err
	}
	below := packhouse.Target{Level: packhouse.Group, ID: -1} // a bot has no namespace, and no projects in it
	if own := a.Directory.Personal(u.ID); own != nil {
		below.ID = own.ID
	}
	return a.answerProjects(q, directory.ProjectFilter{Below: below}, func(*ledger.Project) bool { return true })
}

// answerProjects lists the projects that the caller sees, in the order of their
// ids without looking at more than the page needs, or in another order.
func (a *API) answerProjects(q *request, f directory.ProjectFilter, within func(*ledger.Project) bool) (any, error) {
	wanted, err := a.projectFilter(q, &f)
	if err != nil {
		return nil, err
	}
	page, perPage, err := q.window()
	if err != nil {
		return nil, err
	}
	keep := func(p *ledger.Project) bool { return within(p) && wanted(p) }
	shape := func(p *ledger.Project) any { return a.listedProject(q, p) }
	f.Down = q.params.text("sort") != "asc"
	by := projectOrders[q.params.text("order_by")]
	switch {
	case by != nil:
		list := a.projectsWanted(q, f, keep)
		sortBy(list, by, f.Down)
		return q.page(len(list), func(i int) any { return shape(list[i]) })
	case q.params.has("pagination"):
		return a.keysetProjects(q, f, perPage, keep, shape)
	}
	return a.offsetProjects(q, f, page, perPage, keep, shape)
}

// projectOrders are the orders other than that of the ids, which is that of the
// times of creation.
var projectOrders = map[string]func(x, y *ledger.Project) int{
	"name":       func(x, y *ledger.Project) int { return cmp.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name)) },
	"path":       func(x, y *ledger.Project) int { return cmp.Compare(x.Path, y.Path) },
	"similarity": func(x, y *ledger.Project) int { return cmp.Compare(len(y.Name), len(x.Name)) },
}

// sortBy sorts a list that is in the order of its ids.
func sortBy[T any](list []T, by func(x, y T) int, down bool) {
	slices.SortStableFunc(list, func(x, y T) int {
		if down {
			return by(y, x)
		}
		return by(x, y)
	})
}

// projectFilter reads the filters: into f what the directory looks for, and the
// rest as a function.
func (a *API) projectFilter(q *request, f *directory.ProjectFilter) (func(*ledger.Project) bool, error) {
	var err error
	if f.Membership, err = q.params.flag("membership", false); err != nil {
		return nil, err
	}
	if f.MinRole, err = a.leastRole(q); err != nil {
		return nil, err
	}
	f.Membership = f.Membership || f.MinRole > packhouse.NoAccess
	deep, err := q.params.flag("search_namespaces", false)
	if err != nil {
		return nil, err
	}
	archived, err := q.params.flag("archived", false)
	if err != nil {
		return nil, err
	}
	after, err := q.params.number("id_after", 0)
	if err != nil {
		return nil, err
	}
	before, err := q.params.number("id_before", 0)
	if err != nil {
		return nil, err
	}
	if f.After = after; q.params.text("sort") != "asc" {
		f.After = before
	}
	search, visibility, onlyArchived := strings.ToLower(q.params.text("search")), q.params.text("visibility"), q.params.has("archived")
	return func(p *ledger.Project) bool {
		text := strings.ToLower(p.Name + "\n" + lastPart(p.Path))
		if deep {
			text = strings.ToLower(p.Name + "\n" + p.Path)
		}
		return strings.Contains(text, search) && (visibility == "" || visibility == p.Visibility.String()) &&
			(!onlyArchived || archived == p.Archived) && p.ID > after && (before == 0 || p.ID < before)
	}, nil
}

// projectsWanted collects what a list holds.
func (a *API) projectsWanted(q *request, f directory.ProjectFilter, keep func(*ledger.Project) bool) (list []*ledger.Project) {
	f.Down = false
	f.After = 0
	for p := range a.Directory.Projects(q.Actor, f) {
		if keep(p) {
			list = append(list, p)
		}
	}
	return list
}

// firstProjects collects the first of those that the caller sees and keep takes.
func (a *API) firstProjects(q *request, f directory.ProjectFilter, most int, keep func(*ledger.Project) bool) (list []*ledger.Project) {
	for p := range a.Directory.Projects(q.Actor, f) {
		if keep(p) {
			list = append(list, p)
		}
		if len(list) == most {
			break
		}
	}
	return list
}

// keysetProjects answers with a page in the order of the ids. It looks at what
// it answers with, and at what the filters leave out in between.
func (a *API) keysetProjects(q *request, f directory.ProjectFilter, perPage int, keep func(*ledger.Project) bool, shape func(*ledger.Project) any) (any, error) {
	switch q.params.text("order_by") {
	case "", "id", "created_at":
	default:
		return nil, packhouse.Errorf(packhouse.NotAllowed, "Keyset pagination is not yet available for this type of request")
	}
	found := a.firstProjects(q, f, perPage+1, keep)
	more := len(found) > perPage
	found = found[:min(len(found), perPage)]
	q.keysetHeaders(perPage, more, func(v url.Values) {
		name := "id_after"
		if f.Down {
			name = "id_before"
		}
		v.Set(name, itoa(found[len(found)-1].ID))
	})
	return shaped(found, shape), nil
}

// offsetProjects answers with a page by its number, and counts the list up to
// what its clients are told.
func (a *API) offsetProjects(q *request, f directory.ProjectFilter, page, perPage int, keep func(*ledger.Project) bool, shape func(*ledger.Project) any) (any, error) {
	var found []*ledger.Project
	total := 0
	for p := range a.Directory.Projects(q.Actor, f) {
		if !keep(p) {
			continue
		}
		if total++; total > (page-1)*perPage && len(found) < perPage {
			found = append(found, p)
		}
		if total > maxTotal && total > page*perPage {
			break
		}
	}
	q.pageHeaders(page, perPage, total)
	return shaped(found, shape), nil
}

func shaped[T any](list []T, shape func(T) any) []any {
	out := []any{}
	for _, v := range list {
		out = append(out, shape(v))
	}
	return out
}

// listedProject is a project in a list.
func (a *API) listedProject(q *request, p *ledger.Project) any {
	if simple, err := q.params.flag("simple", false); err == nil && simple {
		return a.shortProject(q, p)
	}
	return a.project(q, p)
}

func (a *API) getProject(q *request) (any, error) {
	o := a.project(q, a.Directory.Project(q.Target.ID))
	shown, err := q.params.flag("statistics", false)
	if err != nil || !shown || a.Directory.Object(q.Actor, q.Target).Role < packhouse.Reporter && !q.Actor.Admin {
		return o, err // GitLab leaves them out for others
	}
	o["statistics"], err = a.statistics(q, q.Target.ID)
	return o, err
}

// statistics is how much a project stores, in GitLab's shape: here are packages and
// container images alone.
func (a *API) statistics(q *request, projectID int64) (any, error) {
	var used store.Usage
	err := a.Store.View(q.Context(), func(tx *store.Tx) (err error) {
		used, err = tx.ProjectUsage(q.Context(), projectID)
		return err
	})
	return object{
		"commit_count": 0, "storage_size": used.Bytes + used.ImageBytes, "repository_size": 0, "wiki_size": 0, "lfs_objects_size": 0,
		"job_artifacts_size": 0, "pipeline_artifacts_size": 0, "packages_size": used.Bytes, "snippets_size": 0, "uploads_size": 0,
		"container_registry_size": used.ImageBytes,
	}, err
}

// lastPart is the last part of a path.
func lastPart(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

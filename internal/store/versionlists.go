package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"packhouse"
)

// VersionFilter selects live versions of some projects. Empty fields select all.
type VersionFilter struct {
	ProjectIDs []int64 // none: nothing
	Format     string
	Name       string             // part of the name, without regard to case
	Number     string             // the whole version number
	Statuses   []packhouse.Status // none: those that lists show, default and error
}

// Page is a part of a list by offset.
type Page struct {
	Offset, Limit int
	Descending    bool
}

// listChunk is how many projects one query for versions asks about.
const listChunk = 100

// Versions lists live versions in the order of their creation, and counts how
// many there are on all pages. It takes a query for every hundred projects, of
// which each reads as far as the end of the page.
func (tx *Tx) Versions(ctx context.Context, f VersionFilter, page Page) (list []packhouse.Version, total int, err error) {
	args := f.args()
	if len(f.ProjectIDs) <= 1 {
		return tx.versionsIn(ctx, f.ProjectIDs, args, page)
	}
	first := Page{Limit: page.Offset + page.Limit, Descending: page.Descending}
	for chunk := range slices.Chunk(f.ProjectIDs, listChunk) {
		part, n, err := tx.versionsIn(ctx, chunk, args, first)
		if err != nil {
			return nil, 0, err
		}
		list, total = append(list, part...), total+n
	}
	slices.SortFunc(list, func(a, b packhouse.Version) int {
		if page.Descending {
			a, b = b, a
		}
		return cmp.Compare(a.ID, b.ID)
	})
	list = list[min(page.Offset, len(list)):]
	return list[:min(page.Limit, len(list))], total, nil
}

func (f *VersionFilter) args() []any {
	statuses := f.Statuses
	if len(statuses) == 0 {
		statuses = []packhouse.Status{packhouse.StatusDefault, packhouse.StatusError}
	}
	var status [3]string // there are no more
	for i := range status {
		status[i] = string(statuses[min(i, len(statuses)-1)])
	}
	return []any{status[0], status[1], status[2], f.Format, f.Number, "%" + escapeLike(Key(f.Name)) + "%"}
}

// versionList are the two texts that list and count versions in some projects.
type versionList struct{ count, up, down string }

var (
	ofOneProject   = newVersionList(1)
	ofSomeProjects = newVersionList(listChunk)
)

func newVersionList(projects int) versionList {
	where := fmt.Sprintf(`
		WHERE p.project_id IN (%s) AND v.until_seq IS NULL AND v.status IN ($1, $2, $3)
			AND ($4 = '' OR p.format = $4) AND ($5 = '' OR v.number = $5)
			AND LOWER(p.name) LIKE $6 ESCAPE '\'`, parameters(7, projects))
	rest := fmt.Sprintf(` LIMIT $%d OFFSET $%d`, 7+projects, 8+projects)
	return versionList{
		count: `SELECT COUNT(*) FROM versions v JOIN packages p ON p.id = v.package_id` + where,
		up:    selectVersion + where + ` ORDER BY v.id` + rest,
		down:  selectVersion + where + ` ORDER BY v.id DESC` + rest,
	}
}

func (tx *Tx) versionsIn(ctx context.Context, projects []int64, args []any, page Page) (list []packhouse.Version, total int, err error) {
	if len(projects) == 0 {
		return nil, 0, nil
	}
	texts, n := ofOneProject, 1
	if len(projects) > 1 {
		texts, n = ofSomeProjects, listChunk
	}
	args = slices.Clone(args)
	for i := range n {
		args = append(args, projects[min(i, len(projects)-1)])
	}
	if err := tx.row(ctx, texts.count, args, &total); err != nil {
		return nil, 0, err
	}
	q := texts.up
	if page.Descending {
		q = texts.down
	}
	list, err = collect(ctx, tx, readVersion, q, append(args, page.Limit, page.Offset)...)
	return list, total, err
}

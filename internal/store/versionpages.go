package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"packhouse"
)

// KeysetPage is a part of a list in the order of its ids, which nobody counts.
type KeysetPage struct {
	After      int64 // only what comes after this id in the list; 0 from its beginning
	Limit      int
	Descending bool
}

// VersionsAfter is Versions for a page that begins after an id.
func (tx *Tx) VersionsAfter(ctx context.Context, f VersionFilter, page KeysetPage) (list []packhouse.Version, err error) {
	for chunk := range slices.Chunk(f.ProjectIDs, listChunk) {
		part, err := tx.versionsAfter(ctx, chunk, f.args(), page)
		if err != nil {
			return nil, err
		}
		list = append(list, part...)
	}
	slices.SortFunc(list, func(a, b packhouse.Version) int {
		if page.Descending {
			a, b = b, a
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return list[:min(page.Limit, len(list))], nil
}

// keysetTexts list versions after an id, up and down.
type keysetTexts struct{ up, down string }

var (
	afterInOne  = newKeysetTexts(1)
	afterInSome = newKeysetTexts(listChunk)
)

func newKeysetTexts(projects int) keysetTexts {
	after, limit := 7+projects, 8+projects
	text := func(beyond, order string) string {
		return selectVersion + fmt.Sprintf(`
			WHERE p.project_id IN (%s) AND v.until_seq IS NULL AND v.status IN ($1, $2, $3)
				AND ($4 = '' OR p.format = $4) AND ($5 = '' OR v.number = $5) AND LOWER(p.name) LIKE $6 ESCAPE '\'
				AND (CAST($%d AS BIGINT) = 0 OR v.id %s $%[2]d) ORDER BY v.id %[4]s LIMIT $%[5]d`,
			parameters(7, projects), after, beyond, order, limit)
	}
	return keysetTexts{text(">", "ASC"), text("<", "DESC")}
}

func (tx *Tx) versionsAfter(ctx context.Context, projects []int64, args []any, page KeysetPage) ([]packhouse.Version, error) {
	texts, n := afterInOne, 1
	if len(projects) > 1 {
		texts, n = afterInSome, listChunk
	}
	for i := range n {
		args = append(args, projects[min(i, len(projects)-1)])
	}
	q := texts.up
	if page.Descending {
		q = texts.down
	}
	return collect(ctx, tx, readVersion, q, append(args, page.After, page.Limit)...)
}

// formatCount is how many versions of a format there are.
type formatCount struct {
	format string
	n      int
}

var countsInSome = fmt.Sprintf(`
	SELECT p.format, COUNT(*) FROM packages p JOIN versions v ON v.package_id = p.id
	WHERE p.project_id IN (%s) AND v.until_seq IS NULL AND v.status IN ('default', 'error') GROUP BY p.format`, parameters(1, listChunk))

// VersionCounts counts the versions that lists show, by format. It looks at each
// version of the projects, and takes a query for every hundred projects.
func (tx *Tx) VersionCounts(ctx context.Context, projectIDs []int64) (map[string]int, error) {
	counts := map[string]int{}
	for chunk := range slices.Chunk(projectIDs, listChunk) {
		args := make([]any, listChunk)
		for i := range args {
			args[i] = chunk[min(i, len(chunk)-1)]
		}
		part, err := collect(ctx, tx, readFormatCount, countsInSome, args...)
		if err != nil {
			return nil, err
		}
		for _, c := range part {
			counts[c.format] += c.n
		}
	}
	return counts, nil
}

// VersionOfFile is the version that a live file belongs to, whatever project has
// it. packhouse.NotFound: there is none.
func (tx *Tx) VersionOfFile(ctx context.Context, fileID int64) (id int64, err error) {
	there, err := found(tx.row(ctx, `SELECT version_id FROM files WHERE id = $1 AND until_seq IS NULL`, []any{fileID}, &id))
	return id, orMissing(there, err, "404 File Not Found")
}

func readFormatCount(row scanner) (c formatCount, err error) {
	err = row.Scan(&c.format, &c.n)
	return c, err
}

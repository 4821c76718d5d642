package store

import (
	"context"
	"iter"

	"packhouse"
)

// SymbolRoot begins the paths of files that Symbols finds.
const SymbolRoot = "symbolfiles/"

// Symbol names a file that was found by its path, and the project that it is in.
type Symbol struct {
	ProjectID int64
	Status    packhouse.Status // of its version
	Ref       packhouse.FileRef
}

// Symbols visits the live files of a format that have a path, whatever package they
// are of, newest first. The path begins with SymbolRoot; no other is found. It costs
// as much as it visits.
func (tx *Tx) Symbols(ctx context.Context, format, path string) iter.Seq2[Symbol, error] {
	const q = `
		SELECT p.project_id, v.status, p.key, v.key
		FROM files f
		JOIN versions v ON v.id = f.version_id AND v.until_seq IS NULL
		JOIN packages p ON p.id = v.package_id AND p.format = $1
		WHERE f.path = $2 AND f.until_seq IS NULL AND substr(f.path, 1, 12) = 'symbolfiles/'
		ORDER BY f.id DESC`
	return func(yield func(Symbol, error) bool) {
		more := true
		err := tx.query(ctx, q, []any{format, path}, func(row scanner) (bool, error) {
			s := Symbol{Ref: packhouse.FileRef{Format: format, Path: path}}
			err := row.Scan(&s.ProjectID, &s.Status, &s.Ref.Package, &s.Ref.Version)
			if err == nil {
				more = yield(s, nil)
			}
			return more, err
		})
		if err != nil && more {
			yield(Symbol{}, err)
		}
	}
}

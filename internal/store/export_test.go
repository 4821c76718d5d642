package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Shape is how a test wants its SQLite otherwise than it is.
type Shape struct {
	Pragma     string // "max_page_count(100)"; "" for none
	Checkpoint int    // pages written between checkpoints; 0 for as many as usual
}

// OpenShaped opens a SQLite of a shape.
func OpenShaped(ctx context.Context, path string, shape Shape, opts Options) (*Store, error) {
	d := sqliteDialect
	d.connect = func(path string) (*sql.DB, error) {
		source := sqliteSource(path)
		if shape.Pragma != "" {
			source += "&_pragma=" + shape.Pragma
		}
		return sql.Open("sqlite", source)
	}
	if shape.Checkpoint != 0 {
		d.newTidy = func() func(context.Context, *session) error {
			return (&wal{every: shape.Checkpoint, long: 4 * shape.Checkpoint}).keepShort
		}
	}
	return open(ctx, d, path, opts)
}

// dumped are the tables that follow from the ledger, each with the columns that
// order it.
var dumped = map[string]string{
	"heads": "one", "entries": "seq", "users": "id", "routes": "key", "namespaces": "id", "projects": "id",
	"members": "level, target_id, user_id", "tokens": "id", "admissions": "project_id, level, admitted_id",
	"settings": "level, target_id", "packages": "id", "versions": "id, from_seq", "files": "id",
	"tags": "package_id, name, from_seq", "publishers": "id", "protections": "id", "identities": "provider, subject",
	"shares": "level, target_id, group_id", "usage": "project_id", "old_paths": "key", "upstream_projects": "upstream_id",
	"repositories": "id", "parts": "id", "part_children": "parent_id, child_id", "image_tags": "repository_id, name, from_seq",
	"image_links": "project_id, sha256",
	"trash":       "id", "cleanup_runs": "id", "file_lives": "file_id, from_seq",
}

// Dump reads all tables that follow from the ledger, a line for each row, in
// the order of their keys.
func (s *Store) Dump(ctx context.Context) (map[string][]string, error) {
	tables := map[string][]string{}
	err := s.View(ctx, func(tx *Tx) (err error) {
		for table, order := range dumped {
			columns := "*"
			if table == "parts" { // since when one is idle is a hint to the collector, which has moved it on
				columns = "id, from_seq, until_seq, until_at, purged_seq, repository_id, manifest, sha256, sha512, digest, size, media_type, subject, artifact_type, annotations, creator_id, pipeline, created_at"
			}
			if tables[table], err = tx.lines(ctx, `SELECT `+columns+` FROM `+table+` ORDER BY `+order); err != nil {
				return err
			}
		}
		return nil
	})
	return tables, err
}

// AsOf reads the rows of versions, files and tags that were true at a position
// of the ledger, as they looked then.
func (s *Store) AsOf(ctx context.Context, seq int64) (map[string][]string, error) {
	const then = ` WHERE from_seq <= $1 AND (until_seq IS NULL OR until_seq > $1) ORDER BY `
	tables := map[string][]string{}
	err := s.View(ctx, func(tx *Tx) (err error) {
		for table, columns := range map[string]string{
			"versions":   "id, from_seq, package_id, number, key, status, metadata, creator_id, pipeline, created_at",
			"files":      "id, from_seq, version_id, path, copy, size, sha256, md5, sha1, sha512, pipeline, created_at",
			"tags":       "package_id, name, from_seq, version_id",
			"image_tags": "repository_id, name, from_seq, part_id, pushed_at",
		} {
			from := table
			if table == "files" { // a file that was brought back has had other rows before
				from = filesEver
			}
			if tables[table], err = tx.lines(ctx, `SELECT `+columns+` FROM `+from+then+dumped[table], seq); err != nil {
				return err
			}
		}
		return nil
	})
	return tables, err
}

const filesEver = `(
	SELECT id, from_seq, until_seq, version_id, path, copy, size, sha256, md5, sha1, sha512, pipeline, created_at FROM files
	UNION ALL
	SELECT f.id, l.from_seq, l.until_seq, f.version_id, f.path, f.copy, f.size, f.sha256, f.md5, f.sha1, f.sha512, f.pipeline, f.created_at
	FROM file_lives l JOIN files f ON f.id = l.file_id) AS ever`

// Downloads reads how often a file was downloaded.
func (tx *Tx) Downloads(ctx context.Context, file int64) (count int64, err error) {
	err = tx.row(ctx, `SELECT COALESCE(SUM(count), 0) FROM downloads WHERE file_id = $1`, []any{file}, &count)
	return count, err
}

func (tx *Tx) lines(ctx context.Context, q string, args ...any) (lines []string, err error) {
	rows, err := tx.session.query(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		values, dest := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			dest[i] = &values[i]
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		var line strings.Builder
		for i, v := range values {
			fmt.Fprintf(&line, "%s=%v ", columns[i], readable(v))
		}
		lines = append(lines, line.String())
	}
	return lines, rows.Err()
}

func readable(v any) any {
	if b, ok := v.([]byte); ok {
		return fmt.Sprintf("%x", b)
	}
	return v
}

// Queued is how many updates wait for their turn.
func (s *Store) Queued() int { return len(s.queue) }

package store

import (
	"context"
	"fmt"
	"strings"

	"packhouse"
)

// Listed is a live version with its live files, oldest first.
type Listed struct {
	Version packhouse.Version
	Files   []packhouse.File
}

// Package finds a package by its key. packhouse.NotFound: there never was one.
func (tx *Tx) Package(ctx context.Context, projectID int64, format, key string) (*packhouse.Package, error) {
	p := &packhouse.Package{ProjectID: projectID, Format: format, Key: key}
	const q = `SELECT id, name FROM packages WHERE format = $1 AND key = $2 AND project_id = $3`
	known, err := found(tx.row(ctx, q, []any{format, key, projectID}, &p.ID, &p.Name))
	if err == nil && !known {
		err = packhouse.Errorf(packhouse.NotFound, missingVersion)
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Listing visits the live versions of a package, of any status, oldest first.
func (tx *Tx) Listing(ctx context.Context, packageID int64, visit func(*Listed) error) error {
	const files = selectFile + `
		FROM versions v JOIN files f ON f.version_id = v.id AND f.until_seq IS NULL
		WHERE v.package_id = $1 AND v.until_seq IS NULL ORDER BY f.id`
	all, err := collect(ctx, tx, readFile, files, packageID)
	if err != nil {
		return err
	}
	byVersion := map[int64][]packhouse.File{}
	for _, f := range all {
		byVersion[f.VersionID] = append(byVersion[f.VersionID], f)
	}
	const versions = selectVersion + ` WHERE v.package_id = $1 AND v.until_seq IS NULL ORDER BY v.id`
	return tx.query(ctx, versions, []any{packageID}, func(row scanner) (bool, error) {
		v, err := readVersion(row)
		if err == nil {
			err = visit(&Listed{v, byVersion[v.ID]})
		}
		return err == nil, err
	})
}

// ListedVersion reads a version of a package with its files.
// packhouse.NotFound: it is not live (any more).
func (tx *Tx) ListedVersion(ctx context.Context, packageID, versionID int64) (*Listed, error) {
	v, err := oneVersion(ctx, tx, selectVersion+` WHERE v.id = $1 AND v.until_seq IS NULL AND p.id = $2`, versionID, packageID)
	if err != nil {
		return nil, err
	}
	const q = selectFile + ` FROM files f WHERE f.version_id = $1 AND f.until_seq IS NULL ORDER BY f.id`
	files, err := collect(ctx, tx, readFile, q, versionID)
	return &Listed{*v, files}, err
}

// VersionByKey finds a live version of a package by its key.
// packhouse.NotFound: there is none.
func (tx *Tx) VersionByKey(ctx context.Context, packageID int64, key string) (*packhouse.Version, error) {
	return oneVersion(ctx, tx, selectVersion+` WHERE v.package_id = $1 AND v.key = $2 AND v.until_seq IS NULL`, packageID, key)
}

// VersionIDs lists the live versions of a package.
func (tx *Tx) VersionIDs(ctx context.Context, packageID int64) ([]int64, error) {
	return collect(ctx, tx, readID, `SELECT id FROM versions WHERE package_id = $1 AND until_seq IS NULL ORDER BY id`, packageID)
}

// Tags lists the tags of a package in the order of their names.
func (tx *Tx) Tags(ctx context.Context, packageID int64) ([]packhouse.Tag, error) {
	const q = `SELECT name, version_id, COALESCE(put_seq, from_seq) FROM tags WHERE package_id = $1 AND until_seq IS NULL ORDER BY name`
	return collect(ctx, tx, func(row scanner) (t packhouse.Tag, err error) {
		return t, row.Scan(&t.Name, &t.VersionID, &t.Seq)
	}, q, packageID)
}

// Homes lists the projects that have, or had, a package of that key, in the
// order of their ids.
func (tx *Tx) Homes(ctx context.Context, format, key string) ([]int64, error) {
	return collect(ctx, tx, readID, `SELECT project_id FROM packages WHERE format = $1 AND key = $2 ORDER BY project_id`, format, key)
}

func readID(row scanner) (id int64, err error) { return id, row.Scan(&id) }

// namesChunk is how many projects one query for names asks about.
const namesChunk = 100

// Names visits the packages of one format in some projects that have something
// to download and are not hidden, in the order of the projects given and of
// their keys. It costs what it visits, and a query for every hundred projects.
func (tx *Tx) Names(ctx context.Context, format string, projectIDs []int64, visit func(packhouse.Package) error) error {
	for len(projectIDs) > 0 {
		chunk := projectIDs[:min(namesChunk, len(projectIDs))]
		projectIDs = projectIDs[len(chunk):]
		args := []any{format}
		for i := range namesChunk {
			args = append(args, chunk[min(i, len(chunk)-1)]) // there is one text for all
		}
		err := tx.query(ctx, selectNames, args, func(row scanner) (bool, error) {
			p := packhouse.Package{Format: format}
			err := row.Scan(&p.ID, &p.ProjectID, &p.Name, &p.Key)
			if err == nil {
				err = visit(p)
			}
			return err == nil, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

var selectNames = fmt.Sprintf(`
	SELECT p.id, p.project_id, p.name, p.key FROM packages p
	WHERE p.format = $1 AND p.project_id IN (%s) AND EXISTS (
		SELECT 1 FROM versions v WHERE v.package_id = p.id AND v.until_seq IS NULL AND v.status = 'default')
	ORDER BY p.project_id, p.key`, parameters(2, namesChunk))

// parameters writes n parameters from number first on: "$2, $3".
func parameters(first, n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("$%d", first+i)
	}
	return strings.Join(names, ", ")
}

package store

import (
	"context"
	"database/sql"
	"iter"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
)

const missingFile = "404 File Not Found"

func (tx *Tx) applyFileDelete(ctx context.Context, entry ledger.Entry, e *ledger.FileDelete) error {
	item := newTrash(entry, e.Deletion)
	err := tx.change(ctx, missingFile,
		`UPDATE files SET until_seq = $3, until_at = $4, trash_id = $5 WHERE id = $1 AND version_id = $2 AND until_seq IS NULL`,
		e.FileID, e.VersionID, entry.Seq, entry.At.UnixMicro(), item.id)
	if err != nil {
		return err
	}
	item.kind, item.projectID, item.versionID, item.held.Files = TrashFile, e.ProjectID, e.VersionID, 1
	if err := tx.row(ctx, `SELECT size, path FROM files WHERE id = $1`, []any{e.FileID}, &item.held.Bytes, &item.path); err != nil {
		return err
	}
	if err := tx.discard(ctx, item); err != nil {
		return err
	}
	return tx.use(ctx, e.ProjectID, Usage{Bytes: -item.held.Bytes, Files: -1})
}

func (tx *Tx) applyPurge(ctx context.Context, entry ledger.Entry, e *ledger.Purge) error {
	for _, id := range e.FileIDs {
		err := tx.change(ctx, missingFile,
			`UPDATE files SET purged_seq = $2 WHERE id = $1 AND until_seq IS NOT NULL AND purged_seq IS NULL`, id, entry.Seq)
		if err != nil {
			return err
		}
	}
	const end = `UPDATE trash SET ended_seq = $1 WHERE ended_seq IS NULL AND deleted_at < $2`
	_, err := tx.exec(ctx, end, entry.Seq, e.Before.UnixMicro())
	return err
}

const selectFile = `
	SELECT f.id, f.version_id, f.path, f.copy, f.size, f.sha256, f.md5, f.sha1, f.sha512, f.metadata, f.pipeline, f.created_at`

// fileRow collects what selectFile gives.
type fileRow struct {
	file             packhouse.File
	digest, pipeline []byte
	created          int64
}

func (r *fileRow) dest() []any {
	f := &r.file
	return []any{&f.ID, &f.VersionID, &f.Path, &f.Copy, &f.Size, &r.digest, &f.MD5, &f.SHA1, &f.SHA512, &f.Metadata, &r.pipeline, &r.created}
}

func (r *fileRow) finish() (_ packhouse.File, err error) {
	copy(r.file.SHA256[:], r.digest)
	r.file.CreatedAt = fromMicros(r.created)
	r.file.Pipeline, err = readPipeline(r.pipeline)
	return r.file, err
}

func readFile(row scanner) (packhouse.File, error) {
	var r fileRow
	if err := row.Scan(r.dest()...); err != nil {
		return packhouse.File{}, err
	}
	return r.finish()
}

// Files lists the live files of a version, oldest first, by offset.
func (tx *Tx) Files(ctx context.Context, versionID int64, page Page) (list []packhouse.File, total int, err error) {
	const count = `SELECT COUNT(*) FROM files WHERE version_id = $1 AND until_seq IS NULL`
	if err := tx.row(ctx, count, []any{versionID}, &total); err != nil {
		return nil, 0, err
	}
	const q = selectFile + ` FROM files f WHERE f.version_id = $1 AND f.until_seq IS NULL ORDER BY f.id LIMIT $2 OFFSET $3`
	list, err = collect(ctx, tx, readFile, q, versionID, page.Limit, page.Offset)
	return list, total, err
}

// File finds a live file of a version by its id. packhouse.NotFound: there is
// none.
func (tx *Tx) File(ctx context.Context, versionID, id int64) (*packhouse.File, error) {
	const q = selectFile + ` FROM files f WHERE f.id = $1 AND f.version_id = $2 AND f.until_seq IS NULL`
	list, err := collect(ctx, tx, readFile, q, id, versionID)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, packhouse.Errorf(packhouse.NotFound, missingFile)
	}
	return &list[0], nil
}

// Located is a file with the version it belongs to and the place of its bytes.
type Located struct {
	Version packhouse.Version
	File    packhouse.File
	Blob    Blob
}

// Locate visits the live files that a reference names, newest first, in the
// given project or, when projectID is 0, in all projects. In a project it costs
// as much as it visits, however much is stored. Across projects it leaves out
// bytes that are kept in the database (Blob is zero; BlobOf finds them), because
// all that is named has to be sorted.
func (tx *Tx) Locate(ctx context.Context, projectID int64, ref packhouse.FileRef) iter.Seq2[Located, error] {
	const (
		columns = selectFile + `,
			p.id, p.project_id, p.name, v.number, v.status, v.creator_id, v.created_at, b.key`
		from = `
			FROM packages p
			JOIN versions v ON v.package_id = p.id AND v.key = $3 AND v.until_seq IS NULL
			JOIN files f ON f.version_id = v.id AND f.path = $4 AND f.until_seq IS NULL
			JOIN blobs b ON b.sha256 = f.sha256
			WHERE p.format = $1 AND p.key = $2`
	)
	q, args := columns+`, NULL`+from+` ORDER BY f.id DESC`, []any{ref.Format, ref.Package, ref.Version, ref.Path}
	if projectID != 0 {
		// A new copy has a higher number than those that are live, so this is
		// the order of their ids as well; and an index has it.
		q, args = columns+`, b.data`+from+` AND p.project_id = $5 ORDER BY f.copy DESC`, append(args, projectID)
	}
	return func(yield func(Located, error) bool) {
		more := true
		err := tx.query(ctx, q, args, func(row scanner) (bool, error) {
			l, err := readLocated(row, ref)
			if err == nil {
				more = yield(l, nil)
			}
			return more, err
		})
		if err != nil {
			yield(Located{}, err)
		}
	}
}

func readLocated(row scanner, ref packhouse.FileRef) (l Located, err error) {
	var (
		r       fileRow
		created int64
		key     sql.NullString
	)
	v := &l.Version
	err = row.Scan(append(r.dest(), &v.Package.ID, &v.Package.ProjectID, &v.Package.Name, &v.Number, &v.Status,
		&v.CreatorID, &created, &key, &l.Blob.Data)...)
	if err != nil {
		return l, err
	}
	l.Blob.Key = key.String
	l.File, err = r.finish()
	v.ID, v.Key, v.CreatedAt = l.File.VersionID, ref.Version, fromMicros(created)
	v.Package.Format, v.Package.Key = ref.Format, ref.Package
	return l, err
}

// addedFile gives the file that an event adds.
func addedFile(f ledger.FileAdded, e *ledger.Publish, at time.Time) packhouse.File {
	return packhouse.File{
		ID: f.ID, VersionID: e.VersionID, Path: f.Path, Copy: f.Copy, Size: f.Size,
		SHA256: f.SHA256, MD5: f.MD5, SHA1: f.SHA1, SHA512: f.SHA512, Metadata: f.Metadata, CreatedAt: at, Pipeline: e.Pipeline,
	}
}

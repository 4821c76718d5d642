package store

import (
	"context"
	"database/sql"

	"packhouse"
	"packhouse/internal/ledger"
)

// Publication is what somebody wants to publish: files of one version. Its
// bytes are stored already.
type Publication struct {
	ProjectID   int64
	Format      string
	PackageName string
	PackageKey  string
	Version     string
	VersionKey  string
	Status      packhouse.Status // "": StatusDefault for a new version, unchanged for another
	Metadata    []byte           // JSON, of a new version; may be nil
	CreatorID   int64
	Pipeline    *packhouse.Pipeline
	Files       []NewFile
}

// NewFile is one file of a Publication.
type NewFile struct {
	Path              string
	Size              int64
	SHA256            packhouse.Digest
	MD5, SHA1, SHA512 string // hex, or ""
	Blob              Blob
}

// Blob says where bytes are: under a key of the blob store or, when Key is
// empty, right here.
type Blob struct {
	Key  string
	Data []byte
}

// Site names the version that is published to.
func (p *Publication) Site() ledger.Site {
	return ledger.Site{ProjectID: p.ProjectID, Format: p.Format, PackageKey: p.PackageKey, VersionKey: p.VersionKey}
}

// Published is what a Publication became.
type Published struct {
	Version packhouse.Version
	Files   []packhouse.File
	Spare   []string // keys given with the publication whose bytes were stored already; to be deleted
}

// Existing is what a file of a Publication meets.
type Existing struct {
	Path   string
	Copies int // live files of the same path in the same version
}

// Publish makes the files of p part of their version, and the version and the
// package where they are new. Before it writes, it asks judge about every file
// that would be a duplicate; an error of judge refuses the whole.
func (tx *Tx) Publish(ctx context.Context, by ledger.By, p *Publication, judge func(Existing) error) (*Published, error) {
	event := &ledger.Publish{Site: p.Site(), CreatorID: p.CreatorID, Pipeline: p.Pipeline}
	if err := tx.resolvePackage(ctx, p, event); err != nil {
		return nil, err
	}
	status, err := tx.resolveVersion(ctx, p, event)
	if err != nil {
		return nil, err
	}
	if err := tx.resolveFiles(ctx, p, event, judge); err != nil {
		return nil, err
	}
	if _, err := tx.Append(ctx, by, event); err != nil {
		return nil, err
	}
	if p.Status != "" && p.Status != status {
		change := &ledger.StatusChange{Site: event.Site, VersionID: event.VersionID, Status: p.Status}
		if _, err := tx.Append(ctx, by, change); err != nil {
			return nil, err
		}
		status = p.Status
	}
	out := &Published{Version: packhouse.Version{
		ID: event.VersionID, Number: p.Version, Key: p.VersionKey, Status: status, CreatedAt: tx.now, CreatorID: p.CreatorID,
		Package: packhouse.Package{ID: event.PackageID, ProjectID: p.ProjectID, Format: p.Format, Name: p.PackageName, Key: p.PackageKey},
	}}
	for i, f := range event.Files {
		out.Files = append(out.Files, addedFile(f, event, tx.now))
		if spare, err := tx.keep(ctx, &p.Files[i]); err != nil {
			return nil, err
		} else if spare {
			out.Spare = append(out.Spare, p.Files[i].Blob.Key)
		}
	}
	return out, nil
}

// resolvePackage finds the package or gives it an id.
func (tx *Tx) resolvePackage(ctx context.Context, p *Publication, event *ledger.Publish) error {
	known, err := found(tx.row(ctx,
		`SELECT id FROM packages WHERE format = $1 AND key = $2 AND project_id = $3`,
		[]any{p.Format, p.PackageKey, p.ProjectID}, &event.PackageID))
	if err == nil && !known {
		event.PackageID, event.PackageName = next(&tx.heads.pkg), p.PackageName
	}
	return err
}

// resolveVersion finds the live version or gives it an id, and returns the
// status that it has after the publish event.
func (tx *Tx) resolveVersion(ctx context.Context, p *Publication, event *ledger.Publish) (packhouse.Status, error) {
	var status packhouse.Status
	if event.PackageName == "" {
		known, err := found(tx.row(ctx,
			`SELECT id, status FROM versions WHERE package_id = $1 AND key = $2 AND until_seq IS NULL`,
			[]any{event.PackageID, p.VersionKey}, &event.VersionID, &status))
		if known || err != nil {
			return status, err
		}
	}
	event.VersionID, event.Version, event.Metadata = next(&tx.heads.version), p.Version, p.Metadata
	event.Status = packhouse.StatusDefault
	if p.Status != "" {
		event.Status = p.Status
	}
	return event.Status, nil
}

// resolveFiles gives each file an id and its place among the copies of its path.
func (tx *Tx) resolveFiles(ctx context.Context, p *Publication, event *ledger.Publish, judge func(Existing) error) error {
	for _, f := range p.Files {
		added := ledger.FileAdded{
			ID: next(&tx.heads.file), Path: f.Path, Size: f.Size,
			SHA256: f.SHA256, MD5: f.MD5, SHA1: f.SHA1, SHA512: f.SHA512,
		}
		if event.Version == "" { // a new version has no files yet
			var copies int
			const q = `
				SELECT COUNT(*), COALESCE(MAX(copy) + 1, 0) FROM files
				WHERE version_id = $1 AND path = $2 AND until_seq IS NULL`
			if err := tx.row(ctx, q, []any{event.VersionID, f.Path}, &copies, &added.Copy); err != nil {
				return err
			}
			if copies > 0 {
				if err := judge(Existing{Path: f.Path, Copies: copies}); err != nil {
					return err
				}
			}
		}
		event.Files = append(event.Files, added)
	}
	return nil
}

func (tx *Tx) applyPublish(ctx context.Context, entry ledger.Entry, e *ledger.Publish) error {
	if e.PackageName != "" {
		err := tx.insert(ctx, "package already exists",
			`INSERT INTO packages (id, project_id, format, name, key) VALUES ($1, $2, $3, $4, $5)`,
			e.PackageID, e.ProjectID, e.Format, e.PackageName, e.PackageKey)
		if err != nil {
			return err
		}
	}
	pipeline, err := jsonOf(e.Pipeline)
	if err != nil {
		return err
	}
	if e.Version != "" {
		const q = `
			INSERT INTO versions (id, from_seq, package_id, number, key, status, metadata, creator_id, pipeline, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
		metadata := sql.NullString{String: string(e.Metadata), Valid: len(e.Metadata) > 0}
		err := tx.insert(ctx, "version already exists", q, e.VersionID, entry.Seq, e.PackageID, e.Version, e.VersionKey,
			string(e.Status), metadata, e.CreatorID, pipeline, entry.At.UnixMicro())
		if err != nil {
			return err
		}
	}
	for _, f := range e.Files {
		const q = `
			INSERT INTO files (id, from_seq, version_id, path, copy, size, sha256, md5, sha1, sha512, pipeline, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`
		err := tx.insert(ctx, "file already exists", q, f.ID, entry.Seq, e.VersionID, f.Path, f.Copy, f.Size,
			f.SHA256[:], f.MD5, f.SHA1, f.SHA512, pipeline, entry.At.UnixMicro())
		if err != nil {
			return err
		}
	}
	return nil
}

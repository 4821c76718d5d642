package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

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
	Tags        []string // names to point at the version
	// Admit is asked, before anything is written, about the version as it is:
	// its live files, none when it is new. What it returns refuses the whole.
	// It may be nil.
	Admit func(live bool, files []packhouse.File) error
	// Moves is asked about a name of Tags that points at another version: whether
	// it is to move. It may be nil, which moves all.
	Moves func(tag string, from *packhouse.Version) bool
}

// NewFile is one file of a Publication.
type NewFile struct {
	Path              string
	Size              int64
	SHA256            packhouse.Digest
	MD5, SHA1, SHA512 string // hex, or ""
	Metadata          []byte // JSON; may be nil
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
	Version packhouse.Version // as it stands now
	Files   []packhouse.File  // those of the Publication, in its order
	Spare   []string          // keys given with the publication whose bytes were stored already; to be deleted
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
	version, err := tx.resolve(ctx, p, event)
	if err != nil {
		return nil, err
	}
	if err := tx.admit(ctx, p, event); err != nil {
		return nil, err
	}
	if err := tx.resolveFiles(ctx, p, event, judge); err != nil {
		return nil, err
	}
	if _, err := tx.Append(ctx, by, event); err != nil {
		return nil, err
	}
	if p.Status != "" && p.Status != version.Status {
		change := &ledger.StatusChange{Site: event.Site, VersionID: event.VersionID, Status: p.Status}
		if _, err := tx.Append(ctx, by, change); err != nil {
			return nil, err
		}
		version.Status = p.Status
	}
	for _, name := range p.Tags {
		if stays, err := tx.tagStays(ctx, p, event.PackageID, name); err != nil {
			return nil, err
		} else if stays {
			continue
		}
		tag := &ledger.TagPut{Site: event.Site, PackageID: event.PackageID, VersionID: event.VersionID, Name: name}
		if _, err := tx.Append(ctx, by, tag); err != nil {
			return nil, err
		}
	}
	out := &Published{Version: version, Files: make([]packhouse.File, 0, len(event.Files))}
	for i, f := range event.Files {
		out.Files = append(out.Files, addedFile(f, event, tx.now))
		if spare, err := tx.keep(ctx, p.Files[i].SHA256, p.Files[i].Size, p.Files[i].Blob); err != nil {
			return nil, err
		} else if spare {
			out.Spare = append(out.Spare, p.Files[i].Blob.Key)
		}
	}
	return out, nil
}

// admit asks the publication's own condition.
func (tx *Tx) admit(ctx context.Context, p *Publication, event *ledger.Publish) error {
	if p.Admit == nil {
		return nil
	}
	if event.Version != "" {
		return p.Admit(false, nil)
	}
	const q = selectFile + ` FROM files f WHERE f.version_id = $1 AND f.until_seq IS NULL ORDER BY f.id`
	files, err := collect(ctx, tx, readFile, q, event.VersionID)
	if err != nil {
		return err
	}
	return p.Admit(true, files)
}

// tagStays asks the publication whether a tag stays where it is.
func (tx *Tx) tagStays(ctx context.Context, p *Publication, packageID int64, name string) (bool, error) {
	if p.Moves == nil {
		return false, nil
	}
	from, err := oneVersion(ctx, tx, selectVersion+`
		JOIN tags t ON t.version_id = v.id AND t.package_id = p.id AND t.name = $2 AND t.until_seq IS NULL
		WHERE p.id = $1 AND v.until_seq IS NULL`, packageID, name)
	if packhouse.KindOf(err) == packhouse.NotFound {
		return false, nil // it points nowhere
	}
	return err == nil && !p.Moves(name, from), err
}

// resolve finds the package and the live version that p names, gives ids to
// those that are new, and returns the version as it stands after the event.
func (tx *Tx) resolve(ctx context.Context, p *Publication, event *ledger.Publish) (v packhouse.Version, err error) {
	const q = `
		SELECT p.id, p.name, v.id, v.number, v.status, v.metadata, v.creator_id, v.pipeline, v.created_at
		FROM packages p
		LEFT JOIN versions v ON v.package_id = p.id AND v.key = $4 AND v.until_seq IS NULL
		WHERE p.format = $1 AND p.key = $2 AND p.project_id = $3`
	var (
		id, creator, created sql.NullInt64
		number, status       sql.NullString
		pipeline             []byte
	)
	v.Package = packhouse.Package{ProjectID: p.ProjectID, Format: p.Format, Name: p.PackageName, Key: p.PackageKey}
	known, err := found(tx.row(ctx, q, []any{p.Format, p.PackageKey, p.ProjectID, p.VersionKey},
		&v.Package.ID, &v.Package.Name, &id, &number, &status, &v.Metadata, &creator, &pipeline, &created))
	if err != nil {
		return v, err
	}
	if !known {
		v.Package.ID, event.PackageName = next(&tx.heads.pkg), p.PackageName
	}
	event.PackageID = v.Package.ID
	if !id.Valid {
		err := tx.newVersion(p, event, &v)
		return v, err
	}
	event.VersionID = id.Int64
	v.ID, v.Number, v.Key, v.Status = id.Int64, number.String, p.VersionKey, packhouse.Status(status.String)
	v.CreatorID, v.CreatedAt = creator.Int64, fromMicros(created.Int64)
	v.Pipeline, err = readPipeline(pipeline)
	return v, err
}

// newVersion gives an id to a version that is not there yet.
func (tx *Tx) newVersion(p *Publication, event *ledger.Publish, v *packhouse.Version) (err error) {
	status := p.Status
	if status == "" {
		status = packhouse.StatusDefault
	}
	if event.Metadata, err = compact(p.Metadata); err != nil {
		return err
	}
	event.VersionID, event.Version, event.Status = next(&tx.heads.version), p.Version, status
	v.ID, v.Number, v.Key, v.Status, v.Metadata = event.VersionID, p.Version, p.VersionKey, status, event.Metadata
	v.CreatorID, v.CreatedAt, v.Pipeline = p.CreatorID, tx.now, p.Pipeline
	return nil
}

// compact gives JSON the form that the ledger gives it, so that a replay stores
// the same.
func compact(data []byte) (json.RawMessage, error) {
	if data == nil {
		return nil, nil
	}
	out, err := json.Marshal(json.RawMessage(data))
	if err != nil {
		return nil, fmt.Errorf("encode metadata: %w", err)
	}
	return out, nil
}

// textOf is JSON for a nullable text column.
func textOf(data json.RawMessage) sql.NullString {
	return sql.NullString{String: string(data), Valid: len(data) > 0}
}

// resolveFiles gives each file an id and its place among the copies of its path.
func (tx *Tx) resolveFiles(ctx context.Context, p *Publication, event *ledger.Publish, judge func(Existing) error) error {
	event.Files = make([]ledger.FileAdded, 0, len(p.Files))
	for _, f := range p.Files {
		added := ledger.FileAdded{
			ID: next(&tx.heads.file), Path: f.Path, Size: f.Size,
			SHA256: f.SHA256, MD5: f.MD5, SHA1: f.SHA1, SHA512: f.SHA512,
		}
		var err error
		if added.Metadata, err = compact(f.Metadata); err != nil {
			return err
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
		err := tx.insert(ctx, "version already exists", q, e.VersionID, entry.Seq, e.PackageID, e.Version, e.VersionKey,
			string(e.Status), textOf(e.Metadata), e.CreatorID, pipeline, entry.At.UnixMicro())
		if err != nil {
			return err
		}
	}
	var added Usage
	for _, f := range e.Files {
		added.Bytes, added.Files = added.Bytes+f.Size, added.Files+1
		const q = `
			INSERT INTO files (id, from_seq, version_id, path, copy, size, sha256, md5, sha1, sha512, metadata, pipeline, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`
		err := tx.insert(ctx, "file already exists", q, f.ID, entry.Seq, e.VersionID, f.Path, f.Copy, f.Size,
			f.SHA256[:], f.MD5, f.SHA1, f.SHA512, textOf(f.Metadata), pipeline, entry.At.UnixMicro())
		if err != nil {
			return err
		}
	}
	return tx.use(ctx, e.ProjectID, added)
}

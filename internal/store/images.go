package store

import (
	"context"
	"database/sql"
	"slices"

	"packhouse"
	"packhouse/internal/ledger"
)

const (
	missingRepository = "repository not found"
	missingPart       = "manifest or blob not found"
	missingTag        = "tag not found"
)

// NewPart is a blob or manifest to be put into a repository. Its bytes are stored
// already.
type NewPart struct {
	ProjectID    int64
	Repository   string
	Manifest     bool
	SHA256       packhouse.Digest
	SHA512       string // hex, or ""
	Digest       string
	Size         int64
	MediaType    string
	Subject      string
	ArtifactType string
	Annotations  []byte // JSON; may be nil
	Children     []Child
	Tags         []string // names to point at it
	// Point is asked about each of Tags before it is pointed at the part; moves says
	// that it is there and points elsewhere. What it returns refuses the whole. As it
	// may be called again it does nothing but judge. nil has nothing against any.
	Point     func(tag string, moves bool) error
	CreatorID int64
	Pipeline  *packhouse.Pipeline
	Blob      Blob
}

// Child is what a manifest names and what has to be there.
type Child struct {
	Digest string
	Ref    packhouse.PartRef
	// Manifest: it is a manifest or, as an index of a build cache has it, a blob.
	Manifest bool
	// Optional: it need not be there, and stays if it is.
	Optional bool
}

// PutPart puts a part into its repository, which it makes where that is new, and
// points tags at it. A part that is there already stays as it is. spare is the
// key given with it whose bytes are not needed; "" for none.
//
// A *MissingChildren error: what a manifest names is not in the repository.
func (tx *Tx) PutPart(ctx context.Context, by ledger.By, n *NewPart) (p packhouse.Part, spare string, err error) {
	place, err := tx.place(ctx, by, n.ProjectID, n.Repository)
	if err != nil {
		return p, "", err
	}
	p, known, err := tx.livePart(ctx, place.RepositoryID, n.Manifest, packhouse.PartRef{SHA256: n.SHA256})
	switch {
	case err != nil:
		return p, "", err
	case known:
		spare, err = n.Blob.Key, tx.metAgain(ctx, by, place, &p, n)
	default:
		p, spare, err = tx.newPart(ctx, by, place, n)
	}
	if err != nil {
		return p, "", err
	}
	for _, name := range n.Tags {
		if err := tx.pointTag(ctx, by, place, name, p.ID, n.Point); err != nil {
			return p, "", err
		}
	}
	return p, spare, nil
}

// metAgain takes note of a part that was pushed again.
func (tx *Tx) metAgain(ctx context.Context, by ledger.By, place ledger.Place, p *packhouse.Part, n *NewPart) error {
	if n.SHA512 != "" && p.SHA512 == "" {
		if _, err := tx.Append(ctx, by, &ledger.PartDigest{Place: place, ID: p.ID, SHA512: n.SHA512}); err != nil {
			return err
		}
		p.SHA512 = n.SHA512
	}
	return tx.TouchPart(ctx, p.ID)
}

func (tx *Tx) newPart(ctx context.Context, by ledger.By, place ledger.Place, n *NewPart) (p packhouse.Part, spare string, err error) {
	children, err := tx.children(ctx, place.RepositoryID, n.Children)
	if err != nil {
		return p, "", err
	}
	event := &ledger.PartPut{
		Place: place, ID: next(&tx.heads.part), Manifest: n.Manifest, SHA256: n.SHA256, SHA512: n.SHA512, Digest: n.Digest, Size: n.Size,
		MediaType: n.MediaType, Subject: n.Subject, ArtifactType: n.ArtifactType, Children: children,
		CreatorID: n.CreatorID, Pipeline: n.Pipeline,
	}
	if event.Annotations, err = compact(n.Annotations); err != nil {
		return p, "", err
	}
	if _, err := tx.Append(ctx, by, event); err != nil {
		return p, "", err
	}
	unneeded, err := tx.keep(ctx, n.SHA256, n.Size, n.Blob)
	if unneeded {
		spare = n.Blob.Key
	}
	return packhouse.Part{
		ID: event.ID, RepositoryID: place.RepositoryID, Manifest: n.Manifest, SHA256: n.SHA256, SHA512: n.SHA512, Digest: n.Digest,
		Size: n.Size, MediaType: n.MediaType, Subject: n.Subject, ArtifactType: n.ArtifactType, Annotations: event.Annotations,
		CreatedAt: tx.now, IdleAt: tx.now,
	}, spare, err
}

// place finds a repository, or makes it.
func (tx *Tx) place(ctx context.Context, by ledger.By, projectID int64, name string) (ledger.Place, error) {
	r, err := tx.Repository(ctx, projectID, name)
	place := ledger.Place{ProjectID: projectID, RepositoryID: r.ID, Repository: name}
	if packhouse.KindOf(err) != packhouse.NotFound {
		return place, err
	}
	place.RepositoryID = next(&tx.heads.repository)
	_, err = tx.Append(ctx, by, &ledger.RepositoryPut{Place: place})
	return place, err
}

// MissingChildren is the refusal of a manifest that names what is not there.
type MissingChildren struct{ Digests []string }

// Error says how many are missing.
func (e *MissingChildren) Error() string {
	return "the manifest names blobs or manifests that are not in the repository"
}

// children finds what a manifest names. What it names twice is one.
func (tx *Tx) children(ctx context.Context, repositoryID int64, all []Child) (ids []int64, err error) {
	var missing []string
	seen := make(map[int64]bool, len(all))
	for _, c := range all {
		p, known, err := tx.livePart(ctx, repositoryID, c.Manifest, c.Ref)
		if err == nil && !known && c.Manifest {
			p, known, err = tx.livePart(ctx, repositoryID, false, c.Ref)
		}
		switch {
		case err != nil:
			return nil, err
		case !known && !c.Optional && !slices.Contains(missing, c.Digest):
			missing = append(missing, c.Digest)
		case known && !seen[p.ID]:
			seen[p.ID] = true
			ids = append(ids, p.ID)
		}
	}
	if missing != nil {
		return nil, &packhouse.Error{
			Kind: packhouse.Invalid, Rule: "manifest-blob", Message: "the manifest names what is not in the repository",
			Fix: "push the blobs and manifests that it names first", Err: &MissingChildren{missing},
		}
	}
	return ids, nil
}

// pointTag points a tag at a manifest, unless it does already. Where it points is
// read by whoever writes, of whom there is one at a time, so that what ask says of it
// holds until it is written.
func (tx *Tx) pointTag(ctx context.Context, by ledger.By, place ledger.Place, name string, partID int64, ask func(string, bool) error) error {
	var at int64
	known, err := found(tx.row(ctx, `SELECT part_id FROM image_tags WHERE repository_id = $1 AND name = $2 AND until_seq IS NULL`,
		[]any{place.RepositoryID, name}, &at))
	if err != nil {
		return err
	}
	if ask != nil {
		if err := ask(name, known && at != partID); err != nil {
			return err
		}
	}
	if known && at == partID {
		return nil
	}
	_, err = tx.Append(ctx, by, &ledger.ImageTagPut{Place: place, Name: name, PartID: partID})
	return err
}

// Repository finds a repository of a project. packhouse.NotFound: there is none.
func (tx *Tx) Repository(ctx context.Context, projectID int64, name string) (packhouse.Repository, error) {
	r := packhouse.Repository{ProjectID: projectID, Name: name}
	var created int64
	known, err := found(tx.row(ctx, `SELECT id, created_at FROM repositories WHERE project_id = $1 AND name = $2`, []any{projectID, name}, &r.ID, &created))
	if err == nil && !known {
		err = &packhouse.Error{Kind: packhouse.NotFound, Rule: "repository", Message: missingRepository}
	}
	r.CreatedAt = fromMicros(created)
	return r, err
}

// Repositories visits the repositories that have something in them, after an id.
func (tx *Tx) Repositories(ctx context.Context, after int64, limit int) ([]packhouse.Repository, error) {
	const q = selectRepository + ` WHERE r.id > $1 AND` + holdsManifest + ` ORDER BY r.id LIMIT $2`
	return collect(ctx, tx, readRepository, q, after, limit)
}

const selectPart = `
	SELECT p.id, p.repository_id, p.manifest, p.sha256, p.sha512, p.digest, p.size, p.media_type, p.subject, p.artifact_type,
		p.annotations, p.created_at, p.idle_at
	FROM parts p`

func readPart(row scanner) (p packhouse.Part, err error) {
	var (
		manifest, created int64
		digest            []byte
		annotations       sql.NullString
		idle              sql.NullInt64
	)
	err = row.Scan(&p.ID, &p.RepositoryID, &manifest, &digest, &p.SHA512, &p.Digest, &p.Size, &p.MediaType, &p.Subject, &p.ArtifactType,
		&annotations, &created, &idle)
	copy(p.SHA256[:], digest)
	p.Manifest, p.CreatedAt = manifest == 1, fromMicros(created)
	if annotations.Valid {
		p.Annotations = []byte(annotations.String)
	}
	if idle.Valid {
		p.IdleAt = fromMicros(idle.Int64)
	}
	return p, err
}

func (tx *Tx) onePart(ctx context.Context, q string, args ...any) (p packhouse.Part, known bool, err error) {
	all, err := collect(ctx, tx, readPart, q, args...)
	if err != nil || len(all) == 0 {
		return p, false, err
	}
	return all[0], true, nil
}

func (tx *Tx) livePart(ctx context.Context, repositoryID int64, manifest bool, ref packhouse.PartRef) (packhouse.Part, bool, error) {
	if ref.SHA512 != "" {
		return tx.onePart(ctx, selectPart+` WHERE p.repository_id = $1 AND p.sha512 = $2 AND p.manifest = $3 AND p.until_seq IS NULL AND p.sha512 <> ''`,
			repositoryID, ref.SHA512, bit(manifest))
	}
	return tx.onePart(ctx, selectPart+` WHERE p.repository_id = $1 AND p.sha256 = $2 AND p.manifest = $3 AND p.until_seq IS NULL`,
		repositoryID, ref.SHA256[:], bit(manifest))
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Part finds a blob or manifest of a repository. packhouse.NotFound: there is
// none.
func (tx *Tx) Part(ctx context.Context, repositoryID int64, manifest bool, ref packhouse.PartRef) (packhouse.Part, error) {
	p, known, err := tx.livePart(ctx, repositoryID, manifest, ref)
	return p, orMissing(known, err, missingPart)
}

// TaggedPart finds the manifest that a tag points at. packhouse.NotFound: there is
// no such tag.
func (tx *Tx) TaggedPart(ctx context.Context, repositoryID int64, tag string) (packhouse.Part, error) {
	p, known, err := tx.onePart(ctx, selectPart+`
		JOIN image_tags t ON t.part_id = p.id AND t.repository_id = $1 AND t.name = $2 AND t.until_seq IS NULL
		WHERE p.until_seq IS NULL`, repositoryID, tag)
	return p, orMissing(known, err, missingTag)
}

func orMissing(known bool, err error, message string) error {
	if err == nil && !known {
		err = &packhouse.Error{Kind: packhouse.NotFound, Rule: "part", Message: message}
	}
	return err
}

// ImageTags reads the tags of a repository in the order of their names, after a
// name, at most limit.
func (tx *Tx) ImageTags(ctx context.Context, repositoryID int64, after string, limit int) ([]packhouse.ImageTag, error) {
	const q = `
		SELECT name, part_id, pushed_at FROM image_tags
		WHERE repository_id = $1 AND name > $2 AND until_seq IS NULL ORDER BY name LIMIT $3`
	return collect(ctx, tx, func(row scanner) (t packhouse.ImageTag, err error) {
		var at int64
		err = row.Scan(&t.Name, &t.PartID, &at)
		t.PushedAt = fromMicros(at)
		return t, err
	}, q, repositoryID, after, limit)
}

// Referrers reads the manifests that are about another one, in the order in which
// they came, after an id; artifactType "" is any.
func (tx *Tx) Referrers(ctx context.Context, repositoryID int64, subject, artifactType string, after int64, limit int) ([]packhouse.Part, error) {
	q, args := selectPart+` WHERE p.repository_id = $1 AND p.subject = $2 AND p.subject <> '' AND p.until_seq IS NULL AND p.id > $3`,
		[]any{repositoryID, subject, after}
	if artifactType != "" {
		q, args = q+` AND p.artifact_type = $5`, append(args, limit, artifactType)
	} else {
		args = append(args, limit)
	}
	return collect(ctx, tx, readPart, q+` ORDER BY p.id LIMIT $4`, args...)
}

// Holders lists projects and names of repositories that have a blob, at most limit.
func (tx *Tx) Holders(ctx context.Context, ref packhouse.PartRef, limit int) ([]packhouse.Repository, error) {
	q, arg := `SELECT r.id, r.project_id, r.name FROM parts p JOIN repositories r ON r.id = p.repository_id
		WHERE p.sha256 = $1 AND p.purged_seq IS NULL AND p.until_seq IS NULL AND p.manifest = 0 ORDER BY p.id DESC LIMIT $2`, any(ref.SHA256[:])
	if ref.SHA512 != "" {
		return nil, nil // there is no index over all repositories; the client uploads
	}
	return collect(ctx, tx, func(row scanner) (r packhouse.Repository, err error) {
		return r, row.Scan(&r.ID, &r.ProjectID, &r.Name)
	}, q, arg, limit)
}

// HasLiveParent reports whether a manifest that is there names a part.
func (tx *Tx) HasLiveParent(ctx context.Context, partID int64) (bool, error) {
	var one int
	return found(tx.row(ctx, liveParent, []any{partID}, &one))
}

const liveParent = `
	SELECT 1 FROM part_children c JOIN parts parent ON parent.id = c.parent_id AND parent.until_seq IS NULL
	WHERE c.child_id = $1 LIMIT 1`

package registry

import (
	"context"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/memo"
	"packhouse/internal/store"
)

// Imager is a Source of one project, which images can be pulled from.
type Imager interface {
	// Repository returns what can be read of a repository of container images,
	// whether or not there is one of that name.
	Repository(name string) *Repository
}

// Repository is what can be read of a repository of container images.
type Repository struct {
	registry  *Registry
	projectID int64
	name      string
}

// Repository implements Imager.
func (p *project) Repository(name string) *Repository { return &Repository{p.registry, p.id, name} }

// imageKey is what a client asks a repository for.
type imageKey struct {
	project    int64
	repository string
	manifest   bool
	ref        string // a tag or a digest
}

func (k imageKey) clone() imageKey {
	k.repository, k.ref = strings.Clone(k.repository), strings.Clone(k.ref)
	return k
}

// repositoryPlace is where everything remembered about a repository belongs.
func repositoryPlace(projectID int64, name string) uint64 {
	type key struct {
		project int64
		name    string
	}
	return memo.Place(key{projectID, name})
}

// forgetImage drops what the memory holds about a repository that changed.
func (r *Registry) forgetImage(event ledger.Event) {
	if placed, ok := event.(ledger.Placed); ok {
		at := placed.Placement()
		r.images.Touch(repositoryPlace(at.ProjectID, at.Repository))
	}
}

// Manifest opens a manifest by a tag or a digest; IsDigest says which of them a
// reference is. packhouse.NotFound: there is none.
func (p *Repository) Manifest(ctx context.Context, reference string) (*Content, error) {
	c, err := p.open(ctx, imageKey{p.projectID, p.name, true, reference})
	if err == nil {
		c.Here()
	}
	return c, err
}

// Blob opens a blob by its digest. packhouse.NotFound: the repository has none,
// whatever others have.
func (p *Repository) Blob(ctx context.Context, digest string) (*Content, error) {
	return p.open(ctx, imageKey{p.projectID, p.name, false, digest})
}

// IsDigest reports whether a reference is meant to be a digest: no tag has a colon.
func IsDigest(reference string) bool { return strings.Contains(reference, ":") }

func (p *Repository) open(ctx context.Context, key imageKey) (*Content, error) {
	r := p.registry
	place := repositoryPlace(p.projectID, p.name)
	c, err := r.openFound(ctx, func() (*located, error) {
		return r.images.Get(key, place, func() (*located, error) { return r.locateImage(ctx, key) })
	})
	if err != nil {
		return nil, err
	}
	// A client that asks whether something is there may go on to name it in a
	// manifest. What is about to be collected is left alone for as long again.
	if idle := c.located.part.IdleAt; !idle.IsZero() && r.now().Sub(idle) > r.options.ImageGrace/4 {
		r.touch(ctx, c.located.part.ID)
		r.images.Touch(place)
	}
	return c, nil
}

func (r *Registry) touch(ctx context.Context, partID int64) {
	err := r.store.Update(ctx, func(tx *store.Tx) error { return tx.TouchPart(ctx, partID) })
	if err != nil {
		r.log.Warn("use of an image not noted", "error", err)
	}
}

func (r *Registry) locateImage(ctx context.Context, key imageKey) (*located, error) {
	l := new(located)
	err := r.store.View(ctx, func(tx *store.Tx) error {
		repository, err := tx.Repository(ctx, key.project, key.repository)
		if err != nil {
			return err
		}
		if key.manifest && !IsDigest(key.ref) {
			l.part, err = tx.TaggedPart(ctx, repository.ID, key.ref)
		} else {
			var ref packhouse.PartRef
			if ref, err = packhouse.ParsePartRef(key.ref); err == nil {
				l.part, err = tx.Part(ctx, repository.ID, key.manifest, ref)
			}
		}
		if err != nil {
			return err
		}
		l.Blob, err = tx.BlobOf(ctx, l.part.SHA256)
		return err
	})
	if err != nil {
		return nil, err
	}
	l.File = packhouse.File{Path: l.part.Digest, Size: l.part.Size, SHA256: l.part.SHA256, SHA512: l.part.SHA512, CreatedAt: l.part.CreatedAt}
	if l.Blob.Data != nil {
		r.contents.Set(l.part.SHA256, l.Blob.Data)
		l.Blob.Data = nil
	}
	return l, nil
}

// Tags lists tags in the order of their names, after a name, at most limit.
// packhouse.NotFound: there is no such repository.
func (p *Repository) Tags(ctx context.Context, after string, limit int) (tags []packhouse.ImageTag, err error) {
	err = p.view(ctx, func(tx *store.Tx, id int64) (err error) {
		tags, err = tx.ImageTags(ctx, id, after, limit)
		return err
	})
	return tags, err
}

// Referrers lists the manifests that are about another one, after an id, at most
// limit. An artifactType of "" is any.
func (p *Repository) Referrers(ctx context.Context, subject, artifactType string, after int64, limit int) (parts []packhouse.Part, err error) {
	err = p.view(ctx, func(tx *store.Tx, id int64) (err error) {
		parts, err = tx.Referrers(ctx, id, subject, artifactType, after, limit)
		return err
	})
	return parts, err
}

func (p *Repository) view(ctx context.Context, read func(tx *store.Tx, id int64) error) error {
	return p.registry.store.View(ctx, func(tx *store.Tx) error {
		repository, err := tx.Repository(ctx, p.projectID, p.name)
		if err != nil {
			return err
		}
		return read(tx, repository.ID)
	})
}

// Cataloger is a Source of everything, which lists repositories.
type Cataloger interface {
	// Repositories lists the full names of all repositories that have a manifest,
	// in no order.
	Repositories(ctx context.Context) ([]string, error)
}

const catalogBatch = 1000

// Repositories implements Cataloger.
func (u *union) Repositories(ctx context.Context) (names []string, err error) {
	r := u.registry
	for after := int64(0); ; {
		var part []packhouse.Repository
		err := r.store.View(ctx, func(tx *store.Tx) (err error) {
			part, err = tx.Repositories(ctx, after, catalogBatch)
			return err
		})
		if err != nil || len(part) == 0 {
			return names, err
		}
		for _, repository := range part {
			after = repository.ID
			path := r.options.Directory.PathOf(packhouse.Target{Level: packhouse.Project, ID: repository.ProjectID})
			if path == "" {
				continue // of a project that was removed
			}
			name := strings.ToLower(path)
			if repository.Name != "" {
				name += "/" + repository.Name
			}
			names = append(names, name)
		}
	}
}

// collectBatch is how many parts are looked at in one transaction, so that nobody
// waits long behind the collector.
const collectBatch = 200

// collectImages deletes the parts of images that nothing has needed for a while.
// It may run beside anything: each batch is one transaction, and so is everything
// that makes a part needed.
func (r *Registry) collectImages(ctx context.Context) (deleted int, err error) {
	for {
		var looked, n int
		before := r.now().Add(-r.options.ImageGrace)
		err := r.store.Update(ctx, func(tx *store.Tx) (err error) {
			looked, n, err = tx.CollectParts(ctx, ledger.By{}, before, collectBatch)
			return err
		})
		if err != nil {
			return deleted, err
		}
		if deleted += n; looked < collectBatch {
			return deleted, nil
		}
	}
}

// uploadLife is how long an upload that is left alone is kept.
const uploadLife = 24 * time.Hour

func (r *Registry) expireUploads(ctx context.Context) error {
	return r.store.Update(ctx, func(tx *store.Tx) error { return tx.ExpireImageUploads(ctx, r.now().Add(-uploadLife)) })
}

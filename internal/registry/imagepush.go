package registry

import (
	"bytes"
	"context"
	"errors"
	"io"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// HostedRepository is a repository of container images that can be pushed to.
type HostedRepository struct {
	*Hosted
	name string
}

// Repository returns what can be changed of a repository of container images,
// which comes into being with the first thing that is pushed to it.
func (h *Hosted) Repository(name string) *HostedRepository { return &HostedRepository{h, name} }

// Child is what a manifest names.
type Child = store.Child

// MissingChildren is found in the error of a manifest that names what is not there.
type MissingChildren = store.MissingChildren

// Manifest is a manifest as a client pushes it.
type Manifest struct {
	Bytes        []byte
	Digest       string // as pushed; "" for that by SHA-256
	Ref          packhouse.PartRef
	MediaType    string
	Subject      string
	ArtifactType string
	Annotations  []byte // JSON; may be nil
	Children     []Child
	Tags         []string
}

// PutManifest puts a manifest into the repository and points the tags at it, in one
// transaction. Putting what is there already is no error.
//
// packhouse.Invalid: the bytes do not have the digest, or what the manifest names
// is not there (MissingChildren). packhouse.Forbidden: a rule keeps the repository or
// a tag from the actor.
func (h *HostedRepository) PutManifest(ctx context.Context, m *Manifest) (*packhouse.Part, error) {
	if err := h.MayPush(); err != nil {
		return nil, err
	}
	received, err := h.Receive(ctx, Incoming{Size: int64(len(m.Bytes)), Body: bytes.NewReader(m.Bytes), Check: checksumsOf(m.Ref), Also: everyDigest})
	if err != nil {
		return nil, err
	}
	defer received.Release()
	n := &store.NewPart{
		Manifest: true, Digest: m.Digest, MediaType: m.MediaType, Subject: m.Subject, ArtifactType: m.ArtifactType,
		Annotations: m.Annotations, Children: m.Children, Tags: m.Tags,
	}
	return h.put(ctx, received, n, func(tx *store.Tx) error {
		rules, err := h.tagRules(ctx, tx)
		n.Point = rules.Push
		return err
	})
}

// put makes received bytes a part of the repository. also is done in the same
// transaction before it; it may be nil.
func (h *HostedRepository) put(ctx context.Context, f *Received, n *store.NewPart, also func(*store.Tx) error) (*packhouse.Part, error) {
	if err := h.MayPush(); err != nil {
		return nil, err
	}
	n.ProjectID, n.Repository, n.CreatorID, n.Pipeline = h.projectID, h.name, h.actor.UserID, h.pipeline()
	n.SHA256, n.SHA512, n.Size, n.Blob = f.file.SHA256, f.file.SHA512, f.file.Size, f.file.Blob
	if n.Digest == "" {
		n.Digest = "sha256:" + n.SHA256.String()
	}
	var part packhouse.Part
	var spare string
	files := []*Received{f}
	err := h.registry.store.Update(ctx, func(tx *store.Tx) (err error) {
		if err := h.registry.fresh(files); err != nil {
			return err
		}
		if also != nil {
			if err := also(tx); err != nil {
				return err
			}
		}
		part, spare, err = tx.PutPart(ctx, h.by, n)
		return err
	})
	if err != nil {
		if !refused(err) {
			h.registry.leave(files)
		}
		return nil, err
	}
	h.registry.published(ctx, f, []string{spare})
	return &part, nil
}

// PutBlob makes bytes a blob of the repository if they have the digest. size is what
// was announced; -1 when nothing was. packhouse.Forbidden: as for PutManifest.
func (h *HostedRepository) PutBlob(ctx context.Context, body io.Reader, size int64, digest string, ref packhouse.PartRef) (*packhouse.Part, error) {
	if err := h.MayPush(); err != nil {
		return nil, err
	}
	received, err := h.Receive(ctx, Incoming{Size: size, Body: body, Check: checksumsOf(ref)})
	if err != nil {
		return nil, err
	}
	defer received.Release()
	return h.put(ctx, received, &store.NewPart{Digest: digest}, nil)
}

// Mount makes a blob of another repository one of this, without its bytes being
// sent. It returns nil when that has none. Whether the actor may read from there
// was decided before.
func (h *HostedRepository) Mount(ctx context.Context, digest string, ref packhouse.PartRef, projectID int64, from string) (*packhouse.Part, error) {
	if err := h.MayPush(); err != nil {
		return nil, err
	}
	var part packhouse.Part
	err := h.registry.store.Update(ctx, func(tx *store.Tx) error {
		repository, err := tx.Repository(ctx, projectID, from)
		if err != nil {
			return err
		}
		source, err := tx.Part(ctx, repository.ID, false, ref)
		if err != nil {
			return err
		}
		part, _, err = tx.PutPart(ctx, h.by, &store.NewPart{
			ProjectID: h.projectID, Repository: h.name, SHA256: source.SHA256, SHA512: source.SHA512, Digest: digest, Size: source.Size,
			CreatorID: h.actor.UserID, Pipeline: h.pipeline(),
		})
		return err
	})
	switch {
	case err == nil:
		return &part, nil
	case packhouse.KindOf(err) == packhouse.NotFound:
		return nil, nil
	}
	return nil, err
}

// mostHolders bounds how many places of a blob are asked about.
const mostHolders = 100

// Holders lists projects, and names of repositories in them, that have a blob.
func (h *HostedRepository) Holders(ctx context.Context, ref packhouse.PartRef) (list []packhouse.Repository, err error) {
	err = h.registry.store.View(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.Holders(ctx, ref, mostHolders)
		return err
	})
	return list, err
}

// Delete ends a manifest with all its tags, or a blob.
//
// packhouse.NotFound: there is none. packhouse.Conflict: a manifest that is there
// names it. packhouse.Forbidden: a rule keeps the repository or one of the tags.
func (h *HostedRepository) Delete(ctx context.Context, manifest bool, ref packhouse.PartRef) error {
	return h.change(ctx, func(tx *store.Tx, place ledger.Place) error {
		part, err := tx.Part(ctx, place.RepositoryID, manifest, ref)
		if err != nil {
			return err
		}
		if named, err := tx.HasLiveParent(ctx, part.ID); err != nil {
			return err
		} else if named {
			return &packhouse.Error{
				Kind: packhouse.Conflict, Rule: "referenced", Message: "a manifest in this repository names it",
				Fix: "delete the index or image that names it first",
			}
		}
		if err := h.freeTags(ctx, tx, part.ID); err != nil {
			return err
		}
		_, err = tx.Append(ctx, h.by, &ledger.PartDelete{Place: place, ID: part.ID})
		return err
	})
}

func (h *HostedRepository) change(ctx context.Context, change func(*store.Tx, ledger.Place) error) error {
	if err := h.MayDelete(); err != nil {
		return err
	}
	return h.registry.store.Update(ctx, func(tx *store.Tx) error {
		repository, err := tx.Repository(ctx, h.projectID, h.name)
		if err != nil {
			return err
		}
		return change(tx, ledger.Place{ProjectID: h.projectID, RepositoryID: repository.ID, Repository: h.name})
	})
}

// MissingOf lists what a refused manifest names and what is not there; nil when it
// was refused for something else.
func MissingOf(err error) []string {
	var missing *MissingChildren
	if errors.As(err, &missing) {
		return missing.Digests
	}
	return nil
}

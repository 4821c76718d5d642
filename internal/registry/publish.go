package registry

import (
	"context"
	"errors"
	"slices"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/ledger"
	"packhouse/internal/policy"
	"packhouse/internal/store"
)

// Hosted is a project that one format publishes to, on behalf of one actor.
type Hosted struct {
	registry  *Registry
	projectID int64
	format    string
	actor     packhouse.Actor
	by        ledger.By
}

// Hosted returns what an actor can change in a project. The gate has decided
// that they may.
func (r *Registry) Hosted(projectID int64, format string, actor packhouse.Actor, by ledger.By) *Hosted {
	return &Hosted{registry: r, projectID: projectID, format: format, actor: actor, by: by}
}

// Draft is a version as a format wants it published.
type Draft struct {
	Package, PackageKey string
	Version, VersionKey string
	Status              packhouse.Status // "": default for a new version, unchanged for another
	Metadata            []byte           // JSON, of a new version; may be nil
	Files               []*Received
	Tags                []string // names to point at the version
	// Admit is asked, inside the transaction, about the version as it is: whether
	// it is live, and its files. An error refuses the publish. It may be nil; it
	// may be called again and does nothing but judge.
	Admit func(live bool, files []packhouse.File) error
	// Moves is asked, inside the transaction, about a name of Tags that points at
	// another version: whether it is to move. nil moves all. As Admit it does
	// nothing but judge.
	Moves func(tag string, from *packhouse.Version) bool
}

// Published is what became of a Draft.
type Published struct {
	Version packhouse.Version
	Files   []packhouse.File
}

// Publish makes the received files part of their version, all or none, and
// returns once that would survive a power cut. Whoever asks after that finds
// them.
//
// packhouse.Conflict: a file of that name is there and duplicates are refused.
// packhouse.Forbidden: the actor is a job that was trusted with less, or the package
// is protected.
func (h *Hosted) Publish(ctx context.Context, d Draft) (*Published, error) {
	pkg := packhouse.Package{Format: h.format, Name: d.Package, Key: d.PackageKey}
	if err := h.guard(policy.Push, &pkg, d.Version, d.VersionKey); err != nil {
		return nil, err
	}
	p := &store.Publication{
		ProjectID: h.projectID, Format: h.format,
		PackageName: d.Package, PackageKey: d.PackageKey, Version: d.Version, VersionKey: d.VersionKey,
		Status: d.Status, Metadata: d.Metadata, CreatorID: h.actor.UserID, Pipeline: h.pipeline(),
		Tags: d.Tags, Admit: d.Admit, Moves: d.Moves,
	}
	for _, f := range d.Files {
		p.Files = append(p.Files, f.file)
	}
	var out *store.Published
	err := h.registry.store.Update(ctx, func(tx *store.Tx) (err error) {
		if err := h.registry.fresh(d.Files); err != nil {
			return err
		}
		if err := h.alone(ctx, tx, &d); err != nil {
			return err
		}
		out, err = tx.Publish(ctx, h.by, p, func(met store.Existing) error { return h.judge(p, met) })
		return err
	})
	if err != nil {
		if !refused(err) {
			h.registry.leave(d.Files)
		}
		return nil, err
	}
	for _, f := range d.Files {
		h.registry.published(ctx, f, out.Spare)
	}
	return &Published{Version: out.Version, Files: out.Files}, nil
}

// refused reports whether a publish certainly did not happen. After any other
// error, such as a failed sync, the transaction may turn out to be committed.
func refused(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true // it was still waiting for its turn
	}
	kind := packhouse.KindOf(err)
	return kind != packhouse.Internal && kind != packhouse.Unavailable
}

// judge asks the rules about a file that is there already.
func (h *Hosted) judge(p *store.Publication, met store.Existing) error {
	return h.registry.options.Rules.Judge(policy.Operation{
		Format: p.Format, Package: p.PackageKey, Version: p.VersionKey, Path: met.Path, Copies: met.Copies,
		Duplicates: h.registry.options.Directory.Duplicates(p.ProjectID, p.Format),
	})
}

// Trusted asks the rules whether the actor may change a package at all, apart
// from what it is changed to: a job that was trusted with some packages touches
// no others. Publish and the deletions ask by themselves; a format that changes
// packages in another way asks before it does.
func (h *Hosted) Trusted(packageKey string) error {
	op := policy.Operation{Format: h.format, Package: packageKey, Size: -1, Trust: h.trust()}
	return h.registry.options.Rules.Judge(op)
}

// guard asks the rules whether the actor may do something to a version of a
// package.
func (h *Hosted) guard(verb policy.Verb, p *packhouse.Package, number, key string) error {
	op := policy.Operation{
		Verb: verb, Format: p.Format, Package: p.Key, Name: p.Name, Version: key, Number: number, Size: -1, Trust: h.trust(),
		Refusing: h.refusing(p.Format),
	}
	d := h.registry.options.Directory
	if op.Protections = d.ProtectionsOf(h.projectID); len(op.Protections) > 0 {
		op.Actor, op.Role = h.actor, h.role()
	}
	return h.registry.options.Rules.Judge(op)
}

// refusing is the place that does not admit a format here; nil for none.
func (h *Hosted) refusing(format string) *packhouse.Target {
	return h.registry.options.Directory.Refusing(packhouse.Target{Level: packhouse.Project, ID: h.projectID}, format)
}

// role is the actor's in the project.
func (h *Hosted) role() packhouse.Role {
	return h.registry.options.Directory.Object(h.actor, packhouse.Target{Level: packhouse.Project, ID: h.projectID}).Role
}

func (h *Hosted) trust() *packhouse.Trust {
	if h.actor.Job == nil {
		return nil
	}
	return h.actor.Job.Trust
}

// pipeline links what a job publishes to the run that it is part of.
func (h *Hosted) pipeline() *packhouse.Pipeline {
	if h.actor.Job == nil {
		return nil
	}
	p := h.actor.Job.Pipeline
	return &p
}

// DeleteVersion ends a version with all its files and the tags that point at
// it. packhouse.NotFound: the project has no such version. packhouse.Forbidden: as
// for Publish.
func (h *Hosted) DeleteVersion(ctx context.Context, id int64) error {
	return h.registry.store.Update(ctx, func(tx *store.Tx) error {
		v, err := tx.Version(ctx, h.projectID, id)
		if err != nil {
			return err
		}
		if err := h.guard(policy.Delete, &v.Package, v.Number, v.Key); err != nil {
			return err
		}
		_, err = tx.Append(ctx, h.by, &ledger.VersionDelete{Site: siteOf(v), VersionID: id})
		return err
	})
}

// DeleteFile ends one file of a version. packhouse.NotFound: the project has no
// such version, or the version no such file. packhouse.Forbidden: as for Publish.
func (h *Hosted) DeleteFile(ctx context.Context, versionID, fileID int64) error {
	return h.registry.store.Update(ctx, func(tx *store.Tx) error {
		v, err := tx.Version(ctx, h.projectID, versionID)
		if err != nil {
			return err
		}
		if err := h.guard(policy.Delete, &v.Package, v.Number, v.Key); err != nil {
			return err
		}
		_, err = tx.Append(ctx, h.by, &ledger.FileDelete{Site: siteOf(v), VersionID: versionID, FileID: fileID})
		return err
	})
}

func siteOf(v *packhouse.Version) ledger.Site {
	return ledger.Site{
		ProjectID: v.Package.ProjectID, Format: v.Package.Format, PackageKey: v.Package.Key, VersionKey: v.Key,
	}
}

// leave hands received bytes of an uncertain publish to the collector, which
// removes them if the database turns out not to know them.
func (r *Registry) leave(files []*Received) {
	for _, f := range files {
		r.blobs.settle(blob.Key(f.file.Blob.Key))
		f.file.Blob.Key = ""
	}
}

// published keeps a small file in memory. For another it ends the protection of
// the bytes that the database refers to now, or removes them when it refers to
// an older copy.
func (r *Registry) published(ctx context.Context, f *Received, spare []string) {
	key := f.file.Blob.Key
	if key == "" {
		r.contents.Set(f.file.SHA256, f.file.Blob.Data)
		return
	}
	f.file.Blob.Key = "" // Release has nothing left to do
	if slices.Contains(spare, key) {
		r.drop(ctx, blob.Key(key))
	}
	r.blobs.settle(blob.Key(key))
}

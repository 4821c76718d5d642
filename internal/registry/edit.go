package registry

import (
	"cmp"
	"context"
	"encoding/json"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/policy"
	"packhouse/internal/store"
)

// Edit is a change of one package: all that is done through it happens, or
// nothing. It belongs to the function that Hosted.Edit hands it to.
type Edit struct {
	Package packhouse.Package

	ctx    context.Context
	tx     *store.Tx
	hosted *Hosted

	trashID int64 // of what was deleted so far; 0 before the first
}

// Edit changes what is published of a package, in one transaction. change may be
// called again, so it touches nothing outside.
//
// packhouse.NotFound: the project has no live version of that package.
// packhouse.Forbidden: the actor is a job that was trusted with others, or what change
// does is kept from them by a protection.
func (h *Hosted) Edit(ctx context.Context, key string, change func(*Edit) error) error {
	if err := h.Trusted(key); err != nil {
		return err
	}
	return h.registry.store.Update(ctx, func(tx *store.Tx) error {
		p, err := tx.Package(ctx, h.projectID, h.format, key)
		if err != nil {
			return err
		}
		return change(&Edit{Package: *p, ctx: ctx, tx: tx, hosted: h})
	})
}

// Version returns a live version by its key, as this transaction sees it.
// packhouse.NotFound: there is none.
func (e *Edit) Version(key string) (*packhouse.Version, error) {
	return e.tx.VersionByKey(e.ctx, e.Package.ID, key)
}

// Versions returns how many versions are live.
func (e *Edit) Versions() (int, error) {
	ids, err := e.tx.VersionIDs(e.ctx, e.Package.ID)
	return len(ids), err
}

// Tags returns the tags by name.
func (e *Edit) Tags() ([]packhouse.Tag, error) { return e.tx.Tags(e.ctx, e.Package.ID) }

// SetMetadata replaces a version's metadata, which must be JSON.
func (e *Edit) SetMetadata(v *packhouse.Version, metadata []byte) error {
	if err := e.guard(policy.Push, v); err != nil {
		return err
	}
	compact, err := json.Marshal(json.RawMessage(metadata)) // as a replay would have it
	if err != nil {
		return err
	}
	return e.append(&ledger.MetadataPut{Site: e.site(v.Key), VersionID: v.ID, Metadata: compact})
}

// Tag points a name at a version, moving it if it is there already.
func (e *Edit) Tag(name string, v *packhouse.Version) error {
	if err := e.guard(policy.Push, v); err != nil {
		return err
	}
	return e.append(&ledger.TagPut{Site: e.site(v.Key), PackageID: e.Package.ID, VersionID: v.ID, Name: name})
}

// Untag takes a name away. packhouse.NotFound: there is none.
func (e *Edit) Untag(name string) error {
	if err := e.guard(policy.Push, &packhouse.Version{}); err != nil {
		return err
	}
	return e.append(&ledger.TagRemove{Site: e.site(""), PackageID: e.Package.ID, Name: name})
}

// Delete ends a version with its files and tags. Versions that one Edit deletes are
// one in the trash.
func (e *Edit) Delete(v *packhouse.Version) error { return e.delete(v, false) }

func (e *Edit) delete(v *packhouse.Version, whole bool) error {
	if err := e.guard(policy.Delete, v); err != nil {
		return err
	}
	seq, err := e.tx.Append(e.ctx, e.hosted.by, &ledger.VersionDelete{
		Site: e.site(v.Key), Deletion: ledger.Deletion{TrashID: e.trashID}, VersionID: v.ID, Whole: whole,
	})
	e.trashID = cmp.Or(e.trashID, seq)
	return err
}

// DeleteAll ends all versions. packhouse.NotFound: there are none.
func (e *Edit) DeleteAll() error {
	ids, err := e.tx.VersionIDs(e.ctx, e.Package.ID)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return errNoFile()
	}
	for _, id := range ids {
		v, err := e.tx.Version(e.ctx, e.Package.ProjectID, id)
		if err != nil {
			return err
		}
		if err := e.delete(v, true); err != nil {
			return err
		}
	}
	return nil
}

func (e *Edit) guard(verb policy.Verb, v *packhouse.Version) error {
	return e.hosted.guard(verb, &e.Package, v.Number, v.Key)
}

func (e *Edit) append(event ledger.Event) error {
	_, err := e.tx.Append(e.ctx, e.hosted.by, event)
	return err
}

func (e *Edit) site(versionKey string) ledger.Site {
	p := &e.Package
	return ledger.Site{ProjectID: p.ProjectID, Format: p.Format, PackageKey: p.Key, VersionKey: versionKey}
}

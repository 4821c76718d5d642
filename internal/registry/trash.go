package registry

import (
	"context"
	"time"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/policy"
	"packhouse/internal/store"
)

// Loner is implemented by a format in which a name belongs to one project below a
// top-level group, unless the group's settings allow duplicates.
type Loner interface{ Alone() bool }

// Retention is how long what was deleted stays in the trash; 0 means that nothing is
// there to be brought back.
func (r *Registry) Retention() time.Duration { return r.options.Retention }

// Trash lists what was deleted in some projects and can still be brought back, what
// was deleted last first, at most limit. The filter's Since is set.
func (r *Registry) Trash(ctx context.Context, f store.TrashFilter, limit int) (list []store.Trashed, err error) {
	f.Since = r.trashBegins()
	err = r.store.View(ctx, func(tx *store.Tx) (err error) {
		list, err = tx.Trash(ctx, f, limit)
		return err
	})
	return list, err
}

// TrashItem is what one deletion took from a project. packhouse.NotFound: nothing of
// that id is in its trash, or its time is over.
func (r *Registry) TrashItem(ctx context.Context, projectID, id int64) (item *store.Trashed, err error) {
	err = r.store.View(ctx, func(tx *store.Tx) (err error) {
		item, err = r.trashItem(ctx, tx, projectID, id)
		return err
	})
	return item, err
}

// trashBegins is the time at which what can be brought back was deleted at the
// earliest.
func (r *Registry) trashBegins() time.Time { return r.now().Add(-r.options.Retention) }

// Restore brings back everything that one deletion took, all or nothing: ids, times
// and with them the index documents are as they were. A tag stays where it was
// pointed meanwhile.
//
// packhouse.NotFound: nothing of that id is in the project's trash, or its time is
// over. packhouse.Conflict: something of it was published again. packhouse.Forbidden:
// the package is protected from being pushed by the actor, or another project has
// taken the name.
func (h *Hosted) Restore(ctx context.Context, id int64) (item *store.Trashed, err error) {
	err = h.registry.store.Update(ctx, func(tx *store.Tx) (err error) {
		if item, err = h.registry.trashItem(ctx, tx, h.projectID, id); err != nil {
			return err
		}
		return h.restore(ctx, tx, item)
	})
	return item, err
}

func (h *Hosted) restore(ctx context.Context, tx *store.Tx, item *store.Trashed) error {
	if err := h.guardTrashed(ctx, tx, policy.Push, item); err != nil {
		return err
	}
	of := *h
	of.format = item.Package.Format
	if err := of.alone(ctx, tx, &Draft{PackageKey: item.Package.Key}); err != nil {
		return err
	}
	return tx.Restore(ctx, h.by, item)
}

// PurgeTrash gives up for good the bytes of what one deletion took. Its name, version
// and digests stay known. packhouse.NotFound: as Restore. packhouse.Forbidden: the
// package is protected from being deleted by the actor.
func (h *Hosted) PurgeTrash(ctx context.Context, id int64) error {
	var keys []string
	err := h.registry.store.Update(ctx, func(tx *store.Tx) error {
		item, err := h.registry.trashItem(ctx, tx, h.projectID, id)
		if err != nil {
			return err
		}
		if err := h.guardTrashed(ctx, tx, policy.Delete, item); err != nil {
			return err
		}
		keys, err = tx.PurgeTrash(ctx, h.by, item)
		return err
	})
	if err != nil {
		return err
	}
	for _, key := range keys {
		h.registry.drop(ctx, blob.Key(key)) // what fails is an orphan, which Sweep finds
	}
	return nil
}

// trashItem finds what is in a project's trash and not too old.
func (r *Registry) trashItem(ctx context.Context, tx *store.Tx, projectID, id int64) (*store.Trashed, error) {
	item, err := tx.TrashItem(ctx, projectID, id)
	if err == nil && !item.DeletedAt.After(r.trashBegins()) {
		return nil, packhouse.Errorf(packhouse.NotFound, "404 Trash Item Not Found")
	}
	return item, err
}

// guardTrashed asks the rules about every version that the deletion took.
func (h *Hosted) guardTrashed(ctx context.Context, tx *store.Tx, verb policy.Verb, item *store.Trashed) error {
	if item.Kind == store.TrashFile {
		return h.guard(verb, &item.Package, item.Version, item.Version)
	}
	versions, err := tx.TrashedVersions(ctx, item.ID)
	if err != nil {
		return err
	}
	for i := range versions {
		if err := h.guard(verb, &item.Package, versions[i].Number, versions[i].Key); err != nil {
			return err
		}
	}
	return nil
}

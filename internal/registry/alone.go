package registry

import (
	"context"
	"fmt"

	"packhouse"
	"packhouse/internal/policy"
	"packhouse/internal/store"
)

// alone refuses a Draft whose name another project below the same top-level group
// has already, if the format wants it alone there and the settings do not allow
// otherwise. It runs in the transaction of the publish, and there is one at a time.
func (h *Hosted) alone(ctx context.Context, tx *store.Tx, d *Draft) error {
	if !h.registry.options.Alone[h.format] {
		return nil
	}
	directory := h.registry.options.Directory
	set := directory.Duplicates(h.projectID, h.format)
	if set.Allowed == nil {
		set.Allowed = new(bool)
	}
	if allowed, err := policy.MayDuplicate(set, d.PackageKey, d.VersionKey); err != nil || allowed {
		return err
	}
	homes, err := tx.Homes(ctx, h.format, d.PackageKey)
	if err != nil {
		return err
	}
	own := packhouse.Target{Level: packhouse.Project, ID: h.projectID}
	for _, id := range homes {
		other := packhouse.Target{Level: packhouse.Project, ID: id}
		if id == h.projectID || !directory.SameRoot(own, other) {
			continue
		}
		switch _, err := tx.Package(ctx, id, h.format, d.PackageKey); {
		case packhouse.KindOf(err) == packhouse.NotFound && err != nil:
			continue // nothing of it is there any more
		case err != nil:
			return err
		}
		return h.taken(other)
	}
	return nil
}

// taken names the project that has the name to those who may read it.
func (h *Hosted) taken(other packhouse.Target) error {
	e := &packhouse.Error{
		Kind: packhouse.Forbidden, Rule: "duplicates", Message: "403 Forbidden - A package with the same name already exists in the namespace",
		Fix: "publish under another name, or have an Owner of the group allow duplicates in its package settings (" + h.format + "_duplicates_allowed)",
	}
	d := h.registry.options.Directory
	if len(d.Reader(h.actor, packhouse.Target{Level: packhouse.Instance}).Among([]int64{other.ID})) > 0 {
		e.Fix = fmt.Sprintf("it is in the project %s; %s", d.PathOf(other), e.Fix)
	}
	return e
}

package registry

import (
	"context"
	"slices"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/policy"
	"packhouse/internal/store"
)

// tagBatch is how many tags are read, and untagBatch how many are taken away, in one
// transaction, so that nobody waits long behind a repository of many.
const tagBatch, untagBatch = 1000, 200

// UntagMany takes away the tags that are chosen from all of the repository, and says
// how many they were. A tag that is pushed meanwhile stays. Manifests are not looked
// at: what no tag needs any more goes with the collector. It may stop half-way with
// an error, and be run again.
//
// packhouse.NotFound: there is no such repository. packhouse.Forbidden: a rule keeps
// it from the actor; tags that one keeps stay.
func (h *HostedRepository) UntagMany(ctx context.Context, choice ImageTags) (removed int, err error) {
	if err := h.MayDelete(); err != nil {
		return 0, err
	}
	place, chosen, err := h.choose(ctx, choice)
	if err != nil {
		return 0, err
	}
	for len(chosen) > 0 {
		batch := chosen[:min(untagBatch, len(chosen))]
		chosen = chosen[len(batch):]
		var n int
		err := h.registry.store.Update(ctx, func(tx *store.Tx) (err error) {
			n, err = h.untag(ctx, tx, place, batch)
			return err
		})
		if err != nil {
			return removed, err
		}
		removed += n
	}
	return removed, nil
}

// choose returns the tags that go, without those that a rule keeps.
func (h *HostedRepository) choose(ctx context.Context, choice ImageTags) (place ledger.Place, chosen []packhouse.ImageTag, err error) {
	place, tags, err := h.allTags(ctx)
	if err != nil {
		return place, nil, err
	}
	var rules *policy.Tags
	err = h.registry.store.View(ctx, func(tx *store.Tx) (err error) {
		rules, err = h.tagRules(ctx, tx)
		return err
	})
	chosen = choice.Choose(tags, h.registry.now())
	return place, slices.DeleteFunc(chosen, func(t packhouse.ImageTag) bool { return rules.Keeps(t.Name) }), err
}

// untag takes tags away that are still what they were when they were chosen, and that
// no rule made since keeps.
func (h *HostedRepository) untag(ctx context.Context, tx *store.Tx, place ledger.Place, tags []packhouse.ImageTag) (n int, err error) {
	rules, err := h.tagRules(ctx, tx)
	if err != nil {
		return 0, err
	}
	for _, t := range tags {
		if rules.Keeps(t.Name) {
			continue
		}
		is, err := tx.ImageTag(ctx, place.RepositoryID, t.Name)
		if packhouse.KindOf(err) == packhouse.NotFound {
			continue
		}
		if err != nil {
			return 0, err
		}
		if is.PartID != t.PartID || !is.PushedAt.Equal(t.PushedAt) {
			continue
		}
		if _, err := tx.Append(ctx, h.by, &ledger.ImageTagRemove{Place: place, Name: t.Name}); err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// allTags reads the tags of the repository, a page at a time.
func (h *HostedRepository) allTags(ctx context.Context) (place ledger.Place, tags []packhouse.ImageTag, err error) {
	place = ledger.Place{ProjectID: h.projectID, Repository: h.name}
	for after := ""; ; after = tags[len(tags)-1].Name {
		var page []packhouse.ImageTag
		err := h.registry.store.View(ctx, func(tx *store.Tx) error {
			r, err := tx.Repository(ctx, h.projectID, h.name)
			if err != nil {
				return err
			}
			place.RepositoryID = r.ID
			page, err = tx.ImageTags(ctx, r.ID, after, tagBatch)
			return err
		})
		if err != nil {
			return place, nil, err
		}
		if tags = append(tags, page...); len(page) < tagBatch {
			return place, tags, nil
		}
	}
}

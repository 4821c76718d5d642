package registry

import (
	"context"
	"strings"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/policy"
	"packhouse/internal/store"
)

// MayPush asks the rules whether the actor may push to the repository, whatever the
// tag. packhouse.Forbidden: the repository is protected, or the actor is a job that
// was trusted with others.
func (h *HostedRepository) MayPush() error { return h.may(policy.Push) }

// MayDelete asks the rules whether the actor may delete from the repository. Errors
// are as of MayPush.
func (h *HostedRepository) MayDelete() error { return h.may(policy.Delete) }

func (h *HostedRepository) may(verb policy.Verb) error {
	full := strings.ToLower(h.registry.options.Directory.PathOf(packhouse.Target{Level: packhouse.Project, ID: h.projectID}))
	if h.name != "" {
		full += "/" + h.name
	}
	return h.guard(verb, &packhouse.Package{Format: h.format, Key: h.name, Name: full}, "", "")
}

// tagRules reads the rules about tags in the transaction that they are asked in. As
// there is one that writes at a time, a tag that a rule made immutable does not move
// between the answer and the change, whichever node it comes from.
func (h *HostedRepository) tagRules(ctx context.Context, tx *store.Tx) (*policy.Tags, error) {
	rules, err := tx.TagProtections(ctx, h.projectID)
	if err != nil || len(rules) == 0 {
		return nil, err
	}
	return policy.NewTags(rules, h.actor, h.role())
}

// Untag takes a tag away, and nothing else. packhouse.NotFound: there is none.
// packhouse.Forbidden: a rule keeps it.
func (h *HostedRepository) Untag(ctx context.Context, name string) error {
	return h.change(ctx, func(tx *store.Tx, place ledger.Place) error {
		if _, err := tx.ImageTag(ctx, place.RepositoryID, name); err != nil {
			return err
		}
		rules, err := h.tagRules(ctx, tx)
		if err != nil {
			return err
		}
		if err := rules.Delete(name); err != nil {
			return err
		}
		_, err = tx.Append(ctx, h.by, &ledger.ImageTagRemove{Place: place, Name: name})
		return err
	})
}

// Clear ends all that is in the repository. The bytes go later.
//
// packhouse.NotFound: there is no such repository. packhouse.Forbidden: a rule keeps
// it, or one of its tags.
func (h *HostedRepository) Clear(ctx context.Context) error {
	return h.change(ctx, func(tx *store.Tx, place ledger.Place) error {
		if err := h.free(ctx, tx, place.RepositoryID); err != nil {
			return err
		}
		_, err := tx.Append(ctx, h.by, &ledger.RepositoryClear{Place: place})
		return err
	})
}

// free refuses when a rule keeps one of the tags of a repository.
func (h *HostedRepository) free(ctx context.Context, tx *store.Tx, repositoryID int64) error {
	rules, err := h.tagRules(ctx, tx)
	if err != nil || rules == nil {
		return err
	}
	for after := ""; ; {
		tags, err := tx.ImageTags(ctx, repositoryID, after, tagBatch)
		if err != nil {
			return err
		}
		for _, t := range tags {
			after = t.Name
			if err := rules.Delete(t.Name); err != nil {
				return err
			}
		}
		if len(tags) < tagBatch {
			return nil
		}
	}
}

// freeTags refuses when a rule keeps one of the tags of a manifest.
func (h *HostedRepository) freeTags(ctx context.Context, tx *store.Tx, partID int64) error {
	rules, err := h.tagRules(ctx, tx)
	if err != nil || rules == nil {
		return err
	}
	names, err := tx.TagsOf(ctx, partID)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := rules.Delete(name); err != nil {
			return err
		}
	}
	return nil
}

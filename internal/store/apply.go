package store

import (
	"context"
	"fmt"

	"packhouse/internal/ledger"
)

// apply changes the tables as an entry says. It uses nothing but the entry and
// the tables, so applying the same entries to an empty store gives the same
// tables again.
func (tx *Tx) apply(ctx context.Context, entry ledger.Entry) error {
	switch e := entry.Event.(type) {
	case *ledger.UserPut:
		return tx.applyUserPut(ctx, e)
	case *ledger.NamespacePut:
		return tx.applyNamespacePut(ctx, e)
	case *ledger.ProjectPut:
		return tx.applyProjectPut(ctx, e)
	case *ledger.MemberPut:
		return tx.applyMemberPut(ctx, e)
	case *ledger.MemberRemove:
		return tx.applyMemberRemove(ctx, e)
	case *ledger.SharePut:
		return tx.applySharePut(ctx, e)
	case *ledger.ShareRemove:
		return tx.applyShareRemove(ctx, e)
	case *ledger.UserRemove:
		return tx.applyUserRemove(ctx, e)
	case *ledger.NamespaceRemove:
		return tx.applyNamespaceRemove(ctx, e)
	case *ledger.ProjectRemove:
		return tx.applyProjectRemove(ctx, entry, e)
	case *ledger.TokenPut:
		return tx.applyTokenPut(ctx, e)
	case *ledger.AdmissionPut:
		return tx.applyAdmissionPut(ctx, e)
	case *ledger.AdmissionRemove:
		return tx.applyAdmissionRemove(ctx, e)
	case *ledger.SettingsPut:
		return tx.applySettingsPut(ctx, e)
	case *ledger.PasswordSet:
		return nil // the hash is not the ledger's
	case *ledger.IdentityPut:
		return tx.applyIdentityPut(ctx, e)
	case *ledger.PublisherPut:
		return tx.applyPublisherPut(ctx, e)
	case *ledger.PublisherRemove:
		return tx.applyPublisherRemove(ctx, e)
	case *ledger.ProtectionPut:
		return tx.applyProtectionPut(ctx, e)
	case *ledger.ProtectionRemove:
		return tx.applyProtectionRemove(ctx, e)
	case *ledger.Publish:
		return tx.applyPublish(ctx, entry, e)
	case *ledger.StatusChange:
		return tx.applyStatusChange(ctx, entry, e)
	case *ledger.MetadataPut:
		return tx.applyMetadataPut(ctx, entry, e)
	case *ledger.VersionDelete:
		return tx.applyVersionDelete(ctx, entry, e)
	case *ledger.FileDelete:
		return tx.applyFileDelete(ctx, entry, e)
	case *ledger.TagPut:
		return tx.applyTagPut(ctx, entry, e)
	case *ledger.TagRemove:
		return tx.applyTagRemove(ctx, entry, e)
	case *ledger.Purge:
		return tx.applyPurge(ctx, entry, e)
	case *ledger.Restore:
		return tx.applyRestore(ctx, entry, e)
	case *ledger.TrashPurge:
		return tx.applyTrashPurge(ctx, entry, e)
	case *ledger.CleanupBegin:
		return tx.applyCleanupBegin(ctx, entry, e)
	case *ledger.CleanupEnd:
		return tx.applyCleanupEnd(ctx, entry, e)
	case *ledger.RepositoryPut:
		return tx.applyRepositoryPut(ctx, entry, e)
	case *ledger.RepositoryClear:
		return tx.applyRepositoryClear(ctx, entry, e)
	case *ledger.PartPut:
		return tx.applyPartPut(ctx, entry, e)
	case *ledger.PartDigest:
		return tx.change(ctx, missingPart, `UPDATE parts SET sha512 = $2 WHERE id = $1 AND until_seq IS NULL`, e.ID, e.SHA512)
	case *ledger.PartDelete:
		return tx.applyPartDelete(ctx, entry, e)
	case *ledger.ImageTagPut:
		return tx.applyImageTagPut(ctx, entry, e)
	case *ledger.ImageTagRemove:
		return tx.applyImageTagRemove(ctx, entry, e)
	case *ledger.PartPurge:
		return tx.applyPartPurge(ctx, entry, e)
	}
	return fmt.Errorf("store: no table for event %q", entry.Event.Verb())
}

// Replay applies entries that another store wrote, as they are: same numbers,
// times and ids. They must follow directly on this store's ledger. The bytes of
// files, download counters and jobs are no part of it.
func (tx *Tx) Replay(ctx context.Context, entries []ledger.Entry) error {
	for _, e := range entries {
		if e.Seq != tx.heads.seq+1 {
			return fmt.Errorf("store: entry %d does not follow on %d", e.Seq, tx.heads.seq)
		}
		if err := tx.write(ctx, e); err != nil {
			return fmt.Errorf("replay entry %d (%s): %w", e.Seq, e.Event.Verb(), err)
		}
	}
	return nil
}

package ledger

import "fmt"

// Deletion says which deletion an event is part of. What one deletion has ended
// lies in the trash as one, under the number of the deletion's first entry.
type Deletion struct {
	TrashID int64 `json:"trash_id,omitempty"` // 0: this entry is the first, or the only one
	RunID   int64 `json:"run_id,omitempty"`   // of the cleanup that deletes; 0: somebody does
}

// The events of the trash.
type (
	// Restore brings back everything that a deletion has ended: versions, files,
	// and those tags whose names nothing has taken meanwhile. Ids, times and the
	// order of everything are as they were.
	Restore struct {
		Site              // VersionKey is empty
		TrashID   int64   `json:"trash_id"`
		PackageID int64   `json:"package_id"`
		Versions  []int64 `json:"version_ids"` // that it changes
	}
	// TrashPurge gives up the bytes of what a deletion has ended, before its time
	// is over. As after Purge, the rows stay.
	TrashPurge struct {
		Site            // VersionKey is empty
		TrashID int64   `json:"trash_id"`
		FileIDs []int64 `json:"file_ids"`
	}
)

var (
	verbRestore    = register[Restore]("trash.restore")
	verbTrashPurge = register[TrashPurge]("trash.purge")
)

// Verb implements Event.
func (*Restore) Verb() string { return verbRestore }

// Verb implements Event.
func (*TrashPurge) Verb() string { return verbTrashPurge }

// Object implements Event.
func (e *Restore) Object() string { return fmt.Sprintf("%s/trash/%d", e.packagePath(), e.TrashID) }

// Object implements Event.
func (e *TrashPurge) Object() string { return fmt.Sprintf("%s/trash/%d", e.packagePath(), e.TrashID) }

func (s Site) packagePath() string {
	return fmt.Sprintf("projects/%d/%s/%s", s.ProjectID, s.Format, s.PackageKey)
}

package ledger

import (
	"fmt"
)

// Cleanup says what of the packages of a project, or of all projects below a group,
// is deleted from time to time.
type Cleanup struct {
	Enabled bool   `json:"enabled"` // it runs by itself
	Cadence string `json:"cadence"` // how often: 1d, 7d, 14d, 1month, 3month
	// KeepCopies is how many files of one name a version keeps, the newest; 0 for all
	// (GitLab's keep_n_duplicated_package_files).
	KeepCopies int           `json:"keep_n_duplicated_package_files,omitempty"`
	Rules      []CleanupRule `json:"rules"`
}

// CleanupRule chooses versions to delete: those for which all that it says holds,
// apart from those that it keeps. Expressions are RE2 and match the whole. Spans of
// time are written 12h, 30d or 1month; "" says nothing.
type CleanupRule struct {
	Name             string   `json:"name"`
	Formats          []string `json:"package_types,omitempty"` // none: all
	Names            string   `json:"name_regex,omitempty"`
	NamesKept        string   `json:"name_regex_keep,omitempty"`
	Versions         string   `json:"version_regex,omitempty"`
	VersionsKept     string   `json:"version_regex_keep,omitempty"`
	Prerelease       bool     `json:"prerelease_only,omitempty"`
	KeepN            int      `json:"keep_n_versions,omitempty"` // the newest of each name that stay
	OlderThan        string   `json:"older_than,omitempty"`
	NotDownloadedFor string   `json:"not_downloaded_for,omitempty"`
	NeverDownloaded  bool     `json:"never_downloaded,omitempty"`
}

// The events of cleanups.
type (
	// CleanupBegin begins a run, whose id is the number of this entry. What it
	// deletes follows, with that id.
	CleanupBegin struct {
		ProjectID int64 `json:"project_id"`
		PreviewID int64 `json:"preview_id,omitempty"` // whose list it works off; 0: it made its own
		Planned   int64 `json:"planned"`              // how much is on the list
	}
	// CleanupEnd says what a run has done.
	CleanupEnd struct {
		ProjectID int64            `json:"project_id"`
		RunID     int64            `json:"run_id"`
		Versions  int64            `json:"versions"`
		Files     int64            `json:"files"`
		Bytes     int64            `json:"bytes"`
		Skipped   []CleanupSkipped `json:"skipped,omitempty"`
	}
	// CleanupSkipped is something on the list that was left, because it is not
	// what it was.
	CleanupSkipped struct {
		VersionID int64  `json:"package_id"`
		FileID    int64  `json:"package_file_id,omitempty"`
		Why       string `json:"reason"`
	}
)

var (
	verbCleanupBegin = register[CleanupBegin]("cleanup.begin")
	verbCleanupEnd   = register[CleanupEnd]("cleanup.end")
)

// Verb implements Event.
func (*CleanupBegin) Verb() string { return verbCleanupBegin }

// Verb implements Event.
func (*CleanupEnd) Verb() string { return verbCleanupEnd }

// Object implements Event.
func (e *CleanupBegin) Object() string { return fmt.Sprintf("projects/%d/cleanup", e.ProjectID) }

// Object implements Event.
func (e *CleanupEnd) Object() string {
	return fmt.Sprintf("projects/%d/cleanup/%d", e.ProjectID, e.RunID)
}

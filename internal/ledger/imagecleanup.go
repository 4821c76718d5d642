package ledger

import "time"

// ImageCleanup is a cleanup policy of GitLab's: which tags of a project's container
// images go by themselves, and how often.
type ImageCleanup struct {
	Enabled   bool   `json:"enabled"`
	Cadence   string `json:"cadence"`              // a word of Cadences
	KeepN     int    `json:"keep_n,omitempty"`     // how many of those that match stay, the newest; 0 for none
	OlderThan string `json:"older_than,omitempty"` // "90d": those that are younger stay; "" for none
	Delete    string `json:"delete"`               // RE2 for whole names
	Keep      string `json:"keep,omitempty"`       // RE2 for whole names that stay; "" for none
	// SavedAt is when it was changed last. Runs are counted from then on.
	SavedAt time.Time `json:"saved_at"`
}

const day = 24 * time.Hour

// Cadences are how often a policy may run. A month has 30 days.
var Cadences = map[string]time.Duration{"1d": day, "7d": 7 * day, "14d": 14 * day, "1month": 30 * day, "3month": 90 * day}

// NewImageCleanup is the policy of a project where nobody has said anything, as in
// GitLab.
func NewImageCleanup() *ImageCleanup {
	return &ImageCleanup{Cadence: "1d", KeepN: 10, OlderThan: "90d", Delete: ".*"}
}

// Every is how long it is from one run to the next.
func (c *ImageCleanup) Every() time.Duration {
	if every, known := Cadences[c.Cadence]; known {
		return every
	}
	return day
}

// NextRun is when it runs next after a time; zero for never.
func (c *ImageCleanup) NextRun(now time.Time) time.Time {
	if !c.Enabled {
		return time.Time{}
	}
	passed := max(0, now.Sub(c.SavedAt))
	return c.SavedAt.Add((passed/c.Every() + 1) * c.Every())
}

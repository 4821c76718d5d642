package directory

import (
	"slices"

	"packhouse"
	"packhouse/internal/ledger"
)

// Cleanup returns the cleanup policy that holds in a project, and where it was made:
// the nearest one, at the project or group by group upwards. It is nil where there is
// none, and must not be changed.
func (d *Directory) Cleanup(projectID int64) (c *ledger.Cleanup, from packhouse.Target) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	d.upwards(place{packhouse.Project, projectID}, func(at place) {
		if set := d.settings[at].Cleanup; c == nil && set != nil {
			c, from = set, packhouse.Target{Level: at.level, ID: at.id}
		}
	})
	return c, from
}

// CleanedProjects lists the projects in which a cleanup runs by itself, in the order
// of their ids. What is archived or marked for deletion is left alone.
func (d *Directory) CleanedProjects() (ids []int64) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for id, p := range d.projects {
		var c *ledger.Cleanup
		d.upwards(place{packhouse.Project, id}, func(at place) {
			if set := d.settings[at].Cleanup; c == nil {
				c = set
			}
		})
		if c != nil && c.Enabled && !p.Archived && p.DeletedAt.IsZero() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

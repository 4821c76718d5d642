package directory

import (
	"packhouse"
	"packhouse/internal/ledger"
)

// Settings returns the package settings that were made at a target itself.
func (d *Directory) Settings(t packhouse.Target) ledger.Settings {
	d.mu.RLock()
	defer d.mu.RUnlock()
	s := d.settings[placeOf(t)]
	s.Target = packhouse.Target{Level: t.Level, ID: t.ID}
	return s
}

// Duplicates returns the duplicates setting of a format that holds in a
// project. Each half is the nearest one set explicitly: at the project, then
// group by group upwards, then at the instance. What is nil is set nowhere.
func (d *Directory) Duplicates(projectID int64, format string) ledger.Duplicates {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var found ledger.Duplicates
	take := func(at place) {
		set := d.settings[at].Duplicates[format]
		if found.Allowed == nil {
			found.Allowed = set.Allowed
		}
		if found.Except == nil {
			found.Except = set.Except
		}
	}
	at := place{packhouse.Project, projectID}
	take(at)
	for above := d.above(at); above != 0; above = d.above(at) {
		at = place{packhouse.Group, above}
		take(at)
	}
	take(place{level: packhouse.Instance})
	return found
}

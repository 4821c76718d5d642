package directory

import (
	"slices"

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
	d.upwards(place{packhouse.Project, projectID}, take)
	return found
}

// Flag returns the setting of a format that holds at a project or group: the nearest
// one set explicitly, from there upwards. What is set nowhere is false.
func (d *Directory) Flag(t packhouse.Target, name string) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var set, value bool
	d.upwards(placeOf(t), func(at place) {
		if v, ok := d.settings[at].Flags[name]; ok && !set {
			set, value = true, v
		}
	})
	return value
}

// Refusing returns the nearest place, from a target upwards, whose settings do not
// admit a format; nil when all do.
func (d *Directory) Refusing(t packhouse.Target, format string) *packhouse.Target {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var refusing *packhouse.Target
	d.upwards(placeOf(t), func(at place) {
		if list := d.settings[at].Formats; refusing == nil && list != nil && !slices.Contains(list, format) {
			refusing = &packhouse.Target{Level: at.level, ID: at.id, Path: d.pathOf(at)}
		}
	})
	return refusing
}

// Above lists a place and what is above it, the instance last.
func (d *Directory) Above(t packhouse.Target) (all []packhouse.Target) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	d.upwards(placeOf(t), func(at place) {
		all = append(all, packhouse.Target{Level: at.level, ID: at.id, Path: d.pathOf(at)})
	})
	return all
}

// upwards visits a place, group by group what is above it, and the instance.
func (d *Directory) upwards(at place, visit func(place)) {
	visit(at)
	for above := d.above(at); above != 0; above = d.above(at) {
		at = place{packhouse.Group, above}
		visit(at)
	}
	if at.level != packhouse.Instance {
		visit(place{level: packhouse.Instance})
	}
}

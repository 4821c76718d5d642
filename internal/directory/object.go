package directory

import (
	"time"

	"packhouse"
	"packhouse/internal/authz"
)

// Object looks up everything that a decision about an actor and a target needs.
// A target that does not exist, or that Resolve did not find, gives an Object
// that does not exist.
func (d *Directory) Object(who packhouse.Actor, t packhouse.Target) authz.Object {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.object(who, t, d.options.Now())
}

func (d *Directory) object(who packhouse.Actor, t packhouse.Target, now time.Time) authz.Object {
	o := authz.Object{
		Target: t, Bound: true, Admits: true,
		AnyonePull: d.Instance().AnyonePull, PackagesDisabled: d.options.PackagesDisabled,
	}
	switch t.Level {
	case packhouse.Instance:
		o.Exists, o.Bound = true, who.Bound.Level == 0
		return o
	case packhouse.Group:
		n := d.namespaces[t.ID]
		if n == nil {
			return o
		}
		o.Exists, o.Visibility, o.Deleting = true, n.Visibility, d.deleting(placeOf(t))
		if b := d.below[t.ID]; b != nil {
			o.MemberBelow, o.OpenBelow = who.UserID != 0 && (b.member(who.UserID, now) || d.invitedBelow(b, who.UserID, now)), b.open > 0
		}
	case packhouse.Project:
		p := d.projects[t.ID]
		if p == nil {
			return o
		}
		o.Exists, o.Visibility, o.Registry, o.Archived = true, p.Visibility, p.Registry, p.Archived
		o.Images = imagesOf(p.Features["container_registry_access_level"])
		o.Deleting = d.deleting(placeOf(t))
		if who.Job != nil {
			o.Admits = d.admits(who.Job.ProjectID, t.ID)
		}
	}
	at := placeOf(t)
	o.Bound = who.Bound.Level == 0 || d.within(at, placeOf(who.Bound))
	o.GuestsPull = d.guestsPull(at)
	if who.UserID != 0 {
		o.Role = d.role(who.UserID, at, now)
	}
	return o
}

// imagesOf reads who is let into the container registry of a project. It is on
// where nothing was said, and what is not known is for members.
func imagesOf(level string) packhouse.RegistryAccess {
	switch level {
	case "", "enabled":
		return packhouse.RegistryEnabled
	case "disabled":
		return packhouse.RegistryDisabled
	}
	return packhouse.RegistryPrivate
}

// deleting reports whether a place, or what it is in, is marked for deletion.
func (d *Directory) deleting(at place) bool {
	if p := d.projects[at.id]; at.level == packhouse.Project && p != nil && !p.DeletedAt.IsZero() {
		return true
	}
	if at.level == packhouse.Group && !d.namespaces[at.id].DeletedAt.IsZero() {
		return true
	}
	for group := range d.groupsAbove(at) {
		if n := d.namespaces[group]; n != nil && !n.DeletedAt.IsZero() {
			return true
		}
	}
	return false
}

// invitedBelow reports whether something below a group is shared with a group
// that a user is a member of.
func (d *Directory) invitedBelow(b *below, userID int64, now time.Time) bool {
	for group := range b.shared {
		if d.membership(userID, place{packhouse.Group, group}, now) > packhouse.NoAccess {
			return true
		}
	}
	return false
}

// counts reports whether what ends at a time still counts.
func counts(end, now time.Time) bool { return end.IsZero() || now.Before(end) }

// membership is the strongest role by membership at a place or above, shares
// aside.
func (d *Directory) membership(userID int64, at place, now time.Time) packhouse.Role {
	strongest := packhouse.NoAccess
	for {
		if m, ok := d.members[at][userID]; ok && counts(m.ExpiresAt, now) {
			strongest = max(strongest, m.Role)
		}
		above := d.above(at)
		if above == 0 {
			return strongest
		}
		at = place{packhouse.Group, above}
	}
}

// role is the strongest role that a user has at a place, by membership there or
// above, by a share with a group that they are a member of, or as the owner of
// the personal namespace that it is in. What has run out does not count, and the
// members of an invited group do not bring along groups invited to that.
func (d *Directory) role(userID int64, at place, now time.Time) packhouse.Role {
	strongest := packhouse.NoAccess
	for {
		if m, ok := d.members[at][userID]; ok && counts(m.ExpiresAt, now) {
			strongest = max(strongest, m.Role)
		}
		for group, s := range d.shares[at] {
			if s.Role > strongest && counts(s.ExpiresAt, now) {
				strongest = max(strongest, min(s.Role, d.membership(userID, place{packhouse.Group, group}, now)))
			}
		}
		if at.level == packhouse.Group && d.namespaces[at.id] != nil && d.namespaces[at.id].UserID == userID {
			return packhouse.Owner
		}
		above := d.above(at)
		if above == 0 {
			return strongest
		}
		at = place{packhouse.Group, above}
	}
}

// within reports whether a place is another one or below it.
func (d *Directory) within(at, outer place) bool {
	for at != outer {
		above := d.above(at)
		if above == 0 {
			return false
		}
		at = place{packhouse.Group, above}
	}
	return true
}

// admits reports whether a project's allowlist lets in the jobs of another
// (GitLab: CI/CD job token allowlist). A project always admits its own.
func (d *Directory) admits(source, target int64) bool {
	if source == target || d.projects[target].OpenToJobs && !d.Instance().AllowlistEnforced {
		return true
	}
	list := d.admissions[target]
	if len(list) == 0 {
		return false
	}
	at := place{packhouse.Project, source}
	for {
		if list[at] {
			return true
		}
		above := d.above(at)
		if above == 0 {
			return false
		}
		at = place{packhouse.Group, above}
	}
}

// guestsPull is the setting of the top-level group, else of the instance, else
// the switch that the server was started with.
func (d *Directory) guestsPull(at place) bool {
	top := at
	for group := range d.groupsAbove(at) {
		top = place{packhouse.Group, group}
	}
	for _, at := range [...]place{top, {level: packhouse.Instance}} {
		if set := d.settings[at].GuestsPull; at.level != packhouse.Project && set != nil {
			return *set
		}
	}
	return d.options.GuestsPull
}

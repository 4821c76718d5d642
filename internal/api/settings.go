package api

import (
	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/ledger"
)

// The package settings of a group or project: GitLab keeps them in GraphQL; the
// names are its own. null means inherited from above.

func (a *API) settingsEndpoints() []endpoint {
	return []endpoint{
		get(project, "/package_settings", authz.ManageProject, a.getSettings, "Show the package settings of a project"),
		put(project, "/package_settings", authz.ManageProject, a.putSettings, "Change the package settings of a project", a.settingsParams()...),
		get(group, "/package_settings", authz.ReadGroup, a.getSettings, "Show the package settings of a group"),
		put(group, "/package_settings", authz.OwnGroup, a.putSettings, "Change the package settings of a group",
			with(a.settingsParams(), text("guest_can_pull_private", "true lets Guests pull from private projects; top-level groups only"))...),
	}
}

func (a *API) settingsParams() []param {
	var all []param
	for _, format := range a.Formats {
		all = append(all, text(format+"_duplicates_allowed", `true, false, or "inherit" to follow what is above`),
			text(format+"_duplicate_exception_regex", `names and versions for which the answer is the other one; RE2, or "inherit"`))
	}
	return all
}

func (a *API) getSettings(q *request) (any, error) {
	return a.settings(a.Directory.Settings(q.Target)), nil
}

func (a *API) settings(s ledger.Settings) object {
	o := object{"guest_can_pull_private": s.GuestsPull}
	for _, format := range a.Formats {
		d := s.Duplicates[format]
		o[format+"_duplicates_allowed"] = d.Allowed
		o[format+"_duplicate_exception_regex"] = d.Except
	}
	return o
}

// putSettings changes the settings that are given; the word "inherit" unsets one.
func (a *API) putSettings(q *request) (any, error) {
	a.changingSettings.Lock()
	defer a.changingSettings.Unlock()
	s := a.Directory.Settings(q.Target)
	duplicates := map[string]ledger.Duplicates{}
	for _, format := range a.Formats {
		d := s.Duplicates[format]
		if err := optionalFlag(q, format+"_duplicates_allowed", &d.Allowed); err != nil {
			return nil, err
		}
		if name := format + "_duplicate_exception_regex"; q.params.has(name) {
			d.Except = nil
			if expr := q.params.text(name); expr != inherit {
				d.Except = &expr
			}
		}
		duplicates[format] = d
	}
	s.Duplicates = duplicates
	if err := a.putGuestsPull(q, &s); err != nil {
		return nil, err
	}
	if err := a.Changes.PutSettings(q.Context(), q.By, s); err != nil {
		return nil, err
	}
	return a.settings(s), nil
}

// putGuestsPull changes the one setting that holds for a top-level group and all
// below it, and that nothing below can change.
func (a *API) putGuestsPull(q *request, s *ledger.Settings) error {
	const name = "guest_can_pull_private"
	if q.params.has(name) && (q.Target.Level != packhouse.Group || a.Directory.Namespace(q.Target.ID).ParentID != 0) {
		return &packhouse.Error{Kind: packhouse.Invalid, Rule: "validation", Param: name, Message: "can be set on top-level groups only"}
	}
	return optionalFlag(q, name, &s.GuestsPull)
}

// inherit unsets a setting, so that the one above holds. JSON null cannot say
// so, because clients send it for what they do not mean to change.
const inherit = "inherit"

func optionalFlag(q *request, name string, into **bool) error {
	if !q.params.has(name) {
		return nil
	}
	if q.params.text(name) == inherit {
		*into = nil
		return nil
	}
	v, err := q.params.flag(name, false)
	*into = &v
	return err
}

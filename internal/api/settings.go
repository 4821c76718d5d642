package api

import (
	"maps"
	"slices"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/ledger"
)

// The package settings of a group or project: GitLab keeps them in GraphQL; the
// names are its own. null means inherited from above.

var effective = text("effective", "true shows what holds here, and where that was set, in place of what was set here")

func (a *API) settingsEndpoints() []endpoint {
	return []endpoint{
		get(project, "/package_settings", authz.ManageProject, a.getSettings, "Show the package settings of a project", effective),
		put(project, "/package_settings", authz.ManageProject, a.putSettings, "Change the package settings of a project", a.settingsParams()...),
		get(group, "/package_settings", authz.ReadGroup, a.getSettings, "Show the package settings of a group", effective),
		put(group, "/package_settings", authz.OwnGroup, a.putSettings, "Change the package settings of a group",
			with(a.settingsParams(), text("guest_can_pull_private", "true lets Guests pull from private projects; top-level groups only"))...),
	}
}

func (a *API) settingsParams() []param {
	all := []param{text(allowedFormats, `formats that may be published here and below, with commas between; "inherit" admits all that is admitted above`)}
	for _, format := range a.Formats {
		all = append(all, text(format+"_duplicates_allowed", `true, false, or "inherit" to follow what is above`),
			text(format+"_duplicate_exception_regex", `names and versions for which the answer is the other one; RE2, or "inherit"`))
	}
	for _, f := range a.Flags {
		all = append(all, text(f.Name, `true: `+f.Doc+`; false, or "inherit" to follow what is above`))
	}
	return all
}

// allowedFormats is the setting of which formats a place admits.
const allowedFormats = "allowed_package_formats"

func (a *API) getSettings(q *request) (any, error) {
	if holds, err := q.params.flag("effective", false); err != nil || holds {
		return a.effective(q.Target), err
	}
	return a.settings(a.Directory.Settings(q.Target)), nil
}

func (a *API) settings(s ledger.Settings) object {
	o := object{"guest_can_pull_private": s.GuestsPull, allowedFormats: s.Formats}
	for _, format := range a.Formats {
		d := s.Duplicates[format]
		o[format+"_duplicates_allowed"] = d.Allowed
		o[format+"_duplicate_exception_regex"] = d.Except
	}
	for _, f := range a.Flags {
		o[f.Name] = nil
		if v, set := s.Flags[f.Name]; set {
			o[f.Name] = v
		}
	}
	return o
}

// putSettings changes the settings that are given; the word "inherit" unsets one.
func (a *API) putSettings(q *request) (any, error) {
	s, err := a.Changes.UpdateSettings(q.Context(), q.By, q.Target, func(s *ledger.Settings) error {
		duplicates := maps.Clone(s.Duplicates)
		if duplicates == nil {
			duplicates = map[string]ledger.Duplicates{}
		}
		for _, format := range a.Formats {
			d := duplicates[format]
			if err := optionalFlag(q, format+"_duplicates_allowed", &d.Allowed); err != nil {
				return err
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
		if err := a.putFlags(q, s); err != nil {
			return err
		}
		if err := a.putFormats(q, s); err != nil {
			return err
		}
		return a.putGuestsPull(q, s)
	})
	if err != nil {
		return nil, err
	}
	return a.settings(s), nil
}

// putFormats changes which formats are admitted.
func (a *API) putFormats(q *request, s *ledger.Settings) error {
	list := q.params.list(allowedFormats)
	switch {
	case len(list) == 0:
		return nil
	case q.params.text(allowedFormats) == inherit:
		s.Formats = nil
		return nil
	}
	known := append([]string{ledger.Images}, a.Formats...)
	for _, format := range list {
		if !slices.Contains(known, format) {
			return packhouse.InvalidParam(allowedFormats, "does not have a valid value")
		}
	}
	slices.Sort(list)
	s.Formats = slices.Compact(list)
	return nil
}

// effective shows each setting as it holds in a place, and where it was made.
func (a *API) effective(t packhouse.Target) object {
	all := object{}
	for _, at := range a.Directory.Above(t) {
		for name, value := range a.settings(a.Directory.Settings(at)) {
			if _, known := all[name]; !known && !unset(value) {
				all[name] = object{"value": value, "level": at.Level.String(), "id": at.ID, "full_path": at.Path}
			}
		}
	}
	for _, format := range a.Formats {
		if name := format + "_duplicates_allowed"; all[name] == nil {
			all[name] = object{"value": true, "level": "default"}
		}
	}
	if admitted := a.formatsAdmitted(t); len(admitted) <= len(a.Formats) {
		all[allowedFormats] = object{"value": admitted}
	}
	return all
}

// formatsAdmitted lists the formats that a place and all above it admit.
func (a *API) formatsAdmitted(t packhouse.Target) (all []string) {
	for _, format := range append([]string{ledger.Images}, a.Formats...) {
		if a.Directory.Refusing(t, format) == nil {
			all = append(all, format)
		}
	}
	return all
}

// unset reports whether a setting is not made.
func unset(value any) bool {
	switch v := value.(type) {
	case *bool:
		return v == nil
	case *string:
		return v == nil
	case []string:
		return v == nil
	}
	return value == nil
}

// putFlags changes the settings that one format alone has.
func (a *API) putFlags(q *request, s *ledger.Settings) error {
	flags := map[string]bool{}
	maps.Copy(flags, s.Flags)
	for _, f := range a.Flags {
		var v *bool
		if err := optionalFlag(q, f.Name, &v); err != nil {
			return err
		}
		switch {
		case v != nil:
			flags[f.Name] = *v
		case q.params.has(f.Name):
			delete(flags, f.Name)
		}
	}
	s.Flags = flags
	return nil
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

package api

import (
	"fmt"
	"slices"
	"strings"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/ledger"
)

// Package protection rules (https://docs.gitlab.com/api/project_packages_protection_rules/).
// Beyond GitLab's they exist for groups, for versions, and by where a push comes
// from.

// maxProtections bounds the rules of one group or project: every push asks all.
const maxProtections = 200

// levels are the words for the least role.
var levels = map[string]packhouse.Role{
	"maintainer": packhouse.Maintainer, "owner": packhouse.Owner, "admin": admins,
}

// admins is above every role that a member can have: administrators are not asked
// for theirs.
const admins packhouse.Role = 60

func (a *API) protectionEndpoints() []endpoint {
	const all, one = "/packages/protection/rules", "/packages/protection/rules/{rule_id}"
	fields := []param{
		text("package_name_pattern", "names, * for any run of characters"),
		text("package_version_pattern", "versions, in the same way; all when absent"),
		word("package_type", "format", slices.Concat(packageTypes, a.Formats)...),
		word("minimum_access_level_for_push", "the least that may push", "maintainer", "owner", "admin"),
		word("minimum_access_level_for_delete", "the least that may delete", "owner", "admin", "maintainer"),
		word("push_only_from", "whose jobs may push", string(ledger.FromProtectedRefs), string(ledger.FromTrustedPublishers)),
	}
	made := slices.Clone(fields)
	made[0], made[2] = made[0].must(), made[2].must()
	var list []endpoint
	for _, level := range []packhouse.Level{project, group} {
		manage := authz.ManageProject
		if level == group {
			manage = authz.OwnGroup
		}
		where := " of a " + level.String()
		list = append(list,
			get(level, all, manage, a.listProtections, "List the package protection rules"+where, paged...),
			post(level, all, manage, a.createProtection, "Protect packages"+where, made...),
			patch(level, one, manage, a.updateProtection, "Change a package protection rule"+where+"; null clears a level", fields...),
			remove(level, one, manage, a.removeProtection, "Remove a package protection rule"+where))
	}
	return list
}

func (a *API) protection(p *ledger.Protection) object {
	o := object{
		"id": p.ID, p.Target.Level.String() + "_id": p.Target.ID, "package_type": p.Format,
		"package_name_pattern": p.Packages, "package_version_pattern": orNull(p.Versions),
		"push_only_from": orNull(string(p.From)),
	}
	showLevels(o, p)
	return o
}

// showLevels puts the words for the least roles into what is shown of a rule.
func showLevels(o object, p *ledger.Protection) {
	o["minimum_access_level_for_push"], o["minimum_access_level_for_delete"] = nil, nil
	for word, role := range levels {
		if p.Push == role {
			o["minimum_access_level_for_push"] = word
		}
		if p.Delete == role {
			o["minimum_access_level_for_delete"] = word
		}
	}
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func (a *API) listProtections(q *request) (any, error) {
	list := a.protections(q, ledger.ProtectsPackages)
	return q.page(len(list), func(i int) any { return a.protection(list[i]) })
}

// protections lists the rules of a kind that were made at the target.
func (a *API) protections(q *request, kind ledger.ProtectionKind) (list []*ledger.Protection) {
	for _, p := range a.Directory.Protections(q.Target) {
		if p.Kind == kind {
			list = append(list, p)
		}
	}
	return list
}

const missingProtection = "404 Package protection rule Not Found"

func (a *API) createProtection(q *request) (any, error) {
	if err := a.roomForRule(q); err != nil {
		return nil, err
	}
	p := ledger.Protection{Target: packhouse.Target{Level: q.Target.Level, ID: q.Target.ID}}
	if err := protectionParams(q.params, &p); err != nil {
		return nil, err
	}
	made, err := a.Changes.CreateProtection(q.Context(), q.By, p)
	if err != nil {
		return nil, unsavable(err)
	}
	return a.protection(made), nil
}

func (a *API) roomForRule(q *request) error {
	if len(a.Directory.Protections(q.Target)) < maxProtections {
		return nil
	}
	return &packhouse.Error{
		Kind: packhouse.Unsavable, Rule: "limit", Message: fmt.Sprintf("there are %d protection rules here, which is the most", maxProtections),
		Fix: "remove one, or make one for the group above",
	}
}

func (a *API) updateProtection(q *request) (any, error) {
	id, err := q.id("rule_id", missingProtection)
	if err != nil {
		return nil, err
	}
	p, err := a.Changes.UpdateProtection(q.Context(), q.By, q.Target, ledger.ProtectsPackages, id, func(p *ledger.Protection) error {
		return protectionParams(q.params, p)
	})
	if err != nil {
		return nil, unsavable(missing(missingProtection, err))
	}
	return a.protection(p), nil
}

func (a *API) removeProtection(q *request) (any, error) {
	id, err := q.id("rule_id", missingProtection)
	if err != nil {
		return nil, err
	}
	agree := func(*ledger.Protection) error { return nil }
	return nil, missing(missingProtection, a.Changes.RemoveProtection(q.Context(), q.By, q.Target, ledger.ProtectsPackages, id, agree))
}

// missing says in GitLab's words that something is not there.
func missing(words string, err error) error {
	if packhouse.KindOf(err) == packhouse.NotFound {
		return packhouse.Errorf(packhouse.NotFound, "%s", words)
	}
	return err
}

// unsavable is GitLab's status for a pattern that is there already.
func unsavable(err error) error {
	if packhouse.KindOf(err) == packhouse.Conflict {
		return packhouse.Errorf(packhouse.Unsavable, "Package name pattern has already been taken")
	}
	return err
}

// levelParams takes over the levels that are given; null and an empty text clear one.
func levelParams(given params, p *ledger.Protection) {
	for name, into := range map[string]*packhouse.Role{
		"minimum_access_level_for_push": &p.Push, "minimum_access_level_for_delete": &p.Delete,
	} {
		if given.has(name) || given.cleared(name) {
			*into = levels[given.text(name)]
		}
	}
}

// protectionParams takes over the parameters that are given; null and an empty text
// clear what may be absent.
func protectionParams(given params, p *ledger.Protection) error {
	if err := given.short("package_name_pattern", "package_version_pattern"); err != nil {
		return err
	}
	if name := given.text("package_name_pattern"); name != "" {
		p.Packages = name
	}
	if format := given.text("package_type"); format != "" {
		p.Format = format
	}
	from := string(p.From)
	for name, into := range map[string]*string{"package_version_pattern": &p.Versions, "push_only_from": &from} {
		if given.has(name) || given.cleared(name) {
			*into = given.text(name)
		}
	}
	p.From = ledger.Origin(from)
	levelParams(given, p)
	switch {
	case p.Push == packhouse.NoAccess && p.Delete == packhouse.NoAccess && p.From == "":
		e := packhouse.Errorf(packhouse.Unsavable, "A rule must have at least a minimum access role for push or delete.")
		e.Fix = "set minimum_access_level_for_push, minimum_access_level_for_delete or push_only_from"
		return e
	case strings.ContainsFunc(p.Packages+p.Versions, func(c rune) bool { return c <= ' ' || c == 0x7f }):
		return packhouse.Errorf(packhouse.Unsavable, "Package name pattern should be a valid package name with optional wildcard characters.")
	}
	return nil
}

package api

import (
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/ledger"
)

// The protection rules of the container registry
// (https://docs.gitlab.com/api/container_repository_protection_rules/ and
// https://docs.gitlab.com/api/container_registry_protection_tag_rules/). Beyond
// GitLab's REST API rules that make tags immutable are made and listed here too.

func (a *API) imageProtectionEndpoints() []endpoint {
	const (
		repositories, tags      = "/registry/protection/repository/rules", "/registry/protection/tag/rules"
		repositoryRule, tagRule = repositories + "/{rule_id}", tags + "/{rule_id}"
	)
	level := []string{"maintainer", "owner", "admin"}
	levels := []param{
		word("minimum_access_level_for_push", "the least that may push", level...),
		word("minimum_access_level_for_delete", "the least that may delete", level...),
	}
	path := text("repository_path_pattern", "names of repositories from the project's path on, * for any run of characters")
	tag := text("tag_name_pattern", "RE2, found anywhere in a tag")
	immutable := flag("immutable", "true: what is tagged stays so, for everybody; needs Owner, and no levels")
	return []endpoint{
		get(project, repositories, authz.ManageProject, a.listRepositoryRules, "List the protection rules of repositories of container images"),
		post(project, repositories, authz.ManageProject, a.createRepositoryRule, "Protect repositories of container images", with(levels, path.must())...),
		patch(project, repositoryRule, authz.ManageProject, a.updateRepositoryRule, "Change a protection rule of repositories; an empty text clears a level", with(levels, path)...),
		remove(project, repositoryRule, authz.ManageProject, a.removeRepositoryRule, "Remove a protection rule of repositories"),
		get(project, tags, authz.ManageProject, a.listTagRules, "List the protection rules of tags of container images",
			flag("include_immutable", "true lists those that make tags immutable as well")),
		post(project, tags, authz.ManageProject, a.createTagRule, "Protect tags of container images", with(levels, tag.must(), immutable)...).at(a.whoseTagRule),
		patch(project, tagRule, authz.ManageProject, a.updateTagRule, "Change a protection rule of tags", with(levels, tag)...),
		remove(project, tagRule, authz.ManageProject, a.removeTagRule, "Remove a protection rule of tags").at(a.whoseTagRule),
	}
}

const (
	missingRepositoryRule = "404 Container Registry Protection Rule Not Found"
	missingTagRule        = "404 Container Registry Tag Protection Rule Not Found"
)

// whoseTagRule: what is immutable is so for Maintainers too, and so only Owners say
// what is.
func (a *API) whoseTagRule(q *request) (packhouse.Target, authz.Action, error) {
	immutable, _ := q.params.flag("immutable", false) // what is neither is refused later
	if id, ok := parseID(q.Arg("rule_id")); ok {
		for _, p := range a.protections(q, ledger.ProtectsTags) {
			immutable = immutable || p.ID == id && p.Immutable
		}
	}
	if immutable {
		return q.Target, authz.OwnProject, nil
	}
	return q.Target, authz.ManageProject, nil
}

// unsaved is the refusal of a rule, in GitLab's shape.
func unsaved(message, fix string) error {
	return &packhouse.Error{Kind: packhouse.Unsavable, Rule: "validation", Message: message, Fix: fix}
}

func (a *API) imageRules(q *request, kind ledger.ProtectionKind, immutable bool) (any, error) {
	list := []any{}
	for _, p := range a.protections(q, kind) {
		if !p.Immutable || immutable {
			list = append(list, a.imageRule(q, p))
		}
	}
	return list, nil
}

func (a *API) imageRule(q *request, p *ledger.Protection) object {
	o := object{"id": p.ID, "project_id": p.Target.ID}
	if p.Kind == ledger.ProtectsRepositories {
		o["repository_path_pattern"] = a.imagesPath(q) + p.Packages
	} else {
		o["tag_name_pattern"] = p.Packages
	}
	if showLevels(o, p); p.Immutable {
		o["immutable"] = true
	}
	return o
}

// imagesPath is what the names of the project's images begin with.
func (a *API) imagesPath(q *request) string { return strings.ToLower(a.Directory.PathOf(q.Target)) }

// makeImageRule saves a new rule that take reads from the parameters.
func (a *API) makeImageRule(q *request, kind ledger.ProtectionKind, take func(*request, *ledger.Protection) error, pattern string) (any, error) {
	p := ledger.Protection{Target: packhouse.Target{Level: q.Target.Level, ID: q.Target.ID}, Kind: kind, Format: ledger.Images}
	if err := take(q, &p); err != nil {
		return nil, err
	}
	made, err := a.Changes.CreateProtection(q.Context(), q.By, p)
	if err != nil {
		return nil, takenPattern(pattern, err)
	}
	return a.imageRule(q, made), nil
}

// changeImageRule saves what take reads from the parameters.
func (a *API) changeImageRule(q *request, kind ledger.ProtectionKind, take func(*request, *ledger.Protection) error, pattern, absent string) (any, error) {
	id, err := q.id("rule_id", absent)
	if err != nil {
		return nil, err
	}
	p, err := a.Changes.UpdateProtection(q.Context(), q.By, q.Target, kind, id, func(p *ledger.Protection) error { return take(q, p) })
	if err != nil {
		return nil, takenPattern(pattern, missing(absent, err))
	}
	return a.imageRule(q, p), nil
}

// takenPattern is GitLab's word for a pattern that is there already, and its shape for
// what cannot be saved.
func takenPattern(name string, err error) error {
	e := packhouse.AsError(err)
	if e.Kind == packhouse.Conflict {
		return unsaved(name+" has already been taken", "change the rule that has it")
	}
	if e.Kind == packhouse.Unsavable {
		return unsaved(e.Message, e.Fix)
	}
	return err
}

// endImageRule ends a rule, unless it has changed since the client saw it.
func (a *API) endImageRule(q *request, kind ledger.ProtectionKind, absent string) error {
	id, err := q.id("rule_id", absent)
	if err != nil {
		return err
	}
	since, err := http.ParseTime(q.Header.Get("If-Unmodified-Since"))
	asked := err == nil // what is no date is no condition (RFC 9110, 13.1.4)
	return missing(absent, a.Changes.RemoveProtection(q.Context(), q.By, q.Target, kind, id, func(p *ledger.Protection) error {
		if asked && p.UpdatedAt.Truncate(time.Second).After(since) {
			return packhouse.Errorf(packhouse.Precondition, "412 Precondition Failed")
		}
		return nil
	}))
}

func (a *API) listRepositoryRules(q *request) (any, error) {
	return a.imageRules(q, ledger.ProtectsRepositories, false)
}

const repositoryPattern = "Repository path pattern"

func (a *API) createRepositoryRule(q *request) (any, error) {
	if err := a.roomForRule(q); err != nil {
		return nil, takenPattern("", err)
	}
	return a.makeImageRule(q, ledger.ProtectsRepositories, a.repositoryRuleParams, repositoryPattern)
}

func (a *API) updateRepositoryRule(q *request) (any, error) {
	return a.changeImageRule(q, ledger.ProtectsRepositories, a.repositoryRuleParams, repositoryPattern, missingRepositoryRule)
}

func (a *API) removeRepositoryRule(q *request) (any, error) {
	return nil, a.endImageRule(q, ledger.ProtectsRepositories, missingRepositoryRule)
}

// repositoryPatterns are what follows the project's path in a pattern.
var repositoryPatterns = regexp.MustCompile(`\A(?:[/*][a-z0-9._/*-]*)?\z`)

func (a *API) repositoryRuleParams(q *request, p *ledger.Protection) error {
	const name = "repository_path_pattern"
	if err := q.params.short(name); err != nil {
		return err
	}
	if pattern := q.params.text(name); pattern != "" {
		rest, ok := strings.CutPrefix(strings.ToLower(pattern), a.imagesPath(q))
		if !ok || !repositoryPatterns.MatchString(rest) {
			return unsaved("Repository path pattern should be a valid container repository path with optional wildcard characters. and should start with the project's full path",
				"begin it with "+a.imagesPath(q))
		}
		p.Packages = rest
	}
	levelParams(q.params, p)
	if p.Push == packhouse.NoAccess && p.Delete == packhouse.NoAccess {
		return unsaved("A rule must have at least a minimum access role for push or delete.",
			"set minimum_access_level_for_push or minimum_access_level_for_delete")
	}
	return nil
}

func (a *API) listTagRules(q *request) (any, error) {
	immutable, err := q.params.flag("include_immutable", false)
	if err != nil {
		return nil, err
	}
	return a.imageRules(q, ledger.ProtectsTags, immutable)
}

const tagPattern = "Tag name pattern"

func (a *API) createTagRule(q *request) (any, error) {
	immutable, err := q.params.flag("immutable", false)
	if err != nil {
		return nil, err
	}
	return a.makeImageRule(q, ledger.ProtectsTags, func(q *request, p *ledger.Protection) error {
		p.Immutable = immutable
		return tagRuleParams(q, p)
	}, tagPattern)
}

func (a *API) updateTagRule(q *request) (any, error) {
	return a.changeImageRule(q, ledger.ProtectsTags, func(q *request, p *ledger.Protection) error {
		if p.Immutable {
			return unsaved("A rule that makes tags immutable cannot be changed.", "remove it and make another one")
		}
		return tagRuleParams(q, p)
	}, tagPattern, missingTagRule)
}

func (a *API) removeTagRule(q *request) (any, error) {
	return nil, a.endImageRule(q, ledger.ProtectsTags, missingTagRule)
}

func tagRuleParams(q *request, p *ledger.Protection) error {
	if pattern := q.params.text("tag_name_pattern"); pattern != "" {
		if utf8.RuneCountInString(pattern) > ledger.MaxTagPattern {
			return unsaved("Tag name pattern is too long (maximum is 100 characters)", "shorten it")
		}
		if _, err := ledger.CompileTags(pattern); err != nil {
			return unsaved("Tag name pattern not valid RE2 syntax", packhouse.AsError(err).Message)
		}
		p.Packages = pattern
	}
	levelParams(q.params, p)
	switch levels := p.Push != packhouse.NoAccess || p.Delete != packhouse.NoAccess; {
	case p.Immutable && levels:
		return unsaved("A rule that makes tags immutable has no minimum access roles.", "leave them out, or leave out immutable")
	case !p.Immutable && (p.Push == packhouse.NoAccess || p.Delete == packhouse.NoAccess):
		return unsaved("A rule must have a minimum access role for push and for delete.",
			"set minimum_access_level_for_push and minimum_access_level_for_delete, or immutable")
	}
	return nil
}

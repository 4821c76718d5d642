package api

import (
	"math"
	"regexp"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/registry"
)

// untagParams are those of GitLab's bulk deletion of tags
// (https://docs.gitlab.com/api/container_registry/).
func untagParams() []param {
	return []param{
		text("name_regex_delete", "RE2, matched against whole names: the tags that go"),
		text("name_regex", "the old name of name_regex_delete"),
		text("name_regex_keep", "RE2, matched against whole names: the tags that stay all the same"),
		number("keep_n", "how many of those that match stay, the newest first"),
		text("older_than", "how long ago a tag was pushed at least: 1h, 7d, 1month"),
	}
}

// removeImageTags takes away all tags that the parameters choose. It is done when it
// answers, and there is no hour to wait until the next time.
func (a *API) removeImageTags(q *request) (any, error) {
	choice, err := imageTagChoice(q.params)
	if err != nil {
		return nil, err
	}
	repo, err := a.hostedRepository(q)
	if err != nil {
		return nil, err
	}
	_, err = repo.UntagMany(q.Context(), choice)
	return true, err
}

func imageTagChoice(p params) (c registry.ImageTags, err error) {
	name := "name_regex_delete"
	if p.text(name) == "" {
		name = "name_regex"
	}
	if p.text(name) == "" {
		return c, &packhouse.Error{Kind: packhouse.Invalid, Message: "name_regex_delete, name_regex are missing, at least one parameter must be provided"}
	}
	if c.Delete, err = wholeName(p, name); err != nil {
		return c, err
	}
	if c.Keep, err = wholeName(p, "name_regex_keep"); err != nil {
		return c, err
	}
	n, err := p.number("keep_n", 0)
	if err != nil || n < 0 || n > math.MaxInt32 {
		return c, packhouse.InvalidParam("keep_n", "is invalid")
	}
	c.KeepN = int(n)
	if age := p.text("older_than"); age != "" {
		if c.OlderThan, err = registry.ParseAge(age); err != nil {
			return c, packhouse.InvalidParam("older_than", "is invalid")
		}
	}
	return c, nil
}

// wholeName compiles an expression that has to match a whole name; nil when it was
// not given.
func wholeName(p params, name string) (*regexp.Regexp, error) {
	re, err := ledger.CompileExcept(p.text(name))
	if err != nil {
		return nil, packhouse.InvalidParam(name, "is an invalid regexp: "+packhouse.AsError(err).Message)
	}
	return re, nil
}

package api

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/registry"
	"packhouse/internal/store"
)

// Cleanup policies of container images
// (https://docs.gitlab.com/api/projects/#container_expiration_policy_attributes).
// Beyond GitLab's they can be tried, and say what their last run did.

// cleanupAttributes is what the parameters of a policy are nested in, with a project.
const cleanupAttributes = "container_expiration_policy_attributes"

var (
	keptTags = []string{"1", "5", "10", "25", "50", "100"}
	tagAges  = []string{"7d", "14d", "30d", "60d", "90d"}
)

// within is the name of a parameter, which may be nested in another one.
func within(outer, name string) string {
	if outer == "" {
		return name
	}
	return outer + "[" + name + "]"
}

// imageCleanupParams are the parameters of a policy, nested as they are in a project or not.
func imageCleanupParams(outer string) []param {
	list := []param{
		word(within(outer, "keep_n"), "how many tags of those that match stay, the newest first", keptTags...),
		word(within(outer, "older_than"), "how long ago a tag was pushed at least", tagAges...),
		text(within(outer, "name_regex"), "the old name of name_regex_delete"),
		text(within(outer, "name_regex_delete"), "RE2, matched against whole names: the tags that go"),
		text(within(outer, "name_regex_keep"), "RE2, matched against whole names: the tags that stay all the same"),
	}
	if outer == "" {
		return list
	}
	return append(list,
		flag(within(outer, "enabled"), "true has tags of container images go by themselves"),
		word(within(outer, "cadence"), "how often", slices.Sorted(maps.Keys(ledger.Cadences))...))
}

// takeCleanup takes over the parameters of a policy that are given. What is saved is
// saved anew, as in GitLab, so that the next run is a whole cadence away.
func takeCleanup(given params, p *ledger.Project) error {
	asked := false
	for _, d := range imageCleanupParams(cleanupAttributes) {
		asked = asked || given.has(d.name) || given.cleared(d.name)
	}
	if !asked {
		return nil
	}
	c := ledger.NewImageCleanup()
	if p.ImageCleanup != nil {
		*c = *p.ImageCleanup // the record in memory is shared
	}
	if err := cleanupValues(given, cleanupAttributes, c); err != nil {
		return err
	}
	enabled, err := given.flag(within(cleanupAttributes, "enabled"), c.Enabled)
	if err != nil {
		return err
	}
	if cadence := given.text(within(cleanupAttributes, "cadence")); cadence != "" {
		c.Cadence = cadence
	}
	c.Enabled, c.SavedAt = enabled, time.Now().UTC().Truncate(time.Microsecond)
	p.ImageCleanup = c
	return nil
}

// cleanupValues takes over what says which tags go; null and an empty text clear what
// may be absent.
func cleanupValues(given params, outer string, c *ledger.ImageCleanup) error {
	changed := func(name string) bool { return given.has(name) || given.cleared(name) }
	if name := within(outer, "keep_n"); changed(name) {
		c.KeepN, _ = strconv.Atoi(given.text(name)) // one of the words, or none
	}
	if name := within(outer, "older_than"); changed(name) {
		c.OlderThan = given.text(name)
	}
	for _, name := range []string{within(outer, "name_regex"), within(outer, "name_regex_delete")} {
		if !given.has(name) {
			continue
		}
		if _, err := wholeName(given, name); err != nil {
			return err
		}
		if c.Delete = given.text(name); c.Delete == "" {
			return &packhouse.Error{Kind: packhouse.Invalid, Rule: "validation", Param: "container_expiration_policy.name_regex", Message: "can't be blank"}
		}
	}
	if name := within(outer, "name_regex_keep"); changed(name) {
		if _, err := wholeName(given, name); err != nil {
			return err
		}
		c.Keep = given.text(name)
	}
	return nil
}

// cleanup is what is shown of a policy, or of that of a project that has none.
func cleanup(c *ledger.ImageCleanup) object {
	if c == nil {
		c = ledger.NewImageCleanup()
	}
	o := object{
		"cadence": c.Cadence, "enabled": c.Enabled, "keep_n": nil, "older_than": orNull(c.OlderThan), "name_regex": c.Delete,
		"name_regex_delete": c.Delete, "name_regex_keep": orNull(c.Keep), "next_run_at": moment(c.NextRun(time.Now())),
	}
	if c.KeepN > 0 {
		o["keep_n"] = c.KeepN
	}
	return o
}

func (a *API) getImageCleanup(q *request) (any, error) {
	o := cleanup(a.Directory.Project(q.Target.ID).ImageCleanup)
	o["last_run"] = nil
	err := a.Store.View(q.Context(), func(tx *store.Tx) error {
		run, err := tx.ImageCleanup(q.Context(), q.Target.ID)
		if packhouse.KindOf(err) == packhouse.NotFound {
			return nil
		}
		if err == nil && !run.StartedAt.IsZero() {
			o["last_run"] = object{
				"started_at": stamp(run.StartedAt), "finished_at": moment(run.FinishedAt),
				"repositories_count": run.Repositories, "deleted_tags_count": run.Removed,
			}
		}
		return err
	})
	return o, err
}

// mostPreviewed bounds the tags that are shown of one repository.
const mostPreviewed = 1000

// previewImageCleanup chooses with the code that a run chooses with.
func (a *API) previewImageCleanup(q *request) (any, error) {
	page, perPage, err := q.window()
	if err != nil {
		return nil, err
	}
	c := ledger.NewImageCleanup()
	if saved := a.Directory.Project(q.Target.ID).ImageCleanup; saved != nil {
		*c = *saved
	}
	if err := cleanupValues(q.params, "", c); err != nil {
		return nil, err
	}
	choice, err := registry.ImageCleanupChoice(c)
	if err != nil {
		return nil, err
	}
	var found []packhouse.Repository
	total := 0
	err = a.Store.View(q.Context(), func(tx *store.Tx) (err error) {
		found, total, err = tx.RepositoriesOf(q.Context(), q.Target.ID, (page-1)*perPage, perPage)
		return err
	})
	if err != nil {
		return nil, err
	}
	q.pageHeaders(page, perPage, total)
	list := []any{}
	for i := range found {
		tags, err := a.Registry.Preview(q.Context(), found[i], choice)
		if err != nil {
			return nil, err
		}
		list = append(list, a.previewed(q, &found[i], tags))
	}
	return list, nil
}

func (a *API) previewed(q *request, r *packhouse.Repository, tags []packhouse.ImageTag) object {
	shown := []any{}
	for i := range tags[:min(len(tags), mostPreviewed)] {
		o := a.imageTag(q, r, &tags[i])
		o["pushed_at"] = stamp(tags[i].PushedAt)
		shown = append(shown, o)
	}
	path := a.imageName(r)
	return object{"id": r.ID, "name": r.Name, "path": path, "location": q.Base().Host + "/" + path, "deleted_tags_count": len(tags), "tags": shown}
}

package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/ledger"
	"packhouse/internal/registry"
	"packhouse/internal/store"
)

// Cleanup policies of packages. GitLab has the one field about files of one name, in
// GraphQL; its name is kept.

// copyCounts are GitLab's values of keep_n_duplicated_package_files.
var copyCounts = []string{"all", "1", "10", "20", "30", "40", "50"}

// cadences are how often a cleanup runs.
var cadences = []string{"1d", "7d", "14d", "1month", "3month"}

// maxCleanupRules bounds the rules of one policy.
const maxCleanupRules = 50

func (a *API) cleanupEndpoints() []endpoint {
	const path = "/packages/cleanup_policy"
	fields := []param{
		flag("enabled", "true has it run by itself"), word("cadence", "how often", cadences...),
		word("keep_n_duplicated_package_files", "how many files of one name a package keeps, the newest", copyCounts...),
		list("rules", "JSON objects that say which versions go; see docs/api.md"),
	}
	var all []endpoint
	for _, level := range []packhouse.Level{project, group} {
		manage := authz.ManageProject
		if level == group {
			manage = authz.OwnGroup
		}
		where := " of a " + level.String()
		all = append(all,
			get(level, path, manage, a.getCleanup, "Show the cleanup policy of packages"+where),
			put(level, path, manage, a.putCleanup, "Change the cleanup policy of packages"+where, fields...),
			remove(level, path, manage, a.removeCleanup, "Remove the cleanup policy of packages"+where+", so that the one above holds"))
	}
	return append(all,
		post(project, path+"/preview", authz.RemovePackages, a.previewCleanup, "List what a cleanup of packages would delete now, and keep the list for a day"),
		post(project, path+"/runs", authz.RemovePackages, a.runCleanup, "Delete the packages on a list of the preview",
			number("preview_id", "the list").must()),
		get(project, path+"/runs", authz.ManageProject, a.listCleanups, "List the cleanups of packages that were run, the last first",
			number("per_page", "how many on a page, 20 unless said otherwise and 100 at the most"), number("cursor", "where the page before ended")),
		post(project, path+"/runs/{run_id}/restore", authz.RestorePackages, a.restoreCleanup, "Bring back all that a cleanup of packages has deleted").answering(http.StatusOK))
}

// cleanup is the policy that holds at the request's target.
func (a *API) cleanup(q *request) (any, error) {
	c, from := a.Directory.Settings(q.Target).Cleanup, q.Target
	if q.Target.Level == packhouse.Project {
		c, from = a.Directory.Cleanup(q.Target.ID)
	}
	if c == nil {
		c, from = &ledger.Cleanup{}, q.Target
	}
	o := object{
		"enabled": c.Enabled, "cadence": cadences[0], "keep_n_duplicated_package_files": copyCounts[0],
		"rules": []ledger.CleanupRule{}, "next_run_at": nil, "inherited_from_group_id": nil,
	}
	if c.Cadence != "" {
		o["cadence"] = c.Cadence
	}
	if c.KeepCopies > 0 {
		o["keep_n_duplicated_package_files"] = itoa(int64(c.KeepCopies))
	}
	if c.Rules != nil {
		o["rules"] = c.Rules
	}
	if from.Level != q.Target.Level {
		o["inherited_from_group_id"] = from.ID
	}
	if q.Target.Level != packhouse.Project {
		return o, nil
	}
	next, err := a.Registry.NextCleanup(q.Context(), q.Target.ID)
	o["next_run_at"] = moment(next)
	return o, err
}

func (a *API) getCleanup(q *request) (any, error) { return a.cleanup(q) }

func (a *API) putCleanup(q *request) (any, error) {
	_, err := a.Changes.UpdateSettings(q.Context(), q.By, q.Target, func(s *ledger.Settings) error {
		c := ledger.Cleanup{Cadence: cadences[0], Rules: []ledger.CleanupRule{}}
		if s.Cleanup != nil {
			c = *s.Cleanup
		}
		if err := cleanupParams(q.params, &c); err != nil {
			return err
		}
		s.Cleanup = &c
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a.cleanup(q)
}

// cleanupParams takes over the parameters that are given.
func cleanupParams(given params, c *ledger.Cleanup) (err error) {
	if c.Enabled, err = given.flag("enabled", c.Enabled); err != nil {
		return err
	}
	if cadence := given.text("cadence"); cadence != "" {
		c.Cadence = cadence
	}
	if n := given.text("keep_n_duplicated_package_files"); n != "" {
		c.KeepCopies, _ = strconv.Atoi(n) // "all" is 0
	}
	if rules, ok := given["rules"]; ok {
		if c.Rules, err = cleanupRules(rules); err != nil {
			return err
		}
	}
	_, err = registry.NewCleanupChoice(c)
	return err
}

func cleanupRules(texts []string) ([]ledger.CleanupRule, error) {
	if len(texts) > maxCleanupRules {
		return nil, packhouse.InvalidParam("rules", fmt.Sprintf("has more than %d entries", maxCleanupRules))
	}
	rules := []ledger.CleanupRule{}
	for _, text := range texts {
		var rule ledger.CleanupRule
		d := json.NewDecoder(bytes.NewReader([]byte(text)))
		d.DisallowUnknownFields()
		if err := d.Decode(&rule); err != nil {
			return nil, &packhouse.Error{Kind: packhouse.Invalid, Param: "rules", Message: "rules is invalid", Err: err,
				Fix: "each rule is an object with the fields that docs/api.md names"}
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

func (a *API) removeCleanup(q *request) (any, error) {
	_, err := a.Changes.UpdateSettings(q.Context(), q.By, q.Target, func(s *ledger.Settings) error {
		s.Cleanup = nil
		return nil
	})
	return nil, err
}

func (a *API) previewCleanup(q *request) (any, error) {
	c, _ := a.Directory.Cleanup(q.Target.ID)
	if c == nil {
		return nil, packhouse.Errorf(packhouse.NotFound, "404 Cleanup Policy Not Found")
	}
	p, err := a.Registry.PreviewCleanup(q.Context(), q.Target.ID, c)
	if err != nil {
		return nil, err
	}
	items := []any{}
	for i := range p.Items {
		items = append(items, cleanupItem(&p.Items[i]))
	}
	files, size := p.Total()
	return object{
		"id": p.ID, "created_at": stamp(p.At), "count": len(items), "file_count": files, "size": size, "more": p.More, "items": items,
	}, nil
}

func cleanupItem(i *registry.CleanupItem) object {
	v := &i.Version
	o := object{
		"package_id": v.ID, "package_type": v.Package.Format, "name": v.Package.Name, "version": v.Number,
		"package_file_id": nil, "file_name": orNull(i.Path), "file_count": i.Files, "size": i.Bytes,
		"created_at": stamp(v.CreatedAt), "last_downloaded_at": moment(i.Downloaded), "reason": "rule " + strconv.Quote(i.Rule),
	}
	if i.FileID != 0 {
		o["package_file_id"], o["reason"] = i.FileID, "keep_n_duplicated_package_files"
	}
	return o
}

func (a *API) runCleanup(q *request) (any, error) {
	id, err := q.params.number("preview_id", 0)
	if err != nil {
		return nil, err
	}
	run, err := a.Registry.RunCleanup(q.Context(), q.By, q.Target.ID, id)
	if err != nil {
		return nil, err
	}
	return cleanupReport(run), nil
}

func cleanupReport(r *store.CleanupRun) object {
	o := object{
		"id": r.ID, "preview_id": nil, "planned_count": r.Planned, "started_at": stamp(r.BegunAt), "finished_at": moment(r.EndedAt),
		"package_count": r.Versions, "file_count": r.Files, "size": r.Bytes, "skipped": []ledger.CleanupSkipped{},
	}
	if r.PreviewID != 0 {
		o["preview_id"] = r.PreviewID
	}
	if r.Skipped != nil {
		o["skipped"] = r.Skipped
	}
	return o
}

func (a *API) listCleanups(q *request) (any, error) {
	before, err := q.params.number("cursor", 0)
	if err != nil {
		return nil, err
	}
	_, perPage, err := q.window()
	if err != nil {
		return nil, err
	}
	var runs []store.CleanupRun
	err = a.Store.View(q.Context(), func(tx *store.Tx) (err error) {
		runs, err = tx.CleanupRuns(q.Context(), q.Target.ID, before, perPage+1)
		return err
	})
	if err != nil {
		return nil, err
	}
	more := len(runs) > perPage
	runs = runs[:min(len(runs), perPage)]
	q.keysetHeaders(perPage, more, func(v url.Values) {
		v.Del("pagination")
		v.Set("cursor", fmt.Sprint(runs[len(runs)-1].ID))
	})
	list := []any{}
	for i := range runs {
		list = append(list, cleanupReport(&runs[i]))
	}
	return list, nil
}

func (a *API) restoreCleanup(q *request) (any, error) {
	id, err := q.id("run_id", "404 Cleanup Run Not Found")
	if err != nil {
		return nil, err
	}
	n, err := q.Hosted.RestoreRun(q.Context(), id)
	return object{"id": id, "restored_count": n}, err
}

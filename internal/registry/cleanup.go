package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/policy"
	"packhouse/internal/store"
)

const (
	// maxCleanup is how much one cleanup deletes at most; the next one takes the rest.
	maxCleanup = 2000
	// cleanupPage is how many packages are looked at in one transaction.
	cleanupPage = 50
)

// CleanupPreview is what a cleanup of a project would delete.
type CleanupPreview struct {
	ID     int64 `json:"-"`
	Policy ledger.Cleanup
	At     time.Time // by which ages were counted
	Items  []CleanupItem
	More   bool // there is more than one cleanup deletes
}

// Total is how much the preview is of.
func (p *CleanupPreview) Total() (files, bytes int64) {
	for _, i := range p.Items {
		files, bytes = files+i.Files, bytes+i.Bytes
	}
	return files, bytes
}

// cleaner is who a cleanup acts as: nobody, so that every protection holds. The format
// of packages is their own.
func (r *Registry) cleaner(projectID int64, format, requestID string) *Hosted {
	return r.Hosted(projectID, format, packhouse.Actor{}, ledger.By{Name: "cleanup policy", RequestID: requestID})
}

// PreviewCleanup lists what a cleanup of a project would delete now, and keeps the
// list for a day. Nothing else changes.
func (r *Registry) PreviewCleanup(ctx context.Context, projectID int64, c *ledger.Cleanup) (*CleanupPreview, error) {
	p, err := r.planCleanup(ctx, projectID, c)
	if err != nil {
		return nil, err
	}
	err = r.store.Update(ctx, func(tx *store.Tx) (err error) {
		p.ID, err = tx.AddCleanupPreview(ctx, projectID, p)
		return err
	})
	return p, err
}

func (r *Registry) planCleanup(ctx context.Context, projectID int64, c *ledger.Cleanup) (*CleanupPreview, error) {
	choice, err := NewCleanupChoice(c)
	if err != nil {
		return nil, err
	}
	// What was downloaded a moment ago is still in memory.
	if err := r.SaveDownloads(ctx); err != nil {
		return nil, err
	}
	p := &CleanupPreview{Policy: *c, At: r.now().UTC()}
	for after, more := int64(0), true; more && len(p.Items) <= maxCleanup; {
		err := r.store.View(ctx, func(tx *store.Tx) error {
			last, err := tx.NextPackages(ctx, projectID, after, cleanupPage)
			if err != nil || last == 0 {
				more = false
				return err
			}
			items, err := r.chooseIn(ctx, tx, projectID, after, last, choice, p.At)
			p.Items, after = append(p.Items, items...), last
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if p.More = len(p.Items) > maxCleanup; p.More {
		p.Items = p.Items[:maxCleanup]
	}
	return p, nil
}

// chooseIn chooses among packages with ids in a range, package by package.
func (r *Registry) chooseIn(ctx context.Context, tx *store.Tx, projectID, after, last int64, choice *CleanupChoice, at time.Time) (items []CleanupItem, err error) {
	rows, err := tx.CleanupRows(ctx, projectID, after, last)
	if err != nil {
		return nil, err
	}
	copies, err := tx.CleanupCopies(ctx, projectID, after, last)
	if err != nil {
		return nil, err
	}
	cleaner := r.cleaner(projectID, "", "")
	protected := func(v *packhouse.Version) bool {
		return cleaner.guard(policy.Delete, &v.Package, v.Number, v.Key) != nil
	}
	of, copiesOf := map[int64][]store.CleanupRow{}, map[int64][]store.CleanupCopy{}
	var ids []int64
	for _, row := range rows {
		id := row.Version.Package.ID
		ids, of[id] = append(ids, id), append(of[id], row)
	}
	for _, c := range copies {
		id := c.Version.Package.ID
		ids, copiesOf[id] = append(ids, id), append(copiesOf[id], c)
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		items = append(items, choice.Choose(of[id], copiesOf[id], protected, at)...)
	}
	return items, nil
}

// RunCleanup deletes what is on a list that PreviewCleanup has kept, on behalf of by.
// What would not be chosen any more, because it or what is beside it has changed, is
// left. It may be stopped half-way with an error; what it has deleted is in the trash
// under the number of the run.
//
// packhouse.NotFound: the project has no such list, any more.
func (r *Registry) RunCleanup(ctx context.Context, by ledger.By, projectID, previewID int64) (*store.CleanupRun, error) {
	p := &CleanupPreview{ID: previewID}
	err := r.store.View(ctx, func(tx *store.Tx) error { return tx.CleanupPreview(ctx, projectID, previewID, p) })
	if err != nil {
		return nil, err
	}
	return r.runCleanup(ctx, by, projectID, p)
}

func (r *Registry) runCleanup(ctx context.Context, by ledger.By, projectID int64, p *CleanupPreview) (*store.CleanupRun, error) {
	choice, err := NewCleanupChoice(&p.Policy)
	if err == nil {
		err = r.SaveDownloads(ctx) // as in planCleanup
	}
	if err != nil {
		return nil, err
	}
	run := &cleanupRun{registry: r, hosted: r.cleaner(projectID, "", by.RequestID), choice: choice, at: p.At}
	end := &run.end
	end.ProjectID = projectID
	begin := &ledger.CleanupBegin{ProjectID: projectID, PreviewID: p.ID, Planned: int64(len(p.Items))}
	err = r.store.Update(ctx, func(tx *store.Tx) (err error) {
		end.RunID, err = tx.Append(ctx, by, begin)
		return err
	})
	if err != nil {
		return nil, err
	}
	for items := p.Items; len(items) > 0; {
		n := 1 // of one package they stand together
		for n < len(items) && items[n].Version.Package.ID == items[0].Version.Package.ID {
			n++
		}
		if err := run.clean(ctx, items[:n]); err != nil {
			return nil, err
		}
		items = items[n:]
	}
	var report []store.CleanupRun
	err = r.store.Update(ctx, func(tx *store.Tx) (err error) {
		if _, err = tx.Append(ctx, by, end); err != nil {
			return err
		}
		report, err = tx.CleanupRuns(ctx, projectID, end.RunID+1, 1)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &report[0], nil
}

// cleanupRun is a cleanup under way.
type cleanupRun struct {
	registry *Registry
	hosted   *Hosted
	choice   *CleanupChoice
	at       time.Time
	end      ledger.CleanupEnd
}

// clean deletes those items of one package that are chosen still, in one transaction.
func (c *cleanupRun) clean(ctx context.Context, items []CleanupItem) error {
	var end ledger.CleanupEnd
	pkg := items[0].Version.Package.ID
	err := c.registry.store.Update(ctx, func(tx *store.Tx) error {
		end = c.end
		end.Skipped = slices.Clone(c.end.Skipped)
		again, err := c.registry.chooseIn(ctx, tx, c.hosted.projectID, pkg-1, pkg, c.choice, c.at)
		if err != nil {
			return err
		}
		chosen := map[[2]int64]bool{}
		for i := range again {
			chosen[again[i].key()] = true
		}
		for i := range items {
			item := &items[i]
			if !chosen[item.key()] {
				end.Skipped = append(end.Skipped, ledger.CleanupSkipped{VersionID: item.Version.ID, FileID: item.FileID, Why: "changed since it was listed"})
				continue
			}
			if err := c.delete(ctx, tx, item, &end); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		c.end = end
	}
	return err
}

// delete deletes one item.
func (c *cleanupRun) delete(ctx context.Context, tx *store.Tx, item *CleanupItem, end *ledger.CleanupEnd) error {
	site, part := siteOf(&item.Version), ledger.Deletion{RunID: end.RunID}
	var event ledger.Event = &ledger.VersionDelete{Site: site, Deletion: part, VersionID: item.Version.ID}
	if item.FileID != 0 {
		event = &ledger.FileDelete{Site: site, Deletion: part, VersionID: item.Version.ID, FileID: item.FileID}
	} else {
		end.Versions++
	}
	end.Files, end.Bytes = end.Files+item.Files, end.Bytes+item.Bytes
	_, err := tx.Append(ctx, c.hosted.by, event)
	return err
}

// RestoreRun brings back all that a cleanup has deleted and that is still in the
// trash, all or nothing, and says how many deletions that were.
//
// packhouse.NotFound: nothing of that run is there. Otherwise as Restore.
func (h *Hosted) RestoreRun(ctx context.Context, runID int64) (restored int, err error) {
	err = h.registry.store.Update(ctx, func(tx *store.Tx) error {
		filter := store.TrashFilter{ProjectIDs: []int64{h.projectID}, Since: h.registry.trashBegins(), RunID: runID}
		items, err := tx.Trash(ctx, filter, maxCleanup)
		if err != nil {
			return err
		}
		if len(items) == 0 {
			return packhouse.Errorf(packhouse.NotFound, "404 Cleanup Run Not Found")
		}
		for i := range slices.Backward(items) { // in the order of the deletions
			if err := h.restore(ctx, tx, &items[i]); err != nil {
				return err
			}
		}
		restored = len(items)
		return nil
	})
	return restored, err
}

// Cleanups runs the cleanups of all projects that are due, and says how many they
// were. It may be stopped and called again at any time. A project in which it fails
// does not keep the others from theirs.
func (r *Registry) Cleanups(ctx context.Context) (runs int, err error) {
	for _, id := range r.options.Directory.CleanedProjects() {
		ran, failed := r.cleanupIfDue(ctx, id)
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("clean up project %d: %w", id, failed))
		}
		if ran {
			runs++
		}
		if ctx.Err() != nil {
			break
		}
	}
	return runs, err
}

func (r *Registry) cleanupIfDue(ctx context.Context, projectID int64) (ran bool, err error) {
	c, _ := r.options.Directory.Cleanup(projectID)
	if c == nil || !c.Enabled {
		return false, nil
	}
	next, err := r.NextCleanup(ctx, projectID)
	if err != nil || next.After(r.now()) {
		return false, err
	}
	p, err := r.planCleanup(ctx, projectID, c)
	if err != nil {
		return false, err
	}
	_, err = r.runCleanup(ctx, r.cleaner(projectID, "", "").by, projectID, p)
	return err == nil, err
}

// NextCleanup is when a project's cleanup runs next; the zero time when it does not.
func (r *Registry) NextCleanup(ctx context.Context, projectID int64) (at time.Time, err error) {
	c, _ := r.options.Directory.Cleanup(projectID)
	if c == nil || !c.Enabled {
		return at, nil
	}
	var last []store.CleanupRun
	err = r.store.View(ctx, func(tx *store.Tx) (err error) {
		last, err = tx.CleanupRuns(ctx, projectID, 0, 1)
		return err
	})
	if err != nil || len(last) == 0 {
		return r.now(), err
	}
	every, err := ParseAge(c.Cadence)
	return last[0].BegunAt.Add(every), err
}

package directory

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// Due lists what was marked for deletion so long ago that it is to be removed for
// good, with all that is below it: projects, then groups, inner ones first.
func (d *Directory) Due() []packhouse.Target {
	d.mu.RLock()
	defer d.mu.RUnlock()
	before := d.options.Now().Add(-d.Instance().DeletionDelay)
	var due []packhouse.Target
	for id := range d.projects {
		if at := (place{packhouse.Project, id}); d.markedBefore(at, before) {
			due = append(due, d.target(at))
		}
	}
	for id, n := range d.namespaces {
		if at := (place{packhouse.Group, id}); n.UserID == 0 && d.markedBefore(at, before) {
			due = append(due, d.target(at))
		}
	}
	slices.SortFunc(due, func(a, b packhouse.Target) int {
		return cmp.Or(-cmp.Compare(a.Level, b.Level), -cmp.Compare(strings.Count(a.Path, "/"), strings.Count(b.Path, "/")), cmp.Compare(a.ID, b.ID))
	})
	return due
}

// markedBefore reports whether a place, or what it is in, was marked for deletion
// before a time.
func (d *Directory) markedBefore(at place, before time.Time) bool {
	marked := func(t time.Time) bool { return !t.IsZero() && t.Before(before) }
	if p := d.projects[at.id]; at.level == packhouse.Project && marked(p.DeletedAt) {
		return true
	}
	if at.level == packhouse.Group && marked(d.namespaces[at.id].DeletedAt) {
		return true
	}
	for group := range d.groupsAbove(at) {
		if n := d.namespaces[group]; n != nil && marked(n.DeletedAt) {
			return true
		}
	}
	return false
}

// removalBatch is how many versions are ended in one transaction, so that nobody
// waits long behind a removal.
const removalBatch = 100

// RemoveDue removes for good what Due lists and says how much that was. It may be
// stopped and called again at any time. What is restored meanwhile stays, without
// the versions that were ended already.
func (c *Changes) RemoveDue(ctx context.Context, by ledger.By) (removed int, err error) {
	for _, t := range c.directory.Due() {
		for more := t.Level == packhouse.Project; more && err == nil; {
			more, err = c.endVersions(ctx, by, t)
		}
		if err == nil {
			err = c.remove(ctx, by, t)
		}
		switch {
		case packhouse.KindOf(err) == packhouse.NotFound: // restored, removed or filled again meanwhile
			err = nil
		case err != nil:
			return removed, err
		default:
			removed++
		}
	}
	return removed, nil
}

// endVersions ends some of a project's versions and says whether there are more.
func (c *Changes) endVersions(ctx context.Context, by ledger.By, t packhouse.Target) (more bool, err error) {
	err = c.store.Update(ctx, func(tx *store.Tx) error {
		if err := c.stillDue(ctx, tx, t); err != nil {
			return err
		}
		ids, err := tx.LiveVersionIDs(ctx, t.ID, removalBatch)
		if err != nil {
			return err
		}
		more = len(ids) == removalBatch
		for _, id := range ids {
			v, err := tx.Version(ctx, t.ID, id)
			if err != nil {
				return err
			}
			p := &v.Package
			site := ledger.Site{ProjectID: p.ProjectID, Format: p.Format, PackageKey: p.Key, VersionKey: v.Key}
			if _, err := tx.Append(ctx, by, &ledger.VersionDelete{Site: site, VersionID: id}); err != nil {
				return err
			}
		}
		return nil
	})
	return more, err
}

// remove removes a group or project in which there is nothing any more, with the
// tokens, bots, trusted publishers and protections that belong to it.
func (c *Changes) remove(ctx context.Context, by ledger.By, t packhouse.Target) error {
	return c.store.Update(ctx, func(tx *store.Tx) error {
		if err := c.stillDue(ctx, tx, t); err != nil {
			return err
		}
		if err := c.endTokens(ctx, tx, by, t); err != nil {
			return err
		}
		for _, p := range c.directory.Publishers(t) {
			if _, err := tx.Append(ctx, by, &ledger.PublisherRemove{Target: p.Target, ID: p.ID}); err != nil {
				return err
			}
		}
		for _, p := range c.directory.Protections(t) {
			if _, err := tx.Append(ctx, by, &ledger.ProtectionRemove{Target: p.Target, ID: p.ID}); err != nil {
				return err
			}
		}
		var event ledger.Event = &ledger.ProjectRemove{ProjectID: t.ID}
		if t.Level == packhouse.Group {
			event = &ledger.NamespaceRemove{NamespaceID: t.ID}
		}
		_, err := tx.Append(ctx, by, event)
		return err
	})
}

// endTokens revokes the tokens that are limited to a group or project, and
// removes the bots behind them.
func (c *Changes) endTokens(ctx context.Context, tx *store.Tx, by ledger.By, t packhouse.Target) error {
	bots := map[int64]bool{}
	for _, kind := range []packhouse.ActorKind{packhouse.ProjectToken, packhouse.GroupToken, packhouse.DeployToken, packhouse.JobToken} {
		tokens, err := tx.TokensOf(ctx, t, kind)
		if err != nil {
			return err
		}
		for _, token := range tokens {
			if kind == packhouse.ProjectToken || kind == packhouse.GroupToken {
				bots[token.UserID] = true
			}
			if !token.RevokedAt.IsZero() {
				continue
			}
			token.RevokedAt = tx.Now()
			if _, err := tx.Append(ctx, by, &ledger.TokenPut{Token: token}); err != nil {
				return err
			}
		}
	}
	for bot := range bots {
		if c.directory.User(bot) == nil {
			continue
		}
		if _, err := tx.Append(ctx, by, &ledger.UserRemove{UserID: bot}); err != nil {
			return err
		}
	}
	return nil
}

// stillDue refuses to remove what was restored since it was listed.
// packhouse.NotFound: it was, or it is gone.
func (c *Changes) stillDue(ctx context.Context, tx *store.Tx, t packhouse.Target) error {
	before := tx.Now().Add(-c.directory.Instance().DeletionDelay)
	marked := func(at time.Time) bool { return !at.IsZero() && at.Before(before) }
	group := t.ID
	if t.Level == packhouse.Project {
		p, err := tx.Project(ctx, t.ID)
		if err != nil || marked(p.DeletedAt) {
			return err
		}
		group = p.NamespaceID
	}
	for group != 0 {
		n, err := tx.Namespace(ctx, group)
		if err != nil || marked(n.DeletedAt) {
			return err
		}
		group = n.ParentID
	}
	return packhouse.Errorf(packhouse.NotFound, "restored")
}

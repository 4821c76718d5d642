package directory

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// protections are the rules that keep packages from people whose role is too low,
// by id and by where they were made.
type protections struct {
	byID    map[int64]*ledger.Protection
	byPlace map[place][]*ledger.Protection // in the order of their ids
}

func newProtections() protections {
	return protections{map[int64]*ledger.Protection{}, map[place][]*ledger.Protection{}}
}

func (ps protections) put(p ledger.Protection) {
	ps.remove(p.ID)
	at := placeOf(p.Target)
	ps.byID[p.ID] = &p
	// A list that somebody has got is not changed.
	list := append(slices.Clone(ps.byPlace[at]), &p)
	slices.SortFunc(list, func(a, b *ledger.Protection) int { return cmp.Compare(a.ID, b.ID) })
	ps.byPlace[at] = list
}

func (ps protections) remove(id int64) {
	p := ps.byID[id]
	if p == nil {
		return
	}
	delete(ps.byID, id)
	at := placeOf(p.Target)
	if ps.byPlace[at] = slices.DeleteFunc(slices.Clone(ps.byPlace[at]), func(q *ledger.Protection) bool { return q.ID == id }); len(ps.byPlace[at]) == 0 {
		delete(ps.byPlace, at)
	}
}

// Protections lists the protections of all kinds that were made at a target itself,
// in the order of their ids. They are not to be changed.
func (d *Directory) Protections(t packhouse.Target) []*ledger.Protection {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.protected.byPlace[placeOf(t)]
}

// ProtectionsOf lists the protections of all kinds that hold in a project: its own
// and those of all groups above it.
func (d *Directory) ProtectionsOf(projectID int64) []*ledger.Protection {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if len(d.protected.byID) == 0 {
		return nil
	}
	at := place{packhouse.Project, projectID}
	list := d.protected.byPlace[at]
	for group := range d.groupsAbove(at) {
		list = slices.Concat(list, d.protected.byPlace[place{packhouse.Group, group}])
	}
	return list
}

// MostTagRules is how many protections of tags a project has at most, as in GitLab:
// every push of a tag asks all.
const MostTagRules = 5

// CreateProtection makes a protection. packhouse.Conflict: its pattern is there.
// packhouse.Unsavable: it is about tags, of which there are as many as may be.
func (c *Changes) CreateProtection(ctx context.Context, by ledger.By, p ledger.Protection) (*ledger.Protection, error) {
	p.Target.Path = ""
	err := c.store.Update(ctx, func(tx *store.Tx) error {
		if err := tagRulesLeft(ctx, tx, &p); err != nil {
			return err
		}
		p.ID, p.CreatorID = tx.NewProtectionID(), by.UserID
		p.CreatedAt, p.UpdatedAt = tx.Now(), tx.Now()
		_, err := tx.Append(ctx, by, &ledger.ProtectionPut{Create: true, Protection: p})
		return err
	})
	return &p, err
}

// tagRulesLeft counts in the transaction that makes the rule, of which there is one
// at a time.
func tagRulesLeft(ctx context.Context, tx *store.Tx, p *ledger.Protection) error {
	if p.Kind != ledger.ProtectsTags {
		return nil
	}
	all, err := tx.TagProtections(ctx, p.Target.ID)
	if err == nil && len(all) >= MostTagRules {
		err = &packhouse.Error{
			Kind: packhouse.Unsavable, Rule: "limit", Message: fmt.Sprintf("Maximum number of protection rules have been reached: %d", MostTagRules),
			Fix: "remove one, or put two patterns into one with a bar",
		}
	}
	return err
}

// UpdateProtection replaces a protection after change has edited a copy of what it
// is at that moment. packhouse.NotFound: the target has no such protection of that
// kind. packhouse.Conflict: another one has the pattern.
func (c *Changes) UpdateProtection(ctx context.Context, by ledger.By, t packhouse.Target, kind ledger.ProtectionKind, id int64, change func(*ledger.Protection) error) (p *ledger.Protection, err error) {
	err = c.store.Update(ctx, func(tx *store.Tx) error {
		if p, err = protectionOf(ctx, tx, t, kind, id); err != nil {
			return err
		}
		if err := change(p); err != nil {
			return err
		}
		p.UpdatedAt = tx.Now()
		_, err := tx.Append(ctx, by, &ledger.ProtectionPut{Protection: *p})
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// RemoveProtection ends a protection that agree has nothing against ending, as it is
// at that moment. packhouse.NotFound: the target has no such protection of that kind.
func (c *Changes) RemoveProtection(ctx context.Context, by ledger.By, t packhouse.Target, kind ledger.ProtectionKind, id int64, agree func(*ledger.Protection) error) error {
	return c.store.Update(ctx, func(tx *store.Tx) error {
		p, err := protectionOf(ctx, tx, t, kind, id)
		if err != nil {
			return err
		}
		if err := agree(p); err != nil {
			return err
		}
		_, err = tx.Append(ctx, by, &ledger.ProtectionRemove{Target: p.Target, ID: id})
		return err
	})
}

func protectionOf(ctx context.Context, tx *store.Tx, t packhouse.Target, kind ledger.ProtectionKind, id int64) (*ledger.Protection, error) {
	p, err := tx.Protection(ctx, id)
	if err == nil && (placeOf(p.Target) != placeOf(t) || p.Kind != kind) {
		err = packhouse.Errorf(packhouse.NotFound, "404 Protection rule Not Found")
	}
	return p, err
}

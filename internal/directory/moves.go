package directory

import (
	"context"
	"path"
	"strings"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// UpdateGroup replaces a group's record after change has edited a copy of what
// it is at that moment. Where change gives it another path (its last part) or
// parent, everything below it moves along, in one transaction.
//
// packhouse.Conflict: the new path is taken.
func (c *Changes) UpdateGroup(ctx context.Context, by ledger.By, id int64, change func(*ledger.Namespace) error) (n *ledger.Namespace, err error) {
	err = c.store.Update(ctx, func(tx *store.Tx) error {
		if n, err = tx.Namespace(ctx, id); err != nil {
			return err
		}
		old := *n
		n.Path = path.Base(n.Path)
		if err := change(n); err != nil {
			return err
		}
		last, parent := n.Path, n.ParentID
		n.Path, n.ParentID = old.Path, old.ParentID
		if err := c.checkVisibility(n, parent); err != nil {
			return err
		}
		if last != path.Base(old.Path) || parent != old.ParentID {
			return c.move(ctx, tx, by, n, parent, last)
		}
		_, err := tx.Append(ctx, by, &ledger.NamespacePut{Namespace: *n})
		return err
	})
	if err != nil {
		return nil, err
	}
	return n, nil
}

// checkVisibility keeps a group between what it is in and what is in it.
func (c *Changes) checkVisibility(n *ledger.Namespace, parentID int64) error {
	if parent := c.directory.Namespace(parentID); parent != nil && n.Visibility > parent.Visibility {
		return tooVisible(n.Visibility, parent)
	}
	d := c.directory
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, id := range d.inside[n.ID] {
		if p := d.projects[id]; p.Visibility > n.Visibility && p.NamespaceID == n.ID {
			return invalid("visibility_level", n.Visibility.String()+" is not allowed since this group contains projects with higher visibility.")
		}
	}
	for _, id := range d.subgroups[n.ID] {
		if d.namespaces[id].Visibility > n.Visibility {
			return invalid("visibility_level", n.Visibility.String()+" is not allowed since there are sub-groups with higher visibility.")
		}
	}
	return nil
}

// move puts a namespace with all below it under another parent, or gives it
// another name there.
func (c *Changes) move(ctx context.Context, tx *store.Tx, by ledger.By, n *ledger.Namespace, parentID int64, last string) error {
	if err := checkPath("path", last); err != nil {
		return err
	}
	full := last
	if parentID != 0 {
		parent := c.directory.Namespace(parentID)
		if parent == nil || parent.UserID != 0 {
			return packhouse.Errorf(packhouse.NotFound, "404 Group Not Found")
		}
		if parent.ID == n.ID || c.directory.isBelow(parent.ID, n.ID) {
			return invalid("parent_id", "can't be the group itself or one below it")
		}
		full = parent.Path + "/" + last
	} else if n.UserID == 0 && allDigits(last) {
		return invalid("path", "can't be all digits, because that would be read as an id")
	}
	from := n.Path
	n.Path, n.ParentID = full, parentID
	if _, err := tx.Append(ctx, by, &ledger.NamespacePut{Namespace: *n}); err != nil {
		return err
	}
	groups, projects := c.directory.descendants(n.ID)
	for _, id := range groups {
		g, err := tx.Namespace(ctx, id)
		if err != nil {
			return err
		}
		g.Path = full + strings.TrimPrefix(g.Path, from)
		if _, err := tx.Append(ctx, by, &ledger.NamespacePut{Namespace: *g}); err != nil {
			return err
		}
	}
	for _, id := range projects {
		p, err := tx.Project(ctx, id)
		if err != nil {
			return err
		}
		p.Path = full + strings.TrimPrefix(p.Path, from)
		if _, err := tx.Append(ctx, by, &ledger.ProjectPut{Project: *p}); err != nil {
			return err
		}
	}
	return nil
}

// isBelow reports whether a group is below another one.
func (d *Directory) isBelow(group, outer int64) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return group != outer && d.within(place{packhouse.Group, group}, place{packhouse.Group, outer})
}

// descendants lists what is below a namespace.
func (d *Directory) descendants(id int64) (groups, projects []int64) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var visit func(int64)
	visit = func(in int64) {
		for _, group := range d.subgroups[in] {
			groups = append(groups, group)
			visit(group)
		}
	}
	visit(id)
	return groups, append(projects, d.inside[id]...)
}

// MoveProject puts a project under another namespace, or gives it another last
// part of its path. packhouse.Conflict: the new path is taken.
func (c *Changes) MoveProject(ctx context.Context, by ledger.By, id, namespaceID int64, last string) (*ledger.Project, error) {
	if err := checkPath("path", last); err != nil {
		return nil, err
	}
	return c.UpdateProject(ctx, by, id, func(p *ledger.Project) error {
		n := c.directory.Namespace(namespaceID)
		if n == nil {
			return packhouse.Errorf(packhouse.NotFound, "404 Namespace Not Found")
		}
		p.NamespaceID, p.Path = n.ID, n.Path+"/"+last
		return nil
	})
}

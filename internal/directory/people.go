package directory

import (
	"context"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// UpdateUser replaces a user's record after change has edited a copy of what it
// is at that moment. packhouse.Conflict: the new name is taken.
func (c *Changes) UpdateUser(ctx context.Context, by ledger.By, id int64, change func(*ledger.User) error) (u *ledger.User, err error) {
	err = c.store.Update(ctx, func(tx *store.Tx) error {
		if u, err = tx.User(ctx, id); err != nil {
			return err
		}
		old := u.Username
		if err := change(u); err != nil {
			return err
		}
		if u.Username != old {
			if err := checkPath("username", u.Username); err != nil {
				return err
			}
			if err := c.renamePersonal(ctx, tx, by, u); err != nil {
				return err
			}
		}
		_, err := tx.Append(ctx, by, &ledger.UserPut{User: *u})
		return err
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

// renamePersonal has a user's personal namespace, and the projects in it, follow
// the user's new name.
func (c *Changes) renamePersonal(ctx context.Context, tx *store.Tx, by ledger.By, u *ledger.User) error {
	own := c.directory.Personal(u.ID)
	if own == nil {
		return nil
	}
	n, err := tx.Namespace(ctx, own.ID)
	if err != nil {
		return err
	}
	return c.move(ctx, tx, by, n, n.ParentID, u.Username)
}

// RemoveUser removes a user for good and revokes their tokens. What they have
// published stays.
//
// packhouse.Conflict: they have projects of their own, or are the only Owner of
// a group.
func (c *Changes) RemoveUser(ctx context.Context, by ledger.By, id int64) error {
	return c.store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.User(ctx, id); err != nil {
			return err
		}
		if err := c.removable(ctx, tx, id); err != nil {
			return err
		}
		for _, kind := range []packhouse.ActorKind{packhouse.PersonalToken, packhouse.ProjectToken, packhouse.GroupToken, packhouse.JobToken} {
			tokens, err := tx.TokensOfUser(ctx, id, kind)
			if err != nil {
				return err
			}
			for _, t := range tokens {
				if !t.RevokedAt.IsZero() {
					continue
				}
				t.RevokedAt = tx.Now()
				if _, err := tx.Append(ctx, by, &ledger.TokenPut{Token: t}); err != nil {
					return err
				}
			}
		}
		remove := &ledger.UserRemove{UserID: id}
		if own := c.directory.Personal(id); own != nil {
			remove.NamespaceID = own.ID
		}
		_, err := tx.Append(ctx, by, remove)
		return err
	})
}

// removable refuses where somebody else has to take over first.
func (c *Changes) removable(ctx context.Context, tx *store.Tx, id int64) error {
	d := c.directory
	d.mu.RLock()
	defer d.mu.RUnlock()
	if own := d.personal[id]; own != 0 && len(d.inside[own]) > 0 {
		e := packhouse.Errorf(packhouse.Conflict, "the user has projects of their own")
		e.Fix = "transfer or delete the projects in the user's namespace first"
		return e
	}
	for at := range d.places[id] {
		if at.level != packhouse.Group || d.members[at][id].Role < packhouse.Owner {
			continue
		}
		owners, err := ownersOf(ctx, tx, packhouse.Target{Level: at.level, ID: at.id})
		if err != nil {
			return err
		}
		if owners < 2 && d.above(at) == 0 {
			e := packhouse.Errorf(packhouse.Conflict, "the user is the only Owner of the group %s", d.pathOf(at))
			e.Fix = "make somebody else an Owner of the group first, or delete it"
			return e
		}
	}
	return nil
}

func ownersOf(ctx context.Context, tx *store.Tx, t packhouse.Target) (n int, err error) {
	members, err := tx.MembersOf(ctx, t)
	for _, m := range members {
		if m.Role >= packhouse.Owner && counts(m.ExpiresAt, tx.Now()) {
			n++
		}
	}
	return n, err
}

// UpdateMember changes a membership. packhouse.NotFound: there is none.
// packhouse.Forbidden: the group would be left without an Owner.
func (c *Changes) UpdateMember(ctx context.Context, by ledger.By, t packhouse.Target, userID int64, change func(*ledger.Member)) (m *ledger.Member, err error) {
	err = c.store.Update(ctx, func(tx *store.Tx) error {
		if m, err = tx.Member(ctx, t, userID); err != nil {
			return err
		}
		was := m.Role
		change(m)
		if was >= packhouse.Owner && (m.Role < packhouse.Owner || !m.ExpiresAt.IsZero()) {
			if err := c.keepsOwner(ctx, tx, t); err != nil {
				return err
			}
		}
		_, err := tx.Append(ctx, by, &ledger.MemberPut{Member: *m})
		return err
	})
	return m, err
}

// RemoveMember takes a user's role away. packhouse.NotFound: they have none
// there. packhouse.Forbidden: the group would be left without an Owner.
func (c *Changes) RemoveMember(ctx context.Context, by ledger.By, t packhouse.Target, userID int64) error {
	return c.store.Update(ctx, func(tx *store.Tx) error {
		m, err := tx.Member(ctx, t, userID)
		if err != nil {
			return err
		}
		if m.Role >= packhouse.Owner {
			if err := c.keepsOwner(ctx, tx, t); err != nil {
				return err
			}
		}
		_, err = tx.Append(ctx, by, &ledger.MemberRemove{Target: packhouse.Target{Level: t.Level, ID: t.ID}, UserID: userID})
		return err
	})
}

// keepsOwner refuses to take one Owner from a top-level group that has no other.
func (c *Changes) keepsOwner(ctx context.Context, tx *store.Tx, t packhouse.Target) error {
	n := c.directory.Namespace(t.ID)
	if t.Level != packhouse.Group || n == nil || n.ParentID != 0 {
		return nil
	}
	owners, err := ownersOf(ctx, tx, t)
	if err != nil || owners > 1 {
		return err
	}
	return &packhouse.Error{
		Kind: packhouse.Forbidden, Rule: "last-owner", Message: "403 Forbidden - the last Owner of a group cannot leave it",
		Fix: "make somebody else an Owner first, or delete the group",
	}
}

// ShareWith shares a group or project with a group. packhouse.Conflict: it is
// shared with that group already.
func (c *Changes) ShareWith(ctx context.Context, by ledger.By, s ledger.Share) error {
	s.Target.Path = ""
	return c.store.Update(ctx, func(tx *store.Tx) error {
		s.CreatedAt = tx.Now()
		_, err := tx.Append(ctx, by, &ledger.SharePut{Create: true, Share: s})
		return err
	})
}

// Unshare ends a share. packhouse.NotFound: there is none.
func (c *Changes) Unshare(ctx context.Context, by ledger.By, t packhouse.Target, groupID int64) error {
	return c.append(ctx, by, &ledger.ShareRemove{Target: packhouse.Target{Level: t.Level, ID: t.ID}, GroupID: groupID})
}

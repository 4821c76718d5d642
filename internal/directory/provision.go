package directory

import (
	"context"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// Provision is what a provider of single sign-on says about somebody at a
// sign-in.
type Provision struct {
	Provider string
	Subject  string      // the provider's name for them, which never changes
	User     ledger.User // as they would be made: name, address, external
	Create   bool        // make a user who is not known
	Link     bool        // believe the provider's user names: take the user of that name

	Admin    *bool // nil: not the provider's business
	External *bool // nil: not the provider's business
	// Roles are those that the provider gives. What it gave before and gives no
	// more is taken away; what people gave stays.
	Roles map[packhouse.Target]packhouse.Role
}

// source marks the memberships that a provider gives.
func (p *Provision) source() string { return "sso/" + p.Provider }

// SignIn finds or makes the user that a provider vouches for, and brings rights
// up to date, in one transaction.
//
// packhouse.NotFound: the user is not known and is not made.
// packhouse.Conflict: the name belongs to somebody else.
func (c *Changes) SignIn(ctx context.Context, by ledger.By, p Provision) (u *ledger.User, err error) {
	if p.Create {
		if err := checkPath("username", p.User.Username); err != nil {
			return nil, err
		}
	}
	err = c.store.Update(ctx, func(tx *store.Tx) error {
		if u, err = c.provisioned(ctx, tx, by, &p); err != nil {
			return err
		}
		by := by
		by.UserID, by.Name = u.ID, u.Username
		if err := provideFlags(ctx, tx, by, u, &p); err != nil {
			return err
		}
		return c.provideRoles(ctx, tx, by, u, &p)
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}

// provisioned is the user of an identity; who has none yet is found by name where
// names are believed, or made.
func (c *Changes) provisioned(ctx context.Context, tx *store.Tx, by ledger.By, p *Provision) (*ledger.User, error) {
	id, err := tx.UserOfIdentity(ctx, p.Provider, p.Subject)
	if err == nil {
		return tx.User(ctx, id)
	}
	if packhouse.KindOf(err) != packhouse.NotFound {
		return nil, err
	}
	u := p.User
	if known := c.directory.UserByName(u.Username); known != nil {
		// One identity of a provider for each user: else a name that was given
		// to somebody else there would open an account here.
		taken, err := tx.HasIdentity(ctx, known.ID, p.Provider)
		if err != nil {
			return nil, err
		}
		if !p.Link || taken || known.Bot {
			return nil, packhouse.Errorf(packhouse.Conflict, "username has already been taken")
		}
		u = *known
	} else if !p.Create {
		return nil, packhouse.Errorf(packhouse.NotFound, "404 User Not Found")
	} else if err := createUser(ctx, tx, by, &u); err != nil {
		return nil, err
	}
	_, err = tx.Append(ctx, by, &ledger.IdentityPut{Provider: p.Provider, Subject: p.Subject, UserID: u.ID})
	return &u, err
}

func provideFlags(ctx context.Context, tx *store.Tx, by ledger.By, u *ledger.User, p *Provision) error {
	before := *u
	if p.Admin != nil {
		u.Admin = *p.Admin
	}
	if p.External != nil {
		u.External = *p.External
	}
	if u.Admin == before.Admin && u.External == before.External {
		return nil
	}
	_, err := tx.Append(ctx, by, &ledger.UserPut{User: *u})
	return err
}

func (c *Changes) provideRoles(ctx context.Context, tx *store.Tx, by ledger.By, u *ledger.User, p *Provision) error {
	for _, t := range c.directory.provided(u.ID, p.source()) {
		if _, still := p.Roles[t]; still {
			continue
		}
		m, err := tx.Member(ctx, t, u.ID)
		if packhouse.KindOf(err) == packhouse.NotFound || err == nil && m.Source != p.source() {
			continue // somebody was faster
		}
		if err != nil {
			return err
		}
		if _, err := tx.Append(ctx, by, &ledger.MemberRemove{Target: t, UserID: u.ID}); err != nil {
			return err
		}
	}
	for t, role := range p.Roles {
		m, err := tx.Member(ctx, t, u.ID)
		known := err == nil
		switch {
		case packhouse.KindOf(err) == packhouse.NotFound:
			m = &ledger.Member{Target: t, UserID: u.ID, CreatedAt: tx.Now(), Source: p.source()}
		case err != nil:
			return err
		case m.Source != p.source() || m.Role == role:
			continue
		}
		m.Role = role
		if _, err := tx.Append(ctx, by, &ledger.MemberPut{Create: !known, Member: *m}); err != nil {
			return err
		}
	}
	return nil
}

// provided lists where a user is a member by a source, without paths.
func (d *Directory) provided(userID int64, source string) []packhouse.Target {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var list []packhouse.Target
	for at := range d.places[userID] {
		if d.members[at][userID].Source == source {
			list = append(list, packhouse.Target{Level: at.level, ID: at.id})
		}
	}
	return list
}

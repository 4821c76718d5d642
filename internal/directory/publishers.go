package directory

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// publishers are the trusted publishers, found in three ways.
type publishers struct {
	byID     map[int64]*ledger.Publisher
	byPlace  map[place]map[int64]*ledger.Publisher
	byIssuer map[string]map[int64]*ledger.Publisher
}

func newPublishers() publishers {
	return publishers{map[int64]*ledger.Publisher{}, map[place]map[int64]*ledger.Publisher{}, map[string]map[int64]*ledger.Publisher{}}
}

func (ps publishers) put(p ledger.Publisher) {
	ps.remove(p.ID)
	ps.byID[p.ID] = &p
	file(ps.byPlace, placeOf(p.Target), &p)
	file(ps.byIssuer, p.Issuer, &p)
}

func (ps publishers) remove(id int64) {
	if p := ps.byID[id]; p != nil {
		delete(ps.byID, id)
		unfile(ps.byPlace, placeOf(p.Target), p)
		unfile(ps.byIssuer, p.Issuer, p)
	}
}

func file[K comparable](under map[K]map[int64]*ledger.Publisher, key K, p *ledger.Publisher) {
	if under[key] == nil {
		under[key] = map[int64]*ledger.Publisher{}
	}
	under[key][p.ID] = p
}

func unfile[K comparable](under map[K]map[int64]*ledger.Publisher, key K, p *ledger.Publisher) {
	if delete(under[key], p.ID); len(under[key]) == 0 {
		delete(under, key)
	}
}

// Publisher returns a trusted publisher by id, or nil.
func (d *Directory) Publisher(id int64) *ledger.Publisher {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.publishers.byID[id]
}

// Publishers lists the trusted publishers that were made at a target itself, in
// the order of their ids.
func (d *Directory) Publishers(t packhouse.Target) []*ledger.Publisher {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return inOrder(d.publishers.byPlace[placeOf(t)])
}

// PublishersOf lists the trusted publishers that believe an issuer, in the order
// of their ids.
func (d *Directory) PublishersOf(issuer string) []*ledger.Publisher {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return inOrder(d.publishers.byIssuer[issuer])
}

func inOrder(found map[int64]*ledger.Publisher) []*ledger.Publisher {
	return slices.SortedFunc(maps.Values(found), func(a, b *ledger.Publisher) int { return cmp.Compare(a.ID, b.ID) })
}

// Within reports whether a target is another one or below it.
func (d *Directory) Within(t, outer packhouse.Target) bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.within(placeOf(t), placeOf(outer))
}

// CreatePublisher makes a trusted publisher.
func (c *Changes) CreatePublisher(ctx context.Context, by ledger.By, p ledger.Publisher) (*ledger.Publisher, error) {
	p.Target.Path = ""
	err := c.store.Update(ctx, func(tx *store.Tx) error {
		p.ID, p.Revision, p.CreatorID = tx.NewPublisherID(), 1, by.UserID
		p.CreatedAt, p.UpdatedAt = tx.Now(), tx.Now()
		_, err := tx.Append(ctx, by, &ledger.PublisherPut{Create: true, Publisher: p})
		return err
	})
	return &p, err
}

// UpdatePublisher replaces a trusted publisher after change has edited a copy of
// what it is at that moment. The tokens that were made by it end.
// packhouse.NotFound: the target has no such publisher.
func (c *Changes) UpdatePublisher(ctx context.Context, by ledger.By, t packhouse.Target, id int64, change func(*ledger.Publisher) error) (p *ledger.Publisher, err error) {
	err = c.store.Update(ctx, func(tx *store.Tx) error {
		if p, err = publisherOf(ctx, tx, t, id); err != nil {
			return err
		}
		if err := change(p); err != nil {
			return err
		}
		p.Revision, p.UpdatedAt = p.Revision+1, tx.Now()
		_, err := tx.Append(ctx, by, &ledger.PublisherPut{Publisher: *p})
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// RemovePublisher ends a trusted publisher and the tokens that were made by it.
// packhouse.NotFound: the target has no such publisher.
func (c *Changes) RemovePublisher(ctx context.Context, by ledger.By, t packhouse.Target, id int64) error {
	return c.store.Update(ctx, func(tx *store.Tx) error {
		p, err := publisherOf(ctx, tx, t, id)
		if err != nil {
			return err
		}
		_, err = tx.Append(ctx, by, &ledger.PublisherRemove{Target: p.Target, ID: id})
		return err
	})
}

func publisherOf(ctx context.Context, tx *store.Tx, t packhouse.Target, id int64) (*ledger.Publisher, error) {
	p, err := tx.Publisher(ctx, id)
	if err == nil && placeOf(p.Target) != placeOf(t) {
		err = packhouse.Errorf(packhouse.NotFound, "404 Trusted Publisher Not Found")
	}
	return p, err
}

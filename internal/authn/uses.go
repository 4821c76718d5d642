package authn

import (
	"context"
	"maps"
	"sync"
	"time"

	"packhouse/internal/store"
)

// noteEvery is how often the use of a token is noted at most, as in GitLab.
const noteEvery = 10 * time.Minute

// uses are the times at which tokens were used, gathered in memory so that a
// request writes nothing.
type uses struct {
	mu      sync.Mutex
	noted   map[int64]time.Time // when the use of a token was last noted
	unsaved map[int64]time.Time
}

// maxNoted bounds the memory of what was noted; when it is full it begins anew.
const maxNoted = 100_000

func (u *uses) note(tokenID int64, now time.Time) {
	if tokenID == 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if now.Sub(u.noted[tokenID]) < noteEvery {
		return
	}
	if u.noted == nil || len(u.noted) >= maxNoted {
		u.noted = map[int64]time.Time{}
	}
	if u.unsaved == nil {
		u.unsaved = map[int64]time.Time{}
	}
	u.noted[tokenID], u.unsaved[tokenID] = now, now
}

// LastUsed is when a token was last used, as far as it is not saved yet; the
// zero time otherwise.
func (a *Authenticator) LastUsed(tokenID int64) time.Time {
	a.uses.mu.Lock()
	defer a.uses.mu.Unlock()
	return a.uses.unsaved[tokenID]
}

// SaveUses writes down which tokens were used. What cannot be written is kept
// for the next time.
func (a *Authenticator) SaveUses(ctx context.Context) error {
	a.uses.mu.Lock()
	saving := maps.Clone(a.uses.unsaved)
	a.uses.mu.Unlock()
	if len(saving) == 0 {
		return nil
	}
	if err := a.store.Update(ctx, func(tx *store.Tx) error { return tx.UseTokens(ctx, saving) }); err != nil {
		return err
	}
	a.uses.mu.Lock()
	defer a.uses.mu.Unlock()
	for id, at := range saving {
		if a.uses.unsaved[id].Equal(at) {
			delete(a.uses.unsaved, id)
		}
	}
	return nil
}

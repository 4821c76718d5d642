package registry

import (
	"testing"
	"time"

	"packhouse"
)

// An id is good for whom it was made, for a day.
func TestUploadID(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	at := func(later time.Duration, project, user int64, name string) *HostedRepository {
		r := &Registry{now: func() time.Time { return now.Add(later) }}
		return &HostedRepository{Hosted: &Hosted{registry: r, projectID: project, actor: packhouse.Actor{UserID: user}}, name: name}
	}
	key := []byte("key")
	for _, with := range []bool{false, true} {
		id := at(0, 1, 2, "a").newUpload(now, with).sign(key)
		if got, ok := at(23*time.Hour, 1, 2, "a").verify(key, id); !ok || got != with {
			t.Errorf("verify(%s) = %v, %v, want %v", id, got, ok, with)
		}
		for name, h := range map[string]*HostedRepository{
			"late": at(25*time.Hour, 1, 2, "a"), "another project": at(0, 2, 2, "a"), "another user": at(0, 1, 3, "a"), "another name": at(0, 1, 2, "b"),
		} {
			if _, ok := h.verify(key, id); ok {
				t.Errorf("%s: the id is good", name)
			}
		}
		if _, ok := at(0, 1, 2, "a").verify([]byte("other"), id); ok {
			t.Error("the id is good with another key")
		}
		for i := range id {
			changed := []byte(id)
			changed[i] ^= 1
			if _, ok := at(0, 1, 2, "a").verify(key, string(changed)); ok {
				t.Errorf("%s is good", changed)
			}
		}
	}
}

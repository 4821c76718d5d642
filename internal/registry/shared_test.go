package registry_test

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
	"packhouse/internal/blob/mem"
	"packhouse/internal/registry"
)

// shared is a blob store that other processes write to, and that can send
// clients to the bytes.
type shared struct {
	blob.Store
	links  bool
	opened int
}

func (*shared) Shared()       {}
func (s *shared) Links() bool { return s.links }

func (s *shared) Link(_ context.Context, key blob.Key, as blob.LinkHeader) (string, error) {
	return fmt.Sprintf("https://bucket.example.com/%s?type=%s", key, url.QueryEscape(as.ContentType)), nil
}

func (s *shared) Open(ctx context.Context, key blob.Key) (blob.Reader, error) {
	s.opened++
	return s.Store.Open(ctx, key)
}

// The sweep of one node leaves alone what another may still publish, and what
// the sweep may take is not published any more.
func TestSweepShared(t *testing.T) {
	w := newWorld(t, &shared{Store: mem.New()})
	blobtest.MustPut(t, w.blobs, blobtest.Bytes(large, 1)) // by another node
	u, err := w.blobs.Create(t.Context())
	w.must(err)
	w.must(u.Close())
	w.ahead.Store(int64(23 * time.Hour))
	if done := w.collect(); done.Orphans+done.Uploads != 0 {
		t.Errorf("collected %+v after 23 hours, want nothing", done)
	}
	w.ahead.Store(0)
	early, err := w.hosted().Receive(t.Context(), incoming("early", blobtest.Bytes(large, 2)))
	w.must(err)
	late, err := w.hosted().Receive(t.Context(), incoming("late", blobtest.Bytes(large, 3)))
	w.must(err)
	w.ahead.Store(int64(11 * time.Hour))
	_, err = w.hosted().Publish(t.Context(), draft("1.0", early))
	w.must(err)
	early.Release()
	w.ahead.Store(int64(13 * time.Hour))
	if _, err := w.hosted().Publish(t.Context(), draft("2.0", late)); packhouse.KindOf(err) != packhouse.Unavailable {
		t.Errorf("Publish of what was received 13 hours ago = %v, want Unavailable", err)
	}
	late.Release()
	w.wantMissing("2.0", "late")
	w.ahead.Store(int64(25 * time.Hour))
	if done := w.collect(); done.Uploads != 1 || done.Orphans != 2 {
		t.Errorf("collected %+v after 25 hours, want an upload, and the blobs of the other node and of what came late", done)
	}
	w.wantContent("1.0", "early", blobtest.Bytes(large, 2))
}

// A file that clients are sent to is opened only if somebody reads it here.
func TestLinks(t *testing.T) {
	s := &shared{Store: mem.New(), links: true}
	w := newWorld(t, s)
	want := blobtest.Bytes(large, 1)
	w.published("1.0", "file", want)
	w.published("1.0", "small", []byte("small"))
	c, err := w.registry.Project(1).Open(t.Context(), ref("1.0", "file"))
	w.must(err)
	address, err := c.Link(t.Context(), registry.LinkHeader{ContentType: "text/plain"})
	if !c.Links() || err != nil || address == "" || s.opened != 0 {
		t.Errorf("Link = %q, %v with %d openings, want an address and none", address, err, s.opened)
	}
	w.must(c.Close())
	w.wantContent("1.0", "file", want)
	if s.opened == 0 {
		t.Error("the file was read and not opened")
	}
	c, err = w.registry.Project(1).Open(t.Context(), ref("1.0", "small"))
	w.must(err)
	if c.Links() {
		t.Error("a file in the database has a link")
	}
	w.must(c.Close())
}

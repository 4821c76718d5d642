package container_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
	"packhouse/internal/verify"
)

// TestPushWhileCollecting: 32 clients push images that share layers, and delete the
// tags of others, while the collector does nothing else. Every image that was
// acknowledged and not deleted pulls whole, what names it by then is there, and
// when all are deleted nothing is left.
func TestPushWhileCollecting(t *testing.T) {
	const pushers, rounds = 32, 3
	// Longer than a push takes, which the race detector slows down.
	const grace = (1 + (formattest.Slowness-1)/3) * 3 * time.Second
	c := start(t, func(o *house.Options) {
		o.ImageGrace, o.Retention, o.PurgeEvery, o.SweepEvery = grace, time.Nanosecond, 0, 0
	})
	c.Project("shop", c.Group("acme", 0, "private"), "private")
	const name = "acme/shop/api"
	shared := [][]byte{bytesOf("shared small", 900), bytesOf("shared large", 50_000), bytesOf("shared larger", 90_000)}
	collecting, stop := context.WithCancel(context.Background())
	var collector, all sync.WaitGroup
	collector.Go(func() {
		for collecting.Err() == nil {
			if _, err := c.Registry.Purge(context.Background()); err != nil {
				t.Errorf("Purge = %v", err)
				return
			}
		}
	})
	for i := range pushers {
		all.Go(func() {
			for round := range rounds {
				tag := fmt.Sprintf("p%d-%d", i, round)
				layers := append([][]byte{bytesOf(tag, 20_000)}, shared[rand.IntN(len(shared)):]...)
				if err := c.multi(name, tag, layers); err != nil {
					t.Error(err)
					return
				}
				if err := c.pull(name, tag); err != nil {
					t.Errorf("just pushed: %v", err)
				}
				if round == 0 {
					continue
				}
				before := fmt.Sprintf("p%d-%d", i, round-1)
				if a := c.send("DELETE", "/v2/"+name+"/manifests/"+before, nil); a.Status != 202 {
					t.Errorf("delete %s = %d %s", before, a.Status, a.Body)
				}
			}
		})
	}
	all.Wait()
	for i := range pushers {
		if err := c.pull(name, fmt.Sprintf("p%d-%d", i, rounds-1)); err != nil {
			t.Errorf("after all: %v", err)
		}
	}
	c.sound(t)
	stop()
	collector.Wait()
	for i := range pushers {
		want(t, "delete the last", c.send("DELETE", fmt.Sprintf("/v2/%s/manifests/p%d-%d", name, i, rounds-1), nil), 202)
	}
	c.emptied(t, grace)
}

// multi pushes an image of two platforms, and the index of them under a tag.
func (c *client) multi(name, tag string, layers [][]byte) error {
	var both [][]byte
	for _, arch := range []string{"amd64", "arm64"} {
		config := []byte(`{"architecture":"` + arch + `","of":"` + tag + `"}`)
		for _, data := range append([][]byte{config}, layers...) {
			if a := c.send("HEAD", "/v2/"+name+"/blobs/"+sha256Of(data), nil); a.Status == 200 {
				continue
			}
			if err := c.blob(name, data); err != nil {
				return err
			}
		}
		m := image(config, layers, nil)
		if a := c.put(name, sha256Of(m), m); a.Status != 201 {
			return fmt.Errorf("push of %s for %s: %d %s", tag, arch, a.Status, a.Body)
		}
		both = append(both, m)
	}
	if a := c.put(name, tag, index(both, nil)); a.Status != 201 {
		return fmt.Errorf("push of the index of %s: %d %s", tag, a.Status, a.Body)
	}
	return nil
}

// sound has everything that is stored looked through.
func (c *client) sound(t *testing.T) {
	t.Helper()
	_, err := verify.Run(context.Background(), c.Store, c.files(), verify.Options{Found: func(p verify.Problem) { t.Errorf("verify: %s", p) }})
	must(t, err)
}

// emptied has the collector run until nothing is left, and fails when something is.
func (c *client) emptied(t *testing.T, grace time.Duration) {
	t.Helper()
	left := -1
	for deadline := time.Now().Add(6 * grace); time.Now().Before(deadline) && left != 0; time.Sleep(grace / 10) {
		_, err := c.Registry.Purge(context.Background())
		must(t, err)
		left = 0
		for _, err := range c.files().List(context.Background(), "") {
			must(t, err)
			left++
		}
		for _, err := range c.files().Uploads(context.Background()) {
			must(t, err)
			left++
		}
	}
	if left != 0 {
		t.Errorf("%d blobs and uploads are left after everything was deleted", left)
	}
	c.sound(t)
}

func (c *client) files() blob.Store { return c.Blobs }

// TestParallelTags: 64 writers of tags of their own, and of one tag.
func TestParallelTags(t *testing.T) {
	c := start(t)
	c.Project("shop", c.Group("acme", 0, "private"), "private")
	const name, writers = "acme/shop", 64
	layer := []byte("a layer")
	must(t, c.blob(name, layer))
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for _, tag := range []string{fmt.Sprintf("own-%02d", i), "latest"} {
				m := image(layer, nil, map[string]any{"annotations": map[string]string{"by": fmt.Sprint(i)}})
				if a := c.put(name, tag, m); a.Status != 201 {
					t.Errorf("push of %s = %d %s", tag, a.Status, a.Body)
				}
				if err := c.pull(name, tag); err != nil {
					t.Error(err)
				}
			}
			if err := c.blob(name, layer); err != nil { // the same of everybody
				t.Error(err)
			}
		})
	}
	all.Wait()
	var list struct{ Tags []string }
	c.JSON(c.send("GET", "/v2/"+name+"/tags/list", nil), &list)
	if len(list.Tags) != writers+1 {
		t.Errorf("%d tags, want %d", len(list.Tags), writers+1)
	}
}

// TestUploadsAtOnce: pieces that come to one upload at the same time are one after
// another, or refused, and never mixed.
func TestUploadsAtOnce(t *testing.T) {
	c := start(t)
	c.Project("shop", c.Group("acme", 0, "private"), "private")
	const name = "acme/shop"
	for range 10 {
		location := c.send("POST", "/v2/"+name+"/blobs/uploads/", nil).Header.Get("Location")
		var all sync.WaitGroup
		var mu sync.Mutex
		size := 0
		for range 8 {
			all.Go(func() {
				a := c.send("PATCH", location, bytesOf("piece", 1000), "Content-Range: 0-999")
				mu.Lock()
				defer mu.Unlock()
				switch a.Status {
				case 202:
					size += 1000
				case 416:
				default:
					t.Errorf("PATCH = %d %s", a.Status, a.Body)
				}
			})
		}
		all.Wait()
		if a := c.send("GET", location, nil); size != 1000 || a.Header.Get("Range") != "0-999" {
			t.Errorf("%d bytes were taken, and Range is %s", size, a.Header.Get("Range"))
		}
		data := bytesOf("piece", 1000)
		created := 0
		for range 8 {
			all.Go(func() {
				a := c.send("PUT", location+"?digest="+sha256Of(data), nil)
				mu.Lock()
				defer mu.Unlock()
				if a.Status == 201 {
					created++
				} else if a.Status != 404 && a.Status != 416 {
					t.Errorf("PUT = %d %s", a.Status, a.Body)
				}
			})
		}
		all.Wait()
		if created != 1 {
			t.Errorf("%d of the PUTs made the blob, want 1", created)
		}
	}
}

// TestResume: a client that goes away in the middle of a piece goes on where the
// server says.
func TestResume(t *testing.T) {
	c := start(t)
	c.Project("shop", c.Group("acme", 0, "private"), "private")
	const name = "acme/shop"
	data := bytesOf("resumed", 2<<20)
	location := c.send("POST", "/v2/"+name+"/blobs/uploads/", nil).Header.Get("Location")
	pass := c.token("repository:" + name + ":pull,push")
	conn := c.Dial()
	conn.Send(c.Head("PATCH", location, "Authorization: Bearer "+pass, fmt.Sprintf("Content-Length: %d", len(data))) + "\r\n" + string(data[:700_000]))
	time.Sleep(200 * time.Millisecond) // so that it is on its way
	conn.Close()
	var got int
	for deadline := time.Now().Add(10 * time.Second); got == 0 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		_, to, _ := strings.Cut(c.send("GET", location, nil).Header.Get("Range"), "-")
		_, _ = fmt.Sscan(to, &got)
	}
	if got++; got < 2 || got > 700_000 {
		t.Fatalf("%d bytes are kept of the 700000 that were sent", got)
	}
	want(t, "the rest", c.send("PATCH", location, data[got:], fmt.Sprintf("Content-Range: %d-%d", got, len(data)-1)), 202)
	want(t, "the end", c.send("PUT", location+"?digest="+sha256Of(data), nil), 201)
	if a := c.send("GET", "/v2/"+name+"/blobs/"+sha256Of(data), nil); sha256Of(a.Body) != sha256Of(data) {
		t.Errorf("GET = %d and %d bytes, want those that were sent", a.Status, len(a.Body))
	}
	c.Member("projects", c.Project("other", c.Group("beta", 0, "private"), "private"), 1, packhouse.Owner)
	other, token := c.User("other")
	c.API("POST", "/projects/acme%2Fshop/members", fmt.Sprintf(`{"user_id":%d,"access_level":30}`, other), nil)
	location = c.send("POST", "/v2/"+name+"/blobs/uploads/", nil).Header.Get("Location")
	want(t, "somebody else's upload", c.as("other", token).send("PATCH", location, data[:10]), 404, "BLOB_UPLOAD_UNKNOWN")
}

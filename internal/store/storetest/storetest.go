// Package storetest is the contract of package store in executable form. Every
// engine passes the same tests; they speak to a store through its exported
// methods alone.
package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// Open makes an empty store with the given clock. It closes the store when the
// test ends; closing it before that must be possible as well.
type Open func(t *testing.T, now func() time.Time) *store.Store

// Run tests the stores that open makes.
func Run(t *testing.T, open Open) {
	for _, group := range []map[string]func(*testing.T, *fixture){
		publishTests, statusTests, readTests, tagTests, directoryTests, tokenTests,
		purgeTests, jobTests, ledgerTests, updateTests, viewTests, raceTests, carryTests,
	} {
		for name, test := range group {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c := NewClock()
				test(t, &fixture{t: t, Store: open(t, c.Now), clock: c})
			})
		}
	}
}

// Clock is a clock that stands still until it is moved.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock makes a clock that shows a time with microseconds.
func NewClock() *Clock {
	return &Clock{at: time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)}
}

// Now is the time that the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// fixture is a store with the helpers that make the tests short. What has to
// succeed and does not ends the test.
type fixture struct {
	t *testing.T
	*store.Store
	clock *Clock
}

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatalf("%+v, want success", err)
	}
}

// check is must for functions that another goroutine calls, such as those of an
// Update: it reports and goes on.
func (f *fixture) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Errorf("%+v, want success", err)
	}
}

// update runs fn, which has to succeed.
func (f *fixture) update(fn func(context.Context, *store.Tx) error) {
	f.t.Helper()
	ctx := f.t.Context()
	f.must(f.Update(ctx, func(tx *store.Tx) error { return fn(ctx, tx) }))
}

// view runs fn, which has to succeed.
func (f *fixture) view(fn func(context.Context, *store.Tx) error) {
	f.t.Helper()
	ctx := f.t.Context()
	f.must(f.View(ctx, func(tx *store.Tx) error { return fn(ctx, tx) }))
}

// append appends events in one update, and returns its error.
func (f *fixture) append(events ...ledger.Event) error {
	ctx := f.t.Context()
	return f.Update(ctx, func(tx *store.Tx) error {
		for _, e := range events {
			if _, err := tx.Append(ctx, ledger.By{}, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// allow is a judge that lets everything pass.
func allow(store.Existing) error { return nil }

// refuse is a judge that lets nothing pass.
func refuse(met store.Existing) error {
	return packhouse.Errorf(packhouse.Conflict, "%s is there %d times", met.Path, met.Copies)
}

// publish publishes p under the given judge.
func (f *fixture) publish(p *store.Publication, judge func(store.Existing) error) (out *store.Published, err error) {
	ctx := f.t.Context()
	err = f.Update(ctx, func(tx *store.Tx) (err error) {
		out, err = tx.Publish(ctx, ledger.By{Name: "publisher"}, p, judge)
		return err
	})
	return out, err
}

// published publishes p, which has to succeed.
func (f *fixture) published(p *store.Publication) *store.Published {
	f.t.Helper()
	out, err := f.publish(p, allow)
	f.must(err)
	return out
}

// publication makes a publication of files of a version of the package "tool"
// in project 1. The bytes of a file are its path.
func publication(version string, paths ...string) *store.Publication {
	p := &store.Publication{
		ProjectID: 1, Format: "generic", PackageName: "tool", PackageKey: "tool",
		Version: version, VersionKey: version, CreatorID: 7,
	}
	for _, path := range paths {
		p.Files = append(p.Files, fileOf(path, path))
	}
	return p
}

// fileOf makes a file whose bytes are in the database.
func fileOf(path, content string) store.NewFile {
	return store.NewFile{
		Path: path, Size: int64(len(content)), SHA256: sha256.Sum256([]byte(content)),
		MD5: "md5 of " + content, Blob: store.Blob{Data: []byte(content)},
	}
}

// keyedFile makes a file whose bytes are in the blob store.
func keyedFile(path, content, key string) store.NewFile {
	f := fileOf(path, content)
	f.Blob = store.Blob{Key: key}
	return f
}

// site is where a publication goes.
func site(version string) ledger.Site { return publication(version).Site() }

// ref names a file of the package "tool".
func ref(version, path string) packhouse.FileRef {
	return packhouse.FileRef{Format: "generic", Package: "tool", Version: version, Path: path}
}

// locate lists the ids of the files that a reference names.
func (f *fixture) locate(projectID int64, ref packhouse.FileRef) (ids []int64) {
	f.t.Helper()
	f.view(func(ctx context.Context, tx *store.Tx) error {
		for l, err := range tx.Locate(ctx, projectID, ref) {
			if err != nil {
				return err
			}
			ids = append(ids, l.File.ID)
		}
		return nil
	})
	return ids
}

// entries reads the whole ledger.
func (f *fixture) entries() (all []ledger.Entry) {
	f.t.Helper()
	f.view(func(ctx context.Context, tx *store.Tx) (err error) {
		all, err = tx.Entries(ctx, 0, 1<<30)
		return err
	})
	return all
}

// version reads a version of project 1.
func (f *fixture) version(id int64) (v *packhouse.Version, err error) {
	ctx := f.t.Context()
	err = f.View(ctx, func(tx *store.Tx) (err error) {
		v, err = tx.Version(ctx, 1, id)
		return err
	})
	return v, err
}

// wantKind reports an error that is not of a kind.
func (f *fixture) wantKind(what string, err error, want packhouse.Kind) {
	f.t.Helper()
	if err == nil || packhouse.KindOf(err) != want {
		f.t.Errorf("%s = %v, want an error of kind %d", what, err, want)
	}
}

// wantError reports an error that is not the wanted one.
func (f *fixture) wantError(what string, err, want error) {
	f.t.Helper()
	if !errors.Is(err, want) {
		f.t.Errorf("%s = %v, want %v", what, err, want)
	}
}

// wantEqual reports a difference.
func (f *fixture) wantEqual(what string, got, want any) {
	f.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		f.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

var errRefused = errors.New("refused by the test")

// numbered makes n strings from a format with one number.
func numbered(format string, n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf(format, i))
	}
	return list
}

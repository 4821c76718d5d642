package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

var raceTests = map[string]func(*testing.T, *fixture){
	"races/64 files of one new version": testRaceFiles,
	"races/one file 64 times":           testRaceDuplicates,
	"races/one file 64 times, allowed":  testRaceCopies,
	"races/one path for all":            testRaceRoutes,
	"races/publish and delete":          testRaceDelete,
}

const racers = 64

// race runs fn at once from many goroutines and returns their errors.
func race(fn func(i int) error) []error {
	errs := make([]error, racers)
	start := make(chan struct{})
	var working sync.WaitGroup
	for i := range racers {
		working.Go(func() {
			<-start
			errs[i] = fn(i)
		})
	}
	close(start)
	working.Wait()
	return errs
}

func testRaceFiles(t *testing.T, f *fixture) {
	paths := numbered("file-%d", racers)
	for _, version := range numbered("%d.0", 4) {
		ids := make([]int64, racers)
		f.must(errors.Join(race(func(i int) error {
			out, err := f.publish(publication(version, paths[i]), refuse)
			if err == nil {
				ids[i] = out.Version.ID
			}
			return err
		})...))
		for i := range racers {
			f.wantEqual("version id", ids[i], ids[0])
			f.wantEqual("located", len(f.locate(1, ref(version, paths[i]))), 1)
		}
	}
}

func testRaceDuplicates(t *testing.T, f *fixture) {
	for _, version := range numbered("%d.0", 4) {
		won := 0
		for _, err := range race(func(int) error {
			_, err := f.publish(publication(version, "a"), refuse)
			return err
		}) {
			if err == nil {
				won++
				continue
			}
			f.wantKind("a loser's answer", err, packhouse.Conflict)
		}
		f.wantEqual("winners", won, 1)
		f.wantEqual("files", len(f.locate(1, ref(version, "a"))), 1)
	}
	f.wantEqual("entries", len(f.entries()), 4)
}

func testRaceCopies(t *testing.T, f *fixture) {
	var judged atomic.Int64
	f.must(errors.Join(race(func(int) error {
		_, err := f.publish(publication("1.0", "a"), func(store.Existing) error { judged.Add(1); return nil })
		return err
	})...))
	f.wantEqual("copies", len(f.locate(1, ref("1.0", "a"))), racers)
	f.wantEqual("questions to the judge", judged.Load(), int64(racers-1))
}

func testRaceRoutes(t *testing.T, f *fixture) {
	won := 0
	for _, err := range race(func(i int) error {
		return f.Update(t.Context(), func(tx *store.Tx) error {
			event := groupAt(tx.NewNamespaceID(), "Acme")
			if i%2 == 0 {
				event = projectAt(tx.NewProjectID(), "acme")
			}
			_, err := tx.Append(t.Context(), ledger.By{}, event)
			return err
		})
	}) {
		if err == nil {
			won++
			continue
		}
		f.wantKind("a loser's answer", err, packhouse.Conflict)
	}
	f.wantEqual("winners", won, 1)
}

// Publishes and deletions of one version race. Each publish ends up in a version
// that is whole: its files are there, or were ended together.
func testRaceDelete(t *testing.T, f *fixture) {
	f.must(errors.Join(race(func(i int) error {
		if i%2 == 0 {
			_, err := f.publish(publication("1.0", numbered("file-%d", racers)[i]), refuse)
			return err
		}
		return f.Update(t.Context(), func(tx *store.Tx) error {
			list, _, err := tx.Versions(t.Context(), store.VersionFilter{ProjectIDs: []int64{1}}, store.Page{Limit: 1})
			if err != nil || len(list) == 0 {
				return err
			}
			_, err = tx.Append(t.Context(), ledger.By{}, &ledger.VersionDelete{Site: site("1.0"), VersionID: list[0].ID})
			return err
		})
	})...))
	live := map[int64]bool{}
	for _, e := range f.entries() {
		switch e := e.Event.(type) {
		case *ledger.Publish:
			live[e.Files[0].ID] = true
		case *ledger.VersionDelete:
			clear(live)
		}
	}
	f.view(func(ctx context.Context, tx *store.Tx) error {
		list, _, err := tx.Versions(ctx, store.VersionFilter{ProjectIDs: []int64{1}}, store.Page{Limit: 9})
		if err != nil || len(list) == 0 {
			f.wantEqual("live files without a live version", len(live), 0)
			return err
		}
		_, total, err := tx.Files(ctx, list[0].ID, store.Page{Limit: 1})
		f.wantEqual("live files", total, len(live))
		return err
	})
}

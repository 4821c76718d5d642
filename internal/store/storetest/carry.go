package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

var carryTests = map[string]func(*testing.T, *fixture){
	"carry/missing bytes":   testMissingBytes,
	"carry/kept bytes":      testKeptBytes,
	"carry/purged bytes":    testDropPurged,
	"carry/rows beside":     testAsides,
	"carry/written entries": testWritten,
	"carry/sound engine":    func(t *testing.T, f *fixture) { f.must(f.Check(t.Context())) },
	"carry/only in updates": testCarryReading,
}

// recorded appends a version whose files have no bytes, as a replay leaves them.
func (f *fixture) recorded(version string, id int64, contents ...string) {
	f.t.Helper()
	event := &ledger.Publish{
		Site: site(version), PackageID: 1, PackageName: "tool", VersionID: id, Version: version, Status: packhouse.StatusDefault,
	}
	for i, content := range contents {
		event.Files = append(event.Files, ledger.FileAdded{
			ID: id*100 + int64(i), Path: fmt.Sprint("file-", i), Size: int64(len(content)), SHA256: sha256.Sum256([]byte(content)),
		})
	}
	f.must(f.append(event))
}

func testMissingBytes(t *testing.T, f *fixture) {
	f.recorded("1.0", 1, "a", "bb", "ccc", "a", "dddd")
	var got []store.Bytes
	f.view(func(ctx context.Context, tx *store.Tx) error {
		count, size, err := tx.MissingTotal(ctx)
		f.wantEqual("missing", []int64{count, size}, []int64{4, 10})
		f.must(err)
		for after := (packhouse.Digest{}); ; after = got[len(got)-1].Digest {
			list, err := tx.MissingBytes(ctx, after, 3)
			if err != nil || len(list) == 0 {
				return err
			}
			got = append(got, list...)
		}
	})
	f.wantEqual("missing digests", len(got), 4)
	keep := func(suffix string, spare bool) {
		t.Helper()
		f.update(func(ctx context.Context, tx *store.Tx) error {
			for i, b := range got {
				b.Blob = store.Blob{Key: fmt.Sprint("key-", i, suffix)}
				is, err := tx.KeepBytes(ctx, b)
				f.wantEqual("spare", is, spare)
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	keep("", false)
	keep("-again", true)
	f.view(func(ctx context.Context, tx *store.Tx) error {
		list, err := tx.MissingBytes(ctx, packhouse.Digest{}, 10)
		f.wantEqual("missing after all", len(list), 0)
		f.must(err)
		at, err := tx.BlobOf(ctx, got[2].Digest)
		f.wantEqual("key", at.Key, "key-2")
		return err
	})
}

func testKeptBytes(_ *testing.T, f *fixture) {
	f.published(publication("1.0", "small"))
	f.keyed("2.0", "large", "key")
	f.update(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.KeepBytes(ctx, store.Bytes{Digest: sha256.Sum256([]byte("nobody's")), Size: 8, Blob: store.Blob{Data: []byte("nobody's")}})
		return err
	})
	f.view(func(ctx context.Context, tx *store.Tx) error {
		count, size, err := tx.KeptTotal(ctx)
		f.wantEqual("kept", []int64{count, size}, []int64{3, 18})
		f.must(err)
		first, err := tx.KeptBytes(ctx, 0, 2)
		f.must(err)
		f.wantEqual("first rows", len(first), 2)
		rest, err := tx.KeptBytes(ctx, first[1].ID, 2)
		f.wantEqual("rest", len(rest), 1)
		all := map[string]bool{}
		for _, b := range append(first, rest...) {
			all[string(b.Blob.Data)+b.Blob.Key] = b.Needed
		}
		f.wantEqual("needed", all, map[string]bool{"small": true, "key": true, "nobody's": false})
		return err
	})
}

func testDropPurged(_ *testing.T, f *fixture) {
	f.keyed("1.0", "shared", "key-shared")
	one, two := f.keyed("2.0", "shared", "spare"), f.keyed("3.0", "own", "key-own")
	f.deleteVersion(one.Version)
	f.deleteVersion(two.Version)
	ids := []int64{one.Files[0].ID, two.Files[0].ID}
	drop := func() (keys []string) {
		f.t.Helper()
		f.update(func(ctx context.Context, tx *store.Tx) (err error) {
			keys, err = tx.DropPurged(ctx, append(ids, 999))
			return err
		})
		return keys
	}
	f.wantEqual("keys before the purge", drop(), []string(nil))
	f.must(f.append(&ledger.Purge{Before: f.clock.Now(), FileIDs: ids}))
	f.wantEqual("keys", drop(), []string{"key-own"})
	f.wantEqual("keys again", drop(), []string(nil))
	f.view(func(ctx context.Context, tx *store.Tx) error {
		known, err := tx.HasBlobKey(ctx, "key-shared")
		f.wantEqual("the shared bytes are known", known, true)
		return err
	})
}

func testAsides(_ *testing.T, f *fixture) {
	f.update(func(ctx context.Context, tx *store.Tx) error {
		at := f.clock.Now()
		var list []store.Downloads
		for i := range int64(5) {
			list = append(list, store.Downloads{FileID: i % 3, Day: i, Last: at, Count: i + 1})
		}
		return errors.Join(
			tx.AddDownloads(ctx, list), tx.UseTokens(ctx, map[int64]time.Time{1: at, 2: at}),
			tx.ExchangeOnce(ctx, sha256.Sum256([]byte("token")), at.Add(time.Hour)))
	})
	rows := map[string][][]any{}
	read := func() {
		f.view(func(ctx context.Context, tx *store.Tx) error {
			for _, a := range store.Asides {
				rows[a.String()] = nil
				for after := []any(nil); ; {
					list, err := tx.AsideRows(ctx, a, after, 2)
					if err != nil {
						return fmt.Errorf("%s: %w", a, err)
					}
					if len(list) == 0 {
						break
					}
					rows[a.String()] = append(rows[a.String()], list...)
					after = list[len(list)-1]
				}
			}
			return nil
		})
	}
	read()
	f.wantEqual("rows", []int{len(rows["downloads"]), len(rows["token_uses"]), len(rows["exchanged"])}, []int{5, 2, 1})
	before := fmt.Sprint(rows)
	f.update(func(ctx context.Context, tx *store.Tx) error {
		for _, a := range store.Asides {
			if err := tx.PutAsideRows(ctx, a, rows[a.String()]); err != nil {
				return fmt.Errorf("%s: %w", a, err)
			}
		}
		return nil
	})
	read()
	f.wantEqual("rows written over themselves", fmt.Sprint(rows), before)
}

func testWritten(_ *testing.T, f *fixture) {
	for i := range int64(5) {
		f.must(f.append(groupAt(i+1, fmt.Sprint("group-", i))))
	}
	f.view(func(ctx context.Context, tx *store.Tx) error {
		list, err := tx.Payloads(ctx, 2, 2)
		f.must(err)
		f.wantEqual("numbers", []int64{list[0].Seq, list[1].Seq}, []int64{3, 4})
		digests, err := tx.EntryDigests(ctx, 2, 2)
		for i, w := range list {
			f.wantEqual("digest", digests[i].Digest, packhouse.Digest(sha256.Sum256(w.Payload)))
			f.wantEqual("payload", len(digests[i].Payload), 0)
		}
		return err
	})
}

func testCarryReading(t *testing.T, f *fixture) {
	ctx := t.Context()
	f.view(func(_ context.Context, tx *store.Tx) error {
		if _, err := tx.KeepBytes(ctx, store.Bytes{}); err == nil {
			t.Error("KeepBytes in a view succeeded, want an error")
		}
		if err := tx.PutAsideRows(ctx, store.Asides[0], [][]any{{int64(1), "x"}}); err == nil {
			t.Error("PutAsideRows in a view succeeded, want an error")
		}
		return nil
	})
}

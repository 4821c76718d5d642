package storetest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

var ledgerTests = map[string]func(*testing.T, *fixture){
	"ledger/no gaps":            testNoGaps,
	"ledger/read back":          testEntriesReadBack,
	"ledger/pages":              testEntriesPages,
	"ledger/actor and time":     testEntryActor,
	"ledger/position":           testPosition,
	"ledger/replay has to fit":  testReplayFits,
	"ledger/failure is the end": testAppendFailureIsTheEnd,
}

func testNoGaps(t *testing.T, f *fixture) {
	for i, version := range numbered("%d.0", 12) {
		f.published(publication(version, "a"))
		switch i % 3 {
		case 0:
			_, err := f.publish(publication(version, "a"), refuse)
			f.wantKind("duplicate", err, packhouse.Conflict)
		case 1:
			f.wantKind("deletion", f.append(groupAt(int64(i), version), &ledger.VersionDelete{VersionID: 999}), packhouse.NotFound)
		case 2:
			f.update(func(ctx context.Context, tx *store.Tx) error { return nil })
		}
	}
	entries := f.entries()
	f.wantEqual("number of entries", len(entries), 12)
	for i, e := range entries {
		f.wantEqual("number of an entry", e.Seq, int64(i+1))
	}
}

// everyEvent holds each kind of event once, in an order in which they apply.
func everyEvent(at time.Time) []ledger.Event {
	group, job := packhouse.Target{Level: packhouse.Group, ID: 3}, &packhouse.Job{ID: 1, ProjectID: 31, Pipeline: packhouse.Pipeline{ID: 5}, StartedAt: at}
	yes, expr := true, `v\d+|<&>`
	where, pkg, version, file := site("1.0"), int64(11), int64(12), int64(13)
	where.ProjectID = 31
	whole := where
	whole.VersionKey = ""
	place := ledger.Place{ProjectID: 31, RepositoryID: 20, Repository: "api"}
	admission := ledger.Admission{ProjectID: 31, Admitted: group}
	added := ledger.FileAdded{ID: file, Path: "dir/ä \u2028<&>", Size: 5, SHA256: fileOf("", "x").SHA256, MD5: "m", SHA1: "s", SHA512: "t"}
	second := added
	second.ID, second.Path = 14, "other"
	return []ledger.Event{
		&ledger.UserPut{Create: true, User: ledger.User{ID: 1, Username: "Ada", Name: "Ada L", Email: "a@b", Admin: true, External: true, CreatedAt: at}},
		&ledger.NamespacePut{Create: true, Namespace: ledger.Namespace{ID: 3, Path: "acme", Name: "A", Description: "d", Visibility: packhouse.VisibilityInternal, CreatedAt: at}},
		&ledger.ProjectPut{Create: true, Project: ledger.Project{ID: 31, NamespaceID: 3, Path: "acme/tool", Name: "T", Registry: packhouse.RegistryPublic, OpenToJobs: true, CreatorID: 1, CreatedAt: at}},
		&ledger.MemberPut{Create: true, Member: ledger.Member{Target: group, UserID: 1, Role: packhouse.Maintainer, ExpiresAt: at.Add(time.Hour), CreatedAt: at}},
		&ledger.TokenPut{Create: true, Token: ledger.Token{ID: 9, Kind: packhouse.JobToken, Digest: added.SHA256, Name: "n", UserID: 1, Scopes: packhouse.ScopeAPI, Job: job, CreatorID: 1, CreatedAt: at, ExpiresAt: at}},
		&ledger.AdmissionPut{Admission: admission},
		&ledger.SettingsPut{Settings: ledger.Settings{Target: group, GuestsPull: &yes, Duplicates: map[string]ledger.Duplicates{"npm": {Allowed: &yes, Except: &expr}}}},
		&ledger.Publish{
			Site: where, PackageID: pkg, PackageName: "tool", VersionID: version, Version: "1.0", Status: packhouse.StatusDefault,
			Metadata: json.RawMessage(`{"a":1}`), CreatorID: 1, Pipeline: &job.Pipeline, Files: []ledger.FileAdded{added, second},
		},
		&ledger.StatusChange{Site: where, VersionID: version, Status: packhouse.StatusHidden},
		&ledger.TagPut{Site: where, PackageID: pkg, VersionID: version, Name: "latest"},
		&ledger.TagRemove{Site: where, PackageID: pkg, Name: "latest"},
		&ledger.FileDelete{Site: where, VersionID: version, FileID: file},
		&ledger.VersionDelete{Site: where, Deletion: ledger.Deletion{RunID: 4}, VersionID: version, Whole: true},
		&ledger.Restore{Site: whole, TrashID: 13, PackageID: pkg, Versions: []int64{version}},
		&ledger.TrashPurge{Site: whole, TrashID: 12, FileIDs: []int64{}},
		&ledger.Purge{FileIDs: []int64{file}, Before: at},
		&ledger.CleanupBegin{ProjectID: 31, PreviewID: 2, Planned: 1},
		&ledger.CleanupEnd{ProjectID: 31, RunID: 17, Versions: 1, Files: 2, Bytes: 3, Skipped: []ledger.CleanupSkipped{{VersionID: 4, FileID: 5, Why: "<changed>"}}},
		&ledger.RepositoryPut{Place: place},
		&ledger.PartPut{
			Place: place, ID: 21, Manifest: true, SHA256: added.SHA256, SHA512: "t", Digest: "sha256:x", Size: 5, MediaType: "m", Subject: "s", ArtifactType: "a",
			Annotations: json.RawMessage(`{"a":"b"}`), CreatorID: 1, Pipeline: &job.Pipeline,
		},
		&ledger.PartDigest{Place: place, ID: 21, SHA512: "u"},
		&ledger.ImageTagPut{Place: place, Name: "latest", PartID: 21},
		&ledger.ImageTagRemove{Place: place, Name: "latest"},
		&ledger.PartDelete{Place: place, ID: 21},
		&ledger.PartPurge{IDs: []int64{21}, Before: at},
		&ledger.RepositoryClear{Place: place},
		&ledger.AdmissionRemove{Admission: admission},
		&ledger.MemberRemove{Target: group, UserID: 1},
	}
}

func testEntriesReadBack(t *testing.T, f *fixture) {
	events := everyEvent(f.clock.Now())
	f.must(f.append(events...))
	var got []ledger.Event
	verbs := map[string]bool{}
	for _, e := range f.entries() {
		got = append(got, e.Event)
		verbs[e.Event.Verb()] = true
	}
	f.wantEqual("events read back", got, events)
	f.wantEqual("kinds of event", len(verbs), len(events))
}

func testEntriesPages(t *testing.T, f *fixture) {
	for _, path := range numbered("group-%d", 7) {
		f.update(func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Append(ctx, ledger.By{}, groupAt(tx.NewNamespaceID(), path))
			return err
		})
	}
	var seqs []int64
	f.view(func(ctx context.Context, tx *store.Tx) error {
		for after := int64(0); ; {
			page, err := tx.Entries(ctx, after, 3)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, e := range page {
				seqs = append(seqs, e.Seq)
			}
			after = page[len(page)-1].Seq
		}
	})
	f.wantEqual("numbers on all pages", seqs, []int64{1, 2, 3, 4, 5, 6, 7})
}

func testEntryActor(t *testing.T, f *fixture) {
	by := ledger.By{Kind: packhouse.DeployToken, TokenID: 4, Name: "gitlab+deploy", JobID: 2, RequestID: "r", UserID: 1}
	f.update(func(ctx context.Context, tx *store.Tx) error {
		f.wantEqual("Now", tx.Now(), f.clock.Now())
		seq, err := tx.Append(ctx, by, groupAt(1, "a"))
		f.wantEqual("number returned", seq, int64(1))
		return err
	})
	f.wantEqual("entries", f.entries(), []ledger.Entry{{Seq: 1, At: f.clock.Now(), By: by, Event: groupAt(1, "a")}})
	f.clock.Advance(1500 * time.Nanosecond)
	f.must(f.append(groupAt(2, "b")))
	at := f.entries()[1].At
	f.wantEqual("time in whole microseconds", at, f.clock.Now().Truncate(time.Microsecond))
	f.update(func(ctx context.Context, tx *store.Tx) error {
		f.wantEqual("Now in whole microseconds", tx.Now(), at)
		return nil
	})
}

func testPosition(t *testing.T, f *fixture) {
	for want := range int64(3) {
		f.wantEqual("Position", f.Position(), want)
		f.view(func(ctx context.Context, tx *store.Tx) error {
			seq, err := tx.Position(ctx)
			f.wantEqual("Position of a View", seq, want)
			return err
		})
		f.must(f.append(groupAt(want+1, string(rune('a'+want)))))
	}
}

func testReplayFits(t *testing.T, f *fixture) {
	f.must(f.append(groupAt(1, "a")))
	for _, seq := range []int64{0, 1, 3} {
		err := f.Update(t.Context(), func(tx *store.Tx) error {
			return tx.Replay(t.Context(), []ledger.Entry{{Seq: seq, At: f.clock.Now(), Event: groupAt(2, "b")}})
		})
		if err == nil {
			t.Errorf("Replay of entry %d after 1 succeeded, want an error", seq)
		}
	}
	f.wantEqual("entries", len(f.entries()), 1)
}

// An update that goes on after a failed Append, as if nothing had happened, is
// undone as a whole.
func testAppendFailureIsTheEnd(t *testing.T, f *fixture) {
	f.must(f.append(groupAt(1, "taken")))
	for _, failing := range []ledger.Event{groupAt(2, "taken"), &ledger.VersionDelete{VersionID: 999}} {
		err := f.Update(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Append(t.Context(), ledger.By{}, groupAt(3, "before"))
			f.check(err)
			_, _ = tx.Append(t.Context(), ledger.By{}, failing)
			_, _ = tx.Append(t.Context(), ledger.By{}, groupAt(4, "after"))
			_ = tx.AddJob(t.Context(), "sweep", "", "", f.clock.Now())
			return nil
		})
		if err == nil {
			t.Error("Update that swallowed a failure succeeded, want an error")
		}
	}
	f.wantEqual("entries", len(f.entries()), 1)
	if job := f.lease(); job != nil {
		t.Errorf("LeaseJob = %+v, want none", job)
	}
	f.must(f.append(groupAt(2, "next")))
	f.wantEqual("number of the next entry", f.Position(), int64(2))
}

package registry_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/registry"
	"packhouse/internal/store"
)

// aged makes a version as a cleanup sees it.
func aged(id int64, number string, days int, edit ...func(*store.CleanupRow)) store.CleanupRow {
	r := store.CleanupRow{
		Version: packhouse.Version{ID: id, Number: number, CreatedAt: cleanupNow.AddDate(0, 0, -days), Package: packhouse.Package{Format: "npm", Name: "lib"}},
		Files:   1, Bytes: 5,
	}
	for _, f := range edit {
		f(&r)
	}
	return r
}

var cleanupNow = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func tagged(r *store.CleanupRow) { r.Tagged = true }

func downloaded(days int) func(*store.CleanupRow) {
	return func(r *store.CleanupRow) { r.Downloaded = cleanupNow.AddDate(0, 0, -days) }
}

// What each condition takes and leaves.
func TestCleanupChoice(t *testing.T) {
	rows := []store.CleanupRow{
		aged(1, "1.0.0", 100), aged(2, "1.9.0", 90, downloaded(3)), aged(3, "1.10.0", 80), aged(4, "2.0.0-rc.1", 70, tagged),
		aged(5, "2.0.0-beta.2", 60), aged(6, "2.0.0", 50), aged(7, "2.0.1", 0),
	}
	for name, test := range map[string]struct {
		rule ledger.CleanupRule
		want []int64
	}{
		"older":           {ledger.CleanupRule{OlderThan: "80d"}, []int64{3, 2, 1}},
		"newest by order": {ledger.CleanupRule{KeepN: 3}, []int64{5, 3, 2, 1}}, // 2.0.1, 2.0.0 and the tagged 2.0.0-rc.1 stay
		"versions":        {ledger.CleanupRule{OlderThan: "1d", Versions: `1\..*`, VersionsKept: `.*0\.0`}, []int64{2}},
		"not whole":       {ledger.CleanupRule{OlderThan: "1d", Versions: `1\.`}, nil},
		"names":           {ledger.CleanupRule{OlderThan: "80d", Names: "li"}, nil},
		"names kept":      {ledger.CleanupRule{OlderThan: "80d", NamesKept: "l.*"}, nil},
		"other format":    {ledger.CleanupRule{OlderThan: "80d", Formats: []string{"pypi"}}, nil},
		"prereleases":     {ledger.CleanupRule{OlderThan: "1d", Prerelease: true}, []int64{5}},
		"never loaded":    {ledger.CleanupRule{NeverDownloaded: true, Versions: `1\..*`}, []int64{3, 1}},
		"not loaded for":  {ledger.CleanupRule{NotDownloadedFor: "75d"}, []int64{3, 1}},
	} {
		choice, err := registry.NewCleanupChoice(&ledger.Cleanup{Rules: []ledger.CleanupRule{test.rule}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []int64
		for _, i := range choice.Choose(rows, nil, func(*packhouse.Version) bool { return false }, cleanupNow) {
			got = append(got, i.Version.ID)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: chosen (-want +got):\n%s", name, diff)
		}
		if all := choice.Choose(rows, nil, func(*packhouse.Version) bool { return true }, cleanupNow); len(all) > 0 {
			t.Errorf("%s: %v are chosen although they are protected", name, all)
		}
	}
	choice, _ := registry.NewCleanupChoice(&ledger.Cleanup{Rules: []ledger.CleanupRule{{OlderThan: "1d"}}})
	if got := choice.Choose(rows[:2], nil, func(*packhouse.Version) bool { return false }, cleanupNow); len(got) != 1 || got[0].Version.ID != 1 {
		t.Errorf("of a package that would go whole %v is chosen, want all but the newest", got)
	}
	for _, bad := range []ledger.CleanupRule{{}, {Names: "x"}, {OlderThan: "soon"}, {KeepN: 1, Versions: "("}, {KeepN: -1}, {NotDownloadedFor: "-1d"}} {
		if _, err := registry.NewCleanupChoice(&ledger.Cleanup{Rules: []ledger.CleanupRule{bad}}); packhouse.KindOf(err) != packhouse.Invalid {
			t.Errorf("NewCleanupChoice(%+v) = %v, want Invalid", bad, err)
		}
	}
}

// TestCleanupRun publishes at random and cleans up: what is deleted is what was
// listed, apart from what has changed since, which is said; never more; and a restore
// of the run brings back all of it.
func TestCleanupRun(t *testing.T) {
	w := newWorld(t, nil)
	w.keep(1000 * time.Hour)
	numbers := 0
	rapid.Check(t, func(r *rapid.T) {
		w.ahead.Store(int64(2 * time.Hour))
		w.clear()
		for range rapid.IntRange(1, 12).Draw(r, "publishes") {
			numbers++
			w.published(fmt.Sprintf("%d.%d", rapid.IntRange(1, 6).Draw(r, "major"), rapid.IntRange(0, 1).Draw(r, "minor")), rapid.SampledFrom([]string{"a", "b"}).Draw(r, "path"), fmt.Append(nil, numbers))
		}
		w.ahead.Store(int64(48 * time.Hour))
		before := w.shown()
		policy := &ledger.Cleanup{KeepCopies: rapid.IntRange(0, 2).Draw(r, "copies")}
		if rapid.Bool().Draw(r, "ruled") {
			policy.Rules = []ledger.CleanupRule{{Name: "r", KeepN: rapid.IntRange(1, 4).Draw(r, "keep")}}
		}
		preview, err := w.registry.PreviewCleanup(t.Context(), 1, policy)
		w.must(err)
		if diff := cmp.Diff(before, w.shown()); diff != "" {
			r.Fatalf("a preview changes (-before +after):\n%s", diff)
		}
		changed := ""
		if len(preview.Items) > 0 && rapid.Bool().Draw(r, "change") {
			item := rapid.SampledFrom(preview.Items).Draw(r, "changed")
			changed = item.Version.Number
			w.must(w.hosted().DeleteVersion(t.Context(), item.Version.ID))
			before = w.shown()
		}
		report, err := w.registry.RunCleanup(t.Context(), ledger.By{}, 1, preview.ID)
		w.must(err)
		want := map[string]string{}
		for key, text := range before {
			want[key] = text
		}
		skipped := map[[2]int64]bool{}
		for _, s := range report.Skipped {
			skipped[[2]int64{s.VersionID, s.FileID}] = true
		}
		for _, i := range preview.Items {
			if i.Version.Number == changed || skipped[[2]int64{i.Version.ID, i.FileID}] {
				continue
			}
			for key := range want {
				if i.FileID != 0 && key == fmt.Sprint(i.Version.Number, " ", i.FileID) || i.FileID == 0 && key[:len(i.Version.Number)] == i.Version.Number {
					delete(want, key)
				}
			}
		}
		if diff := cmp.Diff(want, w.shown()); diff != "" {
			r.Fatalf("after the run (-want +got):\n%s", diff)
		}
		if changed == "" && len(report.Skipped) > 0 || changed != "" && len(report.Skipped) == 0 {
			r.Fatalf("changed %q, skipped %v", changed, report.Skipped)
		}
		w.restoreRun(r, report, before)
	})
}

// restoreRun brings back what a run has deleted.
func (w *world) restoreRun(r *rapid.T, report *store.CleanupRun, before map[string]string) {
	n, err := w.hosted().RestoreRun(w.t.Context(), report.ID)
	if report.Files == 0 {
		if packhouse.KindOf(err) != packhouse.NotFound {
			r.Fatalf("RestoreRun of a run that deleted nothing = %v, want NotFound", err)
		}
		return
	}
	if err != nil || n == 0 {
		r.Fatalf("RestoreRun = %d, %v, want success", n, err)
	}
	if diff := cmp.Diff(before, w.shown()); diff != "" {
		r.Fatalf("after the restore of the run (-before +after):\n%s", diff)
	}
}

// shown is what is live, by version and file.
func (w *world) shown() map[string]string {
	versions, files := w.live()
	all := map[string]string{}
	for _, v := range versions {
		for _, f := range files[v.ID] {
			all[fmt.Sprint(v.Number, " ", f.ID)] = fmt.Sprint(v.ID, f.Path, f.Copy, f.SHA256)
		}
	}
	return all
}

// clear deletes all that is live.
func (w *world) clear() {
	versions, _ := w.live()
	for _, v := range versions {
		w.must(w.hosted().DeleteVersion(w.t.Context(), v.ID))
	}
}

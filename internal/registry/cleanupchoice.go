package registry

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// youngest is how long a version stays whatever the rules say.
const youngest = day

// CleanupChoice chooses what a cleanup deletes. It is pure.
type CleanupChoice struct {
	keepCopies int64
	rules      []chosenBy
}

// chosenBy is a rule that was read.
type chosenBy struct {
	ledger.CleanupRule
	names, namesKept, versions, versionsKept *regexp.Regexp
	olderThan, notDownloadedFor              time.Duration
}

// NewCleanupChoice reads the rules of a policy. packhouse.Invalid: an expression or a
// span of time is none, or a rule says nothing about which versions go.
func NewCleanupChoice(c *ledger.Cleanup) (*CleanupChoice, error) {
	choice := &CleanupChoice{keepCopies: int64(c.KeepCopies)}
	for _, rule := range c.Rules {
		read, err := readRule(rule)
		if err != nil {
			return nil, err
		}
		choice.rules = append(choice.rules, read)
	}
	return choice, nil
}

func readRule(rule ledger.CleanupRule) (r chosenBy, err error) {
	r.CleanupRule = rule
	for _, x := range []struct {
		name, expr string
		into       **regexp.Regexp
	}{
		{"name_regex", rule.Names, &r.names}, {"name_regex_keep", rule.NamesKept, &r.namesKept},
		{"version_regex", rule.Versions, &r.versions}, {"version_regex_keep", rule.VersionsKept, &r.versionsKept},
	} {
		if *x.into, err = ledger.CompileExcept(x.expr); err != nil {
			return r, packhouse.InvalidParam("rules", fmt.Sprintf("is invalid: %s of %q is %s", x.name, rule.Name, packhouse.AsError(err).Message))
		}
	}
	for _, x := range []struct {
		name, span string
		into       *time.Duration
	}{{"older_than", rule.OlderThan, &r.olderThan}, {"not_downloaded_for", rule.NotDownloadedFor, &r.notDownloadedFor}} {
		if x.span == "" {
			continue
		}
		if *x.into, err = ParseAge(x.span); err != nil {
			return r, packhouse.InvalidParam("rules", fmt.Sprintf("is invalid: %s of %q is no span of time such as 30d", x.name, rule.Name))
		}
	}
	if rule.KeepN <= 0 && r.olderThan == 0 && r.notDownloadedFor == 0 && !rule.NeverDownloaded {
		return r, packhouse.InvalidParam("rules", fmt.Sprintf(
			"is invalid: %q needs one of keep_n_versions, older_than, not_downloaded_for and never_downloaded", rule.Name))
	}
	return r, nil
}

// CleanupItem is something that a cleanup deletes, and why.
type CleanupItem struct {
	Version      packhouse.Version // without its metadata
	FileID       int64             // a file of it; 0 for the whole
	Path         string            // of the file
	Rule         string            // by its name; "" for the one about files of one name
	Files, Bytes int64
	Downloaded   time.Time // last; the zero time for never
}

// key tells items apart.
func (i *CleanupItem) key() [2]int64 { return [2]int64{i.Version.ID, i.FileID} }

// Choose chooses among the versions of one package and its files of which there are
// newer ones. protected tells versions that may not be deleted.
//
// A version goes when all that one rule says holds for it, unless that rule keeps
// it, it is protected or tagged, or was published within a day. The newest version
// of the package stays if all would go. A file goes when its version stays, and has
// as many newer ones of its name as are kept.
func (c *CleanupChoice) Choose(rows []store.CleanupRow, copies []store.CleanupCopy, protected func(*packhouse.Version) bool, now time.Time) (chosen []CleanupItem) {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b store.CleanupRow) int { // newest first
		return cmp.Or(compareNumbers(b.Version.Number, a.Version.Number), cmp.Compare(b.Version.ID, a.Version.ID))
	})
	gone := map[int64]bool{}
	for _, rule := range c.rules {
		for nth := range rows {
			r := &rows[nth]
			if gone[r.Version.ID] || r.Tagged || !rule.takes(r, nth, now) || protected(&r.Version) {
				continue
			}
			gone[r.Version.ID] = true
			chosen = append(chosen, CleanupItem{Version: r.Version, Rule: rule.Name, Files: r.Files, Bytes: r.Bytes, Downloaded: r.Downloaded})
		}
	}
	if len(rows) > 0 && len(chosen) == len(rows) {
		delete(gone, rows[0].Version.ID)
		chosen = slices.DeleteFunc(chosen, func(i CleanupItem) bool { return i.Version.ID == rows[0].Version.ID })
	}
	for i := range copies {
		f := &copies[i]
		if c.keepCopies == 0 || f.Newer < c.keepCopies || gone[f.Version.ID] || protected(&f.Version) {
			continue
		}
		chosen = append(chosen, CleanupItem{Version: f.Version, FileID: f.File.ID, Path: f.File.Path, Files: 1, Bytes: f.File.Size})
	}
	return chosen
}

// takes reports whether all that the rule says holds for the nth newest version.
func (r *chosenBy) takes(v *store.CleanupRow, nth int, now time.Time) bool {
	p := &v.Version.Package
	matches := func(re *regexp.Regexp, text string, without bool) bool {
		if re == nil {
			return without
		}
		return re.MatchString(text)
	}
	since := func(t time.Time, span time.Duration) bool { return !t.After(now.Add(-span)) }
	switch {
	case nth < r.KeepN,
		len(r.Formats) > 0 && !slices.Contains(r.Formats, p.Format),
		!matches(r.names, p.Name, true), matches(r.namesKept, p.Name, false),
		!matches(r.versions, v.Version.Number, true), matches(r.versionsKept, v.Version.Number, false),
		r.Prerelease && !prerelease(v.Version.Number),
		r.NeverDownloaded && !v.Downloaded.IsZero(),
		!since(v.Version.CreatedAt, max(youngest, r.olderThan)),
		r.notDownloadedFor > 0 && !(since(v.Version.CreatedAt, r.notDownloadedFor) && since(v.Downloaded, r.notDownloadedFor)):
		return false
	}
	return true
}

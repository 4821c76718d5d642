package nuget

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/registry"
)

// entry is what documents say of a version.
type entry struct {
	version   version
	key       string // of the version
	manifest  *manifest
	listed    bool
	published time.Time
	size      int64
	hash      string // SHA-512 of the package, base64
	id        int64  // of the version: a later one is newer
}

// Entry implements registry.Indexer. Where a version was published again its newest
// package speaks for it, dependencies too.
func (NuGet) Entry(v *packhouse.Version, files []packhouse.File) (any, int) {
	for i := len(files) - 1; i >= 0; i-- {
		f := &files[i]
		if !strings.HasSuffix(f.Path, packageEnding) {
			continue
		}
		m := &manifest{}
		if err := json.Unmarshal(f.Metadata, m); err != nil {
			continue // we wrote it; without it there is nothing to say
		}
		parsed, err := parseVersion(m.Version)
		if err != nil {
			continue
		}
		e := &entry{version: parsed, key: v.Key, manifest: m, listed: !stateOf(v).Unlisted, published: f.CreatedAt, size: f.Size, id: v.ID}
		if sum, err := hex.DecodeString(f.SHA512); err == nil {
			e.hash = base64.StdEncoding.EncodeToString(sum)
		}
		return e, 512 + 2*len(f.Metadata)
	}
	return (*entry)(nil), 0
}

// entriesOf are the versions that can be downloaded, in their order. Of one that is
// in several projects the newest is taken, which is the one that is served.
func entriesOf(l *registry.Listing) []*entry {
	all := make([]*entry, 0, len(l.Releases))
	for _, release := range l.Releases {
		if e, ok := release.Entry.(*entry); ok && e != nil && release.Version.Status == packhouse.StatusDefault {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b *entry) int {
		if c := a.version.compare(b.version); c != 0 {
			return c
		}
		return int(b.id - a.id)
	})
	return slices.CompactFunc(all, func(a, b *entry) bool { return a.key == b.key })
}

// newest is the highest listed version, nil if there is none.
func newest(all []*entry, prerelease bool) *entry {
	for _, e := range slices.Backward(all) {
		if e.listed && (prerelease || !e.version.prerelease()) {
			return e
		}
	}
	return nil
}

const timeLayout = "2006-01-02T15:04:05.000Z"

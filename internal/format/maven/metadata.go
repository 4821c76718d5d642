package maven

import (
	"encoding/xml"
	"errors"
	"net/http"
	"slices"
	"time"

	"packhouse"
	"packhouse/internal/registry"
)

// entry is what metadata needs of a version; its files are in the listing.
type entry struct {
	complete bool      // it has a pom, or a client has said that it is whole
	changed  time.Time // when its newest file came
	plugin   *plugin   // of a version that stands for a plugin prefix
}

// Entry implements registry.Indexer.
func (*Maven) Entry(v *packhouse.Version, files []packhouse.File) (any, int) {
	e := &entry{changed: v.CreatedAt}
	said := readSaid(v.Metadata)
	e.complete, e.plugin = said.Complete, said.Plugin
	for i := range files {
		e.complete = e.complete || isPom(files[i].Path)
		if files[i].CreatedAt.After(e.changed) {
			e.changed = files[i].CreatedAt
		}
	}
	return e, 128
}

// metadata is a maven-metadata.xml (Maven's repository metadata, model 1.1.0).
type metadata struct {
	XMLName    xml.Name    `xml:"metadata"`
	Model      string      `xml:"modelVersion,attr,omitempty"`
	GroupID    string      `xml:"groupId,omitempty"`
	ArtifactID string      `xml:"artifactId,omitempty"`
	Version    string      `xml:"version,omitempty"`
	Versioning *versioning `xml:"versioning"`
	Plugins    *plugins    `xml:"plugins"`
}

type plugins struct {
	List []plugin `xml:"plugin"`
}

type versioning struct {
	Latest   string    `xml:"latest,omitempty"`
	Release  string    `xml:"release,omitempty"`
	Snapshot *build    `xml:"snapshot"`
	Versions *versions `xml:"versions"`
	Updated  string    `xml:"lastUpdated,omitempty"`
	Files    *files    `xml:"snapshotVersions"`
}

type versions struct {
	List []string `xml:"version"`
}

type files struct {
	List []buildFile `xml:"snapshotVersion"`
}

// stampLayout is how metadata writes times, in UTC.
const stampLayout = "20060102150405"

// render writes metadata. The same metadata always gives the same bytes.
func (m *metadata) render() (*registry.Document, error) {
	body, err := xml.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	return registry.NewDocument("text/xml", append([]byte(xml.Header), append(body, '\n')...)), nil
}

// document makes the metadata that a path asks for. hidden versions are shown by
// their project alone.
func document(r *http.Request, from registry.Source, hidden bool, at coordinates) (*registry.Document, error) {
	variant := "index"
	build := func(l *registry.Listing) *metadata { return indexOf(at.name, shown(l, hidden)) }
	if at.kind == builds {
		variant = at.version
		build = func(l *registry.Listing) *metadata { return buildsOf(at, shown(l, hidden)) }
	}
	d, err := from.Document(r.Context(), name, at.name, variant, func(l *registry.Listing) (*registry.Document, error) {
		if at.kind == index && len(pluginsIn(l)) > 0 {
			return nil, errPlugins
		}
		m := build(l)
		if m == nil {
			return nil, errAbsent()
		}
		return m.render()
	})
	if errors.Is(err, errPlugins) {
		return withPlugins(r, from, hidden, at)
	}
	return d, err
}

// errPlugins says that a document depends on more than its package, and is made anew
// each time: plugins are left out that are not there any more.
var errPlugins = errors.New("the package stands for plugins")

// shown are the releases of a listing that are versions and may be read, oldest
// first.
func shown(l *registry.Listing, hidden bool) (list []*registry.Release) {
	for _, release := range l.Releases {
		status := release.Version.Status
		if e, ok := release.Entry.(*entry); ok && e.plugin == nil && status.Downloadable() && (hidden || status != packhouse.StatusHidden) {
			list = append(list, release)
		}
	}
	return list
}

// indexOf lists the versions of an artifact in the order in which they came; nil for
// none. A version is listed once it is complete: a range would resolve to it.
func indexOf(of string, list []*registry.Release) *metadata {
	group, artifact := splitName(of)
	v, changed := &versioning{Versions: new(versions)}, time.Time{}
	seen := map[string]bool{}
	for _, release := range list {
		e, number := release.Entry.(*entry), release.Version.Number
		if !e.complete {
			continue
		}
		if e.changed.After(changed) {
			changed = e.changed
		}
		if seen[number] {
			continue // in another project too
		}
		seen[number] = true
		v.Versions.List = append(v.Versions.List, number)
		v.Latest = number
		if !isSnapshot(number) {
			v.Release = number
		}
	}
	if len(seen) == 0 {
		return nil
	}
	v.Updated = changed.UTC().Format(stampLayout)
	return &metadata{GroupID: group, ArtifactID: artifact, Versioning: v}
}

// buildsOf lists the newest builds of a snapshot; nil when it has none with a time
// in its name. A build is listed once its pom is there, so that nobody resolves half
// of one.
func buildsOf(at coordinates, list []*registry.Release) *metadata {
	var all []buildFile
	said := false
	for _, release := range list {
		if release.Version.Key != at.version {
			continue
		}
		said = said || release.Entry.(*entry).complete
		for i := range release.Files {
			if f, ok := parseBuild(at, release.Files[i].Path); ok {
				all = append(all, f)
			}
		}
	}
	whole := map[build]bool{}
	for _, f := range all {
		if f.Extension == "pom" && f.Classifier == "" {
			whole[f.build] = true
		}
	}
	if len(whole) > 0 || !said {
		all = slices.DeleteFunc(all, func(f buildFile) bool { return !whole[f.build] })
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, compareFiles)
	newest := slices.MaxFunc(all, func(a, b buildFile) int { return a.compare(b.build) }).build
	group, artifact := splitName(at.name)
	return &metadata{Model: "1.1.0", GroupID: group, ArtifactID: artifact, Version: at.version, Versioning: &versioning{
		Snapshot: &newest, Updated: newest.stamp(), Files: &files{List: newestOfEach(all)},
	}}
}

// newestOfEach keeps one file of each classifier and extension, out of a list in the
// order of compareFiles.
func newestOfEach(all []buildFile) []buildFile {
	return slices.CompactFunc(all, func(a, b buildFile) bool { return a.Classifier == b.Classifier && a.Extension == b.Extension })
}

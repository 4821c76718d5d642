package pypi

import (
	"encoding/json"
	"fmt"
	"html"
	"strings"

	"packhouse"
)

// What a file's address ends with when its metadata is meant, or who attests to
// it.
const (
	metadataEnding   = ".metadata"
	provenanceEnding = ".provenance"
)

// fileMetadata is what is kept with a file. Of one that is kept beside another it
// is the digest of that.
type fileMetadata struct {
	RequiresPython string           `json:"requires_python,omitempty"`
	CoreMetadata   packhouse.Digest `json:"core_metadata,omitzero"`
	Provenance     bool             `json:"provenance,omitempty"` // is there
	Of             packhouse.Digest `json:"of,omitzero"`
}

func metadataOf(f *packhouse.File) (m fileMetadata) {
	_ = json.Unmarshal(f.Metadata, &m) // we wrote it; without it the file is listed plainly
	return m
}

// entry is what the simple page says of a version.
type entry struct {
	version version
	links   []link
}

// link is one file, rendered but for the address in front of path.
type link struct {
	id         int64 // of the file: a later one is newer
	name       string
	path       string // "files/<digest>/<name>"
	provenance bool
	htmlRest   string // from the end of the path
	jsonRest   string
}

// Entry implements registry.Indexer.
func (PyPI) Entry(v *packhouse.Version, files []packhouse.File) (any, int) {
	e := &entry{}
	var err error
	if e.version, err = parseVersion(v.Number); err != nil {
		return e, 0 // nothing is published under such a number
	}
	size, yanked := 0, versionMetadataOf(v).Yanked
	for i := range files {
		if isBeside(files[i].Path) {
			continue
		}
		l := newLink(&files[i], yanked)
		e.links = append(e.links, l)
		size += len(l.name) + len(l.path) + len(l.htmlRest) + len(l.jsonRest) + 128
	}
	return e, size
}

// uploadTime is the layout of PEP 700.
const uploadTime = "2006-01-02T15:04:05.000000Z"

func newLink(f *packhouse.File, yanked *yanked) link {
	m, digest := metadataOf(f), f.SHA256.String()
	l := link{id: f.ID, name: f.Path, path: "files/" + digest + "/" + f.Path, provenance: m.Provenance}
	var attributes strings.Builder
	if m.RequiresPython != "" {
		fmt.Fprintf(&attributes, ` data-requires-python="%s"`, html.EscapeString(m.RequiresPython))
	}
	about := map[string]any{
		"filename": f.Path, "hashes": map[string]string{"sha256": digest}, "size": f.Size,
		"upload-time": f.CreatedAt.UTC().Format(uploadTime), "yanked": false,
	}
	if m.RequiresPython != "" {
		about["requires-python"] = m.RequiresPython
	}
	if !m.CoreMetadata.IsZero() {
		// Clients look for either name (PEP 714).
		fmt.Fprintf(&attributes, ` data-core-metadata="sha256=%s" data-dist-info-metadata="sha256=%[1]s"`, m.CoreMetadata)
		about["core-metadata"] = map[string]string{"sha256": m.CoreMetadata.String()}
		about["dist-info-metadata"] = about["core-metadata"]
	}
	if yanked != nil {
		fmt.Fprintf(&attributes, ` data-yanked="%s"`, html.EscapeString(yanked.Reason))
		about["yanked"] = true
		if yanked.Reason != "" {
			about["yanked"] = yanked.Reason
		}
	}
	l.htmlRest = "#sha256=" + digest + `"` + attributes.String() + ">" + html.EscapeString(f.Path) + "</a><br>\n"
	l.jsonRest = `",` + strings.TrimPrefix(string(mustJSON(about)), "{")
	return l
}

// mustJSON encodes values of which it is known that they can be encoded.
func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Errorf("encode document: %w", err))
	}
	return data
}

package npm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/Masterminds/semver/v3"

	"packhouse"
)

// about is what is kept with a version, as its metadata.
type about struct {
	Manifest   manifest  `json:"manifest"` // without what stands in the fields below
	Dist       dist      `json:"dist"`
	Deprecated string    `json:"deprecated,omitempty"` // why not to use it
	Changed    time.Time `json:"changed,omitzero"`     // when Deprecated was
	Publisher  string    `json:"publisher,omitempty"`
	Provenance string    `json:"provenance,omitempty"` // type of what the bundle says; "" without one
	Readme     string    `json:"readme,omitempty"`
	ReadmeFile string    `json:"readme_file,omitempty"`
}

// dist is what the tarball is like.
type dist struct {
	Shasum    string `json:"shasum"`
	Integrity string `json:"integrity"`
	Files     int    `json:"files"`
	Unpacked  int64  `json:"unpacked"`
}

func readAbout(metadata []byte) (*about, error) {
	a := new(about)
	if err := json.Unmarshal(metadata, a); err != nil {
		return nil, fmt.Errorf("decode metadata: %w", err)
	}
	return a, nil
}

// entry is what documents say about a version, rendered but for the address of
// the registry, which stands between pieces. The pieces and a brace are the
// abbreviated form; tail follows them in the full one.
type entry struct {
	version    *semver.Version
	number     string
	deprecated string
	changed    time.Time
	pieces     [][]byte
	tail       []byte
}

// abbreviated are the keys of a version that resolving and installing needs, as the
// npm registry documents them, with "libc" and those that clients read since.
var abbreviated = []string{
	"name", "version", "dependencies", "devDependencies", "optionalDependencies", "bundleDependencies",
	"peerDependencies", "peerDependenciesMeta", "acceptDependencies", "bin", "directories", "engines", "os", "cpu", "libc",
	"funding", "_hasShrinkwrap", "hasInstallScript",
}

// Entry implements registry.Indexer.
func (NPM) Entry(v *packhouse.Version, _ []packhouse.File) (any, int) {
	a, err := readAbout(v.Metadata)
	if err != nil {
		return nil, 0 // we wrote it, so this is not met
	}
	e := &entry{number: v.Number, deprecated: a.Deprecated, changed: a.Changed}
	if e.version, err = parseVersion(v.Number); err != nil {
		return nil, 0
	}
	name := v.Package.Name
	var b bytes.Buffer
	b.WriteByte('{')
	rest := manifest{}
	for key, value := range a.Manifest {
		rest[key] = value
	}
	for _, key := range abbreviated {
		if value, there := rest[key]; there {
			fmt.Fprintf(&b, "%q:%s,", key, value)
			delete(rest, key)
		}
	}
	if a.Deprecated != "" {
		fmt.Fprintf(&b, `"deprecated":%s,`, mustJSON(a.Deprecated))
	}
	fmt.Fprintf(&b, `"dist":{"shasum":%q,"integrity":%q,"fileCount":%d,"unpackedSize":%d,`,
		a.Dist.Shasum, a.Dist.Integrity, a.Dist.Files, a.Dist.Unpacked)
	cut := func() {
		e.pieces = append(e.pieces, bytes.Clone(b.Bytes()))
		b.Reset()
	}
	if a.Provenance != "" {
		b.WriteString(`"attestations":{"url":"`)
		cut()
		fmt.Fprintf(&b, `-/npm/v1/attestations/%s@%s","provenance":{"predicateType":%s}},`, escapeName(name), v.Number, mustJSON(a.Provenance))
	}
	b.WriteString(`"tarball":"`)
	cut()
	b.WriteString(name + "/-/" + tarballName(name, v.Number) + `"}`)
	cut()
	rest.set("_id", name+"@"+v.Number)
	if a.Publisher != "" {
		rest.set("_npmUser", map[string]string{"name": a.Publisher})
	}
	tail := mustJSON(rest)
	tail[0] = ','
	e.tail = tail
	size := len(tail) + 256
	for _, p := range e.pieces {
		size += len(p) + 64
	}
	return e, size
}

// write renders the version, abbreviated or in full.
func (e *entry) write(b *bytes.Buffer, base string, full bool) {
	for i, piece := range e.pieces {
		if i > 0 {
			b.WriteString(base)
		}
		b.Write(piece)
	}
	if full {
		b.Write(e.tail)
		return
	}
	b.WriteByte('}')
}

// mustJSON encodes values of which it is known that they can be encoded.
func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Errorf("encode document: %w", err))
	}
	return data
}

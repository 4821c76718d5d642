package pypi

import (
	"context"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"packhouse"
	"packhouse/internal/registry"
)

// Limits on archives. They bound what one upload costs, whatever it holds.
const (
	maxEntries   = 50_000
	maxEntryName = 1024     // bytes
	maxDirectory = 8 << 20  // bytes of a zip's central directory
	maxRecord    = 8 << 20  // bytes of a wheel's RECORD
	maxRatio     = 50       // unpacked bytes to packed ones …
	freeUnpacked = 64 << 20 // … beyond this many
)

// inspect reads the archive of a file and returns its metadata file. It refuses
// an archive that unpackers could read in different ways or that would write
// outside of its place, and metadata that disagrees with the file's name.
func inspect(ctx context.Context, f *registry.Received, d distribution) (raw []byte, m coreMetadata, err error) {
	content, err := f.Open(ctx)
	if err != nil {
		return nil, m, fmt.Errorf("open what was received: %w", err)
	}
	defer content.Close()
	switch d.kind {
	case wheel:
		raw, err = readWheel(content, f.Size(), d)
	case sdistTar:
		raw, err = readSdist(ctx, content, f.Size())
	case sdistZip:
		raw, err = readZipSdist(content, f.Size())
	}
	if err != nil {
		return nil, m, err
	}
	if m, err = parseMetadata(raw); err != nil {
		return nil, m, err
	}
	return raw, m, d.agrees(m.name, m.version, "the metadata in the archive")
}

// agrees compares a file name with what is said elsewhere.
func (d distribution) agrees(name, number, where string) error {
	v, err := parseVersion(number)
	if err != nil {
		return err
	}
	if fold(name) != d.pkg || v.key() != d.version {
		e := packhouse.Errorf(packhouse.Invalid, "the file name is of %s %s, %s says %s %s", d.name, d.number, where, name, number)
		e.Rule = "metadata"
		e.Fix = "build the package again; do not rename its files"
		return e
	}
	return nil
}

func badArchive(problem string) error {
	return &packhouse.Error{
		Kind: packhouse.Invalid, Rule: "archive", Message: "the archive is refused: " + problem,
		Fix: "build the package again with a current build backend",
	}
}

// tree is what an archive would put on a disk.
type tree struct {
	files   map[string]bool // false for a link
	folders map[string]bool
}

func newTree() *tree { return &tree{files: map[string]bool{}, folders: map[string]bool{}} }

// add takes in an entry and returns its clean name.
func (t *tree) add(name string, folder, link bool) (string, error) {
	clean, err := cleanEntry(name)
	if err != nil {
		return "", err
	}
	if len(t.files)+len(t.folders) >= maxEntries {
		return "", badArchive("it has too many entries")
	}
	if _, there := t.files[clean]; there || !folder && t.folders[clean] {
		return "", badArchive(fmt.Sprintf("it has %q twice", clean))
	}
	for dir := path.Dir(clean); dir != "."; dir = path.Dir(dir) {
		if _, there := t.files[dir]; there {
			return "", badArchive(fmt.Sprintf("%q is a file or a link, and something is below it", dir))
		}
		if t.folders[dir] {
			break // and so are those above
		}
		if len(t.files)+len(t.folders) >= maxEntries {
			return "", badArchive("it has too many entries")
		}
		t.folders[dir] = true
	}
	if folder {
		t.folders[clean] = true
		return clean, nil
	}
	t.files[clean] = !link
	return clean, nil
}

// cleanEntry checks the name of an entry and takes the slash from its end.
func cleanEntry(name string) (string, error) {
	clean := strings.TrimSuffix(name, "/")
	switch {
	case len(name) > maxEntryName:
		return "", badArchive("the name of an entry is too long")
	case !utf8.ValidString(name):
		return "", badArchive("the name of an entry is not UTF-8")
	case strings.ContainsFunc(name, func(c rune) bool { return c < 0x20 || c == 0x7f || c == '\\' }):
		return "", badArchive("the name of an entry has a control character or backslash")
	case clean == "" || path.Clean("/" + clean)[1:] != clean || len(clean) > 1 && clean[1] == ':':
		return "", badArchive(fmt.Sprintf("the name %q could lead out of it", name))
	}
	return clean, nil
}

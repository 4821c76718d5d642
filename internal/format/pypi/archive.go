package pypi

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// Limits on archives. They bound what one upload costs, whatever it holds.
const (
	maxRecord = 8 << 20 // bytes of a wheel's RECORD
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

// readZip reads the directory of a zip file.
func readZip(r io.ReaderAt, size int64) (map[string]*zip.File, *tree, error) {
	files, t := map[string]*zip.File{}, newTree()
	err := format.ReadZip(r, size, func(f *zip.File, folder bool) error {
		name, err := t.add(f.Name, folder, false)
		if err == nil && !folder {
			files[name] = f
		}
		return err
	})
	return files, t, zipRefusal(err)
}

// readEntry unpacks one entry, at most limit bytes.
func readEntry(f *zip.File, limit uint64) ([]byte, error) {
	data, err := format.ReadZipEntry(f, limit)
	return data, zipRefusal(err)
}

func zipRefusal(err error) error {
	if problem := format.ZipProblem(""); errors.As(err, &problem) {
		return badArchive(string(problem))
	}
	return err
}

// tree is what an archive would put on a disk.
type tree struct {
	files   map[string]bool // false for a link
	folders map[string]bool
}

func newTree() *tree { return &tree{files: map[string]bool{}, folders: map[string]bool{}} }

// add takes in an entry and returns its clean name.
func (t *tree) add(name string, folder, link bool) (string, error) {
	clean, problem := format.EntryName(name)
	if problem != "" {
		return "", badArchive(problem)
	}
	if len(t.files)+len(t.folders) >= format.MaxEntries {
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
		if len(t.files)+len(t.folders) >= format.MaxEntries {
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

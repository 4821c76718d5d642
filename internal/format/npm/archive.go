package npm

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"packhouse/internal/format"
)

// Limits on tarballs. They bound what one publish costs, whatever it holds.
const (
	maxNames   = 16 << 20 // bytes of all names
	maxPackage = 4 << 20  // bytes of package.json
	maxReadme  = 64 << 10 // bytes kept of a README
)

// contents is what a tarball holds of interest. Paths are below its top folder,
// which clients strip, so that of two top folders they see one.
type contents struct {
	packageJSON []byte
	readme      []byte // the start of it
	readmeFile  string
	files       map[string]bool // false for a folder that files are in
	count       int             // of files
	unpacked    int64           // bytes in them

	names int // bytes of the names so far
}

// readTarball reads a tarball to its end and checks all of it: what clients could
// unpack in different ways, or outside of its folder, is refused.
func readTarball(ctx context.Context, r io.Reader, size int64) (*contents, error) {
	t := &contents{files: map[string]bool{}}
	if err := format.ReadTarGz(ctx, r, size, badArchive, t.entry, nothingMore); err != nil {
		return nil, err
	}
	if t.packageJSON == nil {
		return nil, badArchive("it has no package.json in its top folder")
	}
	return t, nil
}

// nothingMore reads what follows the end of the archive, which is zeros: a reader
// that goes on would find more files.
func nothingMore(r io.Reader) error {
	buffer := make([]byte, 32<<10)
	for {
		n, err := r.Read(buffer)
		if slices.ContainsFunc(buffer[:n], func(c byte) bool { return c != 0 }) {
			return badArchive("something follows its end")
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (t *contents) entry(h *tar.Header, in io.Reader) error {
	switch h.Typeflag {
	case tar.TypeXGlobalHeader:
		return nil
	case tar.TypeReg, tar.TypeDir:
	default:
		return badArchive("it has a link, a device or something else that is no file")
	}
	name, err := t.add(h.Name, h.Typeflag == tar.TypeDir)
	if err != nil || h.Typeflag == tar.TypeDir {
		return err
	}
	t.count++
	t.unpacked += h.Size
	switch {
	case name == "package.json":
		if h.Size > maxPackage {
			return badArchive("its package.json is larger than 4 MiB")
		}
		t.packageJSON, err = io.ReadAll(in)
		return err
	case isReadme(name) && (t.readmeFile == "" || strings.EqualFold(name, "readme.md")):
		t.readmeFile = name
		t.readme, err = io.ReadAll(io.LimitReader(in, maxReadme))
		return err
	}
	return nil
}

// isReadme reports whether a file is one that pages show.
func isReadme(name string) bool {
	stem, ending, _ := strings.Cut(strings.ToLower(name), ".")
	return stem == "readme" && slices.Contains([]string{"", "md", "markdown", "mdown", "mkd", "txt"}, ending)
}

// add takes in an entry and returns its path below the top folder.
func (t *contents) add(name string, folder bool) (string, error) {
	clean, problem := format.EntryName(name)
	if problem != "" {
		return "", badArchive(problem)
	}
	_, below, ok := strings.Cut(clean, "/")
	if !ok {
		if folder {
			return "", nil
		}
		return "", badArchive(fmt.Sprintf("%q is in no folder", clean))
	}
	if t.names += len(below); len(t.files) >= format.MaxEntries || t.names > maxNames {
		return "", badArchive("it has too many entries")
	}
	if file, there := t.files[below]; there && (file || !folder) {
		return "", badArchive(fmt.Sprintf("it has %q twice", below))
	}
	t.files[below] = !folder
	for dir := path.Dir(below); dir != "."; dir = path.Dir(dir) {
		file, there := t.files[dir]
		if file {
			return "", badArchive(fmt.Sprintf("%q is a file, and something is below it", dir))
		}
		if there {
			break // and so are those above
		}
		if t.names += len(dir); len(t.files) >= format.MaxEntries || t.names > maxNames {
			return "", badArchive("it has too many entries")
		}
		t.files[dir] = false
	}
	return below, nil
}

func badArchive(problem string) error {
	return invalid("archive", "the tarball is refused: "+problem, "pack it again with npm pack, pnpm pack, yarn pack or bun pm pack")
}

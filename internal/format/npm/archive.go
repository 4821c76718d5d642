package npm

import (
	"archive/tar"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"

	"packhouse"
)

// Limits on tarballs. They bound what one publish costs, whatever it holds.
const (
	maxEntries   = 50_000
	maxEntryName = 1024     // bytes
	maxNames     = 16 << 20 // bytes of all names
	maxPackage   = 4 << 20  // bytes of package.json
	maxReadme    = 64 << 10 // bytes kept of a README
	maxRatio     = 50       // unpacked bytes to packed ones …
	freeUnpacked = 64 << 20 // … beyond this many
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
	from := &packed{r: r}
	z, err := gzip.NewReader(from)
	if err != nil {
		return nil, cmp.Or(from.failed, badArchive("it is not compressed with gzip"))
	}
	defer z.Close()
	limited := &bounded{ctx: ctx, from: from, r: z, left: max(freeUnpacked, size*maxRatio)}
	t := &contents{files: map[string]bool{}}
	in := tar.NewReader(limited)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = t.entry(h, in)
		}
		if err != nil {
			return nil, limited.explain(err)
		}
	}
	if err := nothingMore(limited); err != nil { // also compares the checksum of gzip
		return nil, limited.explain(err)
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
	clean, err := cleanEntry(name)
	if err != nil {
		return "", err
	}
	_, below, ok := strings.Cut(clean, "/")
	if !ok {
		if folder {
			return "", nil
		}
		return "", badArchive(fmt.Sprintf("%q is in no folder", clean))
	}
	if t.names += len(below); len(t.files) >= maxEntries || t.names > maxNames {
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
		if t.names += len(dir); len(t.files) >= maxEntries || t.names > maxNames {
			return "", badArchive("it has too many entries")
		}
		t.files[dir] = false
	}
	return below, nil
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
		return "", badArchive(fmt.Sprintf("the name %s could lead out of it", quote(name)))
	}
	return clean, nil
}

func badArchive(problem string) error {
	return invalid("archive", "the tarball is refused: "+problem, "pack it again with npm pack, pnpm pack, yarn pack or bun pm pack")
}

// packed remembers that reading what is stored failed, which is no fault of the
// archive.
type packed struct {
	r      io.Reader
	failed error
}

// Read implements io.Reader.
func (s *packed) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.failed = err
	}
	return n, err
}

// bounded ends a stream that unpacks to too much, or whose request is over.
type bounded struct {
	ctx    context.Context
	from   *packed
	r      io.Reader
	left   int64
	failed error
}

var errBomb = errors.New("unpacks to far more than it is")

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if b.failed = b.ctx.Err(); b.failed != nil {
		return 0, b.failed
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		b.failed = errBomb
		return 0, errBomb
	}
	return n, err
}

// explain says what was wrong with a stream that could not be read to its end.
func (b *bounded) explain(err error) error {
	var refusal *packhouse.Error
	switch {
	case b.from.failed != nil:
		return b.from.failed
	case b.failed == errBomb:
		return badArchive("it " + errBomb.Error())
	case b.failed != nil:
		return b.failed
	case errors.As(err, &refusal):
		return err
	}
	return badArchive("it is no tar file, or a broken one")
}

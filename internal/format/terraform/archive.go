package terraform

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// Limits on what is kept of an archive for people to read.
const (
	maxSource  = 48 << 10 // bytes of one file of configuration
	maxSources = 2 << 20  // bytes of all of them
	maxReadme  = 64 << 10
	maxFolders = 200 // root, submodules and examples
)

// contents is what an archive holds of interest.
type contents struct {
	sources map[string][]source // by folder: ".", "modules/x", "examples/x"
	readmes map[string]string
	entries map[string]bool // true for a file
	left    int             // of maxSources
	found   bool            // some configuration, wherever
}

func newContents() *contents {
	return &contents{sources: map[string][]source{}, readmes: map[string]string{}, entries: map[string]bool{}, left: maxSources}
}

// source is a file of configuration.
type source struct {
	name string
	text []byte
}

// inspect reads an archive to its end and makes of it what is kept of the version.
// What clients could not unpack, or would unpack out of its place, is refused. A zip
// file is called zipName from then on.
func inspect(r *http.Request, file *registry.Received, zipName string) (*about, error) {
	content, err := file.Open(r.Context())
	if err != nil {
		return nil, fmt.Errorf("open what was received: %w", err)
	}
	defer content.Close()
	a := newContents()
	zipped, err := isZip(content)
	switch {
	case err != nil:
	case zipped:
		file.SetPath(zipName)
		err = a.readZip(r.Context(), content, file.Size())
	default:
		err = a.readTarGz(r.Context(), content, file.Size())
	}
	if err != nil {
		return nil, err
	}
	if !a.found {
		e := badArchive("it has no .tf, .tf.json or .tofu file")
		e.Fix = "pack the module's folder: tar -czf module.tgz -C FOLDER ."
		return nil, e
	}
	return a.describe(), nil
}

// readTarGz reads all of a tar file packed with gzip.
func (a *contents) readTarGz(ctx context.Context, content io.Reader, size int64) error {
	bad := func(problem string) error { return badArchive(problem) }
	return format.ReadTarGz(ctx, content, size, bad, a.entry, func(rest io.Reader) error {
		_, err := io.Copy(io.Discard, rest) // go-getter stops at the archive's end, too
		return err
	})
}

// entry looks at one entry. Links are taken where they stay inside, as tar makes
// them; go-getter refuses others.
func (a *contents) entry(h *tar.Header, content io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil // git archive writes one
	}
	name := strings.TrimPrefix(path.Clean("/"+strings.TrimPrefix(h.Name, "./")), "/")
	if h.Name == "." || h.Name == "./" {
		return nil
	}
	if _, problem := format.EntryName(strings.TrimPrefix(h.Name, "./")); problem != "" {
		return badArchive(problem)
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return a.place(name, false)
	case tar.TypeReg:
	case tar.TypeSymlink, tar.TypeLink:
		target := path.Join(path.Dir(name), h.Linkname)
		if h.Typeflag == tar.TypeLink {
			target = path.Clean(h.Linkname)
		}
		if path.IsAbs(h.Linkname) || target == ".." || strings.HasPrefix(target, "../") {
			return badArchive(fmt.Sprintf("the link %q leads out of it", h.Name))
		}
		return a.place(name, true)
	default:
		return badArchive(fmt.Sprintf("%q is neither a file nor a folder", h.Name))
	}
	if err := a.place(name, true); err != nil {
		return err
	}
	return a.keep(name, h.Size, content)
}

// place takes note of an entry. Two of one name are refused, and a file that
// another one is in.
func (a *contents) place(name string, file bool) error {
	if len(a.entries) >= format.MaxEntries {
		return badArchive(fmt.Sprintf("it has more than %d entries", format.MaxEntries))
	}
	if was, there := a.entries[name]; there && (was || file) {
		return badArchive(fmt.Sprintf("%q is in it twice", name))
	}
	for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
		if a.entries[folder] {
			return badArchive(fmt.Sprintf("%q is in it as a file and as a folder", folder))
		}
		if was, there := a.entries[folder]; there && !was {
			break
		}
		a.entries[folder] = false
	}
	a.entries[name] = file
	return nil
}

// keep reads what is of interest: configuration and READMEs of the root, and of the
// folders in modules and examples.
func (a *contents) keep(name string, size int64, content io.Reader) error {
	folder, base := path.Dir(name), path.Base(name)
	configuration := strings.HasSuffix(base, ".tf") || strings.HasSuffix(base, ".tofu")
	a.found = a.found || configuration || strings.HasSuffix(base, ".tf.json") || strings.HasSuffix(base, ".tofu.json")
	if !shown(folder) || len(a.sources)+len(a.readmes) >= 2*maxFolders {
		return nil
	}
	switch lower := strings.ToLower(base); {
	case configuration && size <= maxSource && a.left >= int(size):
		text, err := io.ReadAll(content)
		if err != nil {
			return err
		}
		a.left -= len(text)
		a.sources[folder] = append(a.sources[folder], source{base, text})
	case lower == "readme.md" || lower == "readme" && a.readmes[folder] == "":
		text, err := io.ReadAll(io.LimitReader(content, maxReadme))
		if err != nil {
			return err
		}
		a.readmes[folder] = strings.ToValidUTF8(string(text), "\uFFFD")
	}
	return nil
}

// shown reports whether a folder is the root, or directly in modules or examples.
func shown(folder string) bool {
	kind, below, nested := strings.Cut(folder, "/")
	return folder == "." || nested && (kind == "modules" || kind == "examples") && !strings.Contains(below, "/")
}

func badArchive(problem string) *packhouse.Error {
	return &packhouse.Error{
		Kind: packhouse.Invalid, Rule: "archive", Message: "400 Bad request - the archive cannot be used: " + problem,
		Fix: "pack the module with tar -czf, or with zip -r; nothing was stored",
	}
}

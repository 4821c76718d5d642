package pypi

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"packhouse/internal/format"
)

// readSdist returns PKG-INFO of a source distribution, which is one folder
// packed with tar and gzip. It reads all of it: what follows PKG-INFO must keep
// to the rules too.
func readSdist(ctx context.Context, r io.Reader, size int64) ([]byte, error) {
	s := sdist{tree: newTree()}
	rest := func(r io.Reader) error {
		_, err := io.Copy(io.Discard, r)
		return err
	}
	if err := format.ReadTarGz(ctx, r, size, badArchive, s.entry, rest); err != nil {
		return nil, err
	}
	return s.metadata()
}

// sdist is what has been read of a source distribution.
type sdist struct {
	tree *tree
	top  string
	info []byte
}

func (s *sdist) entry(h *tar.Header, in io.Reader) error {
	link := false
	switch h.Typeflag {
	case tar.TypeXGlobalHeader:
		return nil
	case tar.TypeReg, tar.TypeDir, tar.TypeGNUSparse:
	case tar.TypeSymlink, tar.TypeLink:
		link = true
	default:
		return badArchive("it has a device or something else that is no file")
	}
	name, err := s.tree.add(h.Name, h.Typeflag == tar.TypeDir, link)
	if err != nil {
		return err
	}
	if err := s.below(name); err != nil {
		return err
	}
	if link {
		return s.link(h, name)
	}
	if name != s.top+"/PKG-INFO" || h.Typeflag == tar.TypeDir {
		return nil
	}
	if h.Size > maxMetadata {
		return badArchive("its metadata is too large")
	}
	s.info, err = io.ReadAll(in)
	return err
}

// below has every entry be in the same top folder.
func (s *sdist) below(name string) error {
	top, _, _ := strings.Cut(name, "/")
	if s.top == "" {
		s.top = top
	}
	if top != s.top {
		return badArchive("it has more than one top folder")
	}
	return nil
}

// link checks that a link stays in the top folder (PEP 721).
func (s *sdist) link(h *tar.Header, name string) error {
	target := h.Linkname
	if h.Typeflag == tar.TypeSymlink {
		target = path.Join(path.Dir(name), target)
	}
	target = path.Clean(target)
	inside := target == s.top || strings.HasPrefix(target, s.top+"/")
	// Steps up come first: behind the name of another link they lead elsewhere.
	steps := strings.TrimLeft(h.Linkname, "./")
	if !inside || path.IsAbs(h.Linkname) || strings.Contains("/"+steps+"/", "/../") || strings.Contains(h.Linkname, `\`) {
		return badArchive(fmt.Sprintf("the link %q leads out of it", name))
	}
	return nil
}

func (s *sdist) metadata() ([]byte, error) {
	if s.info == nil {
		return nil, badArchive("it has no PKG-INFO in its top folder")
	}
	return s.info, nil
}

// readZipSdist is readSdist for one that is a zip file.
func readZipSdist(r io.ReaderAt, size int64) ([]byte, error) {
	files, t, err := readZip(r, size)
	if err != nil {
		return nil, err
	}
	s := sdist{tree: t}
	for name := range t.files {
		if err := s.below(name); err != nil {
			return nil, err
		}
	}
	info := files[s.top+"/PKG-INFO"]
	if info == nil {
		return s.metadata()
	}
	return readEntry(info, maxMetadata)
}

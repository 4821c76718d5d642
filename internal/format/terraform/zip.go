package terraform

import (
	"archive/zip"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"

	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// zipMagic begins a zip file that has entries.
const zipMagic = "PK\x03\x04"

// isZip reports whether a file is to be read as a zip file, by its first bytes.
func isZip(content io.ReaderAt) (bool, error) {
	head := make([]byte, len(zipMagic))
	n, err := content.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return false, err
	}
	return string(head[:n]) == zipMagic, nil
}

// readZip reads all of a zip file, entry by entry, as the tar file is read.
func (a *contents) readZip(ctx context.Context, content registry.Bytes, size int64) error {
	var files []*zip.File
	err := format.ReadZip(content, size, func(f *zip.File, folder bool) error {
		clean, problem := format.EntryName(f.Name)
		if problem != "" {
			return badArchive(problem)
		}
		files = append(files, f)
		return a.place(clean, !folder)
	})
	for _, f := range files {
		if err != nil {
			break
		}
		if f.Mode().IsRegular() {
			err = a.unzip(ctx, f)
		}
	}
	var problem format.ZipProblem
	if errors.As(err, &problem) {
		return badArchive(string(problem))
	}
	return err
}

// unzip unpacks one file, to its end, so that what cannot be unpacked is refused. The
// reader stops where it has more than the directory said.
func (a *contents) unzip(ctx context.Context, f *zip.File) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r, err := f.Open()
	if err != nil {
		return unpacked(f, err)
	}
	defer r.Close()
	err = a.keep(f.Name, int64(f.UncompressedSize64), r)
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	return unpacked(f, err)
}

// unpacked tells a broken entry from one that could not be read.
func unpacked(f *zip.File, err error) error {
	var corrupt flate.CorruptInputError
	if errors.Is(err, zip.ErrFormat) || errors.Is(err, zip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &corrupt) {
		return badArchive(fmt.Sprintf("%q cannot be unpacked", f.Name))
	}
	return err
}

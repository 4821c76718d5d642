package nuget

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// symbolsType is the package type of a symbol package.
const symbolsType = "SymbolsPackage"

// inspect reads what was received as a package and returns what its nuspec says.
func inspect(ctx context.Context, f *registry.Received) (*manifest, error) {
	content, err := f.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("open what was received: %w", err)
	}
	defer content.Close()
	files, spec, err := readPackage(content, f.Size())
	if err != nil {
		return nil, err
	}
	data, err := readEntry(spec, maxNuspec)
	if err != nil {
		return nil, err
	}
	m, err := parseNuspec(data)
	if err != nil {
		return nil, err
	}
	for _, name := range []*string{&m.IconFile, &m.ReadmeFile, &m.LicenseFile} {
		if *name != "" && files[strings.ToLower(*name)] == nil {
			*name = "" // nothing is linked that is not there
		}
	}
	return m, nil
}

// readPackage reads the directory of a package. Its names are one in any case of
// their letters, since it is unpacked on systems that take them so. It has one
// nuspec at its root.
func readPackage(r io.ReaderAt, size int64) (files map[string]*zip.File, spec *zip.File, err error) {
	files = map[string]*zip.File{}
	err = format.ReadZip(r, size, func(f *zip.File, folder bool) error {
		clean, problem := format.EntryName(f.Name)
		if problem != "" {
			return badArchive(problem)
		}
		key := strings.ToLower(clean)
		if _, twice := files[key]; twice {
			return badArchive(fmt.Sprintf("it has %q twice", clean))
		}
		files[key] = f
		if !folder && !strings.Contains(clean, "/") && strings.HasSuffix(key, ".nuspec") {
			if spec != nil {
				return badArchive("it has two nuspecs")
			}
			spec = f
		}
		return nil
	})
	if err == nil && spec == nil {
		err = badArchive("it has no nuspec")
	}
	return files, spec, refusal(err)
}

func readEntry(f *zip.File, limit uint64) ([]byte, error) {
	data, err := format.ReadZipEntry(f, limit)
	return data, refusal(err)
}

func refusal(err error) error {
	if problem := format.ZipProblem(""); errors.As(err, &problem) {
		return badArchive(string(problem))
	}
	return err
}

package nuget

import (
	"io"
	"net/http"
	"strings"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// versions answers with the numbers of all versions: the index of the flat
// container, and all that restore asks for before it downloads.
func (NuGet) versions(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	return serve(w, r, c, "versions", func(all []*entry) (any, error) {
		numbers := make([]string, 0, len(all))
		for _, e := range all {
			numbers = append(numbers, e.key)
		}
		return map[string]any{"versions": numbers}, nil
	})
}

// serve answers with a document about the package that the path names, rendered
// when the package has changed.
func serve(w http.ResponseWriter, r *http.Request, c *format.Call, variant string, render func([]*entry) (any, error)) error {
	key, err := idKey(c.Arg("id"))
	if err != nil {
		return err
	}
	d, err := c.Source.Document(r.Context(), name, key, variant, func(l *registry.Listing) (*registry.Document, error) {
		all := entriesOf(l)
		if len(all) == 0 {
			return nil, errAbsent()
		}
		v, err := render(all)
		if err != nil {
			return nil, err
		}
		return registry.NewDocument("application/json", mustJSON(v)), nil
	})
	if err != nil {
		return err
	}
	format.ServeDocument(w, r, d)
	return nil
}

// download serves a package, its symbols, or what is taken out of the package: its
// nuspec, icon, readme and licence. Any spelling of the version is answered.
func (n NuGet) download(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	key, number, err := named(c)
	if err != nil {
		return err
	}
	file := strings.ToLower(c.Arg("file"))
	if part, ok := parts[file]; ok {
		return n.inside(w, r, c, key, number, part)
	}
	if file == key+".nuspec" {
		return n.inside(w, r, c, key, number, inside{mediaType: "application/xml"})
	}
	for _, ending := range []string{packageEnding, symbolsEnding} {
		stem, ok := strings.CutSuffix(file, ending)
		if !ok {
			continue
		}
		spelled, ok := strings.CutPrefix(stem, key+".")
		same, err := versionKey(spelled)
		if !ok || err != nil || same != number {
			return errAbsent()
		}
		return serveFile(w, r, c, key, number, ending)
	}
	return errAbsent()
}

func serveFile(w http.ResponseWriter, r *http.Request, c *format.Call, key, number, ending string) error {
	content, err := open(r, c, key, number, ending)
	if err != nil {
		return err
	}
	defer content.Close()
	return format.ServeFile(w, r, content)
}

func open(r *http.Request, c *format.Call, key, number, ending string) (*registry.Content, error) {
	return c.Source.Open(r.Context(), packhouse.FileRef{Format: name, Package: key, Version: number, Path: fileName(key, number, ending)})
}

// inside is a file in a package: the one that the manifest names, or the nuspec.
type inside struct {
	pick      func(*manifest) string
	mediaType string
}

// parts are the files in a package that have addresses of their own.
var parts = map[string]inside{
	"icon":    {func(m *manifest) string { return m.IconFile }, "application/octet-stream"},
	"readme":  {func(m *manifest) string { return m.ReadmeFile }, "text/markdown; charset=utf-8"},
	"license": {func(m *manifest) string { return m.LicenseFile }, "text/plain; charset=utf-8"},
}

// iconTypes are the images that icons may be, by how they begin.
var iconTypes = map[string]string{"\x89PNG\r\n\x1a\n": "image/png", "\xff\xd8\xff": "image/jpeg"}

// inside serves a file out of a package, as an attachment.
func (n NuGet) inside(w http.ResponseWriter, r *http.Request, c *format.Call, key, number string, part inside) error {
	wanted := ""
	if part.pick != nil {
		l, err := c.Source.Package(r.Context(), name, key)
		if err != nil {
			return err
		}
		for _, e := range entriesOf(l) {
			if e.key == number {
				wanted = part.pick(e.manifest)
			}
		}
		if wanted == "" {
			return errAbsent()
		}
	}
	content, err := open(r, c, key, number, packageEnding)
	if err != nil {
		return err
	}
	defer content.Close()
	files, spec, err := readPackage(seekReader{content.Reader()}, content.File().Size)
	if err != nil {
		return err
	}
	file := spec
	if wanted != "" {
		file = files[strings.ToLower(wanted)]
	}
	if file == nil {
		return errAbsent()
	}
	data, err := readEntry(file, maxNuspec)
	if err != nil {
		return err
	}
	mediaType := part.mediaType
	for head, t := range iconTypes {
		if strings.HasPrefix(string(data), head) {
			mediaType = t
		}
	}
	h := w.Header()
	h.Set("Content-Disposition", format.Attachment(file.Name[strings.LastIndexByte(file.Name, '/')+1:]))
	format.ServeDocument(w, r, registry.NewDocument(mediaType, data))
	return nil
}

// seekReader gives ReadAt to a reader that can seek. It serves one goroutine.
type seekReader struct{ io.ReadSeeker }

// ReadAt implements io.ReaderAt.
func (s seekReader) ReadAt(p []byte, at int64) (int, error) {
	if _, err := s.Seek(at, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(s, p)
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return n, err
}

package pypi_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
)

const root = formattest.Root

// scene is a world with one project in it.
type scene struct {
	*formattest.World
	group, project int64
}

func start(t *testing.T, visibility string, edit ...func(*house.Options)) scene {
	t.Helper()
	w := formattest.Start(t, edit...)
	group := w.Group("acme", 0, visibility)
	return scene{w, group, w.Project("tools", group, visibility)}
}

// at is a path below the format's mount in a project.
func at(project any, path string) string {
	return fmt.Sprintf("/api/v4/projects/%v/packages/pypi%s", project, path)
}

func inGroup(group any, path string) string {
	return fmt.Sprintf("/api/v4/groups/%v/-/packages/pypi%s", group, path)
}

// part is a part of an upload. file is "" for a field.
type part struct{ name, file, value string }

// body writes parts as a form.
func body(parts []part) (contentType string, data []byte) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		h := textproto.MIMEHeader{}
		disposition := fmt.Sprintf(`form-data; name="%s"`, p.name)
		if p.file != "" {
			disposition += fmt.Sprintf(`; filename="%s"`, p.file)
			h.Set("Content-Type", "application/octet-stream")
		}
		h.Set("Content-Disposition", disposition)
		pw, err := w.CreatePart(h)
		if err == nil {
			_, err = io.WriteString(pw, p.value)
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return w.FormDataContentType(), b.Bytes()
}

// upload are the parts of an upload as twine sends them.
func upload(name, version, file, content string, more ...part) []part {
	return append([]part{
		{name: "name", value: name}, {name: "version", value: version},
		{name: ":action", value: "file_upload"}, {name: "protocol_version", value: "1"},
	}, append(more, part{"content", file, content})...)
}

// post uploads to a path, with the administrator's token unless another header
// is given.
func (s scene) post(path string, parts []part, header ...string) formattest.Answer {
	a, err := try(s.World, path, parts, header...)
	if err != nil {
		return formattest.Answer{Body: []byte(err.Error())}
	}
	return a
}

func try(w *formattest.World, path string, parts []part, header ...string) (formattest.Answer, error) {
	contentType, data := body(parts)
	if header == nil {
		header = []string{root}
	}
	return w.Try("POST", path, bytes.NewReader(data), append(header, "Content-Type: "+contentType)...)
}

func (s scene) mustPost(t *testing.T, parts []part) {
	t.Helper()
	if a := s.post(at(s.project, ""), parts); a.Status != 201 || string(a.Body) != `{"message":"201 Created"}` {
		t.Fatalf("POST = %d %s, want 201", a.Status, a.Body)
	}
}

func (s scene) get(path string, header ...string) formattest.Answer {
	return s.Do("GET", path, nil, append([]string{root}, header...)...)
}

// item is an entry of an archive.
type item struct{ name, content string }

func metadata(name, version string, more ...string) string {
	text := "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n"
	for _, line := range more {
		text += line + "\n"
	}
	return text + "\nA description.\n"
}

// wheelItems are the entries of a wheel. stem is as in its file name.
func wheelItems(stem, meta string, more ...item) []item {
	info := stem + ".dist-info/"
	items := append([]item{
		{"mod.py", "x = 1\n"}, {info + "METADATA", meta}, {info + "WHEEL", "Wheel-Version: 1.0\n"},
	}, more...)
	record := ""
	for _, i := range items {
		record += i.name + ",,\n"
	}
	return append(items, item{info + "RECORD", record + info + "RECORD,,\n"})
}

// zipped packs entries as Python does: sizes stand in front of each.
func zipped(items []item, edit ...func(*zip.FileHeader)) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, i := range items {
		h := &zip.FileHeader{
			Name: i.name, Method: zip.Store, CRC32: crc(i.content),
			CompressedSize64: uint64(len(i.content)), UncompressedSize64: uint64(len(i.content)),
		}
		for _, f := range edit {
			f(h)
		}
		out, err := w.CreateRaw(h)
		if err == nil && !strings.HasSuffix(i.name, "/") {
			_, err = io.WriteString(out, i.content)
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

func wheelOf(name, version string, more ...string) string {
	return zipped(wheelItems(name+"-"+version, metadata(name, version, more...)))
}

// tarred packs entries with tar and gzip.
func tarred(headers []*tar.Header, contents ...string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for i, h := range headers {
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		content := ""
		if i < len(contents) {
			content = contents[i]
		}
		if h.Typeflag == 0 || h.Typeflag == tar.TypeReg {
			h.Size = int64(len(content))
		}
		err := w.WriteHeader(h)
		if err == nil && h.Size > 0 {
			_, err = io.WriteString(w, content)
		}
		if err != nil {
			panic(fmt.Sprint(h.Name, err))
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

func sdistOf(name, version string) string {
	top := name + "-" + version
	return tarred([]*tar.Header{{Name: top + "/", Typeflag: tar.TypeDir, Mode: 0o755}, {Name: top + "/PKG-INFO"}, {Name: top + "/setup.py"}},
		"", metadata(name, version), "import setuptools\n")
}

func sha256of(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func itoa(id int64) string { return fmt.Sprint(id) }

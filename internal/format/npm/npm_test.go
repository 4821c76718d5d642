package npm_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
)

const root = formattest.Root

// scene is a world with one project in it.
type scene struct {
	*formattest.World
	t              *testing.T
	group, project int64
}

func start(t *testing.T, visibility string, edit ...func(*house.Options)) scene {
	t.Helper()
	w := formattest.Start(t, edit...)
	group := w.Group("acme", 0, visibility)
	return scene{w, t, group, w.Project("web", group, visibility)}
}

// at is a path below the format's mount in a project.
func at(project any, path string) string {
	return fmt.Sprintf("/api/v4/projects/%v/packages/npm/%s", project, path)
}

func inGroup(group any, path string) string {
	return fmt.Sprintf("/api/v4/groups/%v/-/packages/npm/%s", group, path)
}

func onInstance(path string) string { return "/api/v4/packages/npm/" + path }

// object is JSON that a test edits.
type object = map[string]any

// pkg is a package on its way.
type pkg struct {
	name, version string
	json          object       // further keys of its package.json
	entries       []tar.Header // further entries of the tarball, with no content
	files         map[string]string
	tarball       string // instead of what the above make
	tags          object // nil: latest
	edit          func(body object, manifest object)
}

// packageJSON is the file as its author wrote it.
func (p pkg) packageJSON() object {
	o := object{"name": p.name, "version": p.version}
	for k, v := range p.json {
		o[k] = v
	}
	return o
}

func encode(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// pack makes the tarball, as npm pack does.
func (p pkg) pack() string {
	if p.tarball != "" {
		return p.tarball
	}
	items := []tar.Header{{Name: "package/package.json"}}
	contents := []string{encode(p.packageJSON())}
	for _, name := range sorted(p.files) {
		items, contents = append(items, tar.Header{Name: "package/" + name}), append(contents, p.files[name])
	}
	return tarred(append(items, p.entries...), contents...)
}

// tarred packs entries with tar and gzip.
func tarred(headers []tar.Header, contents ...string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for i := range headers {
		h, content := headers[i], ""
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if i < len(contents) {
			content = contents[i]
		}
		if h.Typeflag == 0 || h.Typeflag == tar.TypeReg {
			h.Size = int64(len(content))
		}
		err := w.WriteHeader(&h)
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

// body is what npm publish sends.
func (p pkg) body() string {
	data := p.pack()
	sum1, sum512 := sha1.Sum([]byte(data)), sha512.Sum512([]byte(data))
	manifest := p.packageJSON()
	manifest["_id"] = p.name + "@" + p.version
	manifest["dist"] = object{
		"shasum": hex.EncodeToString(sum1[:]), "integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum512[:]),
		"tarball": "http://elsewhere.example.com/" + p.name,
	}
	tags := p.tags
	if tags == nil {
		tags = object{"latest": p.version}
	}
	o := object{
		"_id": p.name, "name": p.name, "dist-tags": tags, "versions": object{p.version: manifest}, "access": nil,
		"_attachments": object{p.name + "-" + p.version + ".tgz": object{
			"content_type": "application/octet-stream", "data": base64.StdEncoding.EncodeToString([]byte(data)), "length": len(data),
		}},
	}
	if p.edit != nil {
		p.edit(o, manifest)
	}
	return encode(o)
}

// escaped is a name as npm writes it into an address.
func escaped(name string) string { return strings.ReplaceAll(name, "/", "%2f") }

// put sends a body, with the administrator's token unless another header is given.
func put(w *formattest.World, path, body string, header ...string) formattest.Answer {
	if header == nil {
		header = []string{root}
	}
	a, err := w.Try("PUT", path, strings.NewReader(body), append(header, "Content-Type: application/json")...)
	if err != nil {
		return formattest.Answer{Body: []byte(err.Error())}
	}
	return a
}

func (s scene) publish(p pkg, header ...string) formattest.Answer {
	return put(s.World, at(s.project, escaped(p.name)), p.body(), header...)
}

func (s scene) mustPublish(ps ...pkg) {
	s.t.Helper()
	for _, p := range ps {
		if a := s.publish(p); a.Status != 200 {
			s.t.Fatalf("publish %s@%s = %d %s, want 200", p.name, p.version, a.Status, a.Body)
		}
	}
}

func (s scene) get(path string, header ...string) formattest.Answer {
	return s.Do("GET", path, nil, append([]string{root}, header...)...)
}

const short = "Accept: application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"

// packument is what tests look at of one.
type packument struct {
	ID       string `json:"_id"`
	Rev      string `json:"_rev"`
	Name     string
	Tags     map[string]string `json:"dist-tags"`
	Versions map[string]struct {
		Name, Version, Deprecated string
		Dependencies              map[string]string
		Bin                       map[string]string
		Scripts                   map[string]string
		HasInstallScript          bool   `json:"hasInstallScript"`
		ID                        string `json:"_id"`
		Dist                      struct {
			Shasum, Integrity, Tarball string
			Attestations               *struct{ URL string }
		}
	}
	Time     map[string]string
	Modified string
	Readme   string
}

func (s scene) packument(path string, header ...string) (p packument) {
	s.t.Helper()
	a := s.get(path, header...)
	if a.Status != 200 {
		s.t.Fatalf("GET %s = %d %s", path, a.Status, a.Body)
	}
	s.JSON(a, &p)
	return p
}

func sorted[V any](m map[string]V) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	for i := range keys {
		for j := i; j > 0 && keys[j] < keys[j-1]; j-- {
			keys[j], keys[j-1] = keys[j-1], keys[j]
		}
	}
	return keys
}

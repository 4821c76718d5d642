package terraform_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"packhouse"
	"packhouse/internal/format/formattest"
)

// signer makes keys and signatures of tests.
type signer struct{ entity *openpgp.Entity }

func newSigner() signer {
	e, err := openpgp.NewEntity("Acme", "", "acme@example.com", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	if err != nil {
		panic(err)
	}
	return signer{e}
}

func (s signer) armored(kind string, write func(io.Writer) error) string {
	var b bytes.Buffer
	w, err := armor.Encode(&b, kind, nil)
	if err == nil {
		err = write(w)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err)
	}
	return b.String() + "\n"
}

func (s signer) public() string { return s.armored(openpgp.PublicKeyType, s.entity.Serialize) }

func (s signer) sign(text string) string {
	var b bytes.Buffer
	if err := openpgp.DetachSign(&b, s.entity, strings.NewReader(text), nil); err != nil {
		panic(err)
	}
	return b.String()
}

// zipOf is a zip file of texts by name, in order.
func zipOf(files ...string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err == nil {
			_, err = io.WriteString(f, files[i+1])
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

const manifest = `{"version":1,"metadata":{"protocol_versions":["6.0"]}}`

// release is what GoReleaser makes of a provider: files by the end of their names.
func release(by signer, name, version string, platforms ...string) map[string]string {
	stem := "terraform-provider-" + name + "_" + version
	files := map[string]string{"_manifest.json": manifest}
	for _, p := range platforms {
		files["_"+p+".zip"] = zipOf(stem, "the provider for "+p, "LICENSE", "free")
	}
	files["_SHA256SUMS"] = sums(stem, files)
	files["_SHA256SUMS.sig"] = by.sign(files["_SHA256SUMS"])
	files["_public_key.asc"] = by.public()
	return files
}

func sums(stem string, files map[string]string) (text string) {
	for _, end := range sortedKeys(files) {
		text += fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(files[end])), stem+end)
	}
	return text
}

func sortedKeys(files map[string]string) (list []string) {
	for end := range files {
		list = append(list, end)
	}
	slices.Sort(list)
	return list
}

// part is the address of a file of a provider in a project.
func part(project any, name, version, end string) string {
	return fmt.Sprintf("/api/v4/projects/%v/packages/terraform/providers/%s/%s/terraform-provider-%s_%s%s", project, name, version, name, version, end)
}

func provider(path string) string { return "/api/v4/packages/terraform/providers/v1/" + path }

func (s scene) putRelease(project any, name, version string, files map[string]string) {
	s.t.Helper()
	for _, end := range sortedKeys(files) {
		s.mustPut(part(project, name, version, end), files[end])
	}
}

type listedProvider struct {
	Version   string
	Protocols []string
	Platforms []struct{ OS, Arch string }
}

// listed are the versions of a provider with their platforms, or the status.
func (s scene) listed(path string, header ...string) string {
	s.t.Helper()
	a := s.get(provider(path)+"/versions", header...)
	var d struct{ Versions []listedProvider }
	if a.Status != 200 || json.Unmarshal(a.Body, &d) != nil {
		return fmt.Sprint(a.Status)
	}
	text := ""
	for _, v := range d.Versions {
		text += v.Version + " " + strings.Join(v.Protocols, ",")
		for _, p := range v.Platforms {
			text += " " + p.OS + "_" + p.Arch
		}
		text += "\n"
	}
	return text
}

// What every format has to do, for the files of providers.
func TestProviderSuite(t *testing.T) {
	t.Parallel()
	files := release(newSigner(), "acme", "1.0.0", "linux_amd64")
	const file = "/providers/acme/1.0.0/terraform-provider-acme_1.0.0_linux_amd64.zip"
	formattest.Run(t, formattest.Case{
		Format: "terraform",
		Publish: func(w *formattest.World, mount string, header ...string) formattest.Answer {
			return w.Do("PUT", mount+file, strings.NewReader(files["_linux_amd64.zip"]), header...)
		},
		File: file, Content: files["_linux_amd64.zip"], Group: true,
		Absent: []string{strings.Replace(file, "linux", "plan9", 1), "/providers/acme/2.0.0/x", "/providers/other/1.0.0/x", "/providers/x/y/z"},
	})
}

// In whatever order files come, the version is listed when the last one is there, and
// not before; then all that is listed can be fetched with what the document says.
func TestProvider(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	by := newSigner()
	for round := range 12 {
		version := fmt.Sprintf("1.0.%d", round)
		files := release(by, "acme", version, "linux_amd64", "darwin_arm64")
		order := sortedKeys(files)
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for i, end := range order {
			if got := s.listed("acme/acme"); strings.Contains(got, version+" ") {
				t.Errorf("after %v of %v the version is listed: %s", order[:i], order, got)
			}
			a := s.put(part(s.project, "acme", version, end), files[end])
			last := i == len(order)-1
			if a.Status != 201 || strings.Contains(string(a.Body), `"listed":true`) != last || strings.Contains(string(a.Body), `"missing":[]`) != last {
				t.Errorf("after %v of %v: %d %s", order[:i+1], order, a.Status, a.Body)
			}
		}
		if got := s.listed("acme/acme"); !strings.Contains(got, version+" 6.0") || !strings.Contains(got, "linux_amd64") || !strings.Contains(got, "darwin_arm64") {
			t.Errorf("after all of %v versions are:\n%s", order, got)
		}
		s.fetch("acme/acme/"+version, "acme", version, files)
	}
	if got := s.listed(fmt.Sprintf("%d/acme", s.group)); !strings.HasPrefix(got, "1.0.11 ") || strings.Count(got, "\n") != 12 {
		t.Errorf("by the group's number versions are:\n%s", got)
	}
	for _, path := range []string{"acme/other/versions", "acme/Acme/versions", "other/acme/versions", "acme/acme/2.0.0/download/linux/amd64", "acme/acme/1.0.0/download/plan9/amd64", "acme/acme/x/download/linux/amd64", "acme/acme/1.0.0/none.zip"} {
		if a := s.get(provider(path)); a.Status != 404 {
			t.Errorf("GET %s = %d %s, want 404", path, a.Status, a.Body)
		}
	}
}

type download struct {
	OS, Arch, Filename, Shasum string
	Protocols                  []string
	DownloadURL                string `json:"download_url"`
	ShasumsURL                 string `json:"shasums_url"`
	SignatureURL               string `json:"shasums_signature_url"`
	SigningKeys                struct {
		GPG []struct {
			ID    string `json:"key_id"`
			Armor string `json:"ascii_armor"`
		} `json:"gpg_public_keys"`
	} `json:"signing_keys"`
}

// fetch asks for a version as a client does: with a token for the document, without
// for the files.
func (s scene) fetch(path, name, version string, files map[string]string) {
	s.t.Helper()
	var d download
	a := s.get(provider(path + "/download/linux/amd64"))
	if err := json.Unmarshal(a.Body, &d); a.Status != 200 || err != nil || a.Header.Get("Cache-Control") != "no-store" {
		s.t.Fatalf("GET download = %d %s, %v", a.Status, a.Body, err)
	}
	zipped := files["_linux_amd64.zip"]
	stem := "terraform-provider-" + name + "_" + version
	if d.OS != "linux" || d.Arch != "amd64" || d.Filename != stem+"_linux_amd64.zip" || d.Shasum != fmt.Sprintf("%x", sha256.Sum256([]byte(zipped))) || fmt.Sprint(d.Protocols) != "[6.0]" {
		s.t.Errorf("the document is %s", a.Body)
	}
	for where, want := range map[string]string{d.DownloadURL: zipped, d.ShasumsURL: files["_SHA256SUMS"], d.SignatureURL: files["_SHA256SUMS.sig"]} {
		if a := s.get(where, ""); a.Status != 200 || string(a.Body) != want {
			s.t.Errorf("GET %.80s = %d %.100s", where, a.Status, a.Body)
		}
	}
	keys := d.SigningKeys.GPG
	if len(keys) != 1 || keys[0].Armor != files["_public_key.asc"] || len(keys[0].ID) != 16 {
		s.t.Errorf("signing keys are %v", keys)
	}
}

// The addresses in a document are good for that version, without a credential.
func TestProviderGrant(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	by := newSigner()
	s.putRelease(s.project, "acme", "1.0.0", release(by, "acme", "1.0.0", "linux_amd64"))
	s.putRelease(s.project, "acme", "2.0.0", release(by, "acme", "2.0.0", "linux_amd64"))
	s.mustPut(at(s.project, "vpc/aws/1.0.0/file"), vpc())
	var d download
	s.JSON(s.get(provider("acme/acme/1.0.0/download/linux/amd64")), &d)
	where, err := url.Parse(d.DownloadURL)
	if err != nil || where.IsAbs() {
		t.Fatalf("download_url is %q", d.DownloadURL)
	}
	for _, path := range []string{
		strings.ReplaceAll(d.DownloadURL, "1.0.0", "2.0.0"), provider("acme/acme/versions?") + where.RawQuery, part(s.project, "acme", "1.0.0", "_linux_amd64.zip?") + where.RawQuery,
		registry("acme/vpc/aws/1.0.0/file?") + where.RawQuery, where.Path, d.DownloadURL[:len(d.DownloadURL)-2],
	} {
		if a := s.get(path, ""); a.Status != 401 {
			t.Errorf("GET %.90s = %d %s, want 401", path, a.Status, a.Body)
		}
	}
}

// Who may not read the project finds nothing, and is told the same as about what is
// not there.
func TestProviderVisibility(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.putRelease(s.project, "acme", "1.0.0", release(newSigner(), "acme", "1.0.0", "linux_amd64"))
	id, stranger := s.User("stranger")
	token := "PRIVATE-TOKEN: " + stranger
	for _, path := range []string{"acme/acme/versions", "acme/acme/1.0.0/download/linux/amd64", "acme/acme/1.0.0/terraform-provider-acme_1.0.0_linux_amd64.zip"} {
		a, absent := s.get(provider(path), token), s.get(provider(strings.Replace(path, "acme/acme", "acme/none", 1)), token)
		if a.Status != 404 || formattest.Masked(a.Body) != formattest.Masked(absent.Body) {
			t.Errorf("GET %s as a stranger = %d %s, what is absent %s", path, a.Status, a.Body, absent.Body)
		}
		if a := s.get(provider(path), "PRIVATE-TOKEN: glpat-wrong"); a.Status != 401 {
			t.Errorf("GET %s with a wrong token = %d, want 401", path, a.Status)
		}
	}
	s.Member("projects", s.project, id, packhouse.Reporter)
	if got := s.listed("acme/acme", token); got != "1.0.0 6.0 linux_amd64\n" {
		t.Errorf("versions for a reporter are %q", got)
	}
	if a := s.put(part(s.project, "acme", "1.1.0", "_manifest.json"), manifest, token); a.Status != 403 {
		t.Errorf("PUT as a reporter = %d, want 403", a.Status)
	}
}

// A file that goes takes the version out of the list, and another of the same bytes
// brings it back.
func TestProviderDelete(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	files := release(newSigner(), "acme", "1.0.0", "linux_amd64")
	s.putRelease(s.project, "acme", "1.0.0", files)
	list := s.Packages(s.project, "package_type=terraform_module")
	if len(list) != 1 || list[0].Name != "terraform-provider-acme" {
		t.Fatalf("packages are %+v", list)
	}
	for _, f := range s.Files(s.project, list[0].ID) {
		if strings.HasSuffix(f.FileName, ".zip") {
			s.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d/package_files/%d", s.project, list[0].ID, f.ID), "", nil)
		}
	}
	if got := s.listed("acme/acme"); got != "404" {
		t.Errorf("without its zip file versions are %q", got)
	}
	zipped := part(s.project, "acme", "1.0.0", "_linux_amd64.zip")
	if a := s.put(zipped, zipOf("terraform-provider-acme", "other")); a.Status != 400 || !strings.Contains(string(a.Body), "another digest") {
		t.Errorf("PUT of other bytes = %d %s", a.Status, a.Body)
	}
	s.mustPut(zipped, files["_linux_amd64.zip"])
	if got := s.listed("acme/acme"); got != "1.0.0 6.0 linux_amd64\n" {
		t.Errorf("with the zip file again versions are %q", got)
	}
}

// A name belongs to one project, a file to one publish, and all at once change nothing
// about that.
func TestProviderDuplicates(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	by := newSigner()
	files := release(by, "acme", "1.0.0", "linux_amd64")
	ends := sortedKeys(files)
	var wg sync.WaitGroup
	var mu sync.Mutex
	by201 := map[string]int{}
	for i := range 60 {
		wg.Go(func() {
			end := ends[i%len(ends)]
			a, err := s.Try("PUT", part(s.project, "acme", "1.0.0", end), strings.NewReader(files[end]), root)
			mu.Lock()
			defer mu.Unlock()
			if err != nil || a.Status != 201 && a.Status != 403 {
				t.Errorf("PUT %s = %d %s, %v", end, a.Status, a.Body, err)
			}
			if a.Status == 201 {
				by201[end]++
			}
		})
	}
	wg.Wait()
	for _, end := range ends {
		if by201[end] != 1 {
			t.Errorf("%s was published %d times, want once", end, by201[end])
		}
	}
	if got := s.listed("acme/acme"); got != "1.0.0 6.0 linux_amd64\n" {
		t.Errorf("versions are %q", got)
	}
	other := s.Project("other", s.group, "private")
	if a := s.put(part(other, "acme", "2.0.0", "_manifest.json"), manifest); a.Status != 403 || !strings.Contains(string(a.Body), "it is in the project acme/infra") {
		t.Errorf("PUT to another project = %d %s", a.Status, a.Body)
	}
	s.Settings("groups", s.group, `{"terraform_module_duplicates_allowed":true}`)
	// Another project's copy counts once it is whole, and its files come together.
	theirs := release(by, "acme", "1.0.0", "linux_amd64", "linux_arm64")
	theirs["_linux_amd64.zip"] = zipOf("terraform-provider-acme", "another")
	stem := "terraform-provider-acme_1.0.0"
	signed := map[string]string{}
	for _, end := range []string{"_linux_amd64.zip", "_linux_arm64.zip", "_manifest.json"} {
		signed[end] = theirs[end]
	}
	theirs["_SHA256SUMS"] = sums(stem, signed)
	theirs["_SHA256SUMS.sig"] = by.sign(theirs["_SHA256SUMS"])
	for _, end := range sortedKeys(theirs) {
		s.fetch("acme/acme/1.0.0", "acme", "1.0.0", files)
		s.mustPut(part(other, "acme", "1.0.0", end), theirs[end])
	}
	s.fetch("acme/acme/1.0.0", "acme", "1.0.0", theirs)
}

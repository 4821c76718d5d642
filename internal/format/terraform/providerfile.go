package terraform

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// partKind is what a file is to a version of a provider.
type partKind uint8

const (
	noPart partKind = iota
	zipPart
	manifestPart
	sumsPart
	signaturePart
	keyPart
)

// part is a file of a version of a provider, by its name.
type part struct {
	kind     partKind
	platform platform // of a zip file
}

// partSuffixes follow "terraform-provider-NAME_VERSION" in the names of files. All but
// the last are those of HashiCorp's releases, and of what GoReleaser makes.
var partSuffixes = map[string]partKind{
	"_manifest.json": manifestPart, "_SHA256SUMS": sumsPart, "_SHA256SUMS.sig": signaturePart, "_public_key.asc": keyPart,
}

var platformSuffix = regexp.MustCompile(`\A_([0-9a-z]{1,32})_([0-9a-z]{1,32})\.zip\z`)

// partOf says what a file is by its name; noPart when it is nothing of the version.
func partOf(stem, file string) part {
	suffix, ours := strings.CutPrefix(file, stem)
	if !ours {
		return part{}
	}
	if p := platformSuffix.FindStringSubmatch(suffix); p != nil {
		return part{zipPart, platform{p[1], p[2]}}
	}
	return part{kind: partSuffixes[suffix]}
}

// held is what is kept with a file of a provider, as its metadata: what the other
// files of the version are compared with, and what documents say.
type held struct {
	Text      string   `json:"text,omitempty"`      // of SHA256SUMS and of a key, to the byte
	Signature []byte   `json:"signature,omitempty"` // in OpenPGP's binary form
	KeyID     string   `json:"key_id,omitempty"`
	Protocols []string `json:"protocols,omitempty"`
}

// maxPart bounds each file but the zip files, in bytes.
const maxPart = 64 << 10

// readPart reads a file that was received and makes of it what is kept with it.
func readPart(r *http.Request, provider, stem string, p part, file *registry.Received) (*held, error) {
	content, err := file.Open(r.Context())
	if err != nil {
		return nil, err
	}
	defer content.Close()
	if p.kind == zipPart {
		return &held{}, checkProviderZip(content, file.Size(), provider)
	}
	if file.Size() > maxPart {
		return nil, packhouse.Errorf(packhouse.TooLarge, "400 Bad request - File is too large")
	}
	data, err := io.ReadAll(content)
	if err != nil {
		return nil, err
	}
	switch p.kind {
	case manifestPart:
		return readManifest(data)
	case sumsPart:
		return readSums(stem, data)
	case signaturePart:
		return readSignature(data)
	}
	return readKey(data)
}

// checkProviderZip refuses what clients could not unpack, or would not find a provider
// in.
func checkProviderZip(r io.ReaderAt, size int64, provider string) error {
	a := newContents()
	found := false
	err := format.ReadZip(r, size, func(f *zip.File, folder bool) error {
		clean, problem := format.EntryName(f.Name)
		if problem != "" {
			return badPart(problem)
		}
		found = found || !folder && strings.HasPrefix(clean, providerPrefix+provider)
		return a.place(clean, !folder)
	})
	var problem format.ZipProblem
	switch {
	case errors.As(err, &problem):
		return badPart(string(problem))
	case err != nil:
		return err
	case !found:
		return badPart("it has no file whose name begins with " + providerPrefix + provider)
	}
	return nil
}

var protocolVersion = regexp.MustCompile(`\A(?:0|[1-9][0-9]{0,2})\.(?:0|[1-9][0-9]{0,2})\z`)

// readManifest reads the protocols that a provider speaks
// (https://developer.hashicorp.com/terraform/registry/providers/publishing#terraform-registry-manifest-file).
func readManifest(data []byte) (*held, error) {
	var m struct {
		Version  int
		Metadata struct {
			ProtocolVersions []string `json:"protocol_versions"`
		}
	}
	if err := json.Unmarshal(data, &m); err != nil || m.Version != 1 {
		return nil, badPart("the manifest is no JSON object of version 1")
	}
	protocols := m.Metadata.ProtocolVersions
	if len(protocols) == 0 || len(protocols) > 20 || slices.ContainsFunc(protocols, func(p string) bool { return !protocolVersion.MatchString(p) }) {
		return nil, badPart(`the manifest's metadata.protocol_versions is no list such as ["6.0"]`)
	}
	return &held{Protocols: protocols}, nil
}

// readSums reads what sha256sum prints.
func readSums(stem string, data []byte) (*held, error) {
	sums, err := parseSums(stem, string(data))
	if err != nil {
		return nil, err
	}
	for name := range sums {
		if partOf(stem, name).kind == zipPart {
			return &held{Text: string(data)}, nil
		}
	}
	return nil, badPart("SHA256SUMS names no " + stem + "_OS_ARCH.zip")
}

// parseSums returns the digests of the zip files and of the manifest. Other lines are
// about files that clients do not ask for.
func parseSums(stem, text string) (map[string]packhouse.Digest, error) {
	sums := map[string]packhouse.Digest{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		digest, err := packhouse.ParseDigest(fields[0])
		if len(fields) != 2 || err != nil || !utf8.ValidString(line) || fields[0] != digest.String() {
			return nil, badPart("SHA256SUMS has a line that is not a SHA-256 in lower case, two spaces and a name, as sha256sum prints it")
		}
		kind := partOf(stem, fields[1]).kind
		if kind != zipPart && kind != manifestPart {
			continue
		}
		if _, twice := sums[fields[1]]; twice {
			return nil, badPart("SHA256SUMS names " + fields[1] + " twice")
		}
		sums[fields[1]] = digest
	}
	return sums, nil
}

func readSignature(data []byte) (*held, error) {
	switch {
	case bytes.HasPrefix(data, []byte("-----BEGIN")):
		return nil, badPart("the signature is in armor, which clients do not read: make it with gpg --detach-sign, without --armor")
	case len(data) == 0:
		return nil, badPart("the signature is empty")
	}
	return &held{Signature: data}, nil
}

func badPart(problem string) error {
	return &packhouse.Error{
		Kind: packhouse.Invalid, Rule: "provider", Message: "400 Bad request - the file cannot be used: " + problem,
		Fix: "nothing of this file was stored; send it again once that is right",
	}
}

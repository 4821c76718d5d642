package terraform

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// maxParts bounds the files of one version of a provider.
const maxParts = 200

// publishProvider publishes one file of a version of a provider. The files come in any
// order; the version is listed once all that its SHA256SUMS names is there, with a
// signature by its key.
func (Terraform) publishProvider(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	key, err := providerKey(c.Arg("name"))
	if err != nil {
		return err
	}
	versionKey, err := versionKey(c.Arg("version"))
	if err != nil {
		return err
	}
	version := number(c.Arg("version"))
	if version != versionKey {
		e := packhouse.InvalidParam("provider_version", "is invalid")
		e.Fix = "leave out the build metadata, everything from the +: it does not tell versions apart"
		return e
	}
	stem := key + "_" + version
	part := partOf(stem, c.Arg("file"))
	if part.kind == noPart {
		return errNoPart(stem)
	}
	file, err := receivePart(r, c, part)
	if err != nil {
		return err
	}
	defer file.Release()
	kept, err := readPart(r, c.Arg("name"), stem, part, file)
	if err != nil {
		return err
	}
	metadata, err := json.Marshal(kept)
	if err != nil {
		return fmt.Errorf("encode metadata: %w", err)
	}
	file.SetMetadata(metadata)
	var lacks []string
	_, err = c.Hosted.Publish(r.Context(), registry.Draft{
		Package: key, PackageKey: key, Version: version, VersionKey: versionKey, Files: []*registry.Received{file},
		Admit: func(_ bool, files []packhouse.File) error {
			all := append(slices.Clone(files), packhouse.File{Path: c.Arg("file"), SHA256: file.SHA256(), Metadata: metadata})
			lacks = missing(stem, all)
			return admitPart(stem, files, all)
		},
	})
	if err != nil {
		return err
	}
	format.WriteJSON(w, http.StatusCreated, map[string]any{"message": "201 Created", "listed": len(lacks) == 0, "missing": some(lacks)})
	return nil
}

// receivePart takes the body of a request in.
func receivePart(r *http.Request, c *format.Call, p part) (*registry.Received, error) {
	body, size, err := bodyOf(r)
	if err != nil {
		return nil, err
	}
	if p.kind != zipPart {
		body = io.LimitReader(body, maxPart+1) // more is refused when it is read
	}
	return c.Hosted.Receive(r.Context(), registry.Incoming{Path: c.Arg("file"), Size: size, Body: body})
}

func errNoPart(stem string) error {
	e := packhouse.InvalidParam("file_name", "is invalid")
	e.Fix = "files of this version are called " + stem + "_OS_ARCH.zip, _manifest.json, _SHA256SUMS, _SHA256SUMS.sig and _public_key.asc"
	return e
}

// admitPart judges the files of a version with one more.
func admitPart(stem string, files, all []packhouse.File) error {
	added := all[len(all)-1].Path
	switch {
	case slices.ContainsFunc(files, func(f packhouse.File) bool { return f.Path == added }):
		return &packhouse.Error{
			Kind: packhouse.Conflict, Rule: "duplicates", Message: "403 Forbidden - Package file already exists.",
			Fix: "publish under a new version, or delete the file first",
		}
	case len(all) > maxParts:
		return badPart(fmt.Sprintf("the version has %d files already", maxParts))
	}
	return agree(stem, all)
}

// agree compares the files of a version with each other, as far as they are there.
func agree(stem string, files []packhouse.File) error {
	sums, signature, key := heldOf(stem, files)
	if sums == nil {
		return nil
	}
	digests, err := parseSums(stem, sums.Text)
	if err != nil {
		return err
	}
	for _, f := range files {
		if kind := partOf(stem, f.Path).kind; kind != zipPart && kind != manifestPart {
			continue
		}
		switch digest, named := digests[f.Path]; {
		case !named:
			return disagree("SHA256SUMS does not name " + f.Path)
		case digest != f.SHA256:
			return disagree("SHA256SUMS has another digest for " + f.Path + ", which has " + f.SHA256.String())
		}
	}
	if signature == nil || key == nil {
		return nil
	}
	return checkSignature(key.Text, sums.Text, signature.Signature)
}

func disagree(problem string) error {
	return &packhouse.Error{
		Kind: packhouse.Invalid, Rule: "checksum", Message: "400 Bad request - " + problem,
		Fix: "send the files that SHA256SUMS was made of; delete what is here already if that is the wrong one",
	}
}

// heldOf finds what the files of a version are checked by; nil for what is not there.
func heldOf(stem string, files []packhouse.File) (sums, signature, key *held) {
	for _, f := range files {
		of := map[partKind]**held{sumsPart: &sums, signaturePart: &signature, keyPart: &key}[partOf(stem, f.Path).kind]
		if of == nil {
			continue
		}
		*of = &held{}
		_ = json.Unmarshal(f.Metadata, *of) // we wrote it
	}
	return sums, signature, key
}

// missing lists the files that a version lacks before it can be used: none when it is
// whole.
func missing(stem string, files []packhouse.File) (lacks []string) {
	want := map[string]bool{}
	for suffix, kind := range partSuffixes {
		if kind != manifestPart {
			want[stem+suffix] = true
		}
	}
	if sums, _, _ := heldOf(stem, files); sums != nil {
		digests, _ := parseSums(stem, sums.Text) // it was read before
		for name := range digests {
			want[name] = true
		}
	}
	for _, f := range files {
		delete(want, f.Path)
	}
	for name := range want {
		lacks = append(lacks, name)
	}
	slices.SortFunc(lacks, strings.Compare)
	return lacks
}

package pypi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// upload publishes one file: the legacy upload API. It answers 201 once the file
// would survive a power cut and the simple page lists it.
func (PyPI) upload(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	f, err := readForm(r, func(in registry.Incoming) (*registry.Received, error) { return c.Hosted.Receive(r.Context(), in) })
	defer f.release()
	if err != nil {
		return err
	}
	d, err := f.check()
	if err != nil {
		return err
	}
	more, err := f.derive(r.Context(), d)
	if err != nil {
		return err
	}
	files := []*registry.Received{f.file}
	for _, one := range more {
		beside, err := receiveBeside(r, c, f, one)
		if err != nil {
			return err
		}
		defer beside.Release()
		files = append(files, beside)
	}
	_, err = c.Hosted.Publish(r.Context(), registry.Draft{
		Package: f.fields["name"], PackageKey: d.pkg, Version: f.fields["version"], VersionKey: d.version,
		Files: files, Admit: f.admit,
	})
	if err != nil {
		return err
	}
	format.WriteJSON(w, http.StatusCreated, map[string]string{"message": "201 Created"})
	return nil
}

// derived is what is made of a file and kept beside it.
type derived struct {
	ending string
	data   []byte
}

// derive looks into the file of an upload and says with the file what it found:
// the metadata of a wheel is kept beside it (PEP 658), and who attests to it
// (PEP 740).
func (f *form) derive(ctx context.Context, d distribution) (more []derived, err error) {
	raw, m, err := inspect(ctx, f.file, d)
	if err != nil {
		return nil, err
	}
	about := fileMetadata{RequiresPython: m.requiresPython}
	if d.kind == wheel {
		about.CoreMetadata = sha256.Sum256(raw)
		more = append(more, derived{metadataEnding, raw})
	}
	if sent := f.fields["attestations"]; sent != "" {
		provenance, err := provenanceOf(sent, d, f.file.SHA256())
		if err != nil {
			return nil, err
		}
		about.Provenance = true
		more = append(more, derived{provenanceEnding, provenance})
	}
	return more, setMetadata(f.file, about)
}

// receiveBeside stores what is kept beside the file of an upload.
func receiveBeside(r *http.Request, c *format.Call, f *form, one derived) (*registry.Received, error) {
	beside, err := c.Hosted.Receive(r.Context(), registry.Incoming{
		Path: f.fields["content"] + one.ending, Size: int64(len(one.data)), Body: bytes.NewReader(one.data),
	})
	if err != nil {
		return nil, err
	}
	if err := setMetadata(beside, fileMetadata{Of: f.file.SHA256()}); err != nil {
		beside.Release()
		return nil, err
	}
	return beside, nil
}

func setMetadata(f *registry.Received, about fileMetadata) error {
	data, err := json.Marshal(about)
	if err != nil {
		return fmt.Errorf("encode metadata: %w", err)
	}
	f.SetMetadata(data)
	return nil
}

// admit refuses a file whose name, in any case of its letters, is there. That
// holds for the same bytes too, so that an answer does not depend on them.
func (f *form) admit(_ bool, files []packhouse.File) error {
	for i := range files {
		if strings.EqualFold(files[i].Path, f.fields["content"]) {
			return errTaken()
		}
	}
	return nil
}

// check compares what the form says with the file's name and its bytes.
func (f *form) check() (d distribution, err error) {
	for _, name := range []string{"name", "version", "content"} {
		if f.fields[name] == "" {
			return d, packhouse.InvalidParam(name, "is missing")
		}
	}
	if action, sent := f.fields[":action"]; sent && action != "file_upload" {
		return d, packhouse.InvalidParam("action", "does not have a valid value")
	}
	if protocol, sent := f.fields["protocol_version"]; sent && protocol != "1" {
		return d, packhouse.InvalidParam("protocol_version", "does not have a valid value")
	}
	if _, err := normalise(f.fields["name"]); err != nil {
		return d, err
	}
	if _, err := versionKey(f.fields["version"]); err != nil {
		return d, err
	}
	if err := checkRequiresPython(f.fields["requires_python"]); err != nil {
		return d, err
	}
	if d, err = parseFilename(f.fields["content"]); err != nil {
		return d, err
	}
	if err := f.checkType(d); err != nil {
		return d, err
	}
	if err := d.agrees(f.fields["name"], f.fields["version"], "the form"); err != nil {
		return d, err
	}
	return d, f.checkDigests()
}

// checkType compares the kind of file that the form announces with its name.
func (f *form) checkType(d distribution) error {
	announced := f.fields["filetype"]
	if announced == "" || announced == "bdist_wheel" && d.kind == wheel || announced == "sdist" && d.kind != wheel {
		return nil
	}
	return packhouse.InvalidParam("filetype", "does not fit the file")
}

// checkDigests compares the announced digests with those of the bytes.
func (f *form) checkDigests() error {
	for _, one := range []struct{ field, have string }{
		{"sha256_digest", f.file.SHA256().String()},
		{"md5_digest", f.file.MD5()},
		{"blake2_256_digest", hex.EncodeToString(f.blake2.Sum(nil))},
	} {
		sent := f.fields[one.field]
		if sent == "" {
			continue
		}
		if _, err := hex.DecodeString(sent); err != nil || len(sent) != len(one.have) {
			return packhouse.InvalidParam(one.field, "is invalid")
		}
		if !strings.EqualFold(sent, one.have) {
			e := packhouse.InvalidParam(one.field, "does not match the file")
			e.Fix = "send it again; nothing of it was stored"
			return e
		}
	}
	return nil
}

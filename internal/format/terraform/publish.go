package terraform

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// publish publishes a version of a module: curl --upload-file. It answers 201 once
// the version would survive a power cut.
func (Terraform) publish(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	module, system, version := c.Arg("name"), c.Arg("system"), c.Arg("version")
	key, err := moduleKey(module, system)
	if err != nil {
		return err
	}
	versionKey, err := versionKey(version)
	if err != nil {
		return err
	}
	version = number(version)
	body, size, err := bodyOf(r)
	if err != nil {
		return err
	}
	file, err := c.Hosted.Receive(r.Context(), registry.Incoming{Path: fileName(module, system, version, "tgz"), Size: size, Body: body})
	if err != nil {
		return err
	}
	defer file.Release()
	about, err := inspect(r, file, fileName(module, system, version, "zip"))
	if err != nil {
		return err
	}
	metadata, err := json.Marshal(about)
	if err != nil {
		return fmt.Errorf("encode metadata: %w", err)
	}
	_, err = c.Hosted.Publish(r.Context(), registry.Draft{
		Package: key, PackageKey: key, Version: version, VersionKey: versionKey, Metadata: metadata,
		Files: []*registry.Received{file}, Admit: admit,
	})
	if err != nil {
		return err
	}
	answer := map[string]any{"message": "201 Created"}
	if !addressable.MatchString(system) {
		answer["warnings"] = []string{fmt.Sprintf("the system %q cannot stand in a registry address, which takes lower-case letters and digits alone; use the module by its URL", system)}
	}
	format.WriteJSON(w, http.StatusCreated, answer)
	return nil
}

// admit refuses a version that is there: modules are never replaced.
func admit(live bool, _ []packhouse.File) error {
	if !live {
		return nil
	}
	return &packhouse.Error{
		Kind: packhouse.Conflict, Rule: "duplicates", Message: "403 Forbidden - Package version already exists.",
		Fix: "publish under a new version, or delete the version first",
	}
}

// bodyOf finds the archive in a request: its body, or the part "file" of a form.
func bodyOf(r *http.Request) (io.Reader, int64, error) {
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		if r.ContentLength == 0 {
			return nil, 0, missingFile()
		}
		return r.Body, r.ContentLength, nil
	}
	parts := multipart.NewReader(r.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		switch {
		case err == io.EOF:
			return nil, 0, missingFile()
		case err != nil:
			return nil, 0, packhouse.Errorf(packhouse.Invalid, "the form cannot be read")
		case part.FormName() == "file":
			return part, -1, nil
		}
	}
}

func missingFile() error {
	e := packhouse.InvalidParam("file", "is missing")
	e.Fix = "send the archive as the body: curl --upload-file module.tgz"
	return e
}

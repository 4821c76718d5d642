package nuget

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// Endings of what is published.
const (
	packageEnding = ".nupkg"
	symbolsEnding = ".snupkg"
)

// push publishes a package. It answers 201 once that would survive a power cut and
// every index lists it; nothing is left for later.
func (NuGet) push(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	return publish(w, r, c, packageEnding)
}

// pushSymbols publishes the symbols of a version that is there.
func (NuGet) pushSymbols(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	return publish(w, r, c, symbolsEnding)
}

func publish(w http.ResponseWriter, r *http.Request, c *format.Call, ending string) error {
	f, err := receive(r, c)
	if f != nil {
		defer f.Release()
	}
	if err != nil {
		return err
	}
	m, err := inspect(r.Context(), f)
	if err != nil {
		return err
	}
	symbols := slices.Contains(m.Types, symbolsType)
	if symbols != (ending == symbolsEnding) {
		e := badArchive("its type is not for this address")
		if symbols {
			e = badArchive("it holds symbols; push it to the address of symbol packages")
		}
		return e
	}
	v, err := parseVersion(m.Version)
	if err != nil {
		return err
	}
	key := strings.ToLower(m.ID)
	data, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode metadata: %w", err)
	}
	f.SetMetadata(data)
	f.SetPath(fileName(key, v.key(), ending))
	draft := registry.Draft{Package: m.ID, PackageKey: key, Version: m.Version, VersionKey: v.key(), Files: []*registry.Received{f}}
	if symbols {
		pdbs, err := receiveSymbols(r.Context(), c, f)
		defer releaseAll(pdbs)
		if err != nil {
			return err
		}
		draft.Files = append(draft.Files, pdbs...)
		draft.Admit = func(live bool, files []packhouse.File) error {
			is := func(one packhouse.File) bool { return strings.HasSuffix(one.Path, packageEnding) }
			if !live || !slices.ContainsFunc(files, is) {
				return errAbsent()
			}
			return nil
		}
	}
	if _, err := c.Hosted.Publish(r.Context(), draft); err != nil {
		return err
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	return nil
}

// fileName is the name of a version's file.
func fileName(key, version, ending string) string { return key + "." + version + ending }

// maxRest bounds what a form has beside the package, in bytes.
const maxRest = 64 << 10

// receive reads a push to its end and has its package received: the part called
// "package", or the first that is a file. Clients write the name without quotes,
// and the same file name for all packages. The caller releases what it returns,
// also after an error.
func receive(r *http.Request, c *format.Call) (f *registry.Received, err error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return nil, errMissing()
	}
	if len(params["boundary"]) > 70 { // RFC 2046, 5.1.1
		return nil, errMissing()
	}
	parts := multipart.NewReader(newMended(r.Body, params["boundary"]), params["boundary"])
	left := int64(maxRest)
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF && f == nil {
			return nil, errMissing()
		}
		if err == io.EOF {
			return f, nil
		}
		if err != nil {
			return f, errForm(err)
		}
		if f == nil && isPackage(part) {
			in := registry.Incoming{Path: "package" + packageEnding, Size: -1, Body: part, Also: blob.SHA512}
			if f, err = c.Hosted.Receive(r.Context(), in); err != nil {
				return nil, err
			}
			continue
		}
		n, err := io.Copy(io.Discard, io.LimitReader(part, left+1))
		if left -= n + 256; left < 0 || err != nil {
			return f, errForm(err)
		}
	}
}

func isPackage(part *multipart.Part) bool {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil {
		return false
	}
	_, file := params["filename"]
	return file || params["name"] == "package"
}

func errMissing() error {
	e := packhouse.InvalidParam("package", "is missing")
	e.Fix = "push with dotnet nuget push or nuget push, or curl --request PUT --form package=@file"
	return e
}

// errForm is the refusal of a body that is no whole form. An error that the server
// has classified stays what it is.
func errForm(err error) error {
	if e := (*packhouse.Error)(nil); errors.As(err, &e) {
		return e
	}
	return &packhouse.Error{
		Kind: packhouse.Invalid, Rule: "body", Err: err, Message: "the push is no form, has too much in it, or ended before it was complete",
		Fix: "send it again; nothing of it was stored",
	}
}

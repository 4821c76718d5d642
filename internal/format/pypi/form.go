package pypi

import (
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/blake2b"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/registry"
)

// Limits on the fields of an upload, apart from the file.
const (
	maxField  = 2 << 20 // bytes of one; a description may be long
	maxFields = 8 << 20 // bytes of all, fieldCost for each counted in
	fieldCost = 256
)

// form is an upload as twine, poetry, uv and flit send it: fields, and the file
// in the part "content", in any order.
type form struct {
	fields map[string]string
	file   *registry.Received // nil until it came; whoever has the form releases it
	blake2 hash.Hash          // BLAKE2b-256 of the file

	receive func(registry.Incoming) (*registry.Received, error)
	left    int // of maxFields
}

// kept are the fields that are looked at. Others are read and dropped.
var kept = map[string]bool{
	":action": true, "protocol_version": true, "filetype": true, "name": true, "version": true,
	"requires_python": true, "sha256_digest": true, "md5_digest": true, "blake2_256_digest": true,
	"attestations": true,
}

// readForm reads an upload to its end and has its file received. The caller
// releases the form, also after an error.
func readForm(r *http.Request, receive func(registry.Incoming) (*registry.Received, error)) (*form, error) {
	f := &form{fields: map[string]string{}, receive: receive, left: maxFields}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		e := packhouse.InvalidParam("content", "is missing")
		e.Fix = "upload with twine, poetry, uv or flit, which send a multipart/form-data form"
		return f, e
	}
	parts := multipart.NewReader(r.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return f, nil
		}
		if err != nil {
			return f, errForm(err)
		}
		if err := f.take(part); err != nil {
			return f, err
		}
	}
}

func (f *form) release() {
	if f.file != nil {
		f.file.Release()
	}
}

// take reads one part.
func (f *form) take(part *multipart.Part) error {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil || params["name"] == "" {
		return errForm(err)
	}
	name := params["name"]
	if name != "content" {
		return f.field(name, part)
	}
	file, isFile := params["filename"]
	if !isFile {
		return packhouse.InvalidParam("content", "is invalid")
	}
	if f.file != nil {
		return packhouse.InvalidParam("content", "is there twice")
	}
	if f.blake2, err = blake2b.New256(nil); err != nil {
		return fmt.Errorf("make BLAKE2b: %w", err)
	}
	if _, err := parseFilename(file); err != nil {
		return err
	}
	f.file, err = f.receive(registry.Incoming{Path: file, Size: -1, Body: io.TeeReader(part, f.blake2), Also: blob.MD5})
	f.fields["content"] = file
	return err
}

// field reads a part that is no file.
func (f *form) field(name string, part io.Reader) error {
	if f.left -= fieldCost + len(name); f.left < 0 {
		return errTooMuch()
	}
	limited := io.LimitReader(part, int64(min(maxField, f.left))+1)
	if !kept[name] {
		n, err := io.Copy(io.Discard, limited)
		return f.spend(int(n), err)
	}
	value, err := io.ReadAll(limited)
	if err := f.spend(len(value), err); err != nil {
		return err
	}
	if _, twice := f.fields[name]; twice {
		return packhouse.InvalidParam(strings.TrimPrefix(name, ":"), "is there twice")
	}
	if !utf8.Valid(value) {
		return packhouse.InvalidParam(strings.TrimPrefix(name, ":"), "is invalid")
	}
	f.fields[name] = strings.TrimSpace(string(value))
	return nil
}

func (f *form) spend(n int, err error) error {
	if err != nil {
		return errForm(err)
	}
	if f.left -= n; n > maxField || f.left < 0 {
		return errTooMuch()
	}
	return nil
}

func errTooMuch() error {
	return &packhouse.Error{
		Kind: packhouse.Invalid, Rule: "body", Message: "the fields of the upload are too long",
		Fix: "shorten the description or the other metadata of the package",
	}
}

// errForm is the refusal of a body that is no whole form. An error that the
// server has classified stays what it is.
func errForm(err error) error {
	if e := (*packhouse.Error)(nil); errors.As(err, &e) {
		return e
	}
	return &packhouse.Error{
		Kind: packhouse.Invalid, Rule: "body", Err: err, Message: "the upload is no form, or ended before it was complete",
		Fix: "send it again; nothing of it was stored",
	}
}

package npm

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// Limits on the parts of what is sent.
const (
	maxManifest   = 4 << 20 // bytes of one version's manifest
	maxTags       = 64 << 10
	maxVersions   = 200_000
	maxProvenance = 4 << 20
	maxDeprecated = 4096 // bytes of the text that says why not to use a version
)

// submission is a body as npm publish sends it, and as npm deprecate and npm
// unpublish send it back: a packument. Of many versions only those texts are kept
// that deprecate them.
type submission struct {
	name     string
	tags     map[string]string
	version  string   // the first one
	manifest manifest // of it
	versions map[string]bool
	// deprecated are the texts by version, of those that have one; "" where that
	// is taken back.
	deprecated map[string]string

	attached    bool // there are attachments, or an empty list of them
	tarball     *registry.Received
	tarballName string
	length      json.RawMessage // of the tarball, as announced
	provenance  string          // a bundle, "" for none
	bundleName  string

	seen map[string]bool // keys of the document that came
}

// readSubmission reads a body to its end. Attachments are received while they
// arrive, unless they are not wanted, and nothing else of the body is kept that is
// large. The caller releases the submission, also after an error.
func readSubmission(r *http.Request, c *format.Call, attachments bool) (*submission, error) {
	s := &submission{versions: map[string]bool{}, deprecated: map[string]string{}, seen: map[string]bool{}}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && strings.HasPrefix(kind, "multipart/") {
		return s, errJSON()
	}
	in := newStream(r.Body)
	err := in.object(func(key string) (err error) {
		if s.seen[key] {
			return invalid("body", "Invalid json: it has "+quote(key)+" twice", "")
		}
		switch key {
		case "name":
			s.name, err = in.text(maxKey)
		case "dist-tags":
			err = s.readTags(in)
		case "versions":
			err = in.object(func(number string) error { return s.readVersion(in, number) })
		case "_attachments":
			s.attached = true
			if !attachments {
				return invalid("body", "Invalid json: an attachment is not expected here", "")
			}
			err = in.object(func(name string) error { return s.attachment(r, c, in, name) })
		default:
			return in.skip()
		}
		s.seen[key] = true
		return err
	})
	if err != nil {
		return s, err
	}
	return s, in.end()
}

func (s *submission) release() {
	if s.tarball != nil {
		s.tarball.Release()
	}
}

func (s *submission) readTags(in *stream) error {
	raw, err := in.value(maxTags)
	if err != nil {
		return err
	}
	if json.Unmarshal(raw, &s.tags) != nil {
		return invalid("body", "Invalid json: dist-tags is not an object of versions", "")
	}
	return nil
}

func (s *submission) readVersion(in *stream, number string) error {
	if s.versions[number] || len(s.versions) >= maxVersions {
		return invalid("body", "Invalid json: it has the version "+quote(number)+" twice", "")
	}
	raw, err := in.value(maxManifest)
	if err != nil {
		return err
	}
	var fields manifest
	if json.Unmarshal(raw, &fields) != nil {
		return invalid("body", "Invalid json: the version "+quote(number)+" is not an object", "")
	}
	if len(s.versions) == 0 {
		s.version, s.manifest = number, fields
	}
	s.versions[number] = true
	text, there := fields["deprecated"]
	if !there {
		return nil
	}
	why, err := readDeprecated(text)
	s.deprecated[number] = why
	return err
}

// readDeprecated reads the mark of a version: a text, or what stands for none.
func readDeprecated(raw json.RawMessage) (why string, err error) {
	switch string(raw) {
	case "null", "false":
		return "", nil
	case "true":
		return "this version is deprecated", nil
	}
	if json.Unmarshal(raw, &why) != nil || len(why) > maxDeprecated {
		return "", invalid("body", "deprecated is not a text of up to 4096 bytes", "")
	}
	return why, nil
}

// attachment reads one attachment: the tarball as base64, or the bundle that says
// where it comes from, which npm sends as it is.
func (s *submission) attachment(r *http.Request, c *format.Call, in *stream, name string) error {
	tarball := strings.HasSuffix(name, ".tgz")
	if !tarball && !strings.HasSuffix(name, ".sigstore") {
		return invalid("attachment", "the attachment "+quote(name)+" is not known", "attach name-version.tgz and, if you have one, name-version.sigstore")
	}
	if tarball && s.tarballName != "" || !tarball && s.bundleName != "" {
		return invalid("attachment", "there is more than one attachment of a kind", "publish one version at a time")
	}
	seen := map[string]bool{}
	if tarball {
		s.tarballName = name
	} else {
		s.bundleName = name
	}
	return in.object(func(key string) (err error) {
		if seen[key] {
			return invalid("body", "Invalid json: an attachment has "+quote(key)+" twice", "")
		}
		seen[key] = true
		switch {
		case key == "data" && tarball:
			return s.receive(r, c, in)
		case key == "data":
			s.provenance, err = in.text(maxProvenance)
			return err
		case key == "length" && tarball:
			s.length, err = in.value(maxKey)
			return err
		}
		return in.skip()
	})
}

// receive stores the tarball while it arrives.
func (s *submission) receive(r *http.Request, c *format.Call, in *stream) error {
	text, err := in.long()
	if err != nil {
		return err
	}
	data := &noted{r: base64.NewDecoder(base64.StdEncoding, text)}
	s.tarball, err = c.Hosted.Receive(r.Context(), registry.Incoming{
		Path: s.tarballName, Size: -1, Body: data, Also: blob.SHA1 | blob.SHA512,
	})
	switch {
	case err == nil:
		return nil
	case text.err != nil:
		return failed(text.err)
	case data.err != nil: // not the registry's fault but the text's
		return invalid("attachment", "Attachment data is not base64", "send it again; nothing of it was stored")
	case packhouse.KindOf(err) == packhouse.TooLarge:
		e := *packhouse.AsError(err)
		e.Message = "File is too large."
		return &e
	}
	return err
}

// noted remembers why reading failed.
type noted struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (n *noted) Read(p []byte) (int, error) {
	count, err := n.r.Read(p)
	if err != nil && err != io.EOF {
		n.err = err
	}
	return count, err
}

// announced checks the length that the client gave for its tarball.
func (s *submission) announced() error {
	if len(s.length) == 0 || string(s.length) == "null" {
		return nil
	}
	var n int64
	if json.Unmarshal(bytes.TrimSpace(s.length), &n) != nil || n != s.tarball.Size() {
		return invalid("attachment", "the attachment does not have the length that was announced", "send it again; nothing of it was stored")
	}
	return nil
}

// quote shows a text of the client's in a message, shortened.
func quote(text string) string {
	const most = 100
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return `"?"`
	}
	return string(quoted)
}

package npm

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// bundle is what is looked at of a sigstore bundle. Who signed it is for clients
// to check: they have the keys.
type bundle struct {
	MediaType string `json:"mediaType"`
	Envelope  struct {
		Payload string `json:"payload"`
	} `json:"dsseEnvelope"`
}

// predicateOf reads what kind of statement a bundle makes.
func predicateOf(text string) (string, error) {
	bad := invalid("provenance", "the provenance is not a sigstore bundle with a statement in it", "publish with npm publish --provenance")
	var b bundle
	var statement struct {
		PredicateType string `json:"predicateType"`
	}
	if tooDeep([]byte(text)) || json.Unmarshal([]byte(text), &b) != nil || !strings.HasPrefix(b.MediaType, "application/vnd.dev.sigstore.bundle") {
		return "", bad
	}
	payload, err := base64.StdEncoding.DecodeString(b.Envelope.Payload)
	if err != nil || tooDeep(payload) || json.Unmarshal(payload, &statement) != nil || statement.PredicateType == "" {
		return "", bad
	}
	return statement.PredicateType, nil
}

func bundleName(name, version string) string { return name + "-" + version + ".sigstore" }

// receiveBundle stores the bundle as a file of its own beside the tarball.
func (s *submission) receiveBundle(r *http.Request, c *format.Call, name string) (*registry.Received, error) {
	return c.Hosted.Receive(r.Context(), registry.Incoming{
		Path: bundleName(name, s.version), Size: int64(len(s.provenance)), Body: strings.NewReader(s.provenance),
	})
}

// attestations serves the bundle of a version, in the list that npm audit
// signatures reads.
func (NPM) attestations(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	spec := c.Arg("spec")
	at := strings.LastIndexByte(spec, '@')
	if at <= 0 {
		return errNotFound()
	}
	name, err := nameKey(spec[:at])
	if err != nil {
		return err
	}
	key, err := versionKey(spec[at+1:])
	if err != nil {
		return err
	}
	from, err := source(c, name)
	if err != nil {
		return err
	}
	ref := packhouse.FileRef{Format: "npm", Package: name, Version: key, Path: bundleName(name, spec[at+1:])}
	content, err := from.Open(r.Context(), ref)
	if err != nil {
		return notFound(err)
	}
	defer content.Close()
	text, err := io.ReadAll(content.Reader())
	if err != nil {
		return err
	}
	predicate, err := predicateOf(string(text))
	if err != nil {
		return err
	}
	body := mustJSON(map[string]any{"attestations": []any{
		map[string]any{"predicateType": predicate, "bundle": json.RawMessage(text)},
	}})
	format.ServeDocument(w, r, registry.NewDocument(typeFull, body))
	return nil
}

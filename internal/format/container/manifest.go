package container

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"mime"
	"strings"

	"packhouse"
	"packhouse/internal/registry"
)

const (
	// maxManifest bounds a manifest, in bytes.
	maxManifest = 8 << 20
	// maxReferences bounds what one manifest names.
	maxReferences = 4000
	// maxAnnotations bounds the annotations that the referrers API shows of one
	// manifest, in bytes. Those of larger ones are in the manifest alone.
	maxAnnotations = 64 << 10
)

const (
	ociImage    = "application/vnd.oci.image.manifest.v1+json"
	ociIndex    = "application/vnd.oci.image.index.v1+json"
	dockerImage = "application/vnd.docker.distribution.manifest.v2+json"
	dockerList  = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// descriptor is the part of an OCI descriptor that decides anything here.
type descriptor struct {
	MediaType string   `json:"mediaType"`
	Digest    string   `json:"digest"`
	Size      *int64   `json:"size"`
	URLs      []string `json:"urls"`
	Data      []byte   `json:"data"`
}

// descriptors are as many as a manifest may have.
type descriptors []descriptor

var errTooMany = &packhouse.Error{
	Kind: packhouse.Invalid, Rule: "references", Message: fmt.Sprintf("the manifest names more than %d others", maxReferences),
	Fix: "split it into several",
}

// UnmarshalJSON reads a list element by element, so that a hostile one takes no more
// memory than its text.
func (d *descriptors) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	start, err := dec.Token()
	if err != nil || start == nil { // null is none
		return err
	}
	if start != json.Delim('[') {
		return fmt.Errorf("a list is expected, not %v", start)
	}
	*d = descriptors{}
	for dec.More() {
		if len(*d) == maxReferences {
			return errTooMany
		}
		var one descriptor
		if err := dec.Decode(&one); err != nil {
			return err
		}
		*d = append(*d, one)
	}
	return nil
}

// document is what of a manifest decides anything here.
type document struct {
	SchemaVersion int             `json:"schemaVersion"`
	MediaType     string          `json:"mediaType"`
	ArtifactType  string          `json:"artifactType"`
	Config        *descriptor     `json:"config"`
	Layers        descriptors     `json:"layers"`
	Manifests     descriptors     `json:"manifests"`
	Subject       *descriptor     `json:"subject"`
	Annotations   json.RawMessage `json:"annotations"`
}

func badManifest(format string, args ...any) error {
	return &packhouse.Error{
		Kind: packhouse.Invalid, Rule: "manifest", Message: "the manifest is not valid: " + fmt.Sprintf(format, args...),
		Fix: "push an OCI image manifest or index, or the same of Docker, schema 2",
	}
}

// parseManifest reads a manifest that came with a Content-Type: what it is, and what
// it names. It knows nothing of the media types of what it names: all are taken.
func parseManifest(data []byte, contentType string) (*registry.Manifest, error) {
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		if e := packhouse.AsError(err); e.Kind != packhouse.Internal {
			return nil, e
		}
		return nil, badManifest("it is no JSON of its kind")
	}
	if d.SchemaVersion != 2 {
		return nil, badManifest("schemaVersion is not 2")
	}
	m := &registry.Manifest{Bytes: data, ArtifactType: d.ArtifactType}
	var err error
	if m.MediaType, err = mediaType(contentType, d.MediaType); err != nil {
		return nil, err
	}
	switch m.MediaType {
	case ociImage, dockerImage:
		err = d.image(m)
	case ociIndex, dockerList:
		err = d.index(m)
	default:
		err = badManifest("the type %q is no manifest's", m.MediaType)
	}
	if err != nil || d.Subject == nil {
		return m, err
	}
	if _, err := d.Subject.check("subject"); err != nil {
		return nil, err
	}
	m.Subject = d.Subject.Digest
	m.Annotations, err = shown(d.Annotations)
	return m, err
}

// mediaType decides what a manifest is. What the client says and what the manifest
// says must agree: a registry and a runtime that read one manifest in two ways are
// CVE-2021-41190.
func mediaType(header, inside string) (string, error) {
	if header == "" {
		if inside == "" {
			return "", badManifest("neither its Content-Type nor its mediaType says what it is")
		}
		return inside, nil
	}
	outside, _, err := mime.ParseMediaType(header)
	if err != nil {
		return "", badManifest("the Content-Type cannot be read")
	}
	if inside != "" && inside != outside {
		return "", badManifest("its mediaType is %q and its Content-Type %q", inside, outside)
	}
	return outside, nil
}

func (d *document) image(m *registry.Manifest) error {
	if d.Manifests != nil {
		return badManifest("an image has no manifests")
	}
	if d.Config != nil {
		if err := name(m, d.Config, "config", false); err != nil {
			return err
		}
		if m.ArtifactType == "" {
			m.ArtifactType = d.Config.MediaType
		}
	}
	for i := range d.Layers {
		if err := name(m, &d.Layers[i], "layers", false); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) index(m *registry.Manifest) error {
	if d.Layers != nil || d.Config != nil {
		return badManifest("an index has no config and no layers")
	}
	for i := range d.Manifests {
		if err := name(m, &d.Manifests[i], "manifests", true); err != nil {
			return err
		}
	}
	return nil
}

// name takes in something that a manifest names.
func name(m *registry.Manifest, d *descriptor, where string, manifest bool) error {
	ref, err := d.check(where)
	if err != nil {
		return err
	}
	m.Children = append(m.Children, registry.Child{Digest: d.Digest, Ref: ref, Manifest: manifest, Optional: d.elsewhere() || d.inside(ref)})
	return nil
}

func (d *descriptor) check(where string) (packhouse.PartRef, error) {
	ref, err := packhouse.ParsePartRef(d.Digest)
	if err != nil {
		return ref, badManifest("%s has a digest that is none", where)
	}
	if d.Size == nil || *d.Size < 0 {
		return ref, badManifest("%s has no size, or one below 0", where)
	}
	return ref, nil
}

// elsewhere reports whether a layer is not to be pushed, because those who need it
// get it from somewhere else.
func (d *descriptor) elsewhere() bool {
	return len(d.URLs) > 0 || strings.Contains(d.MediaType, "nondistributable") || strings.Contains(d.MediaType, ".foreign.")
}

// inside reports whether the bytes stand in the manifest.
func (d *descriptor) inside(ref packhouse.PartRef) bool {
	if d.Data == nil || int64(len(d.Data)) != *d.Size {
		return false
	}
	if ref.SHA512 != "" {
		sum := sha512.Sum512(d.Data)
		return hex.EncodeToString(sum[:]) == ref.SHA512
	}
	return sha256.Sum256(d.Data) == ref.SHA256
}

// shown are the annotations that the referrers API shows.
func shown(annotations json.RawMessage) ([]byte, error) {
	if len(annotations) == 0 || len(annotations) > maxAnnotations {
		return nil, nil
	}
	var pairs map[string]string
	if err := json.Unmarshal(annotations, &pairs); err != nil {
		return nil, badManifest("annotations are not names with text")
	}
	if len(pairs) == 0 {
		return nil, nil
	}
	return json.Marshal(pairs)
}

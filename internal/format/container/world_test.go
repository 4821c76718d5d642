package container_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
)

const (
	ociImage = "application/vnd.oci.image.manifest.v1+json"
	ociIndex = "application/vnd.oci.image.index.v1+json"
)

// client talks to a registry as somebody: it asks for a token for each scope that
// it needs, as the clients of container registries do.
type client struct {
	*formattest.World
	user, password string // both "" for a visitor
}

func start(t *testing.T, edit ...func(*house.Options)) *client {
	w := formattest.Start(t, edit...)
	return &client{w, "root", formattest.RootToken}
}

func (c *client) as(user, password string) *client { return &client{c.World, user, password} }

// token asks for a token. "" is that of somebody who got none.
func (c *client) token(scopes ...string) string {
	q := url.Values{"service": {"container_registry"}, "scope": scopes}
	a, err := c.ask(q)
	if err != nil || a.Status != 200 {
		return ""
	}
	var made struct{ Token string }
	_ = json.Unmarshal(a.Body, &made) // without one it is ""
	return made.Token
}

func (c *client) ask(q url.Values) (formattest.Answer, error) {
	r, err := http.NewRequest("GET", "/", nil)
	if err != nil {
		return formattest.Answer{}, err
	}
	header := ""
	if c.user != "" || c.password != "" {
		r.SetBasicAuth(c.user, c.password)
		header = "Authorization: " + r.Header.Get("Authorization")
	}
	return c.Try("GET", "/jwt/auth?"+q.Encode(), nil, header)
}

// send sends a request with a token for all that may be done in its repository.
func (c *client) send(method, path string, body []byte, header ...string) formattest.Answer {
	rest := strings.TrimPrefix(path, "/v2/")
	name := rest
	for _, word := range []string{"/blobs/", "/manifests/", "/tags/", "/referrers/"} {
		if at := strings.LastIndex(rest, word); at >= 0 && at < len(name) {
			name = rest[:at]
		}
	}
	return c.with(c.token("repository:"+name+":pull,push,delete"), method, path, body, header...)
}

// with sends a request with a token.
func (c *client) with(token, method, path string, body []byte, header ...string) formattest.Answer {
	if token != "" {
		header = append(header, "Authorization: Bearer "+token)
	}
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	a, err := c.Try(method, path, r, header...)
	if err != nil {
		return formattest.Answer{Body: []byte(err.Error())}
	}
	return a
}

func sha256Of(b []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(b)) }
func sha512Of(b []byte) string { return fmt.Sprintf("sha512:%x", sha512.Sum512(b)) }

// blob pushes a blob in one request.
func (c *client) blob(name string, data []byte) error {
	a := c.send("POST", "/v2/"+name+"/blobs/uploads/?digest="+sha256Of(data), data)
	if a.Status != 201 {
		return fmt.Errorf("push of a blob to %s: %d %s", name, a.Status, a.Body)
	}
	return nil
}

// descriptor is one as a manifest has it.
func descriptor(mediaType string, data []byte, digest ...string) map[string]any {
	d := sha256Of(data)
	if len(digest) > 0 {
		d = digest[0]
	}
	return map[string]any{"mediaType": mediaType, "digest": d, "size": len(data)}
}

// image is a manifest of a config and layers; extra are further fields.
func image(config []byte, layers [][]byte, extra map[string]any) []byte {
	list := []any{}
	for _, l := range layers {
		list = append(list, descriptor("application/vnd.oci.image.layer.v1.tar", l))
	}
	return manifest(ociImage, map[string]any{"config": descriptor("application/vnd.oci.image.config.v1+json", config), "layers": list}, extra)
}

// index is a manifest of manifests.
func index(manifests [][]byte, extra map[string]any) []byte {
	list := []any{}
	for _, m := range manifests {
		list = append(list, descriptor(ociImage, m))
	}
	return manifest(ociIndex, map[string]any{"manifests": list}, extra)
}

func manifest(mediaType string, fields, extra map[string]any) []byte {
	fields["schemaVersion"], fields["mediaType"] = 2, mediaType
	for name, value := range extra {
		fields[name] = value
	}
	data, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return data
}

// put pushes a manifest.
func (c *client) put(name, reference string, data []byte) formattest.Answer {
	var d struct{ MediaType string }
	_ = json.Unmarshal(data, &d) // without one the server has to say so
	return c.send("PUT", "/v2/"+name+"/manifests/"+reference, data, "Content-Type: "+d.MediaType)
}

// push pushes a whole image and returns its manifest.
func (c *client) push(name, reference string, layers ...[]byte) ([]byte, error) {
	config := []byte(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]},"x":"` + name + reference + `"}`)
	for _, data := range append([][]byte{config}, layers...) {
		if err := c.blob(name, data); err != nil {
			return nil, err
		}
	}
	m := image(config, layers, nil)
	if a := c.put(name, reference, m); a.Status != 201 {
		return nil, fmt.Errorf("push of %s:%s: %d %s", name, reference, a.Status, a.Body)
	}
	return m, nil
}

// pull reads an image whole and says what is missing of it.
func (c *client) pull(name, reference string) error {
	a := c.send("GET", "/v2/"+name+"/manifests/"+reference, nil)
	if a.Status != 200 {
		return fmt.Errorf("manifest %s of %s: %d %s", reference, name, a.Status, a.Body)
	}
	var m struct {
		Config            *struct{ Digest string }
		Layers, Manifests []struct{ Digest string }
	}
	if err := json.Unmarshal(a.Body, &m); err != nil {
		return err
	}
	for _, child := range m.Manifests {
		if err := c.pull(name, child.Digest); err != nil {
			return err
		}
	}
	if m.Config != nil {
		m.Layers = append(m.Layers, *m.Config)
	}
	for _, l := range m.Layers {
		if a := c.send("GET", "/v2/"+name+"/blobs/"+l.Digest, nil); a.Status != 200 || sha256Of(a.Body) != l.Digest {
			return fmt.Errorf("blob %s of %s:%s: %d %s", l.Digest, name, reference, a.Status, a.Body)
		}
	}
	return nil
}

// code is the code of an error.
func code(a formattest.Answer) string {
	var e struct{ Errors []struct{ Code string } }
	if json.Unmarshal(a.Body, &e) != nil || len(e.Errors) == 0 {
		return ""
	}
	return e.Errors[0].Code
}

func want(t *testing.T, what string, a formattest.Answer, status int, codes ...string) formattest.Answer {
	t.Helper()
	if a.Status != status || len(codes) > 0 && code(a) != codes[0] {
		t.Errorf("%s = %d %s, want %d %v", what, a.Status, a.Body, status, codes)
	}
	return a
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

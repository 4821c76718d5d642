package operate

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	orasmemory "oras.land/oras-go/v2/content/memory"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"

	"packhouse/test/packhousetest"
)

// repository is one of the project, as a client of images sees it.
func (c *client) repository(name string) *remote.Repository {
	c.t.Helper()
	host := strings.TrimPrefix(c.server.URL, "http://")
	r, err := remote.NewRepository(host + "/root/tools/" + name)
	if err != nil {
		c.t.Fatal(err)
	}
	r.PlainHTTP = true
	r.Client = &auth.Client{
		Client: c.http, Cache: auth.NewCache(),
		Credential: auth.StaticCredential(host, auth.Credential{Username: "root", Password: packhousetest.RootToken}),
	}
	return r
}

// noise are bytes that are never the same for two seeds.
func noise(seed byte, size int) []byte {
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{seed}).Read(data)
	return data
}

// An image whose layers are in a bucket, the larger ones in several parts, comes out as
// it went in; a mount copies no bytes there; an upload in pieces outlives the server.
func TestBucketImages(t *testing.T) {
	flag, folder := inBucket(t)
	data := t.TempDir()
	s := packhousetest.Start(t, packhousetest.FreeAddress(t), data, flag)
	c := newClient(t, s)
	app := c.repository("app")
	var layers []ocispec.Descriptor
	for i, size := range []int{10, 20 << 10, 300 << 10, 6 << 20, 20 << 20} {
		layer, err := oras.PushBytes(t.Context(), app, ocispec.MediaTypeImageLayer, noise(byte(i), size))
		if err != nil {
			t.Fatalf("push of %d bytes: %v", size, err)
		}
		layers = append(layers, layer)
	}
	image, err := oras.PackManifest(t.Context(), app, oras.PackManifestVersion1_1, "application/vnd.example.app", oras.PackManifestOptions{Layers: layers})
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Tag(t.Context(), image, "1.0"); err != nil {
		t.Fatal(err)
	}
	stored := len(blobsIn(t, folder))
	if stored != 4 { // the smallest layer is in the database
		t.Errorf("the bucket has %d blobs, want the 4 larger layers", stored)
	}
	c.pull(app, image, 5)

	other := c.repository("other")
	for _, layer := range layers {
		err := other.Mount(t.Context(), layer, "root/tools/app", func() (io.ReadCloser, error) {
			return nil, fmt.Errorf("%s is sent again", layer.Digest)
		})
		if err != nil {
			t.Errorf("mount: %v", err)
		}
	}
	if _, err := oras.Copy(t.Context(), app, "1.0", other, "1.0", oras.DefaultCopyOptions); err != nil {
		t.Errorf("copy: %v", err)
	}
	c.pull(other, image, 5)
	if now := len(blobsIn(t, folder)); now != stored {
		t.Errorf("after the mounts the bucket has %d blobs, want %d", now, stored)
	}
	c.piecemeal(data, flag)
	c.pull(c.repository("app"), image, 5)
	c.server.Terminate()
	if err := c.server.Cmd.Wait(); err != nil {
		t.Fatalf("the server ended with %v", err)
	}
	packhouse(t, true, "verify", "--data", data, flag)
}

// pull fetches an image by its tag, whose bytes the library compares with their digests,
// and the end of its largest layer alone.
func (c *client) pull(from *remote.Repository, want ocispec.Descriptor, layers int) {
	c.t.Helper()
	to := orasmemory.New()
	got, err := oras.Copy(c.t.Context(), from, "1.0", to, "", oras.DefaultCopyOptions)
	if err != nil || got.Digest != want.Digest {
		c.t.Fatalf("pull = %s, %v, want %s", got.Digest, err, want.Digest)
	}
	parts, err := content.Successors(c.t.Context(), to, got)
	if err != nil || len(parts) != layers+1 {
		c.t.Fatalf("the image has %v, %v", parts, err)
	}
	last := parts[layers]
	whole, err := content.FetchAll(c.t.Context(), to, last)
	if err != nil {
		c.t.Fatal(err)
	}
	r, err := from.Fetch(c.t.Context(), last)
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Close()
	seeker, ok := r.(io.ReadSeeker)
	if !ok {
		c.t.Fatal("the layer cannot be read from the middle")
	}
	if _, err := seeker.Seek(last.Size-1000, io.SeekStart); err != nil {
		c.t.Fatal(err)
	}
	if end, err := io.ReadAll(seeker); err != nil || !bytes.Equal(end, whole[len(whole)-1000:]) {
		c.t.Errorf("the end of the layer is %d other bytes, %v", len(end), err)
	}
}

// piecemeal sends a blob in pieces, with the server killed and started again between
// two of them.
func (c *client) piecemeal(data, flag string) {
	c.t.Helper()
	blob := noise(200, 13<<20)
	pieces := [][]byte{blob[:100], blob[100 : 5<<20], blob[5<<20 : 11<<20], blob[11<<20:]}
	location := c.image("POST", "/v2/root/tools/app/blobs/uploads/", 202, nil).Get("Location")
	at := 0
	for i, piece := range pieces {
		if i == 2 {
			c.server.Kill()
			c.server = packhousetest.Start(c.t, packhousetest.FreeAddress(c.t), data, flag)
			if got := c.image("GET", location, 204, nil).Get("Range"); got != fmt.Sprintf("0-%d", at-1) {
				c.t.Errorf("after the crash the upload has %q, want %d bytes", got, at)
			}
		}
		header := c.image("PATCH", location, 202, piece, fmt.Sprintf("Content-Range: %d-%d", at, at+len(piece)-1))
		location, at = header.Get("Location"), at+len(piece)
		// The same piece again is none that is next.
		c.image("PATCH", location, 416, piece, fmt.Sprintf("Content-Range: %d-%d", at-len(piece), at-1))
	}
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(blob))
	c.image("PUT", location+"?digest="+digest, 201, nil)
	_, got, err := c.repository("app").Blobs().FetchReference(c.t.Context(), digest)
	if err != nil {
		c.t.Fatal(err)
	}
	defer got.Close()
	if back, err := io.ReadAll(got); err != nil || !bytes.Equal(back, blob) {
		c.t.Errorf("the blob came back as %d bytes, %v", len(back), err)
	}
}

// image sends a request about an image and returns the fields of the answer.
func (c *client) image(method, path string, status int, body []byte, fields ...string) http.Header {
	c.t.Helper()
	r, err := http.NewRequest(method, c.server.URL+path, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Set(name, value)
	}
	r.Header.Set("Authorization", "Bearer "+c.imageToken())
	answer, err := c.http.Do(r)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	if said, _ := io.ReadAll(answer.Body); answer.StatusCode != status {
		c.t.Fatalf("%s %s = %d %s, want %d", method, path, answer.StatusCode, said, status)
	}
	return answer.Header
}

func (c *client) imageToken() string {
	c.t.Helper()
	status, body := c.do("GET", "/jwt/auth?service=container_registry&scope=repository:root/tools/app:pull,push", nil)
	var made struct{ Token string }
	if err := json.Unmarshal(body, &made); err != nil || status != 200 {
		c.t.Fatalf("ask for a token: %d %s", status, body)
	}
	return made.Token
}

package container_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/memory"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// Types of the artifacts that these tests push.
const (
	typeApp  = "application/vnd.example.app"
	typeSBOM = "application/vnd.example.sbom"
	typeNote = "application/vnd.example.note"
)

// orasRepository is a repository as the oras client sees it, with a login.
func (c *client) orasRepository(name string) *remote.Repository {
	host := strings.TrimPrefix(c.URL, "http://")
	r, err := remote.NewRepository(host + "/" + name)
	if err != nil {
		panic(err)
	}
	r.PlainHTTP = true
	r.Client = &auth.Client{
		Client: http.DefaultClient, Cache: auth.NewCache(),
		Credential: auth.StaticCredential(host, auth.Credential{Username: c.user, Password: c.password}),
	}
	return r
}

// attach pushes an artifact that is about another one, or about nothing.
func attach(t *testing.T, to oras.Target, artifactType, text string, subject *ocispec.Descriptor) ocispec.Descriptor {
	t.Helper()
	layer, err := oras.PushBytes(t.Context(), to, "text/plain", []byte(text))
	if err != nil {
		t.Fatalf("push of a blob: %v", err)
	}
	made, err := oras.PackManifest(t.Context(), to, oras.PackManifestVersion1_1, artifactType, oras.PackManifestOptions{
		Subject: subject, Layers: []ocispec.Descriptor{layer}, ManifestAnnotations: map[string]string{"org.example.text": text},
	})
	if err != nil {
		t.Fatalf("push of a manifest: %v", err)
	}
	return made
}

// about lists what refers to something, by its text.
func about(t *testing.T, in *remote.Repository, subject ocispec.Descriptor, artifactType string) (texts []string) {
	t.Helper()
	err := in.Referrers(t.Context(), subject, artifactType, func(list []ocispec.Descriptor) error {
		for _, d := range list {
			texts = append(texts, d.ArtifactType+" "+d.Annotations["org.example.text"])
		}
		return nil
	})
	if err != nil {
		t.Fatalf("referrers of %s: %v", subject.Digest, err)
	}
	slices.Sort(texts)
	return texts
}

// Artifacts are pushed, attached, found by what they are about and copied with all that
// is about them, by the library of the oras client.
func TestOras(t *testing.T) {
	t.Parallel()
	c := start(t)
	group := c.Group("acme", 0, "private")
	c.Project("shop", group, "private")
	repo, copied := c.orasRepository("acme/shop/artifacts"), c.orasRepository("acme/shop/copy")
	app := attach(t, repo, typeApp, "the app", nil)
	if err := repo.Tag(t.Context(), app, "1.0"); err != nil {
		t.Fatal(err)
	}
	sbom := attach(t, repo, typeSBOM, "what is in it", &app)
	attach(t, repo, typeNote, "about the list", &sbom)
	attach(t, repo, typeNote, "about the app", &app)
	for _, in := range []*remote.Repository{repo, copied} {
		if in == copied {
			if _, err := oras.ExtendedCopy(t.Context(), repo, "1.0", copied, "1.0", oras.DefaultExtendedCopyOptions); err != nil {
				t.Fatalf("copy: %v", err)
			}
		}
		for _, want := range []struct {
			subject ocispec.Descriptor
			kind    string
			texts   []string
		}{
			{app, "", []string{typeNote + " about the app", typeSBOM + " what is in it"}},
			{app, typeSBOM, []string{typeSBOM + " what is in it"}},
			{sbom, "", []string{typeNote + " about the list"}},
			{sbom, typeSBOM, nil},
		} {
			if got := about(t, in, want.subject, want.kind); !slices.Equal(got, want.texts) {
				t.Errorf("%s: about %s of kind %q is %q, want %q", in.Reference.Repository, want.subject.ArtifactType, want.kind, got, want.texts)
			}
		}
		// The referrers API makes no tags.
		err := in.Tags(t.Context(), "", func(tags []string) error {
			if !slices.Equal(tags, []string{"1.0"}) {
				t.Errorf("%s: tags are %q", in.Reference.Repository, tags)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	fetched(t, copied, app, "the app")
	if err := copied.Delete(t.Context(), sbom); err != nil {
		t.Errorf("delete: %v", err)
	}
	if got := about(t, copied, app, ""); !slices.Equal(got, []string{typeNote + " about the app"}) {
		t.Errorf("after the deletion about the app is %q", got)
	}
}

// fetched pulls an artifact into memory, and reads its layer from the middle as well.
func fetched(t *testing.T, from *remote.Repository, want ocispec.Descriptor, text string) {
	t.Helper()
	to := memory.New()
	got, err := oras.Copy(t.Context(), from, "1.0", to, "", oras.DefaultCopyOptions)
	if err != nil || got.Digest != want.Digest {
		t.Fatalf("pull = %s, %v, want %s", got.Digest, err, want.Digest)
	}
	layers, err := content.Successors(t.Context(), to, got)
	if err != nil || len(layers) != 2 {
		t.Fatalf("the artifact has %v, %v", layers, err)
	}
	layer := layers[1]
	data, err := content.FetchAll(t.Context(), to, layer)
	if err != nil || string(data) != text {
		t.Errorf("the layer is %q, %v", data, err)
	}
	r, err := from.Fetch(t.Context(), layer)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	seeker, ok := r.(io.Seeker)
	if !ok {
		t.Fatal("the layer cannot be read from the middle")
	}
	if _, err := seeker.Seek(4, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(r); err != nil || string(rest) != text[4:] {
		t.Errorf("from the middle the layer is %q, %v", rest, err)
	}
}

// A layer is mounted and not sent again, and who may only read pushes nothing.
func TestOrasMountAndRights(t *testing.T) {
	t.Parallel()
	c := start(t)
	group := c.Group("acme", 0, "private")
	project := c.Project("shop", group, "private")
	repo := c.orasRepository("acme/shop/artifacts")
	layer, err := oras.PushBytes(t.Context(), repo, "text/plain", bytes.Repeat([]byte("layer "), 10_000))
	if err != nil {
		t.Fatal(err)
	}
	sent := false
	err = c.orasRepository("acme/shop/other").Mount(t.Context(), layer, "acme/shop/artifacts", func() (io.ReadCloser, error) {
		sent = true
		return repo.Fetch(context.WithoutCancel(t.Context()), layer)
	})
	if err != nil || sent {
		t.Errorf("mount: %v, sent again: %t", err, sent)
	}
	app := attach(t, repo, typeApp, "the app", nil)
	_, robber := c.User("stranger")
	var reader struct{ Token string }
	c.API("POST", fmt.Sprintf("/projects/%d/deploy_tokens", project), `{"name":"reader","username":"reader","scopes":["read_registry"]}`, &reader)
	for name, who := range map[string]*client{"a visitor": c.as("", ""), "a stranger": c.as("stranger", robber), "a wrong token": c.as("root", "glpat-wrong")} {
		if _, err := who.orasRepository("acme/shop/artifacts").Resolve(t.Context(), app.Digest.String()); err == nil {
			t.Errorf("%s finds the artifact", name)
		}
	}
	reading := c.as("reader", reader.Token).orasRepository("acme/shop/artifacts")
	if _, err := reading.Resolve(t.Context(), app.Digest.String()); err != nil {
		t.Errorf("who may read does not find the artifact: %v", err)
	}
	if _, err := oras.PushBytes(t.Context(), reading, "text/plain", []byte("no")); err == nil {
		t.Error("who may read pushes")
	}
}

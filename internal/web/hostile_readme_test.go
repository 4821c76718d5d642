package web_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// tarball is an npm package with a README.
func tarball(t *testing.T, manifest []byte, readme string) []byte {
	t.Helper()
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	archive := tar.NewWriter(zipped)
	for _, file := range []struct{ name, text string }{{"package/package.json", string(manifest)}, {"package/README.md", readme}} {
		if err := archive.WriteHeader(&tar.Header{Name: file.name, Mode: 0o644, Size: int64(len(file.text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(file.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What is hostile in the README and the metadata of a package stays text in its page.
func TestHostilePackages(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i, text := range payloads {
		number := fmt.Sprintf("1.0.%d", i)
		about := map[string]any{"name": "lib", "version": number, "description": text, "license": text, "homepage": text}
		manifest, err := json.Marshal(about)
		if err != nil {
			t.Fatal(err)
		}
		archive := tarball(t, manifest, "# Readme of lib\n\n"+text+"\n")
		about["dist"] = map[string]any{}
		body, err := json.Marshal(map[string]any{
			"name": "lib", "versions": map[string]any{number: about}, "dist-tags": map[string]any{"latest": number},
			"_attachments": map[string]any{"lib-" + number + ".tgz": map[string]any{"data": base64.StdEncoding.EncodeToString(archive), "length": len(archive)}},
		})
		if err != nil {
			t.Fatal(err)
		}
		a := s.Do("PUT", fmt.Sprintf("/api/v4/projects/%d/packages/npm/lib", s.project), bytes.NewReader(body), s.people["owner"], "Content-Type: application/json")
		if a.Status/100 != 2 {
			t.Fatalf("publish %s = %d %s", text, a.Status, a.Body)
		}
		page := s.get("owner", fmt.Sprintf("/acme/tools/-/packages/%d", i+1))
		if page.Status != 200 || !strings.Contains(string(page.Body), "Readme of lib") {
			t.Fatalf("the page of %s = %d %s, want its README", text, page.Status, page.Body)
		}
		s.wantHarmless("the page of "+text, page)
	}
}

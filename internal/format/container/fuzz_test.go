package container

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"packhouse"
)

func FuzzManifest(f *testing.F) {
	digest := "sha256:" + strings.Repeat("a", 64)
	d := `{"mediaType":"a/b","digest":"` + digest + `","size":1}`
	for _, seed := range []string{
		"{}", `{"schemaVersion":2,"config":` + d + `,"layers":[` + d + `]}`, `{"schemaVersion":2,"manifests":[` + d + `],"subject":` + d + `,"annotations":{"a":"b"}}`,
		`{"schemaVersion":2,"layers":null}`, `{"schemaVersion":2,"layers":[{"data":"eA==","urls":["x"]}]}`,
	} {
		f.Add(seed, ociImage)
		f.Add(seed, ociIndex)
		f.Add(seed, "")
	}
	f.Fuzz(func(t *testing.T, body, contentType string) {
		m, err := parseManifest([]byte(body), contentType)
		if err != nil {
			if kind := packhouse.KindOf(err); kind != packhouse.Invalid {
				t.Errorf("parseManifest = %v of kind %d, want Invalid", err, kind)
			}
			return
		}
		if !json.Valid([]byte(body)) || m.MediaType == "" || len(m.Children) > maxReferences+1 {
			t.Errorf("parseManifest(%q) = %+v", body, m)
		}
		for _, c := range m.Children {
			if ref, err := packhouse.ParsePartRef(c.Digest); err != nil || ref != c.Ref {
				t.Errorf("child %+v", c)
			}
		}
		if m.Annotations != nil && !json.Valid(m.Annotations) {
			t.Errorf("annotations %q", m.Annotations)
		}
	})
}

func FuzzName(f *testing.F) {
	for _, name := range []string{"a/b", "a/b-c_d.e/f__g", "A/b", "a//b", "../a", "a/b/", "a---b/c", "ä"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if checkName(name) != nil {
			return
		}
		if strings.ToLower(name) != name || strings.Contains(name, "..") || strings.Contains(name, "//") || len(name) > maxName || strings.HasPrefix(name, "/") || strings.HasSuffix(name, "/") {
			t.Errorf("checkName takes %q", name)
		}
	})
}

func FuzzContentRange(f *testing.F) {
	for _, text := range []string{"0-9", "bytes 0-9/*", "bytes 0-9/10", "9-0", "-1", "0-", "x"} {
		f.Add(text, int64(10))
	}
	f.Fuzz(func(t *testing.T, text string, length int64) {
		p, err := pieceOf(&http.Request{Header: http.Header{"Content-Range": {text}}, ContentLength: length})
		if err == nil && text != "" && p.At < 0 {
			t.Errorf("pieceOf(%q) = %d", text, p.At)
		}
	})
}

package pypi

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/registry"
)

// refusal fails the test when a parser's error is not the sender's fault.
func refusal(t *testing.T, err error) bool {
	t.Helper()
	if err != nil && packhouse.KindOf(err) != packhouse.Invalid {
		t.Fatalf("%v is no Invalid", err)
	}
	return err != nil
}

// A version's canonical form is the same version, and has the same key.
func FuzzVersion(f *testing.F) {
	for _, text := range versions()[:200] {
		f.Add(text, "1.0")
	}
	f.Add("1!1.0a1.post2.dev3+a.1", "v1.0-1")
	f.Fuzz(func(t *testing.T, text, other string) {
		v, err := parseVersion(text)
		if refusal(t, err) {
			return
		}
		for _, again := range []string{v.String(), v.key()} {
			w, err := parseVersion(again)
			if err != nil || w.key() != v.key() || v.compare(w) != 0 || w.String() != again {
				t.Fatalf("%q is %q and key %q, which is %q, %v", text, v, v.key(), w, err)
			}
		}
		if w, err := parseVersion(other); err == nil && (v.compare(w) != -w.compare(v) || (v.compare(w) == 0) != (v.key() == w.key())) {
			t.Fatalf("%q and %q compare as %d and %d, with keys %q and %q", text, other, v.compare(w), w.compare(v), v.key(), w.key())
		}
	})
}

// A key is a name with itself for a key.
func FuzzName(f *testing.F) {
	for _, name := range []string{"a", "A.b", "a-_.b", "-a", "a-", "", "é", "a/b"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		key, err := normalise(name)
		if refusal(t, err) {
			return
		}
		if again, err := normalise(key); err != nil || again != key || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Fatalf("normalise(%q) = %q, and that %q, %v", name, key, again, err)
		}
	})
}

// What a file name says are keys, and nothing in it is a path.
func FuzzFilename(f *testing.F) {
	for _, name := range []string{"lib-1.0-py3-none-any.whl", "lib-1.0-1-cp39-cp39-linux_x86_64.whl", "a-b-1.0.tar.gz", "lib-1.0.zip", "lib-1.0", "../lib-1.0.zip", "lib-1!0+a.zip"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		d, err := parseFilename(name)
		if refusal(t, err) {
			return
		}
		pkg, err := normalise(d.pkg)
		key, errVersion := versionKey(d.version)
		if err != nil || errVersion != nil || pkg != d.pkg || key != d.version || strings.ContainsAny(name, "/\\\x00") {
			t.Fatalf("parseFilename(%q) = %+v", name, d)
		}
	})
}

// What is taken from metadata is valid by itself.
func FuzzMetadata(f *testing.F) {
	for _, text := range []string{
		"Metadata-Version: 2.1\nName: lib\nVersion: 1.0\nRequires-Python: >=3.8,<4\n\nA description.\n", "Metadata-Version: 2.4\r\nName: lib\r\nVersion: 1\r\nDescription: a\r\n        b\r\n",
		"Name: a\nName: b\n", " x", "a", ":",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseMetadata(data)
		if refusal(t, err) {
			return
		}
		_, errName := normalise(m.name)
		_, errVersion := versionKey(m.version)
		if errName != nil || errVersion != nil || checkRequiresPython(m.requiresPython) != nil || strings.ContainsAny(m.name+m.version+m.requiresPython, "\r\n\x00") {
			t.Fatalf("parseMetadata(%q) = %+v", data, m)
		}
	})
}

func FuzzAccept(f *testing.F) {
	for _, accept := range []string{"", "*/*", "text/html;q=0.1, " + typeJSON, "application/*;q=2", ";;,,=;q", typeHTML + ";q=-1"} {
		f.Add(accept)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		if got := chooseType([]string{accept}); got != typeText && got != typeHTML && got != typeJSON {
			t.Fatalf("chooseType(%q) = %q", accept, got)
		}
	})
}

// A form is taken whole or refused, and holds what its parts hold.
func FuzzForm(f *testing.F) {
	var whole bytes.Buffer
	w := multipart.NewWriter(&whole)
	if err := errors.Join(w.SetBoundary("x"), w.WriteField("name", "lib"), w.WriteField("classifiers", "a")); err != nil {
		f.Fatal(err)
	}
	file, err := w.CreateFormFile("content", "lib-1.0.tar.gz")
	if err != nil {
		f.Fatal(err)
	}
	if _, err := io.WriteString(file, "bytes"); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Add([]byte("--x\r\n\r\n--x--"))
	f.Add([]byte("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\xff\r\n--x--"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := http.NewRequest(http.MethodPost, "/", bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		got, err := readForm(r, func(in registry.Incoming) (*registry.Received, error) {
			if _, err := io.Copy(io.Discard, in.Body); err != nil {
				return nil, errForm(err)
			}
			return new(registry.Received), nil
		})
		if refusal(t, err) {
			return
		}
		for name, value := range got.fields {
			if !kept[name] && name != "content" || len(value) > maxField || strings.ToValidUTF8(value, "") != value {
				t.Fatalf("field %q = %q", name, value)
			}
		}
		if name, sent := got.fields["content"]; sent != (got.file != nil) {
			t.Fatalf("content %q with file %v", name, got.file)
		}
	})
}

// What is said of attestations is JSON, and none is accepted by chance.
func FuzzAttestations(f *testing.F) {
	d, err := parseFilename("lib-1.0-py3-none-any.whl")
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{
		"[]", `[{"version":1,"verification_material":{"certificate":"AAAA","transparency_entries":[{}]},"envelope":{"statement":"e30=","signature":"AAAA"}}]`, `[{"version":1e0}]`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if out, err := provenanceOf(text, d, packhouse.Digest{1}); !refusal(t, err) {
			t.Fatalf("accepted %q as %q", text, out)
		}
	})
}

// A publisher's configuration is below its repository, or nothing is told by it.
func FuzzClaims(f *testing.F) {
	f.Add("https://git.example.com/a/b", "https://git.example.com/a/b//.gitlab-ci.yml@refs/tags/v1")
	f.Add("https://hub.example.com/a/b", "https://hub.example.com/a/b/.github/workflows/r.yml@x")
	f.Fuzz(func(t *testing.T, repository, config string) {
		p := claims{Repository: repository, Config: config}.publisher()
		if p.Kind != "Certificate" && !strings.HasPrefix(config, repository) {
			t.Fatalf("%q with %q = %+v", repository, config, p)
		}
	})
}

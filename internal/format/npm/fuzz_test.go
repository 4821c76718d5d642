package npm

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzName(f *testing.F) {
	for _, name := range []string{"lib", "@a/b", "@a%2fb", "..", "-/x", "@a/b/1.0.0", "@.git/x", "Node_Modules"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, path string) {
		name, rest, err := splitPath(path)
		if err != nil {
			return
		}
		if key, err := nameKey(name); err != nil || key != name {
			t.Errorf("nameKey(%q) = %q, %v after splitPath", name, key, err)
		}
		if got := strings.TrimSuffix(name+"/"+rest, "/"); got != strings.TrimSuffix(path, "/") {
			t.Errorf("splitPath(%q) = %q, %q", path, name, rest)
		}
		if strings.Contains(name, "..") && strings.Contains("/"+name+"/", "/../") || strings.Contains("/"+name, "/.") && !strings.HasPrefix(name, "@.") {
			t.Errorf("splitPath(%q) lets %q through", path, name)
		}
	})
}

func FuzzVersion(f *testing.F) {
	for _, number := range []string{"1.0.0", "1.0.0-rc.1+b", "v1", "01.0.0", "9007199254740992.0.0"} {
		f.Add(number)
	}
	f.Fuzz(func(t *testing.T, number string) {
		key, err := versionKey(number)
		if err != nil {
			return
		}
		again, err := versionKey(key)
		if err != nil || again != key || !strings.HasPrefix(number, key) || strings.Contains(key, "+") {
			t.Errorf("versionKey(%q) = %q, then %q, %v", number, key, again, err)
		}
		if file := tarballName("@a/b", number); file != "" {
			if got, ok := versionOf("@a/b", file, ".tgz"); !ok || got != number {
				t.Errorf("versionOf(%q) = %q, %v", file, got, ok)
			}
		}
		if checkTag(number) == nil {
			t.Errorf("the version %q may be a tag", number)
		}
	})
}

func FuzzTag(f *testing.F) {
	f.Add("latest")
	f.Add("1.x")
	f.Add(" ")
	f.Add("0..") // no version, nor a range
	version := regexp.MustCompile(`\A(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)\z`)
	f.Fuzz(func(t *testing.T, tag string) {
		if checkTag(tag) == nil && (tag == "" || strings.ContainsAny(tag, "/\\% \x00\n@") || version.MatchString(tag)) {
			t.Errorf("checkTag(%q) = nil", tag)
		}
	})
}

// What the stream makes of a document, encoding/json makes of it too.
func FuzzStream(f *testing.F) {
	for _, text := range []string{`{"a":1,"b":"x\"y","c":[1,{"d":null}]}`, "{}", `{"a"`, `{"a":1}x`, `{"a":true ,"b" : -1e5}`, `{"a":"\u00e9\\"}`, "{\"\xff\":1}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := map[string]json.RawMessage{}
		twice := false
		s := newStream(strings.NewReader(text))
		err := s.object(func(key string) error {
			raw, err := s.value(1 << 20)
			_, twice = got[key]
			got[key] = raw
			return err
		})
		if err == nil {
			err = s.end()
		}
		if err != nil || twice {
			return
		}
		var want map[string]json.RawMessage
		if e := json.Unmarshal([]byte(text), &want); e != nil {
			t.Fatalf("the stream takes %q, which is no JSON: %v", text, e)
		}
		for key, value := range want {
			if strings.TrimSpace(string(got[key])) != string(value) && utf8.ValidString(text) {
				t.Errorf("%q: %q = %s, want %s", text, key, got[key], value)
			}
		}
	})
}

// A long text is what encoding/json reads, where base64 can be in it.
func FuzzLongText(f *testing.F) {
	for _, text := range []string{"", "QUJD", "QU\nJD", "a/b+c=", strings.Repeat("QUJD", 20_000)} {
		f.Add(text, true)
		f.Add(text, false)
	}
	f.Fuzz(func(t *testing.T, text string, escape bool) {
		for _, c := range []byte(text) {
			if c >= 0x80 || c < 0x20 {
				return
			}
		}
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if escape {
			quoted = bytes.ReplaceAll(quoted, []byte("/"), []byte(`\/`))
		}
		s := newStream(io.MultiReader(bytes.NewReader(quoted), strings.NewReader(",rest")))
		long, err := s.long()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(long)
		if err != nil || string(got) != text {
			t.Errorf("%s = %q, %v, want %q", quoted, got, err, text)
		}
		if rest, err := io.ReadAll(s.in); err != nil || string(rest) != ",rest" {
			t.Errorf("%s leaves %q, %v", quoted, rest, err)
		}
		_, _ = io.Copy(io.Discard, base64.NewDecoder(base64.StdEncoding, strings.NewReader(text))) // must not panic
	})
}

func FuzzTarball(f *testing.F) {
	f.Add([]byte("\x1f\x8b"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := readTarball(context.Background(), bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		for name := range c.files {
			if strings.HasPrefix(name, "/") || strings.Contains("/"+name+"/", "/../") {
				t.Errorf("a tarball with %q is taken", name)
			}
		}
	})
}

// A manifest that is derived is JSON that clients can read, or refused.
func FuzzManifest(f *testing.F) {
	for _, text := range []string{
		`{"name":"lib","version":"1.0.0","bin":"x","scripts":{"install":"y"},"bundledDependencies":true,"dependencies":{"a":"1"}}`,
		`{"name":"lib","version":"v1.0.0","bin":{"../x":"../../y"},"directories":{"bin":"."}}`, `{"name":"lib","version":"1.0.0","dependencies":[]}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		posted, err := readManifest(data)
		if err != nil {
			return
		}
		c := &contents{packageJSON: data, files: map[string]bool{"package.json": true, "x/y": true, "binding.gyp": true}}
		m, err := derive(c, posted, "lib", "1.0.0")
		if err != nil {
			return
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatalf("derive(%s) cannot be encoded: %v", data, err)
		}
		var read struct {
			Name, Version string
			Dependencies  map[string]string
			Bin           map[string]string
			Scripts       map[string]string
		}
		if err := json.Unmarshal(text, &read); err != nil || read.Name != "lib" || read.Version != "1.0.0" {
			t.Errorf("derive(%s) = %s, %v", data, text, err)
		}
		for command, file := range read.Bin {
			if strings.ContainsAny(command, "/\\") || command == ".." || strings.Contains("/"+file+"/", "/../") || strings.HasPrefix(file, "/") {
				t.Errorf("derive(%s) has the command %q at %q", data, command, file)
			}
		}
	})
}

func FuzzAccept(f *testing.F) {
	f.Add("application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*")
	f.Add("application/vnd.npm.install-v1+json;q=NaN")
	f.Fuzz(func(t *testing.T, accept string) {
		if wantsShort([]string{accept}) && !strings.Contains(strings.ToLower(accept), typeShort) {
			t.Errorf("%q asks for the short form", accept)
		}
	})
}

func FuzzProvenance(f *testing.F) {
	f.Add(`{"mediaType":"application/vnd.dev.sigstore.bundle+json","dsseEnvelope":{"payload":"e30="}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if kind, err := predicateOf(text); err == nil && (kind == "" || !json.Valid([]byte(text))) {
			t.Errorf("predicateOf(%q) = %q", text, kind)
		}
	})
}

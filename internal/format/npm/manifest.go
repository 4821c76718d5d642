package npm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// manifest is a package.json, or what is made of one, by its top keys.
type manifest map[string]json.RawMessage

// maxStored bounds what is kept of a package.json, in bytes.
const maxStored = 1 << 20

// unkept are the keys that the registry decides about; a package.json that has
// them does not count.
var unkept = []string{
	"dist", "deprecated", "readme", "readmeFilename", "hasInstallScript", "gitHead", "time", "versions", "dist-tags",
}

// readManifest reads a package.json.
func readManifest(data []byte) (manifest, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	bad := invalid("manifest", "the package.json in the tarball is not a JSON object in UTF-8", "")
	if !utf8.Valid(data) || tooDeep(data) {
		return nil, bad
	}
	var m manifest
	if json.Unmarshal(data, &m) != nil || m == nil {
		return nil, bad
	}
	return m, nil
}

// tooDeep reports whether a JSON text nests deeper than maxDepth.
func tooDeep(data []byte) bool {
	depth, quoted, escaped := 0, false, false
	for _, c := range data {
		switch {
		case quoted:
			quoted = c != '"' || escaped
			escaped = c == '\\' && !escaped
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

func (m manifest) text(key string) string {
	var s string
	_ = json.Unmarshal(m[key], &s) // what is no text is none
	return s
}

// texts reads an object and keeps what in it is text.
func (m manifest) texts(key string) map[string]string {
	var all map[string]json.RawMessage
	_ = json.Unmarshal(m[key], &all)
	texts := make(map[string]string, len(all))
	for name, raw := range all {
		var s string
		if json.Unmarshal(raw, &s) == nil {
			texts[name] = s
		}
	}
	return texts
}

func (m manifest) set(key string, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Errorf("encode manifest: %w", err)) // only texts, maps of them and such come here
	}
	m[key] = data
}

// derive makes the manifest that is served out of the package.json in the tarball
// and the files beside it, as npm prepares it. What the client posted adds only
// what it knows of its own: nobody who looks at the registry sees anything else
// than who unpacks the tarball.
func derive(t *contents, posted manifest, name, number string) (manifest, error) {
	m, err := readManifest(t.packageJSON)
	if err != nil {
		return nil, err
	}
	if got := m.text("name"); got != name {
		return nil, mismatch("name", got, name)
	}
	if got := cleanVersion(m.text("version")); got != number && withoutBuild(got) != number {
		return nil, mismatch("version", got, number)
	}
	for key := range m {
		if strings.HasPrefix(key, "_") || slices.Contains(unkept, key) {
			delete(m, key)
		}
	}
	m.set("name", name)
	m.set("version", number)
	for _, key := range dependencyKeys {
		if err := m.checkDependencies(key); err != nil {
			return nil, err
		}
	}
	m.bundle()
	m.binaries(t, name)
	m.nativeScripts(t)
	if err := m.agrees(posted, t); err != nil {
		return nil, err
	}
	for _, key := range []string{"gitHead", "_nodeVersion", "_npmVersion"} {
		if value := posted.text(key); value != "" && len(value) <= maxVersion {
			m.set(key, value)
		}
	}
	if data, err := json.Marshal(m); err != nil || len(data) > maxStored {
		return nil, invalid("manifest", "Validation failed: Package json structure is too large. Maximum size is 1 MiB", "make the package.json smaller")
	}
	return m, nil
}

func withoutBuild(number string) string {
	key, _, _ := strings.Cut(number, "+")
	return key
}

func mismatch(what, inside, outside string) error {
	return invalid("manifest",
		fmt.Sprintf("Validation failed: the %s in the tarball's package.json is %s, the manifest says %s", what, quote(inside), quote(outside)),
		"publish with npm, pnpm, Yarn or Bun, which take the manifest from the package")
}

var dependencyKeys = []string{"dependencies", "devDependencies", "optionalDependencies", "peerDependencies"}

// checkDependencies has dependencies be an object of texts. Clients fail on
// anything else.
func (m manifest) checkDependencies(key string) error {
	raw, there := m[key]
	if !there {
		return nil
	}
	if text := string(bytes.TrimSpace(raw)); text == "null" || text == "[]" || text == `""` {
		delete(m, key)
		return nil
	}
	var all map[string]string
	if json.Unmarshal(raw, &all) != nil {
		return invalid("manifest", "Validation failed: "+key+" in the package.json is not an object of version ranges", "")
	}
	return nil
}

// bundle gives the list of bundled packages its one name and form.
func (m manifest) bundle() {
	raw, there := m["bundleDependencies"]
	if !there {
		raw, there = m["bundledDependencies"]
	}
	delete(m, "bundledDependencies")
	delete(m, "bundleDependencies")
	if !there {
		return
	}
	var list []string
	switch {
	case string(raw) == "true":
		for name := range m.texts("dependencies") {
			list = append(list, name)
		}
		slices.Sort(list)
	case json.Unmarshal(raw, &list) != nil:
		for name := range (manifest{"": raw}).texts("") {
			list = append(list, name)
		}
		slices.Sort(list)
	}
	if len(list) > 0 {
		m.set("bundleDependencies", list)
	}
}

// binaries gives "bin" its one form, a path for each name, none of which leads out
// of the package.
func (m manifest) binaries(t *contents, name string) {
	given := m.texts("bin")
	if one := m.text("bin"); one != "" {
		_, base := splitScope(name)
		given[base] = one
	}
	if _, has := m["bin"]; !has {
		var dirs manifest
		_ = json.Unmarshal(m["directories"], &dirs)
		if dir := inside(dirs.text("bin")); dir != "" {
			for file, is := range t.files {
				if is && strings.HasPrefix(file, dir+"/") && !strings.HasPrefix(path.Base(file), ".") {
					given[path.Base(file)] = file
				}
			}
		}
	}
	delete(m, "bin")
	bin := map[string]string{}
	for command, file := range given {
		command = path.Base(inside(strings.ReplaceAll(command, ":", "/")))
		if file = inside(file); file != "" && command != "." && command != "/" {
			bin[command] = file
		}
	}
	if len(bin) > 0 {
		m.set("bin", bin)
	}
}

// inside cleans a path so that it stays in the package.
func inside(file string) string {
	return strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(file, `\`, "/")), "/")
}

// nativeScripts adds what npm runs although no script says so, and notes whether
// anything runs on install.
func (m manifest) nativeScripts(t *contents) {
	scripts := m.texts("scripts")
	if t.files["binding.gyp"] && scripts["install"] == "" && scripts["preinstall"] == "" && string(m["gypfile"]) != "false" {
		scripts["install"] = "node-gyp rebuild"
		m.set("gypfile", true)
	}
	if _, has := m["scripts"]; has || len(scripts) > 0 {
		m.set("scripts", scripts)
	}
	for _, name := range []string{"preinstall", "install", "postinstall"} {
		if scripts[name] != "" {
			m.set("hasInstallScript", true)
		}
	}
	if t.files["npm-shrinkwrap.json"] {
		m.set("_hasShrinkwrap", true)
	}
}

// agrees compares with the manifest that the client posted what decides about
// which code runs: scripts and dependencies.
func (m manifest) agrees(posted manifest, t *contents) error {
	have, sent := plainScripts(m), plainScripts(posted)
	if t.files["server.js"] && have["start"] == "" && sent["start"] == "node server.js" {
		delete(sent, "start") // npm adds it
	}
	if have["install"] == "node-gyp rebuild" && sent["install"] == "" {
		delete(have, "install") // other clients than npm do not add it
	}
	if name, differs := differ(have, sent, nil); differs {
		return mismatch("script "+quote(name), have[name], sent[name])
	}
	optional, sentOptional := m.texts("optionalDependencies"), posted.texts("optionalDependencies")
	for _, key := range []string{"dependencies", "optionalDependencies", "peerDependencies"} {
		have, sent := m.texts(key), posted.texts(key)
		if key == "dependencies" { // clients list optional ones here as well, or do not
			for name := range optional {
				delete(have, name)
			}
			for name := range sentOptional {
				delete(sent, name)
			}
		}
		// npm writes the address of a repository in its long form.
		isAddress := func(a, b string) bool { return strings.ContainsAny(a, "/:") && strings.ContainsAny(b, "/:") }
		if name, differs := differ(have, sent, isAddress); differs {
			return mismatch(key+" on "+quote(name), have[name], sent[name])
		}
	}
	return nil
}

// plainScripts are the scripts that do something, as npm writes them.
func plainScripts(m manifest) map[string]string {
	scripts := m.texts("scripts")
	for name, script := range scripts {
		script = strings.TrimPrefix(strings.TrimPrefix(script, "./"), "node_modules/.bin/")
		if scripts[name] = script; strings.TrimSpace(script) == "" {
			delete(scripts, name)
		}
	}
	return scripts
}

// differ finds the first key, in order, in which two objects differ, unless same
// says that they do not.
func differ(a, b map[string]string, same func(a, b string) bool) (key string, differs bool) {
	var keys []string
	for _, m := range []map[string]string{a, b} {
		for key := range m {
			va, inA := a[key]
			vb, inB := b[key]
			if inA != inB || strings.TrimSpace(va) != strings.TrimSpace(vb) && (same == nil || !same(va, vb)) {
				keys = append(keys, key)
			}
		}
	}
	if len(keys) == 0 {
		return "", false
	}
	return slices.Min(keys), true
}

// list reads a list of texts; what is none is empty.
func (m manifest) list(key string) []string {
	texts := []string{}
	var all []any
	_ = json.Unmarshal(m[key], &all)
	for _, one := range all {
		if s, ok := one.(string); ok {
			texts = append(texts, s)
		}
	}
	return texts
}

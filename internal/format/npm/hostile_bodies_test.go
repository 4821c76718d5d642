package npm_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
)

// lib is a package with nothing wrong in it.
func lib() pkg { return pkg{name: "lib", version: "1.0.0"} }

// badNames are those that no package may have.
var badNames = []string{
	"", " ", ".", "..", ".bin", ".hidden", "-", "node_modules", "Node_Modules", "favicon.ico", "a b", "a\tb", "a\nb", "a\x00b", "a\x7fb",
	"a/b", "a/b/c", "/a", "a/", "a//b", "a\\b", "@", "@/", "@a", "@a/", "@/b", "@a/b/c", "@@a/b", "a@b", "@a@b/c", "@a b/c", "@a/.b", "@a/..",
	"@../b", "@./b", "@a./b", "@x.git/y", "@x.atom/y", "@a/node_modules", "@-a/b", "../a", "../../etc/passwd", "..%2fa", "%2e%2e", "a%00", "a?b",
	"a#b", "a:b", "a|b", "a*b", "a<b>", `a"b`, "a'b", "a`b", "a$b", "a&b", "a=b", "a;b", "a,b", "a!b", "a~b", "a(b)", "a[b]", "a{b}", "a^b",
	"é", "ａ", "либ", "l\u0131b", "li\u0301b", "lib\u200b", "\u202elib", "lib\u00a0", "\ufeff", "😀", strings.Repeat("a", 256),
	"@" + strings.Repeat("a", 200) + "/" + strings.Repeat("b", 100), strings.Repeat("a", 2000),
}

func hostileNames() (all []attack) {
	for _, name := range badNames {
		p := lib()
		p.edit = func(body, manifest object) {
			body["name"], manifest["name"] = name, name
			body["_attachments"] = object{name + "-1.0.0.tgz": body["_attachments"].(object)["lib-1.0.0.tgz"]}
		}
		all = append(all, attack{name: fmt.Sprintf("the name %.40q in the body", name), path: "lib", body: p.body()})
		if name != "" && len(name) < 1000 && !strings.Contains(name, "%") {
			all = append(all, attack{name: fmt.Sprintf("the name %.40q in the address", name), path: url.PathEscape(name), body: p.body(), want: []int{400, 404}})
		}
	}
	return all
}

func hostileVersions() (all []attack) {
	for _, version := range []string{
		"", " ", "1", "1.2", "1.2.3.4", "v1.2.3", "=1.2.3", " 1.2.3", "1.2.3 ", "01.2.3", "1.02.3", "1.2.03", "1.2.3-", "1.2.3-01", "1.2.3+", "1.2.3-a..b",
		"1.2.3-é", "1.2.3+a+b", "-1.2.3", "+1.2.3", "1.-2.3", "1.2.x", "*", "latest", "1./2.3", "../../../../../1.2.3", "%2e%2e%2f1.2.3", "1.2.3/..", "1.2.3\\x",
		"1.2.3\n", "1.2.3\x00", "1.2.3-a/b", "1.2.3-a b", "١.٢.٣", "1。2。3", "9007199254740992.0.0", "0.99999999999999999999.0", "1.2.3-99999999999999999999",
		"1.2.3-" + strings.Repeat("a", 300), strings.Repeat("1", 5000) + ".0.0", "1e3.0.0", "0x1.0.0", "NaN", "__proto__", "constructor", "1.0.0 || 2.0.0", ">=1.0.0",
	} {
		p := lib()
		p.version = version
		p.tarball = lib().pack()
		all = append(all, of(fmt.Sprintf("the version %.40q", version), p))
	}
	return all
}

func hostileTags() (all []attack) {
	for _, tag := range []string{
		"", " ", ".", "..", "a b", "a/b", "../x", "a\\b", "a\x00", "a\n", "é", "1.0.0", "1.x", "1", "v1", "x", "X", "*", "^1.0.0", "~1", ">=1", "1 - 2", "1 || 2",
		"<2", "=1.0.0", "a@b", "a%2fb", "a?b", "a#b", "a:b", strings.Repeat("t", 256),
	} {
		p := lib()
		p.tags = object{tag: "1.0.0"}
		all = append(all, of(fmt.Sprintf("the tag %.40q", tag), p))
	}
	many := object{}
	for i := range 100 {
		many[fmt.Sprintf("tag-%d", i)] = "1.0.0"
	}
	for what, tags := range map[string]object{
		"a tag for another version": {"latest": "2.0.0"}, "a tag for a number": {"latest": 1}, "a tag for an object": {"latest": object{}}, "a hundred tags": many,
	} {
		p := lib()
		p.tags = tags
		all = append(all, of(what, p))
	}
	return all
}

// hostileBodies are no documents that npm sends.
func hostileBodies() (all []attack) {
	good := lib().body()
	deep := strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)
	for what, body := range map[string]string{
		"nothing": "", "no json": "x", "null": "null", "a list": "[]", "a number": "1", "a text": `"lib"`, "an open object": "{", "an empty object": "{}",
		"no value": `{"name"}`, "no colon": `{"name" "lib"}`, "a trailing comma": `{"name":"lib",}`, "a comma first": `{,"name":"lib"}`, "two values": good + good,
		"something behind": good + "x", "a key that is none": `{1:2}`, "single quotes": `{'name':'lib'}`, "a comment": "/* */" + good, "a byte order mark": "\ufeff" + good,
		"cut short": good[:len(good)-10], "cut in the attachment": good[:strings.Index(good, `"data":"`)+20], "cut in a key": `{"na`, "cut in an escape": `{"name":"\`,
		"bad UTF-8": strings.Replace(good, `"name":"lib"`, "\"name\":\"l\xffb\"", 1), "bad UTF-8 in the manifest": strings.Replace(good, `"_id":"lib@1.0.0"`, "\"_id\":\"\xc3\x28\"", 1),
		"a bad escape": strings.Replace(good, `"name":"lib"`, `"name":"\x41"`, 1), "deep": deep, "deep in versions": `{"name":"lib","versions":{"1.0.0":` + deep + `}}`,
		"deep lists": `{"name":"lib","x":` + strings.Repeat("[", 1_000_000), "deep in tags": `{"name":"lib","dist-tags":` + deep + `}`,
		"deep in attachments": `{"name":"lib","_attachments":` + deep + `}`, "the name twice": `{"name":"lib","name":"lib"}`,
		"versions twice":     strings.Replace(good, `"versions":`, `"versions":{},"versions":`, 1),
		"attachments twice":  strings.Replace(good, `"_attachments":`, `"_attachments":{},"_attachments":`, 1),
		"a version twice":    strings.Replace(good, `"versions":{"1.0.0":`, `"versions":{"1.0.0":{},"1.0.0":`, 1),
		"tags twice":         strings.Replace(good, `"dist-tags":`, `"dist-tags":{},"dist-tags":`, 1),
		"no name":            strings.ReplaceAll(good, `"name":"lib"`, `"n":1`),
		"a name of a number": strings.ReplaceAll(good, `"name":"lib"`, `"name":1`),
		"another name":       strings.ReplaceAll(good, `"name":"lib"`, `"name":"lob"`),
		"versions of a list": `{"name":"lib","versions":[],"_attachments":{}}`, "a version of a text": `{"name":"lib","versions":{"1.0.0":"x"},"_attachments":{}}`,
		"a version of null": `{"name":"lib","versions":{"1.0.0":null},"_attachments":{}}`, "no versions": `{"name":"lib","versions":{},"_attachments":{}}`,
		"attachments of a list": `{"name":"lib","_attachments":[]}`, "an attachment of a text": `{"name":"lib","_attachments":{"lib-1.0.0.tgz":"x"}}`,
		"a large key":      `{"` + strings.Repeat("k", 5000) + `":1}`,
		"a large name":     `{"name":"` + strings.Repeat("k", 5_000_000) + `"}`,
		"a large manifest": `{"name":"lib","versions":{"1.0.0":{"x":"` + strings.Repeat("k", 5_000_000) + `"}}}`,
		"large tags":       `{"name":"lib","dist-tags":{"x":"` + strings.Repeat("k", 5_000_000) + `"}}`,
		"a form":           "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx\r\n--x--\r\n",
		"no attachments":   `{"name":"lib","versions":{"1.0.0":{"name":"lib","version":"1.0.0"}}}`,
	} {
		all = append(all, attack{name: "a body: " + what, path: "lib", body: body})
	}
	all = append(all, attack{name: "a multipart form", path: "lib", body: good, header: []string{"Content-Type: multipart/form-data; boundary=x"}})
	two := lib()
	two.edit = func(body, manifest object) { body["versions"].(object)["1.0.1"] = manifest }
	return append(all, of("two versions", two))
}

func hostileAttachments() (all []attack) {
	change := func(what string, edit func(name string, attachments, one object)) {
		p := lib()
		p.edit = func(body, _ object) {
			attachments := body["_attachments"].(object)
			edit("lib-1.0.0.tgz", attachments, attachments["lib-1.0.0.tgz"].(object))
		}
		all = append(all, of("an attachment "+what, p))
	}
	for _, data := range []any{
		"", "!", "====", "AAA", "AAAA=", "A===", "AA=A", "\u0000", "é", `\`, `"`, "AAAA\u2028", nil, 1, true, []string{"AAAA"}, object{}, strings.Repeat("-", 100_000),
		strings.Repeat("A", 100_001), base64.URLEncoding.EncodeToString([]byte("\xff\xfe\xfd\xff")) + "_-", base64.StdEncoding.EncodeToString([]byte("no tarball")),
	} {
		change(fmt.Sprintf("with the data %.30q", fmt.Sprint(data)), func(_ string, _, one object) { one["data"] = data })
	}
	for _, length := range []any{0, 1, -1, 1e300, "x", 1.5, object{}, true} {
		change(fmt.Sprintf("of the length %v", length), func(_ string, _, one object) { one["length"] = length })
	}
	for _, name := range []string{
		"", "x", "lib.tgz", "lib-2.0.0.tgz", "other-1.0.0.tgz", "../lib-1.0.0.tgz", "lib-1.0.0.tar.gz", "lib-1.0.0.zip", "lib-1.0.0.TGZ", "lib-1.0.0.tgz/", "@a/lib-1.0.0.tgz",
		"/lib-1.0.0.tgz", "lib-1.0.0.tgz\x00", "lib-1.0.0 .tgz", "lib-1.0.0.sigstore", "package.json", "__proto__",
	} {
		change(fmt.Sprintf("called %q", name), func(old string, attachments, one object) {
			delete(attachments, old)
			attachments[name] = one
		})
	}
	change("twice", func(_ string, attachments, one object) { attachments["lib-1.0.1.tgz"] = one })
	change("with something beside", func(_ string, attachments, one object) { attachments["evil.js"] = one })
	change("without data", func(_ string, _, one object) { delete(one, "data") })
	for _, data := range []any{"x", "{}", 1, nil, strings.Repeat(`{"a":`, 1000), `{"mediaType":"application/vnd.dev.sigstore.bundle+json"}`, strings.Repeat("x", 5_000_000)} {
		change(fmt.Sprintf("and the provenance %.30q", fmt.Sprint(data)), func(_ string, attachments, _ object) {
			attachments["lib-1.0.0.sigstore"] = object{"data": data}
		})
	}
	return all
}

package pypi_test

import (
	"fmt"
	"net/url"
	"strings"
)

// wrong are texts that are neither a name nor a version nor part of a file name.
var wrong = []string{
	"..", ".", "...", "../x", "../../etc/passwd", "/etc/passwd", `..\x`, `a\b`, "a/b", "a//b", "C:x", "~root", "-", "_", "-a", "a-", "_a", "a_", ".a", "a.",
	"a b", " ", "a\tb", "a\x00b", "\x00", "a\x7f", "a\x1b[31m", "é", "ü1", "１", "a\u200bb", "\u202ea", "\ufeffa", "\u212a", "ſ", "\xff", "a\xc3", "\xed\xa0\x80",
	"a%2fb", "%2e%2e", "a&b", "<b>", "<script>alert(1)</script>", `a"b`, "a'b", "a;b", "$(id)", "`id`", "${x}", "{a}", "a*", "a?b", "a#b", "a@b", "a,b", "a=b", "a|b",
	strings.Repeat("a", 256), strings.Repeat("a-", 5000) + "a", strings.Repeat("9", 300), "a\r\nX-Evil: 1", "=cmd",
}

func hostileNames() (all []attack) {
	for _, name := range wrong {
		all = append(all, form(fmt.Sprintf("name %.40q", name), upload(name, "1.0", "lib-1.0-py3-none-any.whl", wheelOf("lib", "1.0"))...))
	}
	return all
}

func hostileVersions() (all []attack) {
	for _, version := range append([]string{
		"latest", "1.0-SNAPSHOT", "1.x", "1..2", "1!", "!1", "1!2!3", "1+", "1+a+b", "1.0+a..b", "1--1", "1.0.0.0-", "1e5", "0x1", "1.0\n2.0", "v", "vv1", "1.0 beta",
		strings.Repeat("1.", 5000) + "1", "1" + strings.Repeat("0", 300), "1.0+" + strings.Repeat("a.", 200) + "a",
	}, wrong[:56]...) {
		all = append(all, form(fmt.Sprintf("version %.40q", version), upload("lib", version, "lib-1.0-py3-none-any.whl", wheelOf("lib", "1.0"))...))
	}
	return all
}

func hostileFilenames() (all []attack) {
	for _, file := range []string{
		"lib", "lib-1.0", "lib-1.0.exe", "lib-1.0.tar", "lib-1.0.tgz", "lib-1.0.tar.bz2", "lib-1.0.tar.xz", "lib-1.0.rar", "lib-1.0.egg", "lib-1.0.whl", "lib-1.0.deb", "lib-1.0.msi",
		"lib-1.0-py3-none.whl", "lib-1.0-1-2-py3-none-any.whl", "lib-1.0-a-py3-none-any.whl", "lib-1.0--py3-none-any.whl", "lib-1.0-py3--any.whl", "lib-1.0-.-none-any.whl",
		"lib-1.0-py3..py2-none-any.whl", "lib-1.0-py3-none-any.WHL", "lib-1.0-py3-none-any.whl.metadata", "lib-1.0.tar.gz.metadata", "lib-1.0-py3-none-any.whl.provenance", "-1.0.tar.gz",
		"lib-.tar.gz", "lib.tar.gz", "lib-x.tar.gz", "lib 1.0.tar.gz", "lib-1.0 .tar.gz", "lib-1.0.tar.gz ", "lib-1.0\x00.tar.gz", "lib-1.0.tar.gz\x00.whl", "lib-1.0\x7f.tar.gz",
		"other-1.0.tar.gz", "lib-2.0.tar.gz", "lib2-1.0.tar.gz", "li-b-1.0.tar.gz", "lib-1.0-py3-none-an\u0443.whl", "l\u0456b-1.0.tar.gz", "lib-1.0\u202e.tar.gz", "\xff-1.0.tar.gz",
		strings.Repeat("a", 250) + "-1.0.tar.gz", "lib-1.0-" + strings.Repeat("py3.", 100) + "py3-none-any.whl", "lib-1.0+a/b.tar.gz", "lib-1.0-py3-none-any%2fx.whl",
	} {
		all = append(all, form(fmt.Sprintf("file %.40q", file), upload("lib", "1.0", file, wheelOf("lib", "1.0"))...))
	}
	// Paths in front of the name: it is not guessed what is meant.
	for _, folder := range []string{"../", "/", "a/", "../../", `..\`, `C:\`, "./", "%2e%2e/", "\x00/"} {
		all = append(all, form(fmt.Sprintf("folder %q", folder), upload("lib", "1.0", folder+"lib-1.0-py3-none-any.whl", wheelOf("lib", "1.0"))...))
	}
	return all
}

const good = "lib-1.0-py3-none-any.whl"

func hostileForms() (all []attack) {
	content := wheelOf("lib", "1.0")
	without := func(name string) (parts []part) {
		for _, p := range upload("lib", "1.0", good, content) {
			if p.name != name {
				parts = append(parts, p)
			}
		}
		return parts
	}
	for _, field := range []string{"name", "version", "content"} {
		all = append(all, form("without "+field, without(field)...))
	}
	with := func(what string, more ...part) {
		all = append(all, form(what, upload("lib", "1.0", good, content, more...)...))
	}
	for _, p := range []part{
		{name: "name", value: "lib"}, {name: "version", value: "1.0"}, {name: ":action", value: "file_upload"}, {"content", good, content},
		{name: "filetype", value: "sdist"}, {name: "filetype", value: "bdist_egg"}, {name: "filetype", value: "../x"},
		{name: "sha256_digest", value: "x"}, {name: "sha256_digest", value: strings.Repeat("0", 64)}, {name: "sha256_digest", value: strings.Repeat("g", 64)},
		{name: "sha256_digest", value: strings.Repeat("0", 63)}, {name: "sha256_digest", value: strings.Repeat("é", 32)},
		{name: "md5_digest", value: strings.Repeat("0", 32)}, {name: "md5_digest", value: "x"}, {name: "blake2_256_digest", value: strings.Repeat("0", 64)},
		{name: "blake2_256_digest", value: "zz"}, {name: "requires_python", value: "3"}, {name: "requires_python", value: ">=3.8;os"}, {name: "requires_python", value: "=>3"},
		{name: "requires_python", value: strings.Repeat(">=3,", 100)}, {name: "requires_python", value: ">=\xff"}, {name: "requires_python", value: `>=3"><script>`},
		{name: "protocol_version", value: "2"}, {name: "description", value: strings.Repeat("a", 3<<20)},
	} {
		with(fmt.Sprintf("field %s %.20q", p.name, p.value), p)
	}
	for _, action := range []string{"submit", "doc_upload", "FILE_UPLOAD", "../x", "\x00"} {
		parts := upload("lib", "1.0", good, content)
		for i := range parts {
			if parts[i].name == ":action" {
				parts[i].value = action
			}
		}
		all = append(all, form("action "+action, parts...))
	}
	many := make([]part, 100_000)
	for i := range many {
		many[i] = part{name: "classifiers", value: "x"}
	}
	large := make([]part, 9)
	for i := range large {
		large[i] = part{name: fmt.Sprint("field", i), value: strings.Repeat("a", 1<<20)}
	}
	all = append(all, form("many fields", many...), form("large fields", large...),
		form("a long name of a field", part{name: strings.Repeat("a", 1<<20)}), form("content is no file", append(without("content"), part{name: "content", value: content})...))
	return append(all, brokenForms(content)...)
}

// brokenForms are bodies that are no form, or no whole one.
func brokenForms(content string) (all []attack) {
	contentType, data := body(upload("lib", "1.0", good, content))
	boundary := strings.TrimPrefix(contentType, "multipart/form-data; boundary=")
	whole := string(data)
	for _, kind := range []string{
		"", "application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/mixed; boundary=x", "multipart/form-data", "multipart/form-data; boundary=",
		"multipart/form-data; boundary=other", "multipart/form-data; boundary=" + strings.Repeat("x", 5000), "multipart/form-data; boundary=x; boundary=y", "/;", "multipart/form-data; boundary=\"",
	} {
		all = append(all, attack{name: "type " + kind, contentType: kind, body: whole})
	}
	for _, cut := range []int{0, 1, 20, len(whole) / 4, len(whole) / 2, len(whole) - 200, len(whole) - len(boundary) - 8, len(whole) - 6} {
		all = append(all, attack{name: fmt.Sprint("cut at ", cut), contentType: contentType, body: whole[:cut]})
	}
	open := "--" + boundary + "\r\n"
	for _, text := range []string{
		"", "{}", "[" + strings.Repeat("[", 100_000), "\xff\xfe", strings.Repeat("\x00", 1<<20), strings.Repeat("-", 1<<20), strings.Repeat(open, 10_000),
		open + "\r\n", open + "\r\nx", open + "Content-Disposition: form-data\r\n\r\nx\r\n--" + boundary + "--\r\n",
		open + "Content-Disposition: form-data; name=\"\r\n\r\nx\r\n--" + boundary + "--\r\n", open + "Content-Disposition: attachment\r\n\r\n",
		open + strings.Repeat("X-A: b\r\n", 20_000) + "\r\nx", open + "X-A: " + strings.Repeat("b", 4<<20) + "\r\n\r\nx",
		open + "Content-Disposition: form-data; name=content; filename*=utf-8''..%2flib-1.0.tar.gz\r\n\r\nx\r\n--" + boundary + "--\r\n",
		open + "Content-Transfer-Encoding: base64\r\nContent-Disposition: form-data; name=content; filename=lib-1.0.tar.gz\r\n\r\nx\r\n--" + boundary + "--\r\n",
	} {
		all = append(all, attack{name: fmt.Sprintf("body %.40q", text), contentType: contentType, body: text})
	}
	return all
}

// hostileAddresses are pages and files that no file can have.
func hostileAddresses() (all []attack) {
	for _, name := range wrong {
		if name == "" || strings.ContainsAny(name, "\x00") {
			continue
		}
		all = append(all, attack{name: fmt.Sprintf("page %.40q", name), method: "GET", path: "/simple/" + url.PathEscape(name) + "/"})
	}
	sum := sha256of("x")
	for _, path := range []string{
		sum + "/x", sum + "/lib-1.0.exe", sum + "/..%2flib-1.0.tar.gz", sum + "/lib-x.tar.gz", sum + "/lib-1.0.tar.gz%00", sum + "/%ff-1.0.tar.gz", sum + "/.metadata", sum + "/.provenance",
		sum + "/lib-1.0.tar.gz.metadata.metadata", sum + "/" + strings.Repeat("a", 300) + "-1.0.tar.gz",
	} {
		all = append(all, attack{name: "file " + path, method: "GET", path: "/files/" + path})
	}
	for _, path := range []string{"x/lib-1.0.tar.gz", "%00/lib-1.0.tar.gz", sum + "/lib-1.0.tar.gz"} {
		want := 404
		if strings.Contains(path, "%00") {
			want = 400
		}
		all = append(all, attack{name: "file " + path, method: "GET", path: "/files/" + path, want: want})
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		all = append(all, attack{name: method, method: method, path: "/simple/lib/", want: 405})
	}
	return all
}

package terraform_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
)

// attack is a publish that must be refused and leave nothing.
type attack struct{ name, path, body string }

// Requests that mean no good: each is refused with a message, quickly and cheaply,
// and nothing is stored. It does not run beside other tests, since it measures.
func TestHostile(t *testing.T) {
	s := start(t, "private")
	all := slices.Concat(hostileNames(), hostileVersions(), hostileArchives(), hostileZipModules())
	before := s.Names()
	for _, a := range all {
		s.attack(t, a)
	}
	s.Untouched(s.project, before)
	if len(all) < 300 {
		t.Errorf("%d attacks, want 300", len(all))
	}
}

func (s scene) attack(t *testing.T, a attack) {
	t.Helper()
	formattest.Cheap(t, a.name, func() {
		answer, err := s.Try("PUT", at(s.project, a.path+"/file"), strings.NewReader(a.body), root)
		if err != nil {
			return // not even a request that can be sent
		}
		if !slices.Contains([]int{400, 404, 405}, answer.Status) || !strings.Contains(string(answer.Body), `"request_id"`) {
			t.Errorf("%s: %d %.200s, want a refusal", a.name, answer.Status, answer.Body)
		}
	})
}

// odd are texts that are no name, and no version either.
var odd = []string{
	" ", ".", "..", "...", "-", "_", "a b", "a.b", "a/b", `a\b`, "a%b", "a\x00b", "a\nb", "ä", "a:b", "a@b", "a'b", `a"b`, "a;b", "a&b", "a=b", "a?b", "a#b",
	"a|b", "a<b", "a>b", "a*b", "a~b", "a+b", "a,b", "(a)", "[a]", "{a}", "-a", "a-", "_a", "a_", "\xff", "a\u202eb", "\u200b", "a\tb", "$a", "`a`", "../a", "a/..",
	"%2e%2e", "%2f", "a\r\nX: y", strings.Repeat("a", 65), strings.Repeat("a", 5000),
}

func hostileNames() (all []attack) {
	archive := packed(item{name: "main.tf", text: "\n"})
	for _, text := range odd {
		all = append(all, attack{"name " + text, url.PathEscape(text) + "/aws/1.0.0", archive}, attack{"system " + text, "vpc/" + url.PathEscape(text) + "/1.0.0", archive})
	}
	return all
}

func hostileVersions() (all []attack) {
	archive := packed(item{name: "main.tf", text: "\n"})
	for _, text := range append(slices.Clone(odd),
		"1", "1.0", "1.0.0.0", "01.0.0", "1.00.0", "1.0.0-", "1.0.0+", "1.0.0-01", "1.0.0-a..b", "1.0.0-a_b", "vv1.0.0", "V1.0.0", "v", "v.1.0.0", "latest", "1.x.0", "=1.0.0",
		">=1.0.0", "1.0.0 ", "1.0.0-ä", "1.0.0+a+b", "99999999999999999999.0.0", "1.0.0-"+strings.Repeat("a", 200), "-1.0.0", "1.-1.0", "1..0", "1.0.", ".1.0", "0x1.0.0", "1e1.0.0", "１.0.0",
	) {
		all = append(all, attack{"version " + text, "vpc/aws/" + url.PathEscape(text), archive})
	}
	return all
}

func hostileArchives() (all []attack) {
	add := func(name, body string) { all = append(all, attack{name, "vpc/aws/1.0.0", body}) }
	main := item{name: "main.tf", text: "\n"}
	good := packed(main)
	add("nothing", "")
	add("no gzip", "hello")
	add("a form", "--x\r\n\r\n--x--")
	add("a zip file", "PK\x03\x04"+strings.Repeat("\x00", 100))
	add("no tar", zipped([]byte("hello")))
	add("an empty archive", packed())
	add("no configuration", packed(item{name: "readme.md", text: "x"}))
	add("a folder called as configuration", packed(item{name: "main.tf/", kind: tar.TypeDir}))
	for cut := 1; cut < len(good); cut += max(1, len(good)/90) {
		add(fmt.Sprint("cut at ", cut), good[:cut])
	}
	for _, name := range []string{
		"../main.tf", "/main.tf", "a/../../main.tf", "a/../main.tf", "a//main.tf", `a\main.tf`, "a\x01/main.tf", "C:/main.tf", "a/./main.tf", "..", "a/../b", "./../main.tf", "\xff.tf",
		strings.Repeat("a/", 600) + "main.tf",
	} {
		add("the entry "+name, packed(main, item{name: name, text: "\n"}))
	}
	for _, link := range []string{"/etc/passwd", "../x", "../../x", "a/../../x", "/"} {
		add("a link to "+link, packed(main, item{name: "l", kind: tar.TypeSymlink, link: link}))
		add("a hard link to "+link, packed(main, item{name: "l", kind: tar.TypeLink, link: link}))
	}
	for _, kind := range []byte{tar.TypeChar, tar.TypeBlock, tar.TypeFifo, tar.TypeCont} {
		add(fmt.Sprintf("an entry of the kind %c", kind), packed(main, item{name: "dev", kind: kind}))
	}
	add("a file twice", packed(main, main))
	add("a file as ./ and plain", packed(main, item{name: "./main.tf", text: "other"}))
	add("a file and a folder", packed(main, item{name: "main.tf/x.tf", text: "\n"}))
	add("a folder and a file", packed(item{name: "a/x.tf", text: "\n"}, item{name: "a", text: "\n"}))
	add("a bomb", zipped(make([]byte, 70<<20)))
	many := make([]item, 50_001)
	for i := range many {
		many[i].name = fmt.Sprint(i, ".tf")
	}
	add("many entries", packed(many...))
	return all
}

// hostileZipModules are the like of hostileArchives as zip files.
func hostileZipModules() (all []attack) {
	add := func(name, body string) { all = append(all, attack{"zip: " + name, "vpc/aws/1.0.0", body}) }
	good := zipOf("main.tf", strings.Repeat("# nothing\n", 50), "modules/a/main.tf", "\n")
	for cut := 4; cut < len(good); cut += max(1, len(good)/60) {
		add(fmt.Sprint("cut at ", cut), good[:cut])
	}
	for at := 45; at < 60; at++ { // the packed bytes of the first file
		add(fmt.Sprint("bit turned at ", at), good[:at]+string(good[at]^0x55)+good[at+1:])
	}
	for _, name := range []string{
		"../main.tf", "/main.tf", "a/../../main.tf", "a/../main.tf", "a//main.tf", `a\main.tf`, "a\x01/main.tf", "C:/main.tf", "a/./main.tf", "..", "./main.tf", "\xff.tf", strings.Repeat("a/", 600) + "main.tf",
		"main.tf", "main.tf/x.tf",
	} {
		add("the entry "+name, zipOf("main.tf", "\n", name, "\n"))
	}
	add("no configuration", zipOf("readme.md", "x"))
	add("a folder called as configuration", zipOf("main.tf/", ""))
	add("something behind", good+"x")
	add("a comment", good[:len(good)-2]+"\x01\x00x")
	add("a size that lies", strings.Replace(good, "\xf4\x01\x00\x00", "\xf3\x01\x00\x00", 2))
	add("a bomb", zipOf("main.tf", strings.Repeat("\x00", 70<<20)))
	var many []string
	for i := range 50_001 {
		many = append(many, fmt.Sprint(i, ".tf"), "")
	}
	add("many entries", zipOf(many...))
	add("a link", linkedZip("main.tf"))
	return all
}

func zipped(data []byte) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		panic(err)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

// Configuration that is no good, or goes deep, is stored and says nothing: it is for
// the client to say what is wrong with it. It costs no more than other text.
func TestDeepConfiguration(t *testing.T) {
	s := start(t, "private")
	for i, text := range []string{
		strings.Repeat("(", 100_000), strings.Repeat("[", 100_000), strings.Repeat("{", 100_000), "x = " + strings.Repeat("-", 100_000), "x = " + strings.Repeat("!", 100_000),
		"x = " + strings.Repeat("a ? b : ", 12_000), `x = "` + strings.Repeat("${", 60_000), "x = " + strings.Repeat(`"${`, 30_000), `x = "` + strings.Repeat("%{ if a }", 10_000),
		strings.Repeat("a {\n", 30_000), "\xff\xfe", "variable {", `variable "x" { default = [for a in [1,2] : [for b in [1,2] : a]] }`, "x = <<E\n" + strings.Repeat("${", 60_000),
		"x = a" + strings.Repeat(".b[0]", 20_000), "x = a" + strings.Repeat("+a", 60_000), "x = a" + strings.Repeat("[*]", 40_000), "x = f" + strings.Repeat("(f", 60_000),
	} {
		try := 0
		formattest.Cheap(t, fmt.Sprintf("%.20q…", text), func() {
			try++
			s.mustPut(at(s.project, fmt.Sprintf("deep/aws/%d.0.%d/file", try, i)), packed(item{name: "main.tf", text: text}))
		})
	}
}

package maven_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
)

// attack is a PUT that must be refused, and leave nothing.
type attack struct {
	name, path, body string
	header           []string
	want             int // 0 for 400
}

// badNames are no parts of a path.
var badNames = []string{
	" ", "a b", "a\tb", "ä", "а", "ａ", "😀", "a\u200bb", "a\u202eb", "a:b", "a;b", "a|b", "a*b", "a?b", "a#b", "a@b", "a!b", "a$b", "a(b", "a)b", "a[b", "a]b", "a{b", "a}b",
	"a~b", "a`b", "a^b", "a=b", "a,b", "a&b", "a'b", `a"b`, "a<b", "a>b", "a%b", "%2e%2e", "${x}", "$%123", "<script>", "a\u00a0b", "…", "a\u0085b", "a\ufeffb", "C:", "~", "a\u2215b", "=a", "a\u2028b",
	"^(a+)+$", "{{7*7}}", "#{7*7}", "%{7*7}", "$(id)", "`id`", "a;id", "a|id", "a&&id", "a\u0301", "\u05d0",
}

// climbing are parts that lead elsewhere, escaped as a client would have to.
var climbing = []string{
	"%2e%2e", "..", ".", "%2e", "..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "a%2f..%2fb", "a%5cb", "..%5c..%5cx", "a%00b", "%0d%0ahttp:%2f%2fexample.com", "a%0ab", "a%7fb", "a%01b", "%2e%2e%2f.ssh%2fauthorized_keys",
	"a%2f%2fb", "%2f", "a%2f", "a%2f.%2fb", "%5c%5cserver%5cshare", "%zz", "%", "%2", "%c0%ae%c0%ae", "%ff%fe", "%e0%80%af",
}

var badVersions = []string{"1..0", "..1", "1..", "1...0", "1.0-..-SNAPSHOT", "$%25123", "1%200", strings.Repeat("1", 256), "1%2c0", "%5b1.0,2.0)", "1.0%3b", "1.0%27"}

// documents are XML that no reader should be asked to read. root is the element that
// they are about.
func documents(root, body string) map[string]string {
	head := `<?xml version="1.0"?>`
	bomb := `<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">`
	for i := range 9 {
		bomb += fmt.Sprintf(`<!ENTITY a%d "%s">`, i, strings.Repeat(fmt.Sprintf("&a%d;", i-1), 10))
	}
	wrap := func(inside string) string { return "<" + root + ">" + inside + body + "</" + root + ">" }
	return map[string]string{
		"empty": "", "space": "   ", "text": "hello", "json": "{}", "open": "<" + root + ">", "html": "<html><body/></html>", "other root": "<x>" + body + "</x>",
		"bomb": head + bomb + "]>" + wrap("<name>&a8;</name>"), "type": head + "<!DOCTYPE " + root + ">" + wrap(""),
		"external":           head + `<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + wrap("<name>&x;</name>"),
		"external over http": head + `<!DOCTYPE p [<!ENTITY x SYSTEM "http://127.0.0.1:1/x">]>` + wrap("<name>&x;</name>"),
		"parameter":          head + `<!DOCTYPE p [<!ENTITY % x SYSTEM "http://127.0.0.1:1/x.dtd"> %x;]>` + wrap(""),
		"external subset":    head + `<!DOCTYPE p SYSTEM "http://127.0.0.1:1/x.dtd">` + wrap(""), "public": head + `<!DOCTYPE p PUBLIC "a" "http://127.0.0.1:1/">` + wrap(""),
		"late type": wrap("") + "<!DOCTYPE p []>", "type inside": wrap("<!ENTITY x 'y'>"), "unknown entity": wrap("<name>&nothing;</name>"),
		"utf-16": "\xff\xfe<\x00p\x00", "utf-16be": "\xfe\xff\x00<\x00p", "unknown encoding": `<?xml version="1.0" encoding="x-none"?>` + wrap(""), "not utf-8": wrap("<name>\xff\xfe</name>"),
		"nul": wrap("<name>\x00</name>"), "control": wrap("<name>&#1;</name>"), "deep": wrap(strings.Repeat("<a>", 10000) + strings.Repeat("</a>", 10000)),
		"crossed": wrap("<a><b></a></b>"), "cut": wrap("")[:10], "attribute": wrap("<name a=>x</name>"), "attribute twice": wrap(`<name a="1" a=>x</name>`), "gzip": "\x1f\x8b\x08\x00\x00\x00", "zip": "PK\x03\x04",
		"no end of comment": wrap("<!-- "), "no end of text": wrap("<![CDATA["), "instruction": wrap("<?x"), "half a character": wrap("<name>\xc3</name>"),
	}
}

func hostilePoms() (all []attack) {
	const path = "com/example/app/1.0/app-1.0.pom"
	good := "<groupId>com.example</groupId><artifactId>app</artifactId><version>1.0</version>"
	for name, body := range documents("project", good) {
		all = append(all, attack{name: "pom: " + name, path: path, body: body})
	}
	for name, body := range map[string]string{
		"huge": pom("com.example", "app", "1.0", "<name>", strings.Repeat("x", 3<<20), "</name>"), "many elements": pom("com.example", "app", "1.0", strings.Repeat("<a/>", 1<<19), strings.Repeat(" ", 1<<20)),
		"two artifacts": pom("com.example", "app", "1.0", "<artifactId>other</artifactId>"), "two groups": pom("com.example", "app", "1.0", "<groupId>com.other</groupId>"),
		"two versions": pom("com.example", "app", "1.0", "<version>2.0</version>"), "two parents": pom("com.example", "app", "1.0", "<parent/><parent/>"),
		"no artifact": "<project><groupId>com.example</groupId><version>1.0</version></project>", "no group": pom("", "app", "1.0"), "no version": pom("com.example", "app", ""),
		"other group": pom("com.other", "app", "1.0"), "other artifact": pom("com.example", "App", "1.0"), "other version": pom("com.example", "app", "1.0.0"), "group with slashes": pom("com/example", "app", "1.0"),
		"other version of the parent": `<project><parent><groupId>com.example</groupId><version>2.0</version></parent><artifactId>app</artifactId></project>`,
	} {
		all = append(all, attack{name: "pom: " + name, path: path, body: body})
	}
	for _, bad := range badNames {
		all = append(all, attack{name: "group id " + bad, path: path, body: pom("com."+url.QueryEscape(bad), "app", "1.0")})
	}
	return all
}

func hostileAddresses() (all []attack) {
	for _, bad := range badNames {
		bad = url.PathEscape(bad)
		for _, path := range []string{"com/%s/app/1.0/app-1.0.jar", "com/example/%s/1.0/app-1.0.jar", "com/example/app/%s/app-1.0.jar", "com/example/app/1.0/%s", "com/%s/maven-metadata.xml"} {
			all = append(all, attack{name: "address", path: fmt.Sprintf(path, bad), body: "<metadata/>"})
		}
	}
	for _, bad := range badVersions {
		all = append(all, attack{name: "version", path: "com/example/app/" + bad + "/app.jar", body: "x"}, attack{name: "version", path: "com/example/app/" + bad + "-SNAPSHOT/maven-metadata.xml", body: "<metadata/>"})
	}
	return append(all,
		attack{name: "long file", path: "com/example/app/1.0/" + strings.Repeat("x", 256), body: "x"}, attack{name: "long name", path: strings.Repeat("abcdefg/", 40) + "1.0/x.jar", body: "x"},
		attack{name: "no folder", path: "app.jar", body: "x"}, attack{name: "no name", path: "1.0/app.jar", body: "x"}, attack{name: "a folder", path: "com/example/app/1.0/", body: "x", want: 404},
		attack{name: "metadata of nothing", path: "maven-metadata.xml", body: "<metadata/>"}, attack{name: "checksum of a checksum", path: "com/example/app/1.0/app-1.0.jar.sha1.md5", body: "x", want: 404},
		attack{name: "at sign inside", path: "com/@example/app/1.0/app.jar", body: "x"}, attack{name: "checksum of nothing", path: "com/example/app/1.0/app-1.0.jar.sha1", body: strings.Repeat("a", 40), want: 404},
	)
}

func hostileMetadata() (all []attack) {
	for name, body := range documents("metadata", "") {
		all = append(all, attack{name: "metadata: " + name, path: "com/example/app/maven-metadata.xml", body: body}, attack{name: "metadata: " + name, path: "com/example/app/1.0-SNAPSHOT/maven-metadata.xml", body: body})
	}
	plugins := func(prefix, artifact string) string {
		return "<metadata><plugins><plugin><prefix>" + prefix + "</prefix><artifactId>" + artifact + "</artifactId></plugin></plugins></metadata>"
	}
	for _, bad := range []string{"", "../x", "a/b", "a b", "ä", "&lt;script&gt;", strings.Repeat("a", 300), "..", "a..b/..", "x&#10;y"} {
		all = append(all, attack{name: "prefix " + bad, path: "com/example/maven-metadata.xml", body: plugins(bad, "my-maven-plugin")}, attack{name: "plugin " + bad, path: "com/example/maven-metadata.xml", body: plugins("my", bad)})
	}
	many := strings.Repeat("<plugin><prefix>a</prefix><artifactId>b</artifactId></plugin>", 1001)
	return append(all, attack{name: "many plugins", path: "com/example/maven-metadata.xml", body: "<metadata><plugins>" + many + "</plugins></metadata>"})
}

func hostileChecksums() (all []attack) {
	for ending, sum := range sumsOf([]byte("x")) {
		header := "X-Checksum-" + ending + ": "
		for name, sent := range map[string]string{"other": sumsOf([]byte("y"))[ending], "short": sum[1:], "long": sum + "0", "text": "hello", "base64": "LXEWQrcmsEqNkPqdd4d6YQ==", "space": sum[:5] + " " + sum[5:]} {
			all = append(all, attack{name: ending + " " + name, path: "com/example/app/1.0/app-1.0.jar", body: "x", header: []string{header + sent}})
		}
	}
	return all
}

// Hundreds of deployments that mean no good: each is refused with a message, quickly
// and cheaply, and nothing is stored.
//
// It does not run beside other tests, since it measures.
func TestHostile(t *testing.T) {
	s := start(t, "private")
	all := slices.Concat(hostilePoms(), hostileAddresses(), hostileMetadata(), hostileChecksums())
	before := s.Names()
	for _, a := range all {
		if a.want == 0 {
			a.want = 400
		}
		formattest.Cheap(t, a.name, func() {
			got := s.put(at(s.project, a.path), a.body, append(a.header, root)...)
			var says struct{ Message, Error any }
			if err := json.Unmarshal(got.Body, &says); got.Status != a.want || err != nil || says.Message == nil && says.Error == nil {
				t.Errorf("%s: PUT %.100s = %d %.300s, want %d with a message", a.name, a.path, got.Status, got.Body, a.want)
			}
		})
	}
	for _, bad := range climbing {
		for _, path := range []string{"com/%s/1.0/app-1.0.jar", "com/example/app/%s/app-1.0.jar", "com/example/app/1.0/%s"} {
			for _, method := range []string{"GET", "PUT"} {
				a := s.Raw(s.Head(method, at(s.project, fmt.Sprintf(path, bad)), root, "Content-Length: 1", "Connection: close") + "\r\nx")
				if a.Status != 400 && a.Status != 404 {
					t.Errorf("%s %s = %d %s, want 400 or 404", method, fmt.Sprintf(path, bad), a.Status, a.Body)
				}
			}
		}
	}
	s.Untouched(s.project, before)
	if len(all) < 300 {
		t.Errorf("%d attacks, want 300", len(all))
	}
	t.Logf("%d attacks", len(all))
}

// Metadata that is large is no reason to refuse a deployment, and costs no memory.
func TestLargeMetadata(t *testing.T) {
	s := start(t, "private")
	body := []byte("<metadata><versioning><versions>" + strings.Repeat("<version>1.0</version>", 1<<20) + "</versions></versioning></metadata>")
	formattest.Cheap(t, "metadata of 22 MiB", func() {
		a, err := s.Try("PUT", at(s.project, "com/example/app/maven-metadata.xml"), bytes.NewReader(body), root)
		if err != nil || a.Status != 200 {
			t.Errorf("PUT = %d %s, %v, want 200", a.Status, a.Body, err)
		}
	})
	a, err := s.Try("PUT", at(s.project, "com/example/app/maven-metadata.xml"), bytes.NewReader(make([]byte, 80<<20)), root)
	if err != nil || a.Status != 400 {
		t.Errorf("PUT of 80 MiB = %d %s, %v, want 400", a.Status, a.Body, err)
	}
}

package container_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
)

// attack is a request that must be refused, and leave nothing.
type attack struct {
	name, method, path, body string
	header                   []string
	want                     []int // none for 400
}

const victim = "acme/shop/api"

// TestHostile sends hundreds of requests that mean no good: each is refused with a
// message, in a second and 64 MiB, and nothing is stored.
func TestHostile(t *testing.T) {
	c := start(t)
	c.Project("shop", c.Group("acme", 0, "private"), "private")
	before := c.Stored()
	attacks := hostileNames()
	attacks = append(attacks, hostileReferences()...)
	attacks = append(attacks, hostileUploads()...)
	attacks = append(attacks, hostileManifests()...)
	attacks = append(attacks, hostileScopes()...)
	if len(attacks) < 300 {
		t.Errorf("%d attacks, want at least 300", len(attacks))
	}
	for _, a := range attacks {
		c.attacked(t, a)
	}
	if got := c.Stored(); got != before {
		t.Errorf("stored = %+v, before %+v", got, before)
	}
	a := c.with(c.token("registry:catalog:*"), "GET", "/v2/_catalog", nil)
	if string(a.Body) != `{"repositories":[]}` {
		t.Errorf("catalog = %s, want nothing", a.Body)
	}
}

func (c *client) attacked(t *testing.T, x attack) {
	t.Helper()
	header := append(x.header, "Private-Token: "+formattest.RootToken)
	if strings.ContainsAny(x.path, " \x00") {
		t.Fatalf("%s: the path cannot be sent", x.name)
	}
	if len(x.want) == 0 {
		x.want = []int{http.StatusBadRequest}
	}
	formattest.Cheap(t, x.name, func() {
		a, err := c.Try(x.method, x.path, strings.NewReader(x.body), header...)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			return
		}
		if !slices.Contains(x.want, a.Status) || x.method != "HEAD" && strings.HasPrefix(x.path, "/v2/") && code(a) == "" {
			t.Errorf("%s: %s %.200s = %d %.300s, want %v", x.name, x.method, x.path, a.Status, a.Body, x.want)
		}
	})
}

// hostileNames are names of repositories that are none, on routes of all kinds.
func hostileNames() (all []attack) {
	for _, name := range []string{
		"Acme/Shop", "acme/shop/API", "acme/shop/-x", "acme/shop/x-", "acme/shop/.x", "acme/shop/x.", "acme/shop/a..b", "acme/shop/a___b",
		"acme/shop/a._b", "acme/shop/%00", "acme/shop/%2e%2e", "acme/shop/%2e%2e/x", "acme/shop//x", "acme/shop/./x", "acme/shop/a%2fb%2f..",
		"acme/shop/%5c", "acme/shop/a%0d%0ax", "acme/shop/%C3%A4", "acme/shop/a%20b", "acme/shop/a:b", "acme/shop/a@b", "acme/shop/a+b",
		"acme/shop/" + strings.Repeat("a", 300), "acme/shop/" + strings.Repeat("a-", 120) + "a!", "acme/shop/a~b", "acme/shop/%25", "acme/shop/a*",
	} {
		for _, r := range []struct{ method, path string }{
			{"GET", "manifests/1"}, {"PUT", "manifests/1"}, {"POST", "blobs/uploads/"}, {"GET", "tags/list"}, {"DELETE", "manifests/1"},
		} {
			all = append(all, attack{name: "name " + name, method: r.method, path: "/v2/" + name + "/" + r.path, want: []int{400, 404}})
		}
	}
	for _, name := range []string{"acme", "shop", "acme/shop/a/b/c", "acme/absent", "1", "1/2", "upstream:1/x", strings.Repeat("a/", 200) + "a"} {
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			all = append(all, attack{name: "no project " + name, method: method, path: "/v2/" + name + "/manifests/1", want: []int{400, 404}})
		}
	}
	for _, path := range []string{"/v2/acme/shop", "/v2/acme/shop/", "/v2/x", "/v2/acme/shop/blobs", "/v2/acme/shop/manifests", "/v2/_catalog/x", "/v2/../api", "/v2//", "/v2/%2e%2e/x"} {
		all = append(all, attack{name: "no route " + path, method: "GET", path: path, want: []int{400, 404}})
	}
	return all
}

// hostileReferences are tags and digests that are none.
func hostileReferences() (all []attack) {
	valid := string(image([]byte("{}"), nil, nil))
	for _, ref := range []string{
		"sha256:", "sha256:xyz", "sha256:" + strings.Repeat("a", 63), "sha256:" + strings.Repeat("a", 65), "sha256:" + strings.Repeat("A", 64), "sha256:" + strings.Repeat("g", 64),
		"sha512:" + strings.Repeat("a", 64), "sha1:" + strings.Repeat("a", 40), "md5:" + strings.Repeat("a", 32), ":", "a:b", "sha256:" + strings.Repeat("a", 64) + ":x", "SHA256:" + strings.Repeat("a", 64),
		"sha256:..%2f..%2fetc%2fpasswd", "sha256%3A%00",
	} {
		for _, r := range []struct{ method, path string }{{"GET", "manifests/"}, {"PUT", "manifests/"}, {"DELETE", "manifests/"}, {"GET", "blobs/"}, {"DELETE", "blobs/"}, {"GET", "referrers/"}} {
			all = append(all, attack{name: "digest " + ref, method: r.method, path: "/v2/" + victim + "/" + r.path + ref, body: valid, header: []string{"Content-Type: " + ociImage}, want: []int{400, 404}})
		}
	}
	for _, tag := range []string{".x", "-x", "a%2fb", "a%20b", "%C3%A4", strings.Repeat("a", 129), "a+b", "a@b", "~", "%2e%2e"} {
		all = append(all, attack{name: "tag " + tag, method: "PUT", path: "/v2/" + victim + "/manifests/" + tag, body: valid, header: []string{"Content-Type: " + ociImage}, want: []int{400, 404}})
	}
	all = append(all, attack{name: "bad ?tag=", method: "PUT", path: "/v2/" + victim + "/manifests/" + sha256Of([]byte(valid)) + "?tag=..", body: valid, header: []string{"Content-Type: " + ociImage}})
	all = append(all, attack{name: "many ?tag=", method: "PUT", path: "/v2/" + victim + "/manifests/" + sha256Of([]byte(valid)) + "?x" + strings.Repeat("&tag=a", 51), body: valid, header: []string{"Content-Type: " + ociImage}})
	for _, n := range []string{"-1", "x", "1e9", "99999999999999999999", "%00", "0x10"} {
		for _, list := range []string{victim + "/tags/list", "_catalog", victim + "/referrers/" + sha256Of(nil)} {
			all = append(all, attack{name: "n=" + n, method: "GET", path: "/v2/" + list + "?n=" + n})
		}
	}
	return all
}

// hostileUploads are uploads that cannot be.
func hostileUploads() (all []attack) {
	uploads := "/v2/" + victim + "/blobs/uploads/"
	for _, digest := range []string{"sha256:xyz", "md5:x", "x", sha256Of([]byte("other")), sha512Of([]byte("other")), "sha256:" + strings.Repeat("0", 64), "%00"} {
		all = append(all, attack{name: "POST " + digest, method: "POST", path: uploads + "?digest=" + digest, body: "data"})
		all = append(all, attack{name: "PUT " + digest, method: "PUT", path: uploads + "absent?digest=" + digest, body: "data", want: []int{404}})
	}
	all = append(all, attack{name: "algorithm", method: "POST", path: uploads + "?digest-algorithm=md5"}, attack{name: "algorithm", method: "POST", path: uploads + "?digest-algorithm=sha256,sha512"})
	for _, id := range []string{"absent", "..%2fx", "%00", strings.Repeat("a", 5000), "'; DROP TABLE parts; --", "1"} {
		id = strings.ReplaceAll(id, " ", "%20")
		for _, method := range []string{"PATCH", "PUT", "GET", "DELETE"} {
			all = append(all, attack{name: "upload " + id, method: method, path: uploads + id + "?digest=" + sha256Of(nil), body: "data", want: []int{400, 404}})
		}
	}
	for _, r := range []string{"0-", "-1", "a-b", "1-0", "bytes 0-9/10x", "0-99999999999999999999", "0 - 3", "0-3,4-5", "-", "0-2"} {
		all = append(all, attack{name: "Content-Range " + r, method: "PATCH", path: uploads + "absent", body: "data", header: []string{"Content-Range: " + r}})
	}
	return all
}

// hostileManifests are manifests that are none.
func hostileManifests() (all []attack) {
	d := `{"mediaType":"a/b","digest":"` + sha256Of([]byte("absent")) + `","size":6}`
	bodies := []string{
		"", " ", "null", "[]", "1", `"x"`, "true", "{", "{}", `{"schemaVersion":1}`, `{"schemaVersion":"2"}`, `{"schemaVersion":2`, "\x00", "\xff\xfe", strings.Repeat("[", 100_000), strings.Repeat(`{"a":`, 100_000),
		`{"schemaVersion":2,"config":[]}`, `{"schemaVersion":2,"layers":{}}`, `{"schemaVersion":2,"layers":[1]}`, `{"schemaVersion":2,"layers":["x"]}`, `{"schemaVersion":2,"layers":[[]]}`,
		`{"schemaVersion":2,"layers":[{}]}`, `{"schemaVersion":2,"layers":[{"digest":"sha256:x","size":1}]}`, `{"schemaVersion":2,"layers":[` + strings.Replace(d, "6", "-6", 1) + `]}`,
		`{"schemaVersion":2,"layers":[` + d + `]}`, `{"schemaVersion":2,"config":` + d + `}`, `{"schemaVersion":2,"config":` + strings.Replace(d, `"size":6`, `"size":1e300`, 1) + `}`,
		`{"schemaVersion":2,"config":` + strings.Replace(d, `"size":6`, `"size":"6"`, 1) + `}`, `{"schemaVersion":2,"layers":[` + strings.Replace(d, `"size":6`, `"x":6`, 1) + `]}`,
		`{"schemaVersion":2,"subject":{}}`, `{"schemaVersion":2,"subject":{"digest":"x","size":1}}`, `{"schemaVersion":2,"subject":` + d + `,"annotations":[]}`, `{"schemaVersion":2,"subject":` + d + `,"annotations":{"a":1}}`,
		`{"schemaVersion":2,"layers":[],"manifests":[]}`, `{"schemaVersion":2,"mediaType":"` + ociIndex + `"}`, `{"schemaVersion":2,"mediaType":1}`, `{"schemaVersion":2,"artifactType":{}}`,
		`{"schemaVersion":2,"layers":[` + strings.TrimSuffix(strings.Repeat(d+",", 5000), ",") + `]}`,
		`{"schemaVersion":2,"layers":[` + strings.TrimSuffix(strings.Repeat("{},", 2_000_000), ",") + `]}`,
		`{"schemaVersion":2,"layers":[{"urls":[` + strings.TrimSuffix(strings.Repeat(`"",`, 100_000), ",") + `]}]}`,
		`{"schemaVersion":2,"layers":[{"mediaType":"a/b","digest":"` + sha256Of([]byte("x")) + `","size":1,"data":"!!"}]}`,
		`{"schemaVersion":2,"layers":[{"mediaType":"a/b","digest":"` + sha256Of([]byte("x")) + `","size":2,"data":"eA=="}]}`,
	}
	for i, body := range bodies {
		all = append(all, attack{name: fmt.Sprintf("manifest %d", i), method: "PUT", path: "/v2/" + victim + "/manifests/x", body: body, header: []string{"Content-Type: " + ociImage}})
	}
	index := strings.NewReplacer("layers", "manifests", "config", "manifests")
	for i, body := range bodies[:28] {
		if strings.Contains(body, `"config":[]`) {
			continue // an index of nothing is one
		}
		all = append(all, attack{name: fmt.Sprintf("index %d", i), method: "PUT", path: "/v2/" + victim + "/manifests/x", body: index.Replace(body), header: []string{"Content-Type: " + ociIndex}})
	}
	valid := string(image([]byte("{}"), nil, nil))
	for _, kind := range []string{
		"application/vnd.docker.distribution.manifest.v1+prettyjws", "application/vnd.docker.distribution.manifest.v1+json", "application/json", "text/html", "x", ";", "a/b; c=\"", ociIndex,
	} {
		all = append(all, attack{name: "type " + kind, method: "PUT", path: "/v2/" + victim + "/manifests/x", body: valid, header: []string{"Content-Type: " + kind}})
	}
	return append(all,
		attack{name: "too large", method: "PUT", path: "/v2/" + victim + "/manifests/x", body: strings.Repeat(" ", 9<<20), header: []string{"Content-Type: " + ociImage}, want: []int{413}},
		attack{name: "another digest", method: "PUT", path: "/v2/" + victim + "/manifests/" + sha256Of([]byte("x")), body: string(image(nil, nil, nil)), header: []string{"Content-Type: " + ociImage}},
	)
}

// hostileScopes ask the token service for what is none. It answers all the same.
func hostileScopes() (all []attack) {
	for _, scope := range []string{
		"", "x", ":", "::", ":::", "repository", "repository:", "repository::", "repository:" + victim, "repository:" + victim + ":", "repository:" + victim + ":fly", "repository:..:pull",
		"registry:catalog:pull", "registry:x:*", "%00", strings.Repeat("repository:a/b:pull%20", 200), "repository:" + strings.Repeat("a/", 1000) + "a:pull", "repository:" + victim + ":" + strings.Repeat("pull,", 1000),
	} {
		all = append(all, attack{name: "scope", method: "GET", path: "/jwt/auth?service=container_registry&scope=" + scope, want: []int{200}})
	}
	for _, q := range []string{"", "?service=", "?service=x", "?service=%00", "?scope=repository:" + victim + ":pull", "?service[]=container_registry"} {
		all = append(all, attack{name: "service " + q, method: "GET", path: "/jwt/auth" + q, want: []int{404}})
	}
	return all
}

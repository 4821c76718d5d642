package container_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
)

// TestConformance restates what the OCI distribution specification's own suite asks
// for: https://github.com/opencontainers/distribution-spec/tree/main/conformance.
func TestConformance(t *testing.T) {
	c := start(t)
	c.Project("shop", c.Group("acme", 0, "private"), "private")
	t.Run("ping", func(t *testing.T) {
		want(t, "GET /v2/", c.with("", "GET", "/v2/", nil), 401, "UNAUTHORIZED")
		for _, path := range []string{"/v2", "/v2/"} {
			want(t, "GET "+path, c.with(c.token(), "GET", path, nil), 200)
		}
	})
	t.Run("empty repository", func(t *testing.T) {
		const name = "/v2/acme/shop/empty"
		want(t, "tags", c.send("GET", name+"/tags/list", nil), 404, "NAME_UNKNOWN")
		a := want(t, "referrers", c.send("GET", name+"/referrers/"+sha256Of(nil), nil), 200)
		if a.Header.Get("Content-Type") != ociIndex || !strings.Contains(string(a.Body), `"manifests":[]`) {
			t.Errorf("referrers of nothing = %s %s", a.Header.Get("Content-Type"), a.Body)
		}
		want(t, "referrers of no digest", c.send("GET", name+"/referrers/sha256:xyz", nil), 400, "DIGEST_INVALID")
	})
	for _, algorithm := range []struct {
		name string
		of   func([]byte) string
	}{{"sha256", sha256Of}, {"sha512", sha512Of}} {
		t.Run("blobs by "+algorithm.name, func(t *testing.T) {
			t.Parallel()
			blobs{c, "acme/shop/" + algorithm.name, algorithm.name, algorithm.of}.run(t)
		})
	}
	t.Run("manifests", func(t *testing.T) {
		t.Parallel()
		manifests(t, c)
	})
}

// blobs are the checks of uploads, with one digest algorithm.
type blobs struct {
	*client
	name, algorithm string
	of              func([]byte) string
}

func (b blobs) begin(t *testing.T) string {
	t.Helper()
	a := want(t, "begin", b.send("POST", "/v2/"+b.name+"/blobs/uploads/?digest-algorithm="+b.algorithm, nil), 202)
	if a.Header.Get("Range") != "0-0" || a.Header.Get("Docker-Upload-UUID") == "" {
		t.Errorf("begin has %v", a.Header)
	}
	return a.Header.Get("Location")
}

func (b blobs) piece(location string, from, to int, data []byte) formattest.Answer {
	return b.send("PATCH", location, data[from:to], fmt.Sprintf("Content-Range: %d-%d", from, to-1), "Content-Type: application/octet-stream")
}

func (b blobs) end(location string, data []byte, digest string, header ...string) formattest.Answer {
	return b.send("PUT", location+"?digest="+digest, data, header...)
}

func (b blobs) have(t *testing.T, what string, data []byte) {
	t.Helper()
	path := "/v2/" + b.name + "/blobs/" + b.of(data)
	a := want(t, what+": HEAD", b.send("HEAD", path, nil), 200)
	if a.Header.Get("Docker-Content-Digest") != b.of(data) || a.Header.Get("Content-Length") != fmt.Sprint(len(data)) {
		t.Errorf("%s: HEAD has %v", what, a.Header)
	}
	if a := b.send("GET", path, nil); a.Status != 200 || string(a.Body) != string(data) {
		t.Errorf("%s: GET = %d and %d bytes, want 200 and %d", what, a.Status, len(a.Body), len(data))
	}
}

// bytesOf makes bytes that no other check has.
func bytesOf(seed string, n int) []byte {
	return []byte(strings.Repeat(seed+"\n", n/(len(seed)+1)+1)[:n])
}

func (b blobs) run(t *testing.T) {
	uploads := "/v2/" + b.name + "/blobs/uploads/"
	want(t, "absent", b.send("GET", "/v2/"+b.name+"/blobs/"+b.of([]byte("absent")), nil), 404)
	for _, size := range []int{0, 2, 40_000} {
		data := bytesOf(b.algorithm+"post", size)
		if size == 2 {
			data = []byte("{}")
		}
		want(t, "POST alone", b.send("POST", uploads+"?digest="+b.of(data), data), 201)
		b.have(t, "POST alone", data)
		data = append(bytesOf(b.algorithm+"put", size), byte(size))
		want(t, "POST and PUT", b.end(b.begin(t), data, b.of(data)), 201)
		b.have(t, "POST and PUT", data)
	}
	for _, pieces := range []int{1, 3} {
		data := bytesOf(fmt.Sprint(b.algorithm, pieces, "chunked"), 30_000)
		location := b.begin(t)
		step := len(data) / pieces
		for from := 0; from < len(data); from += step {
			a := want(t, "PATCH", b.piece(location, from, from+step, data), 202)
			if got, wanted := a.Header.Get("Range"), fmt.Sprintf("0-%d", from+step-1); got != wanted {
				t.Errorf("Range = %s, want %s", got, wanted)
			}
		}
		a := want(t, "GET of an upload", b.send("GET", location+"?digest=ignored", nil), 204)
		if a.Header.Get("Range") != "0-29999" {
			t.Errorf("Range = %s", a.Header.Get("Range"))
		}
		want(t, "PUT after PATCHes", b.end(location, nil, b.of(data)), 201)
		b.have(t, "chunked", data)
		want(t, "PUT twice", b.end(location, nil, b.of(data)), 404, "BLOB_UPLOAD_UNKNOWN")
	}
	t.Run("last in PUT, out of order, stream", b.order)
	t.Run("cancel", b.cancel)
	t.Run("mount", b.mount)
	t.Run("ranges", b.ranges)
	t.Run("bad digests", b.bad)
}

func (b blobs) order(t *testing.T) {
	data := bytesOf(b.algorithm+"order", 900)
	location := b.begin(t)
	want(t, "first", b.piece(location, 0, 300, data), 202)
	a := want(t, "third before second", b.piece(location, 600, 900, data), 416, "BLOB_UPLOAD_INVALID")
	if a.Header.Get("Range") != "0-299" || a.Header.Get("Location") != location {
		t.Errorf("416 has %v", a.Header)
	}
	want(t, "first again", b.piece(location, 0, 300, data), 416)
	want(t, "last too early", b.end(location, data[600:], b.of(data), "Content-Range: 600-899"), 416)
	want(t, "second", b.piece(location, 300, 600, data), 202)
	want(t, "lie about the length", b.send("PATCH", location, data[600:], "Content-Range: 600-700"), 400, "SIZE_INVALID")
	want(t, "last in PUT", b.end(location, data[600:], b.of(data), "Content-Range: 600-899"), 201)
	b.have(t, "last in PUT", data)
	data = bytesOf(b.algorithm+"stream", 700)
	location = b.begin(t)
	want(t, "stream", b.send("PATCH", location, data), 202)
	want(t, "end of a stream", b.end(location, nil, b.of(data)), 201)
	b.have(t, "stream", data)
}

func (b blobs) cancel(t *testing.T) {
	location := b.begin(t)
	want(t, "PATCH", b.send("PATCH", location, []byte("some")), 202)
	want(t, "cancel", b.send("DELETE", location, nil), 204)
	want(t, "GET after it", b.send("GET", location, nil), 404, "BLOB_UPLOAD_UNKNOWN")
	want(t, "cancel twice", b.send("DELETE", location, nil), 404)
	location = b.begin(t)
	want(t, "cancel at once", b.send("DELETE", location, nil), 204)
	want(t, "PUT after it", b.end(location, []byte("x"), b.of([]byte("x"))), 404, "BLOB_UPLOAD_UNKNOWN")
	location = b.begin(t)
	for range 2 { // the answer to the first may have been lost
		want(t, "PUT of all", b.end(location, []byte("whole"), b.of([]byte("whole"))), 201)
	}
	for _, altered := range []string{location[:len(location)-1] + "?", location + "a", strings.Replace(location, "-", "-1", 1), strings.Replace(location, "-", "", 1)} {
		want(t, "altered", b.send("GET", altered, nil), 404, "BLOB_UPLOAD_UNKNOWN")
	}
	elsewhere := strings.Replace(b.begin(t), b.name, "acme/shop/other", 1)
	want(t, "in another repository", b.send("PATCH", elsewhere, []byte("x")), 404, "BLOB_UPLOAD_UNKNOWN")
}

func (b blobs) mount(t *testing.T) {
	data := bytesOf(b.algorithm+"mount", 100)
	want(t, "source", b.send("POST", "/v2/"+b.name+"/blobs/uploads/?digest="+b.of(data), data), 201)
	to := blobs{b.client, b.name + "/mounted", b.algorithm, b.of}
	uploads := "/v2/" + to.name + "/blobs/uploads/"
	want(t, "before", b.send("HEAD", "/v2/"+to.name+"/blobs/"+b.of(data), nil), 404)
	want(t, "mount", b.send("POST", uploads+"?mount="+b.of(data)+"&from="+b.name+"&origin=example.com", nil), 201)
	to.have(t, "mounted", data)
	want(t, "of what is not there", b.send("POST", uploads+"?mount="+b.of([]byte("nope"))+"&from="+b.name, nil), 202)
	want(t, "from where nothing is", b.send("POST", uploads+"?mount="+b.of(data)+"&from=acme/none/x", nil), 202)
	want(t, "of no digest", b.send("POST", uploads+"?mount=sha256:x&from="+b.name, nil), 202)
	if b.algorithm == "sha256" {
		data := []byte("anonymous mount")
		must(t, b.blob(b.name, data))
		want(t, "anonymous mount", b.send("POST", uploads+"?mount="+b.of(data), nil), 201)
		to.have(t, "mounted from wherever", data)
	}
}

func (b blobs) ranges(t *testing.T) {
	data := bytesOf(b.algorithm+"ranges", 2000)
	want(t, "blob", b.send("POST", "/v2/"+b.name+"/blobs/uploads/?digest="+b.of(data), data), 201)
	for _, c := range []struct {
		ask    string
		status int
		want   string
	}{
		{"bytes=500-1499", 206, string(data[500:1500])}, {"bytes=500-", 206, string(data[500:])}, {"bytes=-500", 206, string(data[1500:])},
		{"bytes=1500-9999", 206, string(data[1500:])}, {"bytes=500-0", 416, ""}, {"bytes=2000-", 416, ""},
	} {
		a := b.send("GET", "/v2/"+b.name+"/blobs/"+b.of(data), nil, "Range: "+c.ask)
		if a.Status != c.status || c.status == 206 && string(a.Body) != c.want {
			t.Errorf("Range %s = %d and %d bytes, want %d and %d", c.ask, a.Status, len(a.Body), c.status, len(c.want))
		}
	}
	a := b.send("GET", "/v2/"+b.name+"/blobs/"+b.of(data), nil, `If-None-Match: "`+b.of(data)+`"`)
	want(t, "If-None-Match", a, 304)
}

func (b blobs) bad(t *testing.T) {
	data := bytesOf(b.algorithm+"bad", 300)
	wrong := b.of([]byte("something else"))
	uploads := "/v2/" + b.name + "/blobs/uploads/"
	want(t, "POST", b.send("POST", uploads+"?digest="+wrong, data), 400, "DIGEST_INVALID")
	want(t, "PUT", b.end(b.begin(t), data, wrong), 400, "DIGEST_INVALID")
	for _, digest := range []string{"", "sha256:xyz", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:" + strings.Repeat("A", 64), wrong} {
		location := b.begin(t)
		want(t, "PATCH", b.send("PATCH", location, data), 202)
		want(t, "PUT with "+digest, b.end(location, nil, digest), 400, "DIGEST_INVALID")
		want(t, "the upload is over", b.send("GET", location, nil), 404)
	}
	want(t, "nothing is stored", b.send("HEAD", "/v2/"+b.name+"/blobs/"+wrong, nil), 404)
	want(t, "nothing is stored", b.send("HEAD", "/v2/"+b.name+"/blobs/"+b.of(data), nil), 404)
}

// set is a manifest to be pushed, read, listed and deleted.
type set struct {
	name     string
	manifest []byte
	subject  string
}

// sets are what the suite calls data sets. What they name has been pushed.
func sets(t *testing.T, c *client, name string) []set {
	config, layer := []byte(`{"of":"`+name+`"}`), bytesOf("layer", 20_000)
	empty := []byte("{}")
	for _, data := range [][]byte{config, layer, empty, {}} {
		must(t, c.blob(name, data))
	}
	want(t, "sha512 blob", c.send("POST", "/v2/"+name+"/blobs/uploads/?digest="+sha512Of(layer), layer), 201)
	one := image(config, [][]byte{layer}, nil)
	other := image(config, nil, map[string]any{"annotations": map[string]string{"n": "2"}})
	ix := index([][]byte{one, other}, nil)
	about := func(data []byte) map[string]any { return descriptor(ociImage, data) }
	artifact := func(fields map[string]any) []byte {
		fields["artifactType"] = "application/vnd.example.test+type"
		return manifest(ociImage, map[string]any{"config": descriptor("application/vnd.oci.empty.v1+json", empty), "layers": []any{}}, fields)
	}
	missing := []byte("a manifest that nobody pushed")
	return []set{
		{"image", one, ""}, {"other image", other, ""}, {"index", ix, ""},
		{"nested index", manifest(ociIndex, map[string]any{"manifests": []any{descriptor(ociIndex, ix)}}, nil), ""},
		{"large", image(config, [][]byte{layer}, map[string]any{"annotations": map[string]string{"long": strings.Repeat("x", 3<<20)}}), ""},
		{"empty index", index(nil, nil), ""},
		{"artifact", artifact(map[string]any{}), ""},
		{"subject", artifact(map[string]any{"subject": about(one), "annotations": map[string]string{"k": "v"}}), sha256Of(one)},
		{"index with subject", index([][]byte{one}, map[string]any{"subject": about(one), "artifactType": "application/vnd.example.ix"}), sha256Of(one)},
		{"missing subject", artifact(map[string]any{"subject": about(missing)}), sha256Of(missing)},
		{"data field", manifest(ociImage, map[string]any{"config": descriptor("a/b", config), "layers": []any{
			map[string]any{"mediaType": "a/b", "digest": sha256Of([]byte("inline")), "size": 6, "data": []byte("inline")}}}, nil), ""},
		{"nondistributable", manifest(ociImage, map[string]any{"config": descriptor("a/b", config), "layers": []any{
			descriptor("application/vnd.oci.image.layer.nondistributable.v1.tar", []byte("not here"))}}, nil), ""},
		{"foreign", manifest(ociImage, map[string]any{"config": descriptor("a/b", config), "layers": []any{
			map[string]any{"mediaType": "a/b", "digest": sha256Of([]byte("there")), "size": 5, "urls": []string{"https://example.com/x"}}}}, nil), ""},
		{"custom fields", image(config, nil, map[string]any{"org.example": map[string]any{"a": []any{1, nil}}}), ""},
		{"sha512 layer", manifest(ociImage, map[string]any{"config": descriptor("a/b", config), "layers": []any{descriptor("a/b", layer, sha512Of(layer))}}, nil), ""},
		{"build cache", manifest(ociIndex, map[string]any{"manifests": []any{
			descriptor("application/vnd.oci.image.layer.v1.tar", layer), descriptor("application/vnd.buildkit.cacheconfig.v0", config)}}, nil), ""},
		{"docker", manifest("application/vnd.docker.distribution.manifest.v2+json", map[string]any{"config": descriptor("application/vnd.docker.container.image.v1+json", config),
			"layers": []any{descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", layer)}}, nil), ""},
	}
}

func manifests(t *testing.T, c *client) {
	const name = "acme/shop/conformance"
	path := "/v2/" + name + "/manifests/"
	all := sets(t, c, name)
	for i, s := range all {
		tag, digest := fmt.Sprintf("t%02d", i), sha256Of(s.manifest)
		for _, reference := range []string{digest, tag, sha512Of(s.manifest)} {
			a := want(t, s.name+": PUT", c.put(name, reference, s.manifest), 201)
			if a.Header.Get("OCI-Subject") != s.subject {
				t.Errorf("%s: OCI-Subject = %q, want %q", s.name, a.Header.Get("OCI-Subject"), s.subject)
			}
			if strings.Contains(reference, ":") && a.Header.Get("Docker-Content-Digest") != reference {
				t.Errorf("%s: Docker-Content-Digest = %s, want %s", s.name, a.Header.Get("Docker-Content-Digest"), reference)
			}
			for _, method := range []string{"HEAD", "GET"} {
				a := want(t, s.name+": "+method, c.send(method, path+reference, nil, "Accept: text/plain"), 200)
				var d struct{ MediaType string }
				must(t, json.Unmarshal(s.manifest, &d))
				if a.Header.Get("Content-Type") != d.MediaType || a.Header.Get("Content-Length") != fmt.Sprint(len(s.manifest)) {
					t.Errorf("%s: %s has %v", s.name, method, a.Header)
				}
				if method == "GET" && string(a.Body) != string(s.manifest) {
					t.Errorf("%s: other bytes came back", s.name)
				}
			}
		}
	}
	var list struct{ Tags []string }
	c.JSON(c.send("GET", "/v2/"+name+"/tags/list", nil), &list)
	if len(list.Tags) != len(all) || list.Tags[0] != "t00" {
		t.Errorf("tags = %v, want %d of them", list.Tags, len(all))
	}
	c.JSON(c.send("GET", "/v2/"+name+"/tags/list?n=3&last=t015", nil), &list)
	if strings.Join(list.Tags, " ") != "t02 t03 t04" {
		t.Errorf("tags after t015 = %v", list.Tags)
	}
	walk(t, c, name, len(all))
	want(t, "n below 0", c.send("GET", "/v2/"+name+"/tags/list?n=-1", nil), 400, "PAGINATION_NUMBER_INVALID")
	referrers(t, c, name, all)
	a := want(t, "?tag=", c.send("PUT", path+sha256Of(all[0].manifest)+"?tag=a&tag=b&tag=c", all[0].manifest, "Content-Type: "+ociImage), 201)
	if got := a.Header.Values("OCI-Tag"); len(got) != 3 {
		t.Errorf("OCI-Tag = %v, want 3", got)
	}
	want(t, "delete of a child", c.send("DELETE", path+sha256Of(all[0].manifest), nil), 409, "MANIFEST_REFERENCED")
	want(t, "delete of a blob in use", c.send("DELETE", "/v2/"+name+"/blobs/"+sha256Of([]byte("{}")), nil), 405, "UNSUPPORTED")
	for i := range len(all) {
		s := all[len(all)-1-i]
		tag, digest := fmt.Sprintf("t%02d", len(all)-1-i), sha256Of(s.manifest)
		want(t, s.name+": delete the tag", c.send("DELETE", path+tag, nil), 202)
		want(t, s.name+": the tag", c.send("GET", path+tag, nil), 404, "MANIFEST_UNKNOWN")
		want(t, s.name+": the manifest stays", c.send("GET", path+digest, nil), 200)
	}
	for _, s := range []string{"nested index", "index", "index with subject", "build cache"} {
		for _, one := range all {
			if one.name == s {
				want(t, s+": delete", c.send("DELETE", path+sha256Of(one.manifest), nil), 202)
				want(t, s+": deleted", c.send("GET", path+sha256Of(one.manifest), nil), 404)
			}
		}
	}
	want(t, "delete the child now", c.send("DELETE", path+sha256Of(all[0].manifest), nil), 202)
	want(t, "its tag went along", c.send("HEAD", path+"a", nil), 404)
}

// walk follows the links of a list of tags.
func walk(t *testing.T, c *client, name string, most int) {
	t.Helper()
	seen := 0
	for path := "/v2/" + name + "/tags/list?n=2"; path != ""; {
		a := want(t, path, c.send("GET", path, nil), 200)
		var list struct{ Tags []string }
		c.JSON(a, &list)
		seen += len(list.Tags)
		path, _, _ = strings.Cut(strings.TrimPrefix(a.Header.Get("Link"), "<"), ">")
	}
	if seen != most {
		t.Errorf("the links lead to %d tags, want %d", seen, most)
	}
}

func referrers(t *testing.T, c *client, name string, all []set) {
	t.Helper()
	path := "/v2/" + name + "/referrers/" + sha256Of(all[0].manifest)
	var list struct {
		Manifests []struct {
			Digest, ArtifactType string
			Annotations          map[string]string
		}
	}
	c.JSON(c.send("GET", path, nil), &list)
	if len(list.Manifests) != 2 || list.Manifests[0].Annotations["k"] != "v" || list.Manifests[1].ArtifactType != "application/vnd.example.ix" {
		t.Errorf("referrers = %+v, want the two", list.Manifests)
	}
	a := c.send("GET", path+"?artifactType=application/vnd.example.test%2Btype", nil)
	c.JSON(a, &list)
	if len(list.Manifests) != 1 || a.Header.Get("OCI-Filters-Applied") != "artifactType" {
		t.Errorf("filtered referrers = %+v, %v", list.Manifests, a.Header)
	}
	a = c.send("GET", path+"?n=1", nil)
	c.JSON(a, &list)
	if len(list.Manifests) != 1 || !strings.Contains(a.Header.Get("Link"), "last=") {
		t.Errorf("first referrer = %+v, %v", list.Manifests, a.Header)
	}
}

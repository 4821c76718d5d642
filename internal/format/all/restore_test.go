package all_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"packhouse/internal/format/all"
	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
)

// upload is a request that publishes something.
type upload struct{ method, path, contentType, body string }

// sample is how a format publishes, and what its clients read. Paths are below
// /api/v4; P stands for the number of the project and G for that of the group.
type sample struct {
	publish func(name, version string) []upload
	indexes func(name, version string) []string
}

// samples are all formats that publish packages. Images have versions and a
// deletion of their own.
var samples = map[string]sample{
	"generic":          {genericUploads, genericIndexes},
	"maven":            {mavenUploads, mavenIndexes},
	"npm":              {npmUploads, npmIndexes},
	"nuget":            {nugetUploads, nugetIndexes},
	"pypi":             {pypiUploads, pypiIndexes},
	"terraform_module": {terraformUploads, terraformIndexes},
}

func genericUploads(name, version string) []upload {
	at := "/projects/P/packages/generic/" + name + "/" + version + "/"
	return []upload{{"PUT", at + "a.bin", "", name + version}, {"PUT", at + "dir/b.bin", "", strings.Repeat(version, 9000)}}
}

func genericIndexes(name, version string) []string {
	at := "/packages/generic/" + name + "/" + version + "/"
	return []string{"/projects/P" + at + "a.bin", "/projects/P" + at + "dir/b.bin"}
}

func mavenUploads(name, version string) []upload {
	at := "/projects/P/packages/maven/com/acme/" + name + "/" + version + "/" + name + "-" + version
	pom := "<project><modelVersion>4.0.0</modelVersion><groupId>com.acme</groupId><artifactId>" + name + "</artifactId><version>" + version + "</version></project>"
	return []upload{{"PUT", at + ".jar", "", "jar of " + version}, {"PUT", at + ".pom", "", pom}}
}

func mavenIndexes(name, version string) []string {
	of := "/maven/com/acme/" + name
	return []string{
		"/projects/P/packages" + of + "/maven-metadata.xml", "/groups/G/-/packages" + of + "/maven-metadata.xml",
		"/projects/P/packages" + of + "/maven-metadata.xml.sha1", "/projects/P/packages" + of + "/" + version + "/" + name + "-" + version + ".pom",
	}
}

func npmUploads(name, version string) []upload {
	manifest := map[string]any{"name": name, "version": version}
	text, _ := json.Marshal(manifest)
	data := tarred("package/package.json", string(text))
	sum := sha512.Sum512([]byte(data))
	manifest["dist"] = map[string]any{"integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum[:])}
	body, _ := json.Marshal(map[string]any{
		"_id": name, "name": name, "versions": map[string]any{version: manifest},
		"dist-tags": map[string]any{"latest": version, "line-" + version[:1]: version},
		"_attachments": map[string]any{name + "-" + version + ".tgz": map[string]any{
			"content_type": "application/octet-stream", "data": base64.StdEncoding.EncodeToString([]byte(data)), "length": len(data),
		}},
	})
	return []upload{{"PUT", "/projects/P/packages/npm/" + name, "application/json", string(body)}}
}

func npmIndexes(name, _ string) []string {
	return []string{
		"/projects/P/packages/npm/" + name, "/groups/G/-/packages/npm/" + name,
		"/projects/P/packages/npm/-/package/" + name + "/dist-tags", "/groups/G/-/packages/npm/-/package/" + name + "/dist-tags",
	}
}

func nugetUploads(name, version string) []upload {
	data := zipped(name+".nuspec", `<?xml version="1.0"?><package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata><id>`+
		name+`</id><version>`+version+`</version><authors>A</authors><description>D</description></metadata></package>`)
	return []upload{posted("PUT", "/projects/P/packages/nuget/", "package", "package.nupkg", data)}
}

func nugetIndexes(name, version string) []string {
	var list []string
	for _, place := range []string{"/projects/P/packages/nuget", "/groups/G/-/packages/nuget"} {
		list = append(list, place+"/download/"+name+"/index.json", place+"/metadata/"+name+"/index.json",
			place+"/metadata/"+name+"/"+version+".json", place+"/query?q="+name, place+"/v2/FindPackagesById()?id='"+name+"'")
	}
	return list
}

func pypiUploads(name, version string) []upload {
	info := name + "-" + version + ".dist-info/"
	wheel := zipped(info+"METADATA", "Metadata-Version: 2.1\nName: "+name+"\nVersion: "+version+"\n",
		info+"WHEEL", "Wheel-Version: 1.0\n", info+"RECORD", info+"METADATA,,\n"+info+"WHEEL,,\n"+info+"RECORD,,\n")
	sdist := tarred(name+"-"+version+"/PKG-INFO", "Metadata-Version: 2.1\nName: "+name+"\nVersion: "+version+"\n")
	fields := []string{":action", "file_upload", "protocol_version", "1", "name", name, "version", version}
	const at = "/projects/P/packages/pypi"
	return []upload{
		posted("POST", at, "content", name+"-"+version+"-py3-none-any.whl", wheel, append(fields, "filetype", "bdist_wheel", "pyversion", "py3")...),
		posted("POST", at, "content", name+"-"+version+".tar.gz", sdist, append(fields, "filetype", "sdist", "pyversion", "source")...),
	}
}

func pypiIndexes(name, _ string) []string {
	return []string{
		"/projects/P/packages/pypi/simple/" + name, "/groups/G/-/packages/pypi/simple/" + name,
		"/projects/P/packages/pypi/simple", "/groups/G/-/packages/pypi/simple",
	}
}

func terraformUploads(name, version string) []upload {
	return []upload{{"PUT", "/projects/P/packages/terraform/modules/" + name + "/aws/" + version + "/file", "", tarred("main.tf", "# "+version+"\n")}}
}

func terraformIndexes(name, version string) []string {
	const of = "/packages/terraform/modules/v1/acme/"
	return []string{of + name + "/aws/versions", of + name + "/aws", of + name + "/aws/" + version}
}

// posted is a form with a file and, before it, fields by name and value.
func posted(method, path, field, file, content string, fields ...string) upload {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		must(w.WriteField(fields[i], fields[i+1]))
	}
	part, err := w.CreateFormFile(field, file)
	must(err)
	_, err = io.WriteString(part, content)
	must(err)
	must(w.Close())
	return upload{method, path, w.FormDataContentType(), b.String()}
}

func zipped(namesAndContents ...string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(namesAndContents); i += 2 {
		e, err := w.Create(namesAndContents[i])
		must(err)
		_, err = io.WriteString(e, namesAndContents[i+1])
		must(err)
	}
	must(w.Close())
	return b.String()
}

func tarred(name, content string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	must(w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}))
	_, err := io.WriteString(w, content)
	must(err)
	must(w.Close())
	must(z.Close())
	return b.String()
}

// must is for what cannot fail: it writes to memory.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// trash is a world whose trash is tried.
type trash struct {
	*formattest.World
	group, project, other int64
}

func (w trash) send(t *rapid.T, method, path, body string, header ...string) formattest.Answer {
	path = strings.Replace(path, "/projects/P", fmt.Sprintf("/projects/%d", w.project), 1)
	path = strings.Replace(path, "/projects/O", fmt.Sprintf("/projects/%d", w.other), 1)
	path = strings.Replace(path, "/groups/G", fmt.Sprintf("/groups/%d", w.group), 1)
	a, err := w.Try(method, "/api/v4"+path, strings.NewReader(body), append(header, formattest.Root)...)
	if err != nil {
		t.Fatalf("%s %s = %v", method, path, err)
	}
	if a.Status >= 500 {
		t.Fatalf("%s %s = %d %s", method, path, a.Status, a.Body)
	}
	return a
}

// list reads a list of objects with a number.
func (w trash) list(t *rapid.T, path string) (ids []int64) {
	var list []struct{ ID int64 }
	a := w.send(t, "GET", path, "")
	if a.Status != http.StatusOK || json.Unmarshal(a.Body, &list) != nil {
		t.Fatalf("GET %s = %d %s, want a list", path, a.Status, a.Body)
	}
	for _, item := range list {
		ids = append(ids, item.ID)
	}
	return ids
}

// documents reads all indexes of a package as clients do, each with its status.
func (w trash) documents(t *rapid.T, s sample, name string, versions []string) map[string]string {
	all := map[string]string{}
	for _, version := range versions {
		for _, path := range s.indexes(name, version) {
			a := w.send(t, "GET", path, "")
			if a.Status != http.StatusOK { // the number of the request is in the body
				a.Body = nil
			}
			all[path] = fmt.Sprintf("%d %s\n%s", a.Status, a.Header.Get("Etag"), a.Body)
		}
	}
	p := fmt.Sprintf("/projects/P?statistics=true&name=%s", name)
	var counted struct{ Statistics map[string]any }
	if err := json.Unmarshal(w.send(t, "GET", p, "").Body, &counted); err != nil {
		t.Fatalf("GET %s: %v", p, err)
	}
	all["packages_size"] = fmt.Sprint(counted.Statistics["packages_size"])
	return all
}

// end deletes something of a package: a version, a file or, where the format has
// that, the whole.
func (w trash) end(t *rapid.T, format, name string) {
	versions := w.list(t, "/projects/P/packages?per_page=100&package_name="+name)
	if len(versions) == 0 {
		return
	}
	if format == "npm" && rapid.IntRange(0, 3).Draw(t, "whole") == 0 {
		if a := w.send(t, "DELETE", "/projects/P/packages/npm/"+name+"/-rev/1", ""); a.Status != http.StatusOK {
			t.Fatalf("unpublish = %d %s", a.Status, a.Body)
		}
		return
	}
	path := fmt.Sprintf("/projects/P/packages/%d", rapid.SampledFrom(versions).Draw(t, "version"))
	if rapid.Bool().Draw(t, "a file") {
		if files := w.list(t, path+"/package_files"); len(files) > 0 {
			path += fmt.Sprintf("/package_files/%d", rapid.SampledFrom(files).Draw(t, "file"))
		}
	}
	if a := w.send(t, "DELETE", path, ""); a.Status != http.StatusNoContent {
		t.Fatalf("DELETE %s = %d %s", path, a.Status, a.Body)
	}
}

// TestRestore publishes, deletes and restores at random, in every format: once all
// that was deleted is back, every index is byte for byte what it was, however the
// deletions and restores were mixed, and whatever was published in between and
// deleted again. A refused restore changes nothing.
//
// It runs few sequences; -rapid.checks=1000 looks further.
func TestRestore(t *testing.T) {
	if checks := flag.Lookup("rapid.checks").Value; checks.String() == "100" {
		_ = checks.Set("12")
	}
	w := trash{World: formattest.Start(t, func(o *house.Options) { o.Retention = time.Hour })}
	w.group = w.Group("acme", 0, "private")
	w.project, w.other = w.Project("tools", w.group, "private"), w.Project("other", w.group, "private")
	for _, f := range all.Formats() {
		if _, ok := samples[f.Name()]; !ok && f.Name() != "container" {
			t.Errorf("there is no sample of %s", f.Name())
		}
	}
	names := 0
	for format, s := range samples {
		t.Run(format, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				names++
				round{w, t, format, s, fmt.Sprintf("lib%dx", names)}.run()
			})
		})
	}
}

// round is one package's history.
type round struct {
	trash
	t      *rapid.T
	format string
	sample sample
	name   string
}

// publish publishes a version; to O instead of P it goes to another project of the
// group.
func (r round) publish(to, version string) {
	for _, u := range r.sample.publish(r.name, version) {
		u.path = strings.Replace(u.path, "/projects/P", "/projects/"+to, 1)
		header := []string{}
		if u.contentType != "" {
			header = append(header, "Content-Type: "+u.contentType)
		}
		if a := r.send(r.t, u.method, u.path, u.body, header...); a.Status/100 != 2 {
			r.t.Fatalf("%s %s = %d %s, want 2xx", u.method, u.path, a.Status, a.Body)
		}
	}
}

func (r round) trashed() []int64 {
	return r.list(r.t, "/projects/P/packages/trash?per_page=100&package_name="+r.name)
}

func (r round) restore(id int64) int {
	return r.send(r.t, "POST", fmt.Sprintf("/projects/P/packages/trash/%d/restore", id), "").Status
}

func (r round) run() {
	t := r.t
	versions := []string{"1.0.0", "1.1.0", "2.0.0"}[:rapid.IntRange(1, 3).Draw(t, "versions")]
	first := rapid.Bool().Draw(t, "other project first")
	if r.format != "terraform_module" && first { // whose names are in one project alone
		r.publish("O", "3.0.0")
	}
	for _, v := range versions {
		r.publish("P", v)
	}
	if r.format != "terraform_module" && !first {
		r.publish("O", "3.0.0")
	}
	before := r.documents(t, r.sample, r.name, versions)
	for path, text := range before {
		if path != "packages_size" && !strings.HasPrefix(text, "200 ") {
			t.Fatalf("GET %s = %s, want 200", path, text)
		}
	}
	var kept []int64 // what stays in the trash
	for range rapid.IntRange(1, 6).Draw(t, "steps") {
		switch rapid.IntRange(0, 2).Draw(t, "step") {
		case 0, 1:
			r.end(t, r.format, r.name)
		default:
			if ids := r.trashed(); len(ids) > 0 {
				r.restore(rapid.SampledFrom(ids).Draw(t, "item")) // of a file whose version is deleted it is refused
			}
		}
	}
	if rapid.Bool().Draw(t, "again") {
		kept = r.meanwhile(versions)
	}
	r.restoreAll(kept)
	if diff := cmp.Diff(before, r.documents(t, r.sample, r.name, versions)); diff != "" {
		t.Fatalf("documents after all was restored (-before +after):\n%s", diff)
	}
}

// meanwhile publishes versions that are deleted again, has their restore refused, and
// deletes what it published. It returns what it left in the trash.
func (r round) meanwhile(versions []string) []int64 {
	t := r.t
	ids := r.trashed()
	live := map[int64]bool{}
	for _, id := range r.list(t, "/projects/P/packages?package_name="+r.name) {
		live[id] = true
	}
	if len(live) > 0 || len(ids) == 0 {
		return nil // something would be published beside what is there
	}
	for _, v := range versions {
		r.publish("P", v)
	}
	taken := r.documents(t, r.sample, r.name, versions)
	for _, id := range ids {
		if status := r.restore(id); status != http.StatusConflict {
			t.Fatalf("restore of what was published again = %d, want 409", status)
		}
	}
	if diff := cmp.Diff(taken, r.documents(t, r.sample, r.name, versions)); diff != "" {
		t.Fatalf("documents after refused restores (-before +after):\n%s", diff)
	}
	for _, id := range r.list(t, "/projects/P/packages?per_page=100&package_name="+r.name) {
		if a := r.send(t, "DELETE", fmt.Sprintf("/projects/P/packages/%d", id), ""); a.Status != http.StatusNoContent {
			t.Fatalf("DELETE = %d %s", a.Status, a.Body)
		}
	}
	return r.trashed()[:len(r.trashed())-len(ids)]
}

// restoreAll restores the trash in random order, as often as something comes back.
func (r round) restoreAll(kept []int64) {
	for {
		left := map[int64]bool{}
		for _, id := range r.trashed() {
			left[id] = true
		}
		for _, id := range kept {
			delete(left, id)
		}
		if len(left) == 0 {
			return
		}
		back := 0
		for _, id := range rapid.Permutation(keys(left)).Draw(r.t, "order") {
			if r.restore(id) == http.StatusCreated {
				back++
			}
		}
		if back == 0 {
			r.t.Fatalf("nothing of %v comes back", left)
		}
	}
}

func keys(set map[int64]bool) (list []int64) {
	for id := range set {
		list = append(list, id)
	}
	return list
}

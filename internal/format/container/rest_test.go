package container_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"packhouse"
	"packhouse/internal/format/formattest"
)

// TestREST: the API lists what was pushed and deletes it, for those who may.
func TestREST(t *testing.T) {
	p := newPlace(t)
	_, err := p.push("hidden/secret", "root", []byte("at the root"))
	must(t, err)
	must(t, p.multi(secretName, "both", [][]byte{[]byte("shared")}))
	base := fmt.Sprintf("/api/v4/projects/%d/registry/repositories", p.secret)
	root := "Private-Token: " + formattest.RootToken
	var list []struct {
		ID                   int64
		Name, Path, Location string
		TagsCount            int `json:"tags_count"`
	}
	a := want(t, "list", p.Do("GET", base+"?tags_count=true", nil, root), 200)
	must(t, json.Unmarshal(a.Body, &list))
	if len(list) != 2 || list[0].Path != secretName || list[0].TagsCount != 2 || list[1].Name != "" || list[1].Path != "hidden/secret" || a.Header.Get("X-Total") != "2" {
		t.Fatalf("list = %s", a.Body)
	}
	one := fmt.Sprintf("%s/%d", base, list[0].ID)
	var tags []struct{ Name, Location string }
	p.JSON(p.Do("GET", one+"/tags", nil, root), &tags)
	if len(tags) != 2 || tags[0].Name != "1" || tags[0].Location != list[0].Location+":1" {
		t.Errorf("tags = %+v", tags)
	}
	var tag struct {
		Digest, Revision string
		TotalSize        int64 `json:"total_size"`
	}
	p.JSON(p.Do("GET", one+"/tags/1", nil, root), &tag)
	if tag.Digest != sha256Of(p.manifest) || len(tag.Revision) != 64 || tag.TotalSize <= int64(len(p.layer)) {
		t.Errorf("tag = %+v", tag)
	}
	tag.Revision = ""
	p.JSON(p.Do("GET", one+"/tags/both", nil, root), &tag)
	if tag.Revision != "" || tag.TotalSize <= 6 {
		t.Errorf("index = %+v", tag)
	}
	id, token := p.User("someone")
	mine := "Private-Token: " + token
	for _, r := range []struct{ method, path string }{{"GET", base}, {"GET", one + "/tags"}, {"GET", one + "/tags/1"}, {"DELETE", one + "/tags/1"}, {"DELETE", one}} {
		want(t, r.method+" as a stranger", p.Do(r.method, r.path, nil, mine), 404)
		want(t, r.method+" as nobody", p.Do(r.method, r.path, nil), map[string]int{"GET": 404, "DELETE": 401}[r.method])
		want(t, r.method+" through another project", p.Do(r.method, fmt.Sprintf("/api/v4/projects/%d/registry/repositories/%d/tags/1", p.open, list[0].ID), nil, root), 404)
	}
	p.Member("projects", p.secret, id, packhouse.Developer)
	want(t, "DELETE of a repository as a Developer", p.Do("DELETE", one, nil, mine), 403)
	want(t, "DELETE of a tag as a Developer", p.Do("DELETE", one+"/tags/1", nil, mine), 200)
	want(t, "DELETE of what is gone", p.Do("DELETE", one+"/tags/1", nil, mine), 404)
	want(t, "pull of it", p.send("GET", "/v2/"+secretName+"/manifests/1", nil), 404)
	must(t, p.pull(secretName, "both"))
	want(t, "DELETE of a repository", p.Do("DELETE", one, nil, root), 202)
	want(t, "pull from it", p.send("GET", "/v2/"+secretName+"/manifests/both", nil), 404)
	want(t, "a blob of it", p.send("GET", "/v2/"+secretName+"/blobs/"+sha256Of(p.layer), nil), 404)
	want(t, "its tags", p.Do("GET", one+"/tags", nil, root), 404)
	must(t, p.pull("hidden/secret", "root"))
	p.sound(t)
}

// TestSizeOfImages: a project is shown how many bytes of images it holds, where what
// two repositories have counts once.
func TestSizeOfImages(t *testing.T) {
	p := newPlace(t)
	root := "Private-Token: " + formattest.RootToken
	size := func(what string, want int64) {
		t.Helper()
		var shown struct {
			Statistics struct {
				Storage int64 `json:"storage_size"`
				Images  int64 `json:"container_registry_size"`
			}
		}
		p.JSON(p.Do("GET", fmt.Sprintf("/api/v4/projects/%d?statistics=true", p.secret), nil, root), &shown)
		if got := shown.Statistics; got.Images != want || got.Storage != want {
			t.Errorf("%s: %+v, want %d bytes", what, got, want)
		}
	}
	held := func(manifest []byte, layers ...int) (bytes int64) {
		var m struct{ Config struct{ Size int64 } }
		must(t, json.Unmarshal(manifest, &m))
		for _, l := range layers {
			bytes += int64(l)
		}
		return bytes + m.Config.Size + int64(len(manifest))
	}
	first := held(p.manifest, len(p.layer))
	size("an image", first)
	two, err := p.push("hidden/secret/two", "1", p.layer)
	must(t, err)
	size("another one with the same layer", first+held(two))
	want(t, "the same again", p.put("hidden/secret/two", "2", two), 201)
	size("the same again", first+held(two))
	three, err := p.push("hidden/secret/three", "1", p.layer, []byte("its own"))
	must(t, err)
	size("a third", first+held(two)+held(three, len("its own")))
	var list []struct {
		ID   int64
		Name string
	}
	base := fmt.Sprintf("/api/v4/projects/%d/registry/repositories", p.secret)
	p.JSON(p.Do("GET", base, nil, root), &list)
	for _, r := range list {
		if r.Name == "three" {
			want(t, "DELETE", p.Do("DELETE", fmt.Sprintf("%s/%d", base, r.ID), nil, root), 202)
		}
	}
	size("without the third", first+held(two))
	want(t, "DELETE of a manifest", p.send("DELETE", "/v2/hidden/secret/two/manifests/"+sha256Of(two), nil), 202)
	size("without a manifest", first+held(two)-int64(len(two)))
	p.sound(t)
}

// TestGroupRepositories: a group lists the repositories of those of its projects whose
// images somebody may list.
func TestGroupRepositories(t *testing.T) {
	p := newPlace(t)
	other := p.Project("other", p.group, "private")
	for i := range 3 {
		_, err := p.push(fmt.Sprintf("hidden/other/r%d", i), "1")
		must(t, err)
	}
	id, token := p.User("someone")
	paths := func(header, query string) string {
		var list []struct{ Path string }
		a := p.Do("GET", fmt.Sprintf("/api/v4/groups/%d/registry/repositories%s", p.group, query), nil, header)
		if a.Status != 200 {
			return fmt.Sprint(a.Status)
		}
		p.JSON(a, &list)
		names := []string{a.Header.Get("X-Total")}
		for _, r := range list {
			names = append(names, r.Path)
		}
		return fmt.Sprint(names)
	}
	mine, root := "Private-Token: "+token, "Private-Token: "+formattest.RootToken
	for _, step := range []struct{ what, header, query, want string }{
		{"an administrator", root, "", "[4 hidden/secret/api hidden/other/r0 hidden/other/r1 hidden/other/r2]"},
		{"a page", root, "?per_page=2&page=2", "[4 hidden/other/r1 hidden/other/r2]"},
		{"a page after the last", root, "?per_page=2&page=9", "[4]"},
		{"a stranger", mine, "", "404"},
		{"nobody", "X: x", "", "404"},
	} {
		if got := paths(step.header, step.query); got != step.want {
			t.Errorf("%s is shown %s, want %s", step.what, got, step.want)
		}
	}
	p.Member("projects", other, id, packhouse.Reporter)
	if got := paths(mine, ""); got != "[3 hidden/other/r0 hidden/other/r1 hidden/other/r2]" {
		t.Errorf("a Reporter of one project is shown %s", got)
	}
	p.Member("groups", p.group, id, packhouse.Guest)
	p.Dismiss("projects", other, id)
	if got := paths(mine, ""); got != "[0]" {
		t.Errorf("a Guest is shown %s", got)
	}
}

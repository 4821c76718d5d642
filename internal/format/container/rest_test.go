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

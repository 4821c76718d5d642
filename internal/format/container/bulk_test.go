package container_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/format/formattest"
)

// TestBulkUntag: the API takes away the tags that GitLab's would, of one repository,
// and their images stay where another tag has them.
func TestBulkUntag(t *testing.T) {
	p := newPlace(t)
	base := fmt.Sprintf("/api/v4/projects/%d/registry/repositories", p.secret)
	root := "Private-Token: " + formattest.RootToken
	manifest := want(t, "manifest", p.send("GET", "/v2/"+secretName+"/manifests/1", nil), 200)
	tag := func(name string) {
		t.Helper()
		a := p.Do("PUT", "/v2/"+secretName+"/manifests/"+name, strings.NewReader(string(manifest.Body)), root, "Content-Type: "+manifest.Header.Get("Content-Type"))
		want(t, "push of "+name, a, 201)
	}
	for _, name := range []string{"latest", "v1", "v2", "v3", "v10", "dev-1", "dev-2", "prod-1"} {
		tag(name)
	}
	var list []struct{ ID int64 }
	p.JSON(p.Do("GET", base, nil, root), &list)
	one := fmt.Sprintf("%s/%d/tags", base, list[0].ID)
	left := func() string {
		t.Helper()
		var tags []struct{ Name string }
		a := want(t, "tags", p.Do("GET", one+"?per_page=100", nil, root), 200)
		must(t, json.Unmarshal(a.Body, &tags))
		var names []string
		for _, t := range tags {
			names = append(names, t.Name)
		}
		return strings.Join(names, " ")
	}
	bulk := func(query string, status int, want string) {
		t.Helper()
		a := p.Do("DELETE", one+"?"+query, nil, root)
		if got := left(); a.Status != status || got != want {
			t.Errorf("DELETE %s = %d %s; left %q, want %d and %q", query, a.Status, a.Body, got, status, want)
		}
	}
	const all = "1 dev-1 dev-2 latest prod-1 v1 v10 v2 v3"
	for _, bad := range []string{
		"", "name_regex_keep=x", "name_regex_delete=(", "name_regex_delete=x&name_regex_keep=[", "name_regex_delete=x%00(", "name_regex=*",
		"name_regex_delete=.*&keep_n=-1", "name_regex_delete=.*&keep_n=x", "name_regex_delete=.*&older_than=soon",
		"name_regex_delete=" + strings.Repeat("x", 256), "name_regex_delete=" + url.QueryEscape("(?=x)x"),
	} {
		bulk(bad, 400, all)
	}
	bulk("name_regex_delete=v", 202, all)
	bulk("name_regex_delete=.*&older_than=1h", 202, all)
	bulk("name_regex_delete=.*&keep_n=100", 202, all)
	bulk("name_regex_delete=dev-.*&keep_n=1", 202, "1 dev-2 latest prod-1 v1 v10 v2 v3")
	bulk("name_regex="+url.QueryEscape(`v\d`), 202, "1 dev-2 latest prod-1 v10")
	bulk("name_regex_delete=.*&name_regex_keep=prod-.*", 202, "latest prod-1")
	want(t, "the image", p.send("GET", "/v2/"+secretName+"/manifests/prod-1", nil), 200)
	id, token := p.User("someone")
	p.Member("projects", p.secret, id, packhouse.Developer)
	want(t, "as a Developer", p.Do("DELETE", one+"?name_regex_delete=.*", nil, "Private-Token: "+token), 403)
	want(t, "through another project", p.Do("DELETE", fmt.Sprintf("/api/v4/projects/%d/registry/repositories/%d/tags?name_regex_delete=.*", p.open, list[0].ID), nil, root), 404)
	for i := range 1200 { // more than a page and several batches
		tag(fmt.Sprintf("n%d", i))
	}
	bulk(url.Values{"name_regex_delete": {`n\d+`}, "keep_n": {"1"}}.Encode(), 202, "latest n1199 prod-1")
	p.sound(t)
}

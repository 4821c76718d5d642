package api_test

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"packhouse"
	"packhouse/internal/format/formattest"
)

// images shows an image that was pushed with a token itself, as curl would.
func (b *book) images() {
	name := "/v2/" + strings.ToLower(b.Directory.PathOf(packhouse.Target{Level: packhouse.Project, ID: b.project})) + "/api"
	push := func(method, path, body string) {
		if a := b.Do(method, name+path, strings.NewReader(body), formattest.Root, "Content-Type: application/vnd.oci.image.manifest.v1+json"); a.Status != 201 {
			b.t.Fatalf("%s %s = %d %s", method, path, a.Status, a.Body)
		}
	}
	config := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("{}")))
	push("POST", "/blobs/uploads/?digest="+config, "{}")
	push("PUT", "/manifests/1.0", `{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"`+config+`","size":2},"layers":[]}`)
	repositories := fmt.Sprintf("/projects/%d/registry/repositories", b.project)
	b.show(root, "GET", repositories+"?tags=true&tags_count=true", "")
	b.show(root, "GET", repositories+"/1/tags", "")
	b.show(root, "GET", repositories+"/1/tags/1.0", "")
	b.show(root, "GET", fmt.Sprintf("/groups/%d/registry/repositories", b.group), "")
	policy := fmt.Sprintf("/projects/%d/registry/cleanup_policy", b.project)
	b.show(root, "GET", policy, "")
	b.show(root, "GET", policy+"/preview?name_regex_delete=1.*", "")
	b.show(root, "DELETE", repositories+"/1/tags/1.0", "")
	b.show(root, "DELETE", repositories+"/1/tags", `{"name_regex_delete":".*","name_regex_keep":"v.+","keep_n":5,"older_than":"7d"}`)
	b.show(root, "DELETE", repositories+"/1", "")
	b.end("images")
}

package clients_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"packhouse/test/packhousetest"
)

// exchange is one request of a client's, as it sends it, with the status that it
// needs and the fields of the answer that it reads.
type exchange struct {
	method, path, body string
	status             int
	reads              string // names, separated by blanks
	as                 string // remembers the id of the answer under this name
}

// replay sends the requests of a program that cannot be had where the tests run.
// {name} in a path or body is an id from an earlier answer.
func (w *world) replay(client string, list []exchange) {
	w.t.Helper()
	ids := []string{}
	for _, e := range list {
		fill := strings.NewReplacer(ids...)
		r, err := http.NewRequest(e.method, w.url+"/api/v4"+fill.Replace(e.path), strings.NewReader(fill.Replace(e.body)))
		if err != nil {
			w.t.Fatal(err)
		}
		r.Header.Set("Private-Token", packhousetest.RootToken)
		if strings.HasPrefix(e.body, "{") || e.body == "null" {
			r.Header.Set("Content-Type", "application/json")
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			w.t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != e.status {
			w.t.Fatalf("%s: %s %s = %d %s, %v, want %d", client, e.method, e.path, response.StatusCode, body, err, e.status)
		}
		var object map[string]any
		if e.reads != "" || e.as != "" {
			if err := json.Unmarshal(body, &object); err != nil {
				var list []map[string]any
				if json.Unmarshal(body, &list) != nil || len(list) == 0 {
					w.t.Fatalf("%s: %s %s gives %s", client, e.method, e.path, body)
				}
				object = list[0]
			}
		}
		for _, name := range strings.Fields(e.reads) {
			if _, there := object[name]; !there {
				w.t.Errorf("%s: %s %s has no %s", client, e.method, e.path, name)
			}
		}
		if e.as != "" {
			ids = append(ids, "{"+e.as+"}", fmt.Sprint(int64(object["id"].(float64))))
		}
	}
}

// glab's sign-in, its packages and its tokens.
func TestGlab(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.project("lib", w.group("acme", 0).ID)
	w.replay("glab", []exchange{
		{method: "GET", path: "/user", status: 200, reads: "id username name web_url"},
		{method: "GET", path: "/version", status: 200, reads: "version"},
		{method: "GET", path: "/projects/acme%2Flib?license=true&statistics=true&with_custom_attributes=true", status: 200,
			reads: "id path_with_namespace default_branch web_url permissions statistics", as: "project"},
		{method: "PUT", path: "/projects/{project}/packages/generic/app/1%2E0%2E0/app%2Ezip?select=package_file", body: "zip", status: 200,
			reads: "id package_id file_name size file_sha256 file"},
		{method: "GET", path: "/projects/{project}/packages?order_by=created_at&page=1&per_page=30&sort=desc", status: 200,
			reads: "id name version package_type status created_at", as: "package"},
		{method: "GET", path: "/projects/{project}/packages/{package}/package_files?page=1&per_page=30", status: 200, reads: "id file_name size"},
		{method: "GET", path: "/projects/{project}/packages/generic/app/1%2E0%2E0/app%2Ezip", status: 200},
		{method: "DELETE", path: "/projects/{project}/packages/{package}", status: 204},
		{method: "POST", path: "/user/personal_access_tokens", body: `{"name":"glab","scopes":["api"],"expires_at":"2099-01-02"}`, status: 201, reads: "id token", as: "token"},
		{method: "GET", path: "/personal_access_tokens?page=1&per_page=100&user_id=1", status: 200, reads: "id name active scopes"},
		{method: "POST", path: "/personal_access_tokens/{token}/rotate", body: "null", status: 200, reads: "id token expires_at", as: "next"},
		{method: "DELETE", path: "/personal_access_tokens/{next}", status: 204},
	})
}

// terraform-provider-gitlab: each resource is made, read back, changed, read back
// and removed.
func TestTerraformProvider(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.replay("terraform-provider-gitlab", []exchange{
		{method: "GET", path: "/user", status: 200, reads: "id username"},
		{method: "GET", path: "/metadata", status: 200, reads: "version revision enterprise"},
		{method: "POST", path: "/groups", status: 201, as: "group", reads: "id full_path visibility web_url",
			body: `{"name":"Acme","path":"acme","visibility":"private","lfs_enabled":true,"request_access_enabled":true,"project_creation_level":"maintainer","subgroup_creation_level":"owner","require_two_factor_authentication":false,"two_factor_grace_period":48}`},
		{method: "GET", path: "/groups/{group}?with_projects=false", status: 200, reads: "id name path full_name full_path description visibility parent_id"},
		{method: "PUT", path: "/groups/{group}", body: `{"description":"ours","name":"Acme Inc"}`, status: 200, reads: "description"},
		{method: "POST", path: "/projects", status: 201, as: "project", reads: "id path_with_namespace visibility ssh_url_to_repo http_url_to_repo web_url",
			body: `{"name":"lib","path":"lib","namespace_id":{group},"visibility":"private","issues_access_level":"disabled","builds_access_level":"private","pages_access_level":"private","container_registry_access_level":"enabled","merge_method":"merge","initialize_with_readme":false,"topics":["go"],"package_registry_access_level":"private"}`},
		{method: "GET", path: "/projects/{project}", status: 200, reads: "issues_access_level builds_access_level pages_access_level package_registry_access_level archived default_branch shared_with_groups"},
		{method: "PUT", path: "/projects/{project}", body: `{"description":"a library","packages_enabled":true,"wiki_access_level":"disabled"}`, status: 200, reads: "wiki_access_level"},
		{method: "POST", path: "/users", status: 201, as: "user", reads: "id username email is_admin external can_create_group",
			body: `{"email":"dana@example.net","username":"dana","name":"Dana","password":"correct horse battery","admin":false,"can_create_group":true,"skip_confirmation":true,"external":false,"projects_limit":0,"note":"made by terraform"}`},
		{method: "GET", path: "/users/{user}", status: 200, reads: "id username name email state is_admin note"},
		{method: "POST", path: "/groups/{group}/members", body: `{"user_id":{user},"access_level":20,"expires_at":""}`, status: 201, reads: "id access_level"},
		{method: "GET", path: "/groups/{group}/members/{user}", status: 200, reads: "access_level expires_at"},
		{method: "POST", path: "/projects/{project}/members", body: `{"user_id":{user},"access_level":30}`, status: 201, reads: "id access_level"},
		{method: "GET", path: "/projects/{project}/members/{user}", status: 200, reads: "access_level"},
		{method: "PUT", path: "/projects/{project}/members/{user}", body: `{"access_level":40}`, status: 200, reads: "access_level"},
		{method: "DELETE", path: "/projects/{project}/members/{user}", status: 204},
		{method: "POST", path: "/groups", body: `{"name":"Crew","path":"crew"}`, status: 201, as: "crew"},
		{method: "POST", path: "/projects/{project}/share", body: `{"group_id":{crew},"group_access":30}`, status: 201, reads: "group_id group_access"},
		{method: "GET", path: "/projects/{project}", status: 200, reads: "shared_with_groups"},
		{method: "DELETE", path: "/projects/{project}/share/{crew}", status: 204},
		{method: "POST", path: "/users/{user}/personal_access_tokens", body: `{"name":"tf","scopes":["api","read_user"],"expires_at":"2099-01-02"}`, status: 201, as: "pat", reads: "token active revoked"},
		{method: "GET", path: "/personal_access_tokens/{pat}", status: 200, reads: "id name user_id scopes active revoked expires_at"},
		{method: "DELETE", path: "/personal_access_tokens/{pat}", status: 204},
		{method: "POST", path: "/projects/{project}/access_tokens", body: `{"name":"robot","scopes":["api"],"access_level":40,"expires_at":"2099-01-02"}`, status: 201, as: "robot", reads: "token access_level user_id"},
		{method: "GET", path: "/projects/{project}/access_tokens/{robot}", status: 200, reads: "id name active revoked access_level scopes expires_at"},
		{method: "DELETE", path: "/projects/{project}/access_tokens/{robot}", status: 204},
		{method: "POST", path: "/projects/{project}/deploy_tokens", body: `{"name":"pull","username":"puller","expires_at":"2099-01-02T00:00:00Z","scopes":["read_package_registry"]}`, status: 201, as: "deploy", reads: "token username expires_at"},
		{method: "GET", path: "/projects/{project}/deploy_tokens/{deploy}", status: 200, reads: "id name username scopes expires_at"},
		{method: "DELETE", path: "/projects/{project}/deploy_tokens/{deploy}", status: 204},
		{method: "GET", path: "/projects/{project}/job_token_scope", status: 200, reads: "inbound_enabled"},
		{method: "POST", path: "/projects/{project}/job_token_scope/groups_allowlist", body: `{"target_group_id":{crew}}`, status: 201, reads: "source_project_id target_group_id"},
		{method: "GET", path: "/projects/{project}/job_token_scope/groups_allowlist?page=1&per_page=20", status: 200, reads: "id name"},
		{method: "DELETE", path: "/projects/{project}/job_token_scope/groups_allowlist/{crew}", status: 204},
		{method: "PATCH", path: "/projects/{project}/job_token_scope", body: `{"enabled":false}`, status: 204},
		{method: "PUT", path: "/application/settings", body: `{"default_project_visibility":"private","signup_enabled":false,"gravatar_enabled":false,"session_expire_delay":10080}`, status: 200, reads: "signup_enabled gravatar_enabled session_expire_delay"},
		{method: "GET", path: "/application/settings", status: 200, reads: "default_project_visibility session_expire_delay"},
		{method: "DELETE", path: "/projects/{project}", status: 202},
		{method: "DELETE", path: "/users/{user}", status: 204},
		{method: "DELETE", path: "/groups/{group}", status: 202},
	})
}

package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// What is wrong with a parameter, in GitLab's shapes: "error" before the handler
// looks at anything, "message" by attribute for a record that cannot be saved.
func TestValidation(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.person("dana", 40)
	p, g := fmt.Sprintf("/projects/%d", s.project), fmt.Sprintf("/groups/%d", s.group)
	path := `"can contain only letters, digits, '_', '-' and '.'. Cannot start with '-', end in '.git' or '.atom'"`
	in := fmt.Sprintf(`"namespace_id":%d`, s.group)
	long := strings.Repeat("é", 256)
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "/users", `{}`, 400, `{"error":"username is missing"}`},
		{"POST", "/users", `{"username":""}`, 400, `{"error":"username is missing"}`},
		{"POST", "/users", `{"username":"a b"}`, 400, `{"message":{"username":[` + path + `]}}`},
		{"POST", "/users", `{"username":"dana"}`, 400, `{"message":{"username":["has already been taken"]}}`},
		{"POST", "/users", `{"username":"DANA"}`, 400, `{"message":{"username":["has already been taken"]}}`},
		{"POST", "/users", `{"username":"acme"}`, 400, `{"message":{"path":["has already been taken"]}}`},
		{"POST", "/users", `{"username":"x","admin":"perhaps"}`, 400, `{"error":"admin is invalid"}`},
		{"POST", "/users", `{"username":"x","external":"perhaps"}`, 400, `{"error":"external is invalid"}`},
		{"POST", "/users", `{"username":"x","name":"` + long + `"}`, 400, `{"message":{"name":["is too long (maximum is 255 characters)"]}}`},

		{"POST", "/users/x/personal_access_tokens", `{"name":"x","scopes":["api"]}`, 404, `{"message":"404 User Not Found"}`},
		{"POST", "/users/0/personal_access_tokens", `{"name":"x","scopes":["api"]}`, 404, `{"message":"404 User Not Found"}`},
		{"POST", "/users/999/personal_access_tokens", `{"name":"x","scopes":["api"]}`, 404, `{"message":"404 User Not Found"}`},
		{"POST", "/users/2/personal_access_tokens", `{"scopes":["api"]}`, 400, `{"error":"name is missing"}`},
		{"POST", "/users/2/personal_access_tokens", `{"name":"x"}`, 400, `{"error":"scopes is missing"}`},
		{"POST", "/users/2/personal_access_tokens", `{"name":"x","scopes":["api","root"]}`, 400, `{"error":"scopes does not have a valid value"}`},
		{"POST", "/users/2/personal_access_tokens", `{"name":"x","scopes":["api"],"expires_at":"soon"}`, 400, `{"error":"expires_at is invalid"}`},
		{"POST", "/users/2/personal_access_tokens", `{"name":"x","scopes":["api"],"expires_at":"2030-02-30"}`, 400, `{"error":"expires_at is invalid"}`},
		{"POST", "/users/2/personal_access_tokens", `{"name":"` + long + `","scopes":["api"]}`, 400, `{"message":{"name":["is too long (maximum is 255 characters)"]}}`},

		{"POST", "/groups", `{"path":"x"}`, 400, `{"error":"name is missing"}`},
		{"POST", "/groups", `{"name":"x"}`, 400, `{"error":"path is missing"}`},
		{"POST", "/groups", `{"name":"x","path":"-x"}`, 400, `{"message":{"path":[` + path + `]}}`},
		{"POST", "/groups", `{"name":"x","path":"x.git"}`, 400, `{"message":{"path":[` + path + `]}}`},
		{"POST", "/groups", `{"name":"x","path":"a/b"}`, 400, `{"message":{"path":[` + path + `]}}`},
		{"POST", "/groups", `{"name":"x","path":".."}`, 400, `{"message":{"path":[` + path + `]}}`},
		{"POST", "/groups", `{"name":"x","path":"acme"}`, 400, `{"message":{"path":["has already been taken"]}}`},
		{"POST", "/groups", `{"name":"x","path":"Dana"}`, 400, `{"message":{"path":["has already been taken"]}}`},
		{"POST", "/groups", `{"name":"x","path":"123"}`, 400, `{"message":{"path":["can't be all digits, because that would be read as an id"]}}`},
		{"POST", "/groups", `{"name":"x","path":"x","visibility":"secret"}`, 400, `{"error":"visibility does not have a valid value"}`},
		{"POST", "/groups", `{"name":"x","path":"x","parent_id":"acme"}`, 400, `{"error":"parent_id is invalid"}`},
		{"POST", "/groups", `{"name":"x","path":"x","parent_id":999}`, 404, `{"message":"404 Group Not Found"}`},
		{"POST", "/groups", `{"name":"x","path":"x","parent_id":-1}`, 404, `{"message":"404 Group Not Found"}`},
		{"POST", "/groups", fmt.Sprintf(`{"name":"x","path":"x","parent_id":%d,"visibility":"public"}`, s.group), 400, `{"message":{"visibility_level":["public is not allowed because acme has private visibility"]}}`},
		{"POST", "/groups", fmt.Sprintf(`{"name":"x","path":"tools","parent_id":%d}`, s.group), 400, `{"message":{"path":["has already been taken"]}}`},

		{"POST", "/projects", `{` + in + `}`, 400, `{"error":"name is missing"}`},
		{"POST", "/projects", `{"name":"x","namespace_id":"acme"}`, 400, `{"error":"namespace_id is invalid"}`},
		{"POST", "/projects", `{"name":"x","namespace_id":999}`, 404, `{"message":"404 Group Not Found"}`},
		{"POST", "/projects", `{"name":"Tools",` + in + `}`, 400, `{"message":{"path":["has already been taken"]}}`},
		{"POST", "/projects", `{"name":"日本",` + in + `}`, 400, `{"error":"path is missing"}`},
		{"POST", "/projects", `{"path":"a b",` + in + `}`, 400, `{"message":{"path":[` + path + `]}}`},
		{"POST", "/projects", `{"path":"x","name":"` + long + `",` + in + `}`, 400, `{"message":{"name":["is too long (maximum is 255 characters)"]}}`},
		{"POST", "/projects", `{"path":"x","visibility":"open",` + in + `}`, 400, `{"error":"visibility does not have a valid value"}`},
		{"POST", "/projects", `{"path":"x","visibility":"internal",` + in + `}`, 400, `{"message":{"visibility_level":["internal is not allowed because acme has private visibility"]}}`},
		{"POST", "/projects", `{"path":"x","packages_enabled":"perhaps",` + in + `}`, 400, `{"error":"packages_enabled is invalid"}`},
		{"POST", "/projects", `{"path":"x","package_registry_access_level":"some",` + in + `}`, 400, `{"error":"package_registry_access_level does not have a valid value"}`},
		{"POST", "/projects", `{"path":"x","archived":"perhaps",` + in + `}`, 400, `{"error":"archived is invalid"}`},
		{"POST", "/projects", `{"path":"x","id":"a",` + in + `}`, 400, `{"error":"id is invalid"}`},
		{"POST", "/projects", `{"path":"x","id":0,` + in + `}`, 400, `{"error":"id is invalid"}`},
		{"POST", "/projects", `{"path":"x","id":-5,` + in + `}`, 400, `{"error":"id is invalid"}`},
		{"POST", "/projects", `{"path":"x","id":9223372036854775807,` + in + `}`, 400, `{"error":"id is invalid"}`},
		{"POST", "/projects", fmt.Sprintf(`{"path":"x","id":%d,%s}`, s.project, in), 400, `{"message":{"id":["has already been taken"]}}`},
		{"PUT", p, `{"visibility":"public"}`, 400, `{"message":{"visibility_level":["public is not allowed because acme has private visibility"]}}`},
		{"PUT", p, `{"name":"` + long + `"}`, 400, `{"message":{"name":["is too long (maximum is 255 characters)"]}}`},

		{"POST", p + "/members", `{"access_level":30}`, 404, `{"message":"404 User Not Found"}`},
		{"POST", p + "/members", `{"user_id":"dana","access_level":30}`, 400, `{"error":"user_id is invalid"}`},
		{"POST", p + "/members", `{"user_id":999,"access_level":30}`, 404, `{"message":"404 User Not Found"}`},
		{"POST", p + "/members", `{"username":"none","access_level":30}`, 404, `{"message":"404 User Not Found"}`},
		{"POST", p + "/members", `{"username":"dana"}`, 400, `{"error":"access_level is missing"}`},
		{"POST", p + "/members", `{"username":"dana","access_level":"Developer"}`, 400, `{"error":"access_level is invalid"}`},
		{"POST", p + "/members", `{"username":"dana","access_level":33}`, 400, `{"error":"access_level does not have a valid value"}`},
		{"POST", p + "/members", `{"username":"dana","access_level":0}`, 400, `{"error":"access_level does not have a valid value"}`},
		{"POST", p + "/members", `{"username":"dana","access_level":60}`, 400, `{"error":"access_level does not have a valid value"}`},
		{"POST", p + "/members", `{"username":"dana","access_level":50,"expires_at":"never"}`, 400, `{"error":"expires_at is invalid"}`},
		{"POST", g + "/members", `{"username":"dana","access_level":40}`, 409, `{"message":"Member already exists"}`},
		{"POST", p + "/members", `{"username":"dana","access_level":30}`, 400, `{"message":{"access_level":["should be greater than or equal to Maintainer inherited membership from group acme"]}}`},
		{"DELETE", p + "/members/x", ``, 404, `{"message":"404 Member Not Found"}`},
		{"DELETE", p + "/members/999", ``, 404, `{"message":"404 Member Not Found"}`},
		{"DELETE", p + "/members/2", ``, 404, `{"message":"404 Member Not Found"}`}, // is one of the group

		{"POST", p + "/access_tokens", `{"scopes":["api"]}`, 400, `{"error":"name is missing"}`},
		{"POST", p + "/access_tokens", `{"name":"x","scopes":["api"],"access_level":5}`, 400, `{"error":"access_level does not have a valid value"}`},
		{"POST", p + "/access_tokens", `{"name":"x","scopes":["api"],"access_level":"x"}`, 400, `{"error":"access_level is invalid"}`},
		{"POST", p + "/access_tokens", `{"name":"x","scopes":["api"],"expires_at":"x"}`, 400, `{"error":"expires_at is invalid"}`},
		{"GET", p + "/access_tokens?state=dead", ``, 400, `{"error":"state does not have a valid value"}`},
		{"DELETE", p + "/access_tokens/x", ``, 404, `{"message":"404 Token Not Found"}`},
		{"DELETE", p + "/access_tokens/999", ``, 404, `{"message":"404 Token Not Found"}`},
		{"DELETE", p + "/access_tokens/1", ``, 404, `{"message":"404 Token Not Found"}`}, // is the administrator's

		{"POST", p + "/deploy_tokens", `{"scopes":["read_package_registry"]}`, 400, `{"error":"name is missing"}`},
		{"POST", p + "/deploy_tokens", `{"name":"x","scopes":["api"]}`, 400, `{"error":"scopes does not have a valid value"}`},
		{"POST", p + "/deploy_tokens", `{"name":"x","scopes":["read_package_registry","read_api"]}`, 400, `{"error":"scopes does not have a valid value"}`},
		{"POST", p + "/deploy_tokens", `{"name":"x","scopes":["write_repository"]}`, 400, `{"error":"scopes does not have a valid value"}`},
		{"POST", p + "/deploy_tokens", `{"name":"x"}`, 400, `{"error":"scopes is missing"}`},
		{"GET", p + "/deploy_tokens?active=perhaps", ``, 400, `{"error":"active is invalid"}`},

		{"POST", "/job_tokens", `{}`, 400, `{"error":"project is missing"}`},
		{"POST", "/job_tokens", `{"project":"none"}`, 404, `{"message":"404 Project Not Found"}`},
		{"POST", "/job_tokens", `{"project":"acme/tools","user":"none"}`, 404, `{"message":"404 User Not Found"}`},
		{"POST", "/job_tokens", `{"project":"acme/tools","user":"999"}`, 404, `{"message":"404 User Not Found"}`},
		{"POST", "/job_tokens", `{"project":"acme/tools","ttl_seconds":0}`, 400, `{"error":"ttl_seconds does not have a valid value"}`},
		{"POST", "/job_tokens", `{"project":"acme/tools","ttl_seconds":-1}`, 400, `{"error":"ttl_seconds does not have a valid value"}`},
		{"POST", "/job_tokens", `{"project":"acme/tools","ttl_seconds":86401}`, 400, `{"error":"ttl_seconds does not have a valid value"}`},
		{"POST", "/job_tokens", `{"project":"acme/tools","ttl_seconds":"1h"}`, 400, `{"error":"ttl_seconds is invalid"}`},
		{"POST", "/job_tokens", `{"project":"acme/tools","job":{"id":-1}}`, 400, `{"error":"job[id] is invalid"}`},
		{"POST", "/job_tokens", `{"project":"acme/tools","job":{"id":"x"}}`, 400, `{"error":"job[id] is invalid"}`},
		{"POST", "/job_tokens", `{"project":"acme/tools","pipeline":{"iid":1.5}}`, 400, `{"error":"pipeline[iid] is invalid"}`},
		{"POST", "/job_tokens", `{"project":"acme/tools","ref_protected":"perhaps"}`, 400, `{"error":"ref_protected is invalid"}`},
		{"POST", "/job_tokens", `{"project":"acme/tools","permissions":["ALL"]}`, 400, `{"error":"permissions does not have a valid value"}`},
		{"POST", "/job_tokens/x/finish", `{}`, 404, `{"message":"404 Project Not Found"}`},
		{"POST", "/job_tokens/999/finish", `{}`, 404, `{"message":"404 Project Not Found"}`},
		{"POST", "/job_tokens/1/finish", `{}`, 404, `{"message":"404 Project Not Found"}`}, // is a person's

		{"PATCH", p + "/job_token_scope", `{}`, 400, `{"error":"enabled is missing"}`},
		{"POST", p + "/job_token_scope/allowlist", `{}`, 400, `{"error":"target_project_id is missing"}`},
		{"POST", p + "/job_token_scope/allowlist", `{"target_project_id":"acme/tools"}`, 400, `{"error":"target_project_id is invalid"}`},
		{"POST", p + "/job_token_scope/allowlist", `{"target_project_id":999}`, 404, `{"message":"404 Project Not Found"}`},
		{"POST", p + "/job_token_scope/allowlist", fmt.Sprintf(`{"target_project_id":%d}`, s.project), 400, `{"message":"400 Bad request - the project is always on its own allowlist"}`},
		{"DELETE", p + "/job_token_scope/allowlist/x", ``, 404, `{"message":"404 Not Found"}`},
		{"DELETE", p + "/job_token_scope/allowlist/999", ``, 404, `{"message":"404 Not Found"}`},
		{"POST", p + "/job_token_scope/groups_allowlist", `{}`, 400, `{"error":"target_group_id is missing"}`},
		{"POST", p + "/job_token_scope/groups_allowlist", `{"target_group_id":999}`, 404, `{"message":"404 Group Not Found"}`},
		{"POST", p + "/job_token_scope/groups_allowlist", `{"target_group_id":1}`, 404, `{"message":"404 Group Not Found"}`}, // is root's own namespace
		{"DELETE", p + "/job_token_scope/groups_allowlist/999", ``, 404, `{"message":"404 Not Found"}`},

		{"GET", p + "/packages?page=0", ``, 400, `{"error":"page does not have a valid value"}`},
		{"GET", p + "/packages?page=x", ``, 400, `{"error":"page is invalid"}`},
		{"GET", p + "/packages?per_page=0", ``, 400, `{"error":"per_page does not have a valid value"}`},
		{"GET", p + "/packages?per_page=-1", ``, 400, `{"error":"per_page does not have a valid value"}`},
		{"GET", p + "/packages?package_type=x", ``, 400, `{"error":"package_type does not have a valid value"}`},
		{"GET", p + "/packages?status=x", ``, 400, `{"error":"status does not have a valid value"}`},
		{"GET", p + "/packages?order_by=x", ``, 400, `{"error":"order_by does not have a valid value"}`},
		{"GET", p + "/packages?sort=up", ``, 400, `{"error":"sort does not have a valid value"}`},
		{"GET", p + "/packages/x", ``, 404, `{"message":"404 Package Not Found"}`},
		{"GET", p + "/packages/0", ``, 404, `{"message":"404 Package Not Found"}`},
		{"GET", p + "/packages/999", ``, 404, `{"message":"404 Package Not Found"}`},
		{"GET", p + "/packages/999/package_files", ``, 404, `{"message":"404 Package Not Found"}`},
		{"GET", p + "/packages/999/package_files?order_by=size", ``, 400, `{"error":"order_by does not have a valid value"}`},
		{"GET", p + "/packages/999/package_files/1/download", ``, 404, `{"message":"404 Package Not Found"}`},
		{"DELETE", p + "/packages/999", ``, 404, `{"message":"404 Package Not Found"}`},
		{"DELETE", p + "/packages/999/package_files/1", ``, 404, `{"message":"404 Package Not Found"}`},

		{"GET", "/nothing", ``, 404, `{"error":"404 Not Found"}`},
		{"GET", p + "/nothing", ``, 404, `{"error":"404 Not Found"}`},
		{"PATCH", p, `{}`, 405, `{"error":"405 Not Allowed"}`},
	} {
		s.want(root, test.method, test.path, test.body, test.status, test.want)
	}
	if list := s.list(root, p+"/access_tokens"); len(list) != 0 {
		t.Errorf("refused requests have left tokens: %v", list)
	}
}

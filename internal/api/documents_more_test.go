package api_test

import "fmt"

func (b *book) tokensOfPlaces() {
	for _, place := range []string{fmt.Sprintf("/projects/%d", b.project), fmt.Sprintf("/groups/%d", b.group)} {
		for _, one := range []struct{ path, all, least string }{
			{
				"/access_tokens", `{"name":"robot","scopes":["api"],"access_level":30,"expires_at":"2030-01-02"}`,
				`{"name":"robot","scopes":["api","read_api"]}`,
			},
			{
				"/deploy_tokens", `{"name":"puller","scopes":["read_package_registry"],"username":"pull","expires_at":"2030-01-02T03:04:05Z"}`,
				`{"name":"puller","scopes":["write_package_registry"]}`,
			},
		} {
			id := b.made(root, "POST", place+one.path, one.all)
			b.show(root, "POST", place+one.path, one.least)
			b.show(root, "GET", place+one.path, "")
			b.show(root, "DELETE", fmt.Sprintf("%s%s/%d", place, one.path, id), "")
			b.show(root, "GET", place+one.path, "")
		}
	}
	b.end("tokens")
}

func (b *book) jobs() {
	body := fmt.Sprintf(`{
		"project": "%d", "user": "dana", "ttl_seconds": 600,
		"job": {"id": 88112, "name": "publish", "stage": "deploy", "web_url": "https://ci.example.net/acme/88112"},
		"pipeline": {"id": 5120, "iid": 77, "source": "push", "status": "running", "web_url": "https://ci.example.net/acme/p/5120"},
		"ref": "v2.3.0", "ref_type": "tag", "ref_protected": true, "sha": "5f0c1d7e9a41b6cc02d4e7f38a9b10c2d3e4f506",
		"permissions": ["READ_PACKAGES", "ADMIN_PACKAGES"]}`, b.project)
	b.show(b.as("dana"), "POST", "/job_tokens", body)
	b.show(b.as("dana"), "POST", "/job_tokens", `{"project":"acme/tools"}`)
	b.show("Job-Token: "+b.JobToken(b.project, 2, `"job":{"id":7,"name":"test"},"sha":"5f0c1d7e9a41"`), "GET", "/job", "")
	id := b.made(root, "POST", "/job_tokens", body)
	b.show(root, "POST", fmt.Sprintf("/job_tokens/%d/finish", id), `{"status":"success"}`)
	b.show(root, "POST", fmt.Sprintf("/job_tokens/%d/finish", id), "")
	b.show(root, "DELETE", fmt.Sprintf("/job_tokens/%d", id), "")
	b.end("jobs")
}

func (b *book) allowlist() {
	scope := fmt.Sprintf("/projects/%d/job_token_scope", b.project)
	b.show(b.as("dana"), "GET", scope, "")
	b.show(b.as("dana"), "PATCH", scope, `{"enabled":false}`)
	b.show(b.as("dana"), "GET", scope, "")
	b.show(b.as("dana"), "POST", scope+"/allowlist", `{"target_project_id":1000}`)
	b.show(b.as("dana"), "GET", scope+"/allowlist", "")
	b.show(b.as("dana"), "DELETE", scope+"/allowlist/1000", "")
	b.show(b.as("dana"), "POST", scope+"/groups_allowlist", fmt.Sprintf(`{"target_group_id":%d}`, b.group))
	b.show(b.as("dana"), "GET", scope+"/groups_allowlist", "")
	b.show(b.as("dana"), "DELETE", fmt.Sprintf("%s/groups_allowlist/%d", scope, b.group), "")
	b.show(b.as("dana"), "GET", scope+"/groups_allowlist", "")
	b.end("allowlist")
}

func (b *book) settings() {
	for _, place := range []string{fmt.Sprintf("/projects/%d", b.project), fmt.Sprintf("/groups/%d", b.group)} {
		b.show(root, "GET", place+"/package_settings", "")
		b.show(root, "PUT", place+"/package_settings", `{"generic_duplicates_allowed":false,"generic_duplicate_exception_regex":".*-SNAPSHOT"}`)
		b.show(root, "GET", place+"/package_settings", "")
	}
	b.show(root, "PUT", fmt.Sprintf("/groups/%d/package_settings", b.group), `{"guest_can_pull_private":true}`)
	b.end("settings")
}

func (b *book) packages() {
	packages := fmt.Sprintf("/projects/%d/packages", b.project)
	b.publish(b.project, "tool/1.0/app.tar.gz", "hello")
	b.publish(b.project, "tool/1.0/dir/b+c~d", "hello", "Private-Token: "+b.PersonalToken(b.ids["dana"], "api"))
	b.publish(b.project, "tool/1.1/app.tar.gz", "hello", "Job-Token: "+b.JobToken(b.project, 2, `"pipeline":{"id":5,"web_url":"https://ci.example.net/5"},"sha":"5f0c","ref":"main"`))
	reader := "Private-Token: " + b.PersonalToken(b.ids["dana"], "read_api")
	b.show(root, "GET", packages, "")
	b.show(reader, "GET", packages+"?package_version=1.1", "")
	b.show(root, "GET", packages+"/1", "")
	b.show(root, "GET", packages+"/1/package_files", "")
	b.show(root, "GET", packages+"/2/package_files", "")
	b.show(root, "GET", packages+"/1/package_files/1/download", "")
	b.show(root, "DELETE", packages+"/1/package_files/1", "")
	b.show(root, "DELETE", packages+"/1", "")
	b.show(root, "GET", packages, "")
	b.end("packages")
}

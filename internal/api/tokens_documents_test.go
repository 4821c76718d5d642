package api_test

import "fmt"

func (b *book) tokensOfPeople() {
	dana := b.as("dana")
	b.show(dana, "POST", "/user/personal_access_tokens", `{"name":"work","scopes":["api"],"description":"for work"}`)
	b.show(dana, "GET", "/personal_access_tokens?sort=name_asc&search=work", "")
	b.show(root, "GET", "/personal_access_tokens?per_page=1&state=active&revoked=false&created_after=2020-01-01", "")
	b.show(dana, "GET", "/personal_access_tokens/self", "")
	b.show(dana, "GET", "/personal_access_tokens/self/associations", "")
	id := b.made(dana, "POST", "/user/personal_access_tokens", `{"name":"old","scopes":["read_api"]}`)
	b.show(dana, "GET", fmt.Sprintf("/personal_access_tokens/%d", id), "")
	b.show(dana, "POST", fmt.Sprintf("/personal_access_tokens/%d/rotate", id), `{"expires_at":"2030-01-02"}`)
	b.show(dana, "DELETE", fmt.Sprintf("/personal_access_tokens/%d", id+1), "")
	for _, end := range []struct{ method, path string }{{"POST", "/rotate"}, {"DELETE", ""}} {
		secret := b.secret(dana, "/user/personal_access_tokens", `{"name":"short","scopes":["api"]}`)
		b.show("Private-Token: "+secret, end.method, "/personal_access_tokens/self"+end.path, "")
	}
	b.show(root, "POST", "/users/2/impersonation_tokens", `{"name":"help","scopes":["api"]}`)
	b.show(root, "GET", "/users/2/impersonation_tokens?state=all", "")
	made := b.list(root, "/users/2/impersonation_tokens")[0]["id"]
	b.show(root, "GET", fmt.Sprintf("/users/2/impersonation_tokens/%v", made), "")
	b.show(root, "DELETE", fmt.Sprintf("/users/2/impersonation_tokens/%v", made), "")
	b.show(root, "GET", "/deploy_tokens?active=true&per_page=1", "")
	b.end("tokens_people")
	for _, place := range []string{fmt.Sprintf("/projects/%d", b.project), fmt.Sprintf("/groups/%d", b.group)} {
		id := b.made(root, "POST", place+"/access_tokens", `{"name":"robot","scopes":["api"],"access_level":30}`)
		b.show(root, "GET", fmt.Sprintf("%s/access_tokens/%d", place, id), "")
		b.show(root, "POST", fmt.Sprintf("%s/access_tokens/%d/rotate", place, id), "")
		secret := b.secret(root, place+"/access_tokens", `{"name":"itself","scopes":["self_rotate"],"access_level":30}`)
		b.show("Private-Token: "+secret, "POST", place+"/access_tokens/self/rotate", "")
		deploy := b.made(root, "POST", place+"/deploy_tokens", `{"name":"puller","scopes":["read_package_registry"]}`)
		b.show(root, "GET", fmt.Sprintf("%s/deploy_tokens/%d", place, deploy), "")
	}
	b.end("tokens_more")
}

package api_test

import "fmt"

func (b *book) people() {
	b.show(root, "GET", "/users?username=ERIN", "")
	b.show(b.as("dana"), "GET", "/users?search=erin&per_page=1", "")
	b.show(b.as("dana"), "GET", "/users/3", "")
	b.show(root, "PUT", "/users/3", `{"name":"Erin","note":"on leave","can_create_group":false}`)
	b.show(root, "POST", "/users/3/block", "")
	b.show(root, "GET", "/users/3", "")
	for _, change := range []string{"unblock", "ban", "unban", "deactivate", "activate", "approve"} {
		b.show(root, "POST", "/users/3/"+change, "")
	}
	b.show(root, "GET", "/users/2/memberships", "")
	b.show(root, "POST", "/projects/user/3", `{"name":"Erin's"}`)
	b.show(root, "GET", "/users/3/projects?simple=true", "")
	id := b.made(root, "POST", "/users", `{"username":"leaver"}`)
	b.show(root, "DELETE", fmt.Sprintf("/users/%d", id), "")
	b.end("users")
}

func (b *book) placesMore() {
	group := b.made(root, "POST", "/groups", `{"name":"Guests","path":"guests"}`)
	g, p := fmt.Sprintf("/groups/%d", group), fmt.Sprintf("/projects/%d", b.project)
	sub := b.made(root, "POST", "/groups", fmt.Sprintf(`{"name":"Sub","path":"sub","parent_id":%d}`, group))
	project := b.made(root, "POST", "/projects", fmt.Sprintf(`{"name":"inner","namespace_id":%d}`, sub))
	b.show(root, "GET", "/groups?search=guests&top_level_only=true", "")
	b.show(root, "GET", g+"/subgroups", "")
	b.show(root, "GET", g+"/descendant_groups?order_by=id", "")
	b.show(root, "GET", g+"/projects?include_subgroups=true&simple=true", "")
	b.show(root, "PUT", g, `{"path":"visitors","description":"moved"}`)
	b.show(root, "GET", fmt.Sprintf("/projects/%d?statistics=true", project), "")
	b.show(root, "POST", g+"/share", fmt.Sprintf(`{"group_id":%d,"group_access":30,"expires_at":"2030-01-02"}`, b.group))
	b.show(root, "DELETE", fmt.Sprintf("%s/share/%d", g, b.group), "")
	b.show(root, "DELETE", g, "")
	b.show(root, "POST", g+"/restore", "")
	b.show(root, "POST", fmt.Sprintf("/groups/%d/transfer", sub), "")
	b.end("groups_more")

	b.show(root, "GET", "/projects?search=tools&simple=true&order_by=name&sort=asc", "")
	b.show(root, "GET", "/projects?pagination=keyset&per_page=1&sort=asc&simple=true&id_after=1", "")
	b.show(root, "POST", p+"/share", fmt.Sprintf(`{"group_id":%d,"group_access":20}`, group))
	b.show(root, "DELETE", fmt.Sprintf("%s/share/%d", p, group), "")
	b.show(root, "POST", p+"/archive", "")
	b.show(root, "POST", p+"/unarchive", "")
	b.show(root, "PUT", fmt.Sprintf("/projects/%d/transfer", project), fmt.Sprintf(`{"namespace":%d}`, group))
	b.show(root, "DELETE", fmt.Sprintf("/projects/%d", project), "")
	b.show(root, "POST", fmt.Sprintf("/projects/%d/restore", project), "")
	b.end("projects_more")

	b.show(b.as("dana"), "GET", "/namespaces?search=dana", "")
	b.show(b.as("dana"), "GET", "/namespaces/dana", "")
	b.show(b.as("dana"), "GET", "/namespaces/dana/exists", "")
	b.end("namespaces")

	for _, place := range []string{p, fmt.Sprintf("/groups/%d", b.group)} {
		b.made(root, "POST", place+"/members", `{"user_id":3,"access_level":40}`)
		b.show(root, "GET", place+"/members?query=erin", "")
		b.show(root, "GET", place+"/members/all?user_ids[]=1", "")
		b.show(root, "GET", place+"/members/all/1", "")
		b.show(root, "GET", place+"/members/3", "")
		b.show(root, "PUT", place+"/members/3", `{"access_level":50}`)
		b.show(root, "DELETE", place+"/members/3", "")
	}
	b.show(root, "POST", p+"/members", `{"user_id":"3,999","access_level":50}`)
	b.end("members_more")
}

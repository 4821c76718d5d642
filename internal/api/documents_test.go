package api_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"packhouse"
	"packhouse/internal/api"
	"packhouse/internal/gate"
	"packhouse/internal/house"
	"packhouse/internal/oidc/oidctest"
)

// book collects answers for a golden file.
type book struct {
	*scene
	text strings.Builder
}

func (b *book) show(who, method, path, body string) {
	b.t.Helper()
	a := b.send(who, method, path, body)
	if a.Status/100 != 2 {
		b.t.Errorf("%s %s = %d %s, want success", method, path, a.Status, a.Body)
	}
	fmt.Fprintf(&b.text, "# %s %s %s\n%s\n", method, path, body, shown(a))
}

func (b *book) end(name string) {
	b.t.Helper()
	golden(b.t, name, b.text.String())
	b.text.Reset()
}

// routesSeen collects which routes have answered with success.
type routesSeen struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (r *routesSeen) observe(o *gate.Observation) {
	if o.Protocol != "api" || o.Status/100 != 2 {
		return
	}
	level := packhouse.Instance
	if path := o.Request.URL.Path; strings.HasPrefix(path, "/api/v4/projects/") && !strings.HasPrefix(path, "/api/v4/projects/user/") {
		level = packhouse.Project
	} else if strings.HasPrefix(path, "/api/v4/groups/") {
		level = packhouse.Group
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[level.String()+" "+o.Request.Method+" "+o.Route] = true
}

// Every route of the API, at its best: the exact shape of each answer.
func TestDocuments(t *testing.T) {
	t.Parallel()
	seen := routesSeen{seen: map[string]bool{}}
	s := start(t, trashKept, func(o *house.Options) { o.Observe, o.IssuerNetworks = seen.observe, oidctest.Loopback })
	b := &book{scene: s}
	s.person("dana", packhouse.Maintainer)
	b.instance()
	b.places()
	b.members()
	b.tokensOfPlaces()
	b.jobs()
	b.allowlist()
	b.settings()
	b.packages()
	b.images()
	b.explanations()
	b.tokensOfPeople()
	b.people()
	b.placesMore()
	b.audit()
	b.publishers()
	b.protections()
	b.imageProtections()
	b.trash()
	b.cleanup()
	b.account()
	b.application()
	for _, route := range new(api.API).Routes() {
		if key := route.Level.String() + " " + route.Method + " " + route.Path; !seen.seen[key] {
			t.Errorf("the route %s has no document", key)
		}
	}
}

func (b *book) instance() {
	for _, who := range []string{b.as("dana"), root} {
		b.show(who, "GET", "/user", "")
	}
	b.show(b.as("dana"), "GET", "/version", "")
	b.show(b.as("dana"), "GET", "/metadata", "")
	b.show(root, "POST", "/users", `{"username":"erin","name":"Erin Abe","email":"erin@example.net"}`)
	b.show(root, "POST", "/users", `{"username":"aud","admin":true,"external":"yes"}`)
	b.show(root, "POST", "/users/3/personal_access_tokens", `{"name":"laptop","scopes":["read_api","self_rotate"],"expires_at":"2030-01-02"}`)
	b.show(root, "POST", "/users/3/personal_access_tokens", `{"name":"year","scopes":["api"]}`)
	b.end("instance")
}

func (b *book) places() {
	dana := b.as("dana")
	b.show(dana, "POST", "/groups", `{"name":"Tools","path":"tools.d","visibility":"public","description":"What we build with"}`)
	b.show(dana, "POST", "/groups", fmt.Sprintf(`{"name":"Deep","path":"deep","parent_id":%d}`, b.group))
	b.show(dana, "GET", "/groups/acme%2Fdeep", "")
	b.show("", "GET", "/groups/tools.d", "")
	b.end("groups")
	b.show(dana, "POST", "/projects", `{"name":"My Own"}`)
	b.show(dana, "POST", "/projects", fmt.Sprintf(`{"name":"Libs","path":"lib.s","namespace_id":%d,"description":"All","package_registry_access_level":"public"}`, b.group))
	b.show(root, "POST", "/projects", fmt.Sprintf(`{"id":1000,"path":"numbered","namespace_id":%d,"packages_enabled":false}`, b.group))
	b.show(root, "GET", "/projects/1000?statistics=true&license=true&with_custom_attributes=true", "")
	b.show(root, "PUT", "/projects/dana%2Fmy-own", `{"name":"Our Own","visibility":"public","description":"Ours"}`)
	b.show("", "GET", "/projects/dana%2Fmy-own", "")
	b.end("projects")
}

func (b *book) members() {
	project, group := fmt.Sprintf("/projects/%d/members", b.project), fmt.Sprintf("/groups/%d/members", b.group)
	b.show(root, "POST", project, `{"username":"erin","access_level":30,"expires_at":"2030-01-02"}`)
	b.show(root, "POST", group, `{"user_id":3,"access_level":10}`)
	b.show(root, "DELETE", project+"/3", "")
	b.show(root, "DELETE", group+"/3", "")
	b.end("members")
}

package container_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/format/formattest"
)

// place is a registry with a private image in it, and a public one beside it.
type place struct {
	*client
	secret, open int64 // projects
	group        int64
	manifest     []byte
	layer        []byte
}

const (
	secretName = "hidden/secret/api"
	openName   = "shown/open"
)

func newPlace(t *testing.T) *place {
	p := &place{client: start(t), layer: []byte("the secret layer")}
	p.group = p.Group("hidden", 0, "private")
	p.secret = p.Project("secret", p.group, "private")
	p.open = p.Project("open", p.Group("shown", 0, "public"), "public")
	var err error
	p.manifest, err = p.push(secretName, "1", p.layer)
	must(t, err)
	_, err = p.push(openName, "1", []byte("an open layer"))
	must(t, err)
	return p
}

// TestCredentials: every credential that docker login is used with, and what it
// may do then.
func TestCredentials(t *testing.T) {
	p := newPlace(t)
	people := map[packhouse.Role]string{}
	for _, role := range []packhouse.Role{packhouse.Guest, packhouse.Reporter, packhouse.Developer, packhouse.Maintainer} {
		id, token := p.User(strings.ToLower(role.String()))
		p.Member("projects", p.secret, id, role)
		people[role] = token
	}
	developer, _ := p.User("dev2")
	p.Member("groups", p.group, developer, packhouse.Developer)
	deploy := func(level string, id int64, scopes ...string) (user, token string) {
		var made struct{ Username, Token string }
		p.API("POST", fmt.Sprintf("/%s/%d/deploy_tokens", level, id), fmt.Sprintf(`{"name":"t","scopes":["%s"]}`, strings.Join(scopes, `","`)), &made)
		return made.Username, made.Token
	}
	other := p.Project("other", p.group, "private")
	readUser, readToken := deploy("projects", p.secret, "read_registry")
	bothUser, bothToken := deploy("groups", p.group, "read_registry", "write_registry")
	packagesUser, packagesToken := deploy("projects", p.secret, "read_package_registry")
	for _, c := range []struct {
		name, user, token string
		login             int
		granted           string
	}{
		{"administrator", "root", formattest.RootToken, 200, "pull,push,delete"},
		{"any user name", "whoever", formattest.RootToken, 200, "pull,push,delete"},
		{"Guest", "guest", people[packhouse.Guest], 200, ""},
		{"Reporter", "reporter", people[packhouse.Reporter], 200, "pull"},
		{"Developer", "developer", people[packhouse.Developer], 200, "pull,push"},
		{"Maintainer", "maintainer", people[packhouse.Maintainer], 200, "pull,push,delete"},
		{"personal, read_registry", "x", p.PersonalToken(developer, "read_registry"), 200, "pull"},
		{"personal, write_registry alone", "x", p.PersonalToken(developer, "write_registry"), 200, "push"},
		{"personal, read_user", "x", p.PersonalToken(developer, "read_user"), 403, ""},
		{"project", "x", p.AccessToken("projects", p.secret, packhouse.Developer, "read_registry", "write_registry"), 200, "pull,push"},
		{"group", "x", p.AccessToken("groups", p.group, packhouse.Maintainer, "api"), 200, "pull,push,delete"},
		{"project, of another", "x", p.AccessToken("projects", other, packhouse.Maintainer, "api"), 200, ""},
		{"deploy", readUser, readToken, 200, "pull"},
		{"deploy, of the group", bothUser, bothToken, 200, "pull,push"},
		{"deploy, another's name", "x", readToken, 401, ""},
		{"deploy, packages alone", packagesUser, packagesToken, 403, ""},
		{"job", "gitlab-ci-token", p.JobToken(p.secret, developer), 200, "pull,push"},
		{"job, another name", "x", p.JobToken(p.secret, developer), 401, ""},
		{"job of another project", "gitlab-ci-token", p.JobToken(other, developer), 200, ""},
		{"wrong", "root", "glpat-aaaaaaaaaaaaaaaaaaaa", 401, ""},
		{"nobody", "", "", 403, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			who := p.as(c.user, c.token)
			a, err := who.ask(url.Values{"service": {"container_registry"}})
			must(t, err)
			want(t, "login", a, c.login)
			if c.login != 200 {
				return
			}
			all := []string{}
			for _, action := range []string{"pull", "push", "delete"} {
				token := who.token("repository:" + secretName + ":" + action)
				if p.can(token, action) {
					all = append(all, action)
				}
				if token := who.token("repository:" + secretName + ":pull"); action != "pull" && p.can(token, action) {
					t.Errorf("a token for pull alone can %s", action)
				}
			}
			if got := strings.Join(all, ","); got != c.granted {
				t.Errorf("can %q, want %q", got, c.granted)
			}
		})
	}
}

// can tries an action in the private repository, such that nothing comes of it.
func (p *place) can(token, action string) bool {
	switch action {
	case "pull":
		return p.with(token, "GET", "/v2/"+secretName+"/manifests/1", nil).Status == 200
	case "push":
		return p.with(token, "POST", "/v2/"+secretName+"/blobs/uploads/", nil).Status == 202
	}
	return p.with(token, "DELETE", "/v2/"+secretName+"/manifests/absent", nil).Status == 404
}

// TestCVE2026_27771_PrivateImages is named for a forge that checked who may pull on
// some routes and not on all: no route shows a private image to a stranger, nor
// whether there is one.
func TestCVE2026_27771_PrivateImages(t *testing.T) {
	p := newPlace(t)
	_, token := p.User("stranger")
	routes := []struct{ method, path string }{
		{"GET", "manifests/1"}, {"HEAD", "manifests/1"}, {"GET", "manifests/" + sha256Of(p.manifest)}, {"GET", "manifests/" + sha512Of(p.manifest)},
		{"GET", "blobs/" + sha256Of(p.layer)}, {"HEAD", "blobs/" + sha256Of(p.layer)}, {"GET", "tags/list"}, {"GET", "tags/list?n=1"},
		{"GET", "referrers/" + sha256Of(p.manifest)}, {"POST", "blobs/uploads/"}, {"POST", "blobs/uploads/?digest=" + sha256Of(p.layer)},
		{"PUT", "manifests/1"}, {"DELETE", "manifests/1"}, {"DELETE", "tags/reference/1"}, {"DELETE", "blobs/" + sha256Of(p.layer)},
		{"PATCH", "blobs/uploads/x"}, {"GET", "blobs/uploads/x"},
	}
	for _, who := range []*client{p.as("stranger", token), p.as("", "")} {
		passes := map[string]string{"none": "", "of elsewhere": who.token("repository:" + openName + ":pull"), "asked for": who.token("repository:" + secretName + ":pull,push,delete")}
		for kind, pass := range passes {
			for _, r := range routes {
				a := who.with(pass, r.method, "/v2/"+secretName+"/"+r.path, nil)
				b := who.with(pass, r.method, "/v2/hidden/absent/api/"+r.path, nil)
				if a.Status != 401 || b.Status != a.Status || len(a.Body) != len(b.Body)+len("hidden/secret/api")-len("hidden/absent/api") {
					t.Errorf("%s, token %s: %s %s = %d %s, of what is not there %d %s", who.user, kind, r.method, r.path, a.Status, a.Body, b.Status, b.Body)
				}
			}
			want(t, "catalog", who.with(pass, "GET", "/v2/_catalog", nil), 401)
		}
	}
	want(t, "a digest through another repository", p.as("", "").send("GET", "/v2/"+openName+"/blobs/"+sha256Of(p.layer), nil), 404, "BLOB_UNKNOWN")
	want(t, "a manifest through another repository", p.as("", "").send("GET", "/v2/"+openName+"/manifests/"+sha256Of(p.manifest), nil), 404, "MANIFEST_UNKNOWN")
	want(t, "with the credential itself", p.Do("GET", "/v2/"+secretName+"/manifests/1", nil, "Private-Token: "+token), 404, "NAME_UNKNOWN")
}

// TestMountOfPrivateLayers: who may not pull a layer cannot mount it, whether or not
// they say where it is; at least one forge leaked private layers so.
func TestMountOfPrivateLayers(t *testing.T) {
	p := newPlace(t)
	id, token := p.User("stranger")
	p.Member("projects", p.open, id, packhouse.Developer)
	who := p.as("stranger", token)
	uploads := "/v2/" + openName + "/blobs/uploads/?mount=" + sha256Of(p.layer)
	absent := "/v2/" + openName + "/blobs/uploads/?mount=" + sha256Of([]byte("absent"))
	for _, from := range []string{"", "&from=" + secretName, "&from=hidden/secret", "&from=", "&from=hidden%2Fsecret%2Fapi"} {
		a := want(t, "mount"+from, who.send("POST", uploads+from, nil), 202)
		b := want(t, "mount of nothing"+from, who.send("POST", absent+from, nil), 202)
		if len(a.Header) != len(b.Header) || len(a.Body) != len(b.Body) {
			t.Errorf("mount%s differs from one of what is not there: %v, %v", from, a.Header, b.Header)
		}
	}
	want(t, "the layer", who.send("HEAD", "/v2/"+openName+"/blobs/"+sha256Of(p.layer), nil), 404)
	want(t, "a manifest that names it", who.put(openName, "stolen", image(p.layer, nil, nil)), 400, "MANIFEST_BLOB_UNKNOWN")
	p.Member("projects", p.secret, id, packhouse.Reporter)
	want(t, "mount with the right", who.send("POST", uploads+"&from="+secretName, nil), 201)
}

// TestCVE2025_68944_ScopesOfPasses: what a token was made for limits it, and it is
// good nowhere else.
func TestCVE2025_68944_ScopesOfPasses(t *testing.T) {
	p := newPlace(t)
	pass := p.token("repository:" + openName + ":pull")
	want(t, "pull", p.with(pass, "GET", "/v2/"+openName+"/manifests/1", nil), 200)
	a := want(t, "push", p.with(pass, "POST", "/v2/"+openName+"/blobs/uploads/", nil), 401, "UNAUTHORIZED")
	challenge := a.Header.Get("Www-Authenticate")
	if !strings.Contains(challenge, `error="insufficient_scope"`) || !strings.Contains(challenge, `scope="repository:`+openName+`:pull,push"`) || !strings.Contains(challenge, `realm="`+p.URL+`/jwt/auth"`) {
		t.Errorf("challenge = %s", challenge)
	}
	want(t, "elsewhere", p.with(pass, "GET", "/v2/"+secretName+"/manifests/1", nil), 401)
	want(t, "the API", p.with(pass, "GET", "/api/v4/user", nil), 401)
	want(t, "another format", p.with(pass, "GET", fmt.Sprintf("/api/v4/projects/%d/packages/generic/a/1/f", p.secret), nil), 401)
	want(t, "altered", p.with(pass[:len(pass)-2]+"AA", "GET", "/v2/"+openName+"/manifests/1", nil), 401)
	want(t, "cut", p.with(pass[:20], "GET", "/v2/"+openName+"/manifests/1", nil), 401)
	id, token := p.User("leaver")
	p.Member("projects", p.secret, id, packhouse.Developer)
	who := p.as("leaver", token)
	pass = who.token("repository:" + secretName + ":pull")
	want(t, "before", who.with(pass, "GET", "/v2/"+secretName+"/manifests/1", nil), 200)
	p.Dismiss("projects", p.secret, id)
	want(t, "after the role is gone", who.with(pass, "GET", "/v2/"+secretName+"/manifests/1", nil), 404)
	p.Revoke(token)
	want(t, "after the token is revoked", who.with(pass, "GET", "/v2/"+openName+"/manifests/1", nil), 401)
}

// TestCVE2026_31801_EveryTagNeedsPush is named for a registry that let readers
// overwrite the tag latest.
func TestCVE2026_31801_EveryTagNeedsPush(t *testing.T) {
	p := newPlace(t)
	id, token := p.User("reader")
	p.Member("projects", p.secret, id, packhouse.Reporter)
	who := p.as("reader", token)
	for _, tag := range []string{"latest", "1", "new", sha256Of(p.manifest), sha256Of(p.manifest) + "?tag=latest"} {
		want(t, "PUT "+tag, who.with(who.token("repository:"+secretName+":pull,push"), "PUT", "/v2/"+secretName+"/manifests/"+tag, p.manifest, "Content-Type: "+ociImage), 401)
		want(t, "PUT "+tag+" with the credential itself", who.with(token, "PUT", "/v2/"+secretName+"/manifests/"+tag, p.manifest, "Content-Type: "+ociImage), 403, "DENIED")
	}
}

// TestCVE2023_2253_CatalogIsBounded is named for a registry that took any n.
func TestCVE2023_2253_CatalogIsBounded(t *testing.T) {
	p := newPlace(t)
	pass := p.token("registry:catalog:*")
	for _, n := range []string{"", "?n=1000000000", "?n=2"} {
		a := want(t, "catalog"+n, p.with(pass, "GET", "/v2/_catalog"+n, nil), 200)
		if string(a.Body) != `{"repositories":["hidden/secret/api","shown/open"]}` {
			t.Errorf("catalog%s = %s", n, a.Body)
		}
	}
	a := want(t, "first page", p.with(pass, "GET", "/v2/_catalog?n=1", nil), 200)
	if a.Header.Get("Link") != `</v2/_catalog?last=hidden%2Fsecret%2Fapi&n=1>; rel="next"` {
		t.Errorf("Link = %s", a.Header.Get("Link"))
	}
	want(t, "n of too many digits", p.with(pass, "GET", "/v2/_catalog?n="+strings.Repeat("9", 40), nil), 400, "PAGINATION_NUMBER_INVALID")
}

// TestCVE2021_41190_OneMeaning: a manifest that can be read as two things is none.
func TestCVE2021_41190_OneMeaning(t *testing.T) {
	p := newPlace(t)
	two := manifest(ociImage, map[string]any{"config": descriptor("a/b", p.layer), "layers": []any{}, "manifests": []any{}}, nil)
	want(t, "an image with manifests", p.put(secretName, "two", two), 400, "MANIFEST_INVALID")
	two = manifest(ociIndex, map[string]any{"manifests": []any{}, "layers": []any{}}, nil)
	want(t, "an index with layers", p.put(secretName, "two", two), 400, "MANIFEST_INVALID")
	want(t, "another Content-Type", p.send("PUT", "/v2/"+secretName+"/manifests/two", p.manifest, "Content-Type: "+ociIndex), 400, "MANIFEST_INVALID")
	want(t, "nothing is stored", p.send("GET", "/v2/"+secretName+"/manifests/two", nil), 404)
}

// TestTokenService: what clients send there that is not quite as specified.
func TestTokenService(t *testing.T) {
	p := newPlace(t)
	a := p.Do("POST", "/jwt/auth", strings.NewReader("grant_type=password"))
	if a.Status != 404 || len(a.Body) != 0 {
		t.Errorf("POST = %d %q, want 404 and nothing", a.Status, a.Body)
	}
	want(t, "another service", p.Do("GET", "/jwt/auth?service=x", nil), 404)
	for _, scopes := range [][]string{
		{"repository:" + openName + ":push,pull", "repository:" + secretName + ":pull"},
		{"repository:" + openName + ":push,pull repository:" + secretName + ":pull"},
		{"repository:" + openName + ":*", "repository:" + secretName + ":*"},
		{"x", "repository:a", "repository::pull", "repository:../..:pull", "unknown:" + openName + ":pull", "repository:" + openName + ":fly,pull", "repository:" + secretName + ":pull"},
	} {
		pass := p.token(scopes...)
		want(t, fmt.Sprint(scopes), p.with(pass, "GET", "/v2/"+openName+"/manifests/1", nil), 200)
		want(t, fmt.Sprint(scopes), p.with(pass, "GET", "/v2/"+secretName+"/manifests/1", nil), 200)
	}
	for _, who := range []*client{p.as("", ""), {p.World, "", ""}} {
		want(t, "a visitor pulls what is public", who.send("GET", "/v2/"+openName+"/manifests/1", nil), 200)
		want(t, "a visitor and /v2/", who.with(who.token("repository:"+openName+":pull"), "GET", "/v2/", nil), 200)
	}
	want(t, "Basic with nothing in it", p.Do("GET", "/jwt/auth?service=container_registry&scope=repository:"+openName+":pull", nil, "Authorization: Basic Og=="), 200)
	want(t, "basic credentials at /v2/", p.Do("GET", "/v2/", nil, "Private-Token: "+formattest.RootToken), 200)
	p.API("PUT", fmt.Sprintf("/projects/%d", p.open), `{"container_registry_access_level":"private"}`, nil)
	if pass := p.as("", "").token("repository:" + openName + ":pull"); pass != "" {
		t.Error("a visitor gets a token for images that are for members")
	}
	p.API("PUT", fmt.Sprintf("/projects/%d", p.open), `{"container_registry_access_level":"disabled"}`, nil)
	want(t, "switched off", p.with(p.token("repository:"+openName+":pull"), "GET", "/v2/"+openName+"/manifests/1", nil), 401)
}

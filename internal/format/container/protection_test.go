package container_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/format/formattest"
)

const rootHeader = "Private-Token: " + formattest.RootToken

// guarded is a place with people in the project of the private image.
type guarded struct {
	*place
	developer, maintainer, owner *client
}

func newGuarded(t *testing.T) *guarded {
	g := &guarded{place: newPlace(t)}
	for role, who := range map[packhouse.Role]**client{
		packhouse.Developer: &g.developer, packhouse.Maintainer: &g.maintainer, packhouse.Owner: &g.owner,
	} {
		name := strings.ToLower(role.String())
		id, token := g.User(name)
		g.Member("projects", g.secret, id, role)
		*who = g.as(name, token)
	}
	return g
}

// rule makes a protection rule, of "repository" or "tag".
func (g *guarded) rule(kind, body string) (path string) {
	var made struct{ ID int64 }
	path = fmt.Sprintf("/projects/%d/registry/protection/%s/rules", g.secret, kind)
	g.API("POST", path, body, &made)
	return fmt.Sprintf("%s/%d", path, made.ID)
}

// repositoryID is the id of the repository of the private image, at the API.
func (g *guarded) repositoryPath() string {
	var list []struct {
		ID   int64
		Path string
	}
	base := fmt.Sprintf("/api/v4/projects/%d/registry/repositories", g.secret)
	g.JSON(g.Do("GET", base, nil, rootHeader), &list)
	for _, r := range list {
		if r.Path == secretName {
			return fmt.Sprintf("%s/%d", base, r.ID)
		}
	}
	return base + "/0"
}

// says checks that a refusal says why.
func says(t *testing.T, what string, a formattest.Answer, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(string(a.Body), word) {
			t.Errorf("%s says %s, want %q in it", what, a.Body, word)
		}
	}
}

// direct sends a request with a credential in place of a token made from it.
func (c *client) direct(method, path string, body []byte, header ...string) formattest.Answer {
	return c.with("", method, path, body, append(header, "Private-Token: "+c.password)...)
}

// TestProtectedRepository: who is below the role of a rule learns so when they ask for
// a token, and with a credential itself on every way in and out.
func TestProtectedRepository(t *testing.T) {
	g := newGuarded(t)
	rule := g.rule("repository", `{"repository_path_pattern":"hidden/Secret/a*","minimum_access_level_for_push":"owner","minimum_access_level_for_delete":"owner"}`)
	manifests := "/v2/" + secretName + "/manifests/"
	for _, who := range []*client{g.developer, g.maintainer} {
		for _, actions := range []string{"push", "pull,push", "push,pull,delete"} {
			a, err := who.ask(url.Values{"service": {"container_registry"}, "scope": {"repository:" + openName + ":pull", "repository:" + secretName + ":" + actions}})
			must(t, err)
			says(t, "token", want(t, who.user+" asks for "+actions, a, 403, "DENIED"), "Pushing to protected repository path forbidden", `hidden/secret/a*`, "Owner")
		}
		pass := who.token("repository:" + secretName + ":pull")
		want(t, "pull", who.with(pass, "GET", manifests+"1", nil), 200)
		_, err := who.push("hidden/secret/other", "1")
		must(t, err)
		for _, r := range []struct{ method, path string }{
			{"POST", "/v2/" + secretName + "/blobs/uploads/"}, {"POST", "/v2/" + secretName + "/blobs/uploads/?digest=" + sha256Of(g.layer)},
			{"POST", "/v2/" + secretName + "/blobs/uploads/?mount=" + sha256Of(g.layer)}, {"PUT", manifests + "1"}, {"PUT", manifests + "new"},
		} {
			a := who.direct(r.method, r.path, g.manifest, "Content-Type: "+ociImage)
			says(t, r.path, want(t, r.method+" "+r.path, a, 403, "DENIED"), `hidden/secret/a*`)
		}
	}
	a := g.maintainer.direct("DELETE", manifests+"1", nil)
	says(t, "DELETE", want(t, "DELETE of a tag", a, 403, "DENIED"), "Deleting protected container repository forbidden", `hidden/secret/a*`)
	want(t, "DELETE of a manifest", g.maintainer.direct("DELETE", manifests+sha256Of(g.manifest), nil), 403, "DENIED")
	one, mine := g.repositoryPath(), "Private-Token: "+g.maintainer.password
	for _, path := range []string{one, one + "/tags/1", one + "/tags?name_regex_delete=.*"} {
		a := want(t, "DELETE "+path, g.Do("DELETE", path, nil, mine), 403)
		says(t, path, a, "Deleting protected container repository forbidden.")
	}
	must(t, g.owner.pull(secretName, "1"))
	_, err := g.owner.push(secretName, "owned")
	must(t, err)
	_, err = g.push(secretName, "administered")
	must(t, err)
	g.API("PUT", fmt.Sprintf("/projects/%d", g.secret), `{"path":"moved"}`, nil)
	want(t, "push after the project moved", g.maintainer.direct("PUT", "/v2/hidden/moved/api/manifests/1", g.manifest, "Content-Type: "+ociImage), 403, "DENIED")
	g.API("PUT", fmt.Sprintf("/projects/%d", g.secret), `{"path":"secret"}`, nil)
	g.API("PATCH", rule, `{"minimum_access_level_for_push":""}`, nil)
	if token := g.maintainer.token("repository:" + secretName + ":push,pull"); !g.can(token, "push") {
		t.Error("a rule about deleting keeps from pushing")
	}
	want(t, "a token for all of what is left", g.maintainer.with(g.maintainer.token("repository:"+secretName+":*"), "GET", manifests+"1", nil), 200)
	want(t, "DELETE of the repository by an Owner", g.Do("DELETE", one, nil, "Private-Token: "+g.owner.password), 202)
	g.sound(t)
}

// TestProtectedTag: a rule about tags keeps those that it finds, wherever somebody
// would move or delete them, and no others.
func TestProtectedTag(t *testing.T) {
	g := newGuarded(t)
	for _, tag := range []string{"1-stable", "beside", "dev"} {
		want(t, "PUT "+tag, g.put(secretName, tag, g.manifest), 201)
	}
	other, err := g.push(secretName, "other")
	must(t, err)
	g.rule("tag", `{"tag_name_pattern":"stable|^v\\d","minimum_access_level_for_push":"maintainer","minimum_access_level_for_delete":"owner"}`)
	for _, tag := range []string{"1-stable", "v1", "stable"} {
		a := g.developer.put(secretName, tag, other)
		says(t, tag, want(t, "PUT "+tag, a, 403, "DENIED"), "is protected", `stable|^v\\d`, "Maintainer")
	}
	a := g.developer.send("PUT", "/v2/"+secretName+"/manifests/"+sha256Of(other)+"?tag=fine&tag=v2", other, "Content-Type: "+ociImage)
	want(t, "PUT by digest with tags", a, 403, "DENIED")
	want(t, "a tag of that", g.send("GET", "/v2/"+secretName+"/manifests/fine", nil), 404)
	want(t, "another tag", g.developer.put(secretName, "dev", other), 201)
	want(t, "by a Maintainer", g.maintainer.put(secretName, "v1", other), 201)

	one, mine := g.repositoryPath(), "Private-Token: "+g.maintainer.password
	a = want(t, "DELETE of a tag", g.maintainer.send("DELETE", "/v2/"+secretName+"/manifests/1-stable", nil), 403, "DENIED")
	says(t, "DELETE", a, "is protected", "Owner")
	want(t, "DELETE of its manifest", g.maintainer.send("DELETE", "/v2/"+secretName+"/manifests/"+sha256Of(g.manifest), nil), 403, "DENIED")
	want(t, "DELETE of a tag that is not there", g.maintainer.send("DELETE", "/v2/"+secretName+"/manifests/stable-not", nil), 404)
	want(t, "DELETE at the API", g.Do("DELETE", one+"/tags/1-stable", nil, mine), 403)
	want(t, "DELETE of the repository", g.Do("DELETE", one, nil, mine), 403)
	want(t, "bulk", g.Do("DELETE", one+"/tags?name_regex_delete=.*", nil, mine), 202)
	if left := g.tags(); left != "1-stable v1" {
		t.Errorf("the bulk deletion leaves %q, want what is protected", left)
	}
	want(t, "DELETE by an Owner", g.owner.send("DELETE", "/v2/"+secretName+"/manifests/v1", nil), 202)
	want(t, "DELETE by an administrator", g.send("DELETE", "/v2/"+secretName+"/manifests/"+sha256Of(g.manifest), nil), 202)
	g.sound(t)
}

// tags are the tags of the repository of the private image.
func (p *place) tags() string {
	var list struct{ Tags []string }
	p.JSON(p.send("GET", "/v2/"+secretName+"/tags/list", nil), &list)
	return strings.Join(list.Tags, " ")
}

// TestImmutableTag: once it points somewhere it stays there, for administrators too,
// and may be pushed there again.
func TestImmutableTag(t *testing.T) {
	g := newGuarded(t)
	other, err := g.push(secretName, "other")
	must(t, err)
	want(t, "a tag", g.put(secretName, "v1", g.manifest), 201)
	rule := g.rule("tag", `{"tag_name_pattern":"^v","immutable":true}`)
	for _, who := range []*client{g.client, g.owner, g.developer} {
		want(t, "the same again", who.put(secretName, "v1", g.manifest), 201)
		a := want(t, "another", who.put(secretName, "v1", other), 403, "DENIED")
		says(t, "PUT", a, `the tag \"v1\" is immutable`, "matches ^v (tag")
		want(t, "another by digest", who.send("PUT", "/v2/"+secretName+"/manifests/"+sha256Of(other)+"?tag=v1", other, "Content-Type: "+ociImage), 403, "DENIED")
	}
	want(t, "a new one", g.developer.put(secretName, "v2", other), 201)
	one := g.repositoryPath()
	want(t, "DELETE of the tag", g.send("DELETE", "/v2/"+secretName+"/manifests/v1", nil), 403, "DENIED")
	want(t, "DELETE by the old route", g.send("DELETE", "/v2/"+secretName+"/tags/reference/v1", nil), 403, "DENIED")
	want(t, "DELETE of the manifest", g.send("DELETE", "/v2/"+secretName+"/manifests/"+sha256Of(g.manifest), nil), 403, "DENIED")
	want(t, "DELETE at the API", g.Do("DELETE", one+"/tags/v1", nil, rootHeader), 403)
	want(t, "DELETE of the repository", g.Do("DELETE", one, nil, rootHeader), 403)
	want(t, "bulk", g.Do("DELETE", one+"/tags?name_regex_delete=.*", nil, rootHeader), 202)
	if left := g.tags(); left != "v1 v2" {
		t.Errorf("the bulk deletion leaves %q, want v1 v2", left)
	}
	g.API("DELETE", rule, "", nil)
	want(t, "DELETE without the rule", g.send("DELETE", "/v2/"+secretName+"/manifests/v1", nil), 202)
	g.sound(t)
}

// TestImmutableTagRace: of many who make a tag at once that is immutable, each with
// another image, one does; those who bring the same image as that one do as well.
func TestImmutableTagRace(t *testing.T) {
	g := newGuarded(t)
	g.rule("tag", `{"tag_name_pattern":"^release-","immutable":true}`)
	var manifests [][]byte
	for i := range formattest.Clients / 2 {
		m, err := g.push(secretName, fmt.Sprintf("build-%d", i))
		must(t, err)
		manifests = append(manifests, m)
	}
	token := g.token("repository:" + secretName + ":pull,push")
	for round := range 3 {
		tag := fmt.Sprintf("release-%d", round)
		answers := formattest.Together(func(i int) formattest.Answer {
			return g.with(token, "PUT", "/v2/"+secretName+"/manifests/"+tag, manifests[i/2], "Content-Type: "+ociImage)
		})
		won := g.send("GET", "/v2/"+secretName+"/manifests/"+tag, nil).Header.Get("Docker-Content-Digest")
		for i, a := range answers {
			if sha256Of(manifests[i/2]) == won {
				want(t, "PUT of the winner", a, 201)
			} else {
				want(t, "PUT of another", a, 403, "DENIED")
			}
		}
		if !strings.HasPrefix(won, "sha256:") {
			t.Errorf("nobody has made %s", tag)
		}
	}
	g.sound(t)
}

// A project that does not admit images refuses pushes, and serves and deletes what it has.
func TestImagesNotAdmitted(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	uploads := "/v2/" + secretName + "/blobs/uploads/"
	want(t, "before", g.owner.send("POST", uploads, nil), 202)
	g.Settings("projects", g.secret, `{"allowed_package_formats":"npm"}`)
	if a := g.owner.send("POST", uploads, nil); a.Status < 400 || a.Status >= 500 {
		t.Errorf("POST = %d %s, want a refusal", a.Status, a.Body)
	}
	want(t, "manifest", g.owner.send("GET", "/v2/"+secretName+"/manifests/"+sha256Of(g.manifest), nil), 200)
	want(t, "delete", g.owner.send("DELETE", "/v2/"+secretName+"/manifests/"+sha256Of(g.manifest), nil), 202)
}

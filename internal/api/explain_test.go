package api_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"

	"packhouse"
)

func (b *book) explanations() {
	file := url.QueryEscape(fmt.Sprintf("/api/v4/projects/%d/packages/generic/tool/1.0/f", b.project))
	b.person("gil", packhouse.Guest)
	b.show(b.as("dana"), "GET", "/explain?method=PUT&path="+file, "")
	b.show(b.as("dana"), "GET", "/explain?as=gil&path="+file, "")
	b.show(b.as("dana"), "GET", "/explain?as=anonymous&path="+file, "")
	b.show(root, "GET", "/explain?as=token:1&method=delete&path=/api/v4/groups/acme", "")
	b.show(root, "GET", "/explain?path=/api/v4/nothing", "")
	b.end("explain")
}

// explanation is what the explanation of a request says of the decision.
func (s *scene) explanation(who, as, method, path string) (answer struct {
	Allowed            bool
	Status             int
	Rule, Reason, Fix  string
	Facts              map[string]any
	Target             map[string]any
	Route              struct{ Action string }
	Message, ErrorText string
}) {
	s.t.Helper()
	a := s.want(who, "GET", "/explain?"+url.Values{"as": {as}, "method": {method}, "path": {"/api/v4" + path}}.Encode(), "", 200, "")
	if err := json.Unmarshal(a.Body, &answer); err != nil {
		s.t.Fatal(err)
	}
	return answer
}

// What is explained is what happens: the explanation of a request and its answer
// agree, in status, rule and advice, whoever asks.
func TestExplainAgrees(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.people()
	s.publish(s.project, "tool/1.0/f", "hello")
	generic := fmt.Sprintf("/projects/%d/packages/generic/tool/1.0/f", s.project)
	for _, name := range []string{"stranger", "guest", "reporter", "developer", "maintainer", "owner"} {
		for _, request := range []struct{ method, path string }{
			{"GET", generic}, {"DELETE", fmt.Sprintf("/projects/%d/packages/999", s.project)},
			{"GET", fmt.Sprintf("/projects/%d", s.project)}, {"GET", fmt.Sprintf("/projects/%d/deploy_tokens", s.project)},
			{"GET", "/groups/acme"}, {"GET", "/groups/acme/deploy_tokens"}, {"GET", "/groups/none"}, {"GET", "/user"}, {"PATCH", "/user"}, {"GET", "/none"},
		} {
			x := s.explanation(s.as(name), "", request.method, request.path)
			a := s.send(s.as(name), request.method, request.path, "")
			var refusal struct{ Rule, Fix string }
			if a.Status >= 400 {
				_ = json.Unmarshal(a.Body, &refusal)
			}
			if refusal.Rule == "" && a.Status == 404 { // let in, and nothing found there
				a.Status = 200
			}
			if x.Allowed != (a.Status < 400) || !x.Allowed && (x.Status != a.Status || x.Rule != refusal.Rule || x.Fix != refusal.Fix) {
				t.Errorf("%s %s by %s = %d %s, explained as %+v", request.method, request.path, name, a.Status, a.Body, x)
			}
		}
	}
}

// Who manages a place is told the facts about others; a stranger learns nothing.
func TestExplainAbout(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.people()
	path := fmt.Sprintf("/projects/%d/packages/generic/tool/1.0/f", s.project)
	x := s.explanation(s.as("maintainer"), "stranger", "GET", path)
	if x.Allowed || x.Status != 404 || x.Facts["role"] != "nobody" || x.Facts["visibility"] != "private" {
		t.Errorf("a Maintainer is told of a stranger: %+v, want 404 and that they have no role", x)
	}
	if x = s.explanation(s.as("maintainer"), "developer", "PUT", path); !x.Allowed || x.Route.Action != "PublishPackages" {
		t.Errorf("a Maintainer is told of a Developer: %+v, want that they may publish", x)
	}
	private, absent := s.explanation(s.as("stranger"), "", "GET", path), s.explanation(s.as("stranger"), "", "GET", "/projects/999/packages/generic/tool/1.0/f")
	if fmt.Sprint(private) != fmt.Sprint(absent) || private.Target != nil || private.Facts != nil {
		t.Errorf("a stranger is told of the private %+v and of the absent %+v, want the same", private, absent)
	}
	ask := "/explain?as=developer&path=" + url.QueryEscape("/api/v4"+path)
	s.want(s.as("stranger"), "GET", ask, "", 404, "")
	s.want(s.as("developer"), "GET", ask, "", 200, "")
	s.want(s.as("reporter"), "GET", ask, "", 403, "")
	s.want("", "GET", ask, "", 401, "")
	s.want(s.as("maintainer"), "GET", "/explain?as=nobody.here&path="+url.QueryEscape("/api/v4"+path), "", 404, "")
	s.want(s.as("maintainer"), "GET", "/explain?path=tools", "", 400, "")
	s.want(s.as("maintainer"), "GET", "/explain", "", 400, "")
}

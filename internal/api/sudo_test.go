package api_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"packhouse"
)

// An administrator acts as somebody else with the header or the parameter, and
// the ledger knows both. Nobody else does.
func TestSudo(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.person("dana", packhouse.Maintainer)
	who := func(header, query string) string {
		a := s.Do("GET", "/api/v4/user"+query, nil, root, header)
		var u struct{ Username string }
		if err := json.Unmarshal(a.Body, &u); err != nil || a.Status != 200 {
			t.Fatalf("GET /user%s with %q = %d %s", query, header, a.Status, a.Body)
		}
		return u.Username
	}
	for _, one := range []struct{ header, query string }{
		{"Sudo: DANA", ""}, {fmt.Sprintf("Sudo: %d", s.ids["dana"]), ""}, {"Accept: */*", "?sudo=dana"},
	} {
		if got := who(one.header, one.query); got != "dana" {
			t.Errorf("with %q and %q I am %s, want dana", one.header, one.query, got)
		}
	}
	s.want(root, "GET", "/users/1/memberships?sudo=dana", "", 403, "") // as dana, who is no administrator
	s.want(root, "GET", "/user?sudo=nobody.here", "", 404, "")
	s.want(s.as("dana"), "GET", "/user?sudo=root", "", 403, "")
	s.want("Private-Token: "+s.PersonalToken(1, "api"), "GET", "/user?sudo=dana", "", 403, "")
	s.made(root, "POST", fmt.Sprintf("/projects/%d/deploy_tokens?sudo=dana", s.project), `{"name":"x","scopes":["read_package_registry"]}`)
	var event struct {
		AuthorID int64 `json:"author_id"`
		Details  struct {
			Sudo int64 `json:"sudo_author_id"`
		}
	}
	list := s.want(root, "GET", fmt.Sprintf("/projects/%d/audit_events?per_page=1", s.project), "", 200, "")
	if err := json.Unmarshal(list.Body[1:len(list.Body)-1], &event); err != nil || event.AuthorID != s.ids["dana"] || event.Details.Sudo != 1 {
		t.Errorf("the event is %s, want that root did it as dana", list.Body)
	}
}

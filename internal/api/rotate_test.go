package api_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"packhouse"
)

// secret makes a token and returns its secret.
func (s *scene) secret(who, path, body string) string {
	s.t.Helper()
	var made struct{ Token string }
	a := s.want(who, "POST", path, body, 201, "")
	if err := json.Unmarshal(a.Body, &made); err != nil || made.Token == "" {
		s.t.Fatalf("POST %s = %s", path, a.Body)
	}
	return made.Token
}

// Of many who rotate one token, one gets its successor; the others have used an
// old token, and so nobody's works any more.
func TestRotateRace(t *testing.T) {
	t.Parallel()
	s := start(t)
	token := s.PersonalToken(1, "api")
	s.want("Private-Token: "+token, "GET", "/personal_access_tokens/self", "", 200, "")
	list := s.list(root, "/personal_access_tokens?per_page=100")
	id := list[0]["id"]
	var won, refused atomic.Int64
	var workers sync.WaitGroup
	for range 64 {
		workers.Go(func() {
			switch a := s.send(root, "POST", fmt.Sprintf("/personal_access_tokens/%v/rotate", id), ""); a.Status {
			case 200:
				won.Add(1)
			case 401:
				refused.Add(1)
			default:
				t.Errorf("rotate = %d %s, want 200 or 401", a.Status, a.Body)
			}
		})
	}
	workers.Wait()
	if won.Load() != 1 || refused.Load() != 63 {
		t.Errorf("%d rotations succeeded and %d were refused, want 1 and 63", won.Load(), refused.Load())
	}
	for _, one := range s.list(root, "/personal_access_tokens?per_page=100") {
		if one["name"] == list[0]["name"] && one["active"] == true && one["id"].(float64) >= id.(float64) {
			t.Errorf("after an old token was used %v is active", one)
		}
	}
}

// A rotated token is dead at once, its successor works, and using the old one
// again revokes all that follow from it.
func TestRotate(t *testing.T) {
	t.Parallel()
	s := start(t)
	first := s.PersonalToken(1, "api")
	as := func(secret string) string { return "Private-Token: " + secret }
	rotated := func(secret string) string {
		var made struct{ Token, ExpiresAt string }
		a := s.want(as(secret), "POST", "/personal_access_tokens/self/rotate", "", 200, "")
		if err := json.Unmarshal(a.Body, &made); err != nil {
			t.Fatal(err)
		}
		return made.Token
	}
	id := s.list(root, "/personal_access_tokens?per_page=1")[0]["id"]
	second := rotated(first)
	s.want(as(first), "GET", "/user", "", 401, "")
	third := rotated(second)
	s.want(as(third), "GET", "/user", "", 200, "")
	a := s.want(root, "POST", fmt.Sprintf("/personal_access_tokens/%v/rotate", id), "", 401, "")
	var e struct{ Rule string }
	if err := json.Unmarshal(a.Body, &e); err != nil || e.Rule != "reuse" {
		t.Errorf("rotating a rotated token = %s, want the rule reuse", a.Body)
	}
	s.want(as(third), "GET", "/user", "", 401, "")
	limited := s.PersonalToken(1, "read_api")
	s.want(as(limited), "POST", "/personal_access_tokens/self/rotate", "", 403, "")
	s.want(as(s.PersonalToken(1, "self_rotate")), "POST", "/personal_access_tokens/self/rotate", `{"expires_at":"2020-01-01"}`, 400, "")
}

// With the last of its tokens a bot is gone, and with it what it could do.
func TestBotRetires(t *testing.T) {
	t.Parallel()
	s := start(t)
	path := fmt.Sprintf("/projects/%d/access_tokens", s.project)
	secret := s.secret(root, path, `{"name":"robot","scopes":["api"],"access_level":30}`)
	var self struct {
		ID     int64
		UserID int64 `json:"user_id"`
	}
	if err := json.Unmarshal(s.want("Private-Token: "+secret, "GET", "/personal_access_tokens/self", "", 200, "").Body, &self); err != nil {
		t.Fatal(err)
	}
	member := fmt.Sprintf("/projects/%d/members/%d", s.project, self.UserID)
	s.want(root, "GET", member, "", 200, "")
	s.want(root, "DELETE", fmt.Sprintf("%s/%d", path, self.ID), "", 204, "")
	s.want(root, "GET", member, "", 404, "")
	s.want(root, "GET", fmt.Sprintf("/users/%d", self.UserID), "", 404, "")
	s.want("Private-Token: "+secret, "GET", "/user", "", 401, "")
}

// Nobody sees or touches the tokens of others.
func TestOthersTokens(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.person("dana", packhouse.Owner)
	s.person("eve", packhouse.Owner)
	id := s.made(s.as("dana"), "POST", "/user/personal_access_tokens", `{"name":"mine","scopes":["api"]}`)
	for _, path := range []string{fmt.Sprintf("/personal_access_tokens/%d", id), "/personal_access_tokens/99999"} {
		for _, method := range []string{"GET", "DELETE"} {
			s.want(s.as("eve"), method, path, "", 403, "")
		}
		s.want(s.as("eve"), "POST", path+"/rotate", "", 403, "")
	}
	s.want(s.as("eve"), "GET", fmt.Sprintf("/personal_access_tokens?user_id=%d", s.ids["dana"]), "", 403, "")
	for _, one := range s.list(s.as("eve"), "/personal_access_tokens") {
		if one["user_id"] != float64(s.ids["eve"]) {
			t.Errorf("among eve's tokens is %v", one)
		}
	}
	s.want(s.as("eve"), "POST", "/user/personal_access_tokens", `{"name":"x","scopes":["api","sudo"]}`, 403, "")
}

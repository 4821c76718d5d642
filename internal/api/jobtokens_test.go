package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"packhouse"
)

type minted struct {
	ID        int64
	Token     string
	ExpiresAt time.Time `json:"expires_at"`
	JobID     int64     `json:"job_id"`
	UserID    int64     `json:"user_id"`
}

// mint makes a job token of acme/tools with further fields of JSON.
func (s *scene) mint(who, extra string) (m minted) {
	s.t.Helper()
	a := s.send(who, "POST", "/job_tokens", `{"project":"acme/tools"`+extra+`}`)
	if a.Status != 201 {
		s.t.Fatalf("POST /job_tokens %s = %d %s", extra, a.Status, a.Body)
	}
	s.JSON(a, &m)
	return m
}

// How long a job token lives: an hour unless told, and a day at most.
func TestJobTokenLife(t *testing.T) {
	t.Parallel()
	s := start(t)
	for extra, want := range map[string]time.Duration{
		"": time.Hour, `,"ttl_seconds":1`: time.Second, `,"ttl_seconds":"60"`: time.Minute, `,"ttl_seconds":86400`: 24 * time.Hour,
	} {
		if got := time.Until(s.mint(root, extra).ExpiresAt); got > want || got < want-10*time.Second {
			t.Errorf("%s lives for %v, want %v", extra, got, want)
		}
	}
	short := s.mint(root, `,"ttl_seconds":1`)
	time.Sleep(time.Until(short.ExpiresAt))
	s.want("Job-Token: "+short.Token, "GET", "/job", "", 401, `{"message":"401 Unauthorized"}`)
}

// Whom a job may run as: an administrator names anybody; others name themselves
// or members of the project who have no more to say there than they have.
func TestJobTokenUser(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.people()
	s.ids["admin"], s.tokens["admin"] = s.User("admin", `"admin":true`)
	s.Member("groups", s.group, s.ids["admin"], packhouse.Guest)
	for _, test := range []struct {
		who, user string
		want      int
	}{
		{"root", "stranger", 201},
		{"root", "owner", 201},
		{"root", "OWNER", 201},
		{"root", fmt.Sprint(s.ids["guest"]), 201},
		{"root", "nobody", 404},
		{"owner", "", 201},
		{"owner", "owner", 201},
		{"owner", "guest", 201},
		{"owner", "admin", 201}, // is an Owner here, as they are
		{"owner", "stranger", 404},
		{"maintainer", "", 201},
		{"maintainer", "maintainer", 201},
		{"maintainer", "developer", 201},
		{"maintainer", "owner", 403},
		{"maintainer", "admin", 403},
		{"maintainer", "stranger", 404},
		{"maintainer", fmt.Sprint(s.ids["owner"]), 403},
		{"developer", "", 403},
	} {
		a := s.want(s.as(test.who), "POST", "/job_tokens", fmt.Sprintf(`{"project":"acme/tools","user":%q}`, test.user), test.want, "")
		var m minted
		s.JSON(a, &m)
		if test.want == 201 && test.user == "" && m.UserID != s.ids[test.who] {
			t.Errorf("%s makes a token of user %d, want their own", test.who, m.UserID)
		}
	}
}

// What a job token opens follows from its permissions.
func TestJobTokenPermissions(t *testing.T) {
	t.Parallel()
	s := start(t)
	file, list := fmt.Sprintf("/projects/%d/packages/generic/tool/1.0/f", s.project), fmt.Sprintf("/projects/%d/packages", s.project)
	s.publish(s.project, "tool/1.0/f", "hello")
	for permissions, want := range map[string]int{
		``: 201, `,"permissions":null`: 201, `,"permissions":["READ_PACKAGES"]`: 403, `,"permissions":["ADMIN_PACKAGES"]`: 201,
		`,"permissions":["READ_PACKAGES","ADMIN_PACKAGES"]`: 201, `,"permissions":"READ_PACKAGES,ADMIN_PACKAGES"`: 201,
	} {
		header := "Job-Token: " + s.mint(root, permissions).Token
		s.want(header, "GET", file, "", 200, "hello")
		s.want(header, "GET", list, "", 200, "")
		s.want(header, "PUT", file, "hello", want, "")
		s.want(header, "DELETE", list+"/999", "", map[int]int{201: 404, 403: 403}[want], "")
		s.want(header, "GET", "/user", "", 401, "")
	}
}

// A job that is minted again has its first token ended; finishing ends it for
// good, and tells how it went.
func TestJobTokenEnds(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.people()
	alive := func(m minted, want bool) {
		t.Helper()
		if got := s.send("Job-Token: "+m.Token, "GET", "/job", "").Status == 200; got != want {
			t.Errorf("job token %d is alive: %v, want %v", m.ID, got, want)
		}
	}
	first := s.mint(root, `,"job":{"id":7}`)
	others := s.mint(s.as("owner"), `,"job":{"id":7}`)
	second := s.mint(root, `,"job":{"id":7}`)
	alive(first, false)
	alive(second, true)
	alive(others, true)
	for i, status := range []string{`{"status":"success"}`, `{"status":"failed"}`, `{"status":"canceled"}`, `{}`, ``} {
		m := s.mint(root, fmt.Sprintf(`,"job":{"id":%d}`, 100+i))
		path := fmt.Sprintf("/job_tokens/%d/finish", m.ID)
		s.want(root, "POST", path, `{"status":"running"}`, 400, `{"error":"status does not have a valid value"}`)
		alive(m, true)
		s.want(s.as("developer"), "POST", path, status, 403, "")
		s.want(s.as("stranger"), "POST", path, status, 404, `{"message":"404 Project Not Found"}`)
		alive(m, true)
		s.want(s.as("maintainer"), "POST", path, status, 201, "")
		alive(m, false)
		s.want(root, "POST", path, status, 201, "") // again
	}
	m := s.mint(root, "")
	s.want(root, "DELETE", fmt.Sprintf("/job_tokens/%d", m.ID), "", 204, "")
	alive(m, false)
	s.want(root, "POST", "/job_tokens/"+fmt.Sprint(s.made(root, "POST", "/users/1/personal_access_tokens", `{"name":"x","scopes":["api"]}`))+"/finish", "", 404, "")
	s.want(root, "GET", "/user", "", 200, "") // and no other token has ended
}

// What a job's token tells of its job.
func TestOwnJob(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.person("dana", packhouse.Developer)
	m := s.mint(root, `,"user":"dana","ref":"v1","ref_type":"tag","sha":"5f0c","job":{"id":9,"name":"n","stage":"s"},"pipeline":{"id":5,"source":"push"}`)
	a := s.send("Job-Token: "+m.Token, "GET", "/job", "")
	for _, want := range []string{`"id":9`, `"name":"n"`, `"stage":"s"`, `"ref":"v1"`, `"tag":true`, `"status":"running"`, `"username":"dana"`, `"source":"push"`, `"short_id":"5f0c"`} {
		if a.Status != 200 || !strings.Contains(string(a.Body), want) {
			t.Errorf("GET /job = %d %s, want %s in it", a.Status, a.Body, want)
		}
	}
	if strings.Contains(string(a.Body), m.Token) {
		t.Error("GET /job shows the token")
	}
}

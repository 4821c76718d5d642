package api_test

import (
	"fmt"
	"testing"
	"time"

	"packhouse"
)

// Nobody gives, or takes away, more than they have.
func TestGrants(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.people()
	group, project := fmt.Sprintf("/groups/%d/members", s.group), fmt.Sprintf("/projects/%d/members", s.project)
	for _, test := range []struct {
		who, path string
		most      packhouse.Role
	}{
		{"maintainer", project, packhouse.Maintainer},
		{"owner", project, packhouse.Owner},
		{"owner", group, packhouse.Owner},
	} {
		for _, role := range packhouse.Roles {
			user, _ := s.User(fmt.Sprintf("u%d-%s-%d", role, test.who, len(test.path)))
			want, answer := 201, ""
			if role > test.most {
				want, answer = 403, `{"message":"403 Forbidden - you have the role Maintainer here, and this is about the role Owner"}`
			}
			s.want(s.as(test.who), "POST", test.path, fmt.Sprintf(`{"user_id":%d,"access_level":%d}`, user, role), want, answer)
		}
	}
	owner, developer := s.member(project, packhouse.Owner), s.member(project, packhouse.Developer)
	s.want(s.as("maintainer"), "DELETE", fmt.Sprintf("%s/%d", project, owner), "", 403, "")
	s.want(s.as("maintainer"), "DELETE", fmt.Sprintf("%s/%d", project, developer), "", 204, "")
	s.want(s.as("owner"), "DELETE", fmt.Sprintf("%s/%d", project, owner), "", 204, "")
	s.want(s.as("owner"), "DELETE", fmt.Sprintf("%s/%d", project, owner), "", 404, `{"message":"404 Member Not Found"}`)
}

// member makes somebody who is a direct member, and returns their id.
func (s *scene) member(path string, role packhouse.Role) int64 {
	s.t.Helper()
	user, _ := s.User(fmt.Sprintf("direct-%d", role))
	s.made(root, "POST", path, fmt.Sprintf(`{"user_id":%d,"access_level":%d}`, user, role))
	return user
}

// A role from above is not lowered below; the same or a stronger one is taken.
func TestInheritedRole(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.person("dana", packhouse.Developer)
	sub := s.Group("sub", s.group, "private")
	lib := s.Project("lib", sub, "private")
	for _, path := range []string{fmt.Sprintf("/groups/%d/members", sub), fmt.Sprintf("/projects/%d/members", lib)} {
		s.want(root, "POST", path, `{"username":"dana","access_level":20}`, 400,
			`{"message":{"access_level":["should be greater than or equal to Developer inherited membership from group `+map[bool]string{true: "acme", false: "acme/sub"}[path[1] == 'g']+`"]}}`)
		s.want(root, "POST", path, `{"username":"DANA","access_level":30}`, 201, "")
		s.want(root, "POST", path, `{"username":"dana","access_level":40}`, 409, `{"message":"Member already exists"}`)
	}
}

// A membership counts at once, until it is ended or its day comes.
func TestMembershipCounts(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.person("dana", packhouse.NoAccess)
	project, dana := fmt.Sprintf("/projects/%d", s.project), s.as("dana")
	can := func(want int) {
		t.Helper()
		s.want(dana, "GET", project+"/packages", "", want, "")
	}
	can(404)
	s.Member("projects", s.project, s.ids["dana"], packhouse.Reporter)
	can(200)
	s.Dismiss("projects", s.project, s.ids["dana"])
	can(404)
	today := time.Now().UTC()
	for expires, want := range map[string]int{
		today.Format(time.DateOnly):                         404, // ends as the day begins
		today.AddDate(0, 0, 1).Format(time.DateOnly):        200,
		today.AddDate(-1, 0, 0).Format(time.DateOnly):       404,
		today.Add(time.Hour).Format(time.RFC3339):           200,
		today.Add(-time.Second).Format(time.RFC3339):        404,
		today.Add(time.Hour).Format("2006-01-02T15:04:05Z"): 200,
	} {
		s.made(root, "POST", project+"/members", fmt.Sprintf(`{"username":"dana","access_level":30,"expires_at":%q}`, expires))
		s.want(dana, "GET", project+"/packages", "", want, "")
		s.Dismiss("projects", s.project, s.ids["dana"])
	}
}

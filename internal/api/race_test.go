package api_test

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
)

// atOnce sends a request from 32 clients at the same time and counts the
// answers' statuses. Each client replaces # in path and body by its number.
func (s *scene) atOnce(method, path, body string) map[int]int {
	s.t.Helper()
	const clients = 32
	var (
		workers sync.WaitGroup
		mu      sync.Mutex
		start   = make(chan struct{})
		counts  = map[int]int{}
	)
	for i := range clients {
		own := strings.NewReplacer("#", fmt.Sprint(i))
		workers.Go(func() {
			<-start
			a, err := s.Try(method, "/api/v4"+own.Replace(path), strings.NewReader(own.Replace(body)), root, "Content-Type: application/json")
			mu.Lock()
			defer mu.Unlock()
			if err != nil || a.Status >= 500 {
				s.t.Errorf("%s %s = %d %s, %v", method, path, a.Status, a.Body, err)
			}
			counts[a.Status]++
		})
	}
	close(start)
	workers.Wait()
	return counts
}

// Of many who make the same thing at once one makes it, and the others are told
// what they would be told later.
func TestCreationRaces(t *testing.T) {
	t.Parallel()
	s := start(t)
	user, _ := s.User("dana")
	other := s.Project("other", s.group, "private")
	project := fmt.Sprintf("/projects/%d", s.project)
	s.publish(s.project, "tool/1.0/f", "hello")
	s.publish(s.project, "tool/1.0/g", "hello")
	token := s.made(root, "POST", project+"/deploy_tokens", `{"name":"x","scopes":["read_package_registry"]}`)
	for _, test := range []struct {
		method, path, body string
		want               map[int]int
	}{
		{"POST", "/users", `{"username":"erin","email":"#@example.net"}`, map[int]int{201: 1, 400: 31}},
		{"POST", "/groups", `{"name":"x","path":"top"}`, map[int]int{201: 1, 400: 31}},
		{"POST", "/groups", fmt.Sprintf(`{"name":"x","path":"sub","parent_id":%d}`, s.group), map[int]int{201: 1, 400: 31}},
		{"POST", "/projects", fmt.Sprintf(`{"name":"Lib","namespace_id":%d}`, s.group), map[int]int{201: 1, 400: 31}},
		{"POST", "/projects", fmt.Sprintf(`{"id":7000,"name":"lib-#","namespace_id":%d}`, s.group), map[int]int{201: 1, 400: 31}},
		{"POST", "/projects", fmt.Sprintf(`{"name":"own-#","namespace_id":%d}`, s.group), map[int]int{201: 32}},
		{"POST", project + "/members", fmt.Sprintf(`{"user_id":%d,"access_level":30}`, user), map[int]int{201: 1, 409: 31}},
		{"DELETE", project + fmt.Sprintf("/members/%d", user), ``, map[int]int{204: 1, 404: 31}},
		{"POST", project + "/job_token_scope/allowlist", fmt.Sprintf(`{"target_project_id":%d}`, other), map[int]int{201: 1, 400: 31}},
		{"DELETE", project + fmt.Sprintf("/job_token_scope/allowlist/%d", other), ``, map[int]int{204: 1, 404: 31}},
		{"POST", project + "/access_tokens", `{"name":"x","scopes":["api"]}`, map[int]int{201: 32}},
		{"DELETE", project + fmt.Sprintf("/deploy_tokens/%d", token), ``, map[int]int{204: 32}},
		{"POST", "/job_tokens", `{"project":"acme/tools","job":{"id":7}}`, map[int]int{201: 32}},
		{"DELETE", project + "/packages/1/package_files/1", ``, map[int]int{204: 1, 404: 31}},
		{"DELETE", project + "/packages/1", ``, map[int]int{204: 1, 404: 31}},
	} {
		if got := s.atOnce(test.method, test.path, test.body); !maps.Equal(got, test.want) {
			t.Errorf("%s %s %s at once = %v, want %v", test.method, test.path, test.body, got, test.want)
		}
	}
}

// Changes to different settings of one project at the same time do not undo each
// other.
func TestChangesDoNotUndoEachOther(t *testing.T) {
	t.Parallel()
	s := start(t)
	path := fmt.Sprintf("/api/v4/projects/%d", s.project)
	for round := range 10 {
		var workers sync.WaitGroup
		for _, change := range []struct{ method, path, body string }{
			{"PUT", path, fmt.Sprintf(`{"name":"name %d"}`, round)},
			{"PUT", path, fmt.Sprintf(`{"description":"description %d"}`, round)},
			{"PUT", path, fmt.Sprintf(`{"package_registry_access_level":%q}`, []string{"public", "private"}[round%2])},
			{"PATCH", path + "/job_token_scope", fmt.Sprintf(`{"enabled":%v}`, round%2 == 0)},
			{"PUT", path + "/package_settings", fmt.Sprintf(`{"generic_duplicates_allowed":%v}`, round%2 == 0)},
			{"PUT", path + "/package_settings", fmt.Sprintf(`{"generic_duplicate_exception_regex":"r%d"}`, round)},
		} {
			workers.Go(func() {
				a, err := s.Try(change.method, change.path, strings.NewReader(change.body), root, "Content-Type: application/json")
				if err != nil || a.Status/100 != 2 {
					t.Errorf("%s %s %s = %d %s, %v", change.method, change.path, change.body, a.Status, a.Body, err)
				}
			})
		}
		workers.Wait()
		p := s.Directory.Project(s.project)
		if p.Name != fmt.Sprintf("name %d", round) || p.Description != fmt.Sprintf("description %d", round) ||
			p.Registry.String() != []string{"public", "private"}[round%2] || p.OpenToJobs != (round%2 == 1) {
			t.Fatalf("round %d: %+v, want all four changes", round, p)
		}
		s.want(root, "GET", fmt.Sprintf("/projects/%d/package_settings", s.project), "", 200,
			s.settings(fmt.Sprintf(`"r%d"`, round), fmt.Sprint(round%2 == 0)))
	}
}

// Reading while everything changes never fails.
func TestReadsDuringChanges(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish(s.project, "tool/1.0/f", "hello")
	project := fmt.Sprintf("/api/v4/projects/%d", s.project)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for _, path := range []string{
		project, project + "/packages", project + "/access_tokens", project + "/job_token_scope/allowlist", project + "/package_settings",
	} {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if a, err := s.Try("GET", path, nil, root); err != nil || a.Status != 200 {
					t.Errorf("GET %s = %d %s, %v", path, a.Status, a.Body, err)
					return
				}
			}
		})
	}
	for i := range 10 {
		other := s.Project(fmt.Sprintf("p%d", i), s.group, "private")
		s.API("POST", fmt.Sprintf("/projects/%d/job_token_scope/allowlist", s.project), fmt.Sprintf(`{"target_project_id":%d}`, other), nil)
		s.AccessToken("projects", s.project, 20, "api")
		s.Settings("projects", s.project, fmt.Sprintf(`{"generic_duplicates_allowed":%v}`, i%2 == 0))
		s.publish(s.project, fmt.Sprintf("tool/%d/f", i), "hello")
	}
	close(stop)
	readers.Wait()
}

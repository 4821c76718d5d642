package gitlab_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/format/formattest"
	"packhouse/internal/gitlab/gitlabtest"
	"packhouse/internal/house"
)

const (
	jobToken = "glcbt-64_upstreamupstreamupstr"
	header   = "Job-Token: " + jobToken
)

// scene is a registry that asks a GitLab, with the private projects acme/tools
// and acme/app and their Developer dana. acme/tools admits acme/app's jobs.
type scene struct {
	*formattest.World
	t          *testing.T
	gitlab     *gitlabtest.GitLab
	tools, app int64
	group      int64
	dana       int64
	token      string
}

func start(t *testing.T, edit ...func(*house.Options)) *scene {
	t.Helper()
	g := gitlabtest.Start(t)
	edit = append([]func(*house.Options){func(o *house.Options) { o.Upstream.URL = g.URL }}, edit...)
	s := &scene{World: formattest.Start(t, edit...), t: t, gitlab: g}
	s.group = s.Group("acme", 0, "private")
	s.tools, s.app = s.Project("tools", s.group, "private"), s.Project("app", s.group, "private")
	s.dana, s.token = s.User("dana")
	s.Member("groups", s.group, s.dana, packhouse.Developer)
	s.API("POST", fmt.Sprintf("/projects/%d/job_token_scope/allowlist", s.tools), fmt.Sprintf(`{"target_project_id":%d}`, s.app), nil)
	return s
}

func (s *scene) publish(header, file string) formattest.Answer {
	return s.Do("PUT", fmt.Sprintf("/api/v4/projects/%d/packages/generic/tool/1.0/%s", s.tools, file), strings.NewReader("hello"), header)
}

func (s *scene) want(what string, a formattest.Answer, status int, text string) {
	s.t.Helper()
	if a.Status != status || !strings.Contains(string(a.Body), text) {
		s.t.Errorf("%s = %d %s, want %d with %q", what, a.Status, a.Body, status, text)
	}
}

// A job of GitLab publishes with its own CI_JOB_TOKEN, and the package tells
// which run made it.
func TestJob(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.gitlab.Job(jobToken, nil)
	s.want("publish", s.publish(header, "f"), 201, "")
	s.want("publish by Basic", s.publish("Authorization: Basic Z2l0bGFiLWNpLXRva2VuOmdsY2J0LTY0X3Vwc3RyZWFtdXBzdHJlYW11cHN0cg==", "g"), 201, "")
	s.want("GET /job", s.Do("GET", "/api/v4/job", nil, header), 200, `"id":9001`)
	var packages []struct {
		Pipeline struct {
			ID     int64
			WebURL string `json:"web_url"`
		}
	}
	s.API("GET", fmt.Sprintf("/projects/%d/packages", s.tools), "", &packages)
	if p := packages[0].Pipeline; p.ID != 574 || p.WebURL != s.gitlab.URL.String()+"/acme/app/-/pipelines/574" {
		t.Errorf("pipeline = %+v", p)
	}
	if n := s.gitlab.Asked(); n != 1 {
		t.Errorf("GitLab was asked %d times, want once", n)
	}
}

// Roles and allowlists are those here.
func TestLocalRights(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.gitlab.Job(jobToken, nil)
	s.API("DELETE", fmt.Sprintf("/projects/%d/job_token_scope/allowlist/%d", s.tools, s.app), "", nil)
	s.want("publish where the job is not admitted", s.publish(header, "f"), 403, "job token of project acme/app is not on the allowlist of acme/tools")
	s.API("POST", fmt.Sprintf("/projects/%d/job_token_scope/allowlist", s.tools), fmt.Sprintf(`{"target_project_id":%d}`, s.app), nil)
	s.Dismiss("groups", s.group, s.dana)
	s.want("publish without a role", s.publish(header, "f"), 404, "")
	s.want("an administrator's route", s.Do("POST", "/api/v4/users", strings.NewReader("{}"), header), 401, "")
}

// Jobs of projects that are elsewhere here are found by the map, and jobs of
// projects that are not known get what is open to anybody.
func TestSourceProject(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *house.Options) { o.Upstream.Projects = map[int64]string{99: "acme/app"} })
	elsewhere := map[string]any{"project_id": 99, "web_url": s.gitlab.URL.String() + "/legacy/thing/-/jobs/1"}
	s.gitlab.Job(jobToken, elsewhere)
	s.want("publish by the map", s.publish(header, "f"), 201, "")
	other := "Job-Token: glcbt-other"
	s.gitlab.Job("glcbt-other", map[string]any{"project_id": 98, "web_url": s.gitlab.URL.String() + "/legacy/thing/-/jobs/1"})
	s.want("publish from a project that is not known", s.publish(other, "f"), 403, "legacy/thing")
	s.gitlab.Job("glcbt-none", map[string]any{"web_url": "://"})
	s.want("publish from nowhere", s.publish("Job-Token: glcbt-none", "f"), 403, "allowlist")
	open := s.Project("open", s.Group("shown", 0, "public"), "public")
	for _, h := range []string{other, "Job-Token: glcbt-none"} {
		a := s.Do("GET", fmt.Sprintf("/api/v4/projects/%d/packages", open), nil, h)
		s.want("what is public", a, 200, "[]")
	}
}

// A token that GitLab does not take, or not for a running job of somebody known,
// is refused.
func TestJobRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	for what, changes := range map[string]map[string]any{
		"finished":         {"status": "success"},
		"pending":          {"status": "pending"},
		"blocked there":    {"state": "blocked"},
		"a stranger":       {"username": "erin"},
		"a bot there":      {"bot": true},
		"nobody":           {"username": ""},
		"of no project":    {"project_id": 0},
		"without a number": {"id": 0},
	} {
		token := "glcbt-" + strings.ReplaceAll(what, " ", "")
		s.gitlab.Job(token, changes)
		s.want(what, s.publish("Job-Token: "+token, "f"), 401, "")
	}
	s.want("unknown", s.publish("Job-Token: glcbt-unknown", "f"), 401, "")
	asked := s.gitlab.Asked()
	s.want("unknown, again", s.publish("Job-Token: glcbt-unknown", "f"), 401, "")
	for _, other := range []string{"glpat-unknown", "gldt-unknown", "unknown", "glrt-unknown"} {
		s.want(other, s.Do("GET", "/api/v4/user", nil, "Private-Token: "+other), 401, "")
	}
	if n := s.gitlab.Asked(); n != asked {
		t.Errorf("GitLab was asked %d times about tokens that it was asked about before or should not be, want never", n-asked)
	}
}

// Tokens that are known here are not GitLab's business, good or not.
func TestLocalTokensStayHere(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *house.Options) { o.Upstream.Prefixes = []string{"glpat-"} })
	s.gitlab.Stand(func(http.ResponseWriter, *http.Request) { t.Error("GitLab was asked about a token that is known here") })
	job := s.JobToken(s.app, s.dana)
	s.want("publish", s.publish("Job-Token: "+job, "f"), 201, "")
	s.want("GET /user", s.Do("GET", "/api/v4/user", nil, "Private-Token: "+s.token), 200, "dana")
	s.Revoke(job)
	s.Expire(s.token)
	s.want("after its end", s.publish("Job-Token: "+job, "f"), 401, "")
	s.want("after its end", s.Do("GET", "/api/v4/user", nil, "Private-Token: "+s.token), 401, "")
}

// Who is not known here becomes an external user where that is configured.
func TestExternalUsers(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *house.Options) { o.Upstream.ExternalUsers = true })
	s.gitlab.Job(jobToken, map[string]any{"username": "erin"})
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if a, err := s.Try("GET", "/api/v4/job", nil, header); err != nil || a.Status != 200 {
				t.Errorf("GET /job = %d %s %v, want 200", a.Status, a.Body, err)
			}
		})
	}
	wait.Wait()
	erin := s.Directory.UserByName("erin")
	if erin == nil || !erin.External || erin.Admin {
		t.Fatalf("erin = %+v, want an external user", erin)
	}
	s.gitlab.Job("glcbt-bad", map[string]any{"username": "a/b"})
	s.want("a name that nobody can have here", s.Do("GET", "/api/v4/job", nil, "Job-Token: glcbt-bad"), 401, "")
	s.gitlab.Job("glcbt-group", map[string]any{"username": "acme"})
	s.want("the name of a group", s.Do("GET", "/api/v4/job", nil, "Job-Token: glcbt-group"), 401, "")
}

// An access token of GitLab acts as its user, with its scopes, and never as an
// administrator.
func TestAccessTokens(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *house.Options) { o.Upstream.Prefixes = []string{"glpat-", "acme-"} })
	s.gitlab.Person("glpat-full", "dana", true, "api", "sudo", "k8s_proxy", "self_rotate")
	s.gitlab.Person("acme-read", "dana", true, "read_api")
	s.gitlab.Person("glpat-dead", "dana", false, "api")
	s.gitlab.Person("glpat-root", "root", true, "api", "sudo", "admin_mode")
	s.want("publish", s.publish("Private-Token: glpat-full", "f"), 201, "")
	s.want("publish with read_api", s.publish("Private-Token: acme-read", "g"), 403, "scope")
	s.want("read with read_api", s.Do("GET", fmt.Sprintf("/api/v4/projects/%d", s.tools), nil, "Authorization: Bearer acme-read"), 200, "tools")
	s.want("dead", s.publish("Private-Token: glpat-dead", "f"), 401, "")
	s.want("root's, as an administrator", s.Do("POST", "/api/v4/users", strings.NewReader("{}"), "Private-Token: glpat-root"), 403, "administrator")
}

// GitLab that does not answer as GitLab is a reason to try again, in a bounded
// time, and slows nobody down who has a token of ours.
func TestGitLabDown(t *testing.T) {
	t.Parallel()
	other := gitlabtest.Start(t)
	other.Job(jobToken, nil)
	for what, stand := range map[string]http.HandlerFunc{
		"500":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"502":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) },
		"429":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) },
		"garbage": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>sign in</html>") },
		"a list":  func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "[1]") },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL.String()+r.URL.Path, http.StatusFound)
		},
		"cut": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"huge": func(w http.ResponseWriter, _ *http.Request) {
			for range 4096 {
				if _, err := w.Write([]byte(strings.Repeat(" ", 64<<10))); err != nil {
					return
				}
			}
		},
		"slow": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"slow body": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "{")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			s.t = t
			s.gitlab.Stand(stand)
			s.gitlab.Job(jobToken, nil)
			begin := time.Now()
			var wait sync.WaitGroup
			for range 24 { // more than there are places
				wait.Go(func() {
					a, err := s.Try("GET", "/api/v4/job", nil, fmt.Sprintf("Job-Token: glcbt-%d", time.Now().UnixNano()))
					if err != nil || a.Status != 503 || !strings.Contains(string(a.Body), "try again") {
						t.Errorf("GET /job = %d %s %v, want 503", a.Status, a.Body, err)
					}
				})
			}
			s.want("a token of ours", s.publish("Private-Token: "+s.token, "f"), 201, "")
			if took := time.Since(begin); strings.HasPrefix(what, "slow") && took > 4*time.Second {
				t.Errorf("a token of ours took %v while GitLab is slow", took)
			}
			wait.Wait()
			if took := time.Since(begin); took > 15*time.Second {
				t.Errorf("all took %v, want about the limit of 5 s", took)
			}
			s.want("with Basic", s.publish("Authorization: Basic eDpnbGNidC0x", "g"), 503, "")
			s.gitlab.Stand(nil)
			s.want("when it is back", s.publish(header, "h"), 201, "")
			if other.Asked() != 0 {
				t.Error("a redirect was followed")
			}
		})
	}
}

// One token is asked about once at a time, by however many requests.
func TestOneQuestionAtATime(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.gitlab.Job(jobToken, nil)
	s.gitlab.Stand(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(200 * time.Millisecond)
		w.WriteHeader(401)
	})
	var wait sync.WaitGroup
	for range 32 {
		wait.Go(func() {
			if a, err := s.Try("GET", "/api/v4/job", nil, header); err != nil || a.Status != 401 {
				t.Errorf("GET /job = %d %v, want 401", a.Status, err)
			}
		})
	}
	wait.Wait()
	if n := s.gitlab.Asked(); n != 1 {
		t.Errorf("GitLab was asked %d times, want once", n)
	}
}

// GitLab's tokens are written down nowhere.
func TestTokensAreNotKept(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *house.Options) { o.Upstream.Prefixes = []string{"glpat-"} })
	s.gitlab.Job(jobToken, nil)
	s.gitlab.Person("glpat-upstreamcanary", "dana", true, "api")
	s.want("publish", s.publish(header, "f"), 201, "")
	s.want("publish", s.publish("Private-Token: glpat-upstreamcanary", "g"), 201, "")
	s.gitlab.Stand(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(500)
		fmt.Fprint(w, r.Header)
	})
	s.want("a failure", s.publish("Job-Token: glcbt-failingcanary", "h"), 503, "")
	for _, secret := range []string{jobToken, "glpat-upstreamcanary", "glcbt-failingcanary"} {
		if strings.Contains(s.Logged(), secret) || len(s.Holds(secret)) > 0 {
			t.Errorf("%s is written down", secret)
		}
	}
}

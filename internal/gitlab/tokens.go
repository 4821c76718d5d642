package gitlab

import (
	"context"
	"net/url"
	"strings"
	"time"
)

// Job is a running CI job and who started it
// (https://docs.gitlab.com/api/jobs/#get-job-tokens-job).
type Job struct {
	ID        int64     `json:"id"`
	Status    string    `json:"status"`
	Stage     string    `json:"stage"`
	Name      string    `json:"name"`
	Ref       string    `json:"ref"`
	Tag       bool      `json:"tag"`
	StartedAt time.Time `json:"started_at"`
	WebURL    string    `json:"web_url"`
	User      Person    `json:"user"`
	Pipeline  struct {
		ID        int64  `json:"id"`
		IID       int64  `json:"iid"`
		ProjectID int64  `json:"project_id"`
		SHA       string `json:"sha"`
		Ref       string `json:"ref"`
		Status    string `json:"status"`
		Source    string `json:"source"`
		WebURL    string `json:"web_url"`
	} `json:"pipeline"`
}

// Person is a user of GitLab.
type Person struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
	Name     string `json:"name"`
	State    string `json:"state"`
	Bot      bool   `json:"bot"`
}

// Holder is the user whose access token it is, and what the token is limited to.
type Holder struct {
	Person
	Scopes []string
}

// Job returns the job of a job token while it runs. packhouse.Unauthenticated:
// there is none, or it has ended. packhouse.Unavailable: GitLab does not answer.
func (c *Client) Job(ctx context.Context, secret string) (*Job, error) {
	v, err := c.remembered(ctx, "job", secret, func(ctx context.Context) (any, error) {
		var j Job
		if err := c.get(ctx, "Job-Token", secret, "api/v4/job", &j); err != nil {
			return nil, err
		}
		if j.Status != "running" || !j.User.active() || j.ID <= 0 || j.Pipeline.ProjectID <= 0 {
			return nil, refused()
		}
		return &j, nil
	})
	if err != nil {
		return nil, err
	}
	return v.(*Job), nil
}

// Holder returns who holds an access token. packhouse.Unauthenticated: GitLab
// does not take it. packhouse.Unavailable: GitLab does not answer.
func (c *Client) Holder(ctx context.Context, secret string) (*Holder, error) {
	v, err := c.remembered(ctx, "holder", secret, func(ctx context.Context) (any, error) {
		var (
			h     Holder
			token struct {
				Scopes  []string `json:"scopes"`
				Active  bool     `json:"active"`
				Revoked bool     `json:"revoked"`
				UserID  int64    `json:"user_id"`
			}
		)
		if err := c.get(ctx, "Private-Token", secret, "api/v4/personal_access_tokens/self", &token); err != nil {
			return nil, err
		}
		if err := c.get(ctx, "Private-Token", secret, "api/v4/user", &h.Person); err != nil {
			return nil, err
		}
		if !token.Active || token.Revoked || !h.active() || h.ID <= 0 || token.UserID != 0 && token.UserID != h.ID {
			return nil, refused()
		}
		h.Scopes = token.Scopes
		return &h, nil
	})
	if err != nil {
		return nil, err
	}
	return v.(*Holder), nil
}

func (p *Person) active() bool { return p.State == "active" && p.Username != "" }

// ProjectPath is the full path of a job's project, which GitLab tells only as
// part of the job's address; "" when it does not.
func (c *Client) ProjectPath(j *Job) string {
	u, err := url.Parse(j.WebURL)
	if err != nil {
		return ""
	}
	path, _, found := strings.Cut(u.Path, "/-/jobs/")
	if !found {
		return ""
	}
	return strings.Trim(strings.TrimPrefix(path, strings.TrimRight(c.base.Path, "/")), "/")
}

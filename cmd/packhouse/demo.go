package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"packhouse"
	"packhouse/internal/house"
	"packhouse/internal/ledger"
)

// furnishDemo makes a group, a project, a person and a token of each kind, and
// prints how to use them. What an earlier run made is used again; tokens are
// made anew, because nobody can read the old ones.
func furnishDemo(ctx context.Context, h *house.House, address string, out io.Writer) error {
	by := ledger.By{UserID: h.Root.User.ID, Name: h.Root.User.Username, Kind: packhouse.PersonalToken}
	d := &demo{house: h, by: by}
	group, project, user, err := d.places(ctx)
	if err != nil {
		return err
	}
	tokens, err := d.tokens(ctx, group, project, user)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nFor you to try: the group %s, the private project %s (id %d),\nand the user %s, a Developer there. Tokens of each kind, valid for a day:\n\n",
		group.Path, project.Path, project.ID, user.Username)
	for _, t := range tokens {
		fmt.Fprintf(out, "  %-14s %-32s %s\n", t.kind, t.secret, t.use)
	}
	url := fmt.Sprintf("%s/api/v4/projects/%d/packages/generic/greeting/1.0.0/hello.txt", address, project.ID)
	fmt.Fprintf(out, "\n  echo hello | curl --fail --header 'JOB-TOKEN: %s' --upload-file - %s\n  curl --fail --header 'DEPLOY-TOKEN: %s' %s\n\n",
		tokens[4].secret, url, tokens[3].secret, url)
	return nil
}

type demo struct {
	house *house.House
	by    ledger.By
}

// places finds or makes the group, the project and the user.
func (d *demo) places(ctx context.Context) (*ledger.Namespace, *ledger.Project, *ledger.User, error) {
	h := d.house
	user := h.Directory.UserByName("dana")
	if user == nil {
		var err error
		if user, err = h.Changes.CreateUser(ctx, d.by, ledger.User{Username: "dana", Name: "Dana Ito"}); err != nil {
			return nil, nil, nil, err
		}
	}
	if t, ok := h.Directory.Resolve(packhouse.Project, "demo/tools"); ok {
		project := h.Directory.Project(t.ID)
		return h.Directory.Namespace(project.NamespaceID), project, user, nil
	}
	group, err := h.Changes.CreateGroup(ctx, d.by, ledger.Namespace{Path: "demo", Name: "Demo"})
	if err != nil {
		return nil, nil, nil, err
	}
	project, err := h.Changes.CreateProject(ctx, d.by, ledger.Project{NamespaceID: group.ID, Path: "tools", Name: "Tools"})
	if err != nil {
		return nil, nil, nil, err
	}
	_, err = h.Changes.AddMember(ctx, d.by, ledger.Member{
		Target: packhouse.Target{Level: packhouse.Group, ID: group.ID}, UserID: user.ID, Role: packhouse.Developer,
	})
	return group, project, user, err
}

type demoToken struct{ kind, secret, use string }

// tokens makes one token of each kind: personal, project, group, deploy, job.
func (d *demo) tokens(ctx context.Context, group *ledger.Namespace, project *ledger.Project, user *ledger.User) ([]demoToken, error) {
	var (
		inProject = packhouse.Target{Level: packhouse.Project, ID: project.ID}
		inGroup   = packhouse.Target{Level: packhouse.Group, ID: group.ID}
		tomorrow  = time.Now().Add(24 * time.Hour).UTC()
		issuer    = d.house.Issuer
	)
	var list []demoToken
	for _, one := range []struct {
		use   string
		issue func(context.Context, ledger.By, ledger.Token) (*ledger.Token, string, error)
		token ledger.Token
	}{
		{"dana's own; reads and publishes", d.issue, ledger.Token{Kind: packhouse.PersonalToken, UserID: user.ID, Scopes: packhouse.ScopeAPI}},
		{"a bot of the project, Maintainer", issuer.IssueForBot, ledger.Token{Kind: packhouse.ProjectToken, Target: inProject, Role: packhouse.Maintainer, Scopes: packhouse.ScopeAPI}},
		{"a bot of the group, Reporter", issuer.IssueForBot, ledger.Token{Kind: packhouse.GroupToken, Target: inGroup, Role: packhouse.Reporter, Scopes: packhouse.ScopeReadAPI}},
		{"reads the project's packages", d.issue, ledger.Token{Kind: packhouse.DeployToken, Target: inProject, Scopes: packhouse.ScopeReadPackages}},
		{"a CI job of the project, run by dana", issuer.IssueForJob, ledger.Token{Kind: packhouse.JobToken, UserID: user.ID, Job: d.job(project, user)}},
	} {
		one.token.Name, one.token.ExpiresAt = "demo", tomorrow
		made, secret, err := one.issue(ctx, d.by, one.token)
		if err != nil {
			return nil, err
		}
		list = append(list, demoToken{made.Kind.String() + " token", secret, one.use})
	}
	return list, nil
}

func (d *demo) issue(ctx context.Context, by ledger.By, t ledger.Token) (*ledger.Token, string, error) {
	return d.house.Issuer.Issue(ctx, by, t, "")
}

func (d *demo) job(project *ledger.Project, user *ledger.User) *packhouse.Job {
	return &packhouse.Job{
		ProjectID: project.ID, ProjectPath: project.Path, Name: "publish", Stage: "deploy", Ref: "main", Publish: true, StartedAt: time.Now().UTC(),
		Pipeline: packhouse.Pipeline{ID: 1, IID: 1, Ref: "main", Source: "push", Status: "running", ProjectID: project.ID, UserID: user.ID},
	}
}

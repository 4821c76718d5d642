package api

import (
	"time"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// Bounds of a job token's life.
const (
	jobLife    = time.Hour
	maxJobLife = 24 * time.Hour
)

func (a *API) jobTokenEndpoints() []endpoint {
	return []endpoint{
		get(instance, "/job", authz.OwnJob, a.currentJob, "Tell what job the job token belongs to"),
		post(instance, "/job_tokens", authz.MintJobTokens, a.mintJobToken, "Make a token for a job of any CI system",
			text("project", "id or path of the project whose job it is").must(), text("user", "whom it acts as; you when absent"),
			number("ttl_seconds", "how long it lives; an hour when absent, a day at the most"),
			text("ref", "branch or tag"), word("ref_type", "what ref is", "branch", "tag"), flag("ref_protected", "ref is protected"),
			text("sha", "commit"), list("permissions", "READ_PACKAGES, ADMIN_PACKAGES; both when absent")).at(a.whereJob),
		post(instance, "/job_tokens/{token_id}/finish", authz.MintJobTokens, a.finishJobToken, "End a job's token with the job",
			word("status", "how the job ended", "success", "failed", "canceled")).at(a.whereJobToken),
		remove(instance, "/job_tokens/{token_id}", authz.MintJobTokens, a.finishJobToken, "End a job's token").at(a.whereJobToken),
	}
}

// whereJob: in the project that the request names.
func (a *API) whereJob(q *request) (packhouse.Target, authz.Action, error) {
	ref, err := q.params.required("project")
	if err != nil {
		return packhouse.Target{}, 0, err
	}
	t, _ := a.Directory.Resolve(packhouse.Project, ref)
	return t, authz.MintJobTokens, nil
}

// mintJobToken makes a token for a job of a CI system other than GitLab's. It
// acts as the named user, who must be able to do what it is for.
func (a *API) mintJobToken(q *request) (any, error) {
	user, err := a.jobUser(q)
	if err != nil {
		return nil, err
	}
	job, err := a.jobParams(q, user)
	if err != nil {
		return nil, err
	}
	ttl, err := q.params.number("ttl_seconds", int64(jobLife/time.Second))
	if err != nil {
		return nil, err
	}
	if ttl < 1 || ttl > int64(maxJobLife/time.Second) {
		return nil, packhouse.InvalidParam("ttl_seconds", "does not have a valid value")
	}
	t := ledger.Token{
		Kind: packhouse.JobToken, Name: job.Name, UserID: user.ID, Job: job,
		ExpiresAt: time.Now().Add(time.Duration(ttl) * time.Second).UTC().Truncate(time.Millisecond),
	}
	made, secret, err := a.Issuer.IssueForJob(q.Context(), q.By, t)
	if err != nil {
		return nil, err
	}
	return object{
		"id": made.ID, "token": secret, "expires_at": stamp(made.ExpiresAt), "job_id": made.Job.ID,
		"pipeline_id": made.Job.Pipeline.ID, "project_id": made.Job.ProjectID, "user_id": made.UserID,
	}, nil
}

// jobUser is whom the job runs as.
func (a *API) jobUser(q *request) (*ledger.User, error) {
	name := q.params.text("user")
	if name == "" {
		name = itoa(q.Actor.UserID)
	}
	return a.actingUser(q, name)
}

// actingUser finds whom jobs shall run as, by number or name. An administrator
// may name anybody, others members of the target who have no more to say in it
// than they have.
func (a *API) actingUser(q *request, name string) (*ledger.User, error) {
	user := a.Directory.UserByName(name)
	if id, ok := parseID(name); ok {
		user = a.Directory.User(id)
	}
	if user == nil {
		return nil, packhouse.Errorf(packhouse.NotFound, "404 User Not Found")
	}
	if q.Actor.Admin || user.ID == q.Actor.UserID {
		return user, nil
	}
	role := a.roleOf(user.ID, q.Target)
	if role == packhouse.NoAccess {
		return nil, packhouse.Errorf(packhouse.NotFound, "404 User Not Found")
	}
	if user.Admin {
		role = packhouse.Owner
	}
	return user, a.mayGrant(q, role)
}

func (a *API) jobParams(q *request, user *ledger.User) (*packhouse.Job, error) {
	p := q.params
	job := &packhouse.Job{
		ProjectID: q.Target.ID, ProjectPath: q.Target.Path,
		Name: p.text("job[name]"), Stage: p.text("job[stage]"), WebURL: p.text("job[web_url]"),
		Ref: p.text("ref"), Tag: p.text("ref_type") == "tag", Publish: true, StartedAt: time.Now().UTC().Truncate(time.Millisecond),
		Pipeline: packhouse.Pipeline{
			SHA: p.text("sha"), Ref: p.text("ref"), Source: p.text("pipeline[source]"), Status: p.text("pipeline[status]"),
			WebURL: p.text("pipeline[web_url]"), ProjectID: q.Target.ID, UserID: user.ID,
		},
	}
	if job.Pipeline.Status == "" {
		job.Pipeline.Status = "running"
	}
	var err error
	if job.Protected, err = p.flag("ref_protected", false); err != nil {
		return nil, err
	}
	for name, into := range map[string]*int64{
		"job[id]": &job.ID, "pipeline[id]": &job.Pipeline.ID, "pipeline[iid]": &job.Pipeline.IID,
	} {
		if *into, err = p.number(name, 0); err != nil {
			return nil, err
		}
		if *into < 0 {
			return nil, packhouse.InvalidParam(name, "is invalid")
		}
	}
	if p.has("permissions") {
		job.Publish = false
		for _, name := range p.list("permissions") {
			switch name {
			case "ADMIN_PACKAGES":
				job.Publish = true
			case "READ_PACKAGES":
			default:
				return nil, packhouse.InvalidParam("permissions", "does not have a valid value")
			}
		}
	}
	return job, nil
}

// whereJobToken: in the project whose job the token is for.
func (a *API) whereJobToken(q *request) (t packhouse.Target, action authz.Action, err error) {
	t = packhouse.Target{Level: packhouse.Project}
	id, ok := parseID(q.Arg("token_id"))
	if !ok {
		return t, authz.MintJobTokens, nil
	}
	err = a.Store.View(q.Context(), func(tx *store.Tx) error {
		token, err := tx.Token(q.Context(), id)
		if err == nil && token.Job != nil {
			t, _ = a.Directory.Resolve(packhouse.Project, itoa(token.Job.ProjectID))
		}
		return err
	})
	if packhouse.KindOf(err) == packhouse.NotFound {
		err = nil // the decision about no project says the same as about a hidden one
	}
	return t, authz.MintJobTokens, err
}

func (a *API) finishJobToken(q *request) (any, error) {
	id, err := q.id("token_id", "404 Token Not Found")
	if err != nil {
		return nil, err
	}
	status := q.params.text("status")
	switch status {
	case "", "success", "failed", "canceled":
	default:
		return nil, packhouse.InvalidParam("status", "does not have a valid value")
	}
	err = a.Issuer.Revoke(q.Context(), q.By, id, func(t *ledger.Token) error {
		if t.Job != nil && status != "" {
			t.Job.Pipeline.Status = status
		}
		return nil
	})
	return object{"id": id, "status": status}, err
}

// currentJob is GitLab's answer to a job token that asks what it belongs to.
func (a *API) currentJob(q *request) (any, error) {
	j := q.Actor.Job
	return object{
		"id": j.ID, "status": "running", "stage": j.Stage, "name": j.Name, "ref": j.Ref, "tag": j.Tag,
		"coverage": nil, "allow_failure": false, "created_at": stamp(j.StartedAt), "started_at": stamp(j.StartedAt),
		"finished_at": nil, "erased_at": nil, "duration": time.Since(j.StartedAt).Seconds(), "queued_duration": nil,
		"user": q.fullUser(a.Directory.User(q.Actor.UserID)),
		"commit": object{
			"id": j.Pipeline.SHA, "short_id": j.Pipeline.SHA[:min(8, len(j.Pipeline.SHA))], "title": "", "message": "",
			"author_name": "", "author_email": "", "created_at": stamp(j.StartedAt),
		},
		"pipeline": q.pipeline(&j.Pipeline), "web_url": j.WebURL,
		"project":   object{"ci_job_token_scope_enabled": false},
		"artifacts": []any{}, "runner": nil, "artifacts_expire_at": nil, "archived": false, "tag_list": []any{},
	}, nil
}

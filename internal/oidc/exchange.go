package oidc

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/authn"
	"packhouse/internal/directory"
	"packhouse/internal/format"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// Exchanger makes job tokens for ID tokens that a trusted publisher takes. Its
// methods may be called concurrently.
type Exchanger struct {
	Directory *directory.Directory
	Issuer    authn.Issuer
	Issuers   *Issuers
	Now       func() time.Time // nil means time.Now
	Log       *slog.Logger     // is told why a token was refused; nil means slog.Default
}

// Exchange implements format.Exchanger.
//
// packhouse.Unauthenticated with the rule RuleGrant: no, and not why, unless the
// token's issuer is one that some trusted publisher names. packhouse.Unavailable:
// the issuer does not answer.
func (x *Exchanger) Exchange(ctx context.Context, e format.Exchange) (*format.Exchanged, error) {
	u, err := Parse(e.Token)
	if err != nil {
		return nil, silent()
	}
	// Before the network is asked, the issuer must be one that somebody trusts.
	trusted := x.Directory.PublishersOf(u.Issuer())
	if len(trusted) == 0 {
		x.refused(e, u, "no trusted publisher names its issuer")
		return nil, silent()
	}
	v, err := x.Issuers.Verify(ctx, u)
	if err != nil {
		x.refused(e, u, packhouse.AsError(err).Fix)
		return nil, err
	}
	p, err := x.publisher(trusted, v.Claims, e)
	if err != nil {
		return nil, err
	}
	project := e.Project
	if project.ID == 0 {
		project = packhouse.Target{Level: packhouse.Project, ID: p.Target.ID, Path: x.Directory.PathOf(p.Target)}
	}
	return x.issue(ctx, v, p, project, e.RequestID)
}

// publisher finds the trusted publisher that takes a token: one for the project
// that is named, else the only one that there is.
func (x *Exchanger) publisher(trusted []*ledger.Publisher, c Claims, e format.Exchange) (*ledger.Publisher, error) {
	var (
		taking  []*ledger.Publisher
		reasons []string
	)
	for _, p := range trusted {
		if e.Project.Level != 0 && !x.Directory.Within(e.Project, p.Target) {
			continue
		}
		if why := mismatch(p, c); why != "" {
			if len(reasons) < maxReasons {
				reasons = append(reasons, fmt.Sprintf("publisher %d: %s", p.ID, why))
			}
			continue
		}
		if takes(p, e.Format, e.Package) {
			taking = append(taking, p)
		}
	}
	switch {
	case len(taking) == 0:
		x.refused(e, &Unverified{claims: c}, strings.Join(reasons, "; "))
		return nil, refused("no trusted publisher takes this token, whose audience is " + strings.Join(c.Texts("aud"), ", ") +
			"; compare its claims with the trusted publishers of the project; an administrator finds in the log what did not match")
	case e.Project.Level != 0:
		return choose(taking), nil
	case len(taking) > 1:
		return nil, refused("more than one trusted publisher takes this token; name the project")
	case taking[0].Target.Level != packhouse.Project:
		return nil, refused("the trusted publisher is a group's; name the project")
	}
	return taking[0], nil
}

// issue makes the job token, once for an ID token.
func (x *Exchanger) issue(ctx context.Context, v *Verified, p *ledger.Publisher, project packhouse.Target, requestID string) (*format.Exchanged, error) {
	user := x.Directory.User(p.RunAs)
	if user == nil || user.Standing() != "active" {
		return nil, refused("the user that the trusted publisher's jobs run as is blocked or gone")
	}
	job := jobOf(v.Claims, p, project)
	job.StartedAt = x.now().UTC().Truncate(time.Millisecond)
	job.Pipeline.UserID = user.ID
	t := ledger.Token{
		Kind: packhouse.JobToken, Name: job.Name, UserID: user.ID, Job: job,
		ExpiresAt: x.now().Add(p.MaxLife).UTC().Truncate(time.Millisecond),
	}
	by := ledger.By{Kind: packhouse.JobToken, UserID: user.ID, Name: user.Username, JobID: job.ID, RequestID: requestID}
	made, secret, err := x.Issuer.IssueIf(ctx, by, t, "", func(tx *store.Tx, _ *ledger.Token) error {
		if now, err := tx.Publisher(ctx, p.ID); packhouse.KindOf(err) == packhouse.NotFound || err == nil && now.Revision != p.Revision {
			return refused("the trusted publisher was changed at this moment; ask for another token and try again")
		} else if err != nil {
			return err
		}
		return tx.ExchangeOnce(ctx, v.digest, v.until)
	})
	if packhouse.KindOf(err) == packhouse.Conflict {
		return nil, refused("the token was exchanged before; each is exchanged once")
	}
	if err != nil {
		return nil, err
	}
	return &format.Exchanged{
		Secret: secret, Expires: made.ExpiresAt, Life: p.MaxLife, Project: project, Publisher: p.ID, TokenID: made.ID,
	}, nil
}

func (x *Exchanger) now() time.Time {
	if x.Now != nil {
		return x.Now()
	}
	return time.Now()
}

// maxReasons bounds how many publishers the log tells about.
const maxReasons = 5

// refused tells the log why: whoever sent the token may not learn what is
// configured here. Claims are no secrets; the token is.
func (x *Exchanger) refused(e format.Exchange, u *Unverified, why string) {
	log := x.Log
	if log == nil {
		log = slog.Default()
	}
	log.Info("ID token refused", "request_id", e.RequestID, "issuer", short(u.Issuer()), "project", e.Project.Path, "reason", short(why))
}

// silent is the refusal of a token whose issuer nobody trusts.
func silent() error {
	return &packhouse.Error{Kind: packhouse.Unauthenticated, Rule: RuleGrant, Message: "401 Unauthorized"}
}

// jobOf is the job that a token was given to, as far as its claims tell. The
// first name is GitLab's, the second GitHub's.
func jobOf(c Claims, p *ledger.Publisher, project packhouse.Target) *packhouse.Job {
	ref := c.First("ref")
	for _, prefix := range []string{"refs/heads/", "refs/tags/"} {
		ref = strings.TrimPrefix(ref, prefix)
	}
	job := &packhouse.Job{
		ID: c.Number("job_id", "run_id"), ProjectID: project.ID, ProjectPath: project.Path,
		Name: short(c.First("job_name", "workflow", "sub")), Ref: short(ref),
		Tag: c.First("ref_type") == "tag", Protected: c.First("ref_protected") == "true", Publish: p.Publish,
		Pipeline: packhouse.Pipeline{
			ID: c.Number("pipeline_id", "run_id"), IID: c.Number("run_number"), SHA: short(c.First("sha")), Ref: short(ref),
			Source: short(c.First("pipeline_source", "event_name")), Status: "running", ProjectID: project.ID,
		},
		Trust: &packhouse.Trust{
			Publisher: p.ID, Revision: p.Revision, Name: p.Name, Formats: p.Formats, Packages: p.Packages,
		},
	}
	if path, ok := c.Text("project_path"); ok { // GitLab's, whose issuer is its address
		base := strings.TrimSuffix(p.Issuer, "/") + "/" + short(path) + "/-/"
		if job.ID != 0 {
			job.WebURL = fmt.Sprintf("%sjobs/%d", base, job.ID)
		}
		if job.Pipeline.ID != 0 {
			job.Pipeline.WebURL = fmt.Sprintf("%spipelines/%d", base, job.Pipeline.ID)
		}
	}
	return job
}

// short bounds what is kept of a claim.
func short(text string) string { return strings.ToValidUTF8(text[:min(len(text), 255)], "") }

package authn

import (
	"context"
	"strings"

	"packhouse"
	"packhouse/internal/directory"
	"packhouse/internal/gitlab"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// Upstream believes a real GitLab about tokens that are not ours. Who they stand
// for is known to GitLab; what that user may do here is decided by the roles and
// allowlists here.
type Upstream struct {
	Client *gitlab.Client
	// Projects are the paths here of GitLab's projects, by their numbers there.
	// Others are those of the same path.
	Projects map[int64]string
	// Prefixes are those of access tokens that GitLab is asked about; none to
	// ask about tokens of jobs alone.
	Prefixes []string
	// Changes makes an external user of the same name for a user that is not
	// known here; nil refuses them.
	Changes *directory.Changes
}

// upstreamActor finds whom a token stands for that is not known here. ok is false when
// it is none that GitLab is asked about.
func (a *Authenticator) upstreamActor(ctx context.Context, secret string) (actor packhouse.Actor, ok bool, err error) {
	u := a.upstream
	switch {
	case u == nil:
		return actor, false, nil
	case strings.HasPrefix(secret, prefixes[packhouse.JobToken]):
		actor, err = a.upstreamJob(ctx, secret)
		return actor, true, err
	}
	for _, prefix := range u.Prefixes {
		if strings.HasPrefix(secret, prefix) {
			actor, err = a.upstreamHolder(ctx, secret)
			return actor, true, err
		}
	}
	return actor, false, nil
}

func (a *Authenticator) upstreamJob(ctx context.Context, secret string) (packhouse.Actor, error) {
	j, err := a.upstream.Client.Job(ctx, secret)
	if err != nil {
		return packhouse.Actor{}, err
	}
	user, err := a.upstreamUser(ctx, &j.User)
	if err != nil {
		return packhouse.Actor{}, err
	}
	path, known := a.upstream.Projects[j.Pipeline.ProjectID]
	if !known {
		path = a.upstream.Client.ProjectPath(j)
	}
	// A project that is not known here is on no allowlist: its jobs get what is
	// open to anybody, and are told their project's path.
	source, _ := a.directory.Resolve(packhouse.Project, path)
	if source.ID == 0 {
		source.Path = path
	}
	return a.standIn(&ledger.Token{Kind: packhouse.JobToken, UserID: user.ID, Job: &packhouse.Job{
		ID: j.ID, ProjectID: source.ID, ProjectPath: source.Path, Name: j.Name, Stage: j.Stage, WebURL: j.WebURL,
		Ref: j.Ref, Tag: j.Tag, Publish: true, StartedAt: j.StartedAt,
		Pipeline: packhouse.Pipeline{
			ID: j.Pipeline.ID, IID: j.Pipeline.IID, SHA: j.Pipeline.SHA, Ref: j.Pipeline.Ref, Source: j.Pipeline.Source,
			Status: j.Pipeline.Status, WebURL: j.Pipeline.WebURL, ProjectID: source.ID, UserID: user.ID,
		},
	}})
}

func (a *Authenticator) upstreamHolder(ctx context.Context, secret string) (packhouse.Actor, error) {
	h, err := a.upstream.Client.Holder(ctx, secret)
	if err != nil {
		return packhouse.Actor{}, err
	}
	user, err := a.upstreamUser(ctx, &h.Person)
	if err != nil {
		return packhouse.Actor{}, err
	}
	var scopes packhouse.Scopes
	for _, name := range h.Scopes {
		if s, err := packhouse.ParseScopes([]string{name}); err == nil {
			scopes |= s
		}
	}
	return a.standIn(&ledger.Token{Kind: packhouse.PersonalToken, UserID: user.ID, Scopes: scopes &^ ownScopes})
}

// ownScopes are about tokens and users of ours, which GitLab's tokens say
// nothing about.
const ownScopes = packhouse.ScopeSudo | packhouse.ScopeSelfRotate

// standIn makes the actor of a token that GitLab vouched for. It is never an
// administrator: user names can be changed at GitLab, and whoever takes an
// administrator's must not become one.
func (a *Authenticator) standIn(t *ledger.Token) (packhouse.Actor, error) {
	actor, err := a.actor(t)
	actor.Admin = false
	return actor, err
}

// upstreamUser finds the user here who has the name of one at GitLab.
func (a *Authenticator) upstreamUser(ctx context.Context, p *gitlab.Person) (*ledger.User, error) {
	user := a.directory.UserByName(p.Username)
	if user == nil && !p.Bot && a.upstream.Changes != nil {
		made, err := a.upstream.Changes.CreateUser(ctx, ledger.By{Name: "upstream GitLab"}, ledger.User{
			Username: p.Username, Name: p.Name, External: true,
		})
		switch packhouse.KindOf(err) {
		case packhouse.Conflict: // somebody makes it at this moment
			// An update that follows returns when theirs is committed.
			if err := a.store.Update(ctx, func(*store.Tx) error { return nil }); err != nil {
				return nil, err
			}
			user = a.directory.UserByName(p.Username)
		case packhouse.Invalid: // no name that one can have here
		default:
			if err != nil {
				return nil, err
			}
			user = made
		}
	}
	if user == nil || user.Bot || p.Bot {
		return nil, &packhouse.Error{
			Kind: packhouse.Unauthenticated, Rule: RuleExpired, Message: "401 Unauthorized",
			Fix: "the token is good at GitLab, but its user is not known on this server; ask an administrator to make a user of that name",
		}
	}
	return user, nil
}

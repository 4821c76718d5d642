package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
)

func (a *API) explainEndpoints() []endpoint {
	return []endpoint{
		get(instance, "/explain", authz.SignedIn, a.explain, "Explain how a request would be decided, and why",
			text("path", "the request's path, as /api/v4/projects/31/packages/npm/left-pad").must(),
			text("method", "the request's method; GET when absent"),
			text("as", `who would send it: "anonymous", a user name, or "token:42" for the holder of a token; you when absent`)).at(a.whoseExplanation),
	}
}

// whoseExplanation: anybody asks about themselves and about anonymous visitors;
// about others, who manages what the request is about.
func (a *API) whoseExplanation(q *request) (packhouse.Target, authz.Action, error) {
	u, err := explained(q)
	if err != nil {
		return packhouse.Target{}, 0, err
	}
	if a.aboutOneself(q) {
		return packhouse.Target{Level: packhouse.Instance}, authz.SignedIn, nil
	}
	target := q.Explain(q.Actor, method(q), u).Target
	switch target.Level {
	case packhouse.Project:
		return target, authz.ManageProject, nil
	case packhouse.Group:
		return target, authz.OwnGroup, nil
	}
	return packhouse.Target{Level: packhouse.Instance}, authz.AdminInstance, nil
}

func (a *API) aboutOneself(q *request) bool {
	as := q.params.text("as")
	return as == "" || as == "anonymous" || strings.EqualFold(as, q.Actor.Name)
}

func method(q *request) string {
	if m := q.params.text("method"); m != "" {
		return strings.ToUpper(m)
	}
	return http.MethodGet
}

func explained(q *request) (*url.URL, error) {
	path := q.params.text("path")
	u, err := url.Parse(path)
	if err != nil || !strings.HasPrefix(u.Path, "/") {
		e := packhouse.InvalidParam("path", "is invalid")
		e.Fix = "give a path that begins with a slash, or a whole address"
		return nil, e
	}
	return u, nil
}

func (a *API) explain(q *request) (any, error) {
	u, err := explained(q)
	if err != nil {
		return nil, err
	}
	who := q.Actor
	if as := q.params.text("as"); as != "" && !strings.EqualFold(as, q.Actor.Name) {
		who, err = a.Authn.As(q.Context(), as)
	}
	answer := object{"method": method(q), "path": u.RequestURI(), "as": q.params.text("as")}
	if e := packhouse.AsError(err); err != nil {
		if e.Kind != packhouse.Unauthenticated && e.Kind != packhouse.Forbidden {
			return nil, err
		}
		return refused(answer, e), nil // the credential itself is refused
	}
	x := q.Explain(who, method(q), u)
	answer["actor"] = object{"kind": who.Kind, "username": who.Name, "admin": who.Admin, "external": who.External, "scopes": who.Scopes.Names()}
	if x.Route != "" {
		answer["route"] = object{"protocol": x.Protocol, "pattern": x.Route, "action": x.Action.String()}
	}
	sees := x.Decision.Outcome == authz.Allow || x.Decision.Outcome == authz.Forbid
	if x.Target.ID != 0 && (sees || !a.aboutOneself(q)) {
		answer["target"] = object{"level": x.Target.Level.String(), "id": x.Target.ID, "path": x.Target.Path}
		answer["facts"] = facts(who, &x)
	}
	if x.Refusal != nil {
		e := *x.Refusal
		if x.Decision.Reason != "" {
			e.Message = x.Decision.Reason
		}
		e.Kind = x.Refusal.Kind
		return refused(answer, &e), nil
	}
	answer["allowed"] = true
	return answer, nil
}

func refused(answer object, e *packhouse.Error) object {
	answer["allowed"], answer["status"], answer["rule"] = false, e.Kind.Status(), e.Rule
	answer["reason"], answer["fix"] = e.Message, e.Fix
	return answer
}

// facts is what the decision was made of, in the words of the settings that
// change it.
func facts(who packhouse.Actor, x *format.Explanation) object {
	o := x.Object
	f := object{
		"visibility": o.Visibility, "archived": o.Archived, "marked_for_deletion": o.Deleting,
		"role": o.Role.String(), "access_level": o.Role, "token_reaches_it": o.Bound,
		"guest_can_pull_private": o.GuestsPull, "package_registry_allow_anyone_to_pull_option": o.AnyonePull,
	}
	if o.Target.Level == packhouse.Project {
		f["package_registry_access_level"] = o.Registry
	}
	if who.Kind == packhouse.JobToken {
		f["job_token_admitted"] = o.Admits
	}
	if who.Scopes != 0 && !slices.Contains(who.Scopes.Names(), "api") {
		f["token_scopes"] = who.Scopes.Names()
	}
	return f
}

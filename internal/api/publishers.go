package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/ledger"
)

// Trusted publishers: the rules by which ID tokens of CI jobs elsewhere are
// exchanged for job tokens of a project, or of the projects of a group.

// Bounds of a trusted publisher.
const (
	maxPublishers   = 100 // of one group or project
	maxClaims       = 20
	publisherLife   = 15 * time.Minute
	minPublisherTTL = time.Minute
)

func (a *API) publisherEndpoints() []endpoint {
	const all, one = "/trusted_publishers", "/trusted_publishers/{publisher_id}"
	fields := []param{
		text("audience", "what the claim aud has to be; this server's address when absent"),
		word("access", "what its jobs may do", "publish", "read"),
		list("package_types", "formats that its jobs may publish; all when absent"),
		text("package_name_pattern", "names that its jobs may publish, * for any run of characters; all when absent"),
		number("max_ttl_seconds", "how long its job tokens live; 15 minutes when absent, a day at the most"),
		text("run_as", "id or name of the user that its jobs act as; you when absent"),
	}
	made := with(fields, text("name", "what people call it").must(),
		text("issuer", "what the claim iss has to be: the address of the CI system that makes the ID tokens").must())
	changed := with(fields, text("name", "what people call it"), text("issuer", "what the claim iss has to be"))
	var list []endpoint
	for _, level := range []packhouse.Level{project, group} {
		manage := authz.ManageProject
		if level == group {
			manage = authz.OwnGroup
		}
		where := " of a " + level.String()
		list = append(list,
			get(level, all, manage, a.listPublishers, "List the trusted publishers"+where, paged...),
			post(level, all, manage, a.createPublisher, "Trust the CI jobs of another system"+where+"; claims and claim_patterns are objects", made...),
			get(level, one, manage, a.getPublisher, "Show a trusted publisher"+where),
			put(level, one, manage, a.updatePublisher, "Change a trusted publisher"+where+" and end the tokens that it made", changed...),
			remove(level, one, manage, a.removePublisher, "Remove a trusted publisher"+where+" and end the tokens that it made"))
	}
	return append(list,
		post(instance, "/oidc/token", authz.Anyone, a.exchangeToken, "Exchange an ID token for a job token (RFC 8693)",
			text("grant_type", grantExchange), text("subject_token", "the ID token"), text("subject_token_type", typeIDToken),
			text("requested_token_type", typeAccess), text("project", "id or path of the project; may be absent when one trusted publisher takes the token"),
			text("package_type", "format that will be published"), text("package_name", "package that will be published"),
		).answering(http.StatusOK).unread())
}

func (a *API) publisher(p *ledger.Publisher) object {
	access, runAs, types := "read", any(nil), []string{}
	if p.Publish {
		access = "publish"
	}
	if user := a.Directory.User(p.RunAs); user != nil {
		runAs = user.Username
	}
	patterns := p.ClaimPatterns
	if patterns == nil {
		patterns = map[string]string{}
	}
	return object{
		"id": p.ID, "name": p.Name, "issuer": p.Issuer, "audience": p.Audience, "claims": p.Claims, "claim_patterns": patterns,
		"access": access, "package_types": append(types, p.Formats...), "package_name_pattern": p.Packages,
		"max_ttl_seconds": int64(p.MaxLife / time.Second), "run_as": runAs, "run_as_id": p.RunAs,
		"created_at": stamp(p.CreatedAt), "updated_at": stamp(p.UpdatedAt),
	}
}

func (a *API) listPublishers(q *request) (any, error) {
	list := a.Directory.Publishers(q.Target)
	return q.page(len(list), func(i int) any { return a.publisher(list[i]) })
}

const missingPublisher = "404 Trusted Publisher Not Found"

func (a *API) getPublisher(q *request) (any, error) {
	id, err := q.id("publisher_id", missingPublisher)
	if err != nil {
		return nil, err
	}
	p := a.Directory.Publisher(id)
	if p == nil || p.Target.Level != q.Target.Level || p.Target.ID != q.Target.ID {
		return nil, packhouse.Errorf(packhouse.NotFound, missingPublisher)
	}
	return a.publisher(p), nil
}

func (a *API) createPublisher(q *request) (any, error) {
	if len(a.Directory.Publishers(q.Target)) >= maxPublishers {
		return nil, &packhouse.Error{
			Kind: packhouse.Invalid, Rule: "limit", Message: fmt.Sprintf("400 Bad request - there are %d trusted publishers here, which is the most", maxPublishers),
			Fix: "remove one, or make one for the group above",
		}
	}
	p := ledger.Publisher{
		Target: packhouse.Target{Level: q.Target.Level, ID: q.Target.ID}, Audience: q.Base().String(),
		Publish: true, MaxLife: publisherLife, RunAs: q.Actor.UserID,
	}
	if err := a.publisherParams(q, &p); err != nil {
		return nil, err
	}
	made, err := a.Changes.CreatePublisher(q.Context(), q.By, p)
	if err != nil {
		return nil, err
	}
	return a.publisher(made), nil
}

func (a *API) updatePublisher(q *request) (any, error) {
	id, err := q.id("publisher_id", missingPublisher)
	if err != nil {
		return nil, err
	}
	p, err := a.Changes.UpdatePublisher(q.Context(), q.By, q.Target, id, func(p *ledger.Publisher) error {
		return a.publisherParams(q, p)
	})
	if err != nil {
		return nil, err
	}
	return a.publisher(p), nil
}

func (a *API) removePublisher(q *request) (any, error) {
	id, err := q.id("publisher_id", missingPublisher)
	if err != nil {
		return nil, err
	}
	return nil, a.Changes.RemovePublisher(q.Context(), q.By, q.Target, id)
}

// publisherParams takes over the parameters that are given and checks what the
// publisher is then. Whom its jobs run as is checked in any case: who edits a
// publisher hands that user's role to other jobs.
func (a *API) publisherParams(q *request, p *ledger.Publisher) (err error) {
	if err := q.params.short("name", "issuer", "audience", "package_name_pattern"); err != nil {
		return err
	}
	for name, into := range map[string]*string{
		"name": &p.Name, "issuer": &p.Issuer, "audience": &p.Audience, "package_name_pattern": &p.Packages,
	} {
		if v, given := q.params[name]; given && len(v) > 0 {
			*into = v[len(v)-1]
		}
	}
	for name, value := range map[string]string{"name": p.Name, "audience": p.Audience} {
		if value == "" {
			return packhouse.InvalidParam(name, "is empty")
		}
	}
	if err := a.Issuers.CheckURL(p.Issuer); err != nil {
		return packhouse.InvalidParam("issuer", err.Error())
	}
	if err := claimParams(q.params, p); err != nil {
		return err
	}
	access, err := q.params.oneOf("access", "publish", "read")
	if err != nil {
		return err
	}
	if access != "" {
		p.Publish = access == "publish"
	}
	if err := a.publishedParams(q.params, p); err != nil {
		return err
	}
	ttl, err := q.params.number("max_ttl_seconds", int64(p.MaxLife/time.Second))
	if err != nil {
		return err
	}
	if ttl < int64(minPublisherTTL/time.Second) || ttl > int64(maxJobLife/time.Second) {
		return packhouse.InvalidParam("max_ttl_seconds", "does not have a valid value")
	}
	p.MaxLife = time.Duration(ttl) * time.Second
	name := q.params.text("run_as")
	if name == "" {
		name = itoa(p.RunAs)
	}
	user, err := a.actingUser(q, name)
	if err != nil {
		return err
	}
	p.RunAs = user.ID
	return nil
}

// publishedParams narrows what may be published.
func (a *API) publishedParams(given params, p *ledger.Publisher) error {
	if given["package_types"] == nil {
		return nil
	}
	p.Formats = given.list("package_types")
	for _, format := range p.Formats {
		if !slices.Contains(a.Formats, format) {
			return packhouse.InvalidParam("package_types", "does not have a valid value")
		}
	}
	return nil
}

// circumstances are claims about how a job runs. A publisher that asks for these
// alone would believe the jobs of everybody at its issuer.
var circumstances = []string{
	"ref", "ref_type", "ref_path", "ref_protected", "environment", "environment_protected", "environment_action",
	"deployment_tier", "event_name", "pipeline_source", "runner_environment", "runner_id", "project_visibility",
	"repository_visibility", "sha", "workflow", "base_ref", "head_ref", "user_access_level", "run_attempt",
}

// judged are claims that are checked for every token and are no part of a rule.
var judged = []string{"iss", "aud", "exp", "iat", "nbf", "jti"}

func claimParams(given params, p *ledger.Publisher) error {
	for name, into := range map[string]*map[string]string{"claims": &p.Claims, "claim_patterns": &p.ClaimPatterns} {
		claims, ok, err := given.texts(name)
		if err != nil {
			return err
		}
		if ok {
			*into = claims
		}
	}
	if len(p.Claims)+len(p.ClaimPatterns) > maxClaims {
		return packhouse.InvalidParam("claims", fmt.Sprintf("has more than %d entries", maxClaims))
	}
	identified := false
	for claim, value := range p.Claims {
		if slices.Contains(judged, claim) {
			return packhouse.InvalidParam("claims", "does not take "+claim+", which is checked for every token")
		}
		identified = identified || claim != "sub" && value != "" && !slices.Contains(circumstances, claim)
	}
	if !identified {
		e := packhouse.InvalidParam("claims", "has to name whose jobs are trusted")
		e.Fix = "add the project's or owner's number: project_id or namespace_id for GitLab, repository_id or repository_owner_id for GitHub; " +
			"sub alone is not enough, because projects can change what it is made of"
		return e
	}
	return nil
}

// texts returns a parameter that is an object of texts; given reports whether it
// was given at all. An empty one cannot be told from none.
func (p params) texts(name string) (texts map[string]string, given bool, err error) {
	for full, values := range p {
		key, inside := strings.CutPrefix(full, name+"[")
		if !inside {
			continue
		}
		key, closed := strings.CutSuffix(key, "]")
		if !closed || key == "" || strings.ContainsAny(key, "[]") || len(key) > maxName || len(values) != 1 || len(values[0]) > maxName {
			return nil, true, packhouse.InvalidParam(name, "is invalid")
		}
		if texts == nil {
			texts = map[string]string{}
		}
		texts[key] = values[0]
	}
	return texts, texts != nil, nil
}

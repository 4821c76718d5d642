package authn_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/authn"
	"packhouse/internal/ledger"
)

// carriers are the places in which a token can stand. strict is GitLab's table:
// where a token that is not known is refused, and where it counts as none.
var carriers = []struct {
	name   string
	strict bool
	header func(secret string) string // or nil
	query  string
}{
	{"PRIVATE-TOKEN", true, func(s string) string { return "PRIVATE-TOKEN: " + s }, ""},
	{"private-token", true, func(s string) string { return "private-token: " + s }, ""},
	{"JOB-TOKEN", true, func(s string) string { return "JOB-TOKEN: " + s }, ""},
	{"DEPLOY-TOKEN", false, func(s string) string { return "DEPLOY-TOKEN: " + s }, ""},
	{"X-NuGet-ApiKey", true, func(s string) string { return "X-NuGet-ApiKey: " + s }, ""},
	{"Bearer", true, func(s string) string { return "Authorization: Bearer " + s }, ""},
	{"bearer", true, func(s string) string { return "Authorization: bearer  " + s }, ""},
	{"Token", true, func(s string) string { return "Authorization: Token " + s }, ""},
	{"bare", true, func(s string) string { return "Authorization: " + s }, ""},
	{"Basic, own name", false, func(s string) string { return basic("dana:" + s) }, ""},
	{"Basic, __token__", false, func(s string) string { return basic("__token__:" + s) }, ""},
	{"Basic, no name", false, func(s string) string { return basic(":" + s) }, ""},
	{"basic, job", true, func(s string) string { return strings.Replace(basic("gitlab-ci-token:"+s), "Basic", "basic", 1) }, ""},
	{"private_token", true, nil, "private_token"},
	{"job_token", true, nil, "job_token"},
}

// send asks with a token in a carrier.
func (sc *scene) send(i int, secret string) (packhouse.Actor, error) {
	if c := carriers[i]; c.header == nil {
		return sc.ask("/?page=2&" + c.query + "=" + url.QueryEscape(secret))
	}
	return sc.ask("/", carriers[i].header(secret))
}

// Every carrier takes every kind of token. What becomes of one that is no good
// is GitLab's table: it is refused, or counts as none where stale passwords must
// not break public downloads; but one that was good once is refused there too,
// unless it is a deploy token, which GitLab forgets.
func TestCarriers(t *testing.T) {
	t.Parallel()
	sc := start(t)
	const (
		actor     = "actor"
		anonymous = "anonymous"
		refused   = "401"
		blocked   = "403"
	)
	for _, kind := range kinds {
		forgotten := anonymous
		if kind != packhouse.DeployToken {
			forgotten = refused
		}
		for _, state := range []struct {
			name            string
			secret          string
			strict, lenient string
		}{
			{"good", sc.good(kind), actor, actor},
			{"unknown", authn.NewSecret(kind), refused, anonymous},
			{"expired", sc.expired(kind), refused, forgotten},
			{"revoked", sc.revoked(kind), refused, forgotten},
			{"blocked", sc.blocked(kind), blocked, blocked},
		} {
			if state.name == "blocked" && kind == packhouse.DeployToken {
				continue // there is nobody behind one
			}
			for i, c := range carriers {
				want := state.lenient
				if c.strict {
					want = state.strict
				}
				who, err := sc.send(i, state.secret)
				got := anonymous
				switch {
				case err != nil && packhouse.KindOf(err) == packhouse.Unauthenticated:
					got = refused
				case err != nil && packhouse.KindOf(err) == packhouse.Forbidden:
					got = blocked
				case err != nil:
					got = err.Error()
				case who.Kind == kind:
					got = actor
				}
				if got != want {
					t.Errorf("%s %s token in %s = %s, want %s", state.name, kind, c.name, got, want)
				}
				if err != nil && (who != packhouse.Actor{} || packhouse.AsError(err).Fix == "" || strings.Contains(packhouse.AsError(err).Fix+err.Error(), state.secret)) {
					t.Errorf("%s %s token in %s: actor %+v and error %+v, want none and advice without the secret", state.name, kind, c.name, who, err)
				}
			}
		}
	}
}

func (sc *scene) good(kind packhouse.ActorKind) string {
	_, secret := sc.make(kind, func(t *ledger.Token) { t.ExpiresAt = time.Now().Add(time.Hour) })
	return secret
}

func (sc *scene) expired(kind packhouse.ActorKind) string {
	_, secret := sc.make(kind, func(t *ledger.Token) { t.ExpiresAt = time.Now().Add(-time.Hour) })
	return secret
}

func (sc *scene) revoked(kind packhouse.ActorKind) string {
	made, secret := sc.make(kind)
	sc.end(made.ID)
	return secret
}

// blocked makes a token whose user is blocked: another than dana, or the bot.
func (sc *scene) blocked(kind packhouse.ActorKind) string {
	made, secret := sc.make(kind)
	if kind == packhouse.DeployToken {
		return secret
	}
	if kind != packhouse.ProjectToken && kind != packhouse.GroupToken {
		eve := sc.user("eve-" + kind.String())
		made, secret = sc.make(kind, func(t *ledger.Token) { t.UserID = eve })
	}
	sc.edit(made.UserID, func(u *ledger.User) { u.Blocked = true })
	return secret
}

// Which carrier counts when there are several: explicit headers, then
// Authorization, then the query. The first that holds something decides, even
// when it is no good.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	sc := start(t)
	tokens := map[string]string{}
	for _, name := range []string{"a", "b"} {
		id := sc.user(name)
		_, tokens[name] = sc.make(packhouse.PersonalToken, func(t *ledger.Token) { t.UserID = id })
	}
	a, b := tokens["a"], tokens["b"]
	const bad = "glpat-nobodynobodynobodyno"
	for _, test := range []struct {
		target string
		fields []string
		want   string // user name, "" for a visitor, "401"
	}{
		{"/", []string{"Private-Token: " + a, "Job-Token: " + b}, "a"},
		{"/", []string{"Job-Token: " + b, "Private-Token: " + a}, "a"},
		{"/", []string{"Job-Token: " + a, "Deploy-Token: " + b}, "a"},
		{"/", []string{"Deploy-Token: " + a, "X-NuGet-ApiKey: " + b}, "a"},
		{"/", []string{"X-NuGet-ApiKey: " + a, "Authorization: Bearer " + b}, "a"},
		{"/?private_token=" + b, []string{"Authorization: Bearer " + a}, "a"},
		{"/?job_token=" + b + "&private_token=" + a, nil, "a"},
		{"/?private_token=" + b, []string{"Private-Token: " + a}, "a"},
		{"/", []string{"Private-Token: ", "Job-Token: " + a}, "a"},
		{"/", []string{"Private-Token: ", "Authorization: " + a}, "a"},
		{"/?private_token=" + a, []string{"Authorization: "}, "a"},
		{"/?private_token=&job_token=" + a, nil, "a"},
		{"/", []string{"Private-Token: " + a, "Private-Token: " + b}, "a"},
		{"/?private_token=" + a + "&private_token=" + b, nil, "a"},
		{"/", []string{"Private-Token: " + bad, "Authorization: Bearer " + a}, "401"},
		{"/?private_token=" + a, []string{"Authorization: Bearer " + bad}, "401"},
		{"/?private_token=" + a, []string{"Deploy-Token: " + bad}, ""},
		{"/?private_token=" + a, []string{basic("dana:" + bad)}, ""},
	} {
		who, err := sc.ask(test.target, test.fields...)
		got := who.Name
		if packhouse.KindOf(err) == packhouse.Unauthenticated && err != nil {
			got = "401"
		}
		if got != test.want {
			t.Errorf("%.20s with %.60q = %q, want %q", test.target, test.fields, got, test.want)
		}
	}
}

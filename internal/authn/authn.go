// Package authn finds out who sends a request. It reads every carrier in which
// GitLab's clients send a token, and treats a token that is no good as GitLab
// does for that carrier: some are refused with 401, some count as no credential
// at all, so that a stale password in a pip.conf does not break public
// downloads. Whether the actor may do anything is decided elsewhere.
package authn

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
	"packhouse/internal/memo"
	"packhouse/internal/store"
)

// Options configure an Authenticator.
type Options struct {
	Store     *store.Store
	Directory *directory.Directory
	Now       func() time.Time // nil means time.Now
	// QueryTokens accepts private_token and job_token in the query. GitLab does;
	// they tend to end up in logs of proxies.
	QueryTokens bool
	// Upstream is asked about tokens that are not known here; nil for nobody.
	Upstream *Upstream
	Sessions SessionOptions
}

// Authenticator knows the tokens. Its methods may be called concurrently.
type Authenticator struct {
	store     *store.Store
	directory *directory.Directory
	now       func() time.Time
	query     bool
	upstream  *Upstream
	sessions  sessions
	tokens    *memo.Memo[packhouse.Digest, *ledger.Token]
	uses      uses
}

// New makes an Authenticator. It follows the store's ledger from now on, so a
// revoked token is dead when the call that revoked it returns.
func New(opts Options) *Authenticator {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	a := &Authenticator{
		store: opts.Store, directory: opts.Directory, now: opts.Now, query: opts.QueryTokens,
		upstream: opts.Upstream, sessions: newSessions(opts.Sessions),
		tokens: memo.New[packhouse.Digest, *ledger.Token](10_000, nil),
	}
	opts.Store.Subscribe(func(entries []ledger.Entry) {
		for _, e := range entries {
			if put, ok := e.Event.(*ledger.TokenPut); ok {
				a.tokens.Touch(memo.Place(put.Token.Digest))
			}
		}
	})
	return a
}

// Attempted reports whether a request carries a credential, good or not.
func (a *Authenticator) Attempted(r *http.Request) bool {
	secret, _ := a.credential(r)
	return secret != "" || SessionSecret(r) != ""
}

// Attempt is the digest of the credential that a request carries, and whether it
// is a job's token or is sent as one.
func (a *Authenticator) Attempt(r *http.Request) (digest packhouse.Digest, job bool) {
	secret, _ := a.credential(r)
	user, _, _ := r.BasicAuth()
	job = strings.HasPrefix(secret, prefixes[packhouse.JobToken]) || user == "gitlab-ci-token" ||
		secret != "" && secret == r.Header.Get("Job-Token") || a.query && secret != "" && secret == r.URL.Query().Get("job_token")
	return DigestOf(secret), job
}

// strictness says what a token that is no good means.
type strictness bool

const (
	strict  strictness = true  // refused: 401
	lenient strictness = false // counts as no credential
)

// maxToken bounds a token's length. GitLab's job tokens are signed documents of
// more than a thousand characters.
const maxToken = 8 << 10

// Actor finds the actor of a request; without a credential that is the
// anonymous one. packhouse.Unauthenticated: a credential was sent that is no
// good, in a carrier where that is an error. packhouse.Forbidden: it belongs to
// a blocked user.
func (a *Authenticator) Actor(r *http.Request) (packhouse.Actor, error) {
	secret, mode := a.credential(r)
	if secret == "" {
		return a.session(r)
	}
	if sealed, ok := strings.CutPrefix(secret, passPrefix); ok {
		return a.bearer(r.Context(), sealed)
	}
	actor, err := a.identify(r.Context(), secret)
	if err == nil && actor.Kind == packhouse.Session {
		actor, err = packhouse.Actor{}, errUnknown() // a session is good in its cookie alone
	}
	if mode == lenient && packhouse.KindOf(err) == packhouse.Unauthenticated {
		if packhouse.AsError(err).Rule == RuleExpired {
			return packhouse.Actor{}, err
		}
		return packhouse.Actor{}, nil
	}
	if err != nil {
		return actor, err
	}
	return a.sudo(r, actor)
}

// credential finds the token of a request and what becomes of the request if it
// is no good (spec: GitLab's table of carriers). Explicit headers come before
// Authorization, and that before the query. A pass in the query comes before
// Authorization, too: clients that were sent to an address add what .netrc has for
// the host.
func (a *Authenticator) credential(r *http.Request) (string, strictness) {
	h := r.Header
	for _, c := range [...]struct {
		header string
		mode   strictness
	}{
		{"Private-Token", strict},
		{"Job-Token", strict},
		{"Deploy-Token", lenient},
		{"X-Nuget-Apikey", strict},
	} {
		if v := h[c.header]; len(v) > 0 && v[0] != "" {
			return v[0], c.mode
		}
	}
	if v := passInQuery(r.URL.RawQuery); v != "" {
		return v, strict
	}
	if v := h["Authorization"]; len(v) > 0 && v[0] != "" {
		return fromAuthorization(v[0])
	}
	if a.query && strings.Contains(r.URL.RawQuery, "_token=") {
		return fromQuery(r.URL.RawQuery)
	}
	return "", lenient
}

// fromAuthorization reads "Basic …", "Bearer …" and a bare token, which RubyGems
// and Cargo send: of anything but Basic, GitLab takes the last word.
func fromAuthorization(value string) (string, strictness) {
	words := strings.Fields(value)
	if len(words) == 0 {
		return "", lenient
	}
	if !strings.EqualFold(words[0], "Basic") {
		return words[len(words)-1], strict
	}
	plain, err := base64.StdEncoding.DecodeString(words[len(words)-1])
	if err != nil {
		return "", lenient
	}
	user, password, _ := strings.Cut(string(plain), ":")
	if user == "gitlab-ci-token" {
		return password, strict
	}
	return password, lenient
}

func fromQuery(raw string) (string, strictness) {
	// What cannot be read is for the handler to refuse; a token beside it is a
	// token all the same.
	q, _ := url.ParseQuery(raw)
	for _, name := range []string{"private_token", "job_token"} {
		if v := q.Get(name); v != "" {
			return v, strict
		}
	}
	return "", lenient
}

// The rules by which a token is no good. One that was good once is refused also
// where one that never was counts as no credential.
const (
	RuleToken   = "token"
	RuleExpired = "expired"
)

// identify finds whom a token stands for, of whichever kind it is.
func (a *Authenticator) identify(ctx context.Context, secret string) (packhouse.Actor, error) {
	if len(secret) > maxToken {
		return packhouse.Actor{}, errUnknown()
	}
	digest := DigestOf(secret)
	token, err := a.tokens.Get(digest, memo.Place(digest), func() (token *ledger.Token, err error) {
		err = a.store.View(ctx, func(tx *store.Tx) error {
			token, err = tx.TokenByDigest(ctx, digest)
			return err
		})
		return token, err
	})
	if packhouse.KindOf(err) == packhouse.NotFound {
		if actor, ok, err := a.upstreamActor(ctx, secret); ok {
			return actor, err
		}
		return packhouse.Actor{}, errUnknown()
	}
	if err != nil {
		return packhouse.Actor{}, err
	}
	if !token.Active(a.now()) {
		return packhouse.Actor{}, errInactive(token)
	}
	if !a.vouched(token) {
		return packhouse.Actor{}, errUnvouched()
	}
	a.uses.note(token.ID, a.now())
	return a.actor(token)
}

// vouched reports whether the trusted publisher that a token was made by, if
// any, is still as it was then.
func (a *Authenticator) vouched(t *ledger.Token) bool {
	if t.Job == nil || t.Job.Trust == nil {
		return true
	}
	p := a.directory.Publisher(t.Job.Trust.Publisher)
	return p != nil && p.Revision == t.Job.Trust.Revision
}

// actor fills in what the directory knows about the user behind a token.
func (a *Authenticator) actor(t *ledger.Token) (packhouse.Actor, error) {
	actor := packhouse.Actor{
		Kind: t.Kind, UserID: t.UserID, Name: t.Username, TokenID: t.ID, Scopes: t.Scopes, Bound: t.Target, Job: t.Job,
	}
	if actor.Bound.Level != 0 {
		actor.Bound.Path = a.directory.PathOf(actor.Bound)
	}
	if t.UserID == 0 {
		return actor, nil
	}
	user := a.directory.User(t.UserID)
	if user == nil {
		return packhouse.Actor{}, errUnknown()
	}
	if user.Standing() != "active" {
		return packhouse.Actor{}, errBlocked(user)
	}
	if t.Kind == packhouse.PersonalToken && !user.Admin && a.directory.Instance().NoPersonalTokens {
		return packhouse.Actor{}, errNoPersonalTokens()
	}
	actor.Name, actor.Admin, actor.External = user.Username, user.Admin, user.External
	return actor, nil
}

func errBlocked(u *ledger.User) error {
	return &packhouse.Error{
		Kind: packhouse.Forbidden, Rule: "blocked", Message: "403 Forbidden - Your account has been " + u.Standing(),
		Fix: "ask an administrator to make " + u.Username + " active again",
	}
}

func errNoPersonalTokens() error {
	return &packhouse.Error{
		Kind: packhouse.Unauthenticated, Rule: RuleExpired, Message: "401 Unauthorized",
		Fix: "personal access tokens are switched off here; use a token of a project or group, or a deploy token",
	}
}

func errUnknown() error {
	return &packhouse.Error{
		Kind: packhouse.Unauthenticated, Rule: RuleToken, Message: "401 Unauthorized",
		Fix: "the token is not known here; check that it was made on this server and copied whole",
	}
}

func errInactive(t *ledger.Token) error {
	problem := "the token has expired; rotate it or make a new one"
	switch {
	case !t.RevokedAt.IsZero() && t.Kind == packhouse.JobToken:
		problem = "the job of this token has finished"
	case !t.RevokedAt.IsZero():
		problem = "the token was revoked; make a new one"
	}
	rule := RuleExpired
	if t.Kind == packhouse.DeployToken {
		rule = RuleToken // GitLab forgets those that have ended
	}
	return &packhouse.Error{Kind: packhouse.Unauthenticated, Rule: rule, Message: "401 Unauthorized", Fix: problem}
}

func errUnvouched() error {
	return &packhouse.Error{
		Kind: packhouse.Unauthenticated, Rule: RuleExpired, Message: "401 Unauthorized",
		Fix: "the trusted publisher that this token was made by was changed or removed; exchange an ID token again",
	}
}

// DigestOf is the form in which a token's secret is stored and looked up.
func DigestOf(secret string) packhouse.Digest { return sha256.Sum256([]byte(secret)) }

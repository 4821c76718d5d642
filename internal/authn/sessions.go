package authn

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/maypok86/otter/v2"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/memo"
	"packhouse/internal/store"
)

// SessionCookie carries the secret of a session.
const SessionCookie = "_packhouse_session"

// Where a request that changes something proves that it comes from our own
// pages, which no other site can read: a header, or a field of a form.
const (
	CSRFHeader = "X-Csrf-Token"
	CSRFField  = "authenticity_token"
)

// Bounds of sessions.
const (
	maxSessions = 50              // of a user at a time; the oldest make room
	useEvery    = 5 * time.Minute // how exactly the last use is known
	maxForm     = 64 << 10        // bytes of a form that is read for its proof
	usesKept    = 100_000         // sessions whose last use is in memory
)

// SessionOptions say how long sessions last.
type SessionOptions struct {
	Idle time.Duration // without use; 0 means a day
	Life time.Duration // in all; 0 means two weeks
}

// sessions is what an Authenticator knows about sessions beside their tokens.
type sessions struct {
	SessionOptions
	uses memo.Cache[int64, time.Time]
}

func newSessions(opts SessionOptions) sessions {
	if opts.Idle == 0 {
		opts.Idle = 24 * time.Hour
	}
	if opts.Life == 0 {
		opts.Life = 14 * 24 * time.Hour
	}
	return sessions{opts, otter.Must(&otter.Options[int64, time.Time]{MaximumSize: usesKept})}
}

// SignIn begins a session of a user and returns its secret, 256 random bits. name
// is what tells it from the user's others, such as the browser.
func (a *Authenticator) SignIn(ctx context.Context, by ledger.By, u *ledger.User, name string) (*ledger.Token, string, error) {
	var random [32]byte
	rand.Read(random[:]) // never fails, see crypto/rand
	secret := base64.RawURLEncoding.EncodeToString(random[:])
	t := ledger.Token{
		Kind: packhouse.Session, Name: name, UserID: u.ID, Scopes: packhouse.ScopeAPI,
		ExpiresAt: a.now().Add(a.sessions.Life).UTC().Truncate(time.Second),
	}
	return Issuer{Store: a.store}.IssueIf(ctx, by, t, secret, func(tx *store.Tx, _ *ledger.Token) error {
		n := 0
		return endSessions(ctx, tx, by, u.ID, func(*ledger.Token) bool { n++; return n >= maxSessions })
	})
}

// Sessions lists the live sessions of a user, the newest first.
func (a *Authenticator) Sessions(ctx context.Context, userID int64) (live []ledger.Token, err error) {
	err = a.store.View(ctx, func(tx *store.Tx) error {
		all, err := tx.NewestTokens(ctx, userID, packhouse.Session, 2*maxSessions)
		for _, t := range all {
			if t.Active(a.now()) {
				live = append(live, t)
			}
		}
		return err
	})
	return live, err
}

// endSessions ends the live sessions of a user that chosen picks, which is asked
// about the newest first.
func endSessions(ctx context.Context, tx *store.Tx, by ledger.By, userID int64, chosen func(*ledger.Token) bool) error {
	all, err := tx.NewestTokens(ctx, userID, packhouse.Session, 2*maxSessions)
	if err != nil {
		return err
	}
	for _, t := range all {
		if !t.Active(tx.Now()) || !chosen(&t) {
			continue
		}
		t.RevokedAt = tx.Now()
		if _, err := tx.Append(ctx, by, &ledger.TokenPut{Token: t}); err != nil {
			return err
		}
	}
	return nil
}

// CSRF is the proof that goes with a session. It follows from the session's
// secret, so it needs no place, and says nothing about it.
func CSRF(secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("csrf"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// SessionSecret is the secret of the session that a request came with, or "".
func SessionSecret(r *http.Request) string {
	c, err := r.Cookie(SessionCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// session finds the actor of the session that a request came with. A session
// that is over is no credential at all, so that a browser can sign in again.
// packhouse.Forbidden: the request changes something and lacks the proof that it
// comes from our own pages.
func (a *Authenticator) session(r *http.Request) (packhouse.Actor, error) {
	secret := SessionSecret(r)
	if secret == "" {
		return packhouse.Actor{}, nil
	}
	actor, err := a.identify(r.Context(), secret)
	if packhouse.KindOf(err) == packhouse.Unauthenticated || err == nil && actor.Kind != packhouse.Session {
		return packhouse.Actor{}, nil
	}
	if err != nil {
		return packhouse.Actor{}, err
	}
	if live, err := a.used(r.Context(), actor.TokenID); err != nil || !live {
		return packhouse.Actor{}, err
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && !proven(r, secret) {
		return packhouse.Actor{}, &packhouse.Error{
			Kind: packhouse.Forbidden, Rule: "csrf", Message: "403 Forbidden - the request does not prove that it comes from this site",
			Fix: "send the csrf_token that GET /-/session tells as the header X-CSRF-Token, or use an access token instead of the session",
		}
	}
	return actor, nil
}

// used reports whether a session has been used lately, and remembers that it is
// used now.
func (a *Authenticator) used(ctx context.Context, id int64) (bool, error) {
	now := a.now()
	last, known := a.sessions.uses.GetIfPresent(id)
	if known && now.Sub(last) < useEvery {
		return true, nil
	}
	// Another node may know of a later use.
	var begun time.Time
	err := a.store.View(ctx, func(tx *store.Tx) (err error) {
		if last, err = tx.SessionUse(ctx, id); err != nil || !last.IsZero() {
			return err
		}
		t, err := tx.Token(ctx, id)
		if err == nil {
			begun = t.CreatedAt
		}
		return err
	})
	if err != nil {
		return false, err
	}
	if last.IsZero() {
		last = begun
	}
	if now.Sub(last) > a.sessions.Idle {
		return false, nil
	}
	if now.Sub(last) >= useEvery || last.Equal(begun) {
		// A session that cannot be written down as used is used all the same.
		_ = a.store.Update(ctx, func(tx *store.Tx) error { return tx.UseSession(ctx, id) })
		last = now
	}
	a.sessions.uses.Set(id, last)
	return true, nil
}

// proven reports whether a request carries the proof of its session.
func proven(r *http.Request, secret string) bool {
	got := r.Header.Get(CSRFHeader)
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); got == "" && kind == "application/x-www-form-urlencoded" && r.ContentLength > 0 && r.ContentLength <= maxForm {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxForm))
		if err != nil {
			return false
		}
		r.Body = struct {
			io.Reader
			io.Closer
		}{bytes.NewReader(body), r.Body}
		form, _ := url.ParseQuery(string(body)) // what cannot be read proves nothing
		got = form.Get(CSRFField)
	}
	return subtle.ConstantTimeCompare([]byte(got), []byte(CSRF(secret))) == 1
}

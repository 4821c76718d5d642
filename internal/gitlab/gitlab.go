// Package gitlab asks a real GitLab whose token somebody has shown, when the
// token is none of ours: that of a running CI job, or a person's own. It knows
// what GitLab says and nothing of the directory here.
//
// A token is sent to the one address that is configured and to no other; a
// redirect is not followed. Answers are remembered for a minute, refusals for
// ten seconds, by the token's digest; the token itself is not kept.
package gitlab

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"

	"packhouse"
	"packhouse/internal/memo"
	"packhouse/internal/outbound"
)

// Bounds of what is asked and remembered.
const (
	goodLife   = time.Minute
	badLife    = 10 * time.Second
	downLife   = time.Second // an answer that was none
	timeout    = 5 * time.Second
	maxAnswer  = 1 << 20 // bytes
	maxCached  = 10_000
	maxAtATime = 16
)

// Options configure a Client.
type Options struct {
	URL *url.URL         // of the GitLab, without /api/v4
	Now func() time.Time // nil means time.Now
}

// Client asks one GitLab. Its methods may be called concurrently.
type Client struct {
	base   *url.URL
	now    func() time.Time
	http   *http.Client
	places chan struct{} // as many as there may be requests at a time
	flight singleflight.Group
	cache  memo.Cache[packhouse.Digest, answer]
}

// answer is what GitLab said about a token.
type answer struct {
	value any
	err   error
	until time.Time
}

// New makes a Client.
func New(opts Options) *Client {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Client{
		base: opts.URL, now: opts.Now, places: make(chan struct{}, maxAtATime),
		http: &http.Client{
			Timeout:       timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				ForceAttemptHTTP2: true, TLSHandshakeTimeout: timeout, ResponseHeaderTimeout: timeout,
				MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: maxAtATime, IdleConnTimeout: time.Minute,
			},
		},
		cache: otter.Must(&otter.Options[packhouse.Digest, answer]{MaximumSize: maxCached}),
	}
}

// remembered returns what GitLab said about a token, asking once for all who
// want to know at the same time.
func (c *Client) remembered(ctx context.Context, what, secret string, ask func(context.Context) (any, error)) (any, error) {
	digest := packhouse.Digest(sha256.Sum256([]byte(what + "\x00" + secret)))
	if a, ok := c.cache.GetIfPresent(digest); ok && c.now().Before(a.until) {
		return a.value, a.err
	}
	done := c.flight.DoChan(string(digest[:]), func() (any, error) {
		if a, ok := c.cache.GetIfPresent(digest); ok && c.now().Before(a.until) {
			return a, nil // somebody was faster
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		a := c.asked(ctx, ask)
		c.cache.Set(digest, a)
		return a, nil
	})
	select {
	case r := <-done:
		a := r.Val.(answer)
		return a.value, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// asked waits for a place and asks.
func (c *Client) asked(ctx context.Context, ask func(context.Context) (any, error)) answer {
	select {
	case c.places <- struct{}{}:
		defer func() { <-c.places }()
	case <-ctx.Done():
		return answer{err: unavailable(fmt.Errorf("%d requests are under way", maxAtATime)), until: c.now().Add(downLife)}
	}
	value, err := ask(ctx)
	life := goodLife
	switch {
	case err == nil:
	case packhouse.KindOf(err) == packhouse.Unauthenticated:
		life = badLife
	default:
		life = downLife
	}
	return answer{value, err, c.now().Add(life)}
}

// get asks for a resource on behalf of a token and decodes the answer.
// packhouse.Unauthenticated: GitLab does not take the token.
// packhouse.Unavailable: what came is no answer of GitLab's.
func (c *Client) get(ctx context.Context, header, secret, path string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base.JoinPath(path).String(), nil)
	if err != nil {
		return unavailable(err)
	}
	if !sendable(secret) {
		return refused()
	}
	r.Header.Set(header, secret)
	r.Header.Set("Accept", "application/json")
	resp, err := c.http.Do(r)
	if err != nil {
		return unavailable(err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return refused()
	default:
		return unavailable(fmt.Errorf("GET %s: status %d", path, resp.StatusCode))
	}
	body, err := outbound.ReadAll(resp.Body, maxAnswer)
	if err != nil {
		return unavailable(fmt.Errorf("GET %s: %w", path, err))
	}
	if json.Unmarshal(body, into) != nil {
		return unavailable(fmt.Errorf("GET %s: the answer is no JSON of the expected shape", path))
	}
	return nil
}

// sendable reports whether a token can stand in a header.
func sendable(secret string) bool {
	for i := range len(secret) {
		if secret[i] <= ' ' || secret[i] > '~' {
			return false
		}
	}
	return secret != ""
}

func refused() error {
	return &packhouse.Error{
		Kind: packhouse.Unauthenticated, Rule: "token", Message: "401 Unauthorized",
		Fix: "the token is not known here, nor does the GitLab behind this server take it; a job's token ends with the job",
	}
}

func unavailable(cause error) error {
	return &packhouse.Error{
		Kind: packhouse.Unavailable, Rule: "upstream-gitlab", Err: cause,
		Message: "503 Service Unavailable - the GitLab that the token may be from cannot be asked about it",
		Fix:     "try again; tokens that were made on this server are not affected",
	}
}

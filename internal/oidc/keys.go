package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

	"packhouse"
	"packhouse/internal/outbound"
)

// Bounds of what is fetched and kept of an issuer.
const (
	maxDocument  = 256 << 10        // bytes of a discovery document or key set
	maxIssuers   = 1000             // whose keys are kept
	keysLife     = time.Hour        // after which keys are fetched again
	keysLast     = 24 * time.Hour   // for which keys serve when their issuer does not answer
	refreshEvery = time.Minute      // at most, for a key that is not known
	fetchTimeout = 10 * time.Second // of both documents
	minRSA       = 2048             // bits
)

// IssuerOptions configure Issuers.
type IssuerOptions struct {
	// Allow are networks in which issuers may be although they are not public.
	// An issuer on this machine may speak plain HTTP when they include it.
	Allow []netip.Prefix
	Now   func() time.Time // nil means time.Now
}

// Issuers knows the keys of issuers. Its methods may be called concurrently.
type Issuers struct {
	options IssuerOptions
	client  *http.Client
	flight  singleflight.Group

	mu   sync.Mutex
	keys map[string]*keySet
}

// Metadata is what an issuer says about itself (OpenID Connect Discovery 1.0, 3).
type Metadata struct {
	Issuer        string `json:"issuer"`
	Keys          string `json:"jwks_uri"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
}

// keySet is what was fetched of an issuer. It is not changed.
type keySet struct {
	metadata Metadata
	byID     map[string]any
	fetched  time.Time // when the keys came
	tried    time.Time // when they were last asked for
}

// NewIssuers makes Issuers that know nobody yet.
func NewIssuers(opts IssuerOptions) *Issuers {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Issuers{options: opts, client: outbound.New(outbound.Options{Allow: opts.Allow}), keys: map[string]*keySet{}}
}

// CheckURL refuses an issuer that could not be asked. It asks nobody.
func (is *Issuers) CheckURL(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" || len(issuer) > 255:
		return packhouse.Errorf(packhouse.Invalid, "is not the address of an issuer, such as https://gitlab.example.com")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && is.local(u.Hostname()):
		return nil
	}
	return packhouse.Errorf(packhouse.Invalid, "must begin with https://")
}

// local reports whether a host is this machine and may be asked.
func (is *Issuers) local(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() && outbound.Allowed(addr, is.options.Allow)
}

// Client is what issuers are asked with.
func (is *Issuers) Client() *http.Client { return is.client }

// Metadata returns what an issuer says about itself. The caller has decided that
// the issuer may be asked. packhouse.Unavailable: it does not answer.
func (is *Issuers) Metadata(ctx context.Context, issuer string) (Metadata, error) {
	set, err := is.of(ctx, issuer)
	if err != nil {
		return Metadata{}, err
	}
	return set.metadata, nil
}

// key returns an issuer's key by its id; id "" means its only one. It is nil
// when the issuer has no such key. packhouse.Unavailable: the issuer does not
// answer.
func (is *Issuers) key(ctx context.Context, issuer, id string) (any, error) {
	set, err := is.of(ctx, issuer)
	if err != nil {
		return nil, err
	}
	if key := set.find(id); key != nil || is.options.Now().Sub(set.tried) < refreshEvery {
		return key, nil
	}
	if set, err = is.refresh(ctx, issuer); err != nil {
		return nil, err
	}
	return set.find(id), nil
}

func (s *keySet) find(id string) any {
	if id == "" && len(s.byID) == 1 {
		for _, key := range s.byID {
			return key
		}
	}
	return s.byID[id]
}

// of returns what is known of an issuer, fetching it when it is not known or old.
func (is *Issuers) of(ctx context.Context, issuer string) (*keySet, error) {
	is.mu.Lock()
	set := is.keys[issuer]
	is.mu.Unlock()
	now := is.options.Now()
	if set != nil && len(set.byID) > 0 && (now.Sub(set.fetched) < keysLife || now.Sub(set.tried) < refreshEvery && now.Sub(set.fetched) < keysLast) {
		return set, nil
	}
	return is.refresh(ctx, issuer)
}

// refresh fetches an issuer's keys, once for all who ask at the same time. While
// the issuer does not answer, the keys of the last day serve.
func (is *Issuers) refresh(ctx context.Context, issuer string) (*keySet, error) {
	done := is.flight.DoChan(issuer, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		return is.fetched(ctx, issuer)
	})
	select {
	case r := <-done:
		if r.Err != nil {
			return nil, unreachable(issuer, r.Err)
		}
		return r.Val.(*keySet), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (is *Issuers) fetched(ctx context.Context, issuer string) (*keySet, error) {
	is.mu.Lock()
	old := is.keys[issuer]
	is.mu.Unlock()
	now := is.options.Now()
	if old != nil && now.Sub(old.tried) < refreshEvery && (old.byID != nil || now.Sub(old.tried) < time.Second) {
		return old.usable() // somebody was faster
	}
	set, err := is.fetch(ctx, issuer)
	if err == nil {
		set.fetched = now
	} else if old != nil && old.byID != nil && now.Sub(old.fetched) < keysLast {
		kept := *old
		set, err = &kept, nil
	} else {
		set = &keySet{}
	}
	set.tried = now
	is.mu.Lock()
	defer is.mu.Unlock()
	if len(is.keys) >= maxIssuers {
		clear(is.keys) // they are fetched again when they are asked for
	}
	is.keys[issuer] = set
	return set, err
}

// usable refuses a set that stands for an issuer that did not answer.
func (s *keySet) usable() (*keySet, error) {
	if s.byID == nil {
		return nil, fmt.Errorf("it did not answer a moment ago")
	}
	return s, nil
}

// fetch asks an issuer for its metadata and its keys.
func (is *Issuers) fetch(ctx context.Context, issuer string) (*keySet, error) {
	document, err := outbound.Get(ctx, is.client, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", maxDocument)
	if err != nil {
		return nil, err
	}
	set := &keySet{byID: map[string]any{}}
	if err := json.Unmarshal(document, &set.metadata); err != nil {
		return nil, fmt.Errorf("its configuration is no JSON: %w", err)
	}
	if set.metadata.Issuer != issuer {
		return nil, fmt.Errorf("its configuration is that of the issuer %q", set.metadata.Issuer)
	}
	if err := is.CheckURL(set.metadata.Keys); err != nil {
		return nil, fmt.Errorf("its jwks_uri %w", err)
	}
	if document, err = outbound.Get(ctx, is.client, set.metadata.Keys, maxDocument); err != nil {
		return nil, err
	}
	var list struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(document, &list); err != nil {
		return nil, fmt.Errorf("its keys are no JSON: %w", err)
	}
	for _, raw := range list.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(raw, &key) == nil && usable(&key) {
			set.byID[key.KeyID] = key.Key
		}
	}
	if len(set.byID) == 0 {
		return nil, fmt.Errorf("it has no key for RS256 or ES256")
	}
	return set, nil
}

// usable reports whether a key is public, for signatures, and strong enough for
// one of the algorithms. Issuers have others too, which are left alone.
func usable(key *jose.JSONWebKey) bool {
	if key.Use != "" && key.Use != "sig" {
		return false
	}
	switch k := key.Key.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen() >= minRSA && (key.Algorithm == "" || key.Algorithm == string(jose.RS256))
	case *ecdsa.PublicKey:
		return k.Curve == elliptic.P256() && (key.Algorithm == "" || key.Algorithm == string(jose.ES256))
	}
	return false
}

func unreachable(issuer string, err error) error {
	return &packhouse.Error{
		Kind: packhouse.Unavailable, Rule: "issuer", Err: err,
		Message: "503 Service Unavailable - the issuer " + issuer + " does not answer as an issuer does",
		Fix:     "try again; an administrator finds the reason in the log under this request's id",
	}
}

// Package oidctest runs a small issuer of ID tokens for tests: an HTTP server
// with a discovery document and keys, whose tokens can be made as right or as
// wrong as a test wants.
package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Loopback is where the issuers of tests are.
var Loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// Issuer is a running issuer. Its methods may be called concurrently.
type Issuer struct {
	URL string

	t      testing.TB
	mu     sync.Mutex
	keys   []jose.JSONWebKey // private; the last one signs
	serial int
	asked  map[string]int // requests by path
	stand  http.HandlerFunc
}

// Start runs an issuer with one RSA key until the test ends.
func Start(t testing.TB) *Issuer {
	t.Helper()
	is := &Issuer{t: t, asked: map[string]int{}}
	is.Rotate()
	s := httptest.NewServer(is)
	t.Cleanup(s.Close)
	is.URL = s.URL
	return is
}

// RSA makes an RSA key.
func RSA(t testing.TB, bits int) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// EC makes a key on the curve P-256.
func EC(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Rotate replaces all keys by a new one.
func (is *Issuer) Rotate() {
	is.t.Helper()
	key := RSA(is.t, 2048)
	is.mu.Lock()
	defer is.mu.Unlock()
	is.serial++
	is.keys = []jose.JSONWebKey{{Key: key, KeyID: fmt.Sprintf("key-%d", is.serial), Algorithm: "RS256", Use: "sig"}}
}

// Publish puts another key among those that the issuer publishes.
func (is *Issuer) Publish(key jose.JSONWebKey) {
	is.mu.Lock()
	defer is.mu.Unlock()
	is.keys = append([]jose.JSONWebKey{key}, is.keys...)
}

// Stand has fn answer in the issuer's place; nil gives the place back.
func (is *Issuer) Stand(fn http.HandlerFunc) {
	is.mu.Lock()
	defer is.mu.Unlock()
	is.stand = fn
}

// Asked counts the requests that the issuer got.
func (is *Issuer) Asked() int {
	is.mu.Lock()
	defer is.mu.Unlock()
	n := 0
	for _, count := range is.asked {
		n += count
	}
	return n
}

// ServeHTTP implements http.Handler.
func (is *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	is.mu.Lock()
	is.asked[r.URL.Path]++
	stand, keys := is.stand, is.keys
	is.mu.Unlock()
	if stand != nil {
		stand(w, r)
		return
	}
	is.Answer(w, r, keys)
}

// Answer answers as the issuer does.
func (is *Issuer) Answer(w http.ResponseWriter, r *http.Request, keys []jose.JSONWebKey) {
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		is.write(w, map[string]any{
			"issuer": is.URL, "jwks_uri": is.URL + "/keys",
			"authorization_endpoint": is.URL + "/authorize", "token_endpoint": is.URL + "/token",
		})
	case "/keys":
		public := jose.JSONWebKeySet{}
		for _, key := range keys {
			public.Keys = append(public.Keys, key.Public())
		}
		is.write(w, public)
	default:
		http.NotFound(w, r)
	}
}

// Keys are those that the issuer has.
func (is *Issuer) Keys() []jose.JSONWebKey {
	is.mu.Lock()
	defer is.mu.Unlock()
	return is.keys
}

func (is *Issuer) write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that went away is the test's to notice
}

// Claims are those of an ID token of a GitLab job on the protected tag v1.2.3,
// made a moment ago for an audience, with changes. A nil change takes a claim
// away.
func (is *Issuer) Claims(audience string, changes map[string]any) map[string]any {
	now := time.Now()
	is.mu.Lock()
	is.serial++
	claims := map[string]any{
		"iss": is.URL, "aud": audience, "jti": fmt.Sprintf("%s/%d", is.URL, is.serial),
		"iat": now.Unix(), "nbf": now.Unix() - 5, "exp": now.Add(5 * time.Minute).Unix(),
		"sub": "project_path:acme/lib:ref_type:tag:ref:v1.2.3", "namespace_id": "72", "namespace_path": "acme",
		"project_id": "20", "project_path": "acme/lib", "user_id": "12", "user_login": "dana", "pipeline_id": "574",
		"pipeline_source": "push", "job_id": fmt.Sprint(9000 + is.serial), "ref": "v1.2.3", "ref_type": "tag", "ref_protected": "true",
		"ref_path": "refs/tags/v1.2.3", "sha": "5f0c1d7e9a41b6cc02d4e7f38a9b10c2d3e4f506", "runner_id": 3, "environment": "release",
	}
	is.mu.Unlock()
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return claims
}

// GitHub are changes that make the claims those of a GitHub Actions run.
func GitHub(changes map[string]any) map[string]any {
	all := map[string]any{
		"namespace_id": nil, "namespace_path": nil, "project_id": nil, "project_path": nil, "user_id": nil, "user_login": nil,
		"pipeline_id": nil, "pipeline_source": nil, "job_id": nil, "ref_path": nil, "runner_id": nil,
		"sub": "repo:acme/lib:ref:refs/tags/v1.2.3", "repository": "acme/lib", "repository_id": "555", "repository_owner": "acme",
		"repository_owner_id": "77", "run_id": "1234567", "run_number": "8", "run_attempt": "1", "event_name": "push",
		"ref": "refs/tags/v1.2.3", "workflow": "release", "actor": "dana", "actor_id": "12",
	}
	maps.Copy(all, changes)
	return all
}

// Token signs claims with the issuer's newest key.
func (is *Issuer) Token(claims map[string]any) string {
	is.t.Helper()
	keys := is.Keys()
	key := keys[len(keys)-1]
	return Sign(is.t, jose.SigningKey{Algorithm: jose.RS256, Key: key.Key}, key.KeyID, claims)
}

// Sign signs claims with any key.
func Sign(t testing.TB, with jose.SigningKey, id string, claims any) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType("JWT")
	if id != "" {
		options = options.WithHeader("kid", id)
	}
	signer, err := jose.NewSigner(with, options)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

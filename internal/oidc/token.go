// Package oidc believes ID tokens of other issuers (OpenID Connect): those of CI
// jobs, which are exchanged for job tokens by the trusted publishers that
// maintainers make, and those of single sign-on.
//
// Whom to believe is decided before anybody is asked anything: an issuer is
// fetched from only when a trusted publisher or the configuration names it,
// letter by letter.
package oidc

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"packhouse"
)

const (
	// maxToken bounds an ID token, in bytes.
	maxToken = 16 << 10
	// leeway is how far clocks may differ.
	leeway = time.Minute
	// maxAge is how old a token may be that is shown to us.
	maxAge = 10 * time.Minute
)

// algorithms are the only ones that are believed. Whoever knows a public key can
// make an HS256 signature with it, and anybody can make none.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256}

// Unverified is a token of which nothing has been checked. What it claims says
// whom to ask, and nothing else.
type Unverified struct {
	signed *jose.JSONWebSignature
	claims Claims
}

// Parse reads a token without believing it.
func Parse(raw string) (*Unverified, error) {
	if len(raw) > maxToken {
		return nil, fmt.Errorf("the token has more than %d bytes", maxToken)
	}
	signed, err := jose.ParseSignedCompact(raw, algorithms)
	if err != nil {
		return nil, err
	}
	claims, err := parseClaims(signed.UnsafePayloadWithoutVerification())
	if err != nil {
		return nil, err
	}
	return &Unverified{signed, claims}, nil
}

// Issuer is whose token it says it is.
func (u *Unverified) Issuer() string {
	issuer, _ := u.claims["iss"].(string)
	return issuer
}

// Verified is a token whose issuer, signature and times are right. Whom it is
// for, and whether it was used before, is not yet decided.
type Verified struct {
	Claims Claims
	digest packhouse.Digest // what it is remembered by
	until  time.Time        // when it is believed no more, by any clock within the leeway
}

// Verify checks the signature by the keys of the issuer that the token names,
// and its times. The caller has decided that the issuer may be asked and
// believed. packhouse.Unauthenticated: something is wrong with the token.
// packhouse.Unavailable: the issuer does not answer.
func (is *Issuers) Verify(ctx context.Context, u *Unverified) (*Verified, error) {
	issuer := u.Issuer()
	id := u.signed.Signatures[0].Header.KeyID
	key, err := is.key(ctx, issuer, id)
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, refused("the token is signed with a key that its issuer does not have now")
	}
	payload, err := u.signed.Verify(key)
	if err != nil {
		return nil, refused("the token's signature is wrong")
	}
	claims, err := parseClaims(payload)
	if err != nil {
		return nil, refused("the token cannot be read")
	}
	v := &Verified{Claims: claims, digest: identity(issuer, claims, payload)}
	v.until, err = checkTimes(claims, is.options.Now())
	return v, err
}

// identity is what a token is remembered by: its id, else all of it.
func identity(issuer string, claims Claims, payload []byte) packhouse.Digest {
	id := "payload\x00" + string(payload)
	if jti, ok := claims.Text("jti"); ok && jti != "" {
		id = "jti\x00" + jti
	}
	return sha256.Sum256([]byte(issuer + "\x00" + id))
}

// checkTimes returns when a token is believed no more.
func checkTimes(c Claims, now time.Time) (until time.Time, err error) {
	expires, ok := c.time("exp")
	issued, dated := c.time("iat")
	from, limited := c.time("nbf")
	switch {
	case !ok || !dated:
		return until, refused("the token lacks exp or iat")
	case limited && now.Before(from.Add(-leeway)), now.Before(issued.Add(-leeway)):
		return until, refused("the token is not valid yet; compare the clocks of its issuer and of this server")
	case !now.Before(expires.Add(leeway)):
		return until, refused("the token has expired")
	case now.Sub(issued) > maxAge+leeway:
		return until, refused(fmt.Sprintf(
			"the token is %d minutes old and is believed for 10; ask for it, or exchange it, right before it is used", int(now.Sub(issued).Minutes())))
	}
	until = issued.Add(maxAge)
	if expires.Before(until) {
		until = expires
	}
	return until.Add(2 * leeway), nil
}

// RuleGrant is the rule of every refusal of an ID token. It is also the error
// code of OAuth 2.0 (RFC 6749, 5.2).
const RuleGrant = "invalid_grant"

// refused is the refusal of a token. problem is for whoever sent it, and holds
// nothing of what is configured here.
func refused(problem string) error {
	return &packhouse.Error{Kind: packhouse.Unauthenticated, Rule: RuleGrant, Message: "401 Unauthorized", Fix: problem}
}

package authn

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"packhouse"
)

// passPrefix is what passes begin with.
const passPrefix = "phpass-"

// passInQuery finds a pass in ?token=, where addresses that clients are sent to have
// it; "" for none.
func passInQuery(raw string) string {
	if !strings.Contains(raw, "token="+passPrefix) {
		return ""
	}
	q, _ := url.ParseQuery(raw)
	if v := q.Get("token"); strings.HasPrefix(v, passPrefix) {
		return v
	}
	return ""
}

// passGrace is how long after its end a pass still serves to bring to an end what
// was begun with it.
const passGrace = 24 * time.Hour

// sealed is what a pass holds, encrypted: the credential itself, so that one which
// was revoked takes its passes along at once.
type sealed struct {
	Secret string             `json:"s,omitempty"`
	Access []packhouse.Access `json:"a,omitempty"`
	Ends   int64              `json:"e"` // seconds
}

// passSecret is the secret that passes are encrypted with.
const passSecret = "passes"

const saltSize = 24

// seal is the cipher for a salt. Each pass has a key of its own, so that their
// number does not wear the shared one out.
func seal(key, salt []byte) (cipher.AEAD, error) {
	one, err := hkdf.Key(sha256.New, key, salt, "pass", 32)
	if err != nil {
		return nil, fmt.Errorf("derive the key of a pass: %w", err)
	}
	block, err := aes.NewCipher(one)
	if err != nil {
		return nil, fmt.Errorf("derive the key of a pass: %w", err)
	}
	return cipher.NewGCM(block)
}

// Pass implements format.Passes.
func (a *Authenticator) Pass(r *http.Request, access []packhouse.Access, life time.Duration) (string, error) {
	secret, _ := a.credential(r)
	plain, err := json.Marshal(sealed{Secret: secret, Access: access, Ends: a.now().Add(life).Unix()})
	if err != nil {
		return "", fmt.Errorf("encode a pass: %w", err)
	}
	key, err := a.store.Secret(r.Context(), passSecret)
	if err != nil {
		return "", err
	}
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails, see crypto/rand
	aead, err := seal(key, salt)
	if err != nil {
		return "", err
	}
	// The key is used once, so the nonce need not differ.
	return passPrefix + base64.RawURLEncoding.EncodeToString(aead.Seal(salt, make([]byte, aead.NonceSize()), plain, nil)), nil
}

// bearer finds whom a pass stands for.
func (a *Authenticator) bearer(ctx context.Context, text string) (packhouse.Actor, error) {
	pass, err := a.open(ctx, text)
	if err != nil {
		return packhouse.Actor{}, err
	}
	over := a.now().Sub(time.Unix(pass.Ends, 0))
	if over > passGrace {
		return packhouse.Actor{}, errPass("the token has run out; ask for another")
	}
	var actor packhouse.Actor
	if pass.Secret != "" {
		if actor, err = a.identify(ctx, pass.Secret); err != nil {
			return packhouse.Actor{}, err
		}
		if actor.Kind == packhouse.Session {
			return packhouse.Actor{}, errUnknown() // a session is good in its cookie alone
		}
	}
	actor.Pass = &packhouse.Pass{Access: pass.Access, Ended: over >= 0}
	return actor, nil
}

func (a *Authenticator) open(ctx context.Context, text string) (pass sealed, err error) {
	if len(text) > 4*maxToken {
		return pass, errPass("the token is not one of ours")
	}
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(data) < saltSize {
		return pass, errPass("the token is not one of ours")
	}
	key, err := a.store.Secret(ctx, passSecret)
	if err != nil {
		return pass, err
	}
	aead, err := seal(key, data[:saltSize])
	if err != nil {
		return pass, err
	}
	plain, err := aead.Open(nil, make([]byte, aead.NonceSize()), data[saltSize:], nil)
	if err != nil || json.Unmarshal(plain, &pass) != nil {
		return pass, errPass("the token is not one of ours, or was altered")
	}
	return pass, nil
}

// errPass is the refusal of a pass. It is no guess at a credential.
func errPass(fix string) error {
	return &packhouse.Error{Kind: packhouse.Unauthenticated, Rule: "pass-ended", Message: "401 Unauthorized", Fix: fix}
}

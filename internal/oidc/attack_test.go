package oidc_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"packhouse/internal/house"
	"packhouse/internal/oidc/oidctest"
)

// Tokens that are signed by somebody else, or by nobody, are refused.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.trust("")
	claims := s.issuer.Claims("https://pkgs.example.net", nil)
	keys := s.issuer.Keys()
	public := keys[0].Key.(*rsa.PrivateKey).Public()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	stranger := oidctest.RSA(t, 2048)
	good := s.issuer.Token(claims)
	parts := strings.Split(good, ".")
	header := func(fields string) string { return base64.RawURLEncoding.EncodeToString([]byte(fields)) }
	other, err := json.Marshal(s.issuer.Claims("https://pkgs.example.net", map[string]any{"job_id": "1"}))
	if err != nil {
		t.Fatal(err)
	}
	for what, token := range map[string]string{
		"alg none":                  header(`{"alg":"none","kid":"key-1"}`) + "." + parts[1] + ".",
		"alg None":                  header(`{"alg":"None"}`) + "." + parts[1] + "." + parts[2],
		"HS256 with the public key": oidctest.Sign(t, jose.SigningKey{Algorithm: jose.HS256, Key: asPEM}, "key-1", claims),
		"HS256 with the key's DER":  oidctest.Sign(t, jose.SigningKey{Algorithm: jose.HS256, Key: der}, "key-1", claims),
		"RS512":                     oidctest.Sign(t, jose.SigningKey{Algorithm: jose.RS512, Key: keys[0].Key}, "key-1", claims),
		"JSON":                      `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
	} {
		s.refused(what, token, "")
	}
	for what, token := range map[string]string{
		"no signature":                 parts[0] + "." + parts[1] + ".",
		"another key with the id":      oidctest.Sign(t, jose.SigningKey{Algorithm: jose.RS256, Key: stranger}, "key-1", claims),
		"another key without an id":    oidctest.Sign(t, jose.SigningKey{Algorithm: jose.RS256, Key: stranger}, "", claims),
		"ES256":                        oidctest.Sign(t, jose.SigningKey{Algorithm: jose.ES256, Key: oidctest.EC(t)}, "key-1", claims),
		"other claims":                 parts[0] + "." + base64.RawURLEncoding.EncodeToString(other) + "." + parts[2],
		"a key that it brings along":   embedding(t, stranger, claims),
		"a path for an id":             oidctest.Sign(t, jose.SigningKey{Algorithm: jose.RS256, Key: stranger}, "../../../../dev/null", claims),
		"SQL for an id":                oidctest.Sign(t, jose.SigningKey{Algorithm: jose.RS256, Key: stranger}, "x' OR 1=1 --", claims),
		"an id that nobody has":        oidctest.Sign(t, jose.SigningKey{Algorithm: jose.RS256, Key: keys[0].Key}, "key-9", claims),
		"a header that must be obeyed": header(`{"alg":"RS256","kid":"key-1","crit":["x"],"x":1}`) + "." + parts[1] + "." + parts[2],
	} {
		s.refused(what, token, "the token")
	}
	s.granted(good)
	if n := s.issuer.Asked(); n != 2 {
		t.Errorf("the issuer was asked %d times, want once for each document", n)
	}
}

// embedding signs claims with a key and puts its public half into the header.
func embedding(t *testing.T, key crypto.Signer, claims map[string]any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, &jose.SignerOptions{EmbedJWK: true})
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

// A published key that is too weak, or for encryption, or a secret, is not used.
func TestKeysThatAreNotUsed(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.trust("")
	weak, encrypting, ec := oidctest.RSA(t, 1024), oidctest.RSA(t, 2048), oidctest.EC(t)
	s.issuer.Publish(jose.JSONWebKey{Key: weak, KeyID: "weak", Algorithm: "RS256", Use: "sig"})
	s.issuer.Publish(jose.JSONWebKey{Key: encrypting, KeyID: "encrypting", Algorithm: "RS256", Use: "enc"})
	s.issuer.Publish(jose.JSONWebKey{Key: ec, KeyID: "curve", Algorithm: "ES256", Use: "sig"})
	claims := s.issuer.Claims("https://pkgs.example.net", nil)
	s.refused("weak", oidctest.Sign(t, jose.SigningKey{Algorithm: jose.RS256, Key: weak}, "weak", claims), "a key that its issuer does not have")
	s.refused("encrypting", oidctest.Sign(t, jose.SigningKey{Algorithm: jose.RS256, Key: encrypting}, "encrypting", claims), "a key that its issuer does not have")
	s.granted(oidctest.Sign(t, jose.SigningKey{Algorithm: jose.ES256, Key: ec}, "curve", claims))
}

func TestTimes(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.trust("")
	now := time.Now().Unix()
	for what, test := range map[string]struct {
		claims map[string]any
		want   string
	}{
		"expired":            {map[string]any{"exp": now - 65}, "expired"},
		"no end":             {map[string]any{"exp": nil}, "lacks exp"},
		"no beginning":       {map[string]any{"iat": nil}, "lacks exp or iat"},
		"an end in words":    {map[string]any{"exp": "tomorrow"}, "lacks exp"},
		"an end beyond time": {map[string]any{"exp": 1e300}, "lacks exp"},
		"not yet":            {map[string]any{"nbf": now + 90}, "not valid yet"},
		"from the future":    {map[string]any{"iat": now + 90}, "not valid yet"},
		"too old":            {map[string]any{"iat": now - 700}, "11 minutes old"},
		"old, for long":      {map[string]any{"iat": now - 3600, "exp": now + 3600}, "60 minutes old"},
	} {
		s.refused(what, s.idToken(test.claims), test.want)
	}
	for what, claims := range map[string]map[string]any{
		"expired within the leeway": {"exp": now - 30},
		"in the future within it":   {"iat": now + 30, "nbf": now + 30},
		"nine minutes old":          {"iat": now - 540},
		"without nbf, in fractions": {"nbf": nil, "iat": float64(now) + 0.5},
	} {
		if a := s.exchange(s.idToken(claims)); a.Status != 200 {
			t.Errorf("%s: exchange = %d %s, want 200", what, a.Status, a.Body)
		}
	}
}

// Keys are fetched once, again for one that is not known, and for those at most
// once a minute.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	s := start(t)
	clock := &fakeClock{at: time.Now()}
	s.Exchanger.Issuers.SetNow(clock.now)
	s.trust("")
	for range 3 {
		s.granted(s.idToken(nil))
	}
	if n := s.issuer.Asked(); n != 2 {
		t.Errorf("asked %d times for three tokens, want twice: metadata and keys", n)
	}
	old := s.idToken(nil)
	s.issuer.Rotate()
	s.refused("within a minute of the last look", s.idToken(nil), "a key that its issuer does not have now")
	clock.advance(61 * time.Second)
	s.granted(s.idToken(nil))
	s.refused("signed with a key that is gone", old, "a key that its issuer does not have now")
	for range 20 {
		s.refused("ids that nobody has", oidctest.Sign(t, jose.SigningKey{Algorithm: jose.RS256, Key: s.issuer.Keys()[0].Key}, "key-99", s.issuer.Claims("x", nil)), "key")
	}
	if n := s.issuer.Asked(); n != 4 {
		t.Errorf("asked %d times after a rotation, want twice more", n)
	}
	s.issuer.Stand(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	clock.advance(2 * time.Hour)
	if a := s.exchange(s.issuer.Token(s.claimsAt(clock))); a.Status != 200 {
		t.Errorf("an hour after the keys are old, with the issuer down: exchange = %d %s, want 200", a.Status, a.Body)
	}
	clock.advance(24 * time.Hour)
	if a := s.exchange(s.issuer.Token(s.claimsAt(clock))); a.Status != 503 {
		t.Errorf("a day later: exchange = %d %s, want 503", a.Status, a.Body)
	}
}

func (s *scene) claimsAt(c *fakeClock) map[string]any {
	now := c.now().Unix()
	return s.issuer.Claims("https://pkgs.example.net", map[string]any{"iat": now, "nbf": now, "exp": now + 300})
}

// An issuer that fails, in whatever way, is no reason to refuse a token for good
// nor to believe it, and takes no memory and no time.
func TestBrokenIssuer(t *testing.T) {
	t.Parallel()
	config := "/.well-known/openid-configuration"
	elsewhere := oidctest.Start(t)
	for what, stand := range map[string]func(*scene) http.HandlerFunc{
		"500": func(*scene) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }
		},
		"404": func(*scene) http.HandlerFunc { return http.NotFound },
		"garbage": func(*scene) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }
		},
		"another issuer": func(*scene) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) { elsewhere.Answer(w, r, elsewhere.Keys()) }
		},
		"a redirect": func(*scene) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusFound)
			}
		},
		"endless": func(*scene) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				for i := 0; i < 4096; i++ {
					if _, err := w.Write(make([]byte, 64<<10)); err != nil {
						return
					}
				}
			}
		},
		"slow": func(*scene) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(200)
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			}
		},
		"no keys": func(s *scene) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) { s.issuer.Answer(w, r, nil) }
		},
		"keys by a file": func(s *scene) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == config {
					fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":"file:///etc/passwd"}`, s.issuer.URL)
				}
			}
		},
		"keys in the clear": func(s *scene) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == config {
					fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":"http://keys.example.net/"}`, s.issuer.URL)
				}
			}
		},
		"keys of the metadata service": func(s *scene) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == config {
					fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":"https://169.254.169.254/latest"}`, s.issuer.URL)
				}
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			s.trust("")
			s.issuer.Stand(stand(s))
			before := elsewhere.Asked()
			begin := time.Now()
			a := s.exchange(s.idToken(nil))
			if a.Status != 503 || time.Since(begin) > 12*time.Second {
				t.Errorf("exchange = %d %s after %v, want 503 within the time limit", a.Status, a.Body, time.Since(begin))
			}
			if what == "a redirect" && elsewhere.Asked() != before {
				t.Error("a redirect to another host was followed")
			}
			s.issuer.Stand(nil)
			time.Sleep(1100 * time.Millisecond) // an issuer that failed is left alone for a second
			s.granted(s.idToken(nil))
		})
	}
}

// Nobody makes the server ask its own network, unless an option says so.
func TestPrivateIssuer(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *house.Options) { o.IssuerNetworks = nil })
	body := fmt.Sprintf(`{"name":"x","issuer":%q,"claims":{"project_id":"1"}}`, s.issuer.URL)
	path := fmt.Sprintf("/api/v4/projects/%d/trusted_publishers", s.project)
	header := []string{"Private-Token: " + s.token, "Content-Type: application/json"}
	s.Member("projects", s.project, s.dana, 40)
	if a := s.Do("POST", path, strings.NewReader(body), header...); a.Status != 400 || !strings.Contains(string(a.Body), "https://") {
		t.Errorf("an issuer on loopback = %d %s, want 400", a.Status, a.Body)
	}
	for _, issuer := range []string{"https://127.0.0.1:1", "https://10.0.0.1", "https://169.254.169.254", "https://[::1]", "https://localhost", "https://[::ffff:127.0.0.1]"} {
		s.trust(fmt.Sprintf(`{"issuer":%q}`, issuer))
		claims := s.issuer.Claims("https://pkgs.example.net", map[string]any{"iss": issuer})
		if a := s.exchange(s.issuer.Token(claims)); a.Status != 503 {
			t.Errorf("exchange with the issuer %s = %d %s, want 503", issuer, a.Status, a.Body)
		}
	}
	if !strings.Contains(s.Logged(), "not on the public internet") {
		t.Error("the log does not tell the administrator why")
	}
}

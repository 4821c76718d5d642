package telemetry

import (
	"net/http"
	"net/url"
	"strings"
)

// minSecret is the least length of what is taken for a credential, in bytes.
// Taking out shorter texts would take words apart.
const minSecret = 8

// redact takes out of the text of an error what came with the request as a
// credential. The makers of errors keep credentials out; this is for a cause
// from elsewhere that quotes its input, as errors of net/url do.
func redact(text string, r *http.Request) string {
	hide := func(secret string) {
		if len(secret) >= minSecret && strings.Contains(text, secret) {
			text = strings.ReplaceAll(text, secret, "********")
		}
	}
	for name, values := range r.Header {
		if !secretive(name) {
			continue
		}
		for _, value := range values {
			if user, password, ok := basic(value); ok {
				hide(password)
				hide(user)
			}
			_, token, _ := strings.Cut(value, " ")
			hide(token)
			hide(value)
		}
	}
	if r.URL.RawQuery == "" {
		return text
	}
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if !secretive(name) {
			continue
		}
		hide(value)
		if decoded, err := url.QueryUnescape(value); err == nil {
			hide(decoded)
		}
	}
	return text
}

// secretive reports whether a header or query parameter of this name may hold
// a credential.
func secretive(name string) bool {
	name = strings.ToLower(name)
	for _, word := range [...]string{"token", "key", "auth", "cookie", "secret", "password"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// basic reads the value of an Authorization header.
func basic(value string) (user, password string, ok bool) {
	r := http.Request{Header: http.Header{"Authorization": {value}}}
	return r.BasicAuth()
}

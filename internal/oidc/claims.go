package oidc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// Claims are what an ID token says, by name, as JSON with its numbers as they
// were written.
type Claims map[string]any

func parseClaims(payload []byte) (Claims, error) {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	var c Claims
	if err := d.Decode(&c); err != nil || c == nil {
		return nil, fmt.Errorf("the token's claims are no JSON object: %w", err)
	}
	return c, nil
}

// Text returns a claim that is a text, a number or true or false, as text. ok is
// false when it is absent or something else.
func (c Claims) Text(name string) (text string, ok bool) {
	switch v := c[name].(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// First returns the first of several claims that there is, or "". Different
// issuers have different names for one thing.
func (c Claims) First(names ...string) string {
	for _, name := range names {
		if text, ok := c.Text(name); ok && text != "" {
			return text
		}
	}
	return ""
}

// Number is First for a positive number; 0 when there is none.
func (c Claims) Number(names ...string) int64 {
	n, err := strconv.ParseInt(c.First(names...), 10, 64)
	if err != nil || n < 0 || n > maxNumber {
		return 0
	}
	return n
}

// maxNumber is the largest number that JSON clients read exactly.
const maxNumber = 1 << 53

// Texts returns a claim that is a list of texts, or one text.
func (c Claims) Texts(name string) []string {
	list, ok := c[name].([]any)
	if !ok {
		list = []any{c[name]}
	}
	var texts []string
	for _, item := range list {
		if text, ok := item.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// time returns a claim that is a NumericDate (RFC 7519, 2).
func (c Claims) time(name string) (t time.Time, ok bool) {
	n, isNumber := c[name].(json.Number)
	if !isNumber {
		return t, false
	}
	seconds, err := n.Float64()
	if err != nil || math.Abs(seconds) > 1<<40 {
		return t, false
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)), true
}

package blob

import (
	"crypto/rand"
	"encoding/hex"
	"strings"

	"packhouse"
)

const (
	digestLength = 64 // hexadecimal digits of a SHA-256
	idLength     = 26 // base32 digits, 130 bits
	keyLength    = digestLength + 1 + idLength
)

// NewID returns a random upload id: 26 lower-case base32 digits. It cannot be
// guessed, so an id that reaches a client does not open the uploads of others.
func NewID() string {
	return strings.ToLower(rand.Text()[:idLength])
}

// ValidID reports whether id has the form of an upload id. Stores check it
// before an id becomes part of a path.
func ValidID(id string) bool {
	if len(id) != idLength {
		return false
	}
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// NewKey returns the key of the bytes with digest d that the upload id wrote.
func NewKey(d packhouse.Digest, id string) Key {
	return Key(d.String() + "." + id)
}

// Split returns the digest and the upload id that make up k. It reports false
// when k does not have the form of a key; stores check it before a key becomes
// part of a path.
func (k Key) Split() (d packhouse.Digest, id string, ok bool) {
	if len(k) != keyLength || k[digestLength] != '.' {
		return d, "", false
	}
	digits, id := string(k[:digestLength]), string(k[digestLength+1:])
	// hex.Decode takes capitals too, but one digest has only one spelling here.
	if strings.ContainsAny(digits, "ABCDEF") || !ValidID(id) {
		return d, "", false
	}
	if _, err := hex.Decode(d[:], []byte(digits)); err != nil {
		return packhouse.Digest{}, "", false
	}
	return d, id, true
}

package registry

import (
	"fmt"
	"strings"

	"packhouse"
	"packhouse/internal/blob"
)

// Checksums are what a client says that its bytes have, in hexadecimal digits
// of either case. Empty ones are not checked.
type Checksums struct {
	SHA256, MD5, SHA1, SHA512 string
}

// parse reads which checksums have to be computed to compare them.
func (c Checksums) parse() (want packhouse.Digest, also blob.Hashes, err error) {
	if c.SHA256 != "" {
		if want, err = packhouse.ParseDigest(c.SHA256); err != nil {
			return want, 0, err
		}
	}
	for _, one := range []struct {
		sent string
		bit  blob.Hashes
	}{{c.MD5, blob.MD5}, {c.SHA1, blob.SHA1}, {c.SHA512, blob.SHA512}} {
		if one.sent != "" {
			also |= one.bit
		}
	}
	return want, also, nil
}

// match compares the announced checksums with those of the bytes.
func (c Checksums) match(sums blob.Sums) error {
	for _, one := range []struct{ name, sent, have string }{
		{"SHA-256", c.SHA256, sums.SHA256.String()},
		{"MD5", c.MD5, sums.MD5},
		{"SHA-1", c.SHA1, sums.SHA1},
		{"SHA-512", c.SHA512, sums.SHA512},
	} {
		if one.sent != "" && !strings.EqualFold(one.sent, one.have) {
			return &packhouse.Error{
				Kind: packhouse.Invalid, Rule: "checksum",
				Message: fmt.Sprintf("400 Bad request - checksum mismatch: %s %s was sent, the bytes have %s", one.name, one.sent, one.have),
				Fix:     "send the file again; nothing of it was stored",
			}
		}
	}
	return nil
}

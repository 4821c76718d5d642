package terraform

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Bounds of a public key, and so of what it costs to verify with it.
const (
	maxKeyBits    = 8192
	maxKeyPackets = 64
)

// readKey reads one public key in armor.
func readKey(data []byte) (*held, error) {
	if !utf8.Valid(data) {
		return nil, badPart("the key is not in armor: make it with gpg --armor --export")
	}
	key, err := parseKey(string(data))
	if err != nil {
		return nil, err
	}
	return &held{Text: string(data), KeyID: fmt.Sprintf("%016X", key[0].PrimaryKey.KeyId)}, nil
}

func parseKey(text string) (openpgp.EntityList, error) {
	block, err := armor.Decode(strings.NewReader(text))
	if err != nil {
		return nil, badPart("the key is not in armor: make it with gpg --armor --export")
	}
	if block.Type != openpgp.PublicKeyType {
		return nil, badPart("it holds no public key but a " + block.Type)
	}
	packets, err := io.ReadAll(block.Body)
	if err != nil {
		return nil, badPart("the key's armor is broken")
	}
	if err := cheap(packets); err != nil {
		return nil, err
	}
	ring, err := openpgp.ReadKeyRing(bytes.NewReader(packets))
	if err != nil || len(ring) != 1 {
		return nil, badPart("it is not one public key of OpenPGP that clients can read")
	}
	return ring, nil
}

// cheap looks at the packets of a key before anything in it is verified, and refuses
// what only keeps us busy.
func cheap(packets []byte) error {
	all := packet.NewReader(bytes.NewReader(packets))
	for n := 0; ; n++ {
		p, err := all.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil || n == maxKeyPackets:
			return badPart("it is not one public key of OpenPGP that clients can read, or it has too many signatures: make it with --export-options export-minimal")
		}
		if _, secret := p.(*packet.PrivateKey); secret {
			return badPart("it holds a secret key; send what gpg --armor --export makes, and take the other one for known")
		}
		key, ok := p.(*packet.PublicKey)
		if !ok {
			continue
		}
		// Kinds of keys of which no length is known have one that is fixed.
		if bits, err := key.BitLength(); err == nil && bits > maxKeyBits {
			return badPart(fmt.Sprintf("a key has %d bits, more than %d", bits, maxKeyBits))
		}
	}
}

// checkSignature verifies that a key has signed a text, by what clients go by: a key
// that has run out since is good.
func checkSignature(key, text string, signature []byte) error {
	ring, err := parseKey(key)
	if err != nil {
		return err
	}
	_, err = openpgp.CheckDetachedSignature(ring, strings.NewReader(text), bytes.NewReader(signature), nil)
	if err != nil && err != pgperrors.ErrKeyExpired {
		return badPart("the signature, SHA256SUMS and the key do not belong together: " + err.Error())
	}
	return nil
}

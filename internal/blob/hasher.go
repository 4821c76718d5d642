package blob

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"

	"packhouse"
)

// Hashes is a set of checksums to compute besides SHA-256, which is always
// computed. Each one costs time for every byte, so a format asks only for what
// its protocol serves: Put(…, PutOptions{Also: MD5 | SHA1}).
type Hashes uint8

// The checksums that package protocols ask for.
const (
	MD5 Hashes = 1 << iota
	SHA1
	SHA512
)

// algorithms lists the checksums in the order in which a Hasher keeps them.
var algorithms = [...]struct {
	in  Hashes // 0: always computed
	new func() hash.Hash
}{
	{0, sha256.New},
	{MD5, md5.New},
	{SHA1, sha1.New},
	{SHA512, sha512.New},
}

// Sums are the checksums of some bytes.
type Sums struct {
	SHA256 packhouse.Digest
	MD5    string // lower-case hex; "" when not asked for
	SHA1   string // lower-case hex; "" when not asked for
	SHA512 string // lower-case hex; "" when not asked for
}

// Hasher computes the checksums of a stream. Its state can be saved between two
// sessions of an upload, so that resuming does not read the earlier bytes again.
// It belongs to one goroutine. The zero Hasher is only good for UnmarshalBinary.
type Hasher struct {
	also Hashes
	size int64
	all  []hash.Hash // as in algorithms, without those not asked for
}

// NewHasher returns a Hasher for SHA-256 and the checksums in also.
func NewHasher(also Hashes) *Hasher {
	h := &Hasher{also: also}
	for _, a := range algorithms {
		if a.in == 0 || also&a.in != 0 {
			h.all = append(h.all, a.new())
		}
	}
	return h
}

// Write adds p to the stream. It never fails.
func (h *Hasher) Write(p []byte) (int, error) {
	for _, one := range h.all {
		one.Write(p)
	}
	h.size += int64(len(p))
	return len(p), nil
}

// Size returns the number of bytes hashed so far, earlier sessions included.
func (h *Hasher) Size() int64 { return h.size }

// Sums returns the checksums of the bytes so far. More may be written after it.
func (h *Hasher) Sums() Sums {
	var s Sums
	h.all[0].Sum(s.SHA256[:0])
	rest := h.all[1:]
	for _, f := range []struct {
		in  Hashes
		sum *string
	}{{MD5, &s.MD5}, {SHA1, &s.SHA1}, {SHA512, &s.SHA512}} {
		if h.also&f.in != 0 {
			*f.sum = hex.EncodeToString(rest[0].Sum(nil))
			rest = rest[1:]
		}
	}
	return s
}

// stateVersion is the first byte of a saved state. It grows when the layout
// changes, so that a state of another release is refused instead of misread.
const stateVersion = 1

var errState = errors.New("saved hash state is not readable")

// MarshalBinary saves the state: version, Hashes, size, then the state of each
// checksum behind its length. It holds up to 128 bytes of the stream as they
// are, so it deserves the same care as the blob itself.
func (h *Hasher) MarshalBinary() ([]byte, error) {
	state := []byte{stateVersion, byte(h.also)}
	state = binary.BigEndian.AppendUint64(state, uint64(h.size))
	for _, one := range h.all {
		part, err := one.(encoding.BinaryMarshaler).MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("save hash state: %w", err)
		}
		state = binary.BigEndian.AppendUint16(state, uint16(len(part)))
		state = append(state, part...)
	}
	return state, nil
}

// UnmarshalBinary restores a state that MarshalBinary saved. After an error the
// Hasher is unchanged.
func (h *Hasher) UnmarshalBinary(state []byte) error {
	const header = 1 + 1 + 8
	if len(state) < header || state[0] != stateVersion || Hashes(state[1]) > MD5|SHA1|SHA512 {
		return errState
	}
	restored := NewHasher(Hashes(state[1]))
	restored.size = int64(binary.BigEndian.Uint64(state[2:]))
	state = state[header:]
	for _, one := range restored.all {
		if len(state) < 2 {
			return errState
		}
		n := int(binary.BigEndian.Uint16(state))
		if state = state[2:]; len(state) < n {
			return errState
		}
		if err := one.(encoding.BinaryUnmarshaler).UnmarshalBinary(state[:n]); err != nil {
			return fmt.Errorf("%w: %w", errState, err)
		}
		state = state[n:]
	}
	if len(state) != 0 || restored.size < 0 {
		return errState
	}
	*h = *restored
	return nil
}

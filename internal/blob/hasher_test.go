package blob_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha512"
	"fmt"
	"testing"

	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
	"packhouse/internal/blob/mem"
)

const allHashes = blob.MD5 | blob.SHA1 | blob.SHA512

// sums is what a Hasher has to say of b, computed the plain way.
func sums(b []byte) blob.Sums {
	return blob.Sums{
		SHA256: blobtest.Sum(b),
		MD5:    fmt.Sprintf("%x", md5.Sum(b)),
		SHA1:   fmt.Sprintf("%x", sha1.Sum(b)),
		SHA512: fmt.Sprintf("%x", sha512.Sum512(b)),
	}
}

func TestHasherSums(t *testing.T) {
	b := blobtest.Bytes(1000, 1)
	all := sums(b)
	for _, c := range []struct {
		also blob.Hashes
		want blob.Sums
	}{
		{0, blob.Sums{SHA256: all.SHA256}},
		{blob.MD5, blob.Sums{SHA256: all.SHA256, MD5: all.MD5}},
		{blob.SHA1 | blob.SHA512, blob.Sums{SHA256: all.SHA256, SHA1: all.SHA1, SHA512: all.SHA512}},
		{allHashes, all},
	} {
		h := blob.NewHasher(c.also)
		h.Write(b[:7])
		h.Sums() // does not disturb what follows
		h.Write(b[7:])
		if got := h.Sums(); got != c.want || h.Size() != 1000 {
			t.Errorf("Sums with %b = %+v of %d bytes, want %+v of 1000", c.also, got, h.Size(), c.want)
		}
	}
}

// TestHasherResume saves the state at every kind of offset, as an upload that
// is sent in parts does.
func TestHasherResume(t *testing.T) {
	b := blobtest.Bytes(500, 2)
	for _, at := range []int{0, 1, 63, 64, 65, 127, 128, 499, 500} {
		first := blob.NewHasher(allHashes)
		first.Write(b[:at])
		state, err := first.MarshalBinary()
		if err != nil {
			t.Fatalf("MarshalBinary = %v, want success", err)
		}
		var second blob.Hasher
		if err := second.UnmarshalBinary(state); err != nil {
			t.Fatalf("UnmarshalBinary = %v, want success", err)
		}
		second.Write(b[at:])
		if got := second.Sums(); got != sums(b) || second.Size() != 500 {
			t.Errorf("resumed at %d: %+v of %d bytes, want %+v of 500", at, got, second.Size(), sums(b))
		}
	}
}

func TestHasherStateRefused(t *testing.T) {
	h := blob.NewHasher(allHashes)
	h.Write([]byte("some bytes"))
	good, err := h.MarshalBinary()
	if err != nil {
		t.Fatalf("MarshalBinary = %v, want success", err)
	}
	before := h.Sums()
	bad := [][]byte{nil, append(bytes.Clone(good), 0), append([]byte{99}, good[1:]...), append([]byte{good[0], 0xff}, good[2:]...)}
	for n := range good {
		bad = append(bad, good[:n])
	}
	garbled := bytes.Clone(good)
	garbled[13] ^= 0xff // in the first checksum's own header
	bad = append(bad, garbled)
	for _, state := range bad {
		if err := h.UnmarshalBinary(state); err == nil {
			t.Errorf("UnmarshalBinary of %d of %d bytes succeeded", len(state), len(good))
		}
	}
	if h.Sums() != before {
		t.Error("a refused state changed the Hasher")
	}
}

// TestAppendInSessions sends one blob in three requests, the state of the
// Hasher going through its saved form between them.
func TestAppendInSessions(t *testing.T) {
	s, want := mem.New(), blobtest.Bytes(3*blob.BufferSize+100, 3)
	u, err := s.Create(t.Context())
	if err != nil {
		t.Fatalf("Create = %v, want success", err)
	}
	h := blob.NewHasher(allHashes)
	for _, part := range [][]byte{want[:10], want[10 : 2*blob.BufferSize+50], want[2*blob.BufferSize+50:]} {
		n, err := blob.Append(t.Context(), u, h, bytes.NewReader(part), int64(len(want)))
		if n != int64(len(part)) || err != nil {
			t.Fatalf("Append of %d bytes = %d, %v, want all", len(part), n, err)
		}
		state, err := h.MarshalBinary()
		if err != nil {
			t.Fatalf("MarshalBinary = %v, want success", err)
		}
		h = new(blob.Hasher)
		if err := h.UnmarshalBinary(state); err != nil {
			t.Fatalf("UnmarshalBinary = %v, want success", err)
		}
		if err := u.Close(); err != nil {
			t.Fatalf("Close = %v, want success", err)
		}
		if u, err = s.Resume(t.Context(), u.ID()); err != nil {
			t.Fatalf("Resume = %v, want success", err)
		}
	}
	if got := h.Sums(); got != sums(want) {
		t.Errorf("Sums = %+v, want %+v", got, sums(want))
	}
	info, err := u.Commit(t.Context(), h.Sums().SHA256)
	if err != nil {
		t.Fatalf("Commit = %v, want success", err)
	}
	blobtest.CheckHolds(t, s, info.Key, want)
}

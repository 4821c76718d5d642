// Package blobtest is the contract of blob.Store in executable form. Every
// implementation runs it:
//
//	func TestStore(t *testing.T) {
//		blobtest.Run(t, func(t *testing.T) blob.Store { return mem.New() })
//	}
//
// Faulty wraps a store so that chosen calls fail in the two ways in which
// storage fails: with nothing written, and with everything written and the
// answer lost.
package blobtest

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"testing"

	"packhouse"
	"packhouse/internal/blob"
)

// Run checks that the stores which open returns keep the contract. open is
// called for each check and returns an empty store that the check may fill; it
// registers what has to be closed with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	for _, check := range []struct {
		name string
		run  func(*testing.T, blob.Store)
	}{
		{"RoundTrip", testRoundTrip},
		{"Range", testRange},
		{"Digest", testDigest},
		{"Absent", testAbsent},
		{"ForeignKeys", testForeignKeys},
		{"DeleteWhileOpen", testDeleteWhileOpen},
		{"List", testList},
		{"ListStops", testListStops},
		{"Abort", testAbort},
		{"AbortAfterEnd", testAbortAfterEnd},
		{"UseAfterEnd", testUseAfterEnd},
		{"CommitCancelled", testCommitCancelled},
		{"Resume", testResume},
		{"ResumeBusy", testResumeBusy},
		{"SameBytesTwice", testSameBytesTwice},
		{"Concurrent", testConcurrent},
	} {
		t.Run(check.name, func(t *testing.T) { check.run(t, open(t)) })
	}
	t.Run("PutOverFaults", func(t *testing.T) { testPutOverFaults(t, open) })
}

// Bytes returns n bytes that look random and depend on n and seed alone.
func Bytes(n int, seed uint64) []byte {
	b := make([]byte, n)
	var key [32]byte
	key[0], key[1], key[2] = byte(seed), byte(seed>>8), byte(n)
	rand.NewChaCha8(key).Read(b)
	return b
}

// Sum returns the digest of b.
func Sum(b []byte) packhouse.Digest { return sha256.Sum256(b) }

// MustPut stores b with blob.Put and fails the test if that does not succeed.
func MustPut(t *testing.T, s blob.Store, b []byte) blob.Info {
	t.Helper()
	info, _, err := blob.Put(t.Context(), s, bytes.NewReader(b), blob.PutOptions{})
	if err != nil {
		t.Fatalf("Put of %d bytes = %v, want success", len(b), err)
	}
	return info
}

// CheckHolds fails the test unless reading key gives exactly want.
func CheckHolds(t *testing.T, s blob.Store, key blob.Key, want []byte) {
	t.Helper()
	r, err := s.Open(t.Context(), key)
	if err != nil {
		t.Errorf("Open(%q) = %v, want success", key, err)
		return
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("reading %q = %d bytes, %v, want the %d bytes that were stored", key, len(got), err, len(want))
	}
	if r.Size() != int64(len(want)) {
		t.Errorf("Size of the reader of %q = %d, want %d", key, r.Size(), len(want))
	}
}

// Keys lists the keys of s after the given one, in the order of List.
func Keys(t *testing.T, s blob.Store, after blob.Key) []blob.Key {
	t.Helper()
	keys := []blob.Key{}
	for info, err := range s.List(t.Context(), after) {
		if err != nil {
			t.Fatalf("List(%q) = %v, want success", after, err)
		}
		keys = append(keys, info.Key)
	}
	return keys
}

// UploadIDs lists the ids of the unfinished uploads of s.
func UploadIDs(t *testing.T, s blob.Store) []string {
	t.Helper()
	ids := []string{}
	for info, err := range s.Uploads(t.Context()) {
		if err != nil {
			t.Fatalf("Uploads = %v, want success", err)
		}
		ids = append(ids, info.ID)
	}
	return ids
}

// begin creates an upload and writes b to it.
func begin(t *testing.T, s blob.Store, b []byte) blob.Upload {
	t.Helper()
	u, err := s.Create(t.Context())
	if err != nil {
		t.Fatalf("Create = %v, want success", err)
	}
	write(t, u, b)
	return u
}

func write(t *testing.T, u blob.Upload, b []byte) {
	t.Helper()
	if n, err := u.Write(b); n != len(b) || err != nil {
		t.Fatalf("Write of %d bytes = %d, %v, want all of them", len(b), n, err)
	}
}

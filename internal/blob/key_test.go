package blob_test

import (
	"strings"
	"testing"

	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
)

func TestKey(t *testing.T) {
	digest, id := blobtest.Sum([]byte("x")), blob.NewID()
	key := blob.NewKey(digest, id)
	gotDigest, gotID, ok := key.Split()
	if gotDigest != digest || gotID != id || !ok {
		t.Errorf("Split(%q) = %v, %q, %t, want %v, %q, true", key, gotDigest, gotID, ok, digest, id)
	}
}

func TestKeyRefused(t *testing.T) {
	good := string(blob.NewKey(blobtest.Sum([]byte("x")), blob.NewID()))
	for _, key := range []string{
		"", good[1:], good + "a", strings.ToUpper(good), strings.Replace(good, ".", "/", 1),
		strings.Replace(good, ".", "-", 1), "g" + good[1:], good[:90] + "/", good[:90] + "A", good[:90] + "\x00",
	} {
		if _, _, ok := blob.Key(key).Split(); ok {
			t.Errorf("Split(%q) is ok, want a refusal", key)
		}
	}
}

func TestNewID(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := blob.NewID()
		if seen[id] || !blob.ValidID(id) {
			t.Errorf("NewID() = %q, want a new valid id", id)
		}
		seen[id] = true
	}
}

package registry_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"packhouse"
	"packhouse/internal/blob/blobtest"
	"packhouse/internal/ledger"
	"packhouse/internal/registry"
)

// Sizes around the limit between database and blob store.
func TestRoundTrip(t *testing.T) {
	w := newWorld(t, nil)
	blobs := 0
	for i, size := range []int{0, 1, registry.InlineLimit - 1, registry.InlineLimit, large, 300_000} {
		content, version := blobtest.Bytes(size, uint64(i)), strings.Repeat("x", i+1)
		out := w.published(version, "file", content)
		w.wantContent(version, "file", content)
		w.wantContent(version, "file", content) // as remembered
		got, err := contentOf(w.registry.OpenFile(t.Context(), 1, out.Version.ID, out.Files[0].ID))
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("OpenFile of %d bytes gives %d, %v", size, len(got), err)
		}
		got, err = contentOf(w.registry.Group(readers{1}).Open(t.Context(), ref(version, "file")))
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("a group's file of %d bytes gives %d, %v", size, len(got), err)
		}
		if size > registry.InlineLimit {
			blobs++
		}
		w.wantBlobs("after a publish", blobs, 0)
	}
	w.checkQuiet()
}

func TestReceiveRefuses(t *testing.T) {
	w := newWorld(t, nil)
	content := blobtest.Bytes(large, 1)
	small := []byte("small")
	ends := func(body []byte) io.Reader {
		return io.MultiReader(bytes.NewReader(body), iotest.ErrReader(io.ErrUnexpectedEOF))
	}
	for _, test := range []struct {
		what, format string
		in           registry.Incoming
		want         packhouse.Kind
	}{
		{"announced too large", "small", registry.Incoming{Size: 101, Body: iotest.ErrReader(errors.New("must not be read"))}, packhouse.TooLarge},
		{"too large on arrival, small", "small", registry.Incoming{Size: -1, Body: bytes.NewReader(make([]byte, 101))}, packhouse.TooLarge},
		{"too large on arrival", "small", registry.Incoming{Size: -1, Body: bytes.NewReader(content)}, packhouse.TooLarge},
		{"ends early, small", "generic", registry.Incoming{Size: 10, Body: ends(small)}, packhouse.Invalid},
		{"ends early", "generic", registry.Incoming{Size: 1 << 19, Body: ends(content)}, packhouse.Invalid},
		{"ends early at the limit of the database", "generic", registry.Incoming{Size: 1 << 19, Body: ends(content[:registry.InlineLimit])}, packhouse.Invalid},
		{"ends early just above it", "generic", registry.Incoming{Size: 1 << 19, Body: ends(content[:registry.InlineLimit+1])}, packhouse.Invalid},
		{"no SHA-256", "generic", registry.Incoming{Size: 5, Body: bytes.NewReader(small), Check: registry.Checksums{SHA256: "00"}}, packhouse.Invalid},
		{"other SHA-256, small", "generic", registry.Incoming{Size: 5, Body: bytes.NewReader(small), Check: registry.Checksums{SHA256: strings.Repeat("0", 64)}}, packhouse.Invalid},
		{"other SHA-256", "generic", registry.Incoming{Size: large, Body: bytes.NewReader(content), Check: registry.Checksums{SHA256: strings.Repeat("0", 63) + "1"}}, packhouse.Invalid},
		{"other MD5", "generic", registry.Incoming{Size: large, Body: bytes.NewReader(content), Check: registry.Checksums{MD5: "00"}}, packhouse.Invalid},
		{"other SHA-1, small", "generic", registry.Incoming{Size: 5, Body: bytes.NewReader(small), Check: registry.Checksums{SHA1: "00"}}, packhouse.Invalid},
		{"other SHA-512", "generic", registry.Incoming{Size: large, Body: bytes.NewReader(content), Check: registry.Checksums{SHA512: "00"}}, packhouse.Invalid},
	} {
		h := w.registry.Hosted(1, test.format, packhouse.Actor{}, ledger.By{})
		_, err := h.Receive(t.Context(), test.in)
		w.wantKind(test.what, err, test.want)
		w.wantBlobs(test.what, 0, 0)
	}
}

func TestReceiveChecks(t *testing.T) {
	w := newWorld(t, nil)
	for _, size := range []int{5, large} {
		in := incoming("file", blobtest.Bytes(size, 1))
		in.Check.SHA256 = strings.ToUpper(blobtest.Sum(blobtest.Bytes(size, 1)).String())
		f, err := w.hosted().Receive(t.Context(), in)
		w.must(err)
		if f.Size() != int64(size) || f.SHA256() != blobtest.Sum(blobtest.Bytes(size, 1)) {
			t.Errorf("received %d bytes with %v", f.Size(), f.SHA256())
		}
		f.Release()
		f.Release()
		w.wantBlobs("after Release", 0, 0)
	}
}

// A refused publish leaves nothing, whatever of it was new.
func TestRefusedPublish(t *testing.T) {
	w := newWorld(t, nil)
	w.refuseDuplicates()
	first := blobtest.Bytes(large, 1)
	w.published("1.0", "file", first)
	h := w.hosted()
	for _, second := range [][]byte{blobtest.Bytes(large, 2), first, []byte("small")} {
		position := w.store.Position()
		other, err := h.Receive(t.Context(), incoming("other", blobtest.Bytes(large, 3)))
		w.must(err)
		again, err := h.Receive(t.Context(), incoming("file", second))
		w.must(err)
		_, err = h.Publish(t.Context(), draft("1.0", other, again))
		w.wantKind("Publish of a duplicate", err, packhouse.Conflict)
		other.Release()
		again.Release()
		if w.store.Position() != position {
			t.Errorf("a refused publish wrote into the ledger")
		}
		w.wantBlobs("after a refused publish", 1, 0)
		w.wantContent("1.0", "file", first)
		w.wantMissing("1.0", "other")
	}
	w.checkQuiet()
}

// Two uploads of the same bytes: one copy stays, for both.
func TestSharedBytes(t *testing.T) {
	w := newWorld(t, nil)
	content := blobtest.Bytes(large, 1)
	one := w.published("1.0", "file", content)
	w.published("2.0", "other", content)
	w.wantBlobs("after two publishes", 1, 0)
	h := w.hosted()
	a, err := h.Receive(t.Context(), incoming("a", content))
	w.must(err)
	b, err := h.Receive(t.Context(), incoming("b", content))
	w.must(err)
	w.wantBlobs("while two more are received", 3, 0)
	_, err = h.Publish(t.Context(), draft("3.0", a, b))
	w.must(err)
	a.Release()
	b.Release()
	w.wantBlobs("after four publishes", 1, 0)
	w.must(h.DeleteVersion(t.Context(), one.Version.ID))
	w.ahead.Store(int64(24 * time.Hour))
	if done := w.collect(); done.Files != 1 || done.Blobs != 0 || done.Orphans != 0 {
		t.Errorf("collected %+v, want one file and no bytes", done)
	}
	w.wantMissing("1.0", "file")
	for version, path := range map[string]string{"2.0": "other", "3.0": "a"} {
		w.wantContent(version, path, content)
	}
	w.checkQuiet()
}

func TestDownloads(t *testing.T) {
	w := newWorld(t, nil)
	out := w.published("1.0", "file", []byte("small"))
	last := func() time.Time {
		t.Helper()
		at, err := w.lastDownload(out.Version.ID)
		w.must(err)
		return at
	}
	for range 3 {
		c, err := w.registry.Project(1).Open(t.Context(), ref("1.0", "file"))
		w.must(err)
		c.Downloaded()
		w.must(c.Close())
	}
	if at := last(); !at.IsZero() {
		t.Errorf("LastDownload before counters are saved = %v, want never", at)
	}
	w.must(w.registry.SaveDownloads(t.Context()))
	first := last()
	if age := time.Until(first) - 2*time.Hour; age > time.Minute || age < -time.Minute {
		t.Errorf("LastDownload = %v, want now", first)
	}
	position := w.store.Position()
	w.must(w.registry.SaveDownloads(t.Context()))
	if last() != first || w.store.Position() != position {
		t.Errorf("saving nothing changed something")
	}
}

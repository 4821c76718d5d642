package blob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
	"packhouse/internal/blob/mem"
)

// sizes are bodies around the borders of buffers and of the ring.
var sizes = []int{
	0, 1, 4096, blob.BufferSize - 1, blob.BufferSize, blob.BufferSize + 1,
	4 * blob.BufferSize, 4*blob.BufferSize + 1, 9*blob.BufferSize + 12345,
}

func TestPutSums(t *testing.T) {
	s := mem.New()
	for _, size := range sizes {
		want := blobtest.Bytes(size, 1)
		for _, r := range []io.Reader{
			bytes.NewReader(want),
			iotest.HalfReader(bytes.NewReader(want)),
			iotest.DataErrReader(bytes.NewReader(want)),
		} {
			info, got, err := blob.Put(t.Context(), s, r, blob.PutOptions{Also: allHashes})
			if err != nil || got != sums(want) {
				t.Fatalf("Put of %d bytes = %+v, %v, want %+v", size, got, err, sums(want))
			}
			blobtest.CheckHolds(t, s, info.Key, want)
		}
	}
}

func TestPutLimit(t *testing.T) {
	for _, size := range sizes[1:] {
		s, body := mem.New(), blobtest.Bytes(size, 2)
		exact := blob.PutOptions{Limit: int64(size)}
		if _, _, err := blob.Put(t.Context(), s, bytes.NewReader(body), exact); err != nil {
			t.Errorf("Put of %d bytes with that limit = %v, want success", size, err)
		}
		_, _, err := blob.Put(t.Context(), s, io.MultiReader(bytes.NewReader(body), strings.NewReader("!")), exact)
		got := packhouse.AsError(err)
		if got.Kind != packhouse.TooLarge || got.Message != "File is too large" || got.Rule != "size" {
			t.Errorf("Put of %d bytes, one over the limit = %+v, want TooLarge by rule size", size+1, got)
		}
		checkOnly(t, s, 1)
	}
}

// TestPutLimitStopsReading sends a body without end.
func TestPutLimitStopsReading(t *testing.T) {
	s := mem.New()
	_, _, err := blob.Put(t.Context(), s, endless{}, blob.PutOptions{Limit: 10 << 20})
	if packhouse.KindOf(err) != packhouse.TooLarge {
		t.Errorf("Put of an endless body = %v, want TooLarge", err)
	}
	checkOnly(t, s, 0)
}

func TestPutWant(t *testing.T) {
	s, body := mem.New(), []byte("body")
	want := blobtest.Sum([]byte("another"))
	_, _, err := blob.Put(t.Context(), s, bytes.NewReader(body), blob.PutOptions{Want: want})
	got := packhouse.AsError(err)
	if got.Kind != packhouse.Invalid || !strings.Contains(got.Message, want.String()) ||
		!strings.Contains(got.Message, blobtest.Sum(body).String()) {
		t.Errorf("Put of other bytes = %+v, want Invalid with both checksums", got)
	}
	checkOnly(t, s, 0)
}

// TestPutReadError cuts bodies short. io.ErrUnexpectedEOF is what net/http says
// when a client goes away; a reader over another store may even say ErrFull.
func TestPutReadError(t *testing.T) {
	for _, size := range sizes {
		for _, cause := range []error{io.ErrUnexpectedEOF, errors.New("connection reset"), blob.ErrFull, packhouse.Errorf(packhouse.TooLarge, "body")} {
			s := mem.New()
			body := io.MultiReader(bytes.NewReader(blobtest.Bytes(size, 3)), iotest.ErrReader(cause))
			_, _, err := blob.Put(t.Context(), s, body, blob.PutOptions{})
			var read *blob.ReadError
			if !errors.As(err, &read) || !errors.Is(err, cause) || packhouse.KindOf(err) != packhouse.KindOf(cause) {
				t.Errorf("Put cut after %d bytes = %v, want a ReadError of %v", size, err, cause)
			}
			checkOnly(t, s, 0)
		}
	}
}

func TestPutNoProgress(t *testing.T) {
	_, _, err := blob.Put(t.Context(), mem.New(), idle{}, blob.PutOptions{})
	if !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("Put of a reader that reads nothing = %v, want ErrNoProgress", err)
	}
}

// TestAppendKeepsInStep breaks off in the middle: what was read is written and
// hashed, so a later session can go on from there.
func TestAppendKeepsInStep(t *testing.T) {
	for _, size := range sizes {
		s, body := mem.New(), blobtest.Bytes(size, 4)
		u, err := s.Create(t.Context())
		if err != nil {
			t.Fatalf("Create = %v, want success", err)
		}
		h := blob.NewHasher(0)
		n, err := blob.Append(t.Context(), u, h, io.MultiReader(bytes.NewReader(body), iotest.ErrReader(io.ErrUnexpectedEOF)), 0)
		if err == nil || n != int64(size) || u.Size() != n || h.Size() != n || h.Sums().SHA256 != blobtest.Sum(body) {
			t.Errorf("Append cut after %d bytes = %d, %v with %d written and %d hashed", size, n, err, u.Size(), h.Size())
		}
	}
}

func TestPutCancelled(t *testing.T) {
	s := mem.New()
	ctx, cancel := context.WithCancel(t.Context())
	body := &during{Reader: endless{}, at: 20, do: cancel}
	_, _, err := blob.Put(ctx, s, body, blob.PutOptions{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Put of a cancelled request = %v, want Canceled", err)
	}
	if body.reads != 20 {
		t.Errorf("Put went on for %d reads after the cancellation", body.reads-20)
	}
	checkOnly(t, s, 0)
}

func TestPutExplainsStoreErrors(t *testing.T) {
	other := errors.New("input/output error")
	for _, c := range []struct {
		err  error
		kind packhouse.Kind
	}{
		{blob.ErrFull, packhouse.Full},
		{blob.ErrBroken, packhouse.Unavailable},
		{other, packhouse.Internal},
	} {
		for _, op := range []blobtest.Op{blobtest.Create, blobtest.Write, blobtest.Commit} {
			cause := fmt.Errorf("disk says: %w", c.err)
			s := blobtest.Faulty(mem.New(), blobtest.Plan{{Op: op, Call: 1, Err: cause}})
			_, _, err := blob.Put(t.Context(), s, strings.NewReader("body"), blob.PutOptions{})
			var read *blob.ReadError
			if packhouse.KindOf(err) != c.kind || !errors.Is(err, c.err) || errors.As(err, &read) {
				t.Errorf("Put when %s fails with %v = %v, want kind %d of the store", op, cause, err, c.kind)
			}
			checkOnly(t, s, 0)
		}
	}
	if got := packhouse.AsError(blob.Explain(blob.ErrFull)).Message; got != "no space left to store this file" {
		t.Errorf("Explain(ErrFull) says %q", got)
	}
}

// TestPutShortWrite writes through an upload that drops bytes and says nothing.
func TestPutShortWrite(t *testing.T) {
	for _, size := range []int{100, 3 * blob.BufferSize} {
		s := lossy{mem.New()}
		_, _, err := blob.Put(t.Context(), s, bytes.NewReader(blobtest.Bytes(size, 5)), blob.PutOptions{})
		if !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("Put of %d bytes with short writes = %v, want ErrShortWrite", size, err)
		}
		checkOnly(t, s, 0)
	}
}

// checkOnly fails the test unless s holds n blobs and no upload.
func checkOnly(t *testing.T, s blob.Store, n int) {
	t.Helper()
	if keys, ids := blobtest.Keys(t, s, ""), blobtest.UploadIDs(t, s); len(keys) != n || len(ids) != 0 {
		t.Errorf("store holds %d blobs and %d uploads, want %d and none", len(keys), len(ids), n)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

// during does something in the middle of its n-th Read.
type during struct {
	io.Reader
	reads, at int
	do        func()
}

func (d *during) Read(p []byte) (int, error) {
	if d.reads++; d.reads == d.at {
		d.do()
	}
	return d.Reader.Read(p)
}

// lossy is a store whose uploads drop the last byte of every write.
type lossy struct{ blob.Store }

func (s lossy) Create(ctx context.Context) (blob.Upload, error) {
	u, err := s.Store.Create(ctx)
	return lossyUpload{u}, err
}

type lossyUpload struct{ blob.Upload }

func (u lossyUpload) Write(p []byte) (int, error) { return u.Upload.Write(p[:len(p)-1]) }

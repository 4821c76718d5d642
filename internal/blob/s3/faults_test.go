package s3_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
	"packhouse/internal/blob/s3"
	"packhouse/internal/blob/s3/s3test"
)

// ways are how requests fail of a blob that goes up in one, and of a blob in
// parts whose copy is in parts too.
var ways = []struct {
	size         int
	timeout      time.Duration
	once, always []s3test.Fault
}{
	{100_000, time.Second, s3test.Repeated, []s3test.Fault{s3test.SlowDown, s3test.Hang, s3test.Lost, s3test.Lying}},
	{6*mib + 1, time.Minute,
		[]s3test.Fault{s3test.CutRequest, s3test.Lost, s3test.CutAnswer, s3test.AlteredIn},
		[]s3test.Fault{s3test.SlowDown, s3test.Lost}},
}

// TestEveryRequestFailsOnce makes each request of a Put fail in turn, in every
// way. The Put succeeds all the same and leaves nothing but the blob.
func TestEveryRequestFailsOnce(t *testing.T) {
	server := s3test.Start(t)
	for _, way := range ways {
		want := blobtest.Bytes(way.size, 1)
		for i, request := range requests(t, server, want) {
			for _, fault := range way.once {
				t.Run(fmt.Sprintf("%d/%d-%s/%s", way.size, i+1, request, fault), func(t *testing.T) {
					opts, proxy := server.Bucket(t), server.Proxy(t)
					s := s3test.Open(t, through(proxy, opts, way.timeout))
					proxy.Once(i+1, fault)
					info, _, err := blob.Put(t.Context(), s, bytes.NewReader(want), blob.PutOptions{})
					if err != nil {
						t.Fatalf("Put = %v, want success", err)
					}
					blobtest.CheckHolds(t, s, info.Key, want)
					checkNothingLeft(t, server, opts, s, 1)
				})
			}
		}
	}
}

// TestOutage has the bucket go away at each request of a Put, for good. The Put
// fails as a thing to try again, soon, and what it left is found and removed
// once the bucket is back.
func TestOutage(t *testing.T) {
	server := s3test.Start(t)
	for _, way := range ways {
		want := blobtest.Bytes(way.size, 2)
		for i, request := range requests(t, server, want) {
			if i > 0 && request == "DELETE" {
				continue // the blob is stored; a leftover is no failure
			}
			for _, fault := range way.always {
				t.Run(fmt.Sprintf("%d/%d-%s/%s", way.size, i+1, request, fault), func(t *testing.T) {
					opts, proxy := server.Bucket(t), server.Proxy(t)
					few := through(proxy, opts, way.timeout)
					few.Attempts = 2
					s := s3test.Open(t, few)
					proxy.From(i+1, fault)
					start := time.Now()
					info, _, err := blob.Put(t.Context(), s, bytes.NewReader(want), blob.PutOptions{})
					if !errors.Is(err, blob.ErrUnavailable) || packhouse.KindOf(err) != packhouse.Unavailable {
						t.Errorf("Put = %+v, %v of kind %d, want Unavailable", info, err, packhouse.KindOf(err))
					}
					if took := time.Since(start); took > 5*time.Minute {
						t.Errorf("Put took %v to give up", took)
					}
					if strings.Contains(fmt.Sprint(err), s3test.SecretKey) {
						t.Errorf("the error has the secret in it: %v", err)
					}
					back := s3test.Open(t, opts)
					for _, key := range blobtest.Keys(t, back, "") {
						blobtest.CheckHolds(t, back, key, want) // never a torn one
						if err := back.Delete(t.Context(), key); err != nil {
							t.Errorf("Delete = %v, want success", err)
						}
					}
					abortAll(t, back)
					checkNothingLeft(t, server, opts, back, 0)
				})
			}
		}
	}
}

// requests returns what a Put of b asks of the bucket, in order.
func requests(t *testing.T, server *s3test.Server, b []byte) (methods []string) {
	t.Helper()
	proxy := server.Proxy(t)
	s := s3test.Open(t, through(proxy, server.Bucket(t), time.Minute))
	proxy.Once(0, s3test.None)
	blobtest.MustPut(t, s, b)
	for _, r := range proxy.Seen() {
		method, _, _ := strings.Cut(r, " ")
		methods = append(methods, method)
	}
	return methods
}

// abortAll removes what is unfinished, as collection does: one upload may have
// left something in two places.
func abortAll(t *testing.T, s *s3.Store) {
	t.Helper()
	for range 2 {
		for _, id := range blobtest.UploadIDs(t, s) {
			u, err := s.Resume(t.Context(), id)
			if err != nil {
				t.Fatalf("Resume(%q) = %v, want success", id, err)
			}
			if err := u.Abort(t.Context()); err != nil {
				t.Errorf("Abort of %q = %v, want success", id, err)
			}
		}
	}
}

// dieAt lets requests through until the first of a stage of a commit, which and
// all after it fail.
func dieAt(stage string) func(*http.Request) s3test.Fault {
	var dead atomic.Bool
	return func(r *http.Request) s3test.Fault {
		toKey, query := strings.Contains(r.URL.Path, "/blobs/"), r.URL.Query()
		now := map[string]bool{
			"POST complete": r.Method == http.MethodPost && !toKey && query.Has("uploadId"),
			"POST copy":     r.Method == http.MethodPost && toKey && query.Has("uploads"),
			"PUT copy":      r.Method == http.MethodPut && toKey,
			"POST copied":   r.Method == http.MethodPost && toKey && query.Has("uploadId"),
		}
		if now[stage] {
			dead.Store(true)
		}
		if dead.Load() {
			return s3test.SlowDown
		}
		return s3test.None
	}
}

// TestReadOverFaults cuts, stalls and refuses the reading of a blob; the reader
// goes on where it was.
func TestReadOverFaults(t *testing.T) {
	server := s3test.Start(t)
	opts, proxy := server.Bucket(t), server.Proxy(t)
	want := blobtest.Bytes(3*mib, 1)
	key := blobtest.MustPut(t, s3test.Open(t, opts), want).Key
	s := s3test.Open(t, through(proxy, opts, time.Second))
	for _, fault := range []s3test.Fault{s3test.SlowDown, s3test.Hang, s3test.Lost, s3test.LostHang, s3test.Lying, s3test.CutAnswer} {
		count := 0
		proxy.Choose(func(*http.Request) s3test.Fault {
			if count++; count%2 != 0 {
				return fault
			}
			return s3test.None
		})
		blobtest.CheckHolds(t, s, key, want)
		r, err := s.Open(t.Context(), key)
		if err != nil {
			t.Fatalf("%s: Open = %v, want success", fault, err)
		}
		for _, at := range []int64{0, 100, 2*mib + 17, 3*mib - 10} {
			got := make([]byte, 10)
			if n, err := r.(io.ReaderAt).ReadAt(got, at); n != 10 || !bytes.Equal(got, want[at:at+10]) {
				t.Errorf("%s: ReadAt(%d) = %d, %v, want the bytes there", fault, at, n, err)
			}
			if _, err := r.Seek(at, io.SeekStart); err != nil {
				t.Errorf("%s: Seek = %v, want success", fault, err)
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want[at:]) {
				t.Errorf("%s: reading from %d = %d bytes, %v, want the rest", fault, at, len(got), err)
			}
		}
		r.Close()
	}
}

// TestAlteredBlob changes a byte of a blob, on its way and in the bucket: the
// reader never gets to the end of it.
func TestAlteredBlob(t *testing.T) {
	server := s3test.Start(t)
	opts, proxy := server.Bucket(t), server.Proxy(t)
	s := s3test.Open(t, through(proxy, opts, time.Second))
	for _, size := range []int{1, 1000, 2 * mib} {
		want := blobtest.Bytes(size, 1)
		proxy.Once(0, s3test.None)
		key := blobtest.MustPut(t, s, want).Key
		proxy.From(1, s3test.Altered)
		r, err := s.Open(t.Context(), key)
		if err != nil {
			t.Fatalf("Open = %v, want success", err)
		}
		if got, err := io.ReadAll(r); !errors.Is(err, blob.ErrAltered) || len(got) == size {
			t.Errorf("reading an altered blob = %d of %d bytes, %v, want an error before the end", len(got), size, err)
		}
		r.Close()
	}
}

// TestReadGone is a blob that the bucket loses while it is read.
func TestReadGone(t *testing.T) {
	server := s3test.Start(t)
	s := s3test.Open(t, server.Bucket(t))
	key := blobtest.MustPut(t, s, blobtest.Bytes(mib, 1)).Key
	r, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatalf("Open = %v, want success", err)
	}
	defer r.Close()
	if err := s.Delete(t.Context(), key); err != nil {
		t.Fatalf("Delete = %v, want success", err)
	}
	if _, err := r.Seek(10, io.SeekStart); err != nil {
		t.Fatalf("Seek = %v, want success", err)
	}
	if n, err := r.Read(make([]byte, 10)); n != 0 || !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("Read of a blob that is gone = %d, %v, want ErrUnavailable", n, err)
	}
}

// TestOpenFails says what an unusable bucket is when the store is opened.
func TestOpenFails(t *testing.T) {
	server := s3test.Start(t)
	good := server.Bucket(t)
	for name, edit := range map[string]func(*s3.Options){
		"no such bucket": func(o *s3.Options) { o.Bucket = "nobody" },
		"nobody there":   func(o *s3.Options) { o.Endpoint, o.Pause = "127.0.0.1:1", time.Millisecond },
	} {
		opts := good
		edit(&opts)
		if s, err := s3.New(t.Context(), opts); s != nil || !errors.Is(err, blob.ErrUnavailable) || !strings.Contains(err.Error(), opts.Bucket+" at "+opts.Endpoint) {
			t.Errorf("%s: New = %v, %v, want ErrUnavailable with the address", name, s, err)
		}
	}
}

package s3_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
	"packhouse/internal/blob/s3"
	"packhouse/internal/blob/s3/s3test"
)

const mib = 1 << 20

// inParts are options for a store that sends and copies 5 MiB at a time.
func inParts(opts s3.Options) s3.Options {
	opts.PartSize, opts.CopySize = 5*mib, 6*mib
	return opts
}

// TestParts stores blobs around the sizes at which something changes.
func TestParts(t *testing.T) {
	server := s3test.Start(t)
	opts := inParts(server.Bucket(t))
	s := s3test.Open(t, opts)
	for i, size := range []int{5*mib - 1, 5 * mib, 5*mib + 1, 6 * mib, 6*mib + 1, 10 * mib, 10*mib + 1, 17 * mib} {
		want := blobtest.Bytes(size, uint64(i))
		info, _, err := blob.Put(t.Context(), s, bytes.NewReader(want), blob.PutOptions{Want: blobtest.Sum(want)})
		if err != nil || info.Size != int64(size) {
			t.Fatalf("Put of %d bytes = %+v, %v, want success", size, info, err)
		}
		blobtest.CheckHolds(t, s, info.Key, want)
		checkNothingLeft(t, server, opts, s, 1)
		if err := s.Delete(t.Context(), info.Key); err != nil {
			t.Fatalf("Delete = %v, want success", err)
		}
	}
}

// TestAbortParts aborts an upload of which parts were sent, or are on their way.
func TestAbortParts(t *testing.T) {
	server := s3test.Start(t)
	opts := inParts(server.Bucket(t))
	s := s3test.Open(t, opts)
	for _, size := range []int{5*mib + 1, 12 * mib} {
		u := begin(t, s, blobtest.Bytes(size, 1))
		if err := u.Abort(t.Context()); err != nil {
			t.Errorf("Abort after %d bytes = %v, want success", size, err)
		}
		checkNothingLeft(t, server, opts, s, 0)
	}
}

// TestResumeElsewhere closes an upload at several sizes and goes on with it in
// another process each time.
func TestResumeElsewhere(t *testing.T) {
	server := s3test.Start(t)
	opts := inParts(server.Bucket(t))
	want := blobtest.Bytes(13*mib, 1)
	u := begin(t, s3test.Open(t, opts), nil)
	id, at := u.ID(), 0
	for _, to := range []int{0, 100, 5 * mib, 7 * mib, 7 * mib, 12*mib + 1} {
		if _, err := u.Write(want[at:to]); err != nil {
			t.Fatalf("Write to %d = %v, want success", to, err)
		}
		if err := u.Close(); err != nil {
			t.Fatalf("Close at %d = %v, want success", to, err)
		}
		at = to
		s := s3test.Open(t, opts)
		for info, err := range s.Uploads(t.Context()) {
			if err != nil || info.ID != id || info.Size != int64(at) || time.Since(info.ModTime).Abs() > time.Minute {
				t.Errorf("Uploads = %+v, %v, want %s with %d bytes, just now", info, err, id, at)
			}
		}
		var err error
		if u, err = s.Resume(t.Context(), id); err != nil || u.Size() != int64(at) {
			t.Fatalf("Resume at %d = %v, want success", at, err)
		}
	}
	if _, err := u.Write(want[at:]); err != nil {
		t.Fatalf("Write = %v, want success", err)
	}
	info, err := u.Commit(t.Context(), blobtest.Sum(want))
	if err != nil {
		t.Fatalf("Commit = %v, want success", err)
	}
	s := s3test.Open(t, opts)
	blobtest.CheckHolds(t, s, info.Key, want)
	checkNothingLeft(t, server, opts, s, 1)
}

// TestCrash leaves an upload at every stage as a process does that is killed,
// and has another process find it, go on with it or throw it away.
func TestCrash(t *testing.T) {
	server := s3test.Start(t)
	for _, c := range []struct {
		name    string
		stage   string // what is asked of the bucket that never happens
		size    int64  // that the other process finds
		resumes bool
	}{
		{"while parts arrive", "POST complete", 10 * mib, true},
		{"before the copy", "POST copy", 12 * mib, true},
		{"in the copy", "PUT copy", 12 * mib, true},
		{"before the copy is complete", "POST copied", 12 * mib, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts := inParts(server.Bucket(t))
			proxy := server.Proxy(t)
			want := blobtest.Bytes(12*mib, 3)
			u := begin(t, s3test.Open(t, through(proxy, opts, time.Minute)), want)
			proxy.Choose(dieAt(c.stage))
			if info, err := u.Commit(t.Context(), blobtest.Sum(want)); !errors.Is(err, blob.ErrUnavailable) {
				t.Fatalf("Commit = %+v, %v, want ErrUnavailable", info, err)
			}
			s := s3test.Open(t, opts)
			if keys := blobtest.Keys(t, s, ""); len(keys) != 0 {
				t.Fatalf("blobs of a process that died = %q, want none", keys)
			}
			if ids := blobtest.UploadIDs(t, s); len(ids) != 1 || ids[0] != u.ID() {
				t.Fatalf("uploads of a process that died = %q, want %q", ids, u.ID())
			}
			again, err := s.Resume(t.Context(), u.ID())
			if err != nil || again.Size() < 10*mib {
				t.Fatalf("Resume = %v, want an upload with what was sent", err)
			}
			if err := again.Abort(t.Context()); err != nil {
				t.Errorf("Abort = %v, want success", err)
			}
			// The copy to the key was begun under another name.
			for _, id := range blobtest.UploadIDs(t, s) {
				if again, err = s.Resume(t.Context(), id); err != nil {
					t.Fatalf("Resume of the rest = %v, want success", err)
				}
				if err := again.Abort(t.Context()); err != nil {
					t.Errorf("Abort of the rest = %v, want success", err)
				}
			}
			checkNothingLeft(t, server, opts, s, 0)
		})
	}
}

// TestPartsGone removes the parts of a closed upload behind the store, as a rule
// of the bucket may do: what is left of it can be aborted.
func TestPartsGone(t *testing.T) {
	server := s3test.Start(t)
	opts := inParts(server.Bucket(t))
	s := s3test.Open(t, opts)
	u := begin(t, s, blobtest.Bytes(6*mib, 1))
	if err := u.Close(); err != nil {
		t.Fatalf("Close = %v, want success", err)
	}
	if err := server.Client(t).RemoveIncompleteUpload(t.Context(), opts.Bucket, "uploads/"+u.ID()); err != nil {
		t.Fatal(err)
	}
	again, err := s.Resume(t.Context(), u.ID())
	if err != nil {
		t.Fatalf("Resume = %v, want success", err)
	}
	if _, err := again.Write([]byte("x")); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("Write = %v, want ErrUnavailable", err)
	}
	if err := again.Abort(t.Context()); err != nil {
		t.Errorf("Abort = %v, want success", err)
	}
	checkNothingLeft(t, server, opts, s, 0)
}

func begin(t *testing.T, s blob.Store, b []byte) blob.Upload {
	t.Helper()
	u, err := s.Create(t.Context())
	if err != nil {
		t.Fatalf("Create = %v, want success", err)
	}
	if n, err := io.Copy(u, bytes.NewReader(b)); n != int64(len(b)) || err != nil {
		t.Fatalf("Write of %d bytes = %d, %v, want all of them", len(b), n, err)
	}
	return u
}

// checkNothingLeft looks behind the store: the bucket's folder has only blobs,
// apart from what the server forgets in its own work folder.
func checkNothingLeft(t *testing.T, server *s3test.Server, opts s3.Options, s *s3.Store, blobs int) {
	t.Helper()
	if n, ids := len(blobtest.Keys(t, s, "")), blobtest.UploadIDs(t, s); n != blobs || len(ids) != 0 {
		t.Errorf("store holds %d blobs and uploads %q, want %d and none", n, ids, blobs)
	}
	for m := range server.Client(t).ListIncompleteUploads(context.Background(), opts.Bucket, "", true) {
		t.Errorf("the bucket has an upload in parts of %s, %v", m.Key, m.Err)
	}
	err := filepath.WalkDir(filepath.Join(server.Folder, opts.Bucket), func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !strings.Contains(name, "/blobs/") && !strings.Contains(name, "/.sgwtmp/") {
			t.Errorf("the bucket has %s", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

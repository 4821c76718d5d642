package disk

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"testing"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
)

func put(t *testing.T, s *Store, b []byte) (blob.Info, error) {
	t.Helper()
	info, _, err := blob.Put(t.Context(), s, bytes.NewReader(b), blob.PutOptions{})
	return info, err
}

// steps returns what a Put of b into a new store asks of the file system.
func steps(t *testing.T, b []byte) []string {
	t.Helper()
	s, fs := openInjected(t, t.TempDir(), Options{})
	if _, err := put(t, s, b); err != nil {
		t.Fatalf("Put = %v, want success", err)
	}
	return fs.made()
}

// TestStepsOfPut pins the order that durability rests on.
func TestStepsOfPut(t *testing.T) {
	want := []string{
		"create", "write",
		"sync",                     // the bytes
		"mkdir", "openDir", "sync", // blobs/ab
		"mkdir", "openDir", "sync", // blobs/ab/cd
		"openDir", "rename", "sync", // the key
	}
	if got := steps(t, []byte("small")); !slices.Equal(got, want) {
		t.Errorf("steps of a first Put = %q, want %q", got, want)
	}
	s, fs := openInjected(t, t.TempDir(), Options{})
	for range 2 {
		fs.arm(never)
		if _, err := put(t, s, []byte("small")); err != nil {
			t.Fatalf("Put = %v, want success", err)
		}
	}
	want = []string{"create", "write", "sync", "openDir", "rename", "sync"}
	if got := fs.made(); !slices.Equal(got, want) {
		t.Errorf("steps of the next Put into that folder = %q, want %q", got, want)
	}
}

// TestEveryStepFails makes each step of a Put fail in turn. None may look like
// success or leave anything, and a store opened afterwards works.
func TestEveryStepFails(t *testing.T) {
	body := blobtest.Bytes(600_000, 1)
	for i, step := range steps(t, body) {
		for _, cause := range []error{syscall.EIO, syscall.ENOSPC, syscall.EDQUOT} {
			t.Run(fmt.Sprintf("%d-%s-%d", i+1, step, cause), func(t *testing.T) {
				dir := t.TempDir()
				earlier, s := []byte("stored before"), open(t, dir, Options{})
				kept := blobtest.MustPut(t, s, earlier)
				s, fs := openInjected(t, dir, Options{Log: slog.New(slog.DiscardHandler)})
				fs.short = true
				fs.arm(nth(i+1, cause))
				_, err := put(t, s, body)
				if !errors.Is(err, cause) || packhouse.KindOf(err) != kindOf(step, cause) {
					t.Errorf("Put = %v of kind %d, want %v of kind %d", err, packhouse.KindOf(err), cause, kindOf(step, cause))
				}
				if broken := errors.Is(err, blob.ErrBroken); broken != (step == "sync") {
					t.Errorf("ErrBroken = %t after a failed %s", broken, step)
				}
				blobtest.CheckHolds(t, s, kept.Key, earlier)
				checkOnly(t, s, kept.Key)
				s = open(t, dir, Options{})
				blobtest.CheckHolds(t, s, blobtest.MustPut(t, s, body).Key, body)
			})
		}
	}
}

// kindOf is what a failed step means to the caller of Put.
func kindOf(step string, cause error) packhouse.Kind {
	switch {
	case step == "sync":
		return packhouse.Unavailable
	case step != "openDir" && (cause == syscall.ENOSPC || cause == syscall.EDQUOT):
		return packhouse.Full
	}
	return packhouse.Internal
}

// TestBrokenIsForGood lets one sync fail and then asks everything of the store.
func TestBrokenIsForGood(t *testing.T) {
	dir, log := t.TempDir(), new(bytes.Buffer)
	s, fs := openInjected(t, dir, Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	kept := blobtest.MustPut(t, s, []byte("kept"))
	gone := blobtest.MustPut(t, s, []byte("deleted later"))
	waiting := mustCreate(t, s)
	written := mustCreate(t, s)
	if _, err := written.Write([]byte("in progress")); err != nil {
		t.Fatalf("Write = %v, want success", err)
	}
	closed := mustCreate(t, s)
	if err := closed.Close(); err != nil {
		t.Fatalf("Close = %v, want success", err)
	}

	fs.arm(nth(3, syscall.EIO)) // create, write, sync
	if _, err := put(t, s, []byte("unlucky")); !errors.Is(err, blob.ErrBroken) {
		t.Fatalf("Put = %v, want ErrBroken", err)
	}
	fs.arm(never)

	_, putErr := put(t, s, []byte("after"))
	_, createErr := s.Create(t.Context())
	_, resumeErr := s.Resume(t.Context(), closed.ID())
	_, writeErr := waiting.Write([]byte("x"))
	_, commitErr := written.Commit(t.Context(), blobtest.Sum([]byte("in progress")))
	for op, err := range map[string]error{
		"Put": putErr, "Create": createErr, "Resume": resumeErr, "Write": writeErr,
		"Commit": commitErr, "Close": waiting.Close(),
	} {
		if !errors.Is(err, blob.ErrBroken) {
			t.Errorf("%s on a broken store = %v, want ErrBroken", op, err)
		}
	}
	if err := written.Abort(t.Context()); err != nil {
		t.Errorf("Abort on a broken store = %v, want success", err)
	}
	if err := s.Delete(t.Context(), gone.Key); err != nil {
		t.Errorf("Delete on a broken store = %v, want success", err)
	}
	blobtest.CheckHolds(t, s, kept.Key, []byte("kept"))
	if keys := blobtest.Keys(t, s, ""); !slices.Equal(keys, []blob.Key{kept.Key}) {
		t.Errorf("keys of a broken store = %q, want %q", keys, kept.Key)
	}
	if slices.Contains(fs.made(), "sync") {
		t.Errorf("a broken store synced again: %q", fs.made())
	}
	if n := strings.Count(log.String(), "blob store stopped writing"); n != 1 {
		t.Errorf("the failure was logged %d times, want once:\n%s", n, log)
	}
	blobtest.MustPut(t, open(t, dir, Options{}), []byte("opened again"))
}

// TestCloseFailsToSync checks that a later session cannot take bytes for
// whole that the disk may not have.
func TestCloseFailsToSync(t *testing.T) {
	dir := t.TempDir()
	s, fs := openInjected(t, dir, Options{Log: slog.New(slog.DiscardHandler)})
	u := mustCreate(t, s)
	fs.arm(nth(1, syscall.EIO))
	if err := u.Close(); !errors.Is(err, blob.ErrBroken) {
		t.Errorf("Close = %v, want ErrBroken", err)
	}
	if _, err := open(t, dir, Options{}).Resume(t.Context(), u.ID()); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Resume after a failed sync = %v, want ErrNotFound", err)
	}
}

// TestCleanupFails lets the rename and every removal fail: the upload stays
// where it is found.
func TestCleanupFails(t *testing.T) {
	dir := t.TempDir()
	s, fs := openInjected(t, dir, Options{})
	fs.arm(func(calls []string) error {
		return errors.Join(every("rename", syscall.EIO)(calls), every("remove", syscall.EROFS)(calls))
	})
	_, err := put(t, s, []byte("stuck"))
	if !errors.Is(err, syscall.EIO) || !errors.Is(err, syscall.EROFS) {
		t.Errorf("Put = %v, want both failures in it", err)
	}
	if keys, ids := blobtest.Keys(t, s, ""), blobtest.UploadIDs(t, s); len(keys) != 0 || len(ids) != 1 {
		t.Errorf("store holds blobs %q and uploads %q, want the upload alone", keys, ids)
	}
	fs.arm(never)
	u, err := s.Resume(t.Context(), blobtest.UploadIDs(t, s)[0])
	if err != nil {
		t.Fatalf("Resume of what was left = %v, want success", err)
	}
	if err := u.Abort(t.Context()); err != nil {
		t.Errorf("Abort of what was left = %v, want success", err)
	}
	checkOnly(t, s)
}

// TestCommitAfterFailedWrite is a caller that overlooks an error.
func TestCommitAfterFailedWrite(t *testing.T) {
	s, fs := openInjected(t, t.TempDir(), Options{})
	u := mustCreate(t, s)
	fs.short = true
	fs.arm(every("write", syscall.EIO))
	n, err := u.Write([]byte("12345678"))
	if n != 4 || u.Size() != 4 || !errors.Is(err, syscall.EIO) {
		t.Errorf("Write = %d, %v with size %d, want 4, EIO", n, err, u.Size())
	}
	fs.arm(never)
	if _, err := u.Commit(t.Context(), blobtest.Sum([]byte("12345678"))); !errors.Is(err, syscall.EIO) {
		t.Errorf("Commit after a failed Write = %v, want its error", err)
	}
	if err := u.Abort(t.Context()); err != nil {
		t.Errorf("Abort = %v, want success", err)
	}
	checkOnly(t, s)
}

func mustCreate(t *testing.T, s *Store) blob.Upload {
	t.Helper()
	u, err := s.Create(t.Context())
	if err != nil {
		t.Fatalf("Create = %v, want success", err)
	}
	return u
}

// checkOnly fails the test unless s holds just these blobs and no upload.
func checkOnly(t *testing.T, s *Store, want ...blob.Key) {
	t.Helper()
	keys, ids := blobtest.Keys(t, s, ""), blobtest.UploadIDs(t, s)
	if !slices.Equal(keys, want) || len(ids) != 0 {
		t.Errorf("store holds blobs %q and uploads %q, want %q and no upload", keys, ids, want)
	}
}

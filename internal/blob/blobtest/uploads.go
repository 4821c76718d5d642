package blobtest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"packhouse/internal/blob"
)

func testAbort(t *testing.T, s blob.Store) {
	b := Bytes(300_000, 5)
	u := begin(t, s, b)
	if ids := UploadIDs(t, s); !slices.Equal(ids, []string{u.ID()}) {
		t.Errorf("uploads while one is written = %q, want %q", ids, u.ID())
	}
	if err := u.Abort(t.Context()); err != nil {
		t.Errorf("Abort = %v, want success", err)
	}
	checkEmpty(t, s)
	checkAbsent(t, s, blob.NewKey(Sum(b), u.ID()))
	if _, err := s.Resume(t.Context(), u.ID()); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Resume after Abort = %v, want ErrNotFound", err)
	}
}

func testAbortAfterEnd(t *testing.T, s blob.Store) {
	b := []byte("kept")
	committed := begin(t, s, b)
	info, err := committed.Commit(t.Context(), Sum(b))
	if err != nil {
		t.Fatalf("Commit = %v, want success", err)
	}
	closed := begin(t, s, b)
	if err := closed.Close(); err != nil {
		t.Fatalf("Close = %v, want success", err)
	}
	for _, u := range []blob.Upload{committed, closed} {
		if err := u.Abort(t.Context()); err != nil {
			t.Errorf("Abort of an upload that has ended = %v, want success", err)
		}
	}
	CheckHolds(t, s, info.Key, b)
	if ids := UploadIDs(t, s); !slices.Equal(ids, []string{closed.ID()}) {
		t.Errorf("uploads = %q, want the closed one, %q", ids, closed.ID())
	}
}

func testUseAfterEnd(t *testing.T, s blob.Store) {
	b := []byte("done")
	u := begin(t, s, b)
	info, err := u.Commit(t.Context(), Sum(b))
	if err != nil {
		t.Fatalf("Commit = %v, want success", err)
	}
	if _, err := u.Write([]byte("more")); err == nil {
		t.Error("Write after Commit succeeded")
	}
	if _, err := u.Commit(t.Context(), Sum(b)); err == nil {
		t.Error("second Commit succeeded")
	}
	if err := u.Close(); err == nil {
		t.Error("Close after Commit succeeded")
	}
	if _, err := s.Resume(t.Context(), u.ID()); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Resume after Commit = %v, want ErrNotFound", err)
	}
	CheckHolds(t, s, info.Key, b)
}

func testCommitCancelled(t *testing.T, s blob.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Create(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Create of a cancelled request = %v, want Canceled", err)
	}
	b := []byte("too late")
	u := begin(t, s, b)
	if _, err := u.Commit(ctx, Sum(b)); !errors.Is(err, context.Canceled) {
		t.Errorf("Commit of a cancelled request = %v, want Canceled", err)
	}
	checkAbsent(t, s, blob.NewKey(Sum(b), u.ID()))
	if err := u.Abort(ctx); err != nil {
		t.Errorf("Abort after a failed Commit = %v, want success", err)
	}
	checkEmpty(t, s)
}

func testResume(t *testing.T, s blob.Store) {
	want := Bytes(700_000, 6)
	u := begin(t, s, want[:300_000])
	if err := u.Close(); err != nil {
		t.Fatalf("Close = %v, want success", err)
	}
	for info, err := range s.Uploads(t.Context()) {
		if err != nil || info.ID != u.ID() || info.Size != 300_000 || time.Since(info.ModTime).Abs() > time.Minute {
			t.Errorf("Uploads = %+v, %v, want %s with 300000 bytes, just now", info, err, u.ID())
		}
	}
	again, err := s.Resume(t.Context(), u.ID())
	if err != nil {
		t.Fatalf("Resume = %v, want success", err)
	}
	if again.ID() != u.ID() || again.Size() != 300_000 {
		t.Errorf("resumed %s at %d, want %s at 300000", again.ID(), again.Size(), u.ID())
	}
	write(t, again, want[300_000:])
	info, err := again.Commit(t.Context(), Sum(want))
	if err != nil || info.Key != blob.NewKey(Sum(want), u.ID()) || info.Size != int64(len(want)) {
		t.Errorf("Commit = %+v, %v, want all bytes under the first id", info, err)
	}
	CheckHolds(t, s, info.Key, want)
	if ids := UploadIDs(t, s); len(ids) != 0 {
		t.Errorf("uploads after Commit = %q, want none", ids)
	}
}

func testResumeBusy(t *testing.T, s blob.Store) {
	u := begin(t, s, []byte("first"))
	if _, err := s.Resume(t.Context(), u.ID()); !errors.Is(err, blob.ErrBusy) {
		t.Errorf("Resume of an open upload = %v, want ErrBusy", err)
	}
	if err := u.Close(); err != nil {
		t.Fatalf("Close = %v, want success", err)
	}
	second, err := s.Resume(t.Context(), u.ID())
	if err != nil {
		t.Fatalf("Resume after Close = %v, want success", err)
	}
	if _, err := s.Resume(t.Context(), u.ID()); !errors.Is(err, blob.ErrBusy) {
		t.Errorf("second Resume = %v, want ErrBusy", err)
	}
	if err := second.Abort(t.Context()); err != nil {
		t.Errorf("Abort of a resumed upload = %v, want success", err)
	}
	checkEmpty(t, s)
}

func testSameBytesTwice(t *testing.T, s blob.Store) {
	want := Bytes(400_000, 7)
	var infos [4]blob.Info
	var wg sync.WaitGroup
	for i := range infos {
		wg.Go(func() { infos[i] = MustPut(t, s, want) })
	}
	wg.Wait()
	keys := map[blob.Key]bool{}
	for _, info := range infos {
		keys[info.Key] = true
		CheckHolds(t, s, info.Key, want)
	}
	if len(keys) != len(infos) {
		t.Errorf("%d uploads of the same bytes have %d keys, want one each", len(infos), len(keys))
	}
	if err := s.Delete(t.Context(), infos[0].Key); err != nil {
		t.Errorf("Delete = %v, want success", err)
	}
	CheckHolds(t, s, infos[1].Key, want)
}

// testConcurrent does everything at once; the race detector and the last look
// at what is left are the judges.
func testConcurrent(t *testing.T, s blob.Store) {
	var wg sync.WaitGroup
	for worker := range uint64(8) {
		wg.Go(func() {
			for round := range uint64(8) {
				want := Bytes(int(worker*round)*8_000, worker<<8|round)
				info := MustPut(t, s, want)
				CheckHolds(t, s, info.Key, want)
				begun := begin(t, s, want)
				if err := begun.Abort(t.Context()); err != nil {
					t.Errorf("Abort = %v, want success", err)
				}
				for _, err := range s.List(t.Context(), info.Key) {
					if err != nil {
						t.Errorf("List = %v, want success", err)
					}
				}
				for _, err := range s.Uploads(t.Context()) {
					if err != nil {
						t.Errorf("Uploads = %v, want success", err)
					}
				}
				if err := s.Delete(t.Context(), info.Key); err != nil {
					t.Errorf("Delete = %v, want success", err)
				}
			}
		})
	}
	wg.Wait()
	checkEmpty(t, s)
}

func checkEmpty(t *testing.T, s blob.Store) {
	t.Helper()
	if keys, ids := Keys(t, s, ""), UploadIDs(t, s); len(keys) != 0 || len(ids) != 0 {
		t.Errorf("store holds blobs %q and uploads %q, want nothing", keys, ids)
	}
}

package blobtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"packhouse/internal/blob"
)

func testRoundTrip(t *testing.T, s blob.Store) {
	for _, size := range []int{0, 1, 4096, 5 << 20} {
		before := time.Now().Add(-time.Minute)
		want := Bytes(size, 1)
		info := MustPut(t, s, want)
		CheckHolds(t, s, info.Key, want)
		if info.Size != int64(size) || info.Digest != Sum(want) {
			t.Errorf("Put of %d bytes = %+v, want their size and digest", size, info)
		}
		digest, _, ok := info.Key.Split()
		if !ok || digest != info.Digest {
			t.Errorf("key of %d bytes = %q, want one of their digest", size, info.Key)
		}
		if info.ModTime.Before(before) || info.ModTime.After(time.Now().Add(time.Minute)) {
			t.Errorf("ModTime of %d bytes = %v, want about now", size, info.ModTime)
		}
		stat, err := s.Stat(t.Context(), info.Key)
		if err != nil || stat.Key != info.Key || stat.Digest != info.Digest || stat.Size != info.Size ||
			!stat.ModTime.Equal(info.ModTime) {
			t.Errorf("Stat(%q) = %+v, %v, want %+v", info.Key, stat, err, info)
		}
	}
}

func testRange(t *testing.T, s blob.Store) {
	want := Bytes(100_000, 2)
	r, err := s.Open(t.Context(), MustPut(t, s, want).Key)
	if err != nil {
		t.Fatalf("Open = %v, want success", err)
	}
	defer r.Close()
	for _, c := range []struct {
		offset int64
		whence int
		start  int
	}{
		{70_000, io.SeekStart, 70_000},
		{-10, io.SeekEnd, 99_990},
		{0, io.SeekStart, 0},
		{5, io.SeekCurrent, 15},
	} {
		at, err := r.Seek(c.offset, c.whence)
		if at != int64(c.start) || err != nil {
			t.Errorf("Seek(%d, %d) = %d, %v, want %d", c.offset, c.whence, at, err, c.start)
		}
		got := make([]byte, 10)
		if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, want[c.start:c.start+10]) {
			t.Errorf("10 bytes at %d = %x, %v, want %x", c.start, got, err, want[c.start:c.start+10])
		}
	}
	if _, err := r.Seek(0, io.SeekEnd); err != nil {
		t.Errorf("Seek to the end = %v, want success", err)
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("Read at the end = %d, %v, want 0, EOF", n, err)
	}
}

func testDigest(t *testing.T, s blob.Store) {
	b := Bytes(1000, 3)
	if _, _, err := blob.Put(t.Context(), s, bytes.NewReader(b), blob.PutOptions{Want: Sum(b)}); err != nil {
		t.Errorf("Put with the right digest = %v, want success", err)
	}
	before := Keys(t, s, "")
	if _, _, err := blob.Put(t.Context(), s, bytes.NewReader(b), blob.PutOptions{Want: Sum(nil)}); err == nil {
		t.Error("Put with a wrong digest succeeded")
	}
	if got := Keys(t, s, ""); !slices.Equal(got, before) {
		t.Errorf("keys after a wrong digest = %q, want %q", got, before)
	}
	if ids := UploadIDs(t, s); len(ids) != 0 {
		t.Errorf("uploads after a wrong digest = %q, want none", ids)
	}
}

func testAbsent(t *testing.T, s blob.Store) {
	checkAbsent(t, s, blob.NewKey(Sum(nil), blob.NewID()))
	info := MustPut(t, s, []byte("short-lived"))
	for range 2 {
		if err := s.Delete(t.Context(), info.Key); err != nil {
			t.Errorf("Delete = %v, want success", err)
		}
		checkAbsent(t, s, info.Key)
	}
	if keys := Keys(t, s, ""); len(keys) != 0 {
		t.Errorf("keys after Delete = %q, want none", keys)
	}
}

func testForeignKeys(t *testing.T, s blob.Store) {
	digest, id := Sum(nil).String(), blob.NewID()
	for _, key := range []blob.Key{
		"", ".", "..", "/", "../x", "../../../../etc/passwd", "/etc/passwd", "a", "ab/cd",
		blob.Key(digest), blob.Key(digest + "."), blob.Key(digest + "." + id + "x"),
		blob.Key(digest + "/" + id), blob.Key(digest + "..." + id[2:]),
		blob.Key(digest + "." + id[:23] + "/.."), blob.Key("../" + digest[3:] + "." + id),
		blob.Key(digest[:63] + "F." + id), blob.Key(digest + ".\x00" + id[1:]),
	} {
		checkAbsent(t, s, key)
		if err := s.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete(%q) = %v, want success, for nothing is there", key, err)
		}
	}
	for _, id := range []string{
		"", ".", "..", "../x", "../../../../etc/passwd", "/etc/passwd", "uploads", blob.NewID(),
		"../blobs/aaaaaaaaaaaaaaaaa", id[:25] + "/", id[:25] + "\x00",
	} {
		if _, err := s.Resume(t.Context(), id); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("Resume(%q) = %v, want ErrNotFound", id, err)
		}
	}
}

func checkAbsent(t *testing.T, s blob.Store, key blob.Key) {
	t.Helper()
	if _, err := s.Open(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Open(%q) = %v, want ErrNotFound", key, err)
	}
	if _, err := s.Stat(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Stat(%q) = %v, want ErrNotFound", key, err)
	}
}

func testDeleteWhileOpen(t *testing.T, s blob.Store) {
	want := Bytes(1<<20, 4)
	info := MustPut(t, s, want)
	r, err := s.Open(t.Context(), info.Key)
	if err != nil {
		t.Fatalf("Open = %v, want success", err)
	}
	defer r.Close()
	if err := s.Delete(t.Context(), info.Key); err != nil {
		t.Fatalf("Delete = %v, want success", err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
		t.Errorf("reading after Delete = %d bytes, %v, want all %d", len(got), err, len(want))
	}
	checkAbsent(t, s, info.Key)
}

func testList(t *testing.T, s blob.Store) {
	want := []blob.Key{}
	for seed := range uint64(40) {
		want = append(want, MustPut(t, s, Bytes(100, seed)).Key)
	}
	slices.Sort(want)
	begin(t, s, []byte("unfinished, so not listed"))
	for i, key := range append([]blob.Key{""}, want...) {
		if got := Keys(t, s, key); !slices.Equal(got, want[i:]) {
			t.Errorf("keys after %q = %q, want %q", key, got, want[i:])
		}
	}
	if got := Keys(t, s, want[9]+"~"); !slices.Equal(got, want[10:]) {
		t.Errorf("keys after one that is absent = %q, want %q", got, want[10:])
	}
	if got := Keys(t, s, want[9][:3]); !slices.Contains(got, want[9]) {
		t.Errorf("keys after the prefix %q = %q, want %q among them", want[9][:3], got, want[9])
	}
	for info, err := range s.List(t.Context(), "") {
		if stat, failed := s.Stat(t.Context(), info.Key); err != nil || failed != nil || stat.Size != info.Size || stat.Digest != info.Digest {
			t.Errorf("List shows %+v, %v; Stat shows %+v, %v", info, err, stat, failed)
		}
	}
}

func testListStops(t *testing.T, s blob.Store) {
	MustPut(t, s, []byte("one"))
	MustPut(t, s, []byte("two"))
	begin(t, s, []byte("three"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	seen := 0
	for range s.List(t.Context(), "") {
		seen++
		break
	}
	for info, err := range s.List(ctx, "") {
		seen++
		if !errors.Is(err, context.Canceled) {
			t.Errorf("List of a cancelled request = %+v, %v, want Canceled", info, err)
		}
	}
	for info, err := range s.Uploads(ctx) {
		seen++
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Uploads of a cancelled request = %+v, %v, want Canceled", info, err)
		}
	}
	if seen != 3 {
		t.Errorf("listings went on for %d steps, want 1 each", seen)
	}
}

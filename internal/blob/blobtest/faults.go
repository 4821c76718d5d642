package blobtest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"packhouse/internal/blob"
)

// testPutOverFaults makes every call of a Put fail, in both ways, alone and
// together with every call of the clean-up after it.
func testPutOverFaults(t *testing.T, open func(t *testing.T) blob.Store) {
	errFault, errCleanup := errors.New("injected fault"), errors.New("injected fault of clean-up")
	faults := []Fault{{Op: Create, Call: 1}, {Op: Write, Call: 1}, {Op: Write, Call: 2}, {Op: Write, Call: 3}, {Op: Commit, Call: 1}}
	cleanups := []Plan{
		nil,
		{{Op: Abort, Call: 1, Err: errCleanup}},
		{{Op: Abort, Call: 1, Err: errCleanup, Written: true}},
		{{Op: Delete, Call: 1, Err: errCleanup}},
		{{Op: Delete, Call: 1, Err: errCleanup, Written: true}},
		{{Op: Abort, Call: 1, Err: errCleanup}, {Op: Delete, Call: 1, Err: errCleanup}},
	}
	for _, fault := range faults {
		fault.Err = errFault
		for _, written := range []bool{false, true} {
			fault.Written = written
			for i, cleanup := range cleanups {
				plan := append(Plan{fault}, cleanup...)
				name := fmt.Sprintf("%s%d/written=%t/cleanup%d", fault.Op, fault.Call, written, i)
				t.Run(name, func(t *testing.T) { testFaultyPut(t, open(t), plan) })
			}
		}
	}
}

// testFaultyPut checks one Put whose first fault in plan has to make it fail.
func testFaultyPut(t *testing.T, below blob.Store, plan Plan) {
	earlier := []byte("stored before")
	kept := MustPut(t, below, earlier)
	body := Bytes(600_000, 8) // more than two buffers, so three writes
	s := Faulty(below, plan)
	info, _, err := blob.Put(t.Context(), s, bytes.NewReader(body), blob.PutOptions{})
	if !errors.Is(err, plan[0].Err) {
		t.Errorf("Put = %+v, %v, want %v", info, err, plan[0].Err)
	}
	if info != (blob.Info{}) {
		t.Errorf("Put failed and returned %+v, want nothing", info)
	}
	CheckHolds(t, below, kept.Key, earlier)

	listed, uploads := Keys(t, below, ""), UploadIDs(t, below)
	for _, id := range s.Began() {
		key := blob.NewKey(Sum(body), id)
		_, err := below.Stat(t.Context(), key)
		if readable := err == nil; readable != slices.Contains(listed, key) {
			t.Errorf("readable = %t, but List shows %q", readable, listed)
		}
	}
	leftByCreate := plan[0].Op == Create && plan[0].Written
	if s.Struck() == 1 && !leftByCreate && (len(listed) != 1 || len(uploads) != 0) {
		t.Errorf("clean-up worked, but it left blobs %q and uploads %q", listed, uploads)
	}
	sweep(t, below)
	checkEmpty(t, below)
}

// sweep removes everything the way collection does.
func sweep(t *testing.T, s blob.Store) {
	t.Helper()
	for _, key := range Keys(t, s, "") {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete(%q) = %v, want success", key, err)
		}
	}
	for _, id := range UploadIDs(t, s) {
		u, err := s.Resume(t.Context(), id)
		if err != nil {
			t.Fatalf("Resume(%q) = %v, want success", id, err)
		}
		if err := u.Abort(t.Context()); err != nil {
			t.Errorf("Abort of %q = %v, want success", id, err)
		}
	}
}

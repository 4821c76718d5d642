package disk

import (
	"errors"
	"sync/atomic"
	"syscall"
	"testing"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
)

func TestReserve(t *testing.T) {
	s := open(t, t.TempDir(), Options{Reserve: 1 << 60})
	if _, err := s.Create(t.Context()); !errors.Is(err, blob.ErrFull) {
		t.Errorf("Create with less than the reserve free = %v, want ErrFull", err)
	}
	s = open(t, t.TempDir(), Options{Reserve: 1})
	blobtest.MustPut(t, s, []byte("there is a byte to spare"))
}

// TestReserveExact has 10 MiB above the reserve, a stride and a bit.
func TestReserveExact(t *testing.T) {
	const reserve, above = 100 << 20, 10 << 20
	for _, c := range []struct {
		size int
		kind packhouse.Kind
	}{
		{above, 0},
		{above + 1, packhouse.Full},
	} {
		s, fs := openInjected(t, t.TempDir(), Options{Reserve: reserve})
		written := new(atomic.Int64)
		fs.files = counted{fs.files, written}
		fs.avail = func() int64 { return reserve + above - written.Load() }
		_, err := put(t, s, make([]byte, c.size))
		if got := packhouse.KindOf(err); (err != nil || c.kind != 0) && got != c.kind {
			t.Errorf("Put of %d bytes = %v, want kind %d", c.size, err, c.kind)
		}
		if written.Load() > above {
			t.Errorf("Put of %d bytes wrote %d, of which %d were in the reserve", c.size, written.Load(), written.Load()-above)
		}
	}
}

// TestReserveOfAnother fills the file system from outside in the middle of an
// upload: it is noticed within a stride.
func TestReserveOfAnother(t *testing.T) {
	s, fs := openInjected(t, t.TempDir(), Options{Reserve: 100})
	fs.avail = func() int64 { return 1 << 40 }
	u := mustCreate(t, s)
	part := make([]byte, 1<<20)
	if _, err := u.Write(part); err != nil {
		t.Fatalf("Write = %v, want success", err)
	}
	fs.avail = func() int64 { return 99 }
	writes := 0
	for ; writes < 20; writes++ {
		if _, err := u.Write(part); errors.Is(err, blob.ErrFull) {
			break
		}
	}
	if writes > stride>>20 {
		t.Errorf("%d MiB were written after the disk filled, want at most %d", writes, stride>>20)
	}
	if err := u.Abort(t.Context()); err != nil {
		t.Errorf("Abort = %v, want success", err)
	}
}

// TestSmallVolume fills a real file system of 8 MiB where this process may mount
// one, and one that counts its bytes elsewhere.
func TestSmallVolume(t *testing.T) {
	s := openSmall(t)
	body := blobtest.Bytes(5<<20, 1)
	first := blobtest.MustPut(t, s, body)
	for range 3 {
		if _, err := put(t, s, body); packhouse.KindOf(err) != packhouse.Full || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Put on a full volume = %v, want kind Full because of ENOSPC", err)
		}
		checkOnly(t, s, first.Key)
	}
	blobtest.CheckHolds(t, s, first.Key, body)
	if err := s.Delete(t.Context(), first.Key); err != nil {
		t.Errorf("Delete on a full volume = %v, want success", err)
	}
	second := blobtest.MustPut(t, s, body)
	blobtest.CheckHolds(t, s, second.Key, body)
}

// TestDeleteWhenNothingIsFree fills the volume to the last byte first.
func TestDeleteWhenNothingIsFree(t *testing.T) {
	s := openSmall(t)
	small := blobtest.MustPut(t, s, blobtest.Bytes(1<<20, 2))
	hog := mustCreate(t, s)
	for part := make([]byte, 64<<10); ; {
		if _, err := hog.Write(part); err != nil {
			break
		}
	}
	if err := s.Delete(t.Context(), small.Key); err != nil {
		t.Errorf("Delete on a full volume = %v, want success", err)
	}
	blobtest.MustPut(t, s, blobtest.Bytes(512<<10, 3))
	if err := hog.Abort(t.Context()); err != nil {
		t.Errorf("Abort on a full volume = %v, want success", err)
	}
	blobtest.MustPut(t, s, blobtest.Bytes(5<<20, 4))
}

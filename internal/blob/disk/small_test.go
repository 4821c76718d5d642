package disk

import (
	"sync/atomic"
	"syscall"
	"testing"
)

const smallVolume = 8 << 20

// counted is a file system that has room for a fixed number of bytes below it,
// kept in written by whoever made it.
type counted struct {
	files
	written *atomic.Int64
}

func (c counted) create(name string) (file, error) {
	f, err := c.files.create(name)
	if err != nil {
		return nil, err
	}
	return countedFile{f, c.written}, nil
}

type countedFile struct {
	file
	written *atomic.Int64
}

func (f countedFile) Write(p []byte) (int, error) {
	n, err := f.file.Write(p)
	f.written.Add(int64(n))
	return n, err
}

// bounded stands in for a small volume: a write fails when the files of the
// store would take more than its size.
type bounded struct {
	files
	store *Store
	t     *testing.T
}

func (b *bounded) create(name string) (file, error) {
	f, err := b.files.create(name)
	if err != nil {
		return nil, err
	}
	return boundedFile{f, b}, nil
}

type boundedFile struct {
	file
	volume *bounded
}

func (f boundedFile) Write(p []byte) (int, error) {
	if f.volume.used()+int64(len(p)) > smallVolume {
		return 0, syscall.ENOSPC
	}
	return f.file.Write(p)
}

// used sums up what the store holds.
func (b *bounded) used() int64 {
	var sum int64
	for info, err := range b.store.List(b.t.Context(), "") {
		if err != nil {
			b.t.Errorf("List = %v, want success", err)
		}
		sum += info.Size
	}
	for info, err := range b.store.Uploads(b.t.Context()) {
		if err != nil {
			b.t.Errorf("Uploads = %v, want success", err)
		}
		sum += info.Size
	}
	return sum
}

// openSmall opens a store on a volume of 8 MiB.
func openSmall(t *testing.T) *Store {
	t.Helper()
	dir := t.TempDir()
	if mountSmall(t, dir) {
		return open(t, dir, Options{})
	}
	s, fs := openInjected(t, dir, Options{})
	fs.files = &bounded{files: fs.files, store: s, t: t}
	return s
}

// TestSmallVolumeStandIn keeps the stand-in honest on machines that can mount.
func TestSmallVolumeStandIn(t *testing.T) {
	s, fs := openInjected(t, t.TempDir(), Options{})
	fs.files = &bounded{files: fs.files, store: s, t: t}
	if _, err := put(t, s, make([]byte, smallVolume)); err != nil {
		t.Errorf("Put of the whole volume = %v, want success", err)
	}
	if _, err := put(t, s, []byte("x")); err == nil {
		t.Error("Put on a full volume succeeded")
	}
}

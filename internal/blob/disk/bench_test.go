package disk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"testing"

	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
)

const gib = 1 << 30

// repeat delivers the same block again and again, at the price of the copy that
// a socket costs too.
type repeat []byte

func (r repeat) Read(p []byte) (int, error) { return copy(p, r), nil }

func stream(n int64) io.Reader { return io.LimitReader(repeat(blobtest.Bytes(1<<20, 1)), n) }

// benchDir is in memory where the system has such a folder, so that the
// benchmarks measure the code and not the disk.
func benchDir(b *testing.B) string {
	dir, err := os.MkdirTemp("/dev/shm", "packhouse-bench")
	if err != nil {
		return b.TempDir()
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func benchPut(b *testing.B, size int64, also blob.Hashes) {
	s, err := New(benchDir(b), Options{})
	if err != nil {
		b.Fatalf("New = %v, want success", err)
	}
	defer s.Close()
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		info, _, err := blob.Put(context.Background(), s, stream(size), blob.PutOptions{Also: also})
		if err != nil {
			b.Fatalf("Put = %v, want success", err)
		}
		b.StopTimer()
		s.Delete(context.Background(), info.Key)
		b.StartTimer()
	}
}

func BenchmarkPut1GiB(b *testing.B) { benchPut(b, gib, 0) }

func BenchmarkPut1GiBAllHashes(b *testing.B) { benchPut(b, gib, blob.MD5|blob.SHA1|blob.SHA512) }

// BenchmarkCopy1GiB is the plain way, to compare with: one loop that writes a
// file and hashes.
func BenchmarkCopy1GiB(b *testing.B) {
	name := filepath.Join(benchDir(b), "plain")
	b.SetBytes(gib)
	for b.Loop() {
		f, err := os.Create(name)
		if err != nil {
			b.Fatalf("Create = %v, want success", err)
		}
		h := sha256.New()
		if _, err := io.Copy(io.MultiWriter(f, h), stream(gib)); err != nil {
			b.Fatalf("Copy = %v, want success", err)
		}
		h.Sum(nil)
		if err := f.Sync(); err != nil {
			b.Fatalf("Sync = %v, want success", err)
		}
		f.Close()
		b.StopTimer()
		os.Remove(name)
		b.StartTimer()
	}
}

func BenchmarkPut4KiB(b *testing.B) {
	s, err := New(benchDir(b), Options{})
	if err != nil {
		b.Fatalf("New = %v, want success", err)
	}
	defer s.Close()
	body := blobtest.Bytes(4096, 1)
	b.SetBytes(4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := blob.Put(context.Background(), s, bytes.NewReader(body), blob.PutOptions{}); err != nil {
			b.Fatalf("Put = %v, want success", err)
		}
	}
}

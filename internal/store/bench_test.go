package store_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// BenchmarkPublish measures one publication of a new version with one file of
// 4 KiB per Update: in memory, where it is all processor time, and on the disk,
// where concurrent ones share a sync.
func BenchmarkPublish(b *testing.B) {
	for _, place := range []struct{ name, dir string }{{"memory", "/dev/shm"}, {"disk", ""}} {
		for _, parallel := range []int{1, 32} {
			b.Run(fmt.Sprintf("%s/parallel=%d", place.name, parallel), func(b *testing.B) {
				benchmarkPublish(b, place.dir, parallel)
			})
		}
	}
}

func benchmarkPublish(b *testing.B, dir string, parallel int) {
	folder, err := os.MkdirTemp(dir, "packhouse-bench-")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(folder)
	s, err := store.OpenSQLite(b.Context(), filepath.Join(folder, "db"), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	refuse := func(met store.Existing) error { return packhouse.Errorf(packhouse.Conflict, "%s exists", met.Path) }
	var n atomic.Int64
	b.ReportAllocs()
	start := processorTime()
	defer func() { b.ReportMetric(float64(processorTime()-start)/float64(b.N), "cpu-ns/op") }()
	b.SetParallelism((parallel + 1) / 2) // times GOMAXPROCS
	if parallel == 1 {
		for b.Loop() {
			if err := s.Update(b.Context(), func(tx *store.Tx) error {
				_, err := tx.Publish(b.Context(), ledger.By{}, smallPublication(n.Add(1)), refuse)
				return err
			}); err != nil {
				b.Fatal(err)
			}
		}
		return
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			p := smallPublication(n.Add(1))
			if err := s.Update(b.Context(), func(tx *store.Tx) error {
				_, err := tx.Publish(b.Context(), ledger.By{}, p, refuse)
				return err
			}); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// processorTime is what this process has used of all processors, the engine and
// the collector of garbage included. It varies less than the time that passes.
func processorTime() time.Duration {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// smallPublication makes the n-th of many versions, spread over 100 packages.
func smallPublication(n int64) *store.Publication {
	data := make([]byte, 4<<10)
	var digest packhouse.Digest
	binary.BigEndian.PutUint64(digest[:], uint64(n)*0x9e3779b97f4a7c15) // spread as a real digest is
	version := fmt.Sprintf("1.0.%d", n)
	name := fmt.Sprintf("tool-%d", n%100)
	return &store.Publication{
		ProjectID: 1, Format: "generic", PackageName: name, PackageKey: name, Version: version, VersionKey: version, CreatorID: 1,
		Files: []store.NewFile{{Path: "tool.tar.gz", Size: int64(len(data)), SHA256: digest, Blob: store.Blob{Data: data}}},
	}
}

//go:build linux

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"

	"packhouse/bench/report"
)

// measureFsync writes some small files to the disk and keeps how long their
// fsync took. It runs next to every sample of durable writes, because what a
// disk can do differs from one minute to the next.
func (l *lab) measureFsync(ctx context.Context) error {
	body := bytes.Repeat([]byte{'x'}, smallSize)
	for range 50 {
		if err := ctx.Err(); err != nil {
			return err
		}
		took, err := fsyncOnce(filepath.Join(l.disk, "fsync"), body)
		if err != nil {
			return err
		}
		l.fsyncs = append(l.fsyncs, float64(took)/float64(time.Millisecond))
	}
	return nil
}

func fsyncOnce(name string, body []byte) (time.Duration, error) {
	f, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.Remove(name) }()
	defer f.Close()
	if _, err := f.Write(body); err != nil {
		return 0, err
	}
	start := time.Now()
	err = f.Sync()
	return time.Since(start), err
}

func summarize(operation string, milliseconds []float64) report.Fsync {
	sorted := slices.Sorted(slices.Values(milliseconds))
	return report.Fsync{
		Operation: operation,
		P50:       report.Percentile(sorted, 50),
		P99:       report.Percentile(sorted, 99),
	}
}

//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"packhouse/bench/load"
	"packhouse/bench/report"
)

// large publishes packages of 100 MiB to a server that was just started and has
// seen one small package. S gets the bytes of the package as they are.
func (e *ecosystem) large(_ context.Context, l *lab, letter string) (sampler, error) {
	const size = 100 << 20
	return func(ctx context.Context) (sample report.Sample, err error) {
		dir, err := l.newFolder(l.memory)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		s, err := l.startWithProject(ctx, letter, dir)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, s.Stop()) }()
		put := func(n int64, content []byte) (load.Result, error) {
			made := load.Made{Method: "PUT", Path: fmt.Sprintf("/file-%d.bin", n), Body: content}
			if letter == "P" {
				made = npmPublish(e.mount(s), fmt.Sprintf("large-%d", n), "1.0.0", content)
			}
			return l.send(ctx, s, load.Spec{Kind: load.Upload, Status: success, Length: -1}, func(yield func(load.Made) bool) { yield(made) })
		}
		if _, err := put(l.number, content(l.number, 1<<20)); err != nil {
			return nil, err
		}
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return nil, err
		}
		result, err := put(l.number, content(l.number, size))
		result.Bytes = size // without what the format wraps it in
		sample = volumeSample(result)
		sample[report.Growth] = float64(result.RSSPeak-result.RSSBefore) / 1024
		return sample, err
	}, nil
}

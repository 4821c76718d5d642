//go:build linux

package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"packhouse/bench/load"
	"packhouse/bench/proc"
	"packhouse/bench/report"
)

// idle is the memory of a server 2 s after it was started on data that it had
// before.
func idle(ctx context.Context, l *lab, letter string) (sampler, error) {
	dir, err := l.existingData(ctx, letter)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (sample report.Sample, err error) {
		s, err := l.start(ctx, letter, dir)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, s.Stop()) }()
		if err := pause(ctx, 2*time.Second); err != nil {
			return nil, err
		}
		tree, err := s.Tree()
		if err != nil {
			return nil, err
		}
		memory, err := proc.ReadMemory(tree)
		return report.Sample{report.Resident: float64(memory.RSS) / 1024}, err
	}, nil
}

// starting is the time from starting a server on data that it had before to
// its first answer 200: in all rounds together ten starts, or one a round.
func starting(ctx context.Context, l *lab, letter string) (sampler, error) {
	dir, err := l.existingData(ctx, letter)
	if err != nil {
		return nil, err
	}
	starts := max(1, (10+l.options.rounds-1)/l.options.rounds)
	return func(ctx context.Context) (report.Sample, error) {
		var times []float64
		for range starts {
			begin := time.Now()
			s, err := l.start(ctx, letter, dir)
			if err != nil {
				return nil, err
			}
			times = append(times, float64(time.Since(begin))/float64(time.Millisecond))
			if err := s.Stop(); err != nil {
				return nil, err
			}
		}
		return report.Sample{report.Elapsed: report.Median(times)}, nil
	}, nil
}

// existingData returns a data folder on the disk with a project and some
// hundred versions, made by an earlier life of the server.
func (l *lab) existingData(ctx context.Context, letter string) (string, error) {
	if letter != "P" {
		return l.dataFolder(letter, l.disk)
	}
	if l.existing != "" {
		return l.existing, nil
	}
	dir, err := l.newFolder(l.disk)
	if err != nil {
		return "", err
	}
	s, err := l.startWithProject(ctx, letter, dir)
	if err != nil {
		return "", err
	}
	_, err = l.load(ctx, s, load.Spec{
		Kind: load.Repeat, Connections: 16, Time: time.Nanosecond, Requests: 500,
		Request: load.Request{Method: http.MethodPut, Path: s.versionPath("tool", "1.0."+load.Number, "tool.bin"), Body: smallSize},
		Status:  http.StatusCreated, Length: -1,
	})
	if err := errors.Join(err, s.Stop()); err != nil {
		return "", err
	}
	l.existing = dir
	return dir, nil
}

// holding is what idle keep-alive connections cost, and how long one request
// on each of them takes.
func holding(_ context.Context, l *lab, letter string) (sampler, error) {
	check, err := checkOf(smallSize)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (sample report.Sample, err error) {
		dir, err := l.dataFolder(letter, l.memory)
		if err != nil {
			return nil, err
		}
		if dir != l.files() {
			defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		}
		s, err := l.startWithProject(ctx, letter, dir)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, s.Stop()) }()
		if letter == "P" {
			if err := s.provide(ctx, smallFile, smallSize); err != nil {
				return nil, err
			}
		}
		result, err := l.load(ctx, s, load.Spec{
			Kind: load.Hold, Connections: l.options.connections, Time: 2 * time.Second,
			Request: load.Request{Method: http.MethodGet, Path: s.filePath(smallFile)},
			Status:  http.StatusOK, Length: smallSize, Check: check,
		})
		return report.Sample{
			report.Connection: float64(result.RSSIdle-result.RSSBefore) / float64(l.options.connections),
			report.Elapsed:    result.Seconds * 1000,
			report.P99:        result.P99,
		}, err
	}, nil
}

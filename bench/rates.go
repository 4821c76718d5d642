//go:build linux

package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"packhouse/bench/load"
	"packhouse/bench/report"
)

// sampler takes one sample from one server.
type sampler func(context.Context) (report.Sample, error)

// making gives a sampler for the server with a letter.
type making func(ctx context.Context, l *lab, letter string) (sampler, error)

// warmup is how long a server is loaded before the clock starts.
const warmup = 200 * time.Millisecond

// getSmall downloads the small file over and over on some connections.
func getSmall(connections int) making {
	return func(ctx context.Context, l *lab, letter string) (sampler, error) {
		s, check, err := l.serving(ctx, letter, smallFile, smallSize)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) (report.Sample, error) {
			result, err := l.load(ctx, s, load.Spec{
				Kind: load.Repeat, Connections: connections, Warmup: warmup, Requests: 1000,
				Request: load.Request{Method: http.MethodGet, Path: s.filePath(smallFile)},
				Status:  http.StatusOK, Length: smallSize, Check: check,
			})
			return requestSample(result), err
		}, nil
	}
}

// getLarge downloads the large file over one connection.
func getLarge(ctx context.Context, l *lab, letter string) (sampler, error) {
	s, check, err := l.serving(ctx, letter, largeFile, l.options.large)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (report.Sample, error) {
		result, err := l.load(ctx, s, load.Spec{
			Kind:    load.Download,
			Request: load.Request{Method: http.MethodGet, Path: s.filePath(largeFile)},
			Status:  http.StatusOK, Length: l.options.large, Check: check,
		})
		return volumeSample(result), err
	}, nil
}

// serving returns a server with its data in memory that has the file, and what
// its answer has to be.
func (l *lab) serving(ctx context.Context, letter, file string, size int64) (*server, *load.Check, error) {
	name := filepath.Join(l.files(), file)
	if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
		if err := writeFile(name, size); err != nil {
			return nil, nil, err
		}
	}
	s, err := l.reuse(ctx, letter, l.memory)
	if err != nil {
		return nil, nil, err
	}
	check, err := checkOf(size)
	if err != nil || letter != "P" {
		return s, check, err
	}
	check.ETag = `"` + check.SHA256 + `"`
	return s, check, s.provide(ctx, file, size)
}

// publish publishes small files, durably, on some connections. On Packhouse
// each file goes into a new version, or all go into one.
func publish(connections int, oneVersion bool) making {
	return func(ctx context.Context, l *lab, letter string) (sampler, error) {
		s, err := l.reuse(ctx, letter, l.disk)
		if err != nil {
			return nil, err
		}
		spec := load.Spec{
			Kind: load.Repeat, Connections: connections, Warmup: warmup, Requests: 1000,
			Request: load.Request{Method: http.MethodPut, Body: smallSize},
			Status:  http.StatusCreated, Length: -1,
		}
		switch {
		case letter == "P" && oneVersion:
			spec.Request.Path = s.versionPath("many", "1.0.0", "file-"+load.Number+".bin")
		case letter == "P":
			spec.Request.Path = s.versionPath("tool", "1.0."+load.Number, "tool.bin")
		case letter == "N":
			spec.Request.Path = "/disk/file-" + load.Number + ".bin"
		default:
			spec.Request.Path = "/file-" + load.Number + ".bin"
		}
		if letter == "P" {
			spec.Readback = 20
		}
		return func(ctx context.Context) (report.Sample, error) {
			if err := l.measureFsync(ctx); err != nil {
				return nil, err
			}
			result, err := l.load(ctx, s, spec)
			return requestSample(result), err
		}, nil
	}
}

// putLarge uploads large files to a server that was started for it and has
// seen but one small upload, so that the growth of its memory shows.
func putLarge(_ context.Context, l *lab, letter string) (sampler, error) {
	if err := l.touchMemory(); err != nil {
		return nil, err
	}
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

		spec := load.Spec{
			Kind: load.Upload, Status: http.StatusCreated, Length: -1,
			Request: load.Request{Method: http.MethodPut, Path: "/file-" + load.Number + ".bin", Body: 1 << 20},
			Time:    time.Nanosecond, // one upload
		}
		if letter == "P" {
			spec.Request.Path = s.versionPath("large", "1.0."+load.Number, "large.bin")
		}
		if _, err := l.load(ctx, s, spec); err != nil {
			return nil, err
		}
		// What the server does afterwards is not to be counted as the next upload's.
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return nil, err
		}
		spec.Request.Body, spec.Time = l.options.large, l.options.time
		result, err := l.load(ctx, s, spec)
		sample = volumeSample(result)
		sample[report.Growth] = float64(result.RSSPeak-result.RSSBefore) / 1024
		return sample, err
	}, nil
}

// touchMemory uses as much memory as an upload needs and gives it back. A
// virtual machine may get its memory from the host at first use only, which
// would be counted against whichever server comes first.
func (l *lab) touchMemory() error {
	name := filepath.Join(l.memory, "touched")
	return errors.Join(writeFile(name, 2*l.options.large), os.Remove(name))
}

// requestSample is the sample of a load of many small requests.
func requestSample(r load.Result) report.Sample {
	n := float64(r.Requests)
	return report.Sample{
		report.Requests:   n / r.Seconds,
		report.CPURequest: r.ServerCPU / n * 1e6,
		report.P50:        r.P50,
		report.P99:        r.P99,
		report.ClientCPU:  r.ClientCPU / n * 1e6,
		report.Others:     r.OtherCPU / r.Seconds,
	}
}

// volumeSample is the sample of a load of few large transfers.
func volumeSample(r load.Result) report.Sample {
	return report.Sample{
		report.Throughput: float64(r.Bytes) / r.Seconds / 1e6,
		report.CPUVolume:  r.ServerCPU / (float64(r.Bytes) / (1 << 30)),
		report.Others:     r.OtherCPU / r.Seconds,
	}
}

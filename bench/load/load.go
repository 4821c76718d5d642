//go:build linux

// Package load is the load generator. It runs as a process of its own, so that
// its cost is not mistaken for the server's, and it is made to cost little:
// raw TCP connections without net/http, requests built before the clock
// starts, one thread and one epoll instance for all connections, and bodies
// that the kernel drops without copying them (MSG_TRUNC).
//
// Run starts that process, gives it a Spec and returns its Result. Any answer
// other than the expected one ends the sample with an error: a server cannot
// win by refusing.
package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Kind is what to do with the connections.
type Kind string

// The kinds of load.
const (
	// Repeat keeps one small request in flight on each connection.
	Repeat Kind = "repeat"
	// Download fetches a large file again and again over one connection.
	Download Kind = "download"
	// Upload sends large files, one after the other, over one connection.
	Upload Kind = "upload"
	// Hold opens all connections with a request on each, lets them idle for
	// Time, reads the servers' memory, and then sends one request on each.
	Hold Kind = "hold"
)

// Spec describes one sample.
type Spec struct {
	Kind        Kind
	Address     string // IPv4 address and port of the server
	Watch       []int  // processes of the server, whose CPU and memory are measured
	Connections int
	Request     Request
	Prepared    string        // a file of requests, see Write, that a Repeat or Upload sends instead; the method of all is Request's
	Status      int           // the status that every answer has to have, or its first digit
	Length      int64         // the length that every body has to have; -1 for any
	Check       *Check        // asserted before the clock starts; nil for no check
	Warmup      time.Duration // load before the clock starts
	Time        time.Duration // least duration of the sample
	Requests    int           // least number of requests of a Repeat sample
	Readback    int           // how many of the files that were sent to read back afterwards
}

// Check is what the full answer to the request has to be.
type Check struct {
	Size   int64
	SHA256 string // hex
	ETag   string // with its quotation marks; "" for any
}

// Result is what one sample gave. Times are in seconds, latencies in
// milliseconds, memory in KiB.
type Result struct {
	Requests  int
	Bytes     int64 // of bodies, in whichever direction they went
	Seconds   float64
	ServerCPU float64
	ClientCPU float64
	OtherCPU  float64 // used by everything else on the machine meanwhile
	P50, P99  float64
	RSSBefore int64 // of the servers, when the clock started
	RSSPeak   int64 // the most while it ran
	RSSIdle   int64 // with all connections open and idle; Hold only
	Sent      int64 // numbers used up: the next sample starts that much higher
}

// Run starts executable with the argument "load" as a new process, has it do
// what the spec says, and returns the result. Cancelling ctx ends the process.
func Run(ctx context.Context, executable string, spec Spec) (Result, error) {
	in, err := json.Marshal(spec)
	if err != nil {
		return Result{}, err
	}
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, executable, "load")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &complaint
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return Result{}, ctx.Err()
		}
		return Result{}, errors.Join(err, errors.New(strings.TrimSpace(complaint.String())))
	}
	var result Result
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		return Result{}, fmt.Errorf("read the load generator's result: %w", err)
	}
	return result, nil
}

// Main is the other end of Run: it reads a spec, makes the load and writes the
// result.
func Main(in io.Reader, out io.Writer) error {
	var spec Spec
	if err := json.NewDecoder(in).Decode(&spec); err != nil {
		return fmt.Errorf("read the spec: %w", err)
	}
	result, err := generate(spec)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(result)
}

func generate(spec Spec) (Result, error) {
	kinds := map[Kind]func(Spec) (Result, error){Repeat: repeat, Download: download, Upload: upload, Hold: hold}
	run, ok := kinds[spec.Kind]
	if !ok {
		return Result{}, fmt.Errorf("%q is no kind of load", spec.Kind)
	}
	if spec.Check != nil {
		if err := spec.check(); err != nil {
			return Result{}, err
		}
	}
	result, err := run(spec)
	if err != nil {
		return Result{}, fmt.Errorf("%s %s: %w", spec.Request.Method, spec.Request.Path, err)
	}
	if spec.Readback > 0 {
		err = spec.readBack(result.Sent)
	}
	return result, err
}

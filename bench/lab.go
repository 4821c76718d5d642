//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"packhouse/bench/child"
	"packhouse/bench/load"
	"packhouse/bench/report"
)

// lab is where a run takes place: its folders, its servers, and what they share.
// It is used by one goroutine.
type lab struct {
	options    *options
	executable string // of this program
	packhouse  string // of the server under test
	disk       string // temporary folder on the real disk
	memory     string // temporary folder in memory
	processes  []*child.Process
	shared     map[string]*server // by letter and folder
	number     int64              // the next request number that no sample has used
	folders    int                // how many folders newFolder made
	crowd      *crowd             // of the server with its data in memory, once it is made
	masses     *crowd             // likewise; see massed
	existing   string             // a data folder with versions in it, once existingData made it
	fsyncs     []float64          // milliseconds, of the operation being measured
}

// newLab makes the temporary folders. Close removes them.
func newLab(o *options) (*lab, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if err := o.room(); err != nil {
		return nil, err
	}
	l := &lab{options: o, executable: executable, shared: map[string]*server{}, number: load.FirstNumber}
	if err := l.makeFolders(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (l *lab) makeFolders() (err error) {
	if l.disk, err = os.MkdirTemp(l.options.disk, "packhouse-bench-"); err != nil {
		return err
	}
	if l.memory, err = os.MkdirTemp(l.options.memory, "packhouse-bench-"); err != nil {
		return err
	}
	return l.writeFiles()
}

// newFolder makes an empty folder below parent.
func (l *lab) newFolder(parent string) (string, error) {
	l.folders++
	dir := filepath.Join(parent, fmt.Sprintf("data-%d", l.folders))
	return dir, os.Mkdir(dir, 0o755)
}

// Close ends all processes and removes all files.
func (l *lab) Close() error {
	var errs []error
	for _, p := range l.processes {
		errs = append(errs, p.Stop())
	}
	for _, dir := range []string{l.disk, l.memory} {
		if dir != "" {
			errs = append(errs, os.RemoveAll(dir))
		}
	}
	return errors.Join(errs...)
}

// load takes a sample from a server: it fills in what all specs have in common
// and hands out request numbers.
func (l *lab) load(ctx context.Context, s *server, spec load.Spec) (load.Result, error) {
	tree, err := s.Tree()
	if err != nil {
		return load.Result{}, err
	}
	spec.Address, spec.Watch = s.Address, tree
	header := maps.Clone(spec.Request.Header)
	if header == nil {
		header = map[string]string{}
	}
	maps.Copy(header, s.header)
	spec.Request.Header, spec.Request.First = header, l.number
	if spec.Time == 0 {
		spec.Time = l.options.time
	}
	result, err := load.Run(ctx, l.executable, spec)
	if err != nil {
		return load.Result{}, fmt.Errorf("%s: %w", s.Name, err)
	}
	l.number += result.Sent
	return result, nil
}

// takeFsyncs returns the fsyncs measured since it was last called; ok is false
// if there were none.
func (l *lab) takeFsyncs(operation string) (f report.Fsync, ok bool) {
	taken := l.fsyncs
	l.fsyncs = nil
	return summarize(operation, taken), len(taken) > 0
}

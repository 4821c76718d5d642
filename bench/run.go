//go:build linux

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"packhouse/bench/proc"
	"packhouse/bench/report"
)

// bench is the whole run. It returns an error if a bound is missed, too.
func bench(ctx context.Context, arguments []string) (err error) {
	o, err := parseOptions(arguments)
	if err != nil {
		return err
	}
	before, err := proc.Load() // before anything of ours adds to it
	if err != nil {
		return err
	}
	todo, err := o.chosen()
	if err != nil {
		return err
	}
	l, err := newLab(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()

	run := &report.Run{Started: time.Now(), Machine: machine(o), Load: before, Quiet: before < 1}
	if !o.references {
		progress("building the server and checking its answers")
		if err := l.findPackhouse(ctx); err != nil {
			return err
		}
		if err := l.checkAnswers(ctx); err != nil {
			return fmt.Errorf("nothing was timed, because an answer is wrong: %w", err)
		}
	}
	for _, op := range todo {
		run.Rows = append(run.Rows, l.measure(ctx, op))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if f, ok := l.takeFsyncs(op.name); ok {
			run.Fsyncs = append(run.Fsyncs, f)
		}
	}
	return tell(o, run)
}

// chosen returns the operations that the options ask for and this machine can
// measure.
func (o *options) chosen() ([]operation, error) {
	all := o.operations()
	if o.references {
		all = o.calibration()
	}
	var todo []operation
	for _, op := range all {
		if !o.only.MatchString(op.name) {
			continue
		}
		if err := cmp.Or(o.missing(op.subject), o.missing(op.reference)); err != nil {
			progress("left out %q: %v", op.name, err)
			continue
		}
		todo = append(todo, op)
	}
	if len(todo) == 0 {
		return nil, errors.New("there is nothing to measure: no operation matches -only, or what does needs nginx")
	}
	return todo, nil
}

// measure takes the samples of an operation: one of the subject, one of the
// reference, and so on in turn, so that both meet the same machine. If that
// fails, the row says why and the run goes on.
func (l *lab) measure(ctx context.Context, op operation) *report.Row {
	row := &report.Row{Operation: op.name, Subject: op.subject, Reference: op.reference, Bounds: op.bounds}
	ours, err := op.make(ctx, l, op.subject)
	if err != nil {
		row.Err = err
		return row
	}
	theirs, err := op.make(ctx, l, op.reference)
	if err != nil {
		row.Err = err
		return row
	}
	for i := range l.options.rounds {
		progress("%s: %s and %s, round %d of %d", op.name, op.subject, op.reference, i+1, l.options.rounds)
		var round report.Round
		if round.Ours, row.Err = ours(ctx); row.Err != nil {
			return row
		}
		if round.Reference, row.Err = theirs(ctx); row.Err != nil {
			return row
		}
		row.Rounds = append(row.Rounds, round)
	}
	return row
}

// tell prints the report, writes the JSON file if one is wanted, and returns
// an error if the run has failed.
func tell(o *options, run *report.Run) error {
	if err := run.WriteText(os.Stdout); err != nil {
		return err
	}
	if o.json != "" {
		f, err := os.Create(o.json)
		if err != nil {
			return err
		}
		if err := errors.Join(run.WriteJSON(f), f.Close()); err != nil {
			return err
		}
	}
	if run.Failed() {
		return errors.New("a bound is missed or an operation failed")
	}
	return nil
}

// progress tells on standard error what goes on.
func progress(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", arguments...)
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

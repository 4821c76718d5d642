//go:build linux

// Command bench measures Packhouse side by side with the references of package
// reference, on this machine, in one run. README.md says how to run it and how
// to read what it prints.
//
// The servers and the load generator are processes of their own, so that the
// CPU time of each is known; bench starts itself again for most of them, with
// the hidden first arguments "load" and "reference".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"packhouse/bench/load"
	"packhouse/bench/reference"
)

func main() {
	var err error
	switch arguments := os.Args[1:]; {
	case len(arguments) == 1 && arguments[0] == "load":
		err = load.Main(os.Stdin, os.Stdout)
	case len(arguments) == 4 && arguments[0] == "reference":
		err = reference.Serve(arguments[1], arguments[2], arguments[3], smallFile)
	default:
		// The children would otherwise die of the same Ctrl-C in any order.
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
		defer stop()
		err = bench(ctx, arguments)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "bench: interrupted")
		os.Exit(130)
	case err != nil:
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// options are the command line's.
type options struct {
	rounds      int
	time        time.Duration
	only        *regexp.Regexp
	references  bool
	binary      string
	disk        string
	memory      string
	large       int64 // bytes
	connections int
	peers       string
	json        string
}

func parseOptions(arguments []string) (*options, error) {
	o := &options{only: regexp.MustCompile("")}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&o.rounds, "rounds", 5, "how often each operation is measured; the median of the rounds' ratios counts")
	flags.DurationVar(&o.time, "time", time.Second, "least `duration` of a sample; below 1s the CPU clock's ticks of 10 ms show")
	flags.Func("only", "measure only operations whose name matches this `regexp`", func(text string) (err error) {
		o.only, err = regexp.Compile(text)
		return err
	})
	flags.BoolVar(&o.references, "references", false, "measure the references against each other, without Packhouse")
	flags.StringVar(&o.binary, "binary", "", "measure this packhouse `file` instead of building ./cmd/packhouse")
	flags.StringVar(&o.disk, "disk", os.TempDir(), "`folder` on a real disk for durable writes")
	flags.StringVar(&o.memory, "memory", "/dev/shm", "`folder` in memory for everything else")
	large := flags.Int64("large", 1024, "size of large files in `MiB`")
	flags.IntVar(&o.connections, "connections", 10_000, "how many idle connections to hold")
	flags.StringVar(&o.peers, "peers", ".tools/peers", "`folder` of the registries to compare with, see peers.sh; operations with those that are not there are left out")
	flags.StringVar(&o.json, "json", "", "also write everything measured to this `file`")
	quick := flags.Bool("quick", false, "one round with large files of 256 MiB: under a minute, to see whether all is well")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "Usage: go run ./bench [flags]\n\nMeasures Packhouse side by side with references on this machine. See bench/README.md.\n\nFlags:")
		flags.PrintDefaults()
	}
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	if *quick {
		o.rounds, *large = 1, 256
	}
	o.large = *large << 20
	if flags.NArg() > 0 || o.rounds < 1 || o.large < 1<<20 || o.connections < 1 {
		flags.Usage()
		return nil, errors.New("these flags do not make sense together")
	}
	return o, nil
}

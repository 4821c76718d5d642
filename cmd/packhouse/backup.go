package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/alecthomas/kong"
	"github.com/dustin/go-humanize"

	"packhouse/internal/carry"
	"packhouse/internal/config"
	"packhouse/internal/house"
	"packhouse/internal/verify"
)

type backupCommand struct {
	config.Config
	To string `required:"" type:"path" placeholder:"FOLDER" help:"Folder of the backup. It is made, or brought up to date: only what has come since is written."`
}

// Run brings the folder of the backup up to the registry's state.
func (c *backupCommand) Run(ctx context.Context, k *kong.Kong) error {
	from, err := house.OpenPair(ctx, house.PairOptions{Data: c.Data, Database: string(c.Database), Blobs: c.Blobs, Reading: true})
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := house.OpenPair(ctx, house.PairOptions{Data: c.To, Reserve: c.Reserve})
	if err != nil {
		return err
	}
	return carryOver(ctx, k.Stdout, from, to, c.To+" holds the registry")
}

type restoreCommand struct {
	config.Config
	From string `required:"" type:"existingdir" placeholder:"FOLDER" help:"Folder of the backup."`
}

// Run fills an empty registry with a backup.
func (c *restoreCommand) Run(ctx context.Context, k *kong.Kong) error {
	from, err := house.OpenPair(ctx, house.PairOptions{Data: c.From, Reading: true})
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := house.OpenPair(ctx, house.PairOptions{Data: c.Data, Database: string(c.Database), Blobs: c.Blobs, Reserve: c.Reserve})
	if err != nil {
		return err
	}
	return carryOver(ctx, k.Stdout, from, to, "Restored from "+c.From)
}

// carryOver carries a registry, closes the destination, and says what was done.
func carryOver(ctx context.Context, out io.Writer, from, to *house.Pair, done string) error {
	entries, bytes := newProgress(os.Stderr, "ledger", false), newProgress(os.Stderr, "files", true)
	report, err := carry.Registry(ctx, from.Pair, to.Pair, carry.Options{Progress: func(p carry.Progress) {
		if p.Entries < p.AllEntries {
			entries.at(p.Entries, p.AllEntries)
		}
		bytes.at(p.Bytes, p.AllBytes)
	}})
	entries.end()
	bytes.end()
	if err := errors.Join(err, to.Close()); err != nil {
		return err
	}
	for _, p := range report.Problems {
		slog.Error("file left out", "sha256", p.Bytes.Digest.String(), "size", p.Bytes.Size, "error", p.Err)
	}
	fmt.Fprintf(out, "%s up to entry %d of its ledger; %d files with %s were carried\n", done, report.Position, report.Files, size(report.Bytes))
	if n := len(report.Problems); n > 0 {
		return fmt.Errorf("%d files are damaged and were left out", n)
	}
	return nil
}

type verifyCommand struct{ config.Config }

// Run looks through the registry and fails when something is wrong.
func (c *verifyCommand) Run(ctx context.Context, k *kong.Kong) error {
	p, err := house.OpenPair(ctx, house.PairOptions{Data: c.Data, Database: string(c.Database), Blobs: c.Blobs, Reading: true})
	if err != nil {
		return err
	}
	defer p.Close()
	bar := newProgress(os.Stderr, filepath.Base(c.Data), true)
	report, err := verify.Run(ctx, p.Store, p.Blobs, verify.Options{
		Progress: func(p verify.Progress) { bar.at(p.Bytes, p.AllBytes) },
		Found:    func(p verify.Problem) { fmt.Fprintln(k.Stdout, p) },
	})
	bar.end()
	if err != nil {
		return err
	}
	fmt.Fprintf(k.Stdout, "%d entries of the ledger and %d files with %s were read\n", report.Entries, report.Files, size(report.Bytes))
	if report.Problems > 0 {
		return fmt.Errorf("%d things are not as they should be", report.Problems)
	}
	return nil
}

// size is a number of bytes for people.
func size(n int64) string { return humanize.IBytes(uint64(max(n, 0))) }

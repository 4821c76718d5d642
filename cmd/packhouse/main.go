// Command packhouse is the registry and the commands around it.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"context"

	"github.com/alecthomas/kong"

	"packhouse/internal/config"
	"packhouse/internal/house"
)

// commands is the command line.
type commands struct {
	Serve   serveCommand   `cmd:"" help:"Run the registry."`
	Demo    demoCommand    `cmd:"" help:"Run the registry with a group, a project, a user and a token of each kind to try."`
	Config  configCommand  `cmd:"" help:"Print the configuration that holds, and where each value comes from."`
	Explain explainCommand `cmd:"" help:"Explain whether a request would be let in, and why."`
	GC      gcCommand      `cmd:"" name:"gc" help:"Give the space of deleted files back now, of those whose retention is over. The server must be stopped; while it runs it does this by itself."`
	Backup  backupCommand  `cmd:"" help:"Copy the registry into a folder, also while the server runs. Again into the same folder copies what is new. The folder is itself a data folder: packhouse verify looks through it, packhouse serve serves it."`
	Restore restoreCommand `cmd:"" help:"Fill an empty data folder with a backup. The server must be stopped."`
	Verify  verifyCommand  `cmd:"" help:"Read everything that is stored and report what is missing, extra or altered. The server may run."`
	Migrate migrateCommand `cmd:"" name:"migrate-store" help:"Carry the registry to other stores, such as from a data folder to PostgreSQL and S3, or back."`
	User    userCommand    `cmd:"" help:"Look after users."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

const description = `A package registry that speaks GitLab's package API.

Start it with "packhouse serve"; the first start prints what to do next. Every
option is a flag, an environment variable (--log-level is PACKHOUSE_LOG_LEVEL) and
a key of the YAML file that --config names.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "packhouse:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	parser, err := config.NewParser(&commands{},
		kong.Name("packhouse"), kong.Description(description), kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		return err // a tag is wrong
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return err
	}
	return parsed.Run()
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(k *kong.Kong) error {
	_, err := fmt.Fprintln(k.Stdout, "packhouse", house.Version)
	return err
}

type configCommand struct{ config.Config }

// Run prints the configuration.
func (c *configCommand) Run(k *kong.Kong, origins config.Origins) error {
	return config.Print(k.Stdout, &c.Config, origins)
}

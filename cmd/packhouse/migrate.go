package main

import (
	"context"
	"errors"
	"strings"

	"github.com/alecthomas/kong"

	"packhouse/internal/house"
)

type migrateCommand struct {
	From place `required:"" placeholder:"PLACE" help:"Where the registry is: a data folder, or postgres://…,s3://…"`
	To   place `required:"" placeholder:"PLACE" help:"Where it is to be, in the same way. It has to be empty, or hold what an earlier run has carried."`
}

// Help is shown below the options.
func (migrateCommand) Help() string {
	return `Carries a whole registry to other stores: people, packages, tokens, history. The
server of the destination must be stopped; that of the source may run until the last
run, which then has little left to do. A run that was stopped goes on where it was.

  packhouse migrate-store --from /var/lib/packhouse \
    --to 'postgres://packhouse@db/packhouse,s3://packhouse?region=eu-1'

Passwords are read from PGPASSWORD, keys from AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY.`
}

// Run carries the registry.
func (c *migrateCommand) Run(ctx context.Context, k *kong.Kong) error {
	from, err := c.From.open(ctx, true)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := c.To.open(ctx, false)
	if err != nil {
		return err
	}
	return carryOver(ctx, k.Stdout, from, to, "The destination holds the registry")
}

// place is where a registry is kept: a data folder, a database and a bucket, or one
// of these in the folder's stead.
type place struct{ data, database, blobs string }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *place) UnmarshalText(text []byte) error {
	*p = place{}
	for _, part := range strings.Split(string(text), ",") {
		at := &p.data
		switch scheme, _, _ := strings.Cut(part, "://"); scheme {
		case "postgres", "postgresql":
			at = &p.database
		case "s3":
			at = &p.blobs
		}
		if part == "" || *at != "" {
			return errors.New("write a data folder, or a database and a bucket: postgres://user@host/name,s3://bucket")
		}
		*at = part
	}
	if p.data == "" && (p.database == "" || p.blobs == "") {
		return errors.New("name a data folder too: postgres://… has no place for large files, and s3://… none for the database")
	}
	return nil
}

func (p *place) open(ctx context.Context, reading bool) (*house.Pair, error) {
	return house.OpenPair(ctx, house.PairOptions{Data: p.data, Database: p.database, Blobs: p.blobs, Reading: reading})
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"packhouse/internal/config"
	"packhouse/internal/house"
	"packhouse/internal/ledger"
)

type userCommand struct {
	Password passwordCommand `cmd:"" help:"Set a user's password, which is read from the standard input. The server must be stopped; while it runs, use PUT /api/v4/users/:id with the parameter password."`
}

type passwordCommand struct {
	config.Config
	Name string `arg:"" help:"Name of the user, such as root."`
}

// Run reads a password and sets it.
func (c *passwordCommand) Run(ctx context.Context) error {
	password, err := readPassword(os.Stdin, os.Stderr)
	if err != nil {
		return err
	}
	opts := furnishing(&c.Config, slog.Default())
	opts.PurgeEvery, opts.SweepEvery = 0, 0
	h, err := house.Open(ctx, opts)
	if err != nil {
		return err
	}
	defer h.Close()
	user := h.Directory.UserByName(c.Name)
	if user == nil || user.Bot {
		return fmt.Errorf("there is no user %q", c.Name)
	}
	if err := h.Passwords.Set(ctx, ledger.By{Name: "command line"}, user, password, 0); err != nil {
		return err
	}
	fmt.Printf("The password of %s is set.\n", user.Username)
	return nil
}

// readPassword reads one line. Whoever types it sees it; a pipe keeps it from
// the screen.
func readPassword(in io.Reader, prompt io.Writer) (string, error) {
	fmt.Fprintf(prompt, "New password (it is shown as you type; pipe it in to hide it): ")
	line, err := bufio.NewReader(io.LimitReader(in, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

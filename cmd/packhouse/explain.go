package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type explainCommand struct {
	Method string `arg:"" help:"Method of the request: GET, PUT, …"`
	Path   string `arg:"" help:"Path or address of the request: /api/v4/projects/31/packages/npm/left-pad"`
	As     string `help:"Who would send it: anonymous, a user name, or token:42 for the holder of that token. Default: you."`
	Server string `default:"http://127.0.0.1:8080" env:"PACKHOUSE_SERVER" placeholder:"URL" help:"Address of the server. Default: ${default}."`
	Token  string `env:"PACKHOUSE_TOKEN" placeholder:"TOKEN" help:"Your token; better in the environment, as PACKHOUSE_TOKEN. Default: the administrator's, from the data folder."`
	Data   string `default:"./data" env:"PACKHOUSE_DATA" placeholder:"DIR" help:"The data folder. Default: ${default}."`
}

// Help implements kong.HelpProvider.
func (*explainCommand) Help() string {
	return `Asks a running server whether a request would be let in, which rule decides,
and what would change that. Anybody may ask about themselves and about visitors;
about others, whoever manages the project or group.

  packhouse explain GET /api/v4/projects/31/packages/npm/left-pad --as dana
  packhouse explain PUT /api/v4/projects/31/packages/generic/tool/1.0/f --as token:42`
}

// Run asks and prints.
func (c *explainCommand) Run(ctx context.Context, k *kong.Kong) error {
	answer, err := c.ask(ctx)
	if err != nil {
		return err
	}
	return printExplanation(k.Stdout, answer)
}

// explanation is the part of GET /explain that people read.
type explanation struct {
	Allowed bool
	Status  int
	Rule    string
	Reason  string
	Fix     string
	Route   struct{ Protocol, Action string }
	Target  struct{ Level, Path string }
	Facts   map[string]any
	Message any // of a refusal of the question itself
	Error   string
}

func (c *explainCommand) ask(ctx context.Context) (*explanation, error) {
	token := c.Token
	if token == "" {
		kept, err := os.ReadFile(filepath.Join(c.Data, "root-token"))
		if err != nil {
			return nil, fmt.Errorf("no token: set PACKHOUSE_TOKEN, or name the server's data folder with --data: %w", err)
		}
		token = strings.TrimSpace(string(kept))
	}
	query := url.Values{"method": {c.Method}, "path": {c.Path}, "as": {c.As}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(c.Server, "/")+"/api/v4/explain?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Private-Token", token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer := new(explanation)
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(answer); err != nil {
		return nil, fmt.Errorf("the answer of %s is none of Packhouse's: %w", c.Server, err)
	}
	if response.StatusCode != http.StatusOK {
		problem := answer.Error
		if answer.Message != nil {
			problem = fmt.Sprint(answer.Message)
		}
		return nil, errors.New(strings.TrimSpace(problem + "\n" + answer.Fix))
	}
	return answer, nil
}

func printExplanation(out io.Writer, x *explanation) error {
	var b strings.Builder
	if x.Allowed {
		b.WriteString("allowed\n")
	} else {
		fmt.Fprintf(&b, "refused with %d: %s\n", x.Status, x.Reason)
		if x.Rule != "" {
			fmt.Fprintf(&b, "rule:   %s\n", x.Rule)
		}
		if x.Fix != "" {
			fmt.Fprintf(&b, "fix:    %s\n", x.Fix)
		}
	}
	if x.Route.Action != "" {
		fmt.Fprintf(&b, "action: %s (%s)\n", x.Route.Action, x.Route.Protocol)
	}
	if x.Target.Path != "" {
		fmt.Fprintf(&b, "target: %s %s\n", x.Target.Level, x.Target.Path)
	}
	names := []string{}
	for name := range x.Facts {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "  %-45s %v\n", name, x.Facts[name])
	}
	_, err := io.WriteString(out, b.String())
	return err
}

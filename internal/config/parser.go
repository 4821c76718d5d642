package config

import (
	"errors"

	"github.com/alecthomas/kong"
)

// Parser reads command lines for commands that embed [Config].
type Parser struct {
	*kong.Kong
	origins Origins
}

// NewParser makes a Parser of a kong grammar, a pointer to a struct of commands.
// options are added to those that the kinds of option need. The error is a
// mistake in a tag of the grammar.
//
// Run methods and hooks of commands can ask for the [Origins].
func NewParser(grammar any, options ...kong.Option) (*Parser, error) {
	origins := Origins{}
	all := []kong.Option{
		kong.Bind(origins),
		kong.Groups{"Configuration:": "Configuration:\n" +
			"Every option below is also an environment variable, such as PACKHOUSE_LOG_LEVEL for --log-level, " +
			"and a key of the YAML file, log-level. Flags are stronger than variables, variables than the file. " +
			"SIZE is bytes, or has a unit: 500MB, 5GiB. DURATION has a unit: 90s, 5m, 12h, 30d."},
	}
	for name, k := range kinds {
		all = append(all, kong.NamedMapper(name, reader{k}))
	}
	k, err := kong.New(grammar, append(all, options...)...)
	return &Parser{Kong: k, origins: origins}, err
}

// Parse reads args, which do not begin with the program's name, and with them
// the environment and the file. An option that cannot be used is an *[Error];
// other errors are kong's: an unknown flag, a missing command. It must not be
// called concurrently.
func (p *Parser) Parse(args []string) (*kong.Context, error) {
	clear(p.origins)
	ctx, err := p.Kong.Parse(args)
	var e *Error
	if errors.As(err, &e) {
		return nil, e
	}
	return ctx, err
}

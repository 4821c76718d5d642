package config

import (
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// BeforeResolve is called by kong when the flags have been read. It reads the
// file.
func (c *Config) BeforeResolve(ctx *kong.Context, origins Origins) error {
	maps.Copy(origins, flagOrigins(ctx))
	s := sources{names: names(), origins: origins}
	name, origin := os.Getenv(Variable(configOption)), Origin{Variable: Variable(configOption)}
	for _, p := range ctx.Path {
		if p.Flag != nil && p.Flag.Name == configOption {
			name, origin = ctx.FlagValue(p.Flag).(string), origins[configOption]
		}
	}
	if name != "" {
		var err error
		if s.file, err = readFile(name, origin); err != nil {
			return err
		}
	}
	ctx.AddResolver(s)
	return nil
}

// flagOrigins are the origins of the options that are set by flags.
func flagOrigins(ctx *kong.Context) Origins {
	origins := Origins{}
	for _, p := range ctx.Path {
		if p.Flag != nil {
			origins[p.Flag.Name] = Origin{Flag: p.Flag.Name}
		}
	}
	return origins
}

// sources finds options that no flag has set. It implements kong.Resolver.
//
// kong can read variables itself. It would prefer the file to them, though, and
// its errors do not say where a value came from.
type sources struct {
	names   []string
	file    map[string]given
	origins Origins
}

// Validate implements kong.Resolver. The file has been checked by readFile.
func (s sources) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver.
func (s sources) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !slices.Contains(s.names, flag.Name) {
		return nil, nil // a flag of the command's own
	}
	g, ok := s.file[flag.Name]
	if text := os.Getenv(Variable(flag.Name)); text != "" {
		g, ok = given{text: text, origin: Origin{Variable: Variable(flag.Name)}}, true
	}
	if !ok {
		return nil, nil
	}
	s.origins[flag.Name] = g.origin
	return g, nil
}

// AfterApply is called by kong when all options are set. It checks those that
// depend on each other.
func (c *Config) AfterApply(origins Origins) error {
	if err := c.checkRegistry(origins); err != nil {
		return err
	}
	if (c.TLSCert == "") == (c.TLSKey == "") {
		return nil
	}
	set, missing := "tls-cert", "tls-key"
	if c.TLSCert == "" {
		set, missing = missing, set
	}
	return &Error{
		Option: missing, Origin: origins[missing],
		Problem: "it is missing, and " + set + " is set by " + origins[set].String(), Right: "set both for HTTPS, or neither",
	}
}

// checkRegistry checks that clients of a container registry of its own find where to
// log in.
func (c *Config) checkRegistry(origins Origins) error {
	missing := func(option, cause, right string) error {
		return &Error{Option: option, Origin: origins[option], Problem: "it is missing, and " + cause + " is set by " + origins[cause].String(), Right: right}
	}
	switch {
	case c.RegistryListen != "" && c.RegistryURL == nil:
		return missing("registry-url", "registry-listen", "write the address that clients know the second listener by")
	case c.RegistryURL == nil:
		return nil
	case c.ExternalURL == nil:
		return missing("external-url", "registry-url", "write the address of everything else, where clients of images log in")
	case strings.EqualFold(c.RegistryURL.Host, c.ExternalURL.Host):
		return &Error{Option: "registry-url", Origin: origins["registry-url"], Problem: "it has the host and port of external-url", Right: "write another host or port, or leave it out"}
	case strings.Trim(c.RegistryURL.Path, "/") != "":
		return &Error{Option: "registry-url", Origin: origins["registry-url"], Problem: "it has a path", Right: "write a host alone: names of images have no room for more"}
	}
	return nil
}

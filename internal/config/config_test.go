package config

import (
	"bytes"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// commands is a grammar as a program has it, with two commands that have all
// options and one that has none.
type commands struct {
	Serve   serve   `cmd:"" help:"Run the registry."`
	Config  show    `cmd:"" help:"Print the configuration and where it comes from."`
	Version version `cmd:"" help:"Print the version."`
}

type serve struct {
	Config
	Fresh bool `help:"A flag of the command's own."`
}

type show struct {
	Config `embed:""`
}

func (c *show) Run(k *kong.Kong, origins Origins) error {
	return Print(k.Stdout, &c.Config, origins)
}

type version struct{}

// parse runs a command line and returns what serve or config was given.
func parse(t *testing.T, args ...string) (*Config, Origins, string, error) {
	t.Helper()
	var (
		cli    commands
		stdout bytes.Buffer
	)
	p, err := NewParser(&cli, kong.Name("packhouse"), kong.Writers(&stdout, &stdout), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := p.Parse(args)
	if err != nil {
		return nil, nil, stdout.String(), err
	}
	if ctx.Command() == "config" {
		err := ctx.Run()
		return &cli.Config.Config, p.origins, stdout.String(), err
	}
	return &cli.Serve.Config, p.origins, stdout.String(), nil
}

// writeFile makes a file of the given text in a new folder.
func writeFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "packhouse.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); if that is meant, run go test -update\n%s", path, diff)
	}
}

var comparable = cmp.Options{
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	cmp.Comparer(func(a, b *url.URL) bool { return formatURL(a) == formatURL(b) }),
	cmpopts.EquateEmpty(),
}

func TestDefaults(t *testing.T) {
	got, origins, _, err := parse(t, "serve")
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Listen: "127.0.0.1:8080", StallTimeout: time.Minute, ShutdownGrace: 30 * time.Second,
		QueryTokens: true, AnyoneCanPull: true, PackagesEnabled: true, GitLabVersion: "18.11.2", GitLabUsers: "refuse", SessionIdle: 24 * time.Hour, SessionLife: 14 * 24 * time.Hour, BanAfter: 30, BanFor: 10 * time.Minute,
		Data: "./data", DatabasePool: 20, GenericMaxFileSize: 5 << 30, NPMMaxFileSize: 500 << 20, PyPIMaxFileSize: 3 << 30, IndexCache: 32 << 20, Reserve: 64 << 20, Cache: 16 << 20,
		DeletionDelay: 30 * 24 * time.Hour, Retention: 30 * 24 * time.Hour, PurgeEvery: 5 * time.Minute, SweepEvery: 6 * time.Hour,
		LogLevel: slog.LevelInfo, LogFormat: "text",
		MetricsAllow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
	}
	if diff := cmp.Diff(want, got, comparable); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if got.MetricsAllow == nil || got.TrustedProxies == nil {
		t.Error("a list is nil, want an empty one")
	}
	if len(origins) != 0 {
		t.Errorf("origins = %v, want none", origins)
	}
}

func TestPrecedence(t *testing.T) {
	file := writeFile(t, "log-level: debug\ncache: 1MiB\nquery-tokens: false\ntrusted-proxies: [10.0.0.1, 10.1.2.3/16]\ndata: &d /srv/packhouse\ntls-cert: *d\ntls-key: k\n")
	for _, tt := range []struct {
		name   string
		env    map[string]string
		args   []string
		option string
		want   string
		origin string
	}{
		{"default", nil, nil, "log-level", "info", "default"},
		{"file", nil, []string{"--config", file}, "log-level", "debug", file + ":1"},
		{"file named by a variable", map[string]string{"PACKHOUSE_CONFIG": file}, nil, "cache", "1MiB", file + ":2"},
		{"flag over variable for the file", map[string]string{"PACKHOUSE_CONFIG": "/absent"}, []string{"--config=" + file}, "cache", "1MiB", file + ":2"},
		{"list in the file", nil, []string{"--config", file}, "trusted-proxies", "10.0.0.1,10.1.0.0/16", file + ":4"},
		{"alias in the file", nil, []string{"--config", file}, "tls-cert", "/srv/packhouse", file + ":6"},
		{"variable", map[string]string{"PACKHOUSE_LOG_LEVEL": "warn"}, nil, "log-level", "warn", "environment variable PACKHOUSE_LOG_LEVEL"},
		{"variable over file", map[string]string{"PACKHOUSE_LOG_LEVEL": "warn"}, []string{"--config", file}, "log-level", "warn", "environment variable PACKHOUSE_LOG_LEVEL"},
		{"empty variable", map[string]string{"PACKHOUSE_LOG_LEVEL": ""}, []string{"--config", file}, "log-level", "debug", file + ":1"},
		{"list in a variable", map[string]string{"PACKHOUSE_TRUSTED_PROXIES": "10.0.0.1, ::ffff:10.2.0.0/112"}, nil, "trusted-proxies", "10.0.0.1,10.2.0.0/16", "environment variable PACKHOUSE_TRUSTED_PROXIES"},
		{"flag", nil, []string{"--log-level=error"}, "log-level", "error", "flag --log-level"},
		{"flag over variable and file", map[string]string{"PACKHOUSE_LOG_LEVEL": "warn"}, []string{"--config", file, "--log-level", "error"}, "log-level", "error", "flag --log-level"},
		{"flag twice", nil, []string{"--log-level", "warn", "--log-level", "error"}, "log-level", "error", "flag --log-level"},
		{"list by flag twice", nil, []string{"--trusted-proxies", "10.0.0.1", "--trusted-proxies", "10.0.0.2,10.0.0.3"}, "trusted-proxies", "10.0.0.1,10.0.0.2,10.0.0.3", "flag --trusted-proxies"},
		{"list by flag replaces the file's", nil, []string{"--config", file, "--trusted-proxies", "::1"}, "trusted-proxies", "::1", "flag --trusted-proxies"},
		{"empty list by flag", nil, []string{"--metrics-allow="}, "metrics-allow", "", "flag --metrics-allow"},
		{"switch in the file", nil, []string{"--config", file}, "query-tokens", "false", file + ":3"},
		{"switch by flag", nil, []string{"--config", file, "--query-tokens"}, "query-tokens", "true", "flag --query-tokens"},
		{"switch by negated flag", nil, []string{"--no-query-tokens"}, "query-tokens", "false", "flag --query-tokens"},
		{"switch by flag with a value", nil, []string{"--query-tokens=no"}, "query-tokens", "false", "flag --query-tokens"},
		{"switch by variable", map[string]string{"PACKHOUSE_GUESTS_CAN_PULL": "on"}, nil, "guests-can-pull", "true", "environment variable PACKHOUSE_GUESTS_CAN_PULL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			c, origins, _, err := parse(t, append([]string{"serve"}, tt.args...)...)
			if err != nil {
				t.Fatal(err)
			}
			if got := value(c, tt.option); got != tt.want {
				t.Errorf("%s = %s, want %s", tt.option, got, tt.want)
			}
			if got := origins[tt.option].String(); got != tt.origin {
				t.Errorf("origin of %s = %s, want %s", tt.option, got, tt.origin)
			}
		})
	}
}

// value is an option of c as text.
func value(c *Config, name string) string {
	for o := range options(c) {
		if o.name == name {
			return o.kind.format(o.value.Interface())
		}
	}
	return "no such option"
}

func TestValues(t *testing.T) {
	for _, tt := range []struct{ option, text, want string }{
		{"cache", "16777216", "16MiB"},
		{"cache", "2000000B", "2MB"},
		{"cache", "1500 kb", "1500KB"},
		{"cache", "1048577", "1048577"},
		{"cache", "3tib", "3TiB"},
		{"generic-max-file-size", "0", "0"},
		{"generic-max-file-size", "9223372036854775807", "9223372036854775807"},
		{"retention", "30d", "30d"},
		{"retention", "720h", "30d"},
		{"retention", "90m", "1h30m"},
		{"retention", "90s", "1m30s"},
		{"retention", "0", "0s"},
		{"retention", "1h0m1s", "1h0m1s"},
		{"listen", ":0", ":0"},
		{"listen", "[::1]:8080", "[::1]:8080"},
		{"external-url", "https://example.com:8443/registry/", "https://example.com:8443/registry"},
		{"external-url", "", ""},
		{"blobs", "s3://bucket/a?region=eu-1&path-style=true", "s3://bucket/a?region=eu-1&path-style=true"},
		{"blobs", "", ""},
		{"gitlab-version", "17.0.0-ee.1", "17.0.0-ee.1"},
		{"root-token", "glpat-0123456789abcdef0123", "********"},
	} {
		c, _, _, err := parse(t, "serve", "--"+tt.option+"="+tt.text)
		if err != nil {
			t.Errorf("--%s=%s: %v", tt.option, tt.text, err)
			continue
		}
		if got := value(c, tt.option); got != tt.want {
			t.Errorf("--%s=%s is %s, want %s", tt.option, tt.text, got, tt.want)
		}
	}
}

func TestSecretStaysSecret(t *testing.T) {
	const token = "glpat-0123456789abcdef0123"
	c := Config{RootToken: token}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("started", "token", c.RootToken)
	slog.New(slog.NewTextHandler(&log, nil)).Info("started", "token", c.RootToken)
	for _, shown := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), fmt.Sprintf("%q", c.RootToken), log.String()} {
		if strings.Contains(shown, token) {
			t.Errorf("the secret is shown: %s", shown)
		}
	}
	if string(c.RootToken) != token {
		t.Errorf("string(s) = %q, want %q", string(c.RootToken), token)
	}
}

func TestCommandWithoutOptionsReadsNoFile(t *testing.T) {
	t.Setenv("PACKHOUSE_CONFIG", "/absent")
	t.Setenv("PACKHOUSE_LISTEN", "nonsense")
	if _, _, _, err := parse(t, "version"); err != nil {
		t.Errorf("parse = %v, want no error", err)
	}
}

func TestFlagOfTheCommandsOwn(t *testing.T) {
	t.Setenv("PACKHOUSE_FRESH", "true")
	var cli commands
	p, err := NewParser(&cli)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Parse([]string{"serve"}); err != nil {
		t.Fatal(err)
	}
	if cli.Serve.Fresh {
		t.Error("a variable has set a flag that is no option")
	}
}

// TestDefaultCommand leaves out the name of the command, before and after flags.
func TestDefaultCommand(t *testing.T) {
	for _, args := range [][]string{{"--listen=:1"}, {"serve", "--listen=:1"}} {
		var cli struct {
			Serve serve `cmd:"" default:"withargs"`
			Show  show  `cmd:""`
		}
		t.Setenv("PACKHOUSE_DATA", "/srv")
		p, err := NewParser(&cli)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Parse(args); err != nil {
			t.Fatal(err)
		}
		if cli.Serve.Listen != ":1" || cli.Serve.Data != "/srv" || p.origins["listen"].Flag != "listen" {
			t.Errorf("%v: listen %q, data %q, want :1 and /srv", args, cli.Serve.Listen, cli.Serve.Data)
		}
	}
}

// TestTags reads what the tags of all options say, so that no default, least
// value or kind is a mistake that shows later.
func TestTags(t *testing.T) {
	var cli commands
	p, err := NewParser(&cli)
	if err != nil {
		t.Fatal(err)
	}
	for f := range reflect.TypeFor[Config]().Fields() {
		name := f.Tag.Get("name")
		k, ok := kinds[f.Tag.Get("type")]
		if !ok {
			t.Errorf("%s: no kind is called %q", name, f.Tag.Get("type"))
			continue
		}
		if help := f.Tag.Get("help"); !strings.HasSuffix(help, ".") || f.Tag.Get("group") == "" {
			t.Errorf("%s: the help %q is no sentence, or the group is missing", name, help)
		}
		if strings.HasPrefix(name, "port") || strings.HasPrefix(name, "service") {
			t.Errorf("%s: Kubernetes sets variables of this name", name)
		}
		if least, ok := f.Tag.Lookup("min"); ok {
			if _, err := k.parse(least, &kong.Value{Tag: p.Model.Node.Tag}); err != nil {
				t.Errorf("%s: min: %v", name, err)
			}
		}
	}
}

func TestHelp(t *testing.T) {
	t.Setenv("COLUMNS", "110")
	_, _, help, _ := parse(t, "serve", "--help")
	golden(t, "help.txt", help)
}

package config

import (
	"bytes"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestPrint(t *testing.T) {
	file := writeFile(t, "data: /srv/packhouse\nretention: 30d\n")
	t.Setenv("PACKHOUSE_ROOT_TOKEN", "glpat-0123456789abcdef0123")
	_, _, printed, err := parse(t, "config", "--config", file, "--external-url=https://example.com", "--trusted-proxies=10.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "print.yaml", strings.ReplaceAll(printed, filepath.Dir(file), "/etc"))
}

// TestPrintIsReadBack prints any configuration and reads it as a file.
func TestPrintIsReadBack(t *testing.T) {
	t.Setenv("PACKHOUSE_ROOT_TOKEN", "")
	name := filepath.Join(t.TempDir(), "packhouse.yaml")
	rapid.Check(t, func(rt *rapid.T) {
		want := anyConfig(rt)
		var b bytes.Buffer
		origins := Origins{"data": {File: rapid.String().Draw(rt, "file"), Line: 3}}
		if err := Print(&b, want, origins); err != nil {
			rt.Fatal(err)
		}
		if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
			rt.Fatal(err)
		}
		got, _, _, err := parse(t, "serve", "--config", name)
		if err != nil {
			rt.Fatalf("%v in\n%s", err, b.Bytes())
		}
		want.File, want.RootToken, want.Database = name, "", ""
		if diff := cmp.Diff(want, got, comparable); diff != "" {
			rt.Fatalf("read back (-want +got):\n%s\n%s", diff, b.Bytes())
		}
	})
}

func anyConfig(t *rapid.T) *Config {
	size := func(label string, least int64) int64 { return rapid.Int64Min(least).Draw(t, label) }
	duration := func(label string, least time.Duration) time.Duration {
		unit := rapid.SampledFrom([]time.Duration{1, time.Millisecond, time.Second, time.Minute, time.Hour, day}).Draw(t, "unit")
		return max(least, unit*time.Duration(rapid.Int64Range(0, 1000).Draw(t, label)))
	}
	path := rapid.Custom(func(t *rapid.T) string {
		return rapid.StringMatching(`[^\x00]{1,40}`).Draw(t, "path")
	})
	cert := rapid.OneOf(rapid.Just(""), path).Draw(t, "cert")
	key := ""
	if cert != "" {
		key = path.Draw(t, "key")
	}
	return &Config{
		File:            rapid.String().Draw(t, "config"),
		Listen:          rapid.StringMatching(`([a-z0-9.-]{0,10}|\[::1\]|\*):[0-9]{1,4}`).Draw(t, "listen"),
		ExternalURL:     anyURL(t),
		TLSCert:         cert,
		TLSKey:          key,
		TrustedProxies:  rapid.SliceOfN(rapid.Custom(anyNetwork), 0, 4).Draw(t, "proxies"),
		StallTimeout:    duration("stall", time.Second),
		ShutdownGrace:   duration("grace", 0),
		RootToken:       Secret(rapid.SampledFrom([]string{"", "0123456789012345678901234567890"}).Draw(t, "token")),
		QueryTokens:     rapid.Bool().Draw(t, "query"),
		AnyoneCanPull:   rapid.Bool().Draw(t, "anyone"),
		GuestsCanPull:   rapid.Bool().Draw(t, "guests"),
		PackagesEnabled: rapid.Bool().Draw(t, "packages"),
		GitLabVersion:   rapid.StringMatching(`[0-9]{1,2}\.[0-9]{1,2}\.[0-9](-[a-z.]{1,4})?`).Draw(t, "version"),
		SignIn:          rapid.OneOf(rapid.Just(""), path).Draw(t, "sign-in"),
		SessionIdle:     duration("idle", time.Minute), SessionLife: duration("life", time.Minute),
		BanAfter: rapid.Int64Range(0, 1000).Draw(t, "ban after"), BanFor: duration("ban", time.Second),
		LimitPackages: anyRate(t), LimitPackagesAnonymous: anyRate(t), LimitAPI: anyRate(t), LimitAPIAnonymous: anyRate(t),
		IssuerNetworks:     rapid.SliceOfN(rapid.Custom(anyNetwork), 0, 4).Draw(t, "issuers"),
		UpstreamGitLab:     anyURL(t),
		GitLabProjects:     rapid.SliceOfNDistinct(rapid.Custom(anyNumbered), 0, 3, func(n Numbered) int64 { return n.Number }).Draw(t, "projects"),
		GitLabUsers:        rapid.SampledFrom([]string{"refuse", "external"}).Draw(t, "users"),
		GitLabTokens:       rapid.SliceOfN(rapid.StringMatching(`[!-+\--~]{1,8}`), 0, 3).Draw(t, "prefixes"),
		Data:               path.Draw(t, "data"),
		GenericMaxFileSize: size("max", 0),
		NPMMaxFileSize:     size("npm", 0),
		PyPIMaxFileSize:    size("pypi", 0),
		IndexCache:         size("index", 1<<20),
		Database:           Secret(rapid.SampledFrom([]string{"", "postgres://u:p@db/x"}).Draw(t, "database")),
		DatabasePool:       rapid.Int64Range(6, 1000).Draw(t, "pool"),
		Reserve:            size("reserve", 0),
		Cache:              size("cache", 1<<20),
		Retention:          duration("retention", 0),
		PurgeEvery:         duration("purge", time.Second),
		SweepEvery:         duration("sweep", time.Minute),
		LogLevel:           rapid.SampledFrom([]slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}).Draw(t, "level"),
		LogFormat:          rapid.SampledFrom([]string{"text", "json"}).Draw(t, "format"),
		MetricsAllow:       rapid.SliceOfN(rapid.Custom(anyNetwork), 0, 4).Draw(t, "metrics"),
	}
}

func anyURL(t *rapid.T) *url.URL {
	text := rapid.StringMatching(`|https?://([a-z]{1,8}|\[::1\])(:8[0-9]{0,3})?(/[a-zé%]{1,5}){0,2}`).Draw(t, "url")
	text = regexp.MustCompile(`%`).ReplaceAllString(text, "%2F")
	value, err := parseURL(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	return value.(*url.URL)
}

func anyNetwork(t *rapid.T) netip.Prefix {
	var addr netip.Addr
	if rapid.Bool().Draw(t, "v4") {
		addr = netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "addr")))
	} else {
		addr = netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "addr")))
	}
	return netip.PrefixFrom(addr, rapid.IntRange(0, addr.BitLen()).Draw(t, "bits")).Masked()
}

func anyNumbered(t *rapid.T) Numbered {
	return Numbered{rapid.Int64Min(1).Draw(t, "number"), rapid.StringMatching(`[a-z.]{1,5}(/[a-zé-]{1,5}){0,2}`).Draw(t, "path")}
}

func anyRate(t *rapid.T) Rate {
	if rapid.Bool().Draw(t, "unlimited") {
		return Rate{}
	}
	return Rate{rapid.Int64Range(1, 1<<30).Draw(t, "requests"), time.Duration(rapid.Int64Range(1, 86400).Draw(t, "seconds")) * time.Second}
}

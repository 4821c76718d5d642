package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"time"

	"packhouse/internal/authn"
	"packhouse/internal/config"
	"packhouse/internal/directory"
	"packhouse/internal/house"
	"packhouse/internal/limit"
	"packhouse/internal/server"
	"packhouse/internal/signin"
	"packhouse/internal/telemetry"
)

type serveCommand struct{ config.Config }

// Run serves until the context ends.
func (c *serveCommand) Run(ctx context.Context) error { return serve(ctx, &c.Config, false) }

type demoCommand struct{ config.Config }

// Run serves a registry that has something in it.
func (c *demoCommand) Run(ctx context.Context) error { return serve(ctx, &c.Config, true) }

func serve(ctx context.Context, c *config.Config, demo bool) error {
	defer runtime.KeepAlive(heapFloor)
	out := telemetry.NewBuffer(os.Stderr)
	defer out.Close()
	log := telemetry.NewLog(out, c.LogLevel, c.LogFormat)

	var h *house.House
	t, err := telemetry.New(telemetry.Options{
		Log: log, Version: house.Version, MetricsAllowed: c.MetricsAllow,
		Ready: func(ctx context.Context) error { return h.Ready(ctx) },
		Gauges: []telemetry.Gauge{{
			Name: "ledger_position", Help: "The number of the newest entry of the ledger.",
			Value: func() float64 { return float64(h.Store.Position()) },
		}},
	})
	if err != nil {
		return err
	}
	opts := furnishing(c, log)
	if opts.Providers, err = signin.ReadProviders(c.SignIn); err != nil {
		return fmt.Errorf("read the providers of single sign-on: %w", err)
	}
	opts.Observe, opts.Root = t.Observe, t.Root()
	if h, err = house.Open(ctx, opts); err != nil {
		return err
	}
	defer func() {
		if err := h.Close(); err != nil {
			log.Error("not closed well", "error", err)
		}
	}()
	return listen(ctx, c, h, log, demo)
}

// listen serves the house until the context ends.
func listen(ctx context.Context, c *config.Config, h *house.House, log *slog.Logger, demo bool) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s, err := server.New(server.Options{
		Handler: h.Handler, Listen: c.Listen, CertFile: c.TLSCert, KeyFile: c.TLSKey,
		StallTimeout: c.StallTimeout, ShutdownGrace: c.ShutdownGrace, Log: log,
		Ready: func(at net.Addr) {
			address := addressOf(c.ExternalURL, at, c.TLSCert != "")
			welcome(os.Stdout, address, h.Root)
			if !demo {
				return
			}
			if err := furnishDemo(ctx, h, address, os.Stdout); err != nil {
				stop(fmt.Errorf("furnish the demo: %w", err))
			}
		},
	})
	if err != nil {
		return err
	}
	images, err := imageServer(c, h, log)
	if err != nil {
		return err
	}
	if err := runAll(ctx, stop, s, images); err != nil {
		return err
	}
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// imageServer serves container images at an address of their own; nil when there is
// none.
func imageServer(c *config.Config, h *house.House, log *slog.Logger) (*server.Server, error) {
	if c.RegistryListen == "" {
		return nil, nil
	}
	return server.New(server.Options{
		Handler: h.Images, Listen: c.RegistryListen, Option: "--registry-listen", CertFile: c.TLSCert, KeyFile: c.TLSKey,
		StallTimeout: c.StallTimeout, ShutdownGrace: c.ShutdownGrace, Log: log,
	})
}

// runAll runs servers, of which some may be nil, until the context ends or one of them
// cannot go on, which ends the others.
func runAll(ctx context.Context, stop context.CancelCauseFunc, servers ...*server.Server) error {
	var running sync.WaitGroup
	errs := make([]error, len(servers))
	for i, s := range servers {
		if s == nil {
			continue
		}
		running.Go(func() {
			if errs[i] = s.Run(ctx); errs[i] != nil {
				stop(nil)
			}
		})
	}
	running.Wait()
	return errors.Join(errs...)
}

// furnishing is the part of the configuration that the house needs.
func furnishing(c *config.Config, log *slog.Logger) house.Options {
	return house.Options{
		Data: c.Data, RootToken: string(c.RootToken), Log: log,
		Database: string(c.Database), DatabasePool: int(c.DatabasePool), BlobAddress: c.Blobs,
		External: c.ExternalURL, ExternalImages: c.RegistryURL, TrustedProxies: c.TrustedProxies, QueryTokens: c.QueryTokens,
		IssuerNetworks: c.IssuerNetworks,
		Upstream:       upstream(c),
		Sessions:       authn.SessionOptions{Idle: c.SessionIdle, Life: c.SessionLife},
		Rates: limit.Limits{
			Packages: limit.Rate(c.LimitPackages), PackagesAnonymous: limit.Rate(c.LimitPackagesAnonymous),
			API: limit.Rate(c.LimitAPI), APIAnonymous: limit.Rate(c.LimitAPIAnonymous),
		},
		Failures: limit.FailureOptions{Most: int(c.BanAfter), Ban: c.BanFor, Exempt: loopback},
		Directory: directory.Options{
			GuestsPull: c.GuestsCanPull, AnyonePull: c.AnyoneCanPull, PackagesDisabled: !c.PackagesEnabled,
			Sizes:         map[string]int64{"generic": c.GenericMaxFileSize, "npm": c.NPMMaxFileSize, "pypi": c.PyPIMaxFileSize},
			DeletionDelay: c.DeletionDelay,
		},
		Retention: c.Retention, PurgeEvery: c.PurgeEvery, SweepEvery: c.SweepEvery, RemoveEvery: time.Minute, CleanEvery: time.Minute,
		Reserve: c.Reserve, CacheBytes: int(c.Cache), IndexBytes: int(c.IndexCache), GitLabVersion: c.GitLabVersion,
	}
}

// loopback is never banned: a proxy on this machine that nobody told us about is
// everybody.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func upstream(c *config.Config) house.Upstream {
	u := house.Upstream{
		URL: c.UpstreamGitLab, Projects: map[int64]string{}, Prefixes: c.GitLabTokens, ExternalUsers: c.GitLabUsers == "external",
	}
	for _, p := range c.GitLabProjects {
		u.Projects[p.Number] = p.Name
	}
	return u
}

type gcCommand struct{ config.Config }

// Run purges and sweeps once.
func (c *gcCommand) Run(ctx context.Context) error {
	opts := furnishing(&c.Config, slog.Default())
	opts.PurgeEvery, opts.SweepEvery, opts.RemoveEvery, opts.CleanEvery = 0, 0, 0, 0 // this is the work
	h, err := house.Open(ctx, opts)
	if err != nil {
		return err
	}
	defer h.Close()
	purged, err := h.Registry.Purge(ctx)
	if err != nil {
		return err
	}
	swept, err := h.Registry.Sweep(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%d deleted files purged, %d blobs removed; %d unfinished uploads and %d orphaned blobs swept\n",
		purged.Files, purged.Blobs, swept.Uploads, swept.Orphans)
	return nil
}

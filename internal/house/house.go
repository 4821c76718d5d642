// Package house joins the rooms to a running registry: it opens the data folder,
// wires each room to those it needs, and hands out the one http.Handler. It is
// what `packhouse serve` runs, and what tests run when they want the real thing.
package house

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"sync"
	"time"

	"packhouse/internal/api"
	"packhouse/internal/authn"
	"packhouse/internal/blob"
	"packhouse/internal/directory"
	"packhouse/internal/format"
	"packhouse/internal/format/all"
	"packhouse/internal/gate"
	"packhouse/internal/limit"
	"packhouse/internal/oidc"
	"packhouse/internal/policy"
	"packhouse/internal/registry"
	"packhouse/internal/signin"
	"packhouse/internal/store"
)

// Version is the version of Packhouse, set when a release is built.
var Version = "development"

// Options say how a House is furnished. Data is required.
type Options struct {
	Data string // folder of the database and the files
	// Database is the address of a PostgreSQL database that is used instead of
	// one in Data. Other houses may use it at the same time.
	Database     string
	DatabasePool int             // most connections to Database; 0 means 12
	RootToken    string          // preset of the administrator's token; "" makes one
	Root         format.Protocol // what is served outside /api/v4; may be nil
	Observe      func(*gate.Observation)
	Log          *slog.Logger

	External       *url.URL
	ExternalImages *url.URL // of container images, when it is another; needs External
	TrustedProxies []netip.Prefix
	QueryTokens    bool
	Directory      directory.Options
	// IssuerNetworks are where issuers of ID tokens may be although the networks
	// are not public.
	IssuerNetworks []netip.Prefix
	Upstream       Upstream
	Providers      []signin.Provider // of single sign-on
	Sessions       authn.SessionOptions
	Rates          limit.Limits
	Failures       limit.FailureOptions
	Retention      time.Duration
	ImageGrace     time.Duration // how long what no image needs is kept; 0 for a day
	PurgeEvery     time.Duration
	SweepEvery     time.Duration
	RemoveEvery    time.Duration // how often what was marked for deletion is looked for; 0 for never
	CleanEvery     time.Duration // how often cleanup policies are looked at that are due; 0 for never
	Reserve        int64         // bytes of free disk that uploads leave alone
	CacheBytes     int
	IndexBytes     int
	GitLabVersion  string

	// BlobAddress is where the files are instead of the data folder, s3://bucket…;
	// see s3.Parse.
	BlobAddress string
	// Blobs replaces both; for tests that inject failures.
	Blobs blob.Store
	// Place says where Blobs are, so that houses with the same database see
	// whether they have the same files: s3://bucket/prefix. "" is everywhere.
	Place string
}

// House is a registry that is ready to serve.
type House struct {
	Handler   http.Handler
	Images    http.Handler // for a listener at which there are container images alone
	Store     *store.Store
	Directory *directory.Directory
	Changes   *directory.Changes
	Issuer    authn.Issuer
	Registry  *registry.Registry
	Blobs     blob.Store // where the files are
	Exchanger *oidc.Exchanger
	Passwords *authn.Passwords
	Root      *Administrator // how the first administrator was found or made

	options Options
	lock    *os.File
	files   io.Closer // nil when Options.Blobs stands in for it
	authn   *authn.Authenticator
	stop    context.CancelFunc
	working sync.WaitGroup
}

// Open opens the data folder, making it on the first start, and starts the
// background work. Nobody else may have the folder open.
func Open(ctx context.Context, opts Options) (h *House, err error) {
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	lock, err := lockFolder(opts.Data)
	if err != nil {
		return nil, err
	}
	h = &House{options: opts, lock: lock}
	defer func() {
		if err != nil {
			h.Close() // what it says is less than err
			h = nil
		}
	}()
	if h.Store, err = openStore(ctx, &opts); err != nil {
		return h, err
	}
	if opts.Blobs == nil {
		if opts.Blobs, h.files, err = openBlobs(ctx, opts.BlobAddress, opts.Data, opts.Reserve, opts.Log); err != nil {
			return h, err
		}
		opts.Place = placeOf(opts.BlobAddress, opts.Data)
	}
	if err := h.Store.Meet(ctx, opts.Place); err != nil {
		return h, err
	}
	if h.Directory, err = directory.Open(ctx, h.Store, opts.Directory); err != nil {
		return h, fmt.Errorf("load the directory: %w", err)
	}
	h.Changes = directory.NewChanges(h.Directory, h.Store)
	h.Issuer = authn.Issuer{Store: h.Store, Directory: h.Directory}
	indexers, alone := map[string]registry.Indexer{}, map[string]bool{}
	for _, f := range all.Formats() {
		if indexer, ok := f.(registry.Indexer); ok {
			indexers[f.Name()] = indexer
		}
		if loner, ok := f.(registry.Loner); ok {
			alone[f.Name()] = loner.Alone()
		}
	}
	h.Passwords = authn.NewPasswords(h.Store, h.Directory)
	h.Exchanger = &oidc.Exchanger{
		Directory: h.Directory, Issuer: h.Issuer, Issuers: oidc.NewIssuers(oidc.IssuerOptions{Allow: opts.IssuerNetworks}), Log: opts.Log,
	}
	h.Blobs = opts.Blobs
	h.Registry = registry.New(registry.Options{
		Indexers: indexers, Alone: alone,
		Store: h.Store, Blobs: opts.Blobs, Directory: h.Directory, Rules: policy.Standard(),
		Log: opts.Log, Retention: opts.Retention, ImageGrace: opts.ImageGrace, CacheBytes: opts.CacheBytes, IndexBytes: opts.IndexBytes,
	})
	if h.Root, err = h.administrator(ctx); err != nil {
		return h, fmt.Errorf("set up the administrator: %w", err)
	}
	g, err := h.gate()
	if err != nil {
		return h, err
	}
	h.Handler, h.Images = g, g.Images()
	return h, h.work(ctx)
}

// gate builds the door to everything above.
func (h *House) gate() (*gate.Gate, error) {
	formats := all.Formats()
	h.authn = authn.New(authn.Options{
		Store: h.Store, Directory: h.Directory, QueryTokens: h.options.QueryTokens, Upstream: h.upstream(),
		Sessions: h.options.Sessions,
	})
	a := &api.API{
		Authn: h.authn,
		Store: h.Store, Directory: h.Directory, Changes: h.Changes, Issuer: h.Issuer, Registry: h.Registry,
		Issuers: h.Exchanger.Issuers, Passwords: h.Passwords,
		Version: Version, GitLabVersion: h.options.GitLabVersion,
	}
	for _, f := range formats {
		if len(f.Routes()) > 0 { // of packages; those of images have settings of their own
			a.Formats = append(a.Formats, f.Name())
		}
		if flagged, ok := f.(format.Flagged); ok {
			a.Flags = append(a.Flags, flagged.Flags()...)
		}
	}
	return gate.New(gate.Options{
		Formats: formats, API: a, Root: rootOf(h.options.Root, api.Root{API: a}, h.signIn(h.authn), h.web(a.Formats)), Exchanger: h.Exchanger,
		Rates: limit.NewRates(limit.RateOptions{Limits: h.limits}), Failures: limit.NewFailures(h.options.Failures),
		Authn:     h.authn,
		Directory: h.Directory, Registry: h.Registry, Fresh: h.fresh(),
		External: h.options.External, Images: h.options.ExternalImages, TrustedProxies: h.options.TrustedProxies,
		Observe: h.options.Observe, Log: h.options.Log,
	})
}

// limits are those that the server was started with, and over them what
// administrators have set since.
func (h *House) limits() limit.Limits {
	l, set := h.options.Rates, h.Directory.Instance()
	if t := set.Packages; t.Set {
		l.Packages = limit.Rate{Requests: t.Requests, Period: t.Period}
	}
	if t := set.Anonymous; t.Set {
		l.PackagesAnonymous = limit.Rate{Requests: t.Requests, Period: t.Period}
	}
	return l
}

// Ready reports whether the house can serve: that its database answers.
func (h *House) Ready(ctx context.Context) error {
	if err := h.Store.Fresh(ctx); err != nil {
		return err
	}
	return h.Store.View(ctx, func(tx *store.Tx) error {
		_, err := tx.Position(ctx)
		return err
	})
}

// Close ends the background work and closes the database. Requests must be over.
func (h *House) Close() error {
	var errs []error
	if h.stop != nil {
		h.stop()
		h.working.Wait()
	}
	if h.Store != nil {
		errs = append(errs, h.Store.Close())
	}
	if h.files != nil {
		errs = append(errs, h.files.Close())
	}
	if h.lock != nil {
		errs = append(errs, h.lock.Close())
	}
	return errors.Join(errs...)
}

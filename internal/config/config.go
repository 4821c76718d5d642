// Package config is the configuration of Packhouse: one struct, read from the
// command line, the environment, a YAML file and defaults, the stronger before
// the weaker.
//
// Every option has one name. It is a flag, --log-level; an environment
// variable, PACKHOUSE_LOG_LEVEL; and a key of the file, log-level. Its help,
// its default and what values it takes stand in the tag of its field and
// nowhere else.
//
// A command gets all options by embedding [Config]:
//
//	type serve struct{ config.Config }
//
//	func (c *serve) Run() error { … c.Listen … }
//
//	type show struct{ config.Config }
//
//	func (c *show) Run(k *kong.Kong, origins config.Origins) error {
//		return config.Print(k.Stdout, &c.Config, origins)
//	}
//
//	func main() {
//		var cli struct {
//			Serve  serve `cmd:"" help:"Run the registry."`
//			Config show  `cmd:"" help:"Print the configuration and where it comes from."`
//		}
//		p, err := config.NewParser(&cli, kong.Name("packhouse"))
//		if err != nil {
//			panic(err) // a tag is wrong
//		}
//		ctx, err := p.Parse(os.Args[1:])
//		p.FatalIfErrorf(err)
//		p.FatalIfErrorf(ctx.Run())
//	}
//
// A new option is a new field. The tag "type" names its [kind], "min" its least
// value, and "set" the words it may be.
package config

import (
	"log/slog"
	"net/netip"
	"net/url"
	"time"
)

// Config is everything that an administrator can set. It is complete and
// checked once [Parser.Parse] has returned. Sizes are bytes.
type Config struct {
	File string `name:"config" group:"Configuration:" type:"file" placeholder:"FILE" help:"YAML file to read options from, such as /etc/packhouse.yaml. Default: none."`

	Listen         string         `name:"listen" group:"Network:" type:"address" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to accept connections at. Default: ${default}, this machine only; use :8080 to be reached from others."`
	ExternalURL    *url.URL       `name:"external-url" group:"Network:" type:"url" default:"" placeholder:"URL" help:"Address that clients know this server by, for links in answers: https://packages.example.com. Default: as each request says. Set it behind a proxy that changes the host or the path."`
	RegistryURL    *url.URL       `name:"registry-url" group:"Network:" type:"url" default:"" placeholder:"URL" help:"Address that clients know the container registry by, when images are to have another host or port than the rest: https://registry.example.com. At that host there is nothing else. Needs --external-url, where clients log in. Default: none, images are at the same host."`
	RegistryListen string         `name:"registry-listen" group:"Network:" type:"address" default:"" placeholder:"HOST:PORT" help:"Second address to accept connections at, for container images and nothing else, with the same certificate. Needs --registry-url. Default: none."`
	TLSCert        string         `name:"tls-cert" group:"Network:" type:"file" default:"" placeholder:"FILE" help:"PEM file with the certificate chain, to speak HTTPS without a proxy. Needs --tls-key. Default: plain HTTP."`
	TLSKey         string         `name:"tls-key" group:"Network:" type:"file" default:"" placeholder:"FILE" help:"PEM file with the private key of --tls-cert."`
	TrustedProxies []netip.Prefix `name:"trusted-proxies" group:"Network:" type:"networks" default:"" placeholder:"CIDR,..." help:"Networks or addresses of proxies whose X-Forwarded-For, -Host, -Proto and X-Request-Id are believed. Default: none. Anybody in them can claim to be anybody, so list proxies only."`
	StallTimeout   time.Duration  `name:"stall-timeout" group:"Network:" type:"duration" min:"1s" default:"60s" placeholder:"DURATION" help:"How long a client may send or read nothing in the middle of a transfer before it is cut off. Default: ${default}. Slow transfers that go on are never cut."`
	ShutdownGrace  time.Duration  `name:"shutdown-grace" group:"Network:" type:"duration" default:"30s" placeholder:"DURATION" help:"How long requests may take to finish after a stop signal. Default: ${default}. Raise it with what stops the service if uploads are large."`

	RootToken       Secret         `name:"root-token" group:"Access:" type:"secret" default:"" placeholder:"TOKEN" help:"Token of the administrator root, at least 20 characters. Default: a random one, kept in the file root-token in the data folder. A new value is added; the old one works until it is revoked. Prefer the variable, because flags can be seen in the list of processes."`
	QueryTokens     bool           `name:"query-tokens" group:"Access:" type:"switch" default:"true" negatable:"" help:"Accept private_token and job_token in the query of a URL, as GitLab does. Default: ${default}. Turn it off if no client needs it; URLs end up in logs of proxies."`
	AnyoneCanPull   bool           `name:"anyone-can-pull" group:"Access:" type:"switch" default:"true" negatable:"" help:"Let projects open their packages to everybody, without a credential. Default: ${default}. Turn it off where nothing may be public."`
	GuestsCanPull   bool           `name:"guests-can-pull" group:"Access:" type:"switch" default:"false" negatable:"" help:"Let guests and planners pull from private projects. Default: ${default}, reporters and above."`
	PackagesEnabled bool           `name:"packages-enabled" group:"Access:" type:"switch" default:"true" negatable:"" help:"Serve packages. Default: ${default}. Off, they are refused to everybody and kept."`
	IssuerNetworks  []netip.Prefix `name:"issuer-networks" group:"Access:" type:"networks" default:"" placeholder:"CIDR,..." help:"Networks or addresses in which the issuers of ID tokens may be although they are not on the public internet, such as 10.20.0.5 for a GitLab of your own. Default: none, so that nobody makes this server ask its own network."`
	GitLabVersion   string         `name:"gitlab-version" group:"Access:" type:"version" default:"18.11.2" placeholder:"X.Y.Z" help:"GitLab version that clients are told, because some compare it. Default: ${default}. Change it for a client that refuses to work otherwise."`

	UpstreamGitLab *url.URL   `name:"upstream-gitlab" group:"Access:" type:"url" default:"" placeholder:"URL" help:"A GitLab that is asked about job tokens which this server did not make, so that its CI jobs publish with their CI_JOB_TOKEN: https://gitlab.example.com. Default: none. Its users are those of the same name here; roles and allowlists are those here."`
	GitLabProjects []Numbered `name:"gitlab-projects" group:"Access:" type:"numbered" default:"" placeholder:"ID=PATH,..." help:"Projects of --upstream-gitlab, by their numbers there, that have another path here. Default: none, each is the one of the same path."`
	GitLabUsers    string     `name:"gitlab-users" group:"Access:" type:"word" set:"words=refuse, external" default:"refuse" placeholder:"WORD" help:"What becomes of users of --upstream-gitlab who are not known here: ${words}. Default: ${default}. external makes an external user of the same name, who has no rights until somebody gives them."`
	GitLabTokens   []string   `name:"gitlab-tokens" group:"Access:" type:"words" default:"" placeholder:"PREFIX,..." help:"Prefixes of access tokens that --upstream-gitlab is asked about too, such as glpat-. Default: none, job tokens alone."`

	SignIn                 string        `name:"sign-in" group:"Access:" type:"file" default:"" placeholder:"FILE" help:"YAML file with providers of single sign-on, see docs/operate/identity.md. Default: none, passwords alone."`
	SessionIdle            time.Duration `name:"session-idle" group:"Access:" type:"duration" min:"1m" default:"24h" placeholder:"DURATION" help:"How long a browser stays signed in without being used. Default: ${default}."`
	SessionLife            time.Duration `name:"session-life" group:"Access:" type:"duration" min:"1m" default:"14d" placeholder:"DURATION" help:"How long a browser stays signed in at the most. Default: ${default}."`
	BanAfter               int64         `name:"ban-after" group:"Access:" type:"count" default:"30" placeholder:"COUNT" help:"How many different wrong tokens or passwords may come from one address in a minute; after that its credentials are refused for --ban-for. Default: ${default}; 0 for any number. This machine is never refused. Behind a proxy set --trusted-proxies, or the proxy is refused."`
	BanFor                 time.Duration `name:"ban-for" group:"Access:" type:"duration" min:"1s" default:"10m" placeholder:"DURATION" help:"How long credentials are refused that come from where too many wrong ones came from. Default: ${default}."`
	LimitPackages          Rate          `name:"limit-packages" group:"Access:" type:"rate" default:"" placeholder:"COUNT/DURATION" help:"Most requests of one user for packages, such as 1000/15s, on each node. Default: no limit."`
	LimitPackagesAnonymous Rate          `name:"limit-packages-anonymous" group:"Access:" type:"rate" default:"" placeholder:"COUNT/DURATION" help:"The same of one address without a credential. Default: no limit."`
	LimitAPI               Rate          `name:"limit-api" group:"Access:" type:"rate" default:"" placeholder:"COUNT/DURATION" help:"Most requests of one user for the API, and for packages where --limit-packages is not set. Default: no limit."`
	LimitAPIAnonymous      Rate          `name:"limit-api-anonymous" group:"Access:" type:"rate" default:"" placeholder:"COUNT/DURATION" help:"The same of one address without a credential. Default: no limit."`

	Data               string        `name:"data" group:"Storage:" type:"folder" default:"./data" placeholder:"FOLDER" help:"Folder for everything that is stored, made when it is missing. Default: ${default}. A relative one is below the working folder."`
	Database           Secret        `name:"database" group:"Storage:" type:"database" default:"" placeholder:"URL" help:"PostgreSQL database to keep everything but files in, such as postgres://packhouse@db.example.com/packhouse. Default: none, a file in the data folder. Any number of servers may share it. Prefer the variable, or PGPASSWORD, for an address with a password. See docs/operate/database.md."`
	DatabasePool       int64         `name:"database-pool" group:"Storage:" type:"count" min:"6" default:"20" placeholder:"COUNT" help:"Most connections to --database, at least 6. Default: ${default}. Of all servers together they have to be fewer than max_connections of PostgreSQL."`
	Blobs              string        `name:"blobs" group:"Storage:" type:"bucket" default:"" placeholder:"ADDRESS" help:"Bucket for files above 16 KiB instead of the data folder: s3://BUCKET/PREFIX?endpoint=https://s3.example.com&region=eu-1. Default: none. Keys are read from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a credentials file; docs/operate/blobs.md has the rest."`
	GenericMaxFileSize int64         `name:"generic-max-file-size" group:"Storage:" type:"size" default:"5GiB" placeholder:"SIZE" help:"Largest file of a generic package. Default: ${default}; 0 for no limit."`
	NPMMaxFileSize     int64         `name:"npm-max-file-size" group:"Storage:" type:"size" default:"500MiB" placeholder:"SIZE" help:"Largest file of an npm package. Default: ${default}; 0 for no limit."`
	PyPIMaxFileSize    int64         `name:"pypi-max-file-size" group:"Storage:" type:"size" default:"3GiB" placeholder:"SIZE" help:"Largest file of a PyPI package. Default: ${default}; 0 for no limit."`
	Reserve            int64         `name:"reserve" group:"Storage:" type:"size" default:"64MiB" placeholder:"SIZE" help:"Disk space that uploads leave free, so that deleting always works. Default: ${default}. Raise it if other programs fill the same disk."`
	Cache              int64         `name:"cache" group:"Storage:" type:"size" min:"1MiB" default:"16MiB" placeholder:"SIZE" help:"Memory for small files that are asked for often. Default: ${default}, at least 1MiB. Raise it if thousands of different small files are hot."`
	IndexCache         int64         `name:"index-cache" group:"Storage:" type:"size" min:"1MiB" default:"32MiB" placeholder:"SIZE" help:"Memory for what packages consist of, and once more for the index documents made of it. Default: ${default}, at least 1MiB. Raise it if packages with thousands of versions are hot."`
	Retention          time.Duration `name:"retention" group:"Storage:" type:"duration" default:"30d" placeholder:"DURATION" help:"How long what was deleted stays in the trash, from which it can be restored, such as 12h or 30d. Default: ${default}; 0 gives the bytes back at the next purge. Longer means more disk."`
	DeletionDelay      time.Duration `name:"deletion-delay" group:"Storage:" type:"duration" default:"30d" placeholder:"DURATION" help:"How long a group or project that was marked for deletion can be restored before it is removed for good. Default: ${default}."`
	PurgeEvery         time.Duration `name:"purge-every" group:"Storage:" type:"duration" min:"1s" default:"5m" placeholder:"DURATION" help:"How often the bytes of deleted files are given back to the disk. Default: ${default}."`
	SweepEvery         time.Duration `name:"sweep-every" group:"Storage:" type:"duration" min:"1m" default:"6h" placeholder:"DURATION" help:"How often the storage is searched for what crashes left behind. Default: ${default}. It reads the list of all files, so not too often on slow disks."`

	LogLevel     slog.Level     `name:"log-level" group:"Logs and metrics:" type:"level" set:"words=debug, info, warn, error" default:"info" placeholder:"LEVEL" help:"Least severity that is logged: ${words}. Default: ${default}, which has a line for every request; warn is quiet."`
	LogFormat    string         `name:"log-format" group:"Logs and metrics:" type:"word" set:"words=text, json" default:"text" placeholder:"FORMAT" help:"How log lines are written: ${words}. Default: ${default}. Use json where a program reads them."`
	MetricsAllow []netip.Prefix `name:"metrics-allow" group:"Logs and metrics:" type:"networks" default:"127.0.0.0/8,::1" placeholder:"CIDR,..." help:"Networks or addresses that may read /-/metrics; for others it does not exist. Default: ${default}, this machine. Behind a proxy on this machine that adds no X-Forwarded-For everybody is from here, so let the proxy refuse /-/metrics."`
}

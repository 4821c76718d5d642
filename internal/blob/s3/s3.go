// Package s3 keeps blobs in a bucket of an S3-compatible object store:
//
//	<prefix>blobs/<key>          committed; the object's bytes are the blob's
//	<prefix>uploads/<id>         target of an upload in parts, gone once it is committed
//	<prefix>uploads/<id>.tail    what a closed upload had beyond its last whole part
//
// An upload that fits one part is put under its key when it is committed. A
// larger one goes up in parts while it arrives, because its digest, which is
// part of the key, is known only at the end; Commit completes the parts and has
// the server copy them to the key (docs/adr/0051-s3.md). Either way one request
// makes the whole blob appear, and Commit asks for the object afterwards before
// it says so. Parts and small blobs are sent with their SHA-256, which the
// server checks; a blob that is read from its start to its end is checked again.
//
// Any number of processes may use one prefix. The store has to read what it has
// acknowledged, in listings too, as Amazon's does since 2020.
package s3

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"packhouse/internal/blob"
)

const (
	blobsDir   = "blobs/"
	uploadsDir = "uploads/"
	tailSuffix = ".tail"
)

// Store is a blob.Store in a bucket. Use New.
type Store struct {
	options Options
	client  *minio.Core
	idle    interface{ CloseIdleConnections() }
	log     *slog.Logger
	buffers sync.Pool // of *[]byte with the capacity of a part

	mu   sync.Mutex
	open map[string]*upload // by id, those that somebody in this process is writing
}

// New opens the store and asks the bucket for its first object, so that a wrong
// address or a missing right is said now. The caller closes the store.
func New(ctx context.Context, opts Options) (*Store, error) {
	opts.fill()
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true, // of a blob that happens to be a .gz
	}
	lookup := minio.BucketLookupDNS
	if opts.PathStyle {
		lookup = minio.BucketLookupPath
	}
	client, err := minio.NewCore(opts.Endpoint, &minio.Options{
		Creds: opts.Credentials, Secure: opts.Secure, Region: opts.Region, BucketLookup: lookup,
		Transport:  transport,
		MaxRetries: 1, // call repeats, within bounds of its own
	})
	if err != nil {
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	s := &Store{options: opts, client: client, idle: transport, log: opts.Log, open: map[string]*upload{}}
	s.buffers.New = func() any { b := make([]byte, 0, opts.PartSize); return &b }
	for _, err := range s.objects(ctx, blobsDir, "") {
		if err != nil {
			transport.CloseIdleConnections()
			return nil, fmt.Errorf("open blob store: ask the bucket %s at %s: %w", opts.Bucket, opts.Endpoint, err)
		}
		break
	}
	return s, nil
}

// Close lets go of idle connections. Uploads and reads should be over.
func (s *Store) Close() error {
	s.idle.CloseIdleConnections()
	return nil
}

// Shared implements blob.Sharer: other processes may use the bucket.
func (s *Store) Shared() {}

// name puts the prefix in front of an object's name.
func (s *Store) name(dir, rest string) string { return s.options.Prefix + dir + rest }

func (s *Store) blobName(key blob.Key) string { return s.name(blobsDir, string(key)) }

func (s *Store) uploadName(id string) string { return s.name(uploadsDir, id) }

func (s *Store) tailName(id string) string { return s.name(uploadsDir, id+tailSuffix) }

// uploadOf returns the id that the name of an object belongs to, and whether
// it is of the tail.
func (s *Store) uploadOf(name string) (id string, tail, ok bool) {
	rest, ok := strings.CutPrefix(name, s.name(uploadsDir, ""))
	if !ok {
		return "", false, false
	}
	id, tail = strings.CutSuffix(rest, tailSuffix)
	return id, tail, blob.ValidID(id)
}

// acquire marks an upload as being written. It reports false when it is.
func (s *Store) acquire(u *upload) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[u.id] != nil {
		return false
	}
	s.open[u.id] = u
	return true
}

func (s *Store) release(u *upload) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[u.id] == u {
		delete(s.open, u.id)
	}
}

// Options say where the bucket is. Bucket is required; Parse makes them of an
// address.
type Options struct {
	Endpoint    string // host, or host:port; "" means Amazon's of the region
	Secure      bool   // HTTPS
	Region      string // "" means us-east-1
	Bucket      string
	Prefix      string // of the names of all objects; "" or ends with a slash
	PathStyle   bool   // the bucket is in the path and not in the host name
	Credentials *credentials.Credentials

	// Redirect lets Link make addresses for clients, valid for LinkLife.
	Redirect bool
	LinkLife time.Duration // 0 means 10 minutes

	// PartSize is the size in bytes of the parts of large uploads, and of the
	// memory for each; an upload holds two. 0 means 8 MiB.
	PartSize int
	// CopySize is the size in bytes up to which the server copies an object in
	// one request. 0 means 256 MiB.
	CopySize int64
	// Timeout is how long the server may say nothing. 0 means 30 seconds.
	Timeout time.Duration
	// Attempts is how often a request is tried at the most. 0 means 5.
	Attempts int
	// Pause is how long to wait before the second attempt; it doubles from then
	// on. 0 means 100 milliseconds.
	Pause time.Duration

	Log *slog.Logger // nil means slog.Default
}

const (
	minPart = 5 << 20 // of all but the last, S3's rule
	maxPart = 1 << 30
	// maxParts is how many parts an upload may have, S3's rule.
	maxParts = 10_000
)

func (o *Options) fill() {
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Endpoint == "" {
		o.Endpoint, o.Secure = "s3."+o.Region+".amazonaws.com", true
	}
	if o.Credentials == nil {
		o.Credentials = Credentials()
	}
	if o.LinkLife == 0 {
		o.LinkLife = 10 * time.Minute
	}
	if o.PartSize == 0 {
		o.PartSize = 8 << 20
	}
	if o.CopySize == 0 {
		o.CopySize = 256 << 20
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Attempts == 0 {
		o.Attempts = 5
	}
	if o.Pause == 0 {
		o.Pause = 100 * time.Millisecond
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
}

// Credentials finds an access key where Amazon's tools look for it: in
// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, in the shared
// files that AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE and AWS_PROFILE name,
// and last at the machine that this one runs on (a role, a web identity).
func Credentials() *credentials.Credentials {
	return credentials.NewChainCredentials([]credentials.Provider{
		&credentials.EnvAWS{},
		&credentials.FileAWSCredentials{},
		&credentials.IAM{},
	})
}

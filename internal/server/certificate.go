package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// checkInterval is how old the last look at the certificate files may be when a
// connection comes in.
const checkInterval = time.Minute

// certificate is a certificate and key that follow their files: whoever renews
// them, certbot for one, need not restart the server. All methods may be called
// concurrently.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time

	current atomic.Pointer[tls.Certificate]

	mu      sync.Mutex // held while looking at the files
	checked atomic.Int64
	seen    [2]fileState
}

// fileState is what tells that a file was replaced or rewritten.
type fileState struct {
	size    int64
	changed time.Time
}

func loadCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log, now: time.Now}
	if err := c.reload(); err != nil {
		return nil, err
	}
	return c, nil
}

// config is a TLS configuration that serves the current certificate.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			c.follow()
			return c.current.Load(), nil
		},
	}
}

// reload reads both files. On an error the certificate in use stays.
func (c *certificate) reload() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read(c.state())
}

// follow reloads the files if they changed, looking at most once a minute. While
// one connection looks, others are served with what there is.
func (c *certificate) follow() {
	if c.now().UnixNano()-c.checked.Load() < int64(checkInterval) || !c.mu.TryLock() {
		return
	}
	defer c.mu.Unlock()
	state := c.state()
	if state == c.seen {
		c.checked.Store(c.now().UnixNano())
		return
	}
	if err := c.read(state); err != nil {
		c.log.Warn("the new certificate cannot be used, the old one stays", "error", err)
		return
	}
	c.log.Info("certificate reloaded", "file", c.certFile)
}

// read loads the files, which were seen in the given state before: if they are
// changed meanwhile, the next look sees another state and reads again.
func (c *certificate) read(state [2]fileState) error {
	c.checked.Store(c.now().UnixNano())
	for _, f := range []struct{ option, name string }{{"--tls-cert", c.certFile}, {"--tls-key", c.keyFile}} {
		file, err := os.Open(f.name)
		if err != nil {
			return fmt.Errorf("cannot read the file of %s: %w", f.option, err)
		}
		file.Close()
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("%s (--tls-cert) and %s (--tls-key) are not a certificate and its key: %w", c.certFile, c.keyFile, err)
	}
	c.current.Store(&pair)
	c.seen = state
	return nil
}

func (c *certificate) state() (state [2]fileState) {
	for i, name := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(name); err == nil {
			state[i] = fileState{info.Size(), info.ModTime()}
		}
	}
	return state
}
